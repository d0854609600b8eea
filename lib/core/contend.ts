// Who becomes primary? The steps of a failover, a cold start, a recovery by a person's choice and the first primary of
// a new group: freeze, compare, intend, promote, commit (design 4.5). The next step is derived anew each time from the
// record and this epoch's facts, so that whoever takes a lapsed lease goes on exactly where the record stands (S11).

import type { Intent } from "./ballot.ts";
import { isEnough, type Selection, select, surpasses } from "./candidate.ts";
import { keysOf } from "./entries.ts";
import { stopBefore } from "./host-stop.ts";
import { isPromotedBy, openIntents, standingIntent } from "./lineage.ts";
import { answersNow, isFollowedReborn } from "./observation.ts";
import {
  ballotOf,
  factsOf,
  firstTime,
  isBarred,
  isSpared,
  park,
  patchFacts,
  patchRun,
  runOf,
  send,
} from "./operation.ts";
import { abandon, commitPrimary, freezeOrSettle, isNeverPromoted, writeIntent } from "./operation-record.ts";
import { isGivingBack } from "./preflight.ts";
import { promoteFrozen, promoteUnfrozen } from "./promote.ts";
import { mayRestore, oldPrimary, restore } from "./restore.ts";
import { type NodeState, primaryNodeOf } from "./state.ts";
import { BOOT_FENCE } from "./token.ts";
import type { Turn } from "./turn.ts";
import { emit, isDueIn, nodesOf, wakeBy } from "./turn.ts";
import { after, elapsedMs, type NodeId, type NodeReading } from "./types.ts";

/** An intent's node that stays away for this long, at first or after a promotion that failed, is left out: the others contend afresh. */
const INTENT_WAIT_MS = 1_000;

/** One step of the contention; called with every fact until the record says committed. */
export function contend(turn: Turn): void {
  const intent = standingIntent(ballotOf(turn));
  if (intent !== null && followIntent(turn, intent)) return;
  if (mayRestore(turn)) return restore(turn);
  const mayAccept = ballotOf(turn).operation?.kind === "failover" && runOf(turn).gatheringSince === null;
  if (mayAccept && isFollowedReborn(turn, ballotOf(turn))) return acceptReborn(turn);
  fenceOldPrimary(turn);
  gather(turn);
}

/**
 * What becomes of a recorded intent: commit it when its node was promoted by it, else freeze and intend anew.
 * False when its node cannot be read, so that the others contend without it.
 */
export function followIntent(turn: Turn, intent: Intent): boolean {
  const run = runOf(turn);
  const facts = factsOf(run, intent.node);
  if (facts.promoted !== null) {
    commitPrimary(turn, intent, facts.promoted);
    return true;
  }
  if (facts.busy !== null) return true;
  const node = turn.state.nodes[intent.node];
  const isStale = isDueIn(turn, facts.promotionFailedAt ?? run.startedAt, INTENT_WAIT_MS);
  if (node === undefined || !answersNow(turn, node)) {
    if (!isStale) return true;
    forgetFreeze(turn, intent.node);
    return false;
  }
  const isRestoring = intent.node === ballotOf(turn).primary?.node;
  if (isRestoring && node.reading?.role === "primary" && !isPromotedBy(node.reading, intent)) return false;
  if (node.reading !== null && isPromotedBy(node.reading, intent)) return confirmPromotion(turn, intent, node);
  if (node.reading !== null && node.reading.runId !== intent.runId) {
    if (facts.frozen?.after.runId === intent.runId) forgetFreeze(turn, intent.node);
    return false;
  }
  if (isBarred(run, intent.node)) return false;
  if (intent.epoch === run.epoch && facts.frozen !== null) {
    promoteFrozen(turn, intent, facts.frozen.connection);
    return true;
  }
  if (intent.epoch === run.epoch && run.kind === "initialise") {
    promoteUnfrozen(turn, intent, BOOT_FENCE.host);
    return true;
  }
  if (facts.promotionFailedAt === null || intent.epoch < run.epoch || isStale) return false;
  // A connection that was lost between freeze and promotion says nothing against the best: it is frozen anew before others are meant.
  freezeOrSettle(turn, intent.node);
  return true;
}

/** What the freeze showed was true of a process that is gone: counting it would choose the same dead node again. */
function forgetFreeze(turn: Turn, node: NodeId): void {
  patchFacts(turn, node, { frozen: null });
}

/** Found promoted: committed only on this epoch's own reply that contains the kill (R24). */
export function confirmPromotion(turn: Turn, intent: Intent, node: NodeState): boolean {
  const { settled } = factsOf(runOf(turn), node.id);
  if (settled !== null && settled.role === "primary" && isPromotedBy(settled, intent)) {
    commitPrimary(turn, intent, settled);
    return true;
  }
  // Promoted, and frozen again since: its data stands, and it contends like the others.
  if (node.reading?.role !== "primary") return false;
  send(turn, node.id, (connection) => ({ kind: "settle", epoch: runOf(turn).epoch, connection: connection.id }));
  return true;
}

/**
 * The restarted primary serves and everybody who answers has already followed it: the truth cannot be voted away. It is
 * committed anew, and that everything before was lost is said.
 */
function acceptReborn(turn: Turn): void {
  const old = oldPrimary(turn);
  if (old?.reading == null) return;
  const { epoch } = runOf(turn);
  const { settled } = factsOf(runOf(turn), old.id);
  if (settled === null) {
    send(turn, old.id, (connection) => ({ kind: "settle", epoch, connection: connection.id }));
    return;
  }
  if (firstTime(turn, "reborn")) {
    emit(turn, "loss.possible", {
      node: old.id,
      detail: {
        reason: "it restarted without a boot fence and was followed before anybody could freeze the replicas",
        keyCount: settled.keyCount,
      },
    });
  }
  const { runId, replicationId, offset } = settled;
  if (settled.role === "primary") commitPrimary(turn, { epoch, node: old.id, runId, replicationId, offset }, settled);
}

/** The voted-down primary is silenced from wherever it is reachable, while the replicas are frozen. */
function fenceOldPrimary(turn: Turn): void {
  const primary = ballotOf(turn).primary;
  if (primary !== null) park(turn, primary.node);
}

function gather(turn: Turn): void {
  const targets = nodesOf(turn.state).filter((node) => answersNow(turn, node) && !isSpared(turn, node));
  // What was frozen stays so. Who does not answer now cannot be promoted, and the best of them may be the first to return.
  if (targets.length === 0) {
    if (runOf(turn).gatheringSince !== null) patchRun(turn, { gathering: "interrupted" });
    return giveUpLate(turn, "no node answers");
  }
  for (const node of targets) freezeInTurn(turn, node);
  const since = runOf(turn).gatheringSince;
  if (since === null) return giveUpLate(turn, "no node answers");
  const { freezeWaitMs, probeTimeoutMs } = turn.context.config;
  const isComplete = targets.every((node) => factsOf(runOf(turn), node.id).frozen !== null);
  if (isAwaited(turn)) {
    // Until the probes that were lost in the same cut have been asked anew.
    if (!isDueIn(turn, since, probeTimeoutMs + freezeWaitMs)) return;
  } else if (!isComplete && !isDueIn(turn, since, freezeWaitMs)) return;
  decide(turn);
}

/**
 * A freeze that comes late begins the gathering anew: a cut that is over is over for more than one node. Not one that is
 * only tried again, for a node that can never be frozen would keep the others waiting.
 */
function freezeInTurn(turn: Turn, { id }: NodeState): void {
  const { gatheringSince, gathering } = runOf(turn);
  const { frozen, failures } = factsOf(runOf(turn), id);
  if (frozen !== null || !freezeOrSettle(turn, id)) return;
  if (gatheringSince === null) return patchRun(turn, { gatheringSince: turn.at });
  const isLate = elapsedMs(gatheringSince, turn.at) >= turn.context.config.freezeWaitMs;
  if (gathering === "interrupted" || (isLate && failures === 0))
    patchRun(turn, { gatheringSince: turn.at, gathering: "again" });
}

/** Some member may be about to come back as another just did. */
function isAwaited(turn: Turn): boolean {
  const { members, primary } = ballotOf(turn);
  const isFrozen = (id: string) => factsOf(runOf(turn), id as NodeId).frozen !== null;
  const isAgain = runOf(turn).gathering === "again";
  return isAgain && !Object.keys(members.nodes).every((id) => id === primary?.node || isFrozen(id));
}

/** Compare what was frozen, and record the intent or why there is none. */
function decide(turn: Turn): void {
  const ballot = ballotOf(turn);
  if (isGivingBack(ballot)) {
    if (!unfreezeOld(turn)) giveUpLate(turn, `${ballot.primary?.node} cannot be given back its place`);
    return;
  }
  const { config } = turn.context;
  const frozen = nodesOf(turn.state).flatMap((node) => factsOf(runOf(turn), node.id).frozen ?? []);
  const operation = ballot.operation;
  const isColdStart = operation?.kind === "cold-start";
  const only = operation?.kind === "recover" ? operation.target : null;
  const insists = operation?.insists ?? false;
  const barred = frozen.map((each) => each.node).filter((node) => isBarred(runOf(turn), node));
  const selection = select({ frozen, ballot, config, coldStart: isColdStart, only, insists, barred });
  const why = whyNobody(turn, selection, only !== null || isColdStart);
  if (why !== null) {
    // What the committed process holds is all that was ever acknowledged: nobody has to be counted to give it back its place.
    if (!insists && unfreezeOld(turn)) return;
    return giveUpLate(turn, why, selection);
  }
  if (selection.kind === "none") return;
  const chosen = frozen.find((each) => each.node === selection.node);
  if (chosen === undefined) return;
  const missing = keysOf(ballot.members.nodes).filter((id) => !frozen.some(({ node }) => node === id));
  if (isColdStart && missing.length > 0 && !surpasses(chosen.after, missing, ballot, config))
    return giveUpLate(turn, `a cold start needs every node, and ${missing.join(", ")} is not read`);
  const stop = stopBefore(turn);
  if (stop.kind === "failed") return giveUpLate(turn, stop.reason, selection);
  if (stop.kind === "awaited" || !writeIntent(turn, chosen.node, chosen.after, "intended")) return;
  if (firstTime(turn, `selected ${chosen.node}`)) tellSelection(turn, selection, chosen.after);
}

function whyNobody(turn: Turn, selection: Selection, isAnyNumberEnough: boolean): string | null {
  if (selection.kind === "none") return selection.reason;
  const { length } = selection.counted;
  if (isAnyNumberEnough || isEnough(length, ballotOf(turn), turn.context.config)) return null;
  return `${length} nodes count and onPossibleLoss refuse needs more`;
}

/**
 * Means to promote the committed process again, which this epoch has frozen; false when it has not. Where loss is refused
 * nor while a candidate that was meant may still be promoted (R21): a replica that nobody has re-pointed follows it, and
 * acknowledges to it what the old primary never gets. Otherwise that is the smaller harm than a group without a primary.
 */
function unfreezeOld(turn: Turn): boolean {
  const old = oldPrimary(turn);
  if (old === null) return false;
  if (turn.context.config.onPossibleLoss === "refuse") {
    const open = openIntents(ballotOf(turn), old.id);
    if (!open.every((intent) => isNeverPromoted(turn, intent))) return false;
  }
  const { frozen } = factsOf(runOf(turn), old.id);
  if (frozen === null || !answersNow(turn, old) || isBarred(runOf(turn), old.id)) return false;
  if (frozen.after.runId !== ballotOf(turn).primary?.runId || old.reading?.runId !== frozen.after.runId) return false;
  writeIntent(turn, old.id, frozen.after, "restoring");
  return true;
}

function tellSelection(turn: Turn, selection: Extract<Selection, { kind: "selected" }>, chosen: NodeReading): void {
  const { primary, operation, lineage } = ballotOf(turn);
  const { offset } = chosen;
  const old = primaryNodeOf(turn.state, ballotOf(turn));
  const notChosen = Object.entries(selection.notChosen)
    .map(([node, why]) => `${node}: ${why}`)
    .join("; ");
  emit(turn, "candidate.selected", {
    node: selection.node,
    detail: { offset, counted: selection.counted.length, notChosen },
  });
  const isOld = old?.reading != null && old.reading.runId === primary?.runId;
  const behind = isOld ? Math.max(0, old.reading.offset - offset) : 0;
  // Who was meant before may have been lost since: what it had is on record.
  const meant = lineage.intents.filter(
    ({ epoch, replicationId }) => epoch >= (operation?.began ?? 0) && replicationId === chosen.replicationId,
  );
  const lossBytes = Math.max(selection.lossBytes, behind, ...meant.map((intent) => intent.offset - offset));
  const unseenMs = old?.readAt == null ? null : turn.at - old.readAt;
  if (lossBytes > 0) {
    emit(turn, "loss.possible", {
      node: selection.node,
      detail: { atLeastBytes: lossBytes, primaryLastReadMs: unseenMs },
    });
  }
}

/** Nobody can be promoted yet: goes on trying for `stepTimeoutMs`, then restores the old primary or gives up. */
function giveUpLate(turn: Turn, reason: string, selection?: Extract<Selection, object>): void {
  const run = runOf(turn);
  if (firstTime(turn, `none ${reason}`)) {
    const notChosen = Object.entries(selection?.notChosen ?? {})
      .map(([node, why]) => `${node}: ${why}`)
      .join("; ");
    emit(turn, "candidate.none", { detail: { reason, notChosen } });
  }
  const { stepTimeoutMs } = turn.context.config;
  if (isDueIn(turn, run.startedAt, stepTimeoutMs)) {
    patchRun(turn, { failure: run.failure ?? reason });
    // Also one that was to be replaced: better than leaving it frozen, and the group without a primary (L4).
    if (!unfreezeOld(turn)) abandon(turn, reason);
    return;
  }
  wakeBy(turn, after(turn.at, turn.context.config.freezeWaitMs));
}
