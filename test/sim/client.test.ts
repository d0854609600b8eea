// Applications of a simulation, which the promises about writes rest on.

import { expect, it } from "vitest";
import { Scenario } from "./scenario.ts";

it("writes one value after the other, also after its connection was closed between two of them", () => {
  const scenario = new Scenario("1", {});
  const { log, queue } = scenario.world;
  for (let times = 0; times < 50; times += 1) {
    scenario.run(37);
    scenario.world.node("n1").process?.resetConnectionsOf("client:plain");
  }
  const begin = queue.now;
  scenario.run(10_000);
  const written = log.records.filter(({ client, sentAt }) => client === "plain" && sentAt > begin);
  // 100 ms apart, give or take a fifth.
  expect(written.length).toBeGreaterThan(80);
  expect(written.length).toBeLessThan(125);
});

it("is told of as many replicas as had a write when its wait was over, and no more", () => {
  const two = { name: "careful-too", zone: "az-c", waitFor: 2, everyMs: 500, habit: "follow" } as const;
  const scenario = new Scenario("1", { clients: [two] });
  const levelsFrom = (from: number): ReadonlySet<number> => {
    scenario.run(3_000);
    return new Set(scenario.world.log.records.filter(({ sentAt }) => sentAt >= from).map(({ level }) => level));
  };
  const { queue } = scenario.world;
  expect(Math.max(...levelsFrom(queue.now))).toBe(2);
  scenario.world.node("n3").kill();
  scenario.run(1_000);
  const alone = levelsFrom(queue.now);
  expect(alone.has(1)).toBe(true);
  expect(alone.has(2)).toBe(false);
});
