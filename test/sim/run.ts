// `npm run sim -- --seeds N [--from M] [--keep]`: runs seeds on every core, prints what was found and the one command
// that replays it, and ends with one line of counts; stops at the first finding unless `--keep`.
// `npm run sim -- --seed S [--shrink]`: runs one seed and prints its timeline.

import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { describePlan } from "./plan.ts";
import { startVoter } from "./scenario.ts";
import { planOf, type SeedResult, shrink, story } from "./swarm.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    workers: { type: "string", default: String(availableParallelism()) },
    seed: { type: "string" },
    shrink: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});

function replay(seed: string): void {
  const plan = values.shrink ? shrink(seed, startVoter) : planOf(seed);
  process.stdout.write(`${story(seed, startVoter, plan)}\n`);
}

class Totals {
  readonly events = new Map<string, number>();
  readonly waits = new Map<string, number>();
  seeds = 0;
  failed = 0;
  healed = 0;
  slowestMs = 0;

  add(result: SeedResult): void {
    this.seeds += 1;
    for (const [name, times] of result.events) count(this.events, name, times);
    if (result.healedAfterMs === null) {
      for (const reason of result.waitsFor) count(this.waits, reason, 1);
    } else {
      this.healed += 1;
      this.slowestMs = Math.max(this.slowestMs, result.healedAfterMs);
    }
    if (result.violations.length > 0) this.#tell(result);
  }

  #tell({ seed, violations: [first] }: SeedResult): void {
    this.failed += 1;
    if (first === undefined) return;
    process.stdout.write(`seed ${seed}: ${first.id} at ${(first.at / 1_000).toFixed(3)} s: ${first.detail}\n`);
    process.stdout.write(`${describePlan(planOf(seed))}\n  replay: npm run sim -- --seed ${seed} --shrink\n`);
  }

  /** What happened at all, then the one line. */
  print(seconds: number): void {
    process.stdout.write(`${listed(this.events)}\nwaits for a person: ${listed(this.waits)}\n`);
    process.stdout.write(
      `${this.seeds} seeds in ${seconds.toFixed(1)} s (${(this.seeds / seconds).toFixed(1)}/s), ${this.healed} healed ` +
        `(slowest ${this.slowestMs} ms), ${this.failed} failed\n`,
    );
  }
}

const count = (counts: Map<string, number>, name: string, by: number): void => {
  counts.set(name, (counts.get(name) ?? 0) + by);
};

const listed = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, times]) => `${name} ${times}`)
    .join(", ");

async function runMany(): Promise<void> {
  const [from, seeds, workers] = [values.from, values.seeds, values.workers].map(Number) as [number, number, number];
  const totals = new Totals();
  const began = performance.now();
  await Promise.all(
    Array.from({ length: workers }, (_, first) =>
      runShare({ from: from + first, to: from + seeds, step: workers }, totals),
    ),
  );
  totals.print((performance.now() - began) / 1_000);
  process.exitCode = totals.failed > 0 ? 1 : 0;
}

/** Every `step`th seed, in a thread of its own. */
function runShare(
  share: { readonly from: number; readonly to: number; readonly step: number },
  totals: Totals,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./run-worker.ts", import.meta.url), { workerData: share });
    worker.on("message", (result: SeedResult) => {
      totals.add(result);
      if (totals.failed > 0 && !values.keep) worker.terminate().then(() => resolve(), reject);
    });
    worker.on("error", reject);
    worker.on("exit", () => resolve());
  });
}

if (values.seed === undefined) await runMany();
else replay(values.seed);
