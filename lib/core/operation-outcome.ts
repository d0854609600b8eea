// What did a command of this operation bring back? Replies become facts; what went wrong makes the node be looked at again
// before anything else is tried on it, because a command without an answer may have been carried out.

import { FRESH_ATTEMPT_MS } from "./config.ts";
import { isPromotedBy } from "./lineage.ts";
import { ballotOf, factsOf, IDLE, patchFacts, runOf } from "./operation.ts";
import type { Turn } from "./turn.ts";
import { emit, patchNode, wakeBy } from "./turn.ts";
import type { Instant, NodeCommand, NodeId, NodeOutcome, NodeReading } from "./types.ts";
import { after } from "./types.ts";

/** Folds the end of one of this run's commands into the facts. */
export function foldOutcome(turn: Turn, node: NodeId, nodeCommand: NodeCommand, outcome: NodeOutcome): void {
  const run = turn.state.operation;
  if (run === null || ("epoch" in nodeCommand && nodeCommand.epoch !== run.epoch)) return;
  const isParked = nodeCommand.kind === "freeze" && nodeCommand.parked;
  if (!isParked) patchFacts(turn, node, { busy: null });
  switch (outcome.kind) {
    case "applied":
      patchFacts(turn, node, { failures: 0, failure: null, retryAt: null });
      patchNode(turn, node, { reading: outcome.after, readAt: turn.at, connection: outcome.connection });
      foldApplied(turn, node, nodeCommand, outcome);
      return;
    case "done":
      if (nodeCommand.kind === "pause")
        patchFacts(turn, node, { pausedAt: turn.at, pausedUntil: after(turn.at, nodeCommand.durationMs) });
      if (nodeCommand.kind === "abort-failover") failoverAborted(turn, node);
      return;
    case "refused":
      failed(turn, node, outcome.detail);
      if (nodeCommand.kind === "promote") promotionRefused(turn, node, outcome.detail);
      return;
    case "unknown":
      if (isParked) return;
      // The connection may still carry it: a new one, and a look behind its AUTH, come before anything else (R9).
      patchNode(turn, node, { connection: null });
      failed(turn, node, outcome.detail);
      if (nodeCommand.kind === "promote") promotionFailed(turn, node, `no answer: ${outcome.detail}`, turn.at);
  }
}

function failoverAborted(turn: Turn, node: NodeId): void {
  const reading = turn.state.nodes[node]?.reading ?? null;
  if (reading !== null) patchNode(turn, node, { reading: { ...reading, failoverState: IDLE } });
}

/** Not carried out, by its own reply; of one before it that had no answer that says nothing. */
function promotionRefused(turn: Turn, node: NodeId, reason: string): void {
  patchFacts(turn, node, { promotionsOpen: factsOf(runOf(turn), node).promotionsOpen - 1 });
  promotionFailed(turn, node, reason, null);
}

/** What the freeze had shown no longer holds, or may not: the node is read again before anything else is decided on it. */
function promotionFailed(turn: Turn, node: NodeId, reason: string, unknownSince: Instant | null): void {
  // A refusal of the next try says nothing of one before it that had no answer: only a freeze or a promotion does.
  const facts = factsOf(runOf(turn), node);
  const promotionsFailed = facts.promotionsFailed + 1;
  const since = facts.unknownSince ?? unknownSince;
  const forgotten = { frozen: null, settled: null, unknownSince: since };
  patchFacts(turn, node, { ...forgotten, promotionsFailed, promotionFailedAt: turn.at });
  patchNode(turn, node, { readAt: null });
  emit(turn, "promotion.failed", { node, detail: { reason } });
}

function failed(turn: Turn, node: NodeId, detail: string): void {
  const facts = factsOf(runOf(turn), node);
  const retryAt = after(turn.at, facts.failures === 0 ? 0 : FRESH_ATTEMPT_MS);
  patchFacts(turn, node, { failures: facts.failures + 1, failure: detail, retryAt });
  // What is there now is looked at before it is tried again.
  patchNode(turn, node, { probeDueAt: turn.at });
  wakeBy(turn, retryAt);
}

/** Still the process and the history that each intent of this epoch means, and no older command can reach it any more. */
const isNotPromoted = (turn: Turn, node: NodeId, reading: NodeReading): boolean =>
  ballotOf(turn).lineage.intents.every(
    (each) =>
      each.node !== node ||
      each.epoch !== runOf(turn).epoch ||
      (each.runId === reading.runId && each.replicationId === reading.replicationId),
  );

/** The freeze found that this epoch's NO ONE, which had no answer, had been carried out. */
const wasPromoted = (turn: Turn, node: NodeId, reading: NodeReading): boolean =>
  ballotOf(turn).lineage.intents.some(
    (each) => each.node === node && each.epoch === runOf(turn).epoch && isPromotedBy(reading, each),
  );

function foldApplied(
  turn: Turn,
  node: NodeId,
  nodeCommand: NodeCommand,
  outcome: Extract<NodeOutcome, { kind: "applied" }>,
): void {
  const { before, after: reading, connection } = outcome;
  const { unknownSince, promotionsOpen } = factsOf(runOf(turn), node);
  switch (nodeCommand.kind) {
    case "freeze":
      patchFacts(turn, node, {
        frozen: { node, before, after: reading, connection },
        settled: null,
        promoted: null,
        unknownSince: wasPromoted(turn, node, reading) ? unknownSince : null,
        promotionsOpen: isNotPromoted(turn, node, reading) ? 0 : promotionsOpen,
        repointed: false,
      });
      emit(turn, before.role === "primary" ? "node.fenced" : "node.frozen", {
        node,
        detail: {
          offset: reading.offset,
          replicationId: reading.replicationId,
          wasRole: before.role,
          rung: nodeCommand.parked ? "parked" : "frozen",
          rewriteError: outcome.rewriteError,
        },
      });
      return;
    case "settle":
      patchFacts(turn, node, {
        settled: reading,
        promotionsOpen: isNotPromoted(turn, node, reading) ? 0 : promotionsOpen,
      });
      return;
    case "promote":
      patchFacts(turn, node, { promoted: reading, settled: reading, unknownSince: null, frozen: null });
      emit(turn, "promotion.applied", {
        node,
        detail: { replicationId: reading.replicationId, offset: reading.offset },
      });
      return;
    case "repoint":
      patchFacts(turn, node, { repointed: true });
      emit(turn, before.role === "primary" ? "node.demoted" : "replica.repointed", {
        node,
        detail: { to: `${nodeCommand.to.host}:${nodeCommand.to.port}`, rewriteError: outcome.rewriteError },
      });
      return;
    case "pause":
    case "abort-failover":
      return;
  }
}
