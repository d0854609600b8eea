// Schedules that a review of commands that fail again and again found: every try has a last one, and says so (T-P04).

import { describe, expect, it } from "vitest";
import type { DeclaredConfig } from "../../lib/core/config.ts";
import type { NodeId } from "../../lib/core/types.ts";
import { A, N1, N2, N3, request } from "./builders.ts";
import { QUICK, World } from "./scripted-world.ts";

/** The primary dies; these nodes refuse to be promoted. */
function refusing(...nodes: readonly NodeId[]): World {
  const world = new World({ ...QUICK, leaseMs: 3_000 }).watched();
  world.node(N3).isLagging = true;
  world.write();
  world.wait(300);
  world.node(N3).isLagging = false;
  for (const id of nodes) {
    const node = world.node(id);
    const execute = node.execute.bind(node);
    node.execute = (command, now) =>
      command.kind === "promote" ? { kind: "refused", detail: "NOPERM", reading: null } : execute(command, now);
  }
  world.node(N1).kill();
  return world;
}

describe("a candidate that refuses to be promoted", () => {
  it("is left out after three tries, and the next best is promoted", () => {
    const world = refusing(N2);
    expect(world.run((each) => each.ballot.primary?.node === N3, 5_000)).toBe(true);
    expect(world.events.filter((each) => each.event === "promotion.failed" && each.node === N2)).toHaveLength(3);
    expect(world.events.find((each) => each.event === "candidate.selected" && each.node === N3)?.detail).toMatchObject({
      notChosen: expect.stringContaining("n2: promoting it has failed"),
    });
  });

  it("ends the attempt when there is no other, and S12: the reason is what it says", () => {
    const world = refusing(N2, N3);
    const isOver = (each: World) => each.ballot.epoch >= 2 && each.ballot.operation === null;
    expect(world.run(isOver, 10_000)).toBe(true);
    expect(world.events.filter((each) => each.event === "promotion.failed")).toHaveLength(6);
    expect(world.ballot.budget.map((each) => each.promoted)).toEqual([false]);
  });
});

/** A switchover to n2, whose rules refuse REPLICAOF from then on. */
function forbidden(settings: Partial<DeclaredConfig> = {}): World {
  const world = new World({ ...QUICK, leaseMs: 3_000, ...settings }).watched();
  world.node(N2).forbidsReplicaof = true;
  world.request = request({ target: N2 });
  return world;
}

/** The primary serves again, the record is quiet, and it is the process that it was. */
const isBack = (world: World): boolean =>
  world.node(N1).role === "primary" && world.ballot.primary?.node === N1 && world.ballot.operation === null;

describe("L4: a switchover to a node that refuses REPLICAOF", () => {
  it("gives the primary its place back, and the answer says what the target refused", () => {
    const world = forbidden();
    expect(world.run((each) => each.done.includes("freeze n1@2"), 5_000)).toBe(true);
    const frozenAt = world.now;
    expect(world.run(isBack, 5_000)).toBe(true);
    expect(world.now - frozenAt).toBeLessThan(1_500);
    world.wait(1_000);
    expect(world.answers.map(({ kind, detail }) => [kind, detail])).toEqual([
      ["failed", "n2 refused to be promoted: NOPERM"],
    ]);
    expect(world.lost()).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  it("R21: gives it back by the voter that takes over, which settles the target where it cannot freeze it", () => {
    const world = forbidden({ onPossibleLoss: "refuse", waitK: 1 });
    world.on("record-intent@2", () => world.kill(world.ballot.lease?.holder ?? A));
    expect(world.run((each) => each.done.includes("record-intent@2"), 5_000)).toBe(true);
    expect(world.run(isBack, 15_000)).toBe(true);
    expect(world.done.filter((what) => what.startsWith("settle n2@"))).not.toEqual([]);
    expect(world.violations).toEqual([]);
  });

  it("is a failover to another where the primary is to be replaced all the same", () => {
    const world = forbidden();
    world.request = request({ kind: "failover", target: null, acceptDataLoss: true });
    expect(world.run((each) => each.ballot.primary?.node === N3 && each.ballot.operation === null, 10_000)).toBe(true);
    expect(world.lost()).toEqual([]);
  });
});

describe("L4: a failover whose candidate begins to refuse REPLICAOF", () => {
  it("gives an old primary that comes back its place although the candidate cannot be frozen", () => {
    const world = new World({ ...QUICK, leaseMs: 3_000, onPossibleLoss: "refuse", waitK: 2 }).watched();
    world.node(N3).kill();
    world.node(N1).isHung = true;
    // It cannot win as a candidate: only its old place is left.
    world.node(N1).priority = 0;
    world.on("record-intent@2", () => {
      world.node(N2).forbidsReplicaof = true;
      world.node(N1).isHung = false;
    });
    expect(world.run((each) => each.done.includes("record-intent@2"), 5_000)).toBe(true);
    expect(world.run(isBack, 10_000)).toBe(true);
    expect(world.violations).toEqual([]);
  });
});

describe("S12: an operation that takes longer than a step may", () => {
  it("says what its nodes refuse", () => {
    const world = refusing(N2);
    const node = world.node(N2);
    // Promoted, and its coordinator may not close connections: nothing can prove that no older command is on its way.
    const execute = node.execute.bind(node);
    node.execute = (command, now) => {
      if (command.kind === "promote") node.promote();
      if (command.kind === "settle")
        return { kind: "refused", detail: "CLIENT KILL was refused: NOPERM", reading: null };
      return execute(command, now);
    };
    expect(world.run((each) => each.node(N2).role === "primary", 5_000)).toBe(true);
    world.wait(4_000);
    const holder = world.ballot.lease?.holder;
    const rejection = holder === undefined ? null : world.voters.get(holder)?.state.rejection?.rejection;
    expect(rejection?.detail).toContain("NOPERM");
  });
});
