// One voter, one group, one fact at a time: `step(state, input, context)` folds the fact in, decides what is due, and
// returns the new state, the commands in the order in which they must take effect, the events, and when it wants to be
// called again. No clock, no dice, no I/O: the same step is shipped, simulated and explored.
//
// The order inside a step is the protocol's: what arrived, then this voter's own time (suspended), then an operation
// that it holds, then what may be begun, then its vote, then the record's upkeep, and last looks and probes.

import { absorb } from "./absorb.ts";
import { assist } from "./assist.ts";
import type { Ballot, Primary } from "./ballot.ts";
import { begin, createBallot, initialise } from "./beginning.ts";
import type { Command, Input } from "./commands.ts";
import { conclude } from "./conclude.ts";
import { stallLimitMs } from "./config.ts";
import { contend } from "./contend.ts";
import { mayAct } from "./control.ts";
import { decide } from "./decision.ts";
import type { CoreEvent } from "./events.ts";
import { holdWrites } from "./hold.ts";
import { renew } from "./holder-writes.ts";
import { whyAwaited } from "./host-stop.ts";
import { invariant } from "./invariant.ts";
import { forgetSilences } from "./observation.ts";
import { held, patchRun, runOf } from "./operation.ts";
import { planLook, planProbes } from "./plan.ts";
import { type Count, countVotes, NO_VOTES, noNews } from "./quorum.ts";
import { noteReaders } from "./readers.ts";
import type { Rejection } from "./rejection.ts";
import { repair } from "./repair.ts";
import { considerRecovery, considerRequest } from "./requests.ts";
import type { Context, GroupState } from "./state.ts";
import { switchOver } from "./switchover.ts";
import type { Turn } from "./turn.ts";
import { emit, isDue, isDueIn, mayWrite, newAttempt, newTurn, patch, write } from "./turn.ts";
import type { Instant, NodeId } from "./types.ts";
import { after, elapsedMs } from "./types.ts";
import { followDeclaredMode, maintain, noteHealth, syncNodes } from "./upkeep.ts";
import { judge, type Verdict } from "./verdict.ts";
import { castOwnVote } from "./voting.ts";

export interface Step {
  readonly state: GroupState;
  readonly commands: readonly Command[];
  readonly events: readonly CoreEvent[];
  /** Call with `time-passed` no later than this. */
  readonly wakeAt: Instant;
}

/** A holder that can neither go on nor end lets its lease lapse after this. */
const HELD_LIMIT_MS = 30_000;

/** Folds one input in and decides. Pure: same arguments, same result. */
export function step(state: GroupState, input: Input, context: Context): Step {
  const turn = newTurn(state, input, context);
  noteStall(turn);
  absorb(turn, input);
  syncNodes(turn);
  const rejection = proceed(turn);
  noteRejection(turn, rejection);
  planLook(turn);
  planProbes(turn);
  turn.state = { ...turn.state, lastAt: turn.at, dueAt: turn.wakeAt };
  return { state: turn.state, commands: turn.commands, events: turn.events, wakeAt: turn.wakeAt };
}

/** This voter was called much later than it asked for: what it concluded from silence is worth nothing. */
function noteStall(turn: Turn): void {
  const { dueAt, lastAt } = turn.state;
  if (turn.at < lastAt) invariant(false, "S3", `a monotonic clock went back from ${lastAt} to ${turn.at}`);
  if (dueAt === null || elapsedMs(dueAt, turn.at) <= stallLimitMs(turn.context.config)) return;
  emit(turn, "deciding.suspended", { detail: { lateMs: Math.round(elapsedMs(dueAt, turn.at)) } });
  forgetSilences(turn);
  patch(turn, {
    suspendedUntil: after(turn.at, turn.context.config.probeIntervalMs),
    sightings: noNews(turn.state.sightings),
    healthySince: null,
    doubts: {},
  });
}

function proceed(turn: Turn): Rejection | null {
  const { state } = turn;
  if (state.unreadable !== null)
    return blocked(
      "record-unreadable",
      state.unreadable,
      "the record is readable again",
      "update Valkeeper; a damaged one: docs/operations.md, record-unreadable",
    );
  if (state.look === null) return withoutBallot(turn);
  const ballot = state.look.ballot;
  noteHealth(turn, ballot);
  noteReaders(turn, ballot);
  if (ballot.table !== turn.context.self.table) return foreign(turn, ballot);
  if (state.operation !== null && carryOn(turn, ballot)) return heldBack(turn, ballot);
  if (isSuspended(turn))
    return blocked(
      "suspended",
      "this voter was stalled and what it saw then is not trusted",
      "its next round of probes",
      null,
    );
  return ballot.primary === null ? withoutPrimary(turn, ballot) : watch(turn, ballot, ballot.primary);
}

const UNJUDGED: Verdict = { level: "up", cause: "unknown", silentMs: 0, withheld: null };

/** What was begun is taken over; else the group is adopted or initialised, and where it cannot be, a person may say what counts. */
function withoutPrimary(turn: Turn, ballot: Ballot): Rejection | null {
  if (ballot.lease !== null) return decide(turn, ballot, UNJUDGED, NO_VOTES);
  followDeclaredMode(turn, ballot);
  const withheld = begin(turn, ballot);
  return withheld === null ? null : decide(turn, ballot, { ...UNJUDGED, withheld }, NO_VOTES);
}

/** The primary is known: judge it, begin what is due, vote, keep the record. */
function watch(turn: Turn, ballot: Ballot, primary: Primary): Rejection | null {
  const { config, self } = turn.context;
  const options = {
    ballot,
    primary,
    sightings: turn.state.sightings,
    at: turn.at,
    voteWindowMs: config.voteWindowMs,
    unreachableAfterMs: config.unreachableAfterMs,
  };
  const count = countVotes(options);
  const others = self.voters.filter((voter) => voter !== self.voter);
  const verdict = judge(
    turn,
    primary,
    others.every((voter) => count.unreachable.includes(voter)),
  );
  tellVerdict(turn, primary.node, verdict, count);
  const rejection = decide(turn, ballot, verdict, count);
  castOwnVote(turn, ballot, verdict);
  // Paused in its middle, an operation is finished first, and silencing the old primary belongs to it (S5, S8).
  if (mayAct(turn, ballot) || ballot.operation !== null) assist(turn);
  holdWrites(turn, ballot, count);
  followDeclaredMode(turn, ballot);
  maintain(turn, ballot);
  return rejection ?? storeTrouble(turn);
}

/** Goes on with the operation that this voter holds; false when it does not hold it any more. */
function carryOn(turn: Turn, ballot: Ballot): boolean {
  const run = runOf(turn);
  const isMine =
    ballot.epoch === run.epoch &&
    ballot.lease?.holder === turn.context.self.voter &&
    ballot.lease.generation === turn.context.self.generation;
  if (!isMine || isDue(turn, run.leaseUntil)) {
    emit(turn, "lease.lost", { epoch: run.epoch });
    patch(turn, { operation: null });
    return false;
  }
  patchRun(turn, { held: null });
  advance(turn, ballot);
  if (runOf(turn).held !== null && (considerRecovery(turn, ballot) || isHeldForLong(turn))) return true;
  const isRenewalDue = isDue(turn, run.renewDueAt);
  if (isRenewalDue && mayWrite(turn)) write(turn, renew(held(turn, newAttempt(turn))));
  return true;
}

/** Another voter may reach what this one does not: the lease is not kept from it for ever (S11). */
function isHeldForLong(turn: Turn): boolean {
  const { startedAt } = runOf(turn);
  return isDueIn(turn, startedAt, turn.context.config.stepTimeoutMs + HELD_LIMIT_MS);
}

function heldBack(turn: Turn, ballot: Ballot): Rejection | null {
  const { operation } = ballot;
  const run = runOf(turn);
  if (run.held !== null)
    return blocked(
      "unknown-history",
      run.held,
      "it can be read as it was, or a person decides",
      "valkeeper groups recover",
    );
  const awaited = whyAwaited(turn, ballot);
  if (awaited !== null) return awaited;
  const isLong = elapsedMs(run.startedAt, turn.at) > turn.context.config.stepTimeoutMs;
  if (!isLong || operation === null || operation.step === "committed") return null;
  const failures = Object.entries(run.facts).flatMap(([node, { failure }]) =>
    failure === null ? [] : [`${node}: ${failure}`],
  );
  const detail = `${operation.kind} for ${Math.round(elapsedMs(run.startedAt, turn.at) / 1_000)} s: ${failures.join("; ")}`;
  return blocked("operation-going-on", detail, "it ends", failures.length === 0 ? null : "what the nodes refuse");
}

function advance(turn: Turn, ballot: Ballot): void {
  if (ballot.operation === null) return;
  if (ballot.operation.step === "committed") return conclude(turn);
  switch (ballot.operation.kind) {
    case "failover":
    case "cold-start":
    case "recover":
      return contend(turn);
    case "switchover":
      return switchOver(turn);
    case "initialise":
      return initialise(turn);
    case "repair":
      return repair(turn);
  }
}

function withoutBallot(turn: Turn): Rejection | null {
  if (turn.state.missing) createBallot(turn);
  return (
    storeTrouble(turn) ?? blocked("not-adopted", "the group has no record yet", "its first record is written", null)
  );
}

function foreign(turn: Turn, ballot: Ballot): Rejection | null {
  if (turn.state.request?.kind === "recover") {
    // Whatever lease the copy brought along, nobody holds it here: a copy of the middle of an operation never would end.
    const outcome = considerRequest(turn, ballot);
    if (outcome !== "none" && outcome !== "begun") return outcome;
  }
  return blocked(
    "foreign-table",
    `the record was written for table ${ballot.table}`,
    "a person decides that this table is the one",
    "valkeeper groups recover",
  );
}

function isSuspended(turn: Turn): boolean {
  const until = turn.state.suspendedUntil;
  if (until === null) return false;
  if (!isDue(turn, until)) return true;
  patch(turn, { suspendedUntil: null });
  return false;
}

function storeTrouble(turn: Turn): Rejection | null {
  if (turn.state.storeFailedSince === null) return null;
  return blocked(
    "store-unreachable",
    turn.state.storeDetail,
    "the table answers again",
    "DynamoDB, its gateway endpoint and the voter's role",
  );
}

function tellVerdict(turn: Turn, node: NodeId, verdict: Verdict, count: Count): void {
  const known = turn.state.announced;
  const objectively = count.down.length >= turn.context.config.quorum;
  if (known.level === verdict.level && known.objectively === objectively) return;
  const options = { node, detail: { cause: verdict.cause, silentMs: Math.round(verdict.silentMs) } };
  if (known.level !== verdict.level) {
    if (verdict.level === "down") emit(turn, "primary.subjectively-down", options);
    else if (verdict.level === "suspect") emit(turn, "primary.suspected", options);
    else emit(turn, known.level === "down" ? "primary.subjectively-up" : "node.up", options);
  }
  if (objectively && !known.objectively)
    emit(turn, "primary.objectively-down", { node, detail: { votes: count.down.join(",") } });
  patch(turn, { announced: { level: verdict.level, objectively } });
}

function noteRejection(turn: Turn, rejection: Rejection | null): void {
  const known = turn.state.rejection;
  if (rejection === null) return known === null ? undefined : patch(turn, { rejection: null });
  const since = known?.rejection.reason === rejection.reason ? known.since : turn.at;
  patch(turn, { rejection: { rejection, since } });
}

const blocked = (reason: Rejection["reason"], detail: string, ends: string, check: string | null): Rejection => ({
  reason,
  detail,
  ends,
  check,
});
