// What one run of the publisher measures: the groups that it could not bring in line; those whose primaries are replaced
// again and again, which only the record knows, because each failover may have been another voter's; and those that no
// voter looks after, of which no voter would tell.

import type { Ballot } from "../core/ballot.ts";
import { BUDGET_WINDOW_MS } from "../core/config.ts";
import { entriesOf } from "../core/entries.ts";
import type { SpecRecord } from "../core/records.ts";
import type { GroupName } from "../core/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { Journal } from "../ports/journal.ts";
import type { MetricSeries, Metrics } from "../ports/metrics.ts";
import { DIMENSIONS, METRICS, type MetricName } from "./metric-names.ts";
import { PUBLISHER, type PublisherStore, type PublisherSummary } from "./publisher-loop.ts";

export interface PublisherMeterOptions {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly table: string;
  /** How many the deployment has. */
  readonly shards: number;
  /** See the voter's. */
  readonly byGroup: boolean;
}

/** By the metric of the condition: the groups, with the reason of each. */
export type ConditionsFound = ReadonlyMap<MetricName, ReadonlyMap<GroupName, string>>;

/** Automatic operations within the budget's ten minutes. The second one may be needless; the budget lets a third begin. */
const CHURN_ATTEMPTS = 2;

export class PublisherMeter {
  readonly #options: PublisherMeterOptions;
  readonly #sums = new Map<MetricName, number>();
  readonly #churning = new Map<GroupName, string>();
  readonly #unserved = new Map<GroupName, string>();

  constructor(options: PublisherMeterOptions) {
    this.#options = options;
  }

  /** `inner`, and what passes through it is looked at. */
  store<S extends PublisherStore>(inner: S): S {
    return {
      ...inner,
      listSpecs: () =>
        inner.listSpecs().then((list) => {
          for (const spec of list.specs) this.#listed(spec);
          return list;
        }),
      readBallot: (group: GroupName) =>
        inner.readBallot(group).then((ballot) => {
          if (ballot !== null) this.#read(ballot);
          return ballot;
        }),
    };
  }

  /** `inner`, and what passes through it is counted. */
  journal(inner: Journal): Journal {
    return {
      write: (entry) => {
        inner.write(entry);
        if (entry.event === "record.unreadable") this.#add(METRICS.unreadableRecords);
      },
    };
  }

  throttled(): void {
    this.#add(METRICS.throttles);
  }

  /**
   * `isOverAll`: of every group, as the schedule asks each minute. A stream's run that failed is tried again by then. Returns
   * the groups that are in some condition, with the reason.
   */
  ended({ failed }: PublisherSummary, isOverAll: boolean): ConditionsFound {
    const conditions = new Map<MetricName, ReadonlyMap<GroupName, string>>([
      [METRICS.publicationsBehind, new Map(entriesOf(failed))],
      [METRICS.groupsChurning, this.#churning],
      [METRICS.groupsNotReady, this.#unserved],
    ]);
    const counted: Record<string, number> = Object.fromEntries(this.#sums);
    if (isOverAll) {
      for (const [name, groups] of conditions) {
        // Zero is told too: an alarm on it takes a publisher that is not heard for one that is behind.
        if (groups.size > 0 || name === METRICS.publicationsBehind) counted[name] = groups.size;
      }
    }
    this.#put(counted, isOverAll ? conditions : new Map());
    return conditions;
  }

  /** Nothing could be looked at. */
  failed(): void {
    this.#add(METRICS.storeFailures);
    this.#put(Object.fromEntries(this.#sums), new Map());
  }

  #read(ballot: Ballot): void {
    const now = this.#options.clock.wallTime();
    const recent = ballot.budget.filter(({ at }) => now - at < BUDGET_WINDOW_MS);
    if (recent.length < CHURN_ATTEMPTS) return;
    const promoted = recent.filter((attempt) => attempt.promoted).length;
    this.#churning.set(ballot.group, `${recent.length} automatic operations in ten minutes, ${promoted} promoted`);
  }

  /** Its shard was taken out of the deployment, or never was in it. */
  #listed({ group, shard }: SpecRecord): void {
    const { shards } = this.#options;
    if (shard < shards) return;
    this.#unserved.set(group, `no voter serves its shard ${shard}: the deployment has ${shards}, counted from 0`);
  }

  #add(name: MetricName): void {
    this.#sums.set(name, (this.#sums.get(name) ?? 0) + 1);
  }

  #put(values: Readonly<Record<string, number>>, found: ConditionsFound): void {
    const { metrics, table } = this.#options;
    if (Object.keys(values).length === 0) return;
    const deployment: MetricSeries = { dimensions: { [DIMENSIONS.deployment]: table }, values };
    const named = [...found].filter(([, groups]) => groups.size > 0);
    const conditions = Object.fromEntries(named.map(([name, groups]) => [name, Object.fromEntries(groups)]));
    metrics.put({ series: [deployment], facts: { voter: PUBLISHER, conditions } });
    if (!this.#options.byGroup) return;
    const groups = new Set(named.flatMap(([, each]) => [...each.keys()]));
    for (const group of groups) {
      const dimensions = { [DIMENSIONS.deployment]: table, [DIMENSIONS.group]: group };
      const own = named.filter(([, each]) => each.has(group)).map(([name]) => [name, 1] as const);
      metrics.put({ series: [{ dimensions, values: Object.fromEntries(own) }], facts: { voter: PUBLISHER } });
    }
  }
}
