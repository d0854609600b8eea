import { describe, expect, it } from "vitest";
import { WORST_SECOND } from "./measured.ts";
import { LOSSES, type Requests, worstSecond } from "./worst-second.ts";

describe("the worst second of a group", () => {
  const counted = Object.values(LOSSES).flatMap((plan) => ["1", "2"].map((seed) => worstSecond(plan, seed)));

  it.each(Object.keys(WORST_SECOND) as (keyof Requests)[])("is counted in simulated losses: %s", (what) => {
    const most = Math.max(...counted.map((each) => each[what]));
    expect(most).toBeLessThanOrEqual(WORST_SECOND[what]);
    expect(most).toBeGreaterThan(0.7 * WORST_SECOND[what]);
  });
});
