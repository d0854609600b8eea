// Records as a running group leaves them in the table: three nodes in three zones, n2 primary since epoch 7, three
// voters. Each builder takes what a test changes.

import { type Ballot, emptyBallot, type Vote } from "../../lib/core/ballot.ts";
import type { DeclaredConfig } from "../../lib/core/config.ts";
import type { EventName } from "../../lib/core/events.ts";
import type {
  HistoryRecord,
  NodeView,
  Publication,
  PublishedCopies,
  SlotRecord,
  SpecRecord,
  VoterGroupView,
} from "../../lib/core/records.ts";
import type { Rejection } from "../../lib/core/rejection.ts";
import {
  attemptId,
  type Epoch,
  epoch,
  groupName,
  nodeId,
  replicationId,
  runId,
  type VoterId,
  voterId,
  type WallTime,
  wallTime,
} from "../../lib/core/types.ts";

export const GROUP = groupName("mymaster");
export const NOW: WallTime = wallTime(Date.UTC(2026, 2, 1, 12, 0, 0));
export const ago = (ms: number): WallTime => wallTime(NOW - ms);
export const VOTERS = ["az-a", "az-b", "az-c"].map(voterId);

const ADDRESSES: Readonly<Record<string, string>> = { n1: "172.31.32.27", n2: "172.31.37.55", n3: "172.31.39.58" };
const ZONES: Readonly<Record<string, string>> = { n1: "a", n2: "b", n3: "c" };

export const declared = (rest: Partial<DeclaredConfig> = {}): DeclaredConfig => ({
  name: GROUP,
  nodes: ["n2", "n1", "n3"].map((id) => ({
    id: nodeId(id),
    host: ADDRESSES[id] ?? id,
    port: 6379,
    zone: ZONES[id] ?? "",
    priority: null,
    announce: null,
  })),
  quorum: 2,
  publication: {
    parameterPrefix: "/valkeeper",
    dns: { hostedZoneId: "Z1", name: "mymaster.valkey.internal", ttlSeconds: 5 },
  },
  ...rest,
});

export const spec = (rest: Partial<SpecRecord> = {}): SpecRecord => ({
  schema: 1,
  group: GROUP,
  version: 4,
  owner: "cdk",
  declared: declared(),
  overrides: {},
  shard: 0,
  ...rest,
});

const RUN = runId("a".repeat(40));
const REPLICATION = replicationId("b".repeat(40));
export const ACT = {
  mode: "act",
  by: "configuration",
  reason: "as declared",
  until: null,
  attempt: attemptId("c1"),
} as const;

export const ballot = (rest: Partial<Ballot> = {}): Ballot => ({
  ...emptyBallot({ group: GROUP, table: "table-1", control: ACT, attempt: attemptId("w1") }),
  epoch: epoch(7),
  primary: { node: nodeId("n2"), epoch: epoch(7), runId: RUN, replicationId: REPLICATION },
  armed: true,
  members: {
    version: 3,
    nodes: Object.fromEntries(
      ["n1", "n2", "n3"].map((id) => [id, { runId: RUN, inSyncEpoch: epoch(7), address: null, goneAt: null }]),
    ),
  },
  ...rest,
});

export const vote = (level: Vote["level"], rest: Partial<Vote> = {}): Vote => ({
  level,
  node: nodeId("n2"),
  epoch: epoch(7),
  generation: 3,
  seq: 12,
  silentMs: 5_000,
  attempt: attemptId("v1"),
  ...rest,
});

export const publication = (at: number = 7): Publication => ({
  schema: 1,
  table: "table-1",
  group: GROUP,
  epoch: epoch(at),
  revision: 0,
  primary: { node: nodeId("n2"), address: { host: ADDRESSES["n2"] ?? "", port: 6379 } },
  replicas: ["n1", "n3"].map((id) => ({
    node: nodeId(id),
    address: { host: ADDRESSES[id] ?? "", port: 6379 },
  })),
  at: ago(60_000),
});

export const copies = (ssm: number | null = 7, dns: number | null = 7): PublishedCopies => {
  const copy = (at: number | null) => (at === null ? null : { epoch: epoch(at), revision: 0, at: ago(60_000) });
  return { ssm: copy(ssm), dns: copy(dns) };
};

export function nodeView(id: string, rest: Partial<NodeView> = {}): NodeView {
  const isPrimary = id === "n2";
  return {
    address: { host: ADDRESSES[id] ?? id, port: 6379 },
    zone: ZONES[id] ?? "",
    class: "serving",
    sinceMs: 600_000,
    detail: "",
    latencyMs: 2,
    role: isPrimary ? "primary" : "replica",
    follows: isPrimary ? null : { host: ADDRESSES["n2"] ?? "", port: 6379 },
    linkUp: !isPrimary,
    offset: 52_812,
    lagBytes: isPrimary ? null : 0,
    priority: 100,
    version: "8.0.1",
    ...rest,
  };
}

/** `nodes`: what differs from three healthy ones. */
export function view(
  nodes: Readonly<Record<string, Partial<NodeView>>> = {},
  rest: Partial<VoterGroupView> = {},
): VoterGroupView {
  return {
    at: ago(300),
    epoch: epoch(7),
    operation: null,
    vote: "none",
    rejection: null,
    nodes: Object.fromEntries(["n1", "n2", "n3"].map((id) => [id, nodeView(id, nodes[id])])),
    candidate: nodeId("n1"),
    notCandidates: {},
    ...rest,
  };
}

export const rejection = (given: Rejection, sinceMs: number) => ({ ...given, sinceMs });

export const slot = (voter: VoterId, seen: VoterGroupView | null, rest: Partial<SlotRecord> = {}): SlotRecord => ({
  schema: 1,
  voter,
  shard: 0,
  groupsPerVoter: null,
  generation: 31,
  owner: `${voter}-1`,
  heartbeatAt: ago(300),
  regular: true,
  restsMs: null,
  groups: seen === null ? {} : { [GROUP]: seen },
  ...rest,
});

let records = 0;

/** `at`: milliseconds after NOW - 1 h. */
export function step(
  event: EventName,
  at: number,
  rest: { readonly voter?: string; readonly epoch?: number; readonly detail?: HistoryRecord["detail"] } = {},
): HistoryRecord {
  records += 1;
  const time = ago(3_600_000 - at);
  const number = rest.epoch ?? 7;
  return {
    schema: 1,
    id: `event#${String(number).padStart(8, "0")}#${String(time).padStart(14, "0")}#${String(records).padStart(8, "0")}`,
    group: GROUP,
    epoch: number as Epoch,
    at: time,
    voter: voterId(rest.voter ?? "az-a"),
    generation: 31,
    event,
    detail: rest.detail ?? {},
  };
}

/** A failover from n1 to n2 as the engine records it. */
export const failoverHistory = (): readonly HistoryRecord[] => [
  step("primary.subjectively-down", 0, {
    epoch: 6,
    voter: "az-c",
    detail: { node: "n1", cause: "refused", silentMs: 612 },
  }),
  step("primary.subjectively-down", 4, {
    epoch: 6,
    voter: "az-a",
    detail: { node: "n1", cause: "refused", silentMs: 615 },
  }),
  step("primary.objectively-down", 9, { epoch: 6, voter: "az-a", detail: { node: "n1", votes: "az-a,az-c" } }),
  step("lease.acquired", 15, { detail: { kind: "failover", by: "automatic", reason: "refused", step: "begun" } }),
  step("operation.begun", 15, {
    detail: { kind: "failover", by: "automatic", reason: "refused", step: "begun", target: null },
  }),
  step("node.frozen", 19, {
    detail: {
      node: "n2",
      offset: 52_000,
      replicationId: "c".repeat(40),
      wasRole: "replica",
      rung: "frozen",
      rewriteError: null,
    },
  }),
  step("node.frozen", 20, {
    detail: {
      node: "n3",
      offset: 51_900,
      replicationId: "c".repeat(40),
      wasRole: "replica",
      rung: "frozen",
      rewriteError: null,
    },
  }),
  step("candidate.selected", 21, {
    detail: { node: "n2", offset: 52_000, counted: 2, notChosen: "n3: behind by 100 bytes" },
  }),
  step("loss.possible", 21, { detail: { node: "n2", atLeastBytes: 812, primaryLastReadMs: 430 } }),
  step("intent.recorded", 27, {
    detail: { node: "n2", offset: 52_000, replicationId: "c".repeat(40), step: "intended" },
  }),
  step("promotion.applied", 30, { detail: { node: "n2", replicationId: "d".repeat(40), offset: 52_000 } }),
  step("primary.committed", 36, { detail: { node: "n2", primaryEpoch: 7 } }),
  step("publication.committed", 41, { detail: { target: "table" } }),
  step("replica.repointed", 44, { detail: { node: "n3", to: "172.31.37.55:6379", rewriteError: null } }),
  step("failover.completed", 47, { detail: { tookMs: 32, kind: "failover" } }),
  step("node.demoted", 5_210, {
    epoch: 8,
    voter: "az-b",
    detail: { node: "n1", to: "172.31.37.55:6379", rewriteError: null },
  }),
];
