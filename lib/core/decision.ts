// May this voter begin something, and what? A lapsed operation is taken over; an operator's request comes before what
// the votes say; a quorum of fresh *down* votes begins a failover (or a cold start); whatever is only astray is
// repaired. Each inaction while something is wrong leaves a rejection that says what is missing (S12).

import type { Attempt, Ballot, Operation } from "./ballot.ts";
import { enoughOf, isEnough, type Selection, surpasses } from "./candidate.ts";
import { BACK_OFF_LIMIT_MS, BACK_OFF_MS, BUDGET_WINDOW_MS, budgetOf } from "./config.ts";
import { mayAct, modeAt } from "./control.ts";
import { lapsesAt, yields } from "./lease.ts";
import { allAnswer, describeMissing, missingNodes } from "./missing.ts";
import { answersNow, isFollowedReborn } from "./observation.ts";
import { bestTarget, foreseen, isFrozenPrimary, isSilencedPrimary } from "./preflight.ts";
import type { Count } from "./quorum.ts";
import { named, type Rejection, type RejectionReason } from "./rejection.ts";
import { astray, describeUnexplained, unexplained } from "./repair.ts";
import { considerRecovery, considerRequest } from "./requests.ts";
import type { Turn } from "./turn.ts";
import { isDue, isDueIn, mayWrite, newAttempt, nodesOf, write } from "./turn.ts";
import type { Epoch, Instant, VoterId } from "./types.ts";
import { after } from "./types.ts";
import type { Verdict } from "./verdict.ts";
import { primaryServes } from "./verdict.ts";
import { grant, takeOver } from "./writes.ts";

/** A node that repairs do not bring in line is tried again after this, doubled each time: each takes an epoch. */
const REPAIR_REST_MS = 125;

/** Begins what is due, or says why nothing is begun although something is wrong. */
export function decide(turn: Turn, ballot: Ballot, verdict: Verdict, count: Count): Rejection | null {
  const isStanding = ballot.lease !== null || ballot.operation !== null;
  const isDown = verdict.level === "down";
  if (isStanding && !(isDown && yields(ballot))) return takeOverLapsed(turn, ballot);
  const request = considerRequest(turn, ballot);
  if (request === "begun") return null;
  // A request that cannot be begun yet holds up repairs, never a failover.
  if (request !== "none" && !isDown) return request;
  if (isDown) {
    const why = considerFailover(turn, ballot, verdict, count);
    // Telling is all that is left of the operation that stands. Where nothing follows it, it is ended, or it would stand for ever (S11).
    if (why !== null && isStanding) takeOverLapsed(turn, ballot);
    return why;
  }
  if (verdict.withheld !== null) return verdict.withheld;
  return considerRepair(turn, ballot);
}

function takeOverLapsed(turn: Turn, ballot: Ballot): Rejection | null {
  const lapse = whenTaken(turn, ballot);
  if (ballot.lease !== null && (lapse === null || !isDue(turn, lapse))) {
    return reject(
      "operation-going-on",
      `${ballot.operation?.kind ?? "an operation"} under the lease of ${ballot.lease.holder}`,
      "it ends, or its lease lapses",
    );
  }
  if (considerRecovery(turn, ballot)) return null;
  // Whoever reaches no node could only keep the lease from those who do.
  if (!nodesOf(turn.state).some((node) => answersNow(turn, node)))
    return reject("cut-off", `${turn.context.self.voter} reaches no node of the group`, "a node answers this voter");
  if (!mayWrite(turn)) return null;
  const { self, config } = turn.context;
  write(turn, takeOver({ ballot, writer: self, attempt: newAttempt(turn), leaseMs: config.leaseMs }));
  return null;
}

/** When this voter may take the lease; one that it let lapse itself is the others' first. */
function whenTaken(turn: Turn, ballot: Ballot): Instant | null {
  const { lease } = ballot;
  const lapse = lapsesAt(ballot, turn.state.leaseSighting);
  const { voter, generation } = turn.context.self;
  const isOwn = lease?.holder === voter && lease.generation === generation;
  return lease !== null && lapse !== null && isOwn ? after(lapse, lease.durationMs) : lapse;
}

function considerFailover(turn: Turn, ballot: Ballot, verdict: Verdict, count: Count): Rejection | null {
  const { self, config } = turn.context;
  const blocked = whyNotAutomatic(turn, ballot);
  if (blocked !== null) return blocked;
  const missing = config.quorum - count.down.length;
  if (missing > 0 || !count.down.includes(self.voter)) {
    const waiting = self.voters.filter((voter) => !count.down.includes(voter));
    return reject(
      "quorum-pending",
      `${count.down.length} of ${config.quorum} votes`,
      `${waiting.join(" or ")} also finds the primary gone`,
    );
  }
  const spared = unexplained(turn, ballot);
  if (spared.length > 0) {
    return reject(
      "unexplained-primary",
      describeUnexplained(spared),
      "a person decides which data counts",
      "valkeeper groups recover",
    );
  }
  const operation = choose(turn, ballot, verdict);
  if ("ends" in operation) return operation;
  begin(turn, ballot, operation, { counted: count.down, isAutomatic: true });
  return null;
}

function whyNotAutomatic(turn: Turn, ballot: Ballot): Rejection | null {
  const mode = modeAt(ballot, turn.wall);
  if (mode === "observe") return reject("observing", "the group is only observed", "mode act is set");
  if (mode === "paused")
    return reject(
      "paused",
      `paused by ${ballot.control.by}: ${ballot.control.reason}`,
      "it is resumed, or the pause expires",
    );
  if (!ballot.armed)
    return reject(
      "not-armed",
      `not seen healthy for ${turn.context.config.armAfterMs} ms yet`,
      "the group is healthy for that long",
    );
  return whyNotBudget(turn, ballot);
}

function whyNotBudget(turn: Turn, ballot: Ballot): Rejection | null {
  const recent = recentAttempts(turn, ballot);
  const allowed = budgetOf(turn.context.config);
  // What silences it is a freeze of ours. Taking that back makes no new primary, and is held up by the back-off alone (L4).
  if (isBudgetSpent(turn, ballot) && !isSilencedPrimary(turn, ballot)) {
    return reject(
      "budget-spent",
      `${recent.length} automatic failovers in ten minutes, ${allowed} allowed`,
      "ten minutes have passed since the first of them, or a person orders a failover",
      "why the primaries keep failing",
    );
  }
  const failed = recent.length - 1 - recent.findLastIndex((attempt) => attempt.promoted);
  const last = recent.at(-1);
  if (failed === 0 || last === undefined) return null;
  const backOffMs = Math.min(BACK_OFF_LIMIT_MS, BACK_OFF_MS * 2 ** (failed - 1));
  // From the end of the attempt, which may have frozen nodes for long, by this voter's own clock; and by the wall clock
  // from its beginning, for a voter that has only just begun to look.
  const { failedAttempt } = turn.state;
  const isRested = failedAttempt === null || isDueIn(turn, failedAttempt.overSince, backOffMs);
  if (isRested && turn.wall >= last.at + backOffMs) return null;
  return reject("backing-off", `${failed} attempts in a row promoted nobody`, `${backOffMs} ms have passed since`);
}

const isBudgetSpent = (turn: Turn, ballot: Ballot): boolean =>
  recentAttempts(turn, ballot).length >= budgetOf(turn.context.config);

/** A wall clock that went back makes an attempt look later than now: it counts all the same. */
const recentAttempts = (turn: Turn, ballot: Ballot): readonly Attempt[] =>
  ballot.budget.filter((attempt) => turn.wall - attempt.at < BUDGET_WINDOW_MS);

type Plan = Pick<Operation, "kind" | "target" | "reason" | "insists">;

function choose(turn: Turn, ballot: Ballot, verdict: Verdict): Plan | Rejection {
  if (isBudgetSpent(turn, ballot)) {
    return { kind: "failover", target: ballot.primary?.node ?? null, reason: verdict.cause, insists: false };
  }
  const insists = verdict.cause === "write-dead";
  if (insists) {
    const { node } = bestTarget(turn);
    if (node !== null) return { kind: "switchover", target: node, reason: verdict.cause, insists };
  }
  const { config } = turn.context;
  const others = foreseen(turn, ballot, { coldStart: false, insists });
  const hasEnough = others.kind === "selected" && isEnough(others.counted.length, ballot, config);
  // A primary that answers stands in the way of who has less, and an attempt would find that out anew each time.
  const selection = hasEnough ? foreseen(turn, ballot, { coldStart: false, insists, withPrimary: true }) : others;
  if (hasEnough && selection.kind === "selected")
    return { kind: "failover", target: null, reason: verdict.cause, insists };
  if (isFollowedReborn(turn, ballot)) return { kind: "failover", target: null, reason: "reborn and followed", insists };
  // Left frozen, by a parked freeze that it woke to above all: nobody else has to count to give it back its place (L4).
  if (isFrozenPrimary(turn, ballot)) return { kind: "failover", target: null, reason: verdict.cause, insists };
  const counted = selection.kind === "none" ? 0 : selection.counted.length;
  const howMany = `${counted} of ${enoughOf(ballot, config)} nodes count as promotable`;
  const why = selection.kind === "none" ? whyNone(selection) : howMany;
  const cold = foreseen(turn, ballot, { coldStart: true, insists });
  if (!allAnswer(turn, ballot) && !surpassesMissing(turn, ballot, cold))
    return tooFew(turn, ballot, counted, selection.kind === "none" ? `${howMany}: ${why}` : why);
  if (config.coldStart === "wait")
    return reject(
      "cold-start-waiting",
      `${why}; coldStart is wait`,
      "a person decides whose data counts",
      "valkeeper groups recover",
    );
  if (cold.kind === "selected")
    return { kind: "cold-start", target: null, reason: `${verdict.cause}; ${why}`, insists };
  return reject("unknown-history", whyNone(cold), "a person decides whose data counts", "valkeeper groups recover");
}

/** Who does not answer was lost long enough ago to have nothing that the best of the others lacks. */
function surpassesMissing(turn: Turn, ballot: Ballot, cold: Selection): boolean {
  const reading = cold.kind === "selected" ? turn.state.nodes[cold.node]?.reading : null;
  if (reading == null) return false;
  return surpasses(reading, missingNodes(turn, ballot), ballot, turn.context.config);
}

function tooFew(turn: Turn, ballot: Ballot, counted: number, why: string): Rejection {
  const missing = describeMissing(turn, ballot);
  // Where loss is accepted one that counts would be enough.
  const reason = counted > 0 ? "possible-loss-refused" : "too-few-nodes";
  return reject(reason, `${why}; ${missing.detail}`, missing.ends, missing.check);
}

function considerRepair(turn: Turn, ballot: Ballot): Rejection | null {
  if (!primaryServes(turn.state)) return null;
  const spared = unexplained(turn, ballot);
  if (spared.length > 0) {
    return reject(
      "unexplained-primary",
      describeUnexplained(spared),
      "a person decides which data counts",
      "valkeeper groups recover, or REPLICAOF on it",
    );
  }
  const nodes = astray(turn, ballot);
  if (nodes.length === 0 || !mayAct(turn, ballot)) return null;
  const { repairs, quietSince } = turn.state;
  const restMs = repairs === 0 ? 0 : Math.min(BACK_OFF_LIMIT_MS, REPAIR_REST_MS * 2 ** repairs);
  if (quietSince !== null && !isDueIn(turn, quietSince, restMs)) {
    const who = nodes.map((node) => node.id);
    const detail = `${named(who, "was", "were")} not brought in line by the last repair`;
    const check = `what ${named(who, "says", "say")} to REPLICAOF`;
    return reject("backing-off", detail, `${restMs} ms have passed since`, check);
  }
  const reason = nodes
    .map(
      (node) => `${node.id} ${node.reading?.role === "primary" ? "claims to be primary" : "follows another address"}`,
    )
    .join(", ");
  begin(turn, ballot, { kind: "repair", target: null, reason, insists: false }, { counted: [], isAutomatic: false });
  return null;
}

/** Writes the grant. `isAutomatic` ones count against the budget. */
export function begin(
  turn: Turn,
  ballot: Ballot,
  plan: Plan,
  options: { readonly counted: readonly VoterId[]; readonly isAutomatic: boolean },
): void {
  if (!mayWrite(turn)) return;
  const { self, config } = turn.context;
  const budget: readonly Attempt[] | null = options.isAutomatic
    ? [...recentAttempts(turn, ballot), { epoch: 0 as Epoch, at: turn.wall, promoted: false }]
    : null;
  const operation: Operation = { ...plan, step: "begun", began: 0 as Epoch, by: "automatic", request: null };
  write(
    turn,
    grant({
      ballot,
      writer: self,
      attempt: newAttempt(turn),
      leaseMs: config.leaseMs,
      operation,
      counted: options.counted,
      budget,
      above: 0 as Epoch,
      table: self.table,
    }),
  );
}

function whyNone({ reason, notChosen }: Extract<Selection, { kind: "none" }>): string {
  const words = Object.entries(notChosen).map(([node, why]) => `${node}: ${why}`);
  return words.length === 0 ? reason : `${reason} (${words.join("; ")})`;
}

const reject = (reason: RejectionReason, detail: string, ends: string, check: string | null = null): Rejection => ({
  reason,
  detail,
  ends,
  check,
});
