// What is said to a simulated node and what it answers: the commands that the real adapter sends, each as one value, and
// how a node is set up.

import type { Address, Epoch, NodeId, NodeReading, NodeSettings } from "../../lib/core/types.ts";

/** One command inside MULTI/EXEC. */
export type Operation =
  | { readonly kind: "info" }
  /** REPLICAOF; null is NO ONE. */
  | { readonly kind: "replicaof"; readonly address: Address | null }
  | { readonly kind: "rewrite" }
  /** CLIENT KILL USER <coordinator> SKIPME yes. */
  | { readonly kind: "kill-user" }
  /** CLIENT KILL TYPE normal SKIPME yes. */
  | { readonly kind: "kill-normal" };

export type Request =
  | { readonly kind: "auth"; readonly user: ConnectionUser; readonly password: string }
  | { readonly kind: "info" }
  /** CONFIG GET and CLIENT LIST. */
  | { readonly kind: "settings" }
  /** MULTI .. EXEC, executed at once or not at all. `epoch` and `label` are for the oracle and the timeline only. */
  | {
      readonly kind: "transaction";
      readonly operations: readonly Operation[];
      readonly epoch: Epoch;
      readonly label: string;
    }
  /** CLIENT PAUSE <ms> WRITE. */
  | { readonly kind: "pause"; readonly durationMs: number }
  | { readonly kind: "failover-abort" }
  /** SET of a value that no other write has. */
  | { readonly kind: "write"; readonly write: number }
  | { readonly kind: "wait"; readonly replicas: number; readonly timeoutMs: number }
  | { readonly kind: "ping" };

export type Reply =
  | { readonly kind: "ok" }
  | { readonly kind: "error"; readonly message: string }
  | { readonly kind: "reading"; readonly reading: NodeReading }
  | { readonly kind: "settings"; readonly settings: NodeSettings }
  /** Of EXEC: one for each operation. */
  | { readonly kind: "results"; readonly results: readonly Reply[] }
  | { readonly kind: "count"; readonly count: number };

export const OK: Reply = { kind: "ok" };
export const failure = (message: string): Reply => ({ kind: "error", message });

/** CONFIG GET, CLIENT and MULTI are; REPLICAOF is not, and one that is refused when queued aborts its transaction. */
export function isServedWhileLoading(request: Request): boolean {
  if (request.kind === "transaction") return request.operations.every(({ kind }) => kind !== "replicaof");
  return request.kind === "settings" || request.kind === "pause";
}

/** `coordinator` is the user of the voters alone; with `sharedUser` it is everybody's, as on nodes nobody prepared. */
export type ConnectionUser = "coordinator" | "application";

/** How a node is started and configured. Seconds are Valkey's own settings, milliseconds the machine's. */
export interface NodeOptions {
  readonly id: NodeId;
  readonly address: Address;
  readonly zone: string;
  /** `--replicaof 127.0.0.1 1` on the command line: overrides the file at every start (N10). */
  readonly bootFence: boolean;
  /** `replicaof` of its configuration file. */
  readonly replicaof: Address | null;
  readonly priority: number;
  readonly requiresAuth: boolean;
  readonly primaryAuthSet: boolean;
  /** The voters' user is everybody's, as on nodes nobody prepared: its kill (of normal clients) cuts applications too (N11). */
  readonly sharedUser: boolean;
  readonly savesSnapshots: boolean;
  readonly appendOnly: boolean;
  readonly stopWritesOnBgsaveError: boolean;
  readonly minReplicasToWrite: number;
  readonly minReplicasMaxLagSeconds: number;
  readonly pingReplicaPeriodSeconds: number;
  readonly disklessSyncDelaySeconds: number;
  readonly replTimeoutSeconds: number;
  readonly backlogBytes: number;
  readonly backlogTtlSeconds: number;
  /** CONFIG REWRITE can write the file. */
  readonly rewritable: boolean;
  readonly watchedBySentinel: boolean;
  /** Keys that it is first started with. */
  readonly initialKeys: number;
  /** Loading a data set at a start, and after a transfer. */
  readonly loadMs: number;
  /** Transferring a data set in a full synchronization. */
  readonly transferMs: number;
  /** What the replication stream takes beyond the network. */
  readonly applyMs: number;
}

export const NODE_DEFAULTS = {
  bootFence: true,
  replicaof: null,
  priority: 100,
  requiresAuth: true,
  primaryAuthSet: true,
  sharedUser: false,
  savesSnapshots: false,
  appendOnly: false,
  stopWritesOnBgsaveError: true,
  minReplicasToWrite: 0,
  minReplicasMaxLagSeconds: 10,
  pingReplicaPeriodSeconds: 1,
  disklessSyncDelaySeconds: 0,
  replTimeoutSeconds: 60,
  backlogBytes: 1_048_576,
  backlogTtlSeconds: 3_600,
  rewritable: true,
  watchedBySentinel: false,
  initialKeys: 0,
  loadMs: 20,
  transferMs: 60,
  applyMs: 0.2,
} as const satisfies Omit<NodeOptions, "id" | "address" | "zone">;

/** What a restart finds on disk: a snapshot of the last moment, of an earlier one, an append-only file, or nothing. */
export type RestartData = "rdb" | "old-rdb" | "aof" | "empty";

/** What happened on a node, as the world knows it: for the timeline, the oracle and the tests. */
export type NodeFact =
  | { readonly kind: "started"; readonly node: NodeId; readonly data: RestartData; readonly role: string }
  | { readonly kind: "ended"; readonly node: NodeId; readonly how: "killed" | "terminated" | "powered-off" }
  | { readonly kind: "hung" | "woke" | "loaded"; readonly node: NodeId }
  | { readonly kind: "promoted"; readonly node: NodeId; readonly by: string; readonly epoch: Epoch | null }
  | {
      readonly kind: "followed";
      readonly node: NodeId;
      readonly address: Address;
      readonly wasPrimary: boolean;
      readonly by: string;
      readonly epoch: Epoch | null;
    }
  | {
      readonly kind: "executed";
      readonly node: NodeId;
      readonly by: string;
      readonly epoch: Epoch;
      readonly label: string;
      /** Nothing refused, nothing a no-op. */
      readonly effective: boolean;
    }
  | { readonly kind: "killed-connections"; readonly node: NodeId; readonly count: number }
  | { readonly kind: "paused"; readonly node: NodeId; readonly by: string; readonly untilMs: number }
  | { readonly kind: "link-up"; readonly node: NodeId; readonly from: NodeId; readonly how: "partial" | "full" }
  | { readonly kind: "link-down"; readonly node: NodeId; readonly from: NodeId | null }
  | { readonly kind: "flushed"; readonly node: NodeId; readonly from: NodeId }
  | { readonly kind: "id-changed"; readonly node: NodeId };
