// The words of the protocol as types: who (groups, nodes, voters), when (instants, epochs), and what a node said of
// itself (a reading). Nothing here decides anything. Readings are what the Valkey adapter parsed from INFO; every
// number in them is in the unit its name ends with, offsets are bytes of the replication stream.

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

export type GroupName = Branded<string, "GroupName">;
export type NodeId = Branded<string, "NodeId">;
/** One voter is one availability zone's function: its vote is one vote, whatever number of invocations runs (S7). */
export type VoterId = Branded<string, "VoterId">;
/** Random per attempt of one conditional write; tells our own success from somebody else's after a lost answer. */
export type AttemptId = Branded<string, "AttemptId">;
/** `run_id` of a server process: a process is known by it, never by its address (R18). 40 hex digits. */
export type RunId = Branded<string, "RunId">;
/** `master_replid`: names one history of writes. 40 hex digits. */
export type ReplicationId = Branded<string, "ReplicationId">;

/** The group's fencing token: grows with every lease granted, never falls (S2). 24 bits, because it is spelled in an address. */
export type Epoch = Branded<number, "Epoch">;
/** Milliseconds on this voter's own monotonic clock. Never compared with another voter's, never stored. */
export type Instant = Branded<number, "Instant">;
/** Milliseconds since 1970 by a wall clock. Read only for the expiry of requests and control modes, the budget, and people. */
export type WallTime = Branded<number, "WallTime">;

export const groupName = (text: string): GroupName => text as GroupName;
export const nodeId = (text: string): NodeId => text as NodeId;
export const voterId = (text: string): VoterId => text as VoterId;
export const attemptId = (text: string): AttemptId => text as AttemptId;
export const runId = (text: string): RunId => text as RunId;
export const replicationId = (text: string): ReplicationId => text as ReplicationId;
export const epoch = (value: number): Epoch => value as Epoch;
export const instant = (ms: number): Instant => ms as Instant;
export const wallTime = (ms: number): WallTime => ms as WallTime;

/** Later by `ms`. */
export const after = (start: Instant, ms: number): Instant => (start + ms) as Instant;
/** Milliseconds from `start` to `end`, both taken by the same voter. */
export const elapsedMs = (start: Instant, end: Instant): number => end - start;

/** Where a node listens. IPv6 literals without brackets. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export type Role = "primary" | "replica";

/** One replica as its primary lists it in INFO. */
export interface ListedReplica {
  readonly address: Address;
  readonly state: string;
  readonly offset: number;
  readonly lagSeconds: number;
}

/** What one INFO reply (sections server, replication, persistence, keyspace) says. The parser yields it only from a complete reply. */
export interface NodeReading {
  readonly runId: RunId;
  readonly product: "valkey" | "redis";
  readonly version: string;
  readonly mode: "standalone" | "cluster" | "sentinel";
  readonly uptimeSeconds: number;
  readonly role: Role;
  readonly replicationId: ReplicationId;
  /** `master_replid2`, null when it is all zeros. */
  readonly secondReplicationId: ReplicationId | null;
  /** `second_repl_offset`: one more than the last offset of the second history; null when there is none. */
  readonly secondReplicationOffset: number | null;
  /** `master_repl_offset` of a primary, `slave_repl_offset` of a replica. */
  readonly offset: number;
  /** Whom a replica follows, null for a primary. A frozen node follows its token (see token.ts). */
  readonly follows: Address | null;
  readonly linkUp: boolean;
  /** Seconds since the link to the primary went down; null while it is up and for a primary. */
  readonly linkDownSeconds: number | null;
  /** A full synchronization is going on: its data is neither the old nor the new one. */
  readonly syncInProgress: boolean;
  /** Seconds since the last byte from the primary, as coarse as Valkey keeps it; null for a primary. */
  readonly lastIoSeconds: number | null;
  /** `slave_priority`; 0 never wins. 100 for a primary, which does not print it. */
  readonly priority: number;
  readonly replicas: readonly ListedReplica[];
  readonly loading: boolean;
  /** `master_failover_state`. */
  readonly failoverState: string;
  readonly keyCount: number;
  readonly lastBgsaveOk: boolean;
  readonly lastAofWriteOk: boolean;
}

/** What CONFIG GET says, read when a connection is made and every 30 s after; null where the answer was refused. */
export interface NodeSettings {
  /** `primaryauth` (`masterauth`) is set: without it a demoted primary cannot follow. */
  readonly primaryAuthSet: boolean;
  /** The node demands a password or has ACL users, so that a follower needs one. */
  readonly requiresAuth: boolean;
  /** `save` has any schedule. */
  readonly savesSnapshots: boolean;
  readonly stopWritesOnBgsaveError: boolean;
  readonly minReplicasToWrite: number;
  readonly minReplicasMaxLagSeconds: number;
  readonly pingReplicaPeriodSeconds: number;
  readonly disklessSyncDelaySeconds: number;
  /** CLIENT LIST showed a Sentinel's connection. */
  readonly watchedBySentinel: boolean;
}

/** An authenticated connection: when its AUTH was answered decides which ballots it may act on (R9). */
export interface ConnectionRef {
  readonly id: number;
  readonly authenticatedAt: Instant;
}

export type Misconfiguration =
  | "no-auth"
  | "wrong-password"
  | "no-permission"
  | "tls"
  | "not-valkey"
  | "cluster"
  | "sentinel"
  | "unreadable-info";

/** How one probe ended. A kept connection found closed is dialled again within the same probe; only that attempt counts. */
export type Observation =
  | {
      readonly kind: "answered";
      readonly reading: NodeReading;
      readonly settings: NodeSettings | null;
      readonly connection: ConnectionRef;
    }
  | { readonly kind: "refused"; readonly detail: string }
  /** `parkable`: an authenticated connection that hangs; a freeze sent on it is the first thing the node reads when it wakes. */
  | { readonly kind: "silent"; readonly detail: string; readonly parkable: ConnectionRef | null }
  | { readonly kind: "loading"; readonly detail: string }
  | { readonly kind: "busy"; readonly detail: string }
  | { readonly kind: "misconfigured"; readonly reason: Misconfiguration; readonly detail: string };

/** What to check on the frozen connection, with one INFO, before NO ONE is sent (R6). */
export interface PromotionExpectation {
  readonly runId: RunId;
  readonly replicationId: ReplicationId;
  /** Exact (R11). */
  readonly offset: number;
  /** The token it must still follow, or null when the node was not frozen (a switchover's target). */
  readonly tokenHost: string | null;
}

/**
 * What may be done to a node. Each names the connection it goes over; the adapter sends nothing when that one is gone.
 * All but `pause` and `abort-failover` are transactions that contain `CLIENT KILL USER <coordinator> SKIPME yes` (R9).
 */
export type NodeCommand =
  /** Follow the dead address that spells `epoch`. `parked`: sent without waiting, on a connection that may hang. */
  | { readonly kind: "freeze"; readonly epoch: Epoch; readonly connection: number; readonly parked: boolean }
  | {
      readonly kind: "promote";
      readonly epoch: Epoch;
      readonly connection: number;
      readonly expect: PromotionExpectation;
    }
  /** Only the kill: proves that no older command can reach the node any more (R21, R24). */
  | { readonly kind: "settle"; readonly epoch: Epoch; readonly connection: number }
  | {
      readonly kind: "repoint";
      readonly epoch: Epoch;
      readonly connection: number;
      readonly to: Address;
      /** Also `CLIENT KILL TYPE normal`: its clients must look the primary up again. */
      readonly dropClients: boolean;
    }
  | { readonly kind: "pause"; readonly connection: number; readonly durationMs: number }
  | { readonly kind: "abort-failover"; readonly connection: number };

/** `before` and `after` are the two INFO replies inside the transaction (`promote`: the one before it, and the one inside). */
export type NodeOutcome =
  | {
      readonly kind: "applied";
      readonly before: NodeReading;
      readonly after: NodeReading;
      /** Null when CONFIG REWRITE succeeded or was not asked for, else the server's words: recorded, not an error. */
      readonly rewriteError: string | null;
      readonly connection: ConnectionRef;
    }
  /** `pause` and `abort-failover`, which read nothing. */
  | { readonly kind: "done" }
  /** A definite no: it did not take effect, or was never sent. */
  | { readonly kind: "refused"; readonly detail: string; readonly reading: NodeReading | null }
  /** Sent, and no answer: it may have happened, may still happen, or never will. */
  | { readonly kind: "unknown"; readonly detail: string };
