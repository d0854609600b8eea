// A few seeds on every run, and what makes any of them worth something: the same seed writes the same bytes.

import { describe, expect, it } from "vitest";
import { startVoter } from "./scenario.ts";
import { runSeed, story } from "./swarm.ts";

const SEEDS = Array.from({ length: 15 }, (_, index) => String(index + 1));

describe("the swarm", () => {
  it("S1-S9, L1: no seed breaks a promise", () => {
    for (const seed of SEEDS) {
      const { violations } = runSeed({ seed, startVoter }).result;
      expect(violations, `npm run sim -- --seed ${seed} --shrink`).toEqual([]);
    }
  });

  it("writes the same timeline for the same seed, byte for byte", () => {
    for (const seed of ["3", "17"]) expect(story(seed, startVoter)).toBe(story(seed, startVoter));
  });

  it("watches a world without changing it: the timeline is not part of what happens", () => {
    const quiet = runSeed({ seed: "5", startVoter }).result;
    expect(runSeed({ seed: "5", startVoter, timeline: true }).result).toEqual(quiet);
  });
});
