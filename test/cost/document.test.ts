import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { elastiCache, ownNodes, sentinelHosts, sentinelProbes } from "./alternatives.ts";
import { DOCUMENT, renderCost } from "./document.ts";

describe("docs/cost.md", () => {
  const text = renderCost();

  it("is what `npm run cost` writes", () => {
    expect(readFileSync(DOCUMENT, "utf8")).toBe(text);
  });

  it("has a figure wherever one belongs", () => {
    expect(text).not.toMatch(/NaN|Infinity|undefined|null/);
  });
});

describe("the alternatives", () => {
  it("are hosts by the hour with their disks, the same for any number of groups", () => {
    // 3 x (730 x 0.0042 + 8 x 0.08)
    expect(sentinelHosts("t4gNanoHour")).toBeCloseTo(11.118, 3);
    expect(sentinelHosts("t4gMicroHour")).toBeCloseTo(20.316, 3);
  });

  it("are nodes by the hour", () => {
    expect(ownNodes("micro", 2)).toBeCloseTo(2 * 20.316, 3);
    // 3 x 730 x 0.0128
    expect(elastiCache("micro", 10)).toBeCloseTo(280.32, 2);
  });

  it("pay for what sentinels send between zones", () => {
    // 3 nodes x (3300 + 6.5 x 208) bytes x 2/3 x 2,628,000 s, in GB and twice 0.01
    expect(sentinelProbes(1)).toBeCloseTo(0.489, 2);
  });
});
