// What both sides of the comparison are for a row of the bench.

import type { ProcessGroup } from "../../lib/local/process-group.ts";
import type { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import type { LookupOptions } from "./lookup.ts";

/** Of the default user of every node; good enough for servers on this machine alone. */
export const PASSWORD = "bench-secret";

/** The group to which things happen. */
export const GROUP = "mymaster";

export interface ZonePlace {
  readonly name: string;
  readonly host: string;
  readonly exec: readonly string[];
}

export interface SideOptions {
  readonly group: ProcessGroup;
  /** The primary first. */
  readonly nodes: readonly ValkeyProcess[];
  /** Of further groups that are watched, and to which nothing happens. */
  readonly others?: readonly (readonly ValkeyProcess[])[];
  readonly downAfterMs: number;
  /** Where each node and the process that watches beside it live; without them everything is on the loopback. */
  readonly zones?: readonly ZonePlace[];
  /** This machine's address as the zones see it. */
  readonly hostAddress?: string;
  /** Valkeeper's settings beyond down-after. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** An endpoint to use instead of a local cloud of its own. */
  readonly endpoint?: string;
  /** Where the voters alone find it: what counts their requests and not the publisher's. @default the same */
  readonly voterEndpoint?: string;
}

/** By name, the group to which things happen first. */
export const groupsOf = ({ nodes, others = [] }: Pick<SideOptions, "nodes" | "others">) => [
  { name: GROUP, nodes },
  ...others.map((each, index) => ({ name: `other-${index + 1}`, nodes: each })),
];

/** Of a sentinel's log, or one event of the engine; as it arrived here. */
export interface TimedEvent {
  readonly at: number;
  readonly event: string;
  readonly by: string;
  readonly node: string | null;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface Ordered {
  readonly orderedAt: number;
  readonly confirmedAt: number;
}

export interface Side {
  readonly kind: "sentinel" | "valkeeper";
  readonly lookup: LookupOptions;
  readonly events: readonly TimedEvent[];
  /** What it said that was no event: a stack trace of a process that broke, above all. */
  readonly words: readonly string[];
  /** The three processes that watch: sentinels or voters. */
  readonly watchers: readonly number[];
  /** Median of a conditional write to the table, as a client on this machine sees it now; null without a table. */
  readonly storeWriteMs: () => Promise<number | null>;
  /** A planned one, ordered as an operator orders it. */
  readonly switchover: () => Promise<Ordered>;
  /** Attempts at a failover that came to nothing. */
  readonly retries: () => number;
}
