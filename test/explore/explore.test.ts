// Every order of events behind the openings and within the bounds of bounds.ts. That it notices a rule which is taken out:
// test/rules. Larger bounds: `npm run explore`.

import { describe, expect, it } from "vitest";
import type { Command } from "../../lib/core/commands.ts";
import { step } from "../../lib/core/step.ts";
import { addressOf, N3 } from "../core/builders.ts";
import { IN_TESTS, PLANS, type PlanName } from "./bounds.ts";
import { boundsText, documented } from "./document.ts";
import { Exploration } from "./search.ts";
import type { Engine } from "./world.ts";

const LIMIT_MS = 300_000;

describe("the table of README.md", () => {
  it("has a row for each plan there is, with its bounds", () => {
    expect(documented().map(({ name, bounds }) => ({ name, bounds }))).toEqual(
      Object.entries(PLANS).map(([name, plan]) => ({ name, bounds: boundsText(plan) })),
    );
  });
});

/** The shipped step, and what it commands as `change` leaves it. */
const changed =
  (change: (command: Command) => Command | null): Engine =>
  (state, input, context) => {
    const taken = step(state, input, context);
    return { ...taken, commands: taken.commands.flatMap((each) => change(each) ?? []) };
  };

const shortest = (engine: Engine, plan: PlanName) => {
  const [first] = new Exploration(engine, PLANS[plan]).run().findings;
  return { ...first, schedule: first?.schedule.filter((each) => !each.endsWith("(opening)")) };
};

describe("what breaks a promise", () => {
  it("S1: is told with the shortest schedule: a publication of another than was committed", () => {
    const misled = changed((command) =>
      command.kind !== "publish"
        ? command
        : { ...command, publication: { ...command.publication, primary: { node: N3, address: addressOf(N3) } } },
    );
    expect(shortest(misled, "promoted")).toEqual({
      broken: ["S1: n3 was published for epoch 2, whose primary is n2"],
      schedule: ["az-a's commit reaches the table"],
      isShortest: true,
    });
  });

  it("S11, S12: is told with the shortest schedule, where it shows at rest alone: nobody takes over", () => {
    const unhelpful = changed((command) =>
      command.kind === "write-ballot" && command.write.name === "take-over" ? null : command,
    );
    const { broken, schedule, isShortest } = shortest(unhelpful, "crashed");
    expect(broken).toEqual([expect.stringMatching(/^S11, S12: no way back to health/)]);
    expect({ schedule, isShortest }).toEqual({
      schedule: ["az-a dies", "(from here on nothing goes wrong any more)"],
      isShortest: true,
    });
  });
});

describe("every interleaving of the shipped core", () => {
  it.each(IN_TESTS.filter((name) => name !== "bereft"))(
    "S1-S8, S10-S12, L1: breaks no promise and finds back to health, published: %s",
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
