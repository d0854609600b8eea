// Many seeds on several threads, and what they come to: one result after the other as they end, then the sums.

import { Worker } from "node:worker_threads";
import { NOTHING_ASKED } from "./oracle-progress.ts";
import { RARE, SITUATIONS, type Situation } from "./sometimes.ts";
import type { SeedResult } from "./swarm.ts";

/** Every `step`th seed of a range. */
export interface Share {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

export interface CrewOptions {
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
  /** Goes on after a finding. @default false */
  readonly keep?: boolean;
  readonly onFinding: (result: SeedResult) => void;
  /** What runs a share, and posts a `SeedResult` for each of its seeds. @default run-worker.ts */
  readonly worker?: URL;
}

/** So many seeds that what is not rare has to be met, and so many that even what is rare has to be. */
const SOME_SEEDS = 1_000;
const MANY_SEEDS = 10_000;

/** A bound that fewer seeds ask is not checked. */
const LEAST_ASKED = 0.005;
/** More worlds than these must not be excused from healing because a person has to act. */
const MOST_WAITING = 0.12;

export class Totals {
  readonly events = new Map<string, number>();
  readonly waits = new Map<string, number>();
  readonly situations = new Map<Situation, number>(SITUATIONS.map((situation) => [situation, 0]));
  /** In how many seeds each bound of what must come was asked. */
  readonly asked = new Map<string, number>(Object.keys(NOTHING_ASKED).map((bound) => [bound, 0]));
  seeds = 0;
  failed = 0;
  healed = 0;
  slowestMs = 0;
  simulatedMs = 0;

  add(result: SeedResult): void {
    this.seeds += 1;
    this.simulatedMs += result.simulatedMs;
    for (const [name, times] of result.events) count(this.events, name, times);
    for (const [name, times] of result.situations) count(this.situations, name, times);
    for (const [bound, times] of Object.entries(result.asked)) count(this.asked, bound, Math.min(times, 1));
    if (result.violations.length > 0) this.failed += 1;
    if (result.healedAfterMs === null) {
      for (const reason of result.waitsFor) count(this.waits, reason, 1);
    } else {
      this.healed += 1;
      this.slowestMs = Math.max(this.slowestMs, result.healedAfterMs);
    }
  }

  /** Worlds that neither healed nor broke a promise: they wait for a person. */
  get #waiting(): number {
    return this.seeds - this.healed - this.failed;
  }

  /** What these seeds had to show and did not: situations, bounds that were asked, worlds that healed. */
  get never(): readonly string[] {
    if (this.seeds < SOME_SEEDS) return [];
    const expected = this.seeds >= MANY_SEEDS ? SITUATIONS : SITUATIONS.filter((each) => !RARE.includes(each));
    const few = [...this.asked].filter(([, seeds]) => seeds < this.seeds * LEAST_ASKED);
    return [
      ...expected.filter((each) => this.situations.get(each) === 0),
      ...few.map(([bound, seeds]) => `${bound} was asked in ${seeds} seeds alone`),
      ...(this.#waiting > this.seeds * MOST_WAITING ? [`${this.#waiting} worlds were left to a person`] : []),
    ];
  }

  /** What happened at all, then the one line. */
  describe(seconds: number): string {
    const met = [...this.situations.values()].filter((times) => times > 0).length;
    const never = SITUATIONS.filter((each) => this.situations.get(each) === 0);
    const simulated = this.simulatedMs / 1_000;
    const speed = `${(this.seeds / seconds).toFixed(1)} seeds/s, ${(simulated / seconds).toFixed(0)} simulated s/s`;
    return [
      listed(this.events),
      `waits for a person: ${listed(this.waits)}`,
      `sometimes: ${listed(this.situations)}`,
      `asked, in seeds: ${listed(this.asked)}`,
      ...(this.never.length === 0 ? [] : [`not met: ${this.never.join(", ")}`]),
      `${met} of ${SITUATIONS.length} situations met${never.length === 0 ? "" : `; never: ${never.join(", ")}`}`,
      `${this.seeds} seeds of ${(simulated / this.seeds).toFixed(1)} simulated s in ${seconds.toFixed(1)} s (${speed}), ` +
        `${this.healed} healed ` +
        `(slowest ${this.slowestMs} ms), ${this.#waiting} left to a person, ${this.failed} failed`,
    ].join("\n");
  }
}

function count<T extends string>(counts: Map<T, number>, name: T, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

const listed = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, times]) => `${name} ${times}`)
    .join(", ");

const WORKER = new URL("./run-worker.ts", import.meta.url);

export async function runSeeds({
  from,
  seeds,
  workers,
  keep,
  onFinding,
  worker = WORKER,
}: CrewOptions): Promise<Totals> {
  const totals = new Totals();
  const onResult = (result: SeedResult) => {
    totals.add(result);
    if (result.violations.length > 0) onFinding(result);
    return keep === true || totals.failed === 0;
  };
  const shares = Array.from({ length: workers }, (_, first) => ({
    from: from + first,
    to: from + seeds,
    step: workers,
  }));
  await Promise.all(shares.map((share) => runShare(worker, share, onResult)));
  return totals;
}

/** Nearly all that a world makes is dropped at once: with room for it, there is little to collect. */
const LIMITS = { maxYoungGenerationSizeMb: 64 };

/** In a thread of its own, until `onResult` wants no more. A thread that ends before is an error: seeds that nobody ran. */
function runShare(code: URL, share: Share, onResult: (result: SeedResult) => boolean): Promise<void> {
  let left = Math.max(0, Math.ceil((share.to - share.from) / share.step));
  return new Promise((resolve, reject) => {
    const worker = new Worker(code, {
      workerData: share,
      resourceLimits: LIMITS,
    });
    worker.on("message", (result: SeedResult) => {
      left -= 1;
      if (onResult(result)) return;
      // What ends it is known: nobody waits for the rest of its share.
      left = 0;
      worker.terminate().then(() => resolve(), reject);
    });
    worker.on("error", reject);
    worker.on("exit", (exitCode) => {
      if (left <= 0) return resolve();
      reject(new Error(`a worker ended with exit code ${exitCode} and left ${left} seeds of its share`));
    });
  });
}
