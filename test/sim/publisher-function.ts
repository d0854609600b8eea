// The publisher function: outside the voters' network, started by the table's stream and once a minute. It runs the shipped
// loop (lib/runtime/publisher-loop.ts) over ports made here, so that what is simulated of it is what calls it: a stream that
// tells late, a batch that comes again when a group of it failed, invocations beside each other.

import { PortError } from "../../lib/core/errors.ts";
import { after, type GroupName } from "../../lib/core/types.ts";
import { type PublisherPorts, type PublisherSummary, publishing } from "../../lib/runtime/publisher-loop.ts";
import { run } from "../../lib/runtime/routine.ts";
import { publisherTimeoutMs } from "../../lib/runtime/timing.ts";
import type { Dice } from "./dice.ts";
import type { EventQueue } from "./event-queue.ts";
import type { BallotChange } from "./table.ts";

const STREAM_DELAY_MS = [150, 900] as const;
const PERIOD_MS = 60_000;
/** A batch that failed is delivered again, as often as the construct says. */
const RETRY_MS = 2_000;
const RETRIES = 3;

export class PublisherFunction {
  readonly #queue: EventQueue;
  readonly #ports: PublisherPorts;
  readonly #dice: Dice;

  constructor(queue: EventQueue, ports: PublisherPorts, dice: Dice) {
    this.#queue = queue;
    this.#ports = ports;
    this.#dice = dice;
  }

  start(): void {
    this.#queue.after(this.#dice.between(0, PERIOD_MS), () => this.#everyMinute());
  }

  /** The stream tells of a change of the ballot; most of them publish nothing new, and are filtered. */
  changed({ before, after: now, write }: BallotChange): void {
    if (before?.["primary"] === now["primary"] && before?.["revision"] === now["revision"]) return;
    const order = (item: BallotChange["before"]) => JSON.stringify([item?.["primary"], item?.["revision"]]);
    if (order(before) === order(now)) return;
    this.#queue.after(this.#dice.between(...STREAM_DELAY_MS), () => this.#told(write.group, RETRIES));
  }

  /** What fails is left to the next minute. */
  #everyMinute(): void {
    this.#invoke(null, () => {});
    this.#queue.after(PERIOD_MS, () => this.#everyMinute());
  }

  #told(group: GroupName, retries: number): void {
    this.#invoke(new Set([group]), (summary) => {
      const isInLine = summary !== null && !(group in summary.failed);
      if (!isInLine && retries > 0) this.#queue.after(RETRY_MS, () => this.#told(group, retries - 1));
    });
  }

  /** Null: it ended with an error, as it does when the table cannot be read. */
  #invoke(only: ReadonlySet<GroupName> | null, ended: (summary: PublisherSummary | null) => void): void {
    const deadline = after(this.#ports.clock.now(), publisherTimeoutMs(1));
    run(publishing(this.#ports, { only, deadline }), ended, (error) => {
      if (!(error instanceof PortError)) throw error;
      ended(null);
    });
  }
}
