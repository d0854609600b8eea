// One invocation of one voter: takes the next generation of its slot, watches every group of its shard, and leaves when
// a successor watches them all and nothing is under way here that only this invocation has seen from its beginning (R14),
// or at its deadline; in economy mode already after one round in which all was well. The same loop runs in Lambda, in the local cloud, in the fault tests and in the simulator.

import type { Identity } from "../core/commands.ts";
import type { GroupConfig } from "../core/config.ts";
import { DEFAULTS } from "../core/config.ts";
import { checkConfig } from "../core/config-check.ts";
import { entriesOf } from "../core/entries.ts";
import type { SlotRecord, SpecRecord, VoterGroupView } from "../core/records.ts";
import { effectiveDeclaration } from "../core/spec.ts";
import type { Epoch, GroupName, Instant, VoterId } from "../core/types.ts";
import { after } from "../core/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { GroupGlance, GroupStore, SpecList } from "../ports/group-store.ts";
import type { Journal } from "../ports/journal.ts";
import type { Publisher } from "../ports/publisher.ts";
import type { ValkeyNodes } from "../ports/valkey-node.ts";
import { errorText } from "./error-text.ts";
import { GroupLoop } from "./group-loop.ts";
import { HistoryQueue } from "./history-queue.ts";
import { SCHEDULE_PERIOD_MS } from "./timing.ts";

export interface VoterOptions {
  readonly voter: VoterId;
  /** Every configured voter, this one included: how many there are decides what a majority is. */
  readonly voters: readonly VoterId[];
  /** The groups that it serves. */
  readonly shard: number;
  /** Told to whoever registers groups. @default it is not limited */
  readonly groupsPerVoter?: number;
  /** Names this invocation in the slot. */
  readonly owner: string;
  readonly store: GroupStore;
  readonly openNodes: (config: GroupConfig) => ValkeyNodes;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly journal: Journal;
  /** The loop is over by then. */
  readonly deadline: Instant;
  /** Economy: leaves after one round in which all was well, and stays only while something is not. */
  readonly economy: boolean;
}

export interface VoterSummary {
  readonly generation: number;
  readonly groups: number;
  /**
   * `rested`: in economy, all was well. `failed`: a group's step ended with a bug in between; the others were watched to
   * the end.
   */
  readonly reason: "superseded" | "rested" | "deadline" | "failed";
  readonly detail: string;
}

/** What was declared is read again this often: a group added at run time is watched within it. */
export const SPECS_EVERY_MS = 5_000;
/** While somebody looks, what is seen is written this often, and the group glanced at this often. */
const LOOKED_AT_EVERY_MS = 500;
const LOOKED_AT_GLANCE_MS = 100;
/** A start that the table refuses is tried again this often until the deadline. */
const START_RETRY_MS = 500;
/** In economy: whether the round is over, and all is well, is asked this often. What is waited longer is paid for. */
const REST_LOOK_MS = 25;
/** History that the table has not taken when the loop ends is waited for this long. */
const DRAIN_MS = 2_000;

/** Runs one invocation to its end. Resolves with how it ended; never rejects for what the protocol expects. */
export function runVoter(options: VoterOptions): Promise<VoterSummary> {
  return new Promise((resolve) => new VoterLoop(options, resolve).start());
}

export class VoterLoop {
  readonly #options: VoterOptions;
  readonly #done: (summary: VoterSummary) => void;
  readonly #groups = new Map<GroupName, GroupLoop>();
  readonly #invalid = new Map<GroupName, string>();
  /** The spec that was looked at last, as text. */
  readonly #applied = new Map<GroupName, string>();
  readonly #history: HistoryQueue;
  readonly #cancels = new Set<() => void>();
  /** What the predecessor showed of each group not long ago. */
  readonly #inherited = new Map<GroupName, VoterGroupView>();
  #generation = 0;
  #opened = 0;
  #table = "";
  #hasSpecs = false;
  #isOver = false;
  #isWritingSlot = false;
  #slotWrittenAt: Instant | null = null;
  #slotReadAt: Instant | null = null;
  #slotTrouble: string | null = null;
  #cancelWatch: () => void = () => {};
  /** Requests were asked for, and the answer was told to the groups. */
  #hasGlanced = false;
  /** Groups with a request that a glance has shown and that is being read. */
  readonly #asking = new Set<GroupName>();
  #failure: string | null = null;

  constructor(options: VoterOptions, done: (summary: VoterSummary) => void) {
    this.#options = options;
    this.#done = done;
    this.#history = new HistoryQueue(options.store, options.clock, (trouble) =>
      this.#note("store.unreachable", trouble),
    );
  }

  start(): void {
    this.#at(this.#options.deadline, () => this.#end("deadline", "the deadline came"));
    this.#takeSlot();
  }

  #takeSlot(): void {
    const { store, voter, shard, owner, clock } = this.#options;
    store.tableId().then(
      (table) => {
        this.#table = table;
        store.takeSlot(voter, shard, owner, clock.wallTime()).then(
          (slot) => {
            this.#generation = slot.generation;
            for (const [name, view] of entriesOf(slot.groups)) {
              if (clock.wallTime() - view.at <= SCHEDULE_PERIOD_MS) this.#inherited.set(name, view);
            }
            this.#readSpecs();
          },
          (error: unknown) => this.#startLater(error),
        );
      },
      (error: unknown) => this.#startLater(error),
    );
  }

  #startLater(error: unknown): void {
    this.#note("store.unreachable", errorText(error));
    this.#after(START_RETRY_MS, () => this.#takeSlot());
  }

  #readSpecs(): void {
    this.#options.store.listSpecs().then(
      (list) => {
        this.#applySpecs(list);
        if (!this.#hasSpecs) {
          this.#watch();
          this.#keepSlot();
          if (this.#options.economy) this.#restWhenAllIsWell();
        }
        this.#hasSpecs = true;
        this.#after(SPECS_EVERY_MS, () => this.#readSpecs());
      },
      (error: unknown) => {
        this.#note("store.unreachable", errorText(error));
        this.#after(START_RETRY_MS, () => this.#readSpecs());
      },
    );
  }

  #applySpecs({ specs, damaged }: SpecList): void {
    if (this.#isOver) return;
    const own = specs.filter((spec) => spec.shard === this.#options.shard);
    // A damaged spec is not one that is gone: a group that runs keeps its last good configuration.
    const standing = new Set([...own.map((spec) => spec.group), ...damaged]);
    for (const [name, loop] of this.#groups) {
      if (standing.has(name)) continue;
      loop.close();
      this.#groups.delete(name);
    }
    for (const spec of own) this.#applySpec(spec);
  }

  #applySpec(spec: SpecRecord): void {
    const known = this.#groups.get(spec.group);
    const text = JSON.stringify(spec);
    // Read every few seconds and nearly never another: what was looked at is not checked again.
    if (known !== undefined && this.#applied.get(spec.group) === text) return;
    this.#applied.set(spec.group, text);
    const config = this.#checked(spec);
    if (config === null) {
      // What cannot be trusted is not acted on: a group that runs keeps its last good configuration.
      return;
    }
    if (known === undefined) return this.#open(config);
    if (JSON.stringify(known.config) !== JSON.stringify(config)) known.reconfigure(config);
  }

  #checked(spec: SpecRecord): GroupConfig | null {
    try {
      const leftOut: string[] = [];
      const context = { voters: this.#options.voters, leaveOut: (issue: string) => leftOut.push(issue) };
      // While versions run beside each other a newer one's setting must not take a voter of the older one from its group.
      const config = checkConfig(effectiveDeclaration(spec), context);
      this.#invalid.delete(spec.group);
      if (leftOut.length > 0) this.#note("setting.left-out", leftOut.join("; "), spec.group);
      return config;
    } catch (error) {
      const detail = errorText(error);
      if (this.#invalid.get(spec.group) !== detail) this.#note("group.held", `${spec.group}: ${detail}`);
      this.#invalid.set(spec.group, detail);
      return null;
    }
  }

  #open(config: GroupConfig): void {
    const { voter, voters, store, publisher, clock, journal } = this.#options;
    const self: Identity = { voter, voters, generation: this.#generation, table: this.#table };
    const nodes = this.#options.openNodes(config);
    const history = this.#history.add.bind(this.#history);
    this.#opened += 1;
    const onLookedAt = () => this.#watchAfter(LOOKED_AT_GLANCE_MS);
    const onFailed = (error: unknown) => this.#failed(config.name, error);
    const ports = { store, nodes, publisher, clock, journal, history, onLookedAt, onFailed, loop: this.#opened };
    const loop = new GroupLoop(config, self, ports);
    this.#groups.set(config.name, loop);
    loop.start();
  }

  /** The next reading of the specs opens it anew, as a new invocation would; this one ends as failed, so that it is noticed. */
  #failed(group: GroupName, error: unknown): void {
    this.#groups.delete(group);
    this.#failure ??= `${group}: ${errorText(error)}`;
    this.#note("group.failed", error instanceof Error ? (error.stack ?? error.message) : errorText(error), group);
  }

  /** Glances at every group, again and again: more often while somebody looks, for an order comes next. */
  #watch(): void {
    this.#watchAfter(this.#isLookedAt() ? LOOKED_AT_GLANCE_MS : this.#watchIntervalMs());
    const names = [...this.#groups.keys()];
    if (names.length === 0) return;
    this.#options.store.glance(names).then(
      (glances) => {
        this.#asking.clear();
        for (const [name, glance] of glances) this.#glanced(name, glance);
        this.#hasGlanced = true;
      },
      () => {
        // A glance decides nothing; whatever needs the table finds out for itself that it is away.
      },
    );
  }

  /** A request that is new here is read as it is: a glance may show one that was answered as one that waits. */
  #glanced(name: GroupName, { ballot, request }: GroupGlance): void {
    const loop = this.#groups.get(name);
    if (loop === undefined) return;
    const isNew = request !== null && request.result === null && !loop.hasRead(request.id);
    if (!isNew) return loop.deliver({ kind: "glanced", ballot, request, readBehind: null });
    this.#asking.add(name);
    const readBehind = { lastRequest: loop.lastRequest() };
    this.#options.store.readRequest(name).then(
      (standing) => {
        this.#asking.delete(name);
        loop.deliver({ kind: "glanced", ballot, request: standing, readBehind });
      },
      () => {
        // Not answered, or damaged: the next glance finds it again.
      },
    );
  }

  #watchAfter(ms: number): void {
    this.#cancelWatch();
    this.#cancelWatch = this.#after(ms, () => this.#watch());
  }

  /** Shows what is seen in the own slot, and finds out whether a successor is there. */
  #keepSlot(): void {
    const { store, voter, shard } = this.#options;
    // Groups that are looked at rarely are handed over as quickly: until then two invocations are paid for.
    const readEveryMs = Math.min(this.#watchIntervalMs(), DEFAULTS.watchIntervalMs);
    this.#after(Math.min(readEveryMs, LOOKED_AT_EVERY_MS), () => this.#keepSlot());
    this.#writeSlotWhenDue();
    const last = this.#slotReadAt;
    if (last !== null && this.#options.clock.now() < after(last, readEveryMs)) return;
    this.#slotReadAt = this.#options.clock.now();
    store.readSlot(voter, shard).then(
      (slot) => this.#superseded(slot),
      () => {
        // The next round reads it again; a loop that cannot read its slot stays until its deadline.
      },
    );
  }

  #watchIntervalMs(): number {
    return this.#shortest("watchIntervalMs");
  }

  /** What the most demanding group asks for; the default while there is none. */
  #shortest(setting: "watchIntervalMs" | "heartbeatMs"): number {
    const all = [...this.#groups.values()].map((loop) => loop.config[setting]);
    return all.length === 0 ? DEFAULTS[setting] : Math.min(...all);
  }

  #isLookedAt(): boolean {
    return [...this.#groups.values()].some((loop) => loop.isLookedAt());
  }

  #superseded(slot: SlotRecord | null): void {
    if (slot === null || slot.generation <= this.#generation || !slot.regular) return;
    // A successor that cannot read a group's spec never takes that group up: whoever still knows it stays to the deadline.
    const isLeftOut = [...this.#groups.keys()].some((name) => slot.groups[name] === undefined);
    if (!isLeftOut && this.#all((loop) => loop.isRegular()))
      this.#end("superseded", `generation ${slot.generation} watches`);
  }

  /**
   * The slot says first that nobody watches now, or this voter would look lost to people. While that is written anything
   * may happen, so all is asked again.
   */
  #restWhenAllIsWell(): void {
    const again = (ms: number) => this.#after(ms, () => this.#restWhenAllIsWell());
    if (this.#isWritingSlot || !this.#mayRest()) return void again(REST_LOOK_MS);
    this.#isWritingSlot = true;
    const slot: SlotRecord = { ...this.#slot(), restsMs: SCHEDULE_PERIOD_MS };
    this.#options.store.writeSlot(slot).then(
      () => {
        this.#slotWritten(null);
        if (this.#mayRest()) return this.#end("rested", "all is well");
        this.#slotWrittenAt = null;
        again(REST_LOOK_MS);
      },
      (error: unknown) => {
        this.#slotWritten(errorText(error));
        again(START_RETRY_MS);
      },
    );
  }

  #mayRest(): boolean {
    const all = [...this.#groups.values()];
    const isAsked = all.length === 0 || (this.#hasGlanced && this.#asking.size === 0);
    return isAsked && all.every((loop) => loop.mayRest());
  }

  #all(holds: (loop: GroupLoop) => boolean): boolean {
    return this.#hasSpecs && [...this.#groups.values()].every(holds);
  }

  #writeSlotWhenDue(): void {
    const { clock } = this.#options;
    const all = [...this.#groups.values()];
    const everyMs = this.#isLookedAt() ? LOOKED_AT_EVERY_MS : this.#shortest("heartbeatMs");
    const last = this.#slotWrittenAt;
    // Until each group was looked at, what the predecessor wrote is nearer to the truth; a node may take its time-out.
    if (last === null && !all.every((loop) => loop.hasLooked())) return;
    if (this.#isWritingSlot || (last !== null && clock.now() < after(last, everyMs - LOOKED_AT_EVERY_MS / 2))) return;
    this.#isWritingSlot = true;
    this.#slotWrittenAt = clock.now();
    this.#options.store.writeSlot(this.#slot()).then(
      () => this.#slotWritten(null),
      (error: unknown) => this.#slotWritten(errorText(error)),
    );
  }

  /** A slot that cannot be written makes this voter look silent to people: told once, until it can be again. */
  #slotWritten(trouble: string | null): void {
    this.#isWritingSlot = false;
    if (trouble !== null && trouble !== this.#slotTrouble) this.#note("store.unreachable", `the slot: ${trouble}`);
    this.#slotTrouble = trouble;
  }

  #slot(): SlotRecord {
    const { voter, shard, groupsPerVoter = null, owner, clock } = this.#options;
    const groups: Record<GroupName, VoterGroupView> = {};
    for (const [name, loop] of this.#groups) groups[name] = this.#viewOf(name, loop);
    return {
      schema: 1,
      voter,
      shard,
      groupsPerVoter,
      generation: this.#generation,
      owner,
      heartbeatAt: clock.wallTime(),
      regular: this.#all((loop) => loop.hasCaughtUp()),
      restsMs: null,
      groups,
    };
  }

  /** A reason that stands goes on where the predecessor's ends: it is neither hidden nor new while this one finds it for itself. */
  #viewOf(name: GroupName, loop: GroupLoop): VoterGroupView {
    const view = loop.view();
    const { rejection: before = null, at = view.at } = this.#inherited.get(name) ?? {};
    const own = view.rejection;
    const isTiming = (own === null || own.reason === "waiting-for-down-after") && !loop.hasCaughtUp();
    if (before === null || !(isTiming || own?.reason === before.reason)) {
      this.#inherited.delete(name);
      return view;
    }
    const sinceMs = before.sinceMs + Math.max(0, view.at - at);
    return { ...view, rejection: { ...(isTiming ? before : (own ?? before)), sinceMs } };
  }

  #end(reason: VoterSummary["reason"], detail: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const cancel of this.#cancels) cancel();
    const groups = this.#groups.size;
    for (const loop of this.#groups.values()) loop.close();
    let isDone = false;
    const finish = () => {
      if (isDone) return;
      isDone = true;
      this.#history.close();
      cancelDrain();
      const how = this.#failure === null ? { reason, detail } : { reason: "failed" as const, detail: this.#failure };
      this.#done({ generation: this.#generation, groups, ...how });
    };
    const cancelDrain = this.#options.clock.wakeAt(after(this.#options.clock.now(), DRAIN_MS), finish);
    this.#history.drained(finish);
  }

  #after(ms: number, callback: () => void): () => void {
    return this.#at(after(this.#options.clock.now(), ms), callback);
  }

  /** What is returned calls it off. */
  #at(at: Instant, callback: () => void): () => void {
    if (this.#isOver) return () => {};
    const cancel = this.#options.clock.wakeAt(at, () => {
      this.#cancels.delete(cancel);
      if (!this.#isOver) callback();
    });
    this.#cancels.add(cancel);
    return () => {
      this.#cancels.delete(cancel);
      cancel();
    };
  }

  #note(
    event: "store.unreachable" | "group.held" | "group.failed" | "setting.left-out",
    reason: string,
    group: GroupName = "*" as GroupName,
  ): void {
    const { voter, journal } = this.#options;
    journal.write({
      event,
      epoch: 0 as Epoch,
      node: null,
      detail: { reason },
      group,
      voter,
      generation: this.#generation,
      tick: 0,
    });
  }
}
