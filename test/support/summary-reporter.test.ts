import { describe, expect, it } from "vitest";
import { parseCounts, summaryLines } from "./summary-reporter.ts";

describe("the end of a run", () => {
  it("is what passed and failed, alone on the last line", () => {
    expect(summaryLines({ passed: 12, failed: 0 }, [])).toEqual(["12 passed, 0 failed"]);
  });

  it("names and counts what was skipped before that", () => {
    const skipped = [
      { name: "a.test.ts > one", reason: "no Java" },
      { name: "b.test.ts > two", reason: "no reason given" },
    ];
    expect(summaryLines({ passed: 12, failed: 3 }, skipped)).toEqual([
      "skipped: a.test.ts > one: no Java",
      "skipped: b.test.ts > two: no reason given",
      "2 skipped, for the reasons above",
      "12 passed, 3 failed",
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
