// The voted-down primary answers: a false alarm, or a switchover that could not be done. It is restored in one order
// (R21): (a) the nodes of open intents are known never to have been promoted (`isNeverPromoted`); (b) an intent that
// names the old primary, which stops the assistants; (c) a transaction with the kill on it, so that no delayed freeze
// reaches it afterwards, or NO ONE when it is frozen; (d) the record; (e) only then the others follow it again.

import { openIntents, standingIntent } from "./lineage.ts";
import { answersNow } from "./observation.ts";
import { ballotOf, factsOf, freeze, patchFacts, runOf, send } from "./operation.ts";
import { freezeOrSettle, isNeverPromoted, writeIntent, writeRestored } from "./operation-record.ts";
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
  return openIntents(ballot, old.id).every((intent) => isNeverPromoted(turn, intent));
}

/** One step of restoring the old primary, which serves. */
export function restore(turn: Turn): void {
  const old = oldPrimary(turn);
  if (old === null || old.reading === null) return;
  const run = runOf(turn);
  const intent = standingIntent(ballotOf(turn));
  if (intent === null || intent.node !== old.id || intent.epoch !== run.epoch) {
    // What was settled before assistants are told to stop, their freezes may still be behind.
    patchFacts(turn, old.id, { settled: null });
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
 * acknowledged, and has to contend like every other node (R4, R13). False as well when somebody may have been promoted
 * instead.
 */
export function restoreFrozen(turn: Turn): boolean {
  const old = oldPrimary(turn);
  if (old === null) return false;
  const run = runOf(turn);
  const { frozen } = factsOf(run, old.id);
  const committed = ballotOf(turn).primary?.runId;
  if (old.reading !== null && old.reading.runId !== committed) return false;
  if (frozen !== null && frozen.after.runId !== committed) return false;
  const open = openIntents(ballotOf(turn), old.id).filter((intent) => !isNeverPromoted(turn, intent));
  for (const { node } of open) {
    // Read, and not as the intent found it: whose data counts is decided by comparing.
    const { frozen: shown, settled } = factsOf(run, node);
    if (shown !== null || settled !== null) return false;
    freezeOrSettle(turn, node);
  }
  if (open.length > 0) return true;
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

export function oldPrimary(turn: Turn): NodeState | null {
  const primary = ballotOf(turn).primary;
  return primary === null ? null : (turn.state.nodes[primary.node] ?? null);
}
