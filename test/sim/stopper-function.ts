// The stopper function, and EC2 behind it: started by the table's stream with a new wish, it looks at the record once more,
// has the host of the old primary switched off, and writes into the wish how that ended. It may be late, refuse, be lost on
// the way, or say `stopped` long after the host is off. Who stopped a host starts it again, at times.

import type { StopOutcome } from "../../lib/core/ballot.ts";
import { attemptId, type GroupName } from "../../lib/core/types.ts";
import { recordStop } from "../../lib/core/writes.ts";
import type { Dice } from "./dice.ts";
import type { EventQueue } from "./event-queue.ts";
import { type BallotChange, readable, type Table } from "./table.ts";
import type { Fleet } from "./valkey.ts";

const LOST_RATE = 0.1;
const REFUSED_RATE = 0.2;
const STREAM_DELAY_MS = [150, 3_000] as const;
/** From the request to a host that is off, and from there to AWS saying so. */
const OFF_AFTER_MS = [50, 8_000] as const;
const SAID_AFTER_MS = [200, 4_000] as const;
const STARTED_AGAIN_RATE = 0.5;
const STARTED_AGAIN_MS = [0, 20_000] as const;

export class StopperFunction {
  readonly #queue: EventQueue;
  readonly #table: Table;
  readonly #fleet: Fleet;
  readonly #dice: Dice;
  #isHealed = false;

  constructor(queue: EventQueue, table: Table, fleet: Fleet, dice: Dice) {
    this.#queue = queue;
    this.#table = table;
    this.#fleet = fleet;
    this.#dice = dice;
  }

  /** From now on every host that is stopped is started again: a world that has healed keeps none that is off. */
  heal(): void {
    this.#isHealed = true;
  }

  changed({ before, after, write }: BallotChange): void {
    const was = before === null ? null : readable(before);
    const wish = readable(after)?.operation?.stop;
    if (wish === undefined || was?.operation?.stop?.epoch === wish.epoch) return;
    if (this.#dice.chance(LOST_RATE)) return;
    const { epoch } = wish;
    this.#later(STREAM_DELAY_MS, () => this.#carryOut(write.group, epoch));
  }

  /** What the record wishes now; null when it is another wish, or none any more. */
  #wish(group: GroupName, epoch: number) {
    const item = this.#table.ballot(group);
    const ballot = item === null || this.#table.isAway ? null : readable(item);
    const operation = ballot?.operation ?? null;
    if (ballot === null || operation === null || ballot.table !== this.#table.id) return null;
    const isOpen = operation.step === "begun" || operation.step === "intended";
    const { stop } = operation;
    return isOpen && stop?.epoch === epoch && stop.outcome === null ? { ballot, node: stop.node } : null;
  }

  #carryOut(group: GroupName, epoch: number): void {
    const wished = this.#wish(group, epoch);
    if (wished === null) return;
    if (this.#dice.chance(REFUSED_RATE)) return this.#end(group, epoch, "refused");
    const node = this.#fleet.node(wished.node);
    // From here on it comes to pass, whatever the record says by then.
    this.#later(OFF_AFTER_MS, () => {
      node.powerOff();
      this.#later(SAID_AFTER_MS, () => this.#end(group, epoch, "stopped"));
      if (this.#dice.chance(STARTED_AGAIN_RATE) || this.#isHealed)
        this.#later(STARTED_AGAIN_MS, () => node.start("rdb"));
    });
  }

  #end(group: GroupName, epoch: number, kind: StopOutcome["kind"]): void {
    const wished = this.#wish(group, epoch);
    if (wished === null) return;
    const outcome = { kind, detail: "drawn", attempt: attemptId(`stopper-${epoch}`) };
    this.#table.writeBallot(recordStop(wished.ballot, outcome), "stopper");
  }

  #later(range: readonly [number, number], act: () => void): void {
    this.#queue.after(this.#dice.between(...range), act);
  }
}
