// The thread of thread.ts. Nothing that is to run without a rule may be loaded before the rule is taken out, so all of it is
// imported afterwards.

import { parentPort, workerData } from "node:worker_threads";
import { failingTests } from "./failing-tests.ts";
import { takeOut } from "./removal.ts";
import { removalOf } from "./removals.ts";
import type { Caught, Task, Work } from "./thread.ts";

/** A schedule says when to within a part of a millisecond; what a packet takes is drawn by the seed. */
const SEEDS_OF_A_SCHEDULE = 6;

const { without, task } = workerData as Work;
const removal = without === null ? null : removalOf(without);
if (removal !== null) takeOut(removal);

function run(what: Task): Promise<Caught | null> {
  switch (what.kind) {
    case "schedule":
      return runSchedule(what.rule, what.seed);
    case "exploration":
      return explore(what.plan, what.states);
    case "seeds":
      return runSeeds(what.from, what.seeds);
    case "tests":
      return runTests(what.file, what.named);
  }
}

async function runSchedule(rule: string, only: string | undefined): Promise<Caught | null> {
  const { scheduleOf } = await import("./schedules.ts");
  const { runCase } = await import("../sim/swarm.ts");
  const { startVoter } = await import("../sim/scenario.ts");
  const schedule = scheduleOf(rule);
  if (schedule === undefined) throw new RangeError(`no schedule was written for ${rule}`);
  const { seed } = schedule.case;
  const more = Array.from({ length: SEEDS_OF_A_SCHEDULE - 1 }, (_, index) => `${seed}/${index + 1}`);
  for (const each of only === undefined ? [seed, ...more] : [only]) {
    const done = runCase({ ...schedule.case, seed: each }, startVoter);
    const [violation] = done.result.violations;
    if (violation !== undefined) return { breaks: violation.id, detail: violation.detail, by: each };
    const ending = schedule.ends?.(done) ?? null;
    if (ending !== null) return { breaks: schedule.breaks, detail: ending, by: each };
  }
  return null;
}

async function explore(name: string, states: number): Promise<Caught | null> {
  const { step } = await import("../../lib/core/step.ts");
  const { PLANS } = await import("../explore/bounds.ts");
  const { Exploration } = await import("../explore/search.ts");
  const plan = Object.entries(PLANS).find(([each]) => each === name)?.[1];
  if (plan === undefined) throw new RangeError(`no plan ${name}`);
  const { findings } = new Exploration(step, { ...plan, states: Math.min(states, plan.states) }).run();
  const [found] = findings[0]?.broken ?? [];
  if (found === undefined) return null;
  const [breaks = "", ...detail] = found.split(": ");
  return { breaks, detail: detail.join(": "), by: name };
}

async function runSeeds(from: number, seeds: number): Promise<Caught | null> {
  const { runSeed } = await import("../sim/swarm.ts");
  const { startVoter } = await import("../sim/scenario.ts");
  for (let seed = from; seed < from + seeds; seed += 1) {
    const [violation] = runSeed({ seed: String(seed), startVoter }).result.violations;
    if (violation !== undefined) return { breaks: violation.id, detail: violation.detail, by: `${seed}` };
  }
  return null;
}

async function runTests(file: string, named: string | undefined): Promise<Caught | null> {
  const [first] = await failingTests(removal, file, named);
  return first === undefined ? null : { breaks: first.name, detail: first.said, by: file };
}

parentPort?.postMessage(await run(task));
