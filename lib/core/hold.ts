// May the primary's writes wait a moment? The voter beside a primary that nobody else hears delays its writes before
// any failover: they could never be replicated, and would be acknowledged and lost. A short pause, repeated; it changes
// no role, needs no lease, and lapses by itself. It is never undone by hand: a node has one pause, and it may be a
// switchover's (R17).

import type { Ballot } from "./ballot.ts";
import { FRESH_ATTEMPT_MS } from "./config.ts";
import { mayAct } from "./control.ts";
import type { Count } from "./quorum.ts";
import { type NodeState, primaryNodeOf } from "./state.ts";
import type { Turn } from "./turn.ts";
import { emit, isDueIn, patch, wakeBy } from "./turn.ts";
import { after } from "./types.ts";
import { isCutOff } from "./verdict.ts";

const PAUSE_MS = 300;
const COMMAND_MS = 200;

/** Pauses the writes of a primary that this voter alone reaches, while a quorum of the others has lost it. */
export function holdWrites(turn: Turn, ballot: Ballot, count: Count): void {
  const node = isWanted(turn, ballot) ? primaryNodeOf(turn.state, ballot) : undefined;
  if (node === undefined || !isCutOffAlone(turn, node, count)) {
    if (turn.state.hold !== null && !isLost(turn, count)) patch(turn, { hold: null });
    return;
  }
  const { config } = turn.context;
  const since = turn.state.hold?.since ?? turn.at;
  if (isDueIn(turn, since, config.downAfterMs + 2_000)) return;
  const last = turn.state.hold?.lastPauseAt ?? null;
  if (last !== null && !isDueIn(turn, last, FRESH_ATTEMPT_MS)) return;
  const look = turn.state.look;
  if (node.connection === null || look === null) return;
  if (node.connection.authenticatedAt > look.sentAt) {
    turn.lookWanted = true;
    return;
  }
  if (turn.state.hold === null)
    emit(turn, "writes.held", { node: node.id, detail: { votes: count.suspectOrDown.length } });
  patch(turn, { hold: { since, lastPauseAt: turn.at } });
  const command = { kind: "pause", connection: node.connection.id, durationMs: PAUSE_MS } as const;
  turn.commands.push({
    kind: "command-node",
    node: node.id,
    address: node.address,
    command,
    deadline: after(turn.at, COMMAND_MS),
  });
  wakeBy(turn, after(turn.at, FRESH_ATTEMPT_MS));
}

const isWanted = (turn: Turn, ballot: Ballot): boolean =>
  turn.context.config.writeHoldAfterMs !== 0 && ballot.armed && mayAct(turn, ballot) && hasReplica(turn, ballot);

const isCutOffAlone = (turn: Turn, node: NodeState, count: Count): boolean =>
  node.class === "serving" && isCutOff(turn, node) && isLost(turn, count);

/** A quorum of the *other* voters has lost it, suspect or down. */
const isLost = (turn: Turn, count: Count): boolean =>
  count.suspectOrDown.filter((voter) => voter !== turn.context.self.voter).length >= turn.context.config.quorum;

/** Some other member was in sync: the record alone can tell that it is promotable, for this voter reaches none of them. */
function hasReplica(turn: Turn, ballot: Ballot): boolean {
  const primary = ballot.primary?.node;
  return Object.entries(ballot.members.nodes).some(([id, member]) => {
    const priority = turn.context.config.nodes.find((node) => node.id === id)?.priority;
    return id !== primary && member.inSyncEpoch > 0 && priority !== 0;
  });
}
