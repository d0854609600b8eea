// What does the holder write down, and when? Each of these is one conditional write under the lease; the operation goes
// on when the write has come back with the ballot that it made. Nothing is sent to a node on the strength of a write
// whose outcome is unknown.

import type { Intent, OperationStep } from "./ballot.ts";
import { commit, finish, recordIntent, recordRestored } from "./holder-writes.ts";
import { invariant } from "./invariant.ts";
import { isPromotedBy, openIntents } from "./lineage.ts";
import { answersNow } from "./observation.ts";
import { ballotOf, factsOf, firstTime, freeze, held, patchRun, runOf, send } from "./operation.ts";
import { primaryNodeOf } from "./state.ts";
import type { Turn } from "./turn.ts";
import { emit, eventOf, mayWrite, newAttempt, nodesOf, write } from "./turn.ts";
import type { NodeId, NodeReading } from "./types.ts";
import { takeOver } from "./writes.ts";

/**
 * Records what is about to be promoted or restored. False when a write is under way, or when another node was sent NO ONE
 * under this epoch and did not answer: should that one have been promoted, two histories of one epoch would stand side by
 * side, and nothing could tell which of them counts (R3). Then the holder takes its own lease over, under the next epoch.
 */
export function writeIntent(turn: Turn, node: NodeId, reading: NodeReading, step: OperationStep): boolean {
  const { epoch, facts } = runOf(turn);
  const { runId, replicationId, offset } = reading;
  const intent: Intent = { epoch, node, runId, replicationId, offset };
  if (!mayWrite(turn)) return false;
  if (Object.entries(facts).some(([id, each]) => id !== node && each.unknownSince !== null)) {
    const { self, config } = turn.context;
    write(turn, takeOver({ ballot: ballotOf(turn), writer: self, attempt: newAttempt(turn), leaseMs: config.leaseMs }));
    return false;
  }
  const told = eventOf(turn, "intent.recorded", { node, detail: { offset, replicationId, step } });
  write(turn, recordIntent(held(turn, newAttempt(turn)), intent, step), [told]);
  return true;
}

/** Commits `reading`, which must come from this epoch's own transaction with the kill (R24). */
export function commitPrimary(turn: Turn, intent: Intent, reading: NodeReading): void {
  if (!mayWrite(turn)) return;
  const { epoch } = runOf(turn);
  invariant(reading.role === "primary", "R24", `${intent.node} answered as ${reading.role}`);
  const { runId, replicationId } = reading;
  const primary = { node: intent.node, epoch, runId, replicationId };
  const forkOffset = (reading.secondReplicationOffset ?? reading.offset + 1) - 1;
  write(turn, commit(held(turn, newAttempt(turn)), primary, { epoch, node: intent.node, replicationId, forkOffset }));
}

/** The old primary stayed primary: nothing of it changes, and the others may be pointed at it again. */
export function writeRestored(turn: Turn): void {
  if (mayWrite(turn)) write(turn, recordRestored(held(turn, newAttempt(turn))));
}

/**
 * R21 (a): frozen or settled by this epoch, which closed every connection that an older command could come over, and its
 * history is still the one that the intent found. Or the intent is this epoch's own, and each NO ONE that went out for
 * it was refused: nobody else sends one for it, and a node that refuses may refuse the freeze as well.
 */
export function isNeverPromoted(turn: Turn, intent: Intent): boolean {
  const run = runOf(turn);
  const { frozen, settled, promotionsOpen } = factsOf(run, intent.node);
  if (frozen !== null) return isAsMeant(frozen.after, intent);
  if (promotionsOpen > 0) return false;
  return intent.epoch === run.epoch || (settled !== null && isAsMeant(settled, intent));
}

const isAsMeant = (reading: NodeReading, intent: Intent): boolean =>
  reading.replicationId === intent.replicationId && !isPromotedBy(reading, intent);

/** What shows that an intent's node was not promoted: a freeze, or a settling where the node refuses REPLICAOF. */
export function freezeOrSettle(turn: Turn, node: NodeId): boolean {
  const { epoch } = runOf(turn);
  const { failures, settled } = factsOf(runOf(turn), node);
  const isMeant = openIntents(ballotOf(turn), null).some((each) => each.node === node);
  if (failures === 0 || settled !== null || !isMeant) return send(turn, node, freeze(epoch));
  return send(turn, node, (connection) => ({ kind: "settle", epoch, connection: connection.id }));
}

/**
 * Ends an operation that promotes nobody: what was frozen follows the old primary again, if that serves. Not while an intent is
 * open whose node may have been promoted: there is no way round reading it (R21).
 */
export function abandon(turn: Turn, reason: string): void {
  const ballot = ballotOf(turn);
  const intent = openIntents(ballot, ballot.primary?.node ?? null).find((each) => !isNeverPromoted(turn, each));
  if (intent !== undefined) {
    const isRead = factsOf(runOf(turn), intent.node).frozen !== null;
    const held = `${intent.node} may have been promoted and ${isRead ? "has another history now" : "cannot be read"}`;
    patchRun(turn, { held });
    if (firstTime(turn, "held")) emit(turn, "group.held", { node: intent.node, detail: { reason: held } });
    return;
  }
  if (!unfrozen(turn) || !mayWrite(turn)) return;
  const name = ballot.operation?.kind === "switchover" ? "switchover.abandoned" : "failover.abandoned";
  write(turn, finish(held(turn, newAttempt(turn))), [eventOf(turn, name, { detail: { reason } })]);
}

/**
 * Points what this epoch froze at the old primary again; true when nothing more can be done about it. Not at one that is
 * gone: started again, empty and before anybody has looked at it, it would have them drop what they hold. They stay as
 * they are until some primary serves and a repair brings them in line.
 */
function unfrozen(turn: Turn): boolean {
  const old = primaryNodeOf(turn.state, ballotOf(turn));
  if (old?.class !== "serving" || !answersNow(turn, old)) return true;
  const { address } = old;
  const frozen = nodesOf(turn.state).filter((node) => {
    const facts = factsOf(runOf(turn), node.id);
    if (node.id === old.id || facts.frozen === null || facts.repointed) return false;
    // One that has died since is left to repair: the end never waits for a dead node.
    return facts.failures < 3 && answersNow(turn, node);
  });
  for (const node of frozen) {
    send(turn, node.id, (connection) => ({
      kind: "repoint",
      epoch: runOf(turn).epoch,
      connection: connection.id,
      to: address,
      dropClients: false,
    }));
  }
  return frozen.length === 0;
}
