// A world is excused from healing by a reason that a person has to end: one that is true of it, and not any that is told.

import { beforeAll, describe, expect, it } from "vitest";
import type { RejectionReason } from "../../lib/core/rejection.ts";
import { GROUP } from "./group.ts";
import { Scenario, type ScenarioOptions } from "./scenario.ts";
import { waitsForPerson } from "./settled.ts";

/** What voters say, whatever they see. */
function said(scenario: Scenario, reason: RejectionReason): readonly string[] {
  const { slots } = scenario.world.table;
  for (const [key, slot] of slots) {
    const view = slot.groups[GROUP];
    if (view === undefined) continue;
    const rejection = { reason, detail: "said", ends: "never", check: null, sinceMs: 0 };
    slots.set(key, { ...slot, groups: { ...slot.groups, [GROUP]: { ...view, rejection } } });
  }
  return waitsForPerson(scenario.world);
}

const REASONS = [
  "not-armed",
  "adoption-refused",
  "misconfigured",
  "possible-loss-refused",
  "cold-start-waiting",
  "unexplained-primary",
  "unknown-history",
  "foreign-table",
  "budget-spent",
] as const;

describe("L1: what excuses a world that does not settle", () => {
  let healthy: Scenario;

  beforeAll(() => {
    healthy = new Scenario("excuses", { config: { onPossibleLoss: "refuse", waitK: 1, coldStart: "wait" } });
  });

  it.each(REASONS)("%s is not believed of a healthy world", (reason) => {
    expect(said(healthy, reason)).toEqual([]);
  });

  const lost = (options: ScenarioOptions) => {
    const scenario = new Scenario("excuses", options);
    scenario.world.node("n1").kill();
    return scenario;
  };

  it.each([
    ["cold-start-waiting", { coldStart: "wait" }, { coldStart: "best" }],
    ["possible-loss-refused", { onPossibleLoss: "refuse", waitK: 1 }, { onPossibleLoss: "promote" }],
  ] as const)("%s is believed where the primary is lost and the group is declared so", (reason, config, other) => {
    expect(said(lost({ config }), reason)).toEqual([reason]);
    expect(said(lost({ config: other }), reason)).toEqual([]);
  });

  it("budget-spent is believed of a record that shows it", () => {
    const scenario = lost({ config: { failoverBudget: 1 } });
    expect(said(scenario, "budget-spent")).toEqual([]);
    const item = scenario.world.table.ballot(GROUP);
    const budget = [{ epoch: 2, at: 0, promoted: true }];
    scenario.world.table.putBallot(GROUP, { ...item, budget });
    expect(said(scenario, "budget-spent")).toEqual(["budget-spent"]);
  });
});
