// The publisher's work: for each group, what its ballot says is brought to the table's ordered item, to SSM and to DNS.
// It completes what a winner could not (it died, its subnet has no path) and puts back what somebody overwrote. The
// ballot is read consistently each time, so that an event that comes late, twice or in the wrong order does no harm: it
// only says which group to look at.

import type { Ballot } from "../core/ballot.ts";
import type { GroupConfig } from "../core/config.ts";
import { modeAt } from "../core/control.ts";
import type { EventName } from "../core/events.ts";
import { comparePublications, publicationOf } from "../core/publication.ts";
import type { Publication, PublicationTarget, SlotRecord, SpecRecord } from "../core/records.ts";
import { effectiveConfig } from "../core/spec.ts";
import { elapsedMs, epoch, type GroupName, type Instant, type VoterId, voterId, type WallTime } from "../core/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { OperatorStore } from "../ports/group-store.ts";
import type { Journal } from "../ports/journal.ts";
import type { Publisher, PublishOutcome } from "../ports/publisher.ts";
import { errorText } from "./error-text.ts";
import { answerTo, type Routine, run, together } from "./routine.ts";

export type PublisherStore = Pick<OperatorStore, "tableId" | "listSpecs" | "readBallot" | "readCopies" | "listSlots">;

export interface PublisherPorts {
  readonly store: PublisherStore;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly journal: Journal;
}

export interface PublisherSummary {
  readonly groups: number;
  /** Copies that were written. */
  readonly changed: number;
  /** Groups that are not in line everywhere, with the reason; the next run tries again. */
  readonly failed: Readonly<Record<GroupName, string>>;
}

/** As journal lines name it; it is no voter and votes nothing. */
export const PUBLISHER: VoterId = voterId("publisher");

/** Side by side, so that their changes to one DNS zone share a batch: Route 53's rate belongs to the whole account. */
const GROUPS_AT_ONCE = 25;
/** What a voter said longer ago than this no longer holds repairs back: the voter, or its zone, may be gone for good. */
const VIEW_AGE_LIMIT_MS = 600_000;
const COPIES = ["ssm", "dns"] as const;

export interface PublisherOptions {
  /** Null: every group. */
  readonly only: ReadonlySet<GroupName> | null;
  readonly deadline: Instant;
}

/** Rejects only when nothing at all could be looked at. */
export const publishGroups = (ports: PublisherPorts, options: PublisherOptions): Promise<PublisherSummary> =>
  new Promise((resolve, reject) => run(publishing(ports, options), resolve, reject));

/** The same as a routine. */
export function* publishing(ports: PublisherPorts, options: PublisherOptions): Routine<PublisherSummary> {
  const table = yield* answerTo(ports.store.tableId());
  const { specs } = yield* answerTo(ports.store.listSpecs());
  const slots = yield* readSlots(ports);
  const wanted = specs.filter((spec) => options.only === null || options.only.has(spec.group));
  const work = new PublisherRun(ports, { table, slots });
  const queue = [...wanted];
  function* worker(): Routine<void> {
    for (let spec = queue.shift(); spec !== undefined; spec = queue.shift()) {
      if (elapsedMs(ports.clock.now(), options.deadline) > 0) yield* work.bringInLine(spec);
      else work.fail(spec.group, "there was no time left for it");
    }
  }
  yield* together(Array.from({ length: GROUPS_AT_ONCE }, worker));
  return { groups: wanted.length, changed: work.changed, failed: Object.fromEntries(work.failed) };
}

/** What the voters see, or why that cannot be read: then nobody knows whether a person is at work, and nothing is repaired. */
type Slots =
  | { readonly kind: "read"; readonly slots: readonly SlotRecord[] }
  | { readonly kind: "unreadable"; readonly reason: string };

function* readSlots({ store }: PublisherPorts): Routine<Slots> {
  try {
    return { kind: "read", slots: yield* answerTo(store.listSlots()) };
  } catch (error) {
    return { kind: "unreadable", reason: errorText(error) };
  }
}

/** What a group's ballot says, and how far that may be brought about. */
interface Wish {
  readonly ballot: Ballot;
  readonly config: GroupConfig;
  readonly publication: Publication;
  /** False: only what was never published is; what somebody changed since is left as it is. */
  readonly mayRepair: boolean;
}

class PublisherRun {
  readonly failed = new Map<GroupName, string>();
  changed = 0;
  readonly #ports: PublisherPorts;
  readonly #table: string;
  readonly #slots: Slots;

  constructor(ports: PublisherPorts, known: { readonly table: string; readonly slots: Slots }) {
    this.#ports = ports;
    this.#table = known.table;
    this.#slots = known.slots;
  }

  fail(group: GroupName, reason: string): void {
    this.failed.set(group, reason);
  }

  *bringInLine(spec: SpecRecord): Routine<void> {
    try {
      const wish = yield* this.#wish(spec);
      if (wish === null) return;
      const overtaken = yield* this.#publish(wish);
      if (overtaken === null) return;
      // A newer one stands there. Usually a voter has just committed it; then the ballot says so too by now.
      const again = yield* this.#wish(spec);
      if (again === null || comparePublications(again.publication, wish.publication) > 0) {
        if (again !== null) yield* this.#publish(again);
        return;
      }
      this.#failAt(wish, overtaken.target, `a newer one stands than the ballot knows: ${overtaken.detail}`);
    } catch (error) {
      this.fail(spec.group, errorText(error));
      this.#write("publication.failed", spec.group, { detail: errorText(error) });
    }
  }

  /** Null: there is nothing to publish, or it is not for this table's programs to do it. */
  *#wish(spec: SpecRecord): Routine<Wish | null> {
    const { store, clock } = this.#ports;
    const ballot = yield* answerTo(store.readBallot(spec.group));
    // A ballot that was restored from another table may be older than what stands: a person looks first.
    if (ballot === null || ballot.table !== this.#table) return null;
    const config = effectiveConfig(spec);
    const wall = clock.wallTime();
    const publication = publicationOf(ballot, config, wall);
    if (publication === null) return null;
    const mayRepair = modeAt(ballot, wall) === "act" && !isUnexplained(this.#slots, ballot, wall);
    return { ballot, config, publication, mayRepair };
  }

  /** The ordered item first: copies follow it and never lead. Returns where a newer one stands, if anywhere. */
  *#publish(wish: Wish): Routine<{ readonly target: PublicationTarget; readonly detail: string } | null> {
    if (this.#slots.kind === "unreadable") {
      const detail = `what the voters see cannot be read, nothing is repaired: ${this.#slots.reason}`;
      this.fail(wish.publication.group, detail);
      this.#write("publication.failed", wish.publication.group, { detail }, wish);
    }
    const first = yield* this.#publishTo("table", wish);
    if (first.kind === "superseded") return { target: "table", detail: first.detail };
    const copies = yield* this.#dueCopies(wish);
    const outcomes = yield* together(copies.map((target) => this.#publishTo(target, wish)));
    for (const [index, outcome] of outcomes.entries()) {
      const target = copies[index];
      if (outcome.kind === "superseded" && target !== undefined) return { target, detail: outcome.detail };
    }
    return null;
  }

  /**
   * Paused, observing, or a primary that no record explains (S8, R22): a person is at work and may have changed a copy on
   * purpose. An operation that was finished all the same is still told to those who were told of the one before.
   */
  *#dueCopies({ publication, mayRepair }: Wish): Routine<readonly (typeof COPIES)[number][]> {
    if (mayRepair) return COPIES;
    const copies = yield* answerTo(this.#ports.store.readCopies(publication.group));
    return COPIES.filter((target) => {
      const confirmed = copies[target];
      return confirmed !== null && comparePublications(confirmed, publication) < 0;
    });
  }

  *#publishTo(target: PublicationTarget, wish: Wish): Routine<PublishOutcome> {
    const { publication, config } = wish;
    const outcome = yield* answerTo(this.#ports.publisher.publish(target, publication, config));
    if (outcome.kind === "applied" && outcome.changed) {
      this.changed += 1;
      const { revision, primary, replicas } = publication;
      const { host, port } = primary.address;
      const detail = { target, revision, primary: primary.node, host, port, replicas: replicas.length };
      this.#write("publication.committed", publication.group, detail, wish);
    }
    if (outcome.kind === "failed") this.#failAt(wish, target, outcome.detail);
    return outcome;
  }

  #failAt(wish: Wish, target: PublicationTarget, reason: string): void {
    const { group, revision } = wish.publication;
    this.fail(group, `${target}: ${reason}`);
    this.#write("publication.failed", group, { target, revision, detail: reason }, wish);
  }

  #write(
    event: EventName,
    group: GroupName,
    detail: Readonly<Record<string, string | number>>,
    wish: Wish | null = null,
  ): void {
    const of = wish?.publication.epoch ?? epoch(0);
    const node = wish?.publication.primary.node ?? null;
    this.#ports.journal.write({ event, group, epoch: of, node, voter: PUBLISHER, generation: 0, tick: 0, detail });
  }
}

/** A voter sees a primary, or data, that this ballot does not explain, and said so not long ago. */
function isUnexplained(known: Slots, ballot: Ballot, now: WallTime): boolean {
  if (known.kind === "unreadable") return true;
  return known.slots.some((slot) => {
    const view = slot.groups[ballot.group];
    if (view === undefined || view.rejection === null || view.epoch < ballot.epoch) return false;
    const { reason } = view.rejection;
    return (reason === "unexplained-primary" || reason === "unknown-history") && now - view.at < VIEW_AGE_LIMIT_MS;
  });
}
