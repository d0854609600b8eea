// What does a fact change in what this voter knows? Only that: what follows from it is decided afterwards. A write whose
// answer was lost is resolved here, by the first consistent read after it: the attempt id in the record is ours or not.

import { foldAssistance } from "./assist.ts";
import type { Ballot } from "./ballot.ts";
import { encodeBallot } from "./ballot-format.ts";
import type { BallotWrite } from "./ballot-write.ts";
import { isEcho } from "./ballot-write.ts";
import type { Fact } from "./commands.ts";
import { actsUntil, leaseSighted, yields } from "./lease.ts";
import { observe, reclassify } from "./observation.ts";
import { continued, factsOf, newRun, type OperationRun, patchRun } from "./operation.ts";
import { foldOutcome } from "./operation-outcome.ts";
import { sighted } from "./quorum.ts";
import type { RequestRecord } from "./records.ts";
import { answerBegun, answered } from "./request-answers.ts";
import type { GroupState, PendingWrite } from "./state.ts";
import type { Turn } from "./turn.ts";
import { emit, patch, probeSoon } from "./turn.ts";
import type { AttemptId, Instant, NodeId } from "./types.ts";
import { after, elapsedMs } from "./types.ts";

/** After a failure of the store it is asked again this soon, later each time up to the second figure. */
const STORE_RETRY_MS = 100;
const STORE_RETRY_LIMIT_MS = 2_000;
/** Requests come one after the other, minutes apart: a glance is not older than the last few. */
const PAST_REQUESTS = 5;

/** Folds one fact in. */
export function absorb(turn: Turn, fact: Fact): void {
  switch (fact.kind) {
    case "time-passed":
      return;
    case "probe-ended":
      return observe(turn, fact.node, fact.sentAt, fact.observation);
    case "connection-cut":
      return probeSoon(turn, fact.node);
    case "ballot-read":
      return read(turn, fact.sentAt, fact.ballot);
    case "store-failed":
      return isAwaited(turn, null, null) ? storeFailed(turn, fact.detail, fact.unreadable) : undefined;
    case "glanced":
      return glanced(turn, fact);
    case "write-ended":
      return writeEnded(turn, fact);
    case "command-ended":
      return commandEnded(turn, fact);
    case "publish-ended":
      return publishEnded(turn, fact);
    case "request-resolved":
      return answered(turn, fact);
    case "standing-read":
      return patch(turn, { standingEpoch: fact.epoch, standingTable: fact.table });
  }
}

/**
 * The answer to the call that is under way, not a copy of an earlier one: that would end the wait for another, let two
 * writes overlap, and show a record that is older than the one that is known.
 */
function isAwaited(turn: Turn, sentAt: Instant | null, attempt: AttemptId | null): boolean {
  const { storeBusy } = turn.state;
  if (storeBusy === null || (storeBusy.pending?.write.attempt.id ?? null) !== attempt) return false;
  return sentAt === null || sentAt >= storeBusy.sentAt;
}

function read(turn: Turn, sentAt: Instant, ballot: Ballot | null): void {
  if (!isAwaited(turn, sentAt, null)) return;
  patch(turn, { storeBusy: null });
  if (ballot === null) {
    patch(turn, { unreadable: null, unresolved: null });
    deleted(turn);
    return storeAnswered(turn);
  }
  look(turn, ballot, sentAt);
  const { unresolved } = turn.state;
  if (unresolved === null) return;
  patch(turn, { unresolved: null });
  if (isEcho(encodeBallot(ballot), unresolved.write) || isReleased(turn, ballot, unresolved.write)) {
    applied(turn, unresolved, ballot);
  }
}

/** There is none. What was published is asked for anew before another begins: it may be all that tells of this one (R19). */
const deleted = (turn: Turn): void => patch(turn, { look: null, missing: true, operation: null, standingEpoch: null });

/** Only its holder releases a lease within an epoch; behind the release, others may have written their own attempt. */
const isReleased = (turn: Turn, ballot: Ballot, { name }: BallotWrite): boolean =>
  name === "finish" &&
  ballot.epoch === turn.state.operation?.epoch &&
  ballot.lease === null &&
  ballot.operation === null;

/** Takes over what a consistent read or a write's answer shows. */
function look(turn: Turn, ballot: Ballot, sentAt: Instant): void {
  const previous = turn.state.look;
  const isQuiet = ballot.lease === null && ballot.operation === null;
  const wasQuiet = turn.state.quietSince !== null && previous?.ballot.epoch === ballot.epoch;
  patch(turn, {
    repairs: turn.state.repairs + (isQuiet && previous?.ballot.operation?.kind === "repair" ? 1 : 0),
    quietSince: isQuiet ? (wasQuiet ? turn.state.quietSince : turn.at) : null,
    failedAttempt: failedAttempt(turn, ballot),
    look: { ballot, sentAt, at: turn.at },
    missing: false,
    unreadable: null,
    staleLook: false,
    isRequestOld:
      isOpen(turn.state.request, ballot) &&
      (turn.state.isRequestOld || ballot.lastRequest !== (previous?.ballot.lastRequest ?? null)),
    sightings: sighted(turn.state.sightings, ballot, previous?.sentAt ?? null),
    leaseSighting: leaseSighted(turn.state.leaseSighting, ballot, turn.at),
  });
  storeAnswered(turn);
  const begunBefore = previous?.ballot.lastRequest ?? null;
  if (begunBefore !== null && begunBefore !== ballot.lastRequest) requestEnded(turn, begunBefore);
  if (previous?.ballot.primary?.epoch !== ballot.primary?.epoch) {
    // A verdict on the last primary says nothing of this one, nor is what was published before it all that there is (R19).
    patch(turn, { announced: { level: "up", objectively: false }, standingEpoch: null });
  }
  reclassify(turn);
}

/** The last attempt promoted nobody and nothing of it is left but telling (R20). */
function failedAttempt(turn: Turn, ballot: Ballot): GroupState["failedAttempt"] {
  const last = ballot.budget.at(-1);
  const isUnderWay = ballot.operation?.began === last?.epoch && !yields(ballot);
  if (last === undefined || last.promoted || isUnderWay) return null;
  const known = turn.state.failedAttempt;
  return known?.epoch === last.epoch ? known : { epoch: last.epoch, overSince: turn.at };
}

function storeAnswered(turn: Turn): void {
  if (turn.state.storeFailedSince !== null) emit(turn, "store.reachable");
  patch(turn, { storeFailedSince: null, storeRetryAt: null, storeDetail: "" });
}

function storeFailed(turn: Turn, detail: string, unreadable: boolean): void {
  const since = turn.state.storeFailedSince ?? turn.at;
  if (turn.state.storeFailedSince === null)
    emit(turn, unreadable ? "record.unreadable" : "store.unreachable", { detail: { reason: detail } });
  const retryMs = Math.min(STORE_RETRY_LIMIT_MS, Math.max(STORE_RETRY_MS, elapsedMs(since, turn.at) / 4));
  patch(turn, {
    storeBusy: null,
    storeFailedSince: since,
    storeRetryAt: after(turn.at, retryMs),
    storeDetail: detail,
    unreadable: unreadable ? detail : turn.state.unreadable,
  });
}

function glanced(turn: Turn, fact: Extract<Fact, { kind: "glanced" }>): void {
  const { ballot } = fact;
  noteRequest(turn, fact);
  const known = turn.state.look?.ballot;
  if (known === undefined) return;
  const isSame =
    ballot !== null &&
    ballot.attempt === known.attempt &&
    ballot.control.attempt === known.control.attempt &&
    ballot.lookUntil === known.lookUntil &&
    Object.entries(ballot.votes).every(
      ([voter, vote]) => known.votes[voter as keyof typeof known.votes]?.attempt === vote.attempt,
    );
  // It may be older than what was looked at, also where there is none; a consistent look tells which.
  if (!isSame) patch(turn, { staleLook: true });
}

/** A glance may be older than one before it: a request that has ended must not be seen as one that waits, and begun again. */
function noteRequest(turn: Turn, { request, readBehind }: Extract<Fact, { kind: "glanced" }>): void {
  if (request !== null && request.result === null && turn.state.pastRequests.includes(request.id)) return;
  const ballot = turn.state.look?.ballot ?? null;
  const isKnown = request?.id === turn.state.request?.id;
  const isOld =
    readBehind === null
      ? !isKnown || turn.state.isRequestOld
      : ballot !== null && ballot.lastRequest !== readBehind.lastRequest;
  if (!isKnown) patch(turn, { requestSince: turn.at });
  patch(turn, { request, isRequestOld: isOld && isOpen(request, ballot) });
  if (request !== null && request.result !== null) requestEnded(turn, request.id);
}

/** It waits for its answer, and is not the last that the record knows to be begun. */
const isOpen = (request: RequestRecord | null, ballot: Ballot | null): boolean =>
  request !== null && request.result === null && request.id !== ballot?.lastRequest;

function requestEnded(turn: Turn, id: string): void {
  const { pastRequests } = turn.state;
  if (!pastRequests.includes(id)) patch(turn, { pastRequests: [...pastRequests, id].slice(-PAST_REQUESTS) });
}

function writeEnded(turn: Turn, fact: Extract<Fact, { kind: "write-ended" }>): void {
  const { write, outcome, sentAt } = fact;
  const pending = turn.state.storeBusy?.pending;
  if (pending == null || !isAwaited(turn, sentAt, write.attempt.id)) return;
  patch(turn, { storeBusy: null });
  switch (outcome.kind) {
    case "applied":
      look(turn, outcome.ballot, sentAt);
      return applied(turn, pending, outcome.ballot);
    case "refused":
      if (outcome.ballot === null) deleted(turn);
      else look(turn, outcome.ballot, sentAt);
      return;
    case "unknown":
      patch(turn, { unresolved: pending });
      return storeFailed(turn, outcome.detail, false);
  }
}

const UNDER_LEASE = new Set(["renew", "ask-stop", "record-intent", "commit", "record-restored", "change-kind"]);

/** Our own write stands in the record that was just looked at. */
function applied(turn: Turn, pending: PendingWrite, ballot: Ballot): void {
  const { write, sentAt } = pending;
  turn.events.push(...pending.events);
  const leaseMs = ballot.lease?.durationMs ?? 0;
  const terms = { leaseUntil: actsUntil(sentAt, leaseMs), renewDueAt: after(sentAt, leaseMs / 3) };
  if (write.name === "grant" || write.name === "take-over") {
    const takenOver = write.name === "take-over";
    const run = newRun({ ballot, takenOver, at: turn.at, ...terms });
    patch(turn, { operation: takenOver ? continued(run, turn.state.operation) : run, hold: null });
    const { operation } = ballot;
    const detail = {
      kind: operation?.kind ?? "",
      by: operation?.by ?? "",
      reason: operation?.reason ?? "",
      step: operation?.step ?? "",
    };
    emit(turn, takenOver ? "lease.taken-over" : "lease.acquired", { detail });
    if (!takenOver) emit(turn, "operation.begun", { detail: { ...detail, target: operation?.target ?? null } });
    return;
  }
  const run = turn.state.operation;
  if (run === null) return;
  if (UNDER_LEASE.has(write.name)) patchRun(turn, terms);
  if (write.name === "finish") ended(turn, run, ballot);
}

/** The lease is released: whoever asked for the operation is told how it ended, if not told before. */
function ended(turn: Turn, run: OperationRun, ballot: Ballot): void {
  patch(turn, { operation: null });
  answerBegun(turn, run, ballot);
}

function commandEnded(turn: Turn, fact: Extract<Fact, { kind: "command-ended" }>): void {
  const { node, command, outcome } = fact;
  const run = turn.state.operation;
  const isRuns = run !== null && (!("epoch" in command) || command.epoch === run.epoch);
  const isParked = command.kind === "freeze" && command.parked;
  // Given up as unknown, and others were sent since, whose answers may have come first: what is there now is looked at.
  if (isRuns && fact.late && (!isParked || isSettledSince(run, node))) probeSoon(turn, node);
  else if (isRuns) foldOutcome(turn, node, command, outcome);
  else foldAssistance(turn, node, command, outcome);
  reclassify(turn);
}

/** The run has done something to the node over another connection, which a parked freeze can only have come before. */
function isSettledSince(run: OperationRun, node: NodeId): boolean {
  const { frozen, settled, promoted } = factsOf(run, node);
  return frozen !== null || settled !== null || promoted !== null;
}

function publishEnded(turn: Turn, fact: Extract<Fact, { kind: "publish-ended" }>): void {
  const { target, publication, result, detail } = fact;
  if (target === "table" && turn.state.operation !== null) patchRun(turn, { tablePublished: true });
  if (result === "skipped") return;
  const facts = { target, revision: publication.revision, primary: publication.primary.node, result, reason: detail };
  emit(turn, result === "failed" ? "publication.failed" : "publication.committed", {
    node: publication.primary.node,
    epoch: publication.epoch,
    detail: facts,
  });
}
