// Which values may a setting have on its own? One row per setting, so that the check, its words and the table in
// docs/configuration.md say the same. Relations between settings are in `config-relations.ts`.

import type { GroupConfig } from "./config.ts";

type Numeric = {
  [Name in keyof GroupConfig]: GroupConfig[Name] extends number | null ? Name : never;
}[keyof GroupConfig];
type Worded = Exclude<
  { [Name in keyof GroupConfig]: GroupConfig[Name] extends string ? Name : never }[keyof GroupConfig],
  "name"
>;

export interface Bounds {
  readonly least: number;
  readonly most: number;
  /** As in "a whole number of milliseconds". */
  readonly unit: string;
  /** Null is a value of its own: the setting is off. */
  readonly nullable?: true;
}

const DAY_MS = 86_400_000;
const ms = (least: number, most: number): Bounds => ({ least, most, unit: "milliseconds" });

/** Most nodes of one group: what one ballot item and one publication carry comfortably. */
export const MOST_NODES = 32;
/** Most voters: each is an attribute of the ballot. */
export const MOST_VOTERS = 15;

export const NUMBERS: Readonly<Record<Numeric, Bounds>> = {
  quorum: { least: 1, most: MOST_VOTERS, unit: "votes" },
  // The longest that one invocation can watch through (docs/protocol.md, hand-over), and the shortest that is more
  // than a hiccup of network and scheduler.
  downAfterMs: ms(100, 60_000),
  refusedAfterMs: ms(0, 60_000),
  writeHoldAfterMs: ms(0, 60_000),
  unreachableAfterMs: ms(200, 600_000),
  loadingLimitMs: ms(0, DAY_MS),
  busyLimitMs: ms(0, DAY_MS),
  probeIntervalMs: ms(20, 30_000),
  probeTimeoutMs: ms(20, 30_000),
  watchIntervalMs: ms(100, 60_000),
  heartbeatMs: ms(500, 60_000),
  voteWindowMs: ms(200, 90_000),
  freezeWaitMs: ms(10, 5_000),
  leaseMs: ms(1_000, 60_000),
  stepTimeoutMs: ms(1_000, 600_000),
  parallelSyncs: { least: 1, most: MOST_NODES, unit: "replicas" },
  maxLinkDownMs: { ...ms(0, DAY_MS), nullable: true },
  offsetToleranceBytes: { least: 0, most: 2 ** 40, unit: "bytes" },
  waitK: { least: 0, most: MOST_NODES - 1, unit: "replicas" },
  minReplicasToWrite: { least: 0, most: MOST_NODES - 1, unit: "replicas" },
  failoverBudget: { least: 0, most: 100, unit: "failovers" },
  armAfterMs: ms(0, 600_000),
};

export const WORDS: { readonly [Name in Worded]: readonly GroupConfig[Name][] } = {
  onPossibleLoss: ["promote", "refuse"],
  coldStart: ["best", "wait"],
  writeDead: ["failover", "alarm"],
  stopInstance: ["off", "best-effort", "required"],
  // `paused` has an owner, a reason and an end, which a declaration has not.
  mode: ["act", "observe"],
};

/** Every setting's name. */
export const SETTINGS: readonly string[] = [
  "name",
  "nodes",
  "primary",
  ...Object.keys(NUMBERS),
  ...Object.keys(WORDS),
  "credentials",
  "tls",
  "publication",
];

/** Names that people coming from Sentinel try. Longer lists of equivalents are in docs/configuration.md. */
export const SENTINEL_NAMES: Readonly<Record<string, string>> = {
  "down-after-milliseconds": "downAfterMs",
  "failover-timeout": "stepTimeoutMs",
  "parallel-syncs": "parallelSyncs",
  "auth-user": "credentials",
  "auth-pass": "credentials",
  "primary-reboot-down-after-period": "loadingLimitMs",
  "master-reboot-down-after-period": "loadingLimitMs",
  replicas: "nodes",
  master: "primary",
};
