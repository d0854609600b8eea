// What may a person set for a group, and do the values fit together? The shape, the defaults and where each applies.
// `config-check.ts` checks a whole configuration and names every issue at once. docs/configuration.md has a row for each.

import type { ControlMode } from "./ballot.ts";
import type { Address, GroupName, NodeId } from "./types.ts";

export interface NodeConfig {
  readonly id: NodeId;
  readonly host: string;
  readonly port: number;
  /** Availability zone, breaks ties: a candidate in the old primary's zone comes last. */
  readonly zone: string;
  /** Lowest wins, 0 never; null: the node's own `replica-priority` alone. */
  readonly priority: number | null;
  /** Where clients reach it when that is another address than the voters'. */
  readonly announce: Address | null;
}

export type CredentialsReference =
  /** `valkeeper local` and tests only; never stored in a record. */
  | { readonly kind: "inline"; readonly user: string; readonly password: string }
  | { readonly kind: "secrets-manager"; readonly user: string; readonly secretId: string }
  | { readonly kind: "ssm-secure-string"; readonly user: string; readonly parameter: string }
  | { readonly kind: "none"; readonly user: "default" };

export interface TlsConfig {
  readonly enabled: boolean;
  /** PEM text of a private certificate authority; null: the system's. */
  readonly ca: string | null;
  /** Name to verify against when it is not the host. */
  readonly serverName: string | null;
}

export interface PublicationConfig {
  /** `/<prefix>/<group>/primary`, `/readers` and `/topology`; null: no parameters. */
  readonly parameterPrefix: string | null;
  /** Null: no DNS. */
  readonly dns: DnsConfig | null;
}

export interface DnsConfig {
  readonly hostedZoneId: string;
  /** The primary's record. */
  readonly name: string;
  readonly ttlSeconds: number;
  /** The record with the addresses of all readers. @default there is none */
  readonly readersName?: string;
}

/** Every setting of a group. Durations in milliseconds unless the name says otherwise. */
export interface GroupConfig {
  readonly name: GroupName;
  readonly nodes: readonly NodeConfig[];
  /** Declared first primary: initialising takes it when it may; adoption goes by what is seen. */
  readonly primary: NodeId | null;
  readonly quorum: number;
  readonly downAfterMs: number;
  readonly refusedAfterMs: number;
  readonly writeHoldAfterMs: number;
  readonly unreachableAfterMs: number;
  readonly loadingLimitMs: number;
  readonly busyLimitMs: number;
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  readonly watchIntervalMs: number;
  readonly heartbeatMs: number;
  readonly voteWindowMs: number;
  readonly freezeWaitMs: number;
  readonly leaseMs: number;
  readonly stepTimeoutMs: number;
  readonly parallelSyncs: number;
  /** A replica whose link was down longer before the fault is no candidate; null: not considered. */
  readonly maxLinkDownMs: number | null;
  readonly offsetToleranceBytes: number;
  readonly onPossibleLoss: "promote" | "refuse";
  /** The k of WAIT k that clients use; decides how many nodes must be frozen and read under `refuse` (R2). */
  readonly waitK: number;
  readonly coldStart: "best" | "wait";
  readonly writeDead: "failover" | "alarm";
  readonly stopInstance: "off" | "best-effort" | "required";
  /** What the nodes are expected to have as `min-replicas-to-write` at least; nobody with less is handed the writes. */
  readonly minReplicasToWrite: number;
  /** Automatic failovers in ten minutes. */
  readonly failoverBudget: number;
  readonly armAfterMs: number;
  readonly mode: ControlMode;
  readonly credentials: CredentialsReference;
  readonly tls: TlsConfig;
  readonly publication: PublicationConfig;
}

/**
 * What somebody declared: the settings left out take their defaults when it is read (`config-defaults.ts`), so that a
 * changed setting takes those derived from it along.
 */
export type DeclaredConfig = Pick<GroupConfig, "name" | "nodes"> & Partial<Omit<GroupConfig, "name" | "nodes">>;

/** Defaults of everything but name and nodes; `config-defaults.ts` derives some from other settings. `failoverBudget` 0 means one per node. */
export const DEFAULTS = {
  primary: null,
  quorum: 2,
  downAfterMs: 5_000,
  refusedAfterMs: 500,
  writeHoldAfterMs: 750,
  unreachableAfterMs: 15_000,
  loadingLimitMs: 30_000,
  busyLimitMs: 15_000,
  probeIntervalMs: 500,
  probeTimeoutMs: 500,
  watchIntervalMs: 1_000,
  heartbeatMs: 5_000,
  voteWindowMs: 1_500,
  freezeWaitMs: 150,
  leaseMs: 5_000,
  stepTimeoutMs: 10_000,
  parallelSyncs: 1,
  maxLinkDownMs: null,
  offsetToleranceBytes: 0,
  onPossibleLoss: "promote",
  waitK: 0,
  coldStart: "best",
  writeDead: "failover",
  stopInstance: "off",
  minReplicasToWrite: 0,
  failoverBudget: 0,
  armAfterMs: 10_000,
  mode: "act",
  credentials: { kind: "none", user: "default" },
  tls: { enabled: false, ca: null, serverName: null },
  publication: { parameterPrefix: "/valkeeper", dns: null },
} as const satisfies Omit<GroupConfig, "name" | "nodes">;

/** An irregular node (and every node of a group that has one) is probed this often. */
export const IRREGULAR_INTERVAL_MS = 100;
/** A hung node's parked freeze is followed by a fresh attempt this often. */
export const FRESH_ATTEMPT_MS = 100;
/** The longest that a voter's loop may be late for its own deadline, whatever `downAfterMs` is. */
export const STALL_LIMIT_MS = 1_000;
/** One that was later than this does not trust what it saw: suspended for that tick. Half a verdict's silence may be its own. */
export const stallLimitMs = ({ downAfterMs }: Pick<GroupConfig, "downAfterMs">): number =>
  Math.min(STALL_LIMIT_MS, downAfterMs / 2);
/** The holder stops acting this long before its lease may be called lapsed. */
export const LEASE_MARGIN_MS = 500;
/** Bytes of a dead primary still in a replica's socket are no sign of life: drain, then count (witness). */
export const WITNESS_DRAIN_MS = 200;
/** A replica that was set aside is published again when it was fit to be read from for this long on end. */
export const READER_BACK_MS = 10_000;
export const BUDGET_WINDOW_MS = 600_000;
/** Back-off after the nth attempt in a row that promoted nobody: this, doubled each time, up to the second figure. */
export const BACK_OFF_MS = 2_000;
/** Half of what an invocation lives at least: one that begins to look at a rest begins it anew, and must see its end. */
export const BACK_OFF_LIMIT_MS = 30_000;
/** A failover's freeze of the primary in a switchover must be answered before this much of the pause is left. */
export const PAUSE_MARGIN_MS = 250;

/** The node's address for clients. */
export const announced = (node: NodeConfig): Address => node.announce ?? { host: node.host, port: node.port };

export const budgetOf = (config: GroupConfig): number =>
  config.failoverBudget === 0 ? config.nodes.length : config.failoverBudget;
