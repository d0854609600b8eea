// Seeds on every run, and what makes any of them worth something: the same seed writes the same bytes, and together they
// meet the situations in which a bug would show.

import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { baseOfCommit, freshBase } from "../support/fresh-seeds.ts";
import { runSeeds } from "./crew.ts";
import { shrunk, tellFinding } from "./finding.ts";
import { startVoter } from "./scenario.ts";
import { tellSeed } from "./story.ts";
import { caseOf, runSeed, type SeedResult } from "./swarm.ts";

/** So many that every situation that is not rare is met many times. */
const SEEDS = 2_000;
const TIMEOUT_MS = 1_200_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

describe("the swarm", () => {
  it(
    "S1-S12, L1-L4: no seed breaks a promise",
    async () => {
      const findings: SeedResult[] = [];
      const began = performance.now();
      const onFinding = (result: SeedResult) => findings.push(result);
      const from = freshBase();
      say(`fresh seeds from ${from}: npm run sim -- --seeds ${SEEDS} --from ${from}`);
      const totals = await runSeeds({ from, seeds: SEEDS, workers: availableParallelism(), onFinding });
      say(totals.describe((performance.now() - began) / 1_000));
      const [found] = findings;
      if (found !== undefined) tellFinding(shrunk(caseOf(found.seed), say), say);
      expect(found?.violations ?? [], `npm run sim -- --seed ${found?.seed} --shrink`).toEqual([]);
      expect(totals.seeds).toBe(SEEDS);
      expect(totals.never).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it("takes other seeds for each commit, all of them exact numbers", () => {
    const [one, other] = ["0acfa39d9".padEnd(40, "0"), "fffffffff".padEnd(40, "f")].map(baseOfCommit) as [
      number,
      number,
    ];
    expect(Math.abs(one - other)).toBeGreaterThan(SEEDS);
    expect([one, other].every((base) => Number.isSafeInteger(base + SEEDS))).toBe(true);
  });

  it("writes the same timeline for the same seed, byte for byte", () => {
    for (const seed of ["3", "17"]) expect(tellSeed(seed, startVoter)).toBe(tellSeed(seed, startVoter));
  });

  it("watches a world without changing it: the timeline is not part of what happens", () => {
    const quiet = runSeed({ seed: "5", startVoter }).result;
    expect(runSeed({ seed: "5", startVoter, timeline: true }).result).toEqual(quiet);
  });
});
