// What a run must have shown, each with a made-up run that did not.

import { describe, expect, it } from "vitest";
import { runSeeds, Totals } from "./crew.ts";
import { NOTHING_ASKED } from "./oracle-progress.ts";
import { RARE, SITUATIONS, type Situation } from "./sometimes.ts";
import type { SeedResult } from "./swarm.ts";

const ASKED = Object.fromEntries(Object.keys(NOTHING_ASKED).map((bound) => [bound, 1])) as typeof NOTHING_ASKED;

const result = (changes: Partial<SeedResult> = {}): SeedResult => ({
  seed: "1",
  violations: [],
  events: new Map(),
  situations: new Map(SITUATIONS.map((situation) => [situation, 1])),
  healedAfterMs: 1_000,
  steps: 1,
  simulatedMs: 1,
  waitsFor: [],
  asked: ASKED,
  ...changes,
});

function neverOf(seeds: number, resultOf: (index: number) => SeedResult): readonly string[] {
  const totals = new Totals();
  for (let index = 0; index < seeds; index++) totals.add(resultOf(index));
  return totals.never;
}

describe("what a run must have shown", () => {
  it("is asked of many seeds alone", () => {
    const nothing = result({ situations: new Map(), asked: NOTHING_ASKED });
    expect(neverOf(999, () => nothing)).toEqual([]);
    expect(neverOf(1_000, () => nothing)).toContain("a repair");
    expect(neverOf(1_000, () => result())).toEqual([]);
  });

  it("is every situation, those that are rare from ten thousand seeds on", () => {
    const [rare] = RARE as readonly [Situation];
    const without = result({ situations: new Map([...result().situations].filter(([each]) => each !== rare)) });
    expect(neverOf(9_999, () => without)).toEqual([]);
    expect(neverOf(10_000, () => without)).toEqual([rare]);
  });

  it("is every bound of what must come, asked in five seeds of a thousand", () => {
    for (const [seeds, never] of [
      [5, []],
      [4, ["silenced was asked in 4 seeds alone"]],
    ] as const) {
      const asked = (index: number) => (index < seeds ? ASKED : { ...ASKED, silenced: 0 });
      expect(neverOf(1_000, (index) => result({ asked: asked(index) }))).toEqual(never);
    }
  });

  it("is that few worlds are left to a person", () => {
    const left = result({ healedAfterMs: null, waitsFor: ["unknown-history"] });
    for (const [worlds, never] of [
      [120, []],
      [121, ["121 worlds were left to a person"]],
    ] as const)
      expect(neverOf(1_000, (index) => (index < worlds ? left : result()))).toEqual(never);
  });
});

describe("what a run ends with", () => {
  it("is the line of counts, behind what was not met", () => {
    const totals = new Totals();
    for (let seed = 0; seed < 1_000; seed += 1) totals.add(result({ asked: NOTHING_ASKED }));
    const lines = totals.describe(1).split("\n");
    expect(lines.filter((line) => line.startsWith("not met: ")).length).toBe(1);
    expect(lines.at(-1)).toMatch(/^1000 seeds of .* 0 failed$/);
    expect(new Totals().describe(1)).not.toContain("not met");
  });

  it("says how many worlds healed, and how many were left to a person", () => {
    const totals = new Totals();
    for (const waitsFor of [[], ["unknown-history"], ["unknown-history"], []])
      totals.add(result({ healedAfterMs: waitsFor.length === 0 ? 1_000 : null, waitsFor }));
    expect(totals.describe(1)).toMatch(/, 2 healed \(slowest 1000 ms\), 2 left to a person, 0 failed$/);
  });
});

describe("the threads of a run", () => {
  /** Posts a result for each seed of its share up to `last`, and then does `end`. */
  const workerUpTo = (last: number, end = "", values: Partial<SeedResult> = {}) => {
    const { events, situations, ...plain } = result(values);
    const code = `import { parentPort, workerData } from "node:worker_threads";
      const { from, to, step } = workerData;
      for (let seed = from; seed < to && seed <= ${last}; seed += step)
        parentPort.postMessage({ ...${JSON.stringify(plain)}, seed: String(seed), events: new Map(), situations: new Map() });
      ${end}`;
    return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  };
  const run = (worker: URL, onFinding: (result: SeedResult) => unknown = () => undefined) =>
    runSeeds({ from: 11, seeds: 5, workers: 2, onFinding, worker });

  it("run every seed between them", async () => {
    expect((await run(workerUpTo(15))).seeds).toBe(5);
  });

  it("are ended by what was found, which is told and not that they ended", async () => {
    const violations = [{ id: "S9", at: 1, detail: "lost" }];
    const found: SeedResult[] = [];
    const totals = await run(workerUpTo(12, "setInterval(() => {}, 1_000);", { violations }), (each) =>
      found.push(each),
    );
    expect(totals.failed).toBeGreaterThan(0);
    expect(found[0]).toMatchObject({ violations });
  });

  it("must not end before their share does, however they end", async () => {
    for (const end of ["", "process.exit(0);", "process.exit(3);"])
      await expect(run(workerUpTo(14, end))).rejects.toThrow("left 1 seeds of its share");
    await expect(run(workerUpTo(14, 'throw new Error("out of memory");'))).rejects.toThrow("out of memory");
  });
});
