// The publisher function: outside the voters' network, started by the table's stream and once a minute, brings every
// publication to what the ballot says. It makes good what a winner that died, or that has no path, left undone, and what
// somebody else overwrote.

import type { GroupConfig } from "../../lib/core/config.ts";
import { publicationOf } from "../../lib/core/publication.ts";
import type { Publication, PublicationTarget } from "../../lib/core/records.ts";
import { type GroupName, wallTime } from "../../lib/core/types.ts";
import { BEGINNING } from "./clock.ts";
import type { Dice } from "./dice.ts";
import type { EventQueue } from "./event-queue.ts";
import { GROUP } from "./group.ts";
import type { SimPublisher } from "./publication.ts";
import { type BallotChange, readable, type Table } from "./table.ts";

const STREAM_DELAY_MS = [150, 900] as const;
const PERIOD_MS = 60_000;
/** A stream's event that failed is delivered again. */
const RETRY_MS = 2_000;

export class PublisherFunction {
  readonly #queue: EventQueue;
  readonly #table: Table;
  readonly #publisher: SimPublisher;
  readonly #configOf: (group: GroupName) => GroupConfig;
  readonly #dice: Dice;
  #isToCome = false;

  constructor(
    queue: EventQueue,
    table: Table,
    publisher: SimPublisher,
    configOf: (group: GroupName) => GroupConfig,
    dice: Dice,
  ) {
    this.#queue = queue;
    this.#table = table;
    this.#publisher = publisher;
    this.#configOf = configOf;
    this.#dice = dice;
  }

  start(): void {
    this.#queue.after(this.#dice.between(0, PERIOD_MS), () => this.#everyMinute());
  }

  /** The stream tells of a change of the ballot; most of them publish nothing new. */
  changed({ before, after, write }: BallotChange): void {
    if (before?.["primary"] === after["primary"] && before?.["revision"] === after["revision"]) return;
    const order = (item: BallotChange["before"]) => JSON.stringify([item?.["primary"], item?.["revision"]]);
    if (order(before) === order(after)) return;
    this.#queue.after(this.#dice.between(...STREAM_DELAY_MS), () => this.#bring(write.group));
  }

  #everyMinute(): void {
    this.#bring(GROUP);
    this.#queue.after(PERIOD_MS, () => this.#everyMinute());
  }

  /** The ordered item first; the copies only when it stands. */
  #bring(group: GroupName): void {
    const item = this.#table.ballot(group);
    const ballot = item === null ? null : readable(item);
    // Of another table's nothing is published.
    if (this.#table.isAway || ballot === null || ballot.table !== this.#table.id) return;
    const at = wallTime(Math.floor(BEGINNING + this.#queue.now));
    const publication = publicationOf(ballot, this.#configOf(group), at);
    if (publication === null) return;
    this.#publish("table", publication, () => {
      this.#publish("ssm", publication, () => {});
      this.#publish("dns", publication, () => {});
    });
  }

  /** However many of its targets failed, the event comes once more. */
  #bringAgain(group: GroupName): void {
    if (this.#isToCome) return;
    this.#isToCome = true;
    this.#queue.after(RETRY_MS, () => {
      this.#isToCome = false;
      this.#bring(group);
    });
  }

  #publish(target: PublicationTarget, publication: Publication, then: () => void): void {
    const { group } = publication;
    this.#publisher.publish(target, publication, this.#configOf(group)).then(
      ({ kind }) => {
        if (kind === "failed") this.#bringAgain(group);
        else if (kind === "applied") then();
      },
      (error: unknown) => {
        throw error;
      },
    );
  }
}
