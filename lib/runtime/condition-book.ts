// Which group is it that an alarm rings for? Alarms are over all groups, so once a minute the publisher looks at what the
// voters show of each, and notes which condition of an operator's has begun and which is over; the notifier tells what
// changed in the note. A note is written only when it changes, so that nothing is told again each minute; what comes and
// goes within the time that its alarm waits for is not told at all.

import type { Ballot, ControlMode } from "../core/ballot.ts";
import { modeAt } from "../core/control.ts";
import type {
  NotedCondition,
  NotedConditions,
  PublishedCopies,
  SlotRecord,
  SpecRecord,
  VoterGroupView,
} from "../core/records.ts";
import { type Epoch, elapsedMs, epoch, type GroupName, type Instant, type WallTime } from "../core/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { ConditionStore } from "../ports/group-store.ts";
import type { Journal } from "../ports/journal.ts";
import { errorText } from "./error-text.ts";
import { CONDITION_NAMES, conditionsOf } from "./group-conditions.ts";
import { METRICS, type MetricName } from "./metric-names.ts";
import { PUBLISHER, type PublisherStore } from "./publisher-loop.ts";
import type { ConditionsFound } from "./publisher-meter.ts";

/** By the alarm's name, the reason. */
export type Seen = ReadonlyMap<string, string>;

/** As its alarm waits, by looks once a minute that come a little early. The others ring at the first one. */
const TOLD_AFTER_MS: Readonly<Record<string, number>> = {
  "group-not-ready": 110_000,
  "publication-behind": 110_000,
  "record-unreadable": 50_000,
  "credentials-misconfigured": 50_000,
};
/** A look may miss it where one invocation hands over to the next. */
const ENDED_AFTER_MS = 110_000;
/** A voter that says nothing for so long rings an alarm of its own, and what it saw is no news. */
const VIEW_AGE_LIMIT_MS = 180_000;
const REASON_LENGTH = 500;
const GROUPS_AT_ONCE = 25;

/** What is to be written over `before`; null: it says what is seen. */
export function notedAfter(
  before: NotedConditions | null,
  seen: Seen,
  now: { readonly at: WallTime; readonly epoch: Epoch },
): NotedConditions | null {
  const standing: Record<string, NotedCondition> = {};
  for (const [name, condition] of Object.entries(before?.standing ?? {})) {
    const reason = seen.get(name);
    const next = reason === undefined ? unseen(condition, now.at) : stillSeen(condition, { name, reason, at: now.at });
    if (next !== null) standing[name] = next;
  }
  for (const [name, reason] of seen) {
    const isTold = TOLD_AFTER_MS[name] === undefined;
    standing[name] ??= { since: now.at, epoch: now.epoch, reason, isTold };
  }
  return isSame(before?.standing ?? {}, standing) ? null : { at: now.at, standing };
}

function stillSeen(
  { goneAt: _, ...condition }: NotedCondition,
  { name, reason, at }: { readonly name: string; readonly reason: string; readonly at: WallTime },
): NotedCondition {
  if (condition.isTold || at - condition.since < (TOLD_AFTER_MS[name] ?? 0)) return condition;
  // What it is by now: at first a group may only have looked as if nobody had looked yet.
  return { ...condition, reason, isTold: true };
}

function unseen(condition: NotedCondition, at: WallTime): NotedCondition | null {
  if (!condition.isTold) return null;
  const { goneAt } = condition;
  if (goneAt === undefined) return { ...condition, goneAt: at };
  return at - goneAt < ENDED_AFTER_MS ? condition : null;
}

/** Conditions that stay are the very same objects, or equal in what may change. */
function isSame(
  before: Readonly<Record<string, NotedCondition>>,
  after: Readonly<Record<string, NotedCondition>>,
): boolean {
  const names = Object.keys(after);
  if (names.length !== Object.keys(before).length) return false;
  return names.every(
    (name) => before[name]?.isTold === after[name]?.isTold && before[name]?.goneAt === after[name]?.goneAt,
  );
}

export interface ConditionBookPorts {
  readonly store: ConditionStore;
  readonly clock: Clock;
  readonly journal: Journal;
}

/** Of one run over all groups. */
export class ConditionBook {
  readonly #ports: ConditionBookPorts;
  readonly #specs = new Map<GroupName, SpecRecord>();
  readonly #damaged = new Set<GroupName>();
  readonly #ballots = new Map<GroupName, Ballot>();
  readonly #copies = new Map<GroupName, PublishedCopies>();
  #slots: readonly SlotRecord[] = [];

  constructor(ports: ConditionBookPorts) {
    this.#ports = ports;
  }

  /** `inner`, and what is read through it is remembered: nothing is read twice for this. */
  watch<S extends PublisherStore>(inner: S): S {
    return {
      ...inner,
      listSpecs: () =>
        inner.listSpecs().then((list) => {
          for (const spec of list.specs) this.#specs.set(spec.group, spec);
          for (const group of list.damaged) this.#damaged.add(group);
          return list;
        }),
      listSlots: () =>
        inner.listSlots().then((slots) => {
          this.#slots = slots;
          return slots;
        }),
      readBallot: (group: GroupName) =>
        inner.readBallot(group).then((ballot) => {
          if (ballot !== null) this.#ballots.set(group, ballot);
          return ballot;
        }),
      readCopies: (group: GroupName) =>
        inner.readCopies(group).then((copies) => {
          this.#copies.set(group, copies);
          return copies;
        }),
    };
  }

  /** What the publisher has `found` itself, and what the voters show. Never rejects: the next run looks again. */
  async note(found: ConditionsFound, deadline: Instant): Promise<void> {
    const queue = [...new Set([...this.#specs.keys(), ...this.#damaged])];
    const worker = async (): Promise<void> => {
      for (let group = queue.shift(); group !== undefined; group = queue.shift()) {
        if (elapsedMs(this.#ports.clock.now(), deadline) <= 0) return;
        await this.#noteGroup(group, found);
      }
    };
    await Promise.all(Array.from({ length: GROUPS_AT_ONCE }, worker));
  }

  async #noteGroup(group: GroupName, found: ConditionsFound): Promise<void> {
    const { store, clock, journal } = this.#ports;
    const of = this.#ballots.get(group)?.epoch ?? epoch(0);
    try {
      const { conditions: before = null } = this.#copies.get(group) ?? (await store.readCopies(group));
      const after = notedAfter(before, this.#seen(group, found), { at: clock.wallTime(), epoch: of });
      if (after !== null) await store.writeConditions(group, after, before?.at ?? null);
    } catch (error) {
      const detail = { detail: `what is wrong with it could not be noted: ${errorText(error)}` };
      const by = { voter: PUBLISHER, generation: 0, tick: 0 };
      journal.write({ event: "notification.failed", group, epoch: of, node: null, ...by, detail });
    }
  }

  #seen(group: GroupName, found: ConditionsFound): Seen {
    const seen = new Map<string, string>();
    const add = (metric: MetricName, reason: string): void => {
      const name = CONDITION_NAMES[metric];
      if (name !== undefined && !seen.has(name)) seen.set(name, reason.slice(0, REASON_LENGTH));
    };
    for (const [metric, groups] of found) {
      const reason = groups.get(group);
      if (reason !== undefined) add(metric, reason);
    }
    if (this.#damaged.has(group)) add(METRICS.unreadableRecords, "its declaration cannot be decoded");
    for (const [metric, reason] of this.#shown(group)) add(metric, reason);
    return seen;
  }

  /** By voters that were heard not long ago. */
  #shown(group: GroupName): readonly (readonly [MetricName, string])[] {
    const now = this.#ports.clock.wallTime();
    const isRecent = (at: WallTime): boolean => now - at < VIEW_AGE_LIMIT_MS;
    const heard = this.#slots.filter(({ heartbeatAt }) => isRecent(heartbeatAt));
    const views = heard.flatMap(({ groups }): VoterGroupView[] => {
      const view = groups[group];
      return view !== undefined && isRecent(view.at) ? [view] : [];
    });
    const shard = this.#specs.get(group)?.shard;
    if (views.length === 0 && heard.some((slot) => slot.shard === shard)) {
      return [[METRICS.groupsNotReady, "no voter watches it: the line group.held of the voters' logs says why"]];
    }
    const mode = this.#modeOf(group, now);
    return views.flatMap((view) => {
      // For how long already, the note tells better than one invocation's view.
      const withoutCandidateMs = view.candidate === null ? Number.POSITIVE_INFINITY : 0;
      return [...conditionsOf(view, { mode, withoutCandidateMs })];
    });
  }

  #modeOf(group: GroupName, now: WallTime): ControlMode | null {
    const ballot = this.#ballots.get(group);
    return ballot === undefined ? null : modeAt(ballot, now);
  }
}
