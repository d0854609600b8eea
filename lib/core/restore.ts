// The voted-down primary answers: a false alarm, or a switchover that could not be done. It is restored in one order
// (R21): (a) the node of a standing intent is frozen by this epoch and shows that it was never promoted; (b) an intent
// that names the old primary, which stops the assistants; (c) a transaction with the kill on it, so that no delayed
// freeze reaches it afterwards, or NO ONE when it is frozen; (d) the record; (e) only then the others follow it again.

import { isPromotedBy, standingIntent } from "./lineage.ts";
import { answersNow } from "./observation.ts";
import { ballotOf, factsOf, freeze, runOf, send } from "./operation.ts";
import { writeIntent, writeRestored } from "./operation-record.ts";
import { promoteFrozen } from "./promote.ts";
import type { NodeState } from "./state.ts";
import type { Turn } from "./turn.ts";

/** The old primary answers as the same process and serves, and nothing stands that could have been promoted instead. */
export function mayRestore(turn: Turn): boolean {
  const ballot = ballotOf(turn);
  const old = oldPrimary(turn);
  if (old === null || ballot.operation?.insists === true || !answersNow(turn, old)) return false;
  const { reading } = old;
  if (reading === null || reading.runId !== ballot.primary?.runId || reading.role !== "primary") return false;
  if (reading.replicationId !== ballot.primary.replicationId) return false;
  const intent = standingIntent(ballot);
  return intent === null || intent.node === old.id || isNeverPromoted(turn);
}

/** (a): frozen by this epoch, and its history is still the one that the intent found. */
function isNeverPromoted(turn: Turn): boolean {
  const intent = standingIntent(ballotOf(turn));
  if (intent === null) return true;
  const { frozen } = factsOf(runOf(turn), intent.node);
  return frozen !== null && frozen.after.replicationId === intent.replicationId && !isPromotedBy(frozen.after, intent);
}

/** One step of restoring the old primary, which serves. */
export function restore(turn: Turn): void {
  const old = oldPrimary(turn);
  if (old === null || old.reading === null) return;
  const run = runOf(turn);
  const intent = standingIntent(ballotOf(turn));
  if (intent === null || intent.node !== old.id || intent.epoch !== run.epoch) {
    writeIntent(turn, old.id, old.reading, "restoring");
    return;
  }
  const { settled } = factsOf(run, old.id);
  if (settled === null) {
    send(turn, old.id, (connection) => ({ kind: "settle", epoch: run.epoch, connection: connection.id }));
    return;
  }
  if (settled.role === "primary" && settled.replicationId === intent.replicationId) writeRestored(turn);
}

/**
 * A switchover that ends where it began: the primary is frozen by this epoch, or is frozen now, and un-frozen with an
 * intent. False when that is another process than the one that was committed: it may have come back with less than was
 * acknowledged, and has to contend like every other node (R4, R13).
 */
export function restoreFrozen(turn: Turn): boolean {
  const old = oldPrimary(turn);
  if (old === null) return false;
  const run = runOf(turn);
  const { frozen } = factsOf(run, old.id);
  const committed = ballotOf(turn).primary?.runId;
  if (old.reading !== null && old.reading.runId !== committed) return false;
  if (frozen !== null && frozen.after.runId !== committed) return false;
  if (!isNeverPromotedOrSelf(turn, old)) {
    const intent = standingIntent(ballotOf(turn));
    if (intent !== null) send(turn, intent.node, freeze(run.epoch));
    return true;
  }
  if (frozen === null) {
    send(turn, old.id, freeze(run.epoch));
    return true;
  }
  const intent = standingIntent(ballotOf(turn));
  if (
    intent === null ||
    intent.node !== old.id ||
    intent.epoch !== run.epoch ||
    intent.offset !== frozen.after.offset
  ) {
    writeIntent(turn, old.id, frozen.after, "restoring");
    return true;
  }
  promoteFrozen(turn, intent, frozen.connection);
  return true;
}

const isNeverPromotedOrSelf = (turn: Turn, old: NodeState): boolean =>
  standingIntent(ballotOf(turn))?.node === old.id || isNeverPromoted(turn);

export function oldPrimary(turn: Turn): NodeState | null {
  const primary = ballotOf(turn).primary;
  return primary === null ? null : (turn.state.nodes[primary.node] ?? null);
}
