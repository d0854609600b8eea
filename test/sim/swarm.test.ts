// Seeds on every run, and what makes any of them worth something: the same seed writes the same bytes, and together they
// meet the situations in which a bug would show.

import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { runSeeds } from "./crew.ts";
import { startVoter } from "./scenario.ts";
import { tellSeed } from "./story.ts";
import { runSeed, type SeedResult } from "./swarm.ts";

const SEEDS = 400;
const TIMEOUT_MS = 600_000;

describe("the swarm", () => {
  it(
    "S1-S12, L1-L4: no seed breaks a promise",
    async () => {
      const findings: SeedResult[] = [];
      const began = performance.now();
      const onFinding = (result: SeedResult) => findings.push(result);
      const totals = await runSeeds({ from: 1, seeds: SEEDS, workers: availableParallelism(), onFinding });
      process.stdout.write(`${totals.describe((performance.now() - began) / 1_000)}\n`);
      const [found] = findings;
      expect(found?.violations ?? [], `npm run sim -- --seed ${found?.seed} --shrink`).toEqual([]);
      expect(totals.never).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it("writes the same timeline for the same seed, byte for byte", () => {
    for (const seed of ["3", "17"]) expect(tellSeed(seed, startVoter)).toBe(tellSeed(seed, startVoter));
  });

  it("watches a world without changing it: the timeline is not part of what happens", () => {
    const quiet = runSeed({ seed: "5", startVoter }).result;
    expect(runSeed({ seed: "5", startVoter, timeline: true }).result).toEqual(quiet);
  });
});
