// What did an operator ask for, and can it be done? A request is carried out by whichever voter gets the grant; it is
// begun at most once (the ballot names the last one), answered with the reason when it cannot be done, and never outlives
// its expiry.

import type { Ballot, Operation } from "./ballot.ts";
import { highestToken, standingEpoch } from "./beginning.ts";
import { mayAct, modeAt } from "./control.ts";
import { bestTarget, whyNotHandOver, whyNotTarget } from "./preflight.ts";
import type { RequestRecord } from "./records.ts";
import type { Rejection } from "./rejection.ts";
import { describeUnexplained, unexplained } from "./repair.ts";
import { answer, answerEnded } from "./request-answers.ts";
import type { Turn } from "./turn.ts";
import { isDue, isDueIn, mayWrite, newAttempt, write } from "./turn.ts";
import type { Epoch } from "./types.ts";
import { primaryServes } from "./verdict.ts";
import { grant } from "./writes.ts";

/** A preflight that fails is tried again for this long: a node may just be between two answers. */
const PATIENCE_MS = 3_000;

/**
 * What a restored copy does not say, nor one from before the group's first primary: epochs were given since, and not every
 * voter reaches what was published of them. More than a group is given in weeks, and a small part of 24 bits.
 */
const RESTORED_GAP = 65_536;

type Plan = Pick<Operation, "kind" | "target" | "insists">;
type Considered = "none" | "begun" | Rejection;

/** Begins the request that stands, or answers it. */
export function considerRequest(turn: Turn, ballot: Ballot): Considered {
  const { request } = turn.state;
  if (request === null || request.result !== null || turn.state.resolved === request.id) return "none";
  // It may have been begun, and another after it: by the record alone it would be begun again.
  if (turn.state.isRequestOld) return "none";
  const { answerAgainAt } = turn.state;
  if (answerAgainAt !== null && !isDue(turn, answerAgainAt)) return "none";
  const since = turn.state.requestSince ?? turn.at;
  if (ballot.lastRequest === request.id) {
    // Whoever held its operation answers it at once; the others only when that one did not live to.
    return isQuietFor(turn, PATIENCE_MS) ? answerEnded(turn, ballot, request) : "none";
  }
  if (turn.wall >= request.expiresAt)
    return answer(turn, ballot, request, "refused", "it expired before it could be carried out");
  const mode = modeAt(ballot, turn.wall);
  if (!mayAct(turn, ballot)) return answer(turn, ballot, request, "refused", `the group is ${mode}: resume it first`);
  const plan = planOf(turn, ballot, request);
  if (typeof plan === "string") return answer(turn, ballot, request, "done", plan);
  if ("refuse" in plan) {
    if (plan.isFinal || isDueIn(turn, since, PATIENCE_MS)) return answer(turn, ballot, request, "refused", plan.refuse);
    return {
      reason: "operation-going-on",
      detail: `${request.kind} asked by ${request.by}: ${plan.refuse}`,
      ends: "it can be done, or is refused",
      check: null,
    };
  }
  // The glance that brought the request also saw a newer ballot: another voter has most likely begun it.
  if (turn.state.staleLook) return "none";
  begin(turn, ballot, request, plan);
  return "begun";
}

/** A person's decision ends what nobody can go on with: an operation that is held, or whose lease has lapsed. */
export function considerRecovery(turn: Turn, ballot: Ballot): boolean {
  return turn.state.request?.kind === "recover" && considerRequest(turn, ballot) === "begun";
}

type Refusal = { readonly refuse: string; readonly isFinal: boolean };

function planOf(turn: Turn, ballot: Ballot, request: RequestRecord): Plan | Refusal | string {
  const spared = unexplained(turn, ballot);
  // R22: the operation would freeze it and point it elsewhere. Only who names the data that counts may do that.
  if (spared.length > 0 && request.kind !== "recover") {
    return { refuse: `${describeUnexplained(spared)}: groups recover first`, isFinal: false };
  }
  switch (request.kind) {
    case "switchover":
      return planSwitchover(turn, request.target === null ? bestTarget(turn).node : request.target);
    case "drain":
      if (ballot.primary?.node !== request.target) return `${request.target} holds no primary of this group`;
      return planSwitchover(turn, bestTarget(turn).node);
    case "failover":
      return planFailover(turn, request);
    case "recover":
      return planRecover(turn, request);
    case "set-members":
      return { refuse: "members follow the group's nodes: use groups set", isFinal: true };
  }
}

function planSwitchover(turn: Turn, target: Plan["target"]): Plan | Refusal {
  const node = target === null ? undefined : turn.state.nodes[target];
  if (target !== null && node === undefined) {
    return {
      refuse: `${target} is no node of this group (${Object.keys(turn.state.nodes).join(", ")})`,
      isFinal: true,
    };
  }
  const why = whyNotHandOver(turn);
  if (why !== null) return { refuse: why, isFinal: false };
  if (node === undefined) {
    const reasons = Object.values(bestTarget(turn).why).join("; ");
    return { refuse: `no node can take over: ${reasons}`, isFinal: false };
  }
  const whyNot = whyNotTarget(turn, node);
  if (whyNot !== null) return { refuse: whyNot, isFinal: whyNot.includes("is the primary") };
  return { kind: "switchover", target, insists: false };
}

function planFailover(turn: Turn, request: RequestRecord): Plan | Refusal {
  const serves = primaryServes(turn.state);
  if (serves && !request.acceptDataLoss) {
    return {
      refuse: "the primary is healthy: use switchover, which loses nothing, or repeat with --accept-data-loss",
      isFinal: true,
    };
  }
  const target = serves ? bestTarget(turn).node : null;
  return target === null
    ? { kind: "failover", target: null, insists: true }
    : { kind: "switchover", target, insists: true };
}

function planRecover(turn: Turn, request: RequestRecord): Plan | Refusal {
  const node = request.target === null ? undefined : turn.state.nodes[request.target];
  if (node === undefined) return { refuse: "name the node whose data counts with --node", isFinal: true };
  if (!request.acceptDataLoss)
    return { refuse: "what the other nodes hold beyond it is lost: repeat with --accept-data-loss", isFinal: true };
  if (node.heard !== "answered") return { refuse: `${node.id} does not answer: ${node.detail}`, isFinal: false };
  if (standingEpoch(turn) === null) {
    return { refuse: "the epoch of earlier publications could not be read", isFinal: false };
  }
  return { kind: "recover", target: node.id, insists: true };
}

function begin(turn: Turn, ballot: Ballot, request: RequestRecord, plan: Plan): void {
  const { self, config } = turn.context;
  const isRecovery = plan.kind === "recover";
  if (!mayWrite(turn) && !(isRecovery && turn.state.storeBusy === null)) return;
  const operation: Operation = {
    ...plan,
    step: "begun",
    began: 0 as Epoch,
    by: request.by,
    reason: request.reason,
    request: request.id,
  };
  const known = isRecovery ? highestToken(turn, standingEpoch(turn) ?? (0 as Epoch)) : (0 as Epoch);
  const saysAll = ballot.table === self.table && ballot.primary !== null;
  const above = (saysAll ? known : Math.max(known, ballot.epoch + RESTORED_GAP)) as Epoch;
  write(
    turn,
    grant({
      ballot,
      writer: self,
      attempt: newAttempt(turn),
      leaseMs: config.leaseMs,
      operation,
      counted: [],
      budget: null,
      above,
      table: self.table,
    }),
  );
}

function isQuietFor(turn: Turn, ms: number): boolean {
  const { quietSince } = turn.state;
  return quietSince !== null && isDueIn(turn, quietSince, ms);
}
