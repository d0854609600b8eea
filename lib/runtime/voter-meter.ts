// What one invocation of a voter measures, without a hand in what it does: it stands beside the journal and the store and
// counts what passes. About one line a minute, so that a healthy voter costs no more than that; a line of its own for each
// event that an alarm waits for, because an invocation may be gone a moment later.

import type { ControlMode } from "../core/ballot.ts";
import { modeAt } from "../core/control.ts";
import { entriesOf } from "../core/entries.ts";
import type { VoterGroupView } from "../core/records.ts";
import { after, elapsedMs, type GroupName, type Instant, type VoterId } from "../core/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { GroupGlance, GroupStore } from "../ports/group-store.ts";
import type { Journal, JournalEntry } from "../ports/journal.ts";
import type { MetricSeries, Metrics } from "../ports/metrics.ts";
import { conditionsOf, isFailoverEnd } from "./group-conditions.ts";
import { DIMENSIONS, METRICS, type MetricName, voterFunctionName } from "./metric-names.ts";

export interface VoterMeterOptions {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly table: string;
  readonly voter: VoterId;
  readonly shard: number;
  /** Each figure also for the group alone: a metric more for each group and condition. */
  readonly byGroup: boolean;
}

/** An invocation is succeeded after a minute, and is to have said something by then. */
const LINE_EVERY_MS = 55_000;
/** At its end it says that it was heard only when it has not just done so. */
const LAST_LINE_AFTER_MS = 30_000;

const SAME_STALL_MS = 500;

/** Each is a line at once. */
const EVENTS_THAT_COUNT: Readonly<Partial<Record<JournalEntry["event"], MetricName>>> = {
  "failover.completed": METRICS.failovers,
  "failover.abandoned": METRICS.failoversAbandoned,
  "switchover.completed": METRICS.switchovers,
  "switchover.abandoned": METRICS.failoversAbandoned,
  "group.failed": METRICS.groupFailures,
};

/** They come in bursts and are summed up in the minute's line. */
const EVENTS_SUMMED_UP: Readonly<Partial<Record<JournalEntry["event"], MetricName>>> = {
  "deciding.suspended": METRICS.voterSuspensions,
  "store.unreachable": METRICS.storeFailures,
  "record.unreadable": METRICS.unreadableRecords,
};

/** Every figure that is no sum: how many groups are in that condition. */
const CONDITIONS: readonly MetricName[] = [
  METRICS.groupsNotReady,
  METRICS.groupsBlocked,
  METRICS.groupsMisconfigured,
  METRICS.groupsBootFenced,
];

export class VoterMeter {
  readonly #options: VoterMeterOptions;
  readonly #sums = new Map<MetricName, number>();
  /** What was seen since the line before, also of a group that has come right again: an alarm looks once a minute. */
  readonly #conditions = new Map<MetricName, Map<GroupName, string>>();
  readonly #modes = new Map<GroupName, ControlMode>();
  readonly #withoutCandidateSince = new Map<GroupName, Instant>();
  #heartbeats = 0;
  #stalledAt: Instant | null = null;
  #lineAt: Instant;
  #hasSpoken = false;

  constructor(options: VoterMeterOptions) {
    this.#options = options;
    this.#lineAt = options.clock.now();
  }

  /** `inner`, and what passes through it is counted. */
  journal(inner: Journal): Journal {
    return {
      write: (entry) => {
        inner.write(entry);
        this.#noted(entry);
      },
    };
  }

  /** `inner`, and what passes through it is looked at. */
  store(inner: GroupStore): GroupStore {
    return {
      ...inner,
      glance: (groups) =>
        inner.glance(groups).then((glances) => {
          for (const [group, each] of glances) this.#glanced(group, each);
          return glances;
        }),
      writeSlot: (slot) => {
        for (const [group, view] of entriesOf(slot.groups)) this.#saw(group, view);
        return inner.writeSlot(slot).then(
          (applied) => {
            // What a successor has refused was heard by nobody.
            if (applied) this.#heartbeats += 1;
            this.#lineWhenDue();
            return applied;
          },
          (error: unknown) => {
            this.#add(METRICS.storeFailures);
            this.#lineWhenDue();
            throw error;
          },
        );
      },
    };
  }

  throttled(): void {
    this.#add(METRICS.throttles);
  }

  /** The invocation is over. */
  end(): void {
    const isRecent = this.#hasSpoken && elapsedMs(this.#lineAt, this.#options.clock.now()) < LAST_LINE_AFTER_MS;
    const isQuiet = this.#sums.size === 0 && this.#conditions.size === 0;
    if (!isRecent || !isQuiet) this.#line();
  }

  #noted(entry: JournalEntry): void {
    const { event, group, detail } = entry;
    const summed = EVENTS_SUMMED_UP[event];
    if (summed !== undefined && !this.#isSameStall(event)) this.#add(summed);
    // A spec that is not valid is told once an invocation, of no loop: the group is watched as it was, or not at all.
    if (event === "group.held" && entry.tick === 0) {
      this.#find(METRICS.groupsNotReady, group, String(detail["reason"]));
    }
    const counted = EVENTS_THAT_COUNT[event];
    if (counted !== undefined) this.#count(isFailoverEnd(event, detail) ? METRICS.failovers : counted, entry);
    this.#lineWhenDue();
  }

  /** Every group of a voter tells of the same stall, one after the other. */
  #isSameStall(event: JournalEntry["event"]): boolean {
    if (event !== "deciding.suspended") return false;
    const now = this.#options.clock.now();
    const before = this.#stalledAt;
    this.#stalledAt = now;
    return before !== null && elapsedMs(before, now) < SAME_STALL_MS;
  }

  #count(name: MetricName, { event, group, epoch, generation, detail }: JournalEntry): void {
    const { metrics, voter } = this.#options;
    const series = [this.#deployment({ [name]: 1 }), ...this.#ofGroup(group, { [name]: 1 })];
    metrics.put({ series, facts: { voter, generation, group, epoch, measured: event, detail } });
  }

  #glanced(group: GroupName, { ballot }: GroupGlance): void {
    if (ballot !== null) this.#modes.set(group, modeAt(ballot, this.#options.clock.wallTime()));
  }

  #saw(group: GroupName, view: VoterGroupView): void {
    const now = this.#options.clock.now();
    if (view.candidate !== null) this.#withoutCandidateSince.delete(group);
    else if (!this.#withoutCandidateSince.has(group)) this.#withoutCandidateSince.set(group, now);
    const withoutCandidateMs = elapsedMs(this.#withoutCandidateSince.get(group) ?? now, now);
    const mode = this.#modes.get(group) ?? null;
    for (const [name, reason] of conditionsOf(view, { mode, withoutCandidateMs })) {
      if (CONDITIONS.includes(name)) this.#find(name, group, reason);
      else this.#add(name);
    }
  }

  #find(name: MetricName, group: GroupName, reason: string): void {
    const groups = this.#conditions.get(name) ?? new Map<GroupName, string>();
    this.#conditions.set(name, groups.set(group, reason));
  }

  #add(name: MetricName): void {
    this.#sums.set(name, (this.#sums.get(name) ?? 0) + 1);
  }

  #lineWhenDue(): void {
    if (this.#options.clock.now() >= after(this.#lineAt, LINE_EVERY_MS)) this.#line();
  }

  /** Nothing that is zero: a metric is paid for while it is reported, and what is missing rings no alarm but silence. */
  #line(): void {
    const { metrics, clock, table, voter, shard } = this.#options;
    this.#lineAt = clock.now();
    this.#hasSpoken = true;
    const sizes = [...this.#conditions].map(([name, groups]) => [name, groups.size] as const);
    const values = Object.fromEntries([...this.#sums, ...sizes]);
    const beat: MetricSeries = {
      dimensions: { [DIMENSIONS.deployment]: table, [DIMENSIONS.voter]: voterFunctionName(voter, shard) },
      values: { [METRICS.voterHeartbeats]: this.#heartbeats },
    };
    const series = [
      ...(Object.keys(values).length === 0 ? [] : [this.#deployment(values)]),
      ...(this.#heartbeats === 0 ? [] : [beat]),
    ];
    const conditions = Object.fromEntries(
      [...this.#conditions].map(([name, groups]) => [name, Object.fromEntries(groups)]),
    );
    if (series.length > 0) metrics.put({ series, facts: { voter, conditions } });
    for (const each of this.#groupSeries()) metrics.put({ series: [each], facts: { voter } });
    this.#heartbeats = 0;
    this.#sums.clear();
    this.#conditions.clear();
  }

  /** A line for each group: one name has one value in a line. */
  #groupSeries(): readonly MetricSeries[] {
    const byGroup = new Map<GroupName, Record<string, number>>();
    for (const [name, groups] of this.#conditions) {
      for (const group of groups.keys()) byGroup.set(group, { ...byGroup.get(group), [name]: 1 });
    }
    return [...byGroup].flatMap(([group, values]) => this.#ofGroup(group, values));
  }

  #deployment(values: Readonly<Record<string, number>>): MetricSeries {
    return { dimensions: { [DIMENSIONS.deployment]: this.#options.table }, values };
  }

  #ofGroup(group: GroupName, values: Readonly<Record<string, number>>): readonly MetricSeries[] {
    const { byGroup, table } = this.#options;
    if (!byGroup) return [];
    return [{ dimensions: { [DIMENSIONS.deployment]: table, [DIMENSIONS.group]: group }, values }];
  }
}
