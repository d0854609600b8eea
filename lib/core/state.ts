// What one invocation of one voter knows of one group. All of it is gone when the invocation returns; what must last is
// in the ballot. Records only: every module of core reads them, and each part is changed by one module.

import type { Ballot, ControlMode } from "./ballot.ts";
import type { BallotWrite } from "./ballot-write.ts";
import type { Identity } from "./commands.ts";
import type { GroupConfig } from "./config.ts";
import type { CoreEvent } from "./events.ts";
import type { LeaseSighting } from "./lease.ts";
import type { OperationRun } from "./operation.ts";
import type { Sightings } from "./quorum.ts";
import type { Doubts } from "./readers.ts";
import type { NodeClass, RequestRecord } from "./records.ts";
import type { Rejection } from "./rejection.ts";
import type {
  Address,
  ConnectionRef,
  Epoch,
  Instant,
  NodeId,
  NodeReading,
  NodeSettings,
  Observation,
} from "./types.ts";
import { instant } from "./types.ts";

/** What this voter knows of one node (observation.ts changes it). */
export interface NodeState {
  readonly id: NodeId;
  readonly address: Address;
  readonly class: NodeClass;
  readonly classSince: Instant;
  readonly detail: string;
  /** How the last probe ended; null: none has. */
  readonly heard: Observation["kind"] | null;
  /** The last complete reading, and when the probe that brought it was sent and answered. */
  readonly reading: NodeReading | null;
  readonly readSentAt: Instant | null;
  readonly readAt: Instant | null;
  /** The reading before that one: what a node showed before another was even asked. */
  readonly earlier: { readonly reading: NodeReading; readonly readAt: Instant } | null;
  readonly settings: NodeSettings | null;
  readonly latencyMs: number | null;
  /** Authenticated and alive as far as known. */
  readonly connection: ConnectionRef | null;
  /** Authenticated and hanging: a freeze can be parked on it. */
  readonly parkable: ConnectionRef | null;
  /** When the last probe that brought an answer of any kind ended; null: never. */
  readonly answeredAt: Instant | null;
  /** When the first probe without an answer since then was sent; null: none. */
  readonly lostAt: Instant | null;
  /** Of the silence that began then the record has said that it is gone: by this voter or another. */
  readonly goneInSilenceOf: Instant | null;
  readonly firstRefusedAt: Instant | null;
  readonly refusals: number;
  /** Last advance of the offset that this voter saw between two answers, for the witness. */
  readonly advancedAt: Instant | null;
  /** A probe is under way since then. */
  readonly probing: Instant | null;
  readonly probedAt: Instant | null;
  /** Asked to be probed then, before its interval is over. */
  readonly probeDueAt: Instant;
}

/** The last consistent look at the ballot: a read, or what a write returned. */
export interface Look {
  readonly ballot: Ballot;
  readonly sentAt: Instant;
  readonly at: Instant;
}

/** A write under way, and what is told once it stands in the record: never before, for it may lose its race. */
export interface PendingWrite {
  readonly write: BallotWrite;
  readonly sentAt: Instant;
  readonly events: readonly CoreEvent[];
}

export interface StoreCall {
  readonly sentAt: Instant;
  /** Null: a read. */
  readonly pending: PendingWrite | null;
}

export interface OwnVote {
  readonly seq: number;
  readonly writtenAt: Instant | null;
}

/** A fence that this voter sends without holding the lease (assist.ts). */
export interface Assistance {
  readonly epoch: Epoch;
  readonly triedAt: Instant;
  /** The connection that a freeze is parked on, so that each is parked once. */
  readonly parkedOn: number | null;
  readonly done: boolean;
}

export interface WriteHold {
  readonly since: Instant;
  readonly lastPauseAt: Instant;
}

export interface GroupState {
  readonly startedAt: Instant;
  /** `at` of the last input, and when the next was due: a larger gap means that this voter's time cannot be trusted. */
  readonly lastAt: Instant;
  readonly dueAt: Instant | null;
  readonly suspendedUntil: Instant | null;
  readonly nodes: Readonly<Record<NodeId, NodeState>>;
  readonly look: Look | null;
  /** There is no ballot item (as last read). */
  readonly missing: boolean;
  readonly sightings: Sightings;
  readonly leaseSighting: LeaseSighting | null;
  /** At most one read or write of the ballot is under way. */
  readonly storeBusy: StoreCall | null;
  /** A write whose outcome is unknown: resolved by a consistent read before anything else is written. */
  readonly unresolved: PendingWrite | null;
  readonly storeFailedSince: Instant | null;
  readonly storeRetryAt: Instant | null;
  readonly storeDetail: string;
  readonly unreadable: string | null;
  /** An eventually consistent glance saw something newer than the last look. */
  readonly staleLook: boolean;
  readonly request: RequestRecord | null;
  readonly requestSince: Instant | null;
  /** The record has named another as the last one begun since it was read: it may have been begun too, and is read again. */
  readonly isRequestOld: boolean;
  /** The last requests that were seen answered, or followed by another: a glance may show one of them as it once was. */
  readonly pastRequests: readonly string[];
  readonly resolved: string | null;
  /** An answer to a request was not taken by the table: the next is given then. */
  readonly answerAgainAt: Instant | null;
  readonly ownVote: OwnVote;
  readonly operation: OperationRun | null;
  readonly assistance: Readonly<Record<NodeId, Assistance>>;
  readonly hold: WriteHold | null;
  /** All is well since then, by this voter's view; null: it is not. */
  readonly healthySince: Instant | null;
  /** The highest epoch that any publication names; null: not asked yet, or not answered. */
  readonly standingEpoch: Epoch | "asked" | null;
  readonly standingAskedAt: Instant | null;
  /** Whose the group's parameters are, by their own word. */
  readonly standingTable: string | null;
  /** Members that seem to be something else than the record says of them as readers. */
  readonly doubts: Doubts;
  readonly rejection: { readonly rejection: Rejection; readonly since: Instant } | null;
  /** Since when the record has been quiet (no lease, no operation) at this epoch: older readings are of another time. */
  readonly quietSince: Instant | null;
  /** The last automatic attempt, if it promoted nobody, and since when this voter has known it to be over. */
  readonly failedAttempt: { readonly epoch: Epoch; readonly overSince: Instant } | null;
  /** The declared mode that this voter has seen in force, and since when the record says another; null: it does not. */
  readonly followed: { readonly mode: ControlMode; readonly lostAt: Instant | null } | null;
  /** Repairs that ended since this voter last saw every node in line: further ones rest between each other. */
  readonly repairs: number;
  /** Which of this voter's *down* phases was told as an event. */
  readonly announced: { readonly level: "up" | "suspect" | "down"; readonly objectively: boolean };
  /** Since when something has been irregular without end: after ten minutes looks become rarer. */
  readonly irregularSince: Instant | null;
}

export interface Context {
  readonly config: GroupConfig;
  readonly self: Identity;
}

/** What is known of the committed primary; undefined: there is none, or nothing is. */
export const primaryNodeOf = ({ nodes }: GroupState, { primary }: Ballot): NodeState | undefined =>
  primary === null ? undefined : nodes[primary.node];

/** Where nothing else tells two nodes apart, every voter chooses the same. */
export const byName = (a: NodeState, b: NodeState): number => (a.id < b.id ? -1 : 1);

export function newNode(id: NodeId, address: Address, at: Instant): NodeState {
  return {
    id,
    address,
    class: "unknown",
    classSince: at,
    detail: "not probed yet",
    heard: null,
    reading: null,
    readSentAt: null,
    readAt: null,
    earlier: null,
    settings: null,
    latencyMs: null,
    connection: null,
    parkable: null,
    answeredAt: null,
    lostAt: null,
    goneInSilenceOf: null,
    firstRefusedAt: null,
    refusals: 0,
    advancedAt: null,
    probing: null,
    probedAt: null,
    probeDueAt: at,
  };
}

export function newGroupState(config: GroupConfig, at: Instant): GroupState {
  const nodes = config.nodes.map((node) => [node.id, newNode(node.id, { host: node.host, port: node.port }, at)]);
  return {
    startedAt: at,
    lastAt: at,
    dueAt: null,
    suspendedUntil: null,
    nodes: Object.fromEntries(nodes),
    look: null,
    missing: false,
    sightings: {},
    leaseSighting: null,
    storeBusy: null,
    unresolved: null,
    storeFailedSince: null,
    storeRetryAt: null,
    storeDetail: "",
    unreadable: null,
    staleLook: false,
    request: null,
    requestSince: null,
    isRequestOld: false,
    pastRequests: [],
    resolved: null,
    answerAgainAt: null,
    ownVote: { seq: 0, writtenAt: null },
    operation: null,
    assistance: {},
    hold: null,
    healthySince: null,
    standingEpoch: null,
    standingAskedAt: null,
    standingTable: null,
    doubts: {},
    rejection: null,
    quietSince: null,
    failedAttempt: null,
    followed: null,
    repairs: 0,
    announced: { level: "up", objectively: false },
    irregularSince: null,
  };
}

export const NEVER = instant(Number.POSITIVE_INFINITY);
