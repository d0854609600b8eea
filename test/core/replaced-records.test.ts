// Schedules that the simulation found with records that people replace: a ballot that is deleted by hand.

import { describe, expect, it } from "vitest";
import { N1, VOTERS } from "./builders.ts";
import { QUICK, World } from "./scripted-world.ts";

describe("S2, R19: a group whose record was deleted", () => {
  it("is adopted above what was published since the same invocations adopted it first", () => {
    const world = new World({ ...QUICK, leaseMs: 3_000 }).replicated();
    for (const voter of VOTERS) world.start(voter);
    expect(world.run((each) => each.item !== null && each.ballot.armed, 10_000)).toBe(true);
    world.node(N1).kill();
    const isOver = (each: World) => each.ballot.primary?.node !== N1 && each.ballot.operation === null;
    expect(world.run(isOver, 10_000)).toBe(true);
    world.wait(500);
    const published = world.published?.epoch ?? 0;
    expect(published).toBeGreaterThan(1);
    world.item = null;
    expect(world.run((each) => each.item !== null && each.ballot.primary !== null, 10_000)).toBe(true);
    expect(world.ballot.primary?.epoch).toBeGreaterThan(published);
  });
});
