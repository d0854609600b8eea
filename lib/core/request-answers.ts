// Who asked for something is told what became of it, once. The holder says so as soon as it is decided and can be looked
// up: who waits for an order waits for the new primary, not for the last replica to be re-pointed.

import type { Ballot } from "./ballot.ts";
import type { Fact } from "./commands.ts";
import type { OperationRun } from "./operation.ts";
import type { RequestRecord, RequestResult } from "./records.ts";
import type { Turn } from "./turn.ts";
import { emit, patch } from "./turn.ts";
import type { Epoch } from "./types.ts";
import { after } from "./types.ts";

/** An answer that the table did not take is given again after this. */
const ANSWER_AGAIN_MS = 500;

/** The operation of the request that stands has come to what `ballot` says: whoever asked for it is told. */
export function answerBegun(turn: Turn, run: OperationRun, ballot: Ballot): void {
  const { request } = turn.state;
  if (request === null || ballot.lastRequest !== request.id) return;
  if (request.result !== null || turn.state.resolved === request.id) return;
  const { primary } = ballot;
  const detail = run.failure ?? `${primary?.node ?? "nobody"} is primary since epoch ${primary?.epoch ?? 0}`;
  const isDone = run.failure === null && !isAsBefore(ballot) && isFulfilled(ballot, request);
  answer(turn, ballot, request, isDone ? "done" : "failed", detail);
}

/** The operation left the primary where it was: whoever rolled it back need not be who began it, and knows it by the record. */
export function isAsBefore(ballot: Ballot): boolean {
  const { operation } = ballot;
  if (operation?.kind !== "switchover" && operation?.kind !== "failover") return false;
  return isAsBeforeEpoch(ballot, operation.began);
}

function isAsBeforeEpoch({ primary, lineage }: Ballot, began: Epoch): boolean {
  const before = lineage.histories.findLast(({ epoch }) => epoch < began);
  return primary !== null && before?.node === primary.node;
}

/** The operation of `request` is over, and whoever held it did not live to say so: the record tells what it came to. */
export function answerEnded(turn: Turn, ballot: Ballot, request: RequestRecord): "begun" {
  const { primary, lastRequestBegan } = ballot;
  const detail = `${primary?.node ?? "nobody"} is primary since epoch ${primary?.epoch ?? 0}`;
  // Who may stay primary on purpose: only whoever a person named as the one whose data counts.
  const mayStay = request.kind === "recover" || lastRequestBegan === null;
  const isDone = isFulfilled(ballot, request) && (mayStay || !isAsBeforeEpoch(ballot, lastRequestBegan));
  return answer(turn, ballot, request, isDone ? "done" : "failed", detail);
}

/** By the record, as far as it can tell: whether the primary is where it was asked to be. */
export function isFulfilled(ballot: Ballot, request: RequestRecord): boolean {
  const node = ballot.primary?.node ?? null;
  if (request.target === null) return true;
  return request.kind === "drain" ? node !== request.target : node === request.target;
}

/** Answers once; the table refuses a second answer, and only the first is told. */
export function answer(
  turn: Turn,
  ballot: Ballot,
  request: RequestRecord,
  kind: RequestResult["kind"],
  detail: string,
): "begun" {
  const result: RequestResult = { kind, detail, epoch: ballot.epoch, at: turn.wall };
  turn.commands.push({ kind: "resolve-request", id: request.id, result });
  patch(turn, { resolved: request.id });
  return "begun";
}

/** Folds in what became of this voter's answer. */
export function answered(turn: Turn, fact: Extract<Fact, { kind: "request-resolved" }>): void {
  const { request } = turn.state;
  // Not at once: a table that refuses connections would be asked in a busy loop.
  if (fact.applied === null && turn.state.resolved === fact.id)
    patch(turn, { resolved: null, answerAgainAt: after(turn.at, ANSWER_AGAIN_MS) });
  if (fact.applied !== true || request?.id !== fact.id) return;
  const { kind, detail } = fact.result;
  const facts = { request: request.kind, by: request.by, result: kind, reason: detail };
  emit(turn, kind === "done" ? "request.done" : "request.refused", { detail: facts });
}
