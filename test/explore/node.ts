// One Valkey node as a record, and what the coordinator's commands, clients and bad luck do to it. The rules are those of
// test/sim/valkey.ts, which is held to a real server by test/contract, without time and without a byte stream.

import { BOOT_FENCE, tokenAddress } from "../../lib/core/token.ts";
import type { NodeCommand, NodeId, NodeOutcome, NodeReading, VoterId } from "../../lib/core/types.ts";
import { instant } from "../../lib/core/types.ts";
import { addressOf, history, reading, run } from "../core/builders.ts";
import type { NodeRecord } from "./world.ts";

export const newNodeRecord = (id: NodeId, n: number): NodeRecord => ({
  id,
  isUp: true,
  isHung: false,
  runId: run(n),
  role: n === 1 ? "primary" : "replica",
  follows: n === 1 ? null : addressOf("n1"),
  isLinked: n !== 1,
  replicationId: history(1),
  second: null,
  log: "w",
  touchedBy: 1,
  frozenBy: 0,
  connections: [],
});

const readings = new WeakMap<NodeRecord, NodeReading>();

export function readingOf(node: NodeRecord): NodeReading {
  let known = readings.get(node);
  if (known === undefined) {
    known = reading({
      runId: node.runId,
      role: node.role,
      replicationId: node.replicationId,
      secondReplicationId: node.second?.id ?? null,
      secondReplicationOffset: node.second?.offset ?? null,
      offset: node.log.length,
      follows: node.follows,
      linkUp: node.role === "replica" && node.isLinked,
      keyCount: node.log.length,
    });
    readings.set(node, known);
  }
  return known;
}

export const isConnected = (node: NodeRecord, id: number, voter: VoterId): boolean =>
  node.isUp && node.connections.some((each) => each.id === id && each.voter === voter);

export interface Effect {
  readonly node: NodeRecord;
  readonly outcome: NodeOutcome;
  readonly isApplied: boolean;
}

/** Over which connection a command came, and the replication id that a promotion makes. */
export interface Arrival {
  readonly voter: VoterId;
  readonly authenticatedAt: number;
  readonly fresh: number;
}

/** Carries a command out whose connection lives; it closes every other connection of a voter. */
export function execute(node: NodeRecord, command: NodeCommand, { voter, authenticatedAt, fresh }: Arrival): Effect {
  if (command.kind === "pause" || command.kind === "abort-failover")
    return { node, outcome: { kind: "done" }, isApplied: false };
  const before = readingOf(node);
  const mismatch = command.kind === "promote" ? whyNot(before, command) : null;
  if (mismatch !== null)
    return { node, outcome: { kind: "refused", detail: mismatch, reading: before }, isApplied: false };
  const touchedBy = Math.max(node.touchedBy, command.epoch);
  const connections = node.connections.filter((each) => each.id === command.connection && each.voter === voter);
  const changed = { ...changedBy(node, command, fresh), touchedBy, connections };
  const connection = { id: command.connection, authenticatedAt: instant(authenticatedAt) };
  const outcome: NodeOutcome = { kind: "applied", before, after: readingOf(changed), rewriteError: null, connection };
  return { node: changed, outcome, isApplied: true };
}

type Change = Exclude<NodeCommand, { kind: "pause" | "abort-failover" }>;

function changedBy(node: NodeRecord, command: Change, fresh: number): NodeRecord {
  switch (command.kind) {
    case "freeze":
      return {
        ...node,
        role: "replica",
        follows: tokenAddress(command.epoch),
        isLinked: false,
        frozenBy: command.epoch,
      };
    case "repoint":
      return { ...node, role: "replica", follows: command.to, isLinked: false, frozenBy: 0 };
    case "settle":
      return node;
    case "promote":
      return {
        ...node,
        second: { id: node.replicationId, offset: node.log.length + 1 },
        replicationId: history(fresh),
        role: "primary",
        follows: null,
        isLinked: false,
        frozenBy: 0,
      };
  }
}

function whyNot(before: NodeReading, { expect }: Extract<NodeCommand, { kind: "promote" }>): string | null {
  if (before.runId !== expect.runId) return "another process";
  if (before.role !== "replica") return "it is a primary already";
  if (before.replicationId !== expect.replicationId) return "another history";
  if (before.offset !== expect.offset) return "another offset";
  if (expect.tokenHost !== null && before.follows?.host !== expect.tokenHost) return "another token";
  return null;
}

export const killed = (node: NodeRecord): NodeRecord => ({
  ...node,
  isUp: false,
  isHung: false,
  isLinked: false,
  connections: [],
});

/** Behind its boot fence, with the data that it had; its file names the history, and not what that grew out of. */
export const restarted = (node: NodeRecord, fresh: number): NodeRecord => ({
  ...killed(node),
  isUp: true,
  runId: run(fresh),
  second: null,
  role: "replica",
  follows: BOOT_FENCE,
  frozenBy: 0,
});

/** Behind its boot fence, with what it had on disk: less than it had, or nothing, which begins a history of its own. */
export const bereft = (node: NodeRecord, log: string, fresh: { run: number; history: number }): NodeRecord => ({
  ...restarted(node, fresh.run),
  log,
  ...(log === "" ? { replicationId: history(fresh.history), second: null } : {}),
});

/** What `WAIT 1` has told clients by now: what a serving primary and one of its followers have. */
export function acknowledgedBy(nodes: readonly NodeRecord[], earlier: readonly string[]): readonly string[] {
  let all = earlier;
  for (const node of nodes) {
    const from = node.isLinked && node.isUp && !node.isHung ? sourceOf(node, nodes) : undefined;
    if (from === undefined || !from.log.startsWith(node.log) || all.some((log) => log.startsWith(node.log))) continue;
    all = [...all.filter((log) => !node.log.startsWith(log)), node.log].sort();
  }
  return all;
}

const isServing = (node: NodeRecord): boolean => node.isUp && !node.isHung && node.role === "primary";

const sourceOf = (node: NodeRecord, nodes: readonly NodeRecord[]): NodeRecord | undefined =>
  node.role !== "replica"
    ? undefined
    : nodes.find((each) => isServing(each) && addressOf(each.id).host === node.follows?.host);

/** Takes over what `from` has, in part or in full, by Valkey's rule. */
function synchronized(node: NodeRecord, from: NodeRecord): NodeRecord {
  const isSame = node.replicationId === from.replicationId && from.log.startsWith(node.log);
  const isFork = node.replicationId === from.second?.id && node.log.length < from.second.offset;
  const second = isFork ? { id: node.replicationId, offset: node.log.length + 1 } : isSame ? node.second : null;
  return { ...node, second, replicationId: from.replicationId, log: from.log, isLinked: true };
}

/** New links are made at once; a link that is up may lag until `caughtUp`. */
export function linked(nodes: readonly NodeRecord[]): readonly NodeRecord[] {
  return nodes.map((node) => {
    const from = sourceOf(node, nodes);
    if (from === undefined) return node.isLinked ? { ...node, isLinked: false } : node;
    return node.isLinked || !node.isUp || node.isHung ? node : synchronized(node, from);
  });
}

export const isBehind = (node: NodeRecord, nodes: readonly NodeRecord[]): boolean => {
  const from = sourceOf(node, nodes);
  return (
    from !== undefined &&
    node.isUp &&
    !node.isHung &&
    (node.log !== from.log || node.replicationId !== from.replicationId)
  );
};

export function caughtUp(node: NodeRecord, nodes: readonly NodeRecord[]): NodeRecord {
  const from = sourceOf(node, nodes);
  return from === undefined ? node : synchronized(node, from);
}
