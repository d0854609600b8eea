// A voter's own clocks: a monotonic one with an offset and a rate of its own, and a wall clock that may jump. Nothing in
// the protocol may compare one voter's instants with another's, so here they differ by hours.

import { type Instant, instant, type WallTime, wallTime } from "../../lib/core/types.ts";
import type { Clock } from "../../lib/ports/clock.ts";
import type { Dice } from "./dice.ts";
import type { EventQueue } from "./event-queue.ts";
import type { Sandbox } from "./sandbox.ts";

/** Wall time of the beginning of every simulation. */
export const BEGINNING = 1_800_000_000_000;

/** The clocks of one machine, which every invocation on it shares. */
export class MachineClock {
  /** Monotonic milliseconds per millisecond of the world. */
  readonly rate: number;
  #wallOffsetMs = 0;
  #mostAheadMs = 0;

  constructor(rate: number) {
    this.rate = rate;
  }

  /** How far its wall clock is ahead of a right one. */
  get wallOffsetMs(): number {
    return this.#wallOffsetMs;
  }

  /** The most that it ever was: what is under way may have been decided by that clock. */
  get mostAheadMs(): number {
    return this.#mostAheadMs;
  }

  setWall(offsetMs: number): void {
    this.#wallOffsetMs = offsetMs;
    this.#mostAheadMs = Math.max(this.#mostAheadMs, offsetMs);
  }
}

/** What one process reads: its machine's clocks, the monotonic one from an origin of its own. */
export interface ClockSkew {
  readonly offsetMs: number;
  readonly machine: MachineClock;
}

/** A timer fires up to this much late, as an event loop's does. */
const TIMER_LATENESS_MS = 1;
/** Rounding must never show a voter an instant before the one it asked to be woken at. */
const ROUNDING_MS = 1e-5;

export class VoterClock implements Clock {
  readonly #queue: EventQueue;
  readonly #sandbox: Sandbox;
  readonly #skew: ClockSkew;
  readonly #dice: Dice;

  constructor(queue: EventQueue, sandbox: Sandbox, skew: ClockSkew, dice: Dice) {
    this.#queue = queue;
    this.#sandbox = sandbox;
    this.#skew = skew;
    this.#dice = dice;
  }

  now(): Instant {
    return instant(this.#skew.offsetMs + this.#queue.now * this.#skew.machine.rate);
  }

  wallTime(): WallTime {
    return wallTime(Math.floor(BEGINNING + this.#queue.now + this.#skew.machine.wallOffsetMs));
  }

  wakeAt(at: Instant, callback: () => void): () => void {
    const due = this.worldTime(at) + ROUNDING_MS + TIMER_LATENESS_MS * this.#dice.fraction();
    let cancelled = false;
    const timer = this.#queue.at(due, () => {
      this.#sandbox.ring(() => {
        if (!cancelled) callback();
      });
    });
    return () => {
      cancelled = true;
      timer.cancelled = true;
    };
  }

  /** When the world's time is such that this clock shows `at`. */
  worldTime(at: Instant): number {
    return (at - this.#skew.offsetMs) / this.#skew.machine.rate;
  }
}
