// Every order of events behind the openings and within the bounds of bounds.ts. That it notices a rule which is taken out: test/rules. Larger bounds:
// `npm run explore`.

import { describe, expect, it } from "vitest";
import { step } from "../../lib/core/step.ts";
import { IN_TESTS, PLANS } from "./bounds.ts";
import { boundsText, documented } from "./document.ts";
import { Exploration } from "./search.ts";

const LIMIT_MS = 300_000;

describe("the table of README.md", () => {
  it("has a row for each plan there is, with its bounds", () => {
    expect(documented().map(({ name, bounds }) => ({ name, bounds }))).toEqual(
      Object.entries(PLANS).map(([name, plan]) => ({ name, bounds: boundsText(plan) })),
    );
  });
});

describe("every interleaving of the shipped core", () => {
  it.each(IN_TESTS.filter((name) => name !== "bereft"))(
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
