// Is the primary gone, as far as this voter can tell? The verdict falls due at its own deadline, last acceptable reply
// plus bound, not at the next tick. Levels: *suspect* arms the write hold beside the primary, *down* elects (R10).
// What withholds a verdict is a rejection with words for a person (S12): the witness, being cut off, busy, policy.

import type { Primary } from "./ballot.ts";
import type { GroupConfig } from "./config.ts";
import type { Rejection } from "./rejection.ts";
import { type GroupState, type NodeState, primaryNodeOf } from "./state.ts";
import type { Turn } from "./turn.ts";
import { isDue, isDueIn, nodesOf } from "./turn.ts";
import type { Instant } from "./types.ts";
import { after, elapsedMs } from "./types.ts";

export interface Verdict {
  readonly level: "up" | "suspect" | "down";
  readonly cause:
    | "serving"
    | "silent"
    | "refused"
    | "reborn"
    | "loading"
    | "busy"
    | "wrong-role"
    | "write-dead"
    | "misconfigured"
    | "unknown";
  readonly silentMs: number;
  /** Why the level is not higher although something is wrong. */
  readonly withheld: Rejection | null;
}

/** Refusals within the fast path: fewer could be one restart's moment. */
const LEAST_REFUSALS = 3;
/** An advance of a replica's offset vouches for the primary for this long: one heartbeat of `repl-ping-replica-period 1`. */
const WITNESS_HOLDS_MS = 1_100;

/** This voter's verdict on the committed primary at this instant; asks to be called when it may change. */
export function judge(turn: Turn, primary: Primary, unreachableByAll: boolean): Verdict {
  const node = turn.state.nodes[primary.node];
  if (node === undefined) return { level: "up", cause: "unknown", silentMs: 0, withheld: undeclared(primary) };
  const { config } = turn.context;
  switch (node.class) {
    case "reborn":
      return { level: "down", cause: "reborn", silentMs: 0, withheld: null };
    case "wrong-role":
      return lasting(turn, node, "wrong-role", config.downAfterMs);
    case "write-dead":
      return writeDead(turn, node);
    case "busy":
      return lasting(turn, node, "busy", config.busyLimitMs);
    case "loading":
      return loading(turn, node);
    case "misconfigured":
      return { level: "up", cause: "misconfigured", silentMs: 0, withheld: misconfigured(node) };
    case "serving":
    case "silent":
    case "refused":
    case "unknown":
      return bySilence(turn, node, unreachableByAll);
  }
}

/** Down once the class has lasted for the bound. */
function lasting(
  turn: Turn,
  node: NodeState,
  cause: "wrong-role" | "busy" | "write-dead" | "loading",
  boundMs: number,
): Verdict {
  if (isDueIn(turn, node.classSince, boundMs)) return { level: "down", cause, silentMs: 0, withheld: null };
  return { level: "up", cause, silentMs: 0, withheld: waitsFor(cause, node, turn.at, boundMs) };
}

function writeDead(turn: Turn, node: NodeState): Verdict {
  const { config } = turn.context;
  if (config.writeDead === "failover") return lasting(turn, node, "write-dead", config.downAfterMs);
  const withheld: Rejection = {
    reason: "write-dead-by-policy",
    detail: `${node.id} refuses writes and writeDead is alarm`,
    ends: "the node writes to its disk again, or a person orders a failover",
    check: `disk and logs of ${node.id}`,
  };
  return { level: "up", cause: "write-dead", silentMs: 0, withheld };
}

function loading(turn: Turn, node: NodeState): Verdict {
  const { config, self } = turn.context;
  const members = turn.state.look?.ballot.members.nodes ?? {};
  const hasReplica = nodesOf(turn.state).some(
    (each) => each.class === "serving" && (members[each.id]?.inSyncEpoch ?? 0) > 0,
  );
  if (hasReplica) return lasting(turn, node, "loading", config.loadingLimitMs);
  const withheld: Rejection = {
    reason: "loading",
    detail: `${node.id} is loading its data and no in-sync replica answers ${self.voter}`,
    ends: "it has loaded, or an in-sync replica answers",
    check: null,
  };
  return { level: "up", cause: "loading", silentMs: 0, withheld };
}

function bySilence(turn: Turn, node: NodeState, unreachableByAll: boolean): Verdict {
  const { config } = turn.context;
  const since = node.answeredAt ?? turn.state.startedAt;
  const silentMs = elapsedMs(since, turn.at);
  const isRefused = node.heard === "refused";
  const cause = isRefused ? "refused" : "silent";
  const isLong = isDueIn(turn, since, config.downAfterMs);
  const isDown = isLong || (isRefused && refusedForGood(turn, node));
  const isSuspect = isDown || (config.writeHoldAfterMs > 0 && isDueIn(turn, since, config.writeHoldAfterMs));
  if (!isSuspect) {
    const withheld = node.lostAt === null ? null : waitsFor(cause, node, turn.at, config.downAfterMs, since);
    return { level: "up", cause: node.lostAt === null ? "serving" : cause, silentMs, withheld };
  }
  if (isCutOff(turn, node)) return { level: "up", cause, silentMs, withheld: cutOff(turn) };
  if (unreachableByAll && silentMs >= config.unreachableAfterMs)
    return { level: "down", cause, silentMs, withheld: null };
  const veto = witnessOf(turn, node);
  if (veto !== null) {
    // All zones together may be wrong about the witness: after the longer bound the voter says so, and only unanimity acts.
    const level = isDueIn(turn, since, config.unreachableAfterMs) ? "suspect" : "up";
    return { level, cause, silentMs, withheld: vetoed(veto, node, config) };
  }
  if (isDown) return { level: "down", cause, silentMs, withheld: null };
  return { level: "suspect", cause, silentMs, withheld: waitsFor(cause, node, turn.at, config.downAfterMs, since) };
}

/** The fast path: refused for a while, several times, and a replica that this voter reaches has lost its link as well. */
function refusedForGood(turn: Turn, node: NodeState): boolean {
  const { refusedAfterMs } = turn.context.config;
  const { firstRefusedAt } = node;
  if (refusedAfterMs === 0 || firstRefusedAt === null) return false;
  if (!isDueIn(turn, firstRefusedAt, refusedAfterMs) || node.refusals < LEAST_REFUSALS) return false;
  return nodesOf(turn.state).some(
    (each) =>
      each.heard === "answered" &&
      each.readSentAt !== null &&
      each.readSentAt >= firstRefusedAt &&
      each.reading?.role === "replica" &&
      !each.reading.linkUp,
  );
}

/** This voter reaches no other node of the group: it may be the one that is cut off. */
export function isCutOff(turn: Turn, primary: NodeState): boolean {
  const { config } = turn.context;
  const recent = 2 * config.probeIntervalMs + config.probeTimeoutMs;
  return !nodesOf(turn.state).some(
    (each) =>
      each.id !== primary.id &&
      each.answeredAt !== null &&
      each.lostAt === null &&
      elapsedMs(each.answeredAt, turn.at) <= recent,
  );
}

/** A node that still receives from the primary, if any; asks to be called when its word runs out. */
function witnessOf(turn: Turn, primary: NodeState): NodeState | null {
  const lostAt = primary.lostAt ?? primary.probing;
  const vouches = ({ id, advancedAt }: NodeState): boolean =>
    id !== primary.id &&
    advancedAt !== null &&
    lostAt !== null &&
    advancedAt > lostAt &&
    !isDue(turn, after(advancedAt, WITNESS_HOLDS_MS));
  return nodesOf(turn.state).find(vouches) ?? null;
}

function waitsFor(
  what: string,
  node: NodeState,
  at: Instant,
  boundMs: number,
  since: Instant = node.classSince,
): Rejection {
  const left = Math.max(0, boundMs - elapsedMs(since, at));
  return {
    reason: what === "busy" ? "busy" : what === "loading" ? "loading" : "waiting-for-down-after",
    detail: `${node.id} ${what} for ${Math.round(elapsedMs(since, at))} ms of ${boundMs} ms`,
    ends: `it answers, or ${Math.round(left)} ms more`,
    check: null,
  };
}

/** Where it answers, and what of it cannot be used. */
export const misconfigured = (node: NodeState): Rejection => ({
  reason: "misconfigured",
  detail: `${node.id}: ${node.detail}`,
  ends: "the coordinator can read INFO there again",
  check: `user, password, ACL and TLS of the coordinator on ${node.id}`,
});

/** It was taken out of the declaration: its address is known no more, and nobody can say whether it lives. */
const undeclared = ({ node }: Primary): Rejection => ({
  reason: "misconfigured",
  detail: `${node} is the primary on record and no longer declared: nobody watches it`,
  ends: "it is declared again, or a declared node is made primary",
  check: `valkeeper groups set with ${node} among the nodes, or valkeeper groups recover`,
});

const cutOff = (turn: Turn): Rejection => ({
  reason: "cut-off",
  detail: `${turn.context.self.voter} reaches no other node of the group and may be the one that is cut off`,
  ends: "another node answers this voter",
  check: `routes and security groups of ${turn.context.self.voter}`,
});

const vetoed = (witness: NodeState, primary: NodeState, config: GroupConfig): Rejection => ({
  reason: "witness-veto",
  detail: `${witness.id} still receives from ${primary.id}`,
  ends: `${witness.id} stops receiving, or all zones lose the primary for ${config.unreachableAfterMs / 1_000} s`,
  check: `the routes to ${primary.address.host}`,
});

/** For `why` and the state: whether this voter hears the committed primary as a serving primary. */
export const primaryServes = (state: GroupState): boolean => {
  const ballot = state.look?.ballot;
  return ballot !== undefined && primaryNodeOf(state, ballot)?.class === "serving";
};
