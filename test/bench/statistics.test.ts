import { describe, expect, it } from "vitest";
import { judge, ratio, summarize } from "./statistics.ts";

describe("a summary", () => {
  it("is the middle value of an odd number, in whatever order they came", () => {
    expect(summarize([9, 1, 5])).toEqual({ n: 3, min: 1, median: 5, max: 9 });
  });

  it("is between the two middle ones of an even number", () => {
    expect(summarize([4, 1, 3, 100])).toEqual({ n: 4, min: 1, median: 3.5, max: 100 });
  });

  it("of nothing is nothing, not 0", () => {
    expect(summarize([])).toBeNull();
  });
});

describe("a ratio", () => {
  it("is of the medians", () => {
    expect(ratio(summarize([1, 2, 90]), summarize([4, 8, 9]))).toBe(0.25);
  });

  it("to nothing, or to 0, says nothing", () => {
    expect(ratio(summarize([1]), null)).toBeNull();
    expect(ratio(summarize([1]), summarize([0]))).toBeNull();
  });
});

describe("a goal", () => {
  it.each([
    [[1, 2, 10], "yes"],
    [[1, 2, 11], "median only"],
    [[1, 11, 12], "no"],
    [[], "not measured"],
  ] as const)("of at most 10 with %j: %s", (values, reached) => {
    expect(judge(summarize(values), 10)).toBe(reached);
  });
});
