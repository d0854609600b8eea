import { describe, expect, it } from "vitest";
import { closestName } from "../../lib/core/closest-name.ts";

describe("closestName", () => {
  it.each([
    ["one letter replaced", "modd", "mode"],
    ["one letter left out", "mde", "mode"],
    ["one letter too many", "moode", "mode"],
    ["two letters changed", "m0d3", "mode"],
    ["another case, and what only separates words", "M_O-D_E", "mode"],
    ["an ending left off, however long", "unreachable", "unreachableAfterMs"],
    ["an ending too many, however long", "leaseMsInMilliseconds", "leaseMs"],
    ["four letters that are only its beginning", "unre", "unreachableAfterMs"],
  ])("finds a name with %s: %s", (_, given, meant) => {
    expect(closestName(given, ["leaseMs", "mode", "unreachableAfterMs"])).toBe(meant);
  });

  it.each([
    ["three letters changed in a short one", "abce", ["mode"]],
    ["three letters that are only its beginning", "unr", ["unreachableAfterMs"]],
    ["its ending alone", "AfterMs", ["unreachableAfterMs"]],
    ["a word that ends like it", "downMode", ["mode"]],
    ["nothing to compare with", "mode", []],
  ])("finds none by %s", (_, given, known) => {
    expect(closestName(given, known)).toBe(null);
  });

  it("finds a long one with a third of its letters changed, and no more", () => {
    expect(closestName("abcdefghiXYZ", ["abcdefghi123"])).toBe("abcdefghi123");
    expect(closestName("abcdefgWXYZ0", ["abcdefg12345"])).toBe(null);
  });

  it("prefers the fewest changes, and of equals the first", () => {
    expect(closestName("modus", ["mudas", "modes"])).toBe("modes");
    expect(closestName("mode3", ["mode2", "mode1"])).toBe("mode2");
  });

  it("counts what is inserted at either end", () => {
    expect(closestName("xcaB", ["cab"])).toBe("cab");
    expect(closestName("", ["ab", "a"])).toBe("a");
  });

  it("looks at the first 64 letters only", () => {
    const name = "n".repeat(64);
    expect(closestName(`${name}${"x".repeat(500)}`, [name])).toBe(name);
    const near = `${"n".repeat(62)}zz`;
    expect(closestName(`${name}${"x".repeat(500)}`, [near])).toBe(near);
    expect(closestName(`xy${name}`, [`xy${name}`.slice(0, 64)])).not.toBe(null);
  });
});
