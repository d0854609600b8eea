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
