// `npm run sim -- --seeds N [--from M] [--keep]`: runs seeds on every core, prints what was found and the one command
// that replays it, and ends with one line of counts; stops at the first finding unless `--keep`. Enough seeds that do not
// meet what must sometimes be met fail as well.
// `npm run sim -- --seed S [--shrink]`: runs one seed and prints its timeline.

import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { runSeeds } from "./crew.ts";
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

function tell({ seed, violations: [first] }: SeedResult): void {
  if (first === undefined) return;
  process.stdout.write(`seed ${seed}: ${first.id} at ${(first.at / 1_000).toFixed(3)} s: ${first.detail}\n`);
  process.stdout.write(`${describePlan(planOf(seed))}\n  replay: npm run sim -- --seed ${seed} --shrink\n`);
}

async function runMany(): Promise<void> {
  const [from, seeds, workers] = [values.from, values.seeds, values.workers].map(Number) as [number, number, number];
  const began = performance.now();
  const totals = await runSeeds({ from, seeds, workers, keep: values.keep, onFinding: tell });
  process.stdout.write(`${totals.describe((performance.now() - began) / 1_000)}\n`);
  if (totals.never.length > 0) process.stdout.write(`not met: ${totals.never.join(", ")}\n`);
  process.exitCode = totals.failed > 0 || totals.never.length > 0 ? 1 : 0;
}

if (values.seed === undefined) await runMany();
else replay(values.seed);
