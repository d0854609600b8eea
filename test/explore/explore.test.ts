// Every interleaving within the bounds of bounds.ts. That it notices a rule which is taken out: test/rules. Larger bounds:
// `npm run explore`.

import { describe, expect, it } from "vitest";
import { step } from "../../lib/core/step.ts";
import { PLANS } from "./bounds.ts";
import { Exploration } from "./search.ts";

const LIMIT_MS = 300_000;

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
