// One voter's function: a schedule that fires about once a minute, late, twice or not at all; environments that start
// cold or warm, are frozen after an invocation with whatever it left behind, and die at the time limit.

import { SCHEDULE_PERIOD_MS, VOTER_TIMEOUT_MS } from "../../lib/runtime/timing.ts";
import type { ClockSkew, MachineClock } from "./clock.ts";
import type { Dice } from "./dice.ts";
import type { EventQueue } from "./event-queue.ts";
import type { Place } from "./network.ts";
import { Sandbox } from "./sandbox.ts";

const COLD_START_MS = [150, 500] as const;
const WARM_START_MS = [2, 20] as const;

/** One run of the function. */
export interface Invocation {
  readonly name: string;
  readonly sandbox: Sandbox;
  readonly skew: ClockSkew;
  /** World time. */
  readonly startedAt: number;
}

export interface ScheduleWeather {
  /** Events that never come. */
  skipRate: number;
  duplicateRate: number;
  lateMs: number;
}

export interface VoterFunctionOptions {
  readonly voter: string;
  readonly place: Place;
  readonly queue: EventQueue;
  readonly dice: Dice;
  readonly schedule: ScheduleWeather;
  /** The machine's clocks; each invocation's monotonic clock begins anywhere. */
  readonly clock: MachineClock;
  /** Runs the handler until `done`. */
  readonly run: (invocation: Invocation, done: (how: string) => void) => void;
  readonly tell: (name: string, how: "begins" | "ends", why?: string) => void;
}

export class VoterFunction {
  readonly options: VoterFunctionOptions;
  readonly invocations = new Set<Invocation>();
  /** Fault: the schedule brings nothing until then. */
  silentUntil = 0;
  #count = 0;
  #warm: Sandbox | null = null;

  constructor(options: VoterFunctionOptions) {
    this.options = options;
  }

  /** The first event within `withinMs`, then one a period. */
  start(withinMs: number): void {
    const { queue, dice } = this.options;
    queue.after(dice.between(0, withinMs), () => this.#tick());
  }

  #tick(): void {
    const { queue, dice, schedule } = this.options;
    queue.after(SCHEDULE_PERIOD_MS, () => this.#tick());
    if (queue.now < this.silentUntil || dice.chance(schedule.skipRate)) return;
    const copies = dice.chance(schedule.duplicateRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      queue.after(dice.between(0, schedule.lateMs), () => this.invoke());
    }
  }

  invoke(): void {
    const { queue, dice, voter } = this.options;
    this.#count += 1;
    const name = `${voter}/${this.#count}`;
    const warm = this.#warm;
    this.#warm = null;
    // A warm environment wakes with the timers and answers that its last invocation left behind.
    if (warm !== null && dice.chance(0.5)) warm.thaw();
    else warm?.kill();
    const [least, most] = warm === null ? COLD_START_MS : WARM_START_MS;
    queue.after(dice.between(least, most), () => this.#begin(name));
  }

  #begin(name: string): void {
    const { queue, dice, clock, run, tell } = this.options;
    const sandbox = new Sandbox(name, queue, dice);
    const offsetMs = dice.between(1_000, 1_000_000);
    const invocation: Invocation = { name, sandbox, skew: { offsetMs, machine: clock }, startedAt: queue.now };
    this.invocations.add(invocation);
    tell(name, "begins");
    sandbox.onDeath(() => {
      if (this.invocations.delete(invocation)) tell(name, "ends", "killed");
    });
    const limit = queue.after(VOTER_TIMEOUT_MS, () => sandbox.kill());
    sandbox.deliver(() =>
      run(invocation, (how) => {
        limit.cancelled = true;
        this.invocations.delete(invocation);
        tell(name, "ends", how);
        sandbox.freeze();
        this.#warm?.kill();
        this.#warm = sandbox;
      }),
    );
  }

  /** A new version: its environments are new ones, and run beside what still runs of the old. */
  deploy(): void {
    this.#warm?.kill();
    this.#warm = null;
    this.invoke();
  }

  kill(): void {
    for (const invocation of [...this.invocations]) invocation.sandbox.kill();
  }
}
