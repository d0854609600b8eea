// Virtual time. Whatever happens in a simulated world is an event in this queue; nothing waits, and nothing happens
// between two events. Events due at the same time run in an order that the seed draws: insertion order would hide races.

import type { Dice } from "./dice.ts";
import { Eventual } from "./eventual.ts";

export interface Timer {
  readonly at: number;
  cancelled: boolean;
}

interface Event extends Timer {
  readonly tie: number;
  readonly run: () => void;
}

/** More events than this at one instant are a loop that never lets time pass. */
const EVENTS_PER_INSTANT = 200_000;

export class EventQueue {
  /** Milliseconds since the simulation began: the world's own time, which no actor reads. */
  now = 0;
  /** Events run so far. */
  count = 0;
  readonly #heap: Event[] = [];
  readonly #dice: Dice;
  #atThisInstant = 0;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  at(time: number, run: () => void): Timer {
    const event: Event = {
      at: time > this.now ? time : this.now,
      tie: this.#dice.bits(),
      cancelled: false,
      run,
    };
    this.#push(event);
    return event;
  }

  after(delayMs: number, run: () => void): Timer {
    return this.at(this.now + delayMs, run);
  }

  eventual<T>(): Eventual<T> {
    return new Eventual<T>(this);
  }

  /** Runs the next event; false when there is none up to `until`. */
  step(until: number): boolean {
    const heap = this.#heap;
    for (;;) {
      const next = heap[0];
      if (next === undefined || next.at > until) return false;
      this.#pop();
      if (next.cancelled) continue;
      this.#advance(next.at);
      this.count += 1;
      next.run();
      return true;
    }
  }

  /** Runs everything due up to `time` and leaves the clock there. */
  runUntil(time: number): void {
    while (this.step(time)) {
      // All the work is in the events.
    }
    if (time > this.now) this.now = time;
  }

  #advance(time: number): void {
    if (time > this.now) {
      this.now = time;
      this.#atThisInstant = 0;
    } else if (++this.#atThisInstant > EVENTS_PER_INSTANT) {
      throw new Error(`simulation: time stands still at ${this.now} ms`);
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Event;
      if (!precedes(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    const size = heap.length;
    if (size === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      if (child + 1 < size && precedes(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      const below = heap[child] as Event;
      if (!precedes(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

const precedes = (left: Event, right: Event): boolean =>
  left.at < right.at || (left.at === right.at && left.tie < right.tie);
