// `npm run sim -- --seeds N [--from M]`: runs seeds, prints what was found and one command that replays it.
// `npm run sim -- --seed S [--shrink]`: runs one, with its timeline.

import { parseArgs } from "node:util";
import { describePlan } from "./plan.ts";
import { startVoter } from "./scenario.ts";
import { planOf, runSeed, shrink, story } from "./swarm.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    shrink: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});

function replay(seed: string): void {
  const plan = values.shrink ? shrink(seed, startVoter) : planOf(seed);
  process.stdout.write(`${story(seed, startVoter, plan)}\n`);
}

interface Totals {
  readonly counts: Map<string, number>;
  readonly waits: Map<string, number>;
  failed: number;
  healed: number;
  slowest: number;
}

function count(counts: Map<string, number>, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

function runOne(seed: string, totals: Totals): void {
  const { result } = runSeed({ seed, startVoter });
  for (const [name, times] of result.events) count(totals.counts, name, times);
  for (const reason of result.healedAfterMs === null ? result.waitsFor : []) count(totals.waits, reason);
  if (result.healedAfterMs !== null) {
    totals.healed += 1;
    totals.slowest = Math.max(totals.slowest, result.healedAfterMs);
  }
  const [first] = result.violations;
  if (first === undefined) return;
  totals.failed += 1;
  process.stdout.write(`seed ${seed}: ${first.id} at ${(first.at / 1_000).toFixed(3)} s: ${first.detail}\n`);
  process.stdout.write(`${describePlan(planOf(seed))}\n  replay: npm run sim -- --seed ${seed} --shrink\n`);
}

function runMany(): void {
  const totals: Totals = { counts: new Map(), waits: new Map(), failed: 0, healed: 0, slowest: 0 };
  const [from, seeds] = [Number(values.from), Number(values.seeds)];
  const began = performance.now();
  for (let seed = from; seed < from + seeds; seed++) {
    runOne(String(seed), totals);
    if (totals.failed > 0 && !values.keep) break;
  }
  const seconds = (performance.now() - began) / 1_000;
  const events = [...totals.counts].sort(([left], [right]) => (left < right ? -1 : 1));
  process.stdout.write(`${events.map(([name, times]) => `${name} ${times}`).join(", ")}\n`);
  process.stdout.write(
    `waits for a person: ${[...totals.waits].map(([why, times]) => `${why} ${times}`).join(", ")}\n`,
  );
  process.stdout.write(
    `${seeds} seeds in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(1)}/s), ${totals.healed} healed ` +
      `(slowest ${totals.slowest} ms), ${totals.failed} failed\n`,
  );
  process.exitCode = totals.failed > 0 ? 1 : 0;
}

if (values.seed === undefined) runMany();
else replay(values.seed);
