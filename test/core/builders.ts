// Values for tests of core. A builder takes every value that it does not derive; the clock starts at 0.

import type {
  Attempt,
  Ballot,
  Control,
  History,
  Intent,
  Lease,
  Member,
  Operation,
  Primary,
  Vote,
} from "../../lib/core/ballot.ts";
import { emptyBallot } from "../../lib/core/ballot.ts";
import type { Fact, Identity } from "../../lib/core/commands.ts";
import type { DeclaredConfig, GroupConfig, NodeConfig } from "../../lib/core/config.ts";
import { completeConfig } from "../../lib/core/config-defaults.ts";
import type { RequestRecord } from "../../lib/core/records.ts";
import type { Context, GroupState, NodeState } from "../../lib/core/state.ts";
import { newGroupState } from "../../lib/core/state.ts";
import { step } from "../../lib/core/step.ts";
import type { Turn } from "../../lib/core/turn.ts";
import { newTurn } from "../../lib/core/turn.ts";
import {
  type Address,
  attemptId,
  type ConnectionRef,
  type Epoch,
  epoch,
  groupName,
  instant,
  type NodeId,
  type NodeReading,
  type NodeSettings,
  nodeId,
  type Observation,
  type ReplicationId,
  type RunId,
  replicationId,
  runId,
  type VoterId,
  voterId,
  wallTime,
} from "../../lib/core/types.ts";

export const VOTERS = ["az-a", "az-b", "az-c"].map(voterId);
export const [A, B, C] = VOTERS as [VoterId, VoterId, VoterId];
export const NODES = ["n1", "n2", "n3"].map(nodeId);
export const [N1, N2, N3] = NODES as [NodeId, NodeId, NodeId];
export const GROUP = groupName("g");
export const TABLE = "table-1";
export const WALL_START = 1_700_000_000_000;

/** 40 hex digits that begin with what they are. */
const hex = (kind: string, n: number): string => `${kind}${n.toString(16).padStart(4, "0")}`.padEnd(40, "e");
export const run = (n: number): RunId => runId(hex("a", n));
export const history = (n: number): ReplicationId => replicationId(hex("d", n));
export const addressOf = (id: NodeId | string): Address => ({ host: `10.0.0.${id.replace(/\D/g, "")}`, port: 6379 });

export function node(id: string, settings: Partial<NodeConfig> = {}): NodeConfig {
  const zone = `az-${"abcdefgh"[Number(id.replace(/\D/g, "")) - 1]}`;
  return { id: nodeId(id), ...addressOf(id), zone, priority: null, announce: null, ...settings };
}

/** Three nodes, one per zone; settings left out have the product's defaults. */
export const config = (settings: Partial<DeclaredConfig> = {}): GroupConfig =>
  completeConfig({ name: GROUP, nodes: NODES.map((id) => node(id)), ...settings });

export const identity = (settings: Partial<Identity> = {}): Identity => ({
  voter: A,
  generation: 1,
  voters: VOTERS,
  table: TABLE,
  ...settings,
});

export const context = (settings: Partial<DeclaredConfig> = {}, self: Partial<Identity> = {}): Context => ({
  config: config(settings),
  self: identity(self),
});

/** A healthy replica of n1's first history, unless told otherwise. */
export function reading(values: Partial<NodeReading> = {}): NodeReading {
  const role = values.role ?? "replica";
  return {
    runId: run(2),
    product: "valkey",
    version: "8.0.1",
    mode: "standalone",
    uptimeSeconds: 100,
    role,
    replicationId: history(1),
    secondReplicationId: null,
    secondReplicationOffset: null,
    offset: 100,
    follows: role === "primary" ? null : addressOf(N1),
    linkUp: role === "replica",
    linkDownSeconds: null,
    syncInProgress: false,
    lastIoSeconds: role === "primary" ? null : 0,
    priority: 100,
    replicas: [],
    loading: false,
    failoverState: "no-failover",
    keyCount: 5,
    lastBgsaveOk: true,
    lastAofWriteOk: true,
    ...values,
  };
}

export const primaryReading = (values: Partial<NodeReading> = {}): NodeReading =>
  reading({ role: "primary", runId: run(1), ...values });

export const settings = (values: Partial<NodeSettings> = {}): NodeSettings => ({
  primaryAuthSet: true,
  requiresAuth: true,
  savesSnapshots: false,
  stopWritesOnBgsaveError: true,
  minReplicasToWrite: 0,
  minReplicasMaxLagSeconds: 10,
  pingReplicaPeriodSeconds: 1,
  disklessSyncDelaySeconds: 0,
  watchedBySentinel: false,
  ...values,
});

export const connection = (id: number, authenticatedAt = 0): ConnectionRef => ({
  id,
  authenticatedAt: instant(authenticatedAt),
});

export const answered = (said: NodeReading, over: ConnectionRef = connection(1)): Observation => ({
  kind: "answered",
  reading: said,
  settings: settings(),
  connection: over,
});
export const refused: Observation = { kind: "refused", detail: "connection refused" };
export const silent = (parkable: ConnectionRef | null = null): Observation => ({
  kind: "silent",
  detail: "no answer",
  parkable,
});

export const primary = (values: Partial<Primary> = {}): Primary => ({
  node: N1,
  epoch: epoch(1),
  runId: run(1),
  replicationId: history(1),
  ...values,
});
export const member = (n: number, values: Partial<Member> = {}): Member => ({
  runId: run(n),
  inSyncEpoch: epoch(1),
  address: null,
  goneAt: null,
  ...values,
});
export const vote = (values: Partial<Vote> = {}): Vote => ({
  level: "down",
  node: N1,
  epoch: epoch(1),
  generation: 1,
  seq: 1,
  silentMs: 5_000,
  attempt: attemptId("vote"),
  ...values,
});
export const lease = (values: Partial<Lease> = {}): Lease => ({
  holder: A,
  generation: 1,
  version: 1,
  durationMs: 5_000,
  attempt: attemptId("lease"),
  ...values,
});
export const operation = (values: Partial<Operation> = {}): Operation => ({
  kind: "failover",
  step: "begun",
  began: epoch(2),
  target: null,
  by: "automatic",
  reason: "silent",
  request: null,
  insists: false,
  ...values,
});
export const intent = (values: Partial<Intent> = {}): Intent => ({
  epoch: epoch(2),
  node: N2,
  runId: run(2),
  replicationId: history(1),
  offset: 100,
  ...values,
});
export const recorded = (values: Partial<History> = {}): History => ({
  epoch: epoch(1),
  node: N1,
  replicationId: history(1),
  forkOffset: 0,
  ...values,
});
export const attempt = (values: Partial<Attempt> = {}): Attempt => ({
  epoch: epoch(2),
  at: wallTime(WALL_START),
  promoted: false,
  ...values,
});
export const control = (values: Partial<Control> = {}): Control => ({
  mode: "act",
  by: "configuration",
  reason: "as declared",
  until: null,
  attempt: attemptId("declared"),
  ...values,
});

/** Adopted and armed: n1 is primary since epoch 1, all three are members in sync. */
export const ballot = (values: Partial<Ballot> = {}): Ballot => ({
  ...emptyBallot({ group: GROUP, table: TABLE, control: control(), attempt: attemptId("first") }),
  epoch: epoch(1),
  primary: primary(),
  armed: true,
  members: { version: 1, nodes: { [N1]: member(1), [N2]: member(2), [N3]: member(3) } },
  lineage: { histories: [recorded()], intents: [] },
  ...values,
});

export const newborn = (values: Partial<Ballot> = {}): Ballot => ({
  ...emptyBallot({ group: GROUP, table: TABLE, control: control(), attempt: attemptId("first") }),
  ...values,
});

export const request = (values: Partial<RequestRecord> = {}): RequestRecord => ({
  schema: 1,
  id: "request-1",
  kind: "switchover",
  target: null,
  by: "alice",
  reason: "maintenance",
  acceptDataLoss: false,
  askedAt: wallTime(WALL_START),
  expiresAt: wallTime(WALL_START + 60_000),
  result: null,
  ...values,
});

/** A node as this voter knows it: it answered at 0 with `said`. */
export function nodeState(id: NodeId, said: NodeReading, values: Partial<NodeState> = {}): NodeState {
  const at = instant(0);
  const fresh = newGroupState(config({ nodes: [node(id)] }), at).nodes[id] as NodeState;
  return {
    ...fresh,
    class: "serving",
    detail: "",
    heard: "answered",
    reading: said,
    readSentAt: at,
    readAt: at,
    settings: settings(),
    latencyMs: 0,
    connection: connection(1),
    answeredAt: at,
    probedAt: at,
    ...values,
  };
}

/** Looked at `look` at 0; n1 answered as primary and n2, n3 as its replicas, all at 0. */
export function watching(look: Ballot | null = ballot(), values: Partial<GroupState> = {}): GroupState {
  const at = instant(0);
  const state = newGroupState(config(), at);
  return {
    ...state,
    nodes: {
      [N1]: nodeState(N1, primaryReading()),
      [N2]: nodeState(N2, reading({ runId: run(2) })),
      [N3]: nodeState(N3, reading({ runId: run(3) })),
    },
    look: look === null ? null : { ballot: look, sentAt: at, at },
    missing: false,
    quietSince: look === null || look.lease !== null || look.operation !== null ? null : at,
    leaseSighting: look?.lease == null ? null : { attempt: look.lease.attempt, version: look.lease.version, since: at },
    ...values,
  };
}

/** The state with changes at one node. */
export function withNode(state: GroupState, id: NodeId, values: Partial<NodeState>): GroupState {
  const known = state.nodes[id] as NodeState;
  return { ...state, nodes: { ...state.nodes, [id]: { ...known, ...values } } };
}

/** The work sheet of one step, as `step` makes it. */
export const turnAt = (state: GroupState, at: number, of: Context = context()): Turn =>
  newTurn(state, { at: instant(at), wall: wallTime(WALL_START + at), entropy: `${at}` }, of);

/** One step at `at`. */
export const stepAt = (state: GroupState, at: number, fact: Fact, of: Context = context()) =>
  step(state, { ...fact, at: instant(at), wall: wallTime(WALL_START + at), entropy: `${at}` }, of);

export const ofEpoch = (value: number): Epoch => epoch(value);
export const timePassed: Fact = { kind: "time-passed" };
export const probeEnded = (id: NodeId, observation: Observation, sentAt: number): Fact => ({
  kind: "probe-ended",
  node: id,
  sentAt: instant(sentAt),
  observation,
});
