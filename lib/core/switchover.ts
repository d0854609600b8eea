// The planned, lossless change of primary: pause writes, let the target catch up, freeze the primary, and promote the
// target at exactly the offset of the freeze's reply (R11: pointing the primary at a target that lags would make it
// flush). Nothing was changed until the freeze; after it, the way back is restoring the primary (R21), unless it died.

import type { Intent } from "./ballot.ts";
import { PAUSE_MARGIN_MS } from "./config.ts";
import { confirmPromotion } from "./contend.ts";
import { changeKind } from "./holder-writes.ts";
import { isPromotedBy, standingIntent } from "./lineage.ts";
import { answersNow } from "./observation.ts";
import { ballotOf, factsOf, firstTime, freeze, held, patchRun, runOf, send } from "./operation.ts";
import { abandon, commitPrimary, writeIntent } from "./operation-record.ts";
import { whyNotTarget } from "./preflight.ts";
import { promoteUnfrozen } from "./promote.ts";
import { mayRestore, oldPrimary, restore, restoreFrozen } from "./restore.ts";
import type { NodeState } from "./state.ts";
import type { Turn } from "./turn.ts";
import { emit, isDue, isDueIn, mayWrite, newAttempt, probeSoon, wakeBy, write } from "./turn.ts";
import type { Instant, NodeReading } from "./types.ts";
import { after } from "./types.ts";

/** Writes wait at most this long; the pause ends by itself, before the lease does. */
const LONGEST_PAUSE_MS = 2_000;
/** An old primary that does not answer for this long after a take-over makes it a failover. */
const OLD_PRIMARY_WAIT_MS = 1_000;

/** One step of the switchover. */
export function switchOver(turn: Turn): void {
  const old = oldPrimary(turn);
  const target = targetOf(turn);
  if (old === null || target === null) return abandon(turn, "the primary or the target is no member any more");
  const intent = standingIntent(ballotOf(turn));
  if (intent !== null && intent.node === old.id) return restoring(turn, old, intent);
  if (intent !== null) return followTarget(turn, { intent, old, target });
  const { frozen } = factsOf(runOf(turn), old.id);
  if (frozen === null) return beforeFreeze(turn, old, target);
  awaitTarget(turn, target, frozen.after.offset, frozen.after.replicationId);
}

export function targetOf(turn: Turn): NodeState | null {
  const id = ballotOf(turn).operation?.target ?? null;
  return id === null ? null : (turn.state.nodes[id] ?? null);
}

function beforeFreeze(turn: Turn, old: NodeState, target: NodeState): void {
  const run = runOf(turn);
  if (!answersNow(turn, old)) {
    if (isDueIn(turn, run.startedAt, OLD_PRIMARY_WAIT_MS)) becomeFailover(turn, "the primary no longer answers");
    return;
  }
  // Whoever takes over does not know how far it got: a frozen primary is frozen anew and read, a serving one is left as it is.
  if (old.reading?.role !== "primary") return void send(turn, old.id, freeze(run.epoch));
  if (run.takenOver) return cannot(turn, "its holder was lost before the primary was frozen");
  const { pausedUntil, failure } = factsOf(run, old.id);
  if (pausedUntil === null) {
    const why = whyNotTarget(turn, target) ?? failure;
    if (why !== null) return cannot(turn, why);
    return pause(turn, old);
  }
  catchUp(turn, old, target, pausedUntil);
}

function pause(turn: Turn, old: NodeState): void {
  const run = runOf(turn);
  const durationMs = Math.floor(Math.min(LONGEST_PAUSE_MS, run.leaseUntil - turn.at));
  if (durationMs <= 2 * PAUSE_MARGIN_MS) return cannot(turn, "what is left of the lease is too short for a pause");
  const isSent = send(turn, old.id, (connection) => ({ kind: "pause", connection: connection.id, durationMs }));
  if (isSent) emit(turn, "switchover.paused", { node: old.id, detail: { pauseMs: durationMs } });
}

/** Under the pause: the target must show the offset that the primary showed after the pause began. */
function catchUp(turn: Turn, old: NodeState, target: NodeState, pausedUntil: Instant): void {
  const run = runOf(turn);
  const pausedAt = factsOf(run, old.id).pausedAt;
  const readSince = ({ reading, readSentAt }: NodeState): NodeReading | null =>
    readSentAt !== null && pausedAt !== null && readSentAt >= pausedAt ? reading : null;
  const before = readSince(old);
  const reached = readSince(target);
  if (before !== null && reached !== null && reached.offset >= before.offset && isSame(turn, reached)) {
    if (firstTime(turn, "caught up"))
      emit(turn, "switchover.caught-up", { node: target.id, detail: { offset: before.offset } });
    return void send(turn, old.id, freeze(run.epoch));
  }
  // Writers wait: both are read at once, and neither is left to its next regular probe.
  if (before === null) probeSoon(turn, old.id);
  probeSoon(turn, target.id);
  if (isDue(turn, after(pausedUntil, -2 * PAUSE_MARGIN_MS)))
    cannot(turn, `${target.id} did not catch up under the pause`);
}

const isSame = (turn: Turn, { role, replicationId }: NodeReading): boolean =>
  role === "replica" && replicationId === ballotOf(turn).primary?.replicationId;

/** The primary is frozen at `offset`: the target either shows exactly that, or the primary is restored. */
function awaitTarget(turn: Turn, target: NodeState, offset: number, replicationId: string): void {
  const run = runOf(turn);
  const { reading } = target;
  if (
    reading !== null &&
    answersNow(turn, target) &&
    reading.offset === offset &&
    reading.replicationId === replicationId
  ) {
    writeIntent(turn, target.id, reading, "intended");
    return;
  }
  if (isDueIn(turn, run.startedAt, waitMs(turn))) {
    tellAbandoned(turn, `${target.id} did not reach offset ${offset}`);
    return goBack(turn);
  }
  probeSoon(turn, target.id);
}

/** An intent names the target: commit it when it was promoted, promote it when not, go back when it cannot be had. */
function followTarget(
  turn: Turn,
  { intent, old, target }: { readonly intent: Intent; readonly old: NodeState; readonly target: NodeState },
): void {
  const run = runOf(turn);
  const facts = factsOf(run, intent.node);
  if (facts.promoted !== null) return commitPrimary(turn, intent, facts.promoted);
  if (facts.busy !== null) return;
  const { reading } = target;
  if (answersNow(turn, target) && reading !== null) {
    if (isPromotedBy(reading, intent)) {
      if (!confirmPromotion(turn, intent, target)) becomeFailover(turn, `${target.id} was promoted and frozen since`);
      return;
    }
    const mayPromote = facts.frozen === null && reading.runId === intent.runId && intent.epoch === run.epoch;
    if (mayPromote && facts.failures < 3) return promoteUnfrozen(turn, intent, null);
    if (isReadAsCommitted(turn, old)) return notPromoted(turn, target);
  }
  if (isDueIn(turn, run.startedAt, waitMs(turn)))
    becomeFailover(turn, `${target.id} was about to be promoted and does not answer`);
}

/** Whoever has to replace the primary tries the others; an order that names the target ends where it began. */
function notPromoted(turn: Turn, target: NodeState): void {
  const { failure, promotionsFailed } = factsOf(runOf(turn), target.id);
  const reason =
    promotionsFailed > 0
      ? `${target.id} refused to be promoted: ${failure}`
      : `its holder was lost with ${target.id} meant`;
  if (ballotOf(turn).operation?.insists === true && promotionsFailed > 0) return becomeFailover(turn, reason);
  tellAbandoned(turn, reason);
  goBack(turn);
}

const isReadAsCommitted = (turn: Turn, old: NodeState): boolean =>
  answersNow(turn, old) && old.reading?.runId === ballotOf(turn).primary?.runId;

function restoring(turn: Turn, old: NodeState, intent: Intent): void {
  const facts = factsOf(runOf(turn), old.id);
  if (facts.promoted !== null) return commitPrimary(turn, intent, facts.promoted);
  if (facts.busy !== null) return;
  if (
    answersNow(turn, old) &&
    old.reading !== null &&
    isPromotedBy(old.reading, intent) &&
    confirmPromotion(turn, intent, old)
  )
    return;
  if (mayRestore(turn)) return restore(turn);
  if (answersNow(turn, old)) return goBack(turn);
  if (isDueIn(turn, runOf(turn).startedAt, waitMs(turn))) becomeFailover(turn, "the primary no longer answers");
}

function goBack(turn: Turn): void {
  if (!restoreFrozen(turn)) becomeFailover(turn, "the primary restarted");
}

/** Before the freeze nothing was changed: say so and leave, or go on as the failover that it was. */
function cannot(turn: Turn, reason: string): void {
  const operation = ballotOf(turn).operation;
  if (operation?.insists === true) return becomeFailover(turn, reason);
  tellAbandoned(turn, reason);
  if (mayRestore(turn)) restore(turn);
  else abandon(turn, reason);
}

function tellAbandoned(turn: Turn, reason: string): void {
  if (firstTime(turn, "abandoning")) emit(turn, "switchover.abandoned", { detail: { reason } });
  patchRun(turn, { failure: runOf(turn).failure ?? reason });
}

function becomeFailover(turn: Turn, reason: string): void {
  const operation = ballotOf(turn).operation;
  if (operation === null || !mayWrite(turn)) return void wakeBy(turn, after(turn.at, PAUSE_MARGIN_MS));
  write(
    turn,
    changeKind(held(turn, newAttempt(turn)), {
      ...operation,
      kind: "failover",
      reason: `${operation.reason}; ${reason}`,
    }),
  );
}

const waitMs = (turn: Turn): number => Math.min(LONGEST_PAUSE_MS, turn.context.config.leaseMs) - PAUSE_MARGIN_MS;
