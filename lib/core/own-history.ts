// Has the committed process begun another history by itself? A primary that nobody ever followed takes a new replication id
// with its first follower and gives up its second one (M1), and so does one that was without followers for
// `repl-backlog-ttl` (N9). Whoever follows it from then on carries that id, and if it dies before the id is on record, its
// data is of a history that nothing explains (R25). So it is entered as soon as it is read: by the holder of an operation
// that re-points others at it, and beside no operation by any voter. The offset goes on, so the two compare.

import type { Ballot, History } from "./ballot.ts";
import type { CoreEvent } from "./events.ts";
import { primaryNodeOf } from "./state.ts";
import type { Turn } from "./turn.ts";
import { eventOf } from "./turn.ts";
import type { Instant } from "./types.ts";

export interface OwnHistory {
  readonly history: History;
  readonly told: CoreEvent;
}

/** The history that the record lacks; null: none. An answer to what was asked before `since` may show the id that a commit replaced. */
export function newOwnHistory(turn: Turn, ballot: Ballot, since: Instant | null): OwnHistory | null {
  const { primary } = ballot;
  const node = primaryNodeOf(turn.state, ballot);
  if (primary === null || node === undefined || node.reading === null) return null;
  if (since === null || node.readSentAt === null || node.readSentAt < since) return null;
  const { replicationId, runId, role, offset } = node.reading;
  if (role !== "primary" || runId !== primary.runId || replicationId === primary.replicationId) return null;
  return {
    history: { epoch: primary.epoch, node: primary.node, replicationId, forkOffset: offset },
    told: eventOf(turn, "primary.replication-id-changed", { node: primary.node, detail: { replicationId } }),
  };
}
