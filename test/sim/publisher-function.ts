// The publisher function: outside the voters' network, started by the table's stream and once a minute, brings SSM and
// DNS to the ordered item. It makes good what a winner that died, or that has no path, left undone.

import type { GroupConfig } from "../../lib/core/config.ts";
import type { GroupName } from "../../lib/core/types.ts";
import type { Dice } from "./dice.ts";
import type { EventQueue } from "./event-queue.ts";
import type { SimPublisher } from "./publication.ts";
import type { Table } from "./table.ts";

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

  /** The stream tells of a new publication. */
  published(group: GroupName): void {
    this.#queue.after(this.#dice.between(...STREAM_DELAY_MS), () => this.#bring(group));
  }

  #everyMinute(): void {
    for (const group of this.#table.publications.keys()) this.#bring(group);
    this.#queue.after(PERIOD_MS, () => this.#everyMinute());
  }

  #bring(group: GroupName): void {
    const publication = this.#table.publications.get(group);
    if (publication === undefined) return;
    const config = this.#configOf(group);
    for (const target of ["ssm", "dns"] as const) {
      this.#publisher.publish(target, publication, config).then(
        (outcome) => {
          if (outcome.kind === "failed") this.#queue.after(RETRY_MS, () => this.#bring(group));
        },
        (error: unknown) => {
          throw error;
        },
      );
    }
  }
}
