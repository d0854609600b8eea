// Schedules that a review of switchovers found: who may be un-frozen, and after what.

import { describe, expect, it } from "vitest";
import { A, N1, N2, N3, request } from "./builders.ts";
import { QUICK, World } from "./scripted-world.ts";

/** A switchover to n3 whose primary is frozen with one more byte than n3 will ever get; then `happens`. */
function frozenBeforeTarget(happens: (world: World) => void): World {
  const world = new World({ ...QUICK, leaseMs: 3_000 }).watched();
  world.request = request({ target: N3 });
  expect(world.run(isAboutToFreeze, 5_000)).toBe(true);
  world.node(N3).isLagging = true;
  world.node(N1).log = [...world.node(N1).log, "heartbeat"];
  world.advance();
  expect(world.done.at(-1)).toMatch(/^freeze n1@/);
  happens(world);
  return world;
}

function isAboutToFreeze(world: World): boolean {
  const next = world.next();
  return next?.kind === "carry-out" && next.command.kind === "command-node" && next.command.command.kind === "freeze";
}

describe("R13: a primary that restarts while a switchover has it frozen", () => {
  it("is not un-frozen with the older data that it brought", () => {
    const world = frozenBeforeTarget((each) => {
      each.node(N1).restart({ keepsData: true, fenced: true });
      each.node(N1).log = each.node(N1).log.slice(0, 2);
    });
    expect(world.run((each) => each.isSettled(), 15_000)).toBe(true);
    expect(world.lost()).toEqual([]);
    expect([N2, N3]).toContain(world.ballot.primary?.node);
  });

  it("is not un-frozen by the voter that takes over either", () => {
    const world = frozenBeforeTarget((each) => {
      each.kill(each.ballot.lease?.holder ?? A);
      each.node(N1).restart({ keepsData: true, fenced: true });
      each.node(N1).log = each.node(N1).log.slice(0, 2);
    });
    expect(world.run((each) => each.isSettled(), 15_000)).toBe(true);
    expect(world.lost()).toEqual([]);
    expect([N2, N3]).toContain(world.ballot.primary?.node);
  });
});

describe("the pause of a switchover", () => {
  it("is as long as it takes to read both nodes: the target is not left to its next regular probe", () => {
    const world = new World({ ...QUICK, leaseMs: 3_000 }).watched();
    world.request = request({ target: N3 });
    expect(world.run(isAboutToFreeze, 5_000)).toBe(true);
    const at = (name: string) => world.events.find(({ event }) => event === name)?.at ?? Number.NaN;
    expect(at("switchover.caught-up") - at("switchover.paused")).toBeLessThan(10);
  });
});
