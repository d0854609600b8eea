// Is a node that claims to be primary one that a person made, or one that only came back? Repair and whatever goes on
// beside it must agree (R22): what one calls astray and the other spares would be repaired again and again, an epoch each.

import type { Ballot } from "./ballot.ts";
import { belonging, epochOfId } from "./lineage.ts";
import type { NodeState } from "./state.ts";
import type { Turn } from "./turn.ts";
import { primaryServes } from "./verdict.ts";

/**
 * A former primary that came back as a primary by itself: another process than the recorded member, whose data was begun
 * by this process (it keeps none over a restart) or forked from a recorded history (it loaded its snapshot), and whom
 * nobody follows. Who promotes a node by hand does so in the process that is known. Only beside a primary that serves:
 * with that one gone, a person may have brought this one back on purpose.
 */
export function isBackByItself(turn: Turn, ballot: Ballot, { id, reading }: NodeState): boolean {
  const { primary, lineage, members } = ballot;
  const runId = members.nodes[id]?.runId ?? null;
  if (reading === null || primary === null || runId === null) return false;
  const forkedFrom = reading.secondReplicationId;
  return (
    primaryServes(turn.state) &&
    reading.runId !== runId &&
    reading.replicas.length === 0 &&
    (forkedFrom === null || epochOfId(forkedFrom, lineage) !== null) &&
    belonging(reading, lineage).kind === "unknown" &&
    lineage.histories.some((each) => each.node === id && each.epoch < primary.epoch)
  );
}
