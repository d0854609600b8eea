// Schedules that a review of operations that nobody can go on with found: they are never in the way of those who can.

import { describe, expect, it } from "vitest";
import { type VoterId, wallTime } from "../../lib/core/types.ts";
import { A, B, C, N1, N2, N3, request, VOTERS, WALL_START } from "./builders.ts";
import { QUICK, World } from "./scripted-world.ts";

/** The primary hangs; the holder has meant n2, and died before it sent anything. */
function meant(survivors: readonly VoterId[]): World {
  const world = new World({ ...QUICK, leaseMs: 2_000 }).watched();
  world.node(N3).priority = 0;
  world.wait(1_500);
  world.node(N1).isHung = true;
  const isMeant = (each: World) => each.ballot.lineage.intents.some((one) => one.node === N2);
  expect(world.run(isMeant, 10_000)).toBe(true);
  for (const voter of VOTERS) world.kill(voter);
  for (const voter of survivors) world.start(voter);
  return world;
}

const cut = (world: World, voter: VoterId, ...nodes: readonly (typeof N1)[]): void => {
  for (const node of nodes) world.partitions.add(`${voter}>${node}`);
};

describe("S11: a lapsed lease", () => {
  it("is left alone by a voter that reaches no node", () => {
    const world = meant([B]);
    cut(world, B, N1, N2, N3);
    const { epoch } = world.ballot;
    world.wait(20_000);
    expect(world.ballot.epoch).toBe(epoch);
    expect(world.voters.get(B)?.state.rejection?.rejection.reason).toBe("cut-off");
    world.start(C);
    expect(world.run((each) => each.ballot.primary?.node === N2, 5_000)).toBe(true);
  });

  it("comes to a voter that reaches the node which another was held by", () => {
    const world = meant([B]);
    cut(world, B, N2);
    const isHeld = (each: World) => each.events.some((event) => event.event === "group.held");
    expect(world.run(isHeld, 20_000)).toBe(true);
    expect(world.voters.get(B)?.state.rejection?.rejection.reason).toBe("unknown-history");
    world.start(A);
    expect(world.run((each) => each.ballot.primary?.node === N2, 60_000)).toBe(true);
  });
});

describe("R25: a person's decision", () => {
  it("ends an operation that its living holder is held in", () => {
    const world = meant(VOTERS);
    world.node(N2).kill();
    const isHeld = (each: World) => each.events.some((event) => event.event === "group.held");
    expect(world.run(isHeld, 20_000)).toBe(true);
    world.node(N3).priority = 100;
    world.request = request({
      kind: "recover",
      target: N3,
      acceptDataLoss: true,
      expiresAt: wallTime(WALL_START + 600_000),
    });
    expect(world.run((each) => each.ballot.primary?.node === N3, 10_000)).toBe(true);
    world.wait(1_000);
    expect(world.answers.map((answer) => answer.kind)).toEqual(["done"]);
  });
});
