// Schedules that a review of attempts without a promotion found: none of them leaves a living primary frozen (L4).

import { describe, expect, it } from "vitest";
import { N1, N2, N3, request } from "./builders.ts";
import { QUICK, World } from "./scripted-world.ts";

const serves = (world: World): boolean => world.isSettled() && world.ballot.primary?.node === N1;

describe("S11: an attempt that nobody can win", () => {
  it("ends although a node that it froze has died since", () => {
    const world = new World({ ...QUICK, leaseMs: 3_000 }).watched();
    world.node(N1).isHung = true;
    world.on("grant@2", () => {
      for (const node of [N2, N3]) world.node(node).priority = 0;
    });
    expect(world.run((each) => each.done.includes("freeze n3@2"), 10_000)).toBe(true);
    world.node(N3).kill();
    expect(world.run((each) => each.ballot.operation === null, 10_000)).toBe(true);
  });
});

describe("L4: a primary that is frozen and cannot be replaced", () => {
  it("is given back its place after an order that nobody could carry out", () => {
    const world = new World({ ...QUICK, leaseMs: 3_000 }).watched();
    world.request = request({ kind: "failover", acceptDataLoss: true });
    // Both replicas die once the order has been granted.
    world.on("grant@2", () => {
      world.node(N2).kill();
      world.node(N3).kill();
    });
    expect(world.run((each) => each.done.some((what) => what.startsWith("freeze n1")), 10_000)).toBe(true);
    expect(world.run(serves, 20_000)).toBe(true);
    world.wait(1_000);
    expect(world.answers.map((answer) => answer.kind)).toEqual(["failed"]);
  });

  it("is given back its place when it wakes to the parked freeze of a failover that was given up", () => {
    const world = new World({ ...QUICK, leaseMs: 3_000 }).watched();
    world.node(N1).isHung = true;
    world.on("grant@2", () => {
      world.node(N2).kill();
      world.node(N3).kill();
    });
    const isOver = (each: World) => each.ballot.epoch >= 2 && each.ballot.operation === null;
    expect(world.run(isOver, 20_000)).toBe(true);
    const { runId } = world.node(N1);
    world.node(N1).isHung = false;
    world.node(N1).follow({ host: "127.0.0.2", port: 1 });
    expect(world.run(serves, 30_000)).toBe(true);
    expect(world.node(N1).runId).toBe(runId);
  });

  it("is given back its place, and nobody else is promoted, although the budget is spent", () => {
    const world = new World({ ...QUICK, leaseMs: 3_000, failoverBudget: 1 }).watched();
    world.node(N1).isHung = true;
    world.on("grant@2", () => {
      for (const node of [N2, N3]) world.node(node).priority = 0;
    });
    const isOver = (each: World) => each.ballot.epoch >= 2 && each.ballot.operation === null;
    expect(world.run(isOver, 20_000)).toBe(true);
    expect(world.ballot.budget).toHaveLength(1);
    // They would win over it now, by priority.
    for (const node of [N2, N3]) world.node(node).priority = 1;
    world.node(N1).isHung = false;
    world.node(N1).follow({ host: "127.0.0.2", port: 1 });
    const promoted = (each: World) => each.done.find((what) => what.startsWith("promote"));
    expect(world.run((each) => promoted(each) !== undefined, 30_000)).toBe(true);
    expect(promoted(world)).toMatch(/^promote n1@/);
    expect(world.run(serves, 30_000)).toBe(true);
  });

  it("S9: is given back its place although too few others count to promote one of them", () => {
    const world = new World({ ...QUICK, leaseMs: 3_000, onPossibleLoss: "refuse", waitK: 1 }).watched();
    world.node(N3).kill();
    world.node(N1).follow({ host: "127.0.0.1", port: 1 });
    world.node(N2).kill();
    expect(world.run(serves, 20_000)).toBe(true);
    expect(world.lost()).toEqual([]);
  });
});
