import { describe, expect, it } from "vitest";
import { readCorpus } from "./corpus.ts";
import { startVoter } from "./scenario.ts";
import { runCase } from "./swarm.ts";

describe("what ever failed", () => {
  it.each(readCorpus())("seed $seed: $found", (known) => {
    const { violations } = runCase(known, startVoter).result;
    expect(violations, `npm run sim -- --seed ${known.seed}`).toEqual([]);
  });

  it("is there once each", () => {
    const seeds = readCorpus().map(({ seed }) => seed);
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(seeds.length).toBeGreaterThan(0);
  });
});
