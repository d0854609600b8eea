// Every interleaving within the bounds of bounds.ts, and the same worlds with a rule taken out of core: the exploration
// has to notice that. Larger bounds: `npm run explore`.

import { describe, expect, it } from "vitest";
import { step } from "../../lib/core/step.ts";
import { PLANS } from "./bounds.ts";
import { engineWithout } from "./broken.ts";
import { Exploration, type Found } from "./search.ts";

const LIMIT_MS = 300_000;
const firstOf = ({ findings }: Found): string => findings[0]?.broken[0] ?? "nothing";

describe("every interleaving of the shipped core", () => {
  it.each(["granted", "lost", "crashed", "promoted", "restarted", "uneven", "dying", "restarting", "handed"] as const)(
    "S1-S8, S10-S12: breaks no promise and finds back to health: %s",
    { timeout: LIMIT_MS },
    (name) => {
      const found = new Exploration(step, PLANS[name]).run();
      expect({ findings: found.findings, isComplete: found.isComplete }).toEqual({ findings: [], isComplete: true });
      expect({ healed: found.healed, waiting: [...found.waiting] }).toEqual({ healed: found.rested, waiting: [] });
      expect(found.rested).toBeGreaterThan(10);
    },
  );

  it("S9, S12: keeps what was acknowledged, and waits for a person where that is in doubt", {
    timeout: LIMIT_MS,
  }, () => {
    const found = new Exploration(step, PLANS.bereft).run();
    expect({ findings: found.findings, isComplete: found.isComplete }).toEqual({ findings: [], isComplete: true });
    const reason = "cold-start-waiting";
    expect([...found.waiting.keys()]).toEqual([`${reason},${reason},${reason}`]);
    expect(found.healed).toBeGreaterThan(10);
  });
});

describe("core without a rule", () => {
  it.each([
    ["S3", "quiet", "S3: failover of epoch 2 began with 1 votes"],
    ["R2", "apart", 'S9: n2 with "w" is made primary, and "w1" was acknowledged'],
    ["R4", "bereft", 'S9: n2 with "w" is made primary, and "w1" was acknowledged'],
    ["R11", "ordered", 'R11: n2 with "w" took over by a switchover from n1 with "w1"'],
    ["R9", "restarted", "S4: freeze of epoch 2 took effect on n2 behind one of 3"],
    ["S6", "uneven", "S6: n2 was meant although n3, frozen as well, has more"],
    ["R24", "promoted", "R24: commit of n2 under 3, and epoch 2 was the last to reach it"],
    ["S11", "crashed", "S11, S12: no way back to health, and az-a, az-b, az-c give no reason"],
  ] as const)("%s is noticed in %s, with a schedule", { timeout: LIMIT_MS }, async (rule, plan, broken) => {
    const found = new Exploration(await engineWithout(rule), PLANS[plan]).run();
    expect(firstOf(found)).toBe(broken);
    expect(found.findings[0]?.schedule.length).toBeGreaterThan(PLANS[plan].opening.length);
  });

  it("refuses to take out what is not there", async () => {
    await expect(engineWithout("R99")).rejects.toThrow("no rule R99");
  });
});
