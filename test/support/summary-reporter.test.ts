import { describe, expect, it } from "vitest";
import { parseBegan, parseCounts, summaryLines, tookText } from "./summary-reporter.ts";

describe("the end of a run", () => {
  it("is what passed and failed, alone on the last line", () => {
    expect(summaryLines({ passed: 12, failed: 0 }, [], "took a while")).toEqual([
      "took a while",
      "12 passed, 0 failed",
    ]);
  });

  it("names and counts what was skipped before that", () => {
    const skipped = [
      { name: "a.test.ts > one", reason: "no Java" },
      { name: "b.test.ts > two", reason: "no reason given" },
    ];
    expect(summaryLines({ passed: 12, failed: 3 }, skipped, "took a while")).toEqual([
      "skipped: a.test.ts > one: no Java",
      "skipped: b.test.ts > two: no reason given",
      "2 skipped, for the reasons above",
      "took a while",
      "12 passed, 3 failed",
    ]);
  });

  it("says how long it took, from when npm test was started where that is known", () => {
    expect(tookText(1_325_400, 2)).toBe("took 22 min 5 s on 2 cores");
    expect([parseBegan("1700000000000"), parseBegan(undefined), parseBegan("nonsense")]).toEqual([
      1_700_000_000_000,
      null,
      null,
    ]);
  });

  it.each([
    ["5,1", { passed: 5, failed: 1 }],
    [undefined, { passed: 0, failed: 0 }],
    ["nonsense", { passed: 0, failed: 0 }],
  ])("counts the checks that ran before the tests: %s", (text, counts) => {
    expect(parseCounts(text)).toEqual(counts);
  });
});
