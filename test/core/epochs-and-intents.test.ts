// Schedules that a review of promotions without an answer found: one epoch makes at most one history.

import { describe, expect, it } from "vitest";
import { openIntents } from "../../lib/core/lineage.ts";
import { epoch, type NodeId } from "../../lib/core/types.ts";
import { A, ballot, intent, N1, N2, N3, NODES, operation, VOTERS } from "./builders.ts";
import { QUICK, World } from "./scripted-world.ts";

/** The primary says nothing, n2 is the best and is about to be sent NO ONE. */
function beforePromotion(settings: Partial<typeof QUICK> = {}): World {
  const world = new World({ ...QUICK, leaseMs: 3_000, ...settings }).watched();
  world.node(N3).isLagging = true;
  world.write();
  world.wait(300);
  world.node(N1).isHung = true;
  expect(world.run(isAboutToPromote, 5_000)).toBe(true);
  return world;
}

function isAboutToPromote(world: World): boolean {
  const next = world.next();
  return next?.kind === "carry-out" && next.command.kind === "command-node" && next.command.command.kind === "promote";
}

describe("S1, R3: a candidate that was sent NO ONE and does not answer", () => {
  it("is followed by another only under the next epoch", () => {
    const world = beforePromotion();
    // Carried out, and the node hangs before its answer: nobody can know.
    world.node(N2).isHung = true;
    world.node(N2).promote();
    const granted = world.ballot.epoch;
    expect(world.run((each) => each.ballot.primary?.node === N3, 20_000)).toBe(true);
    expect(world.ballot.primary?.epoch).toBeGreaterThan(granted);
  });

  it("is demoted when it comes back as a primary that was never committed", () => {
    const world = beforePromotion();
    world.node(N2).isHung = true;
    world.node(N2).promote();
    world.node(N1).kill();
    world.wait(20_000);
    expect(world.ballot.primary?.node).toBe(N3);
    world.node(N2).isHung = false;
    expect(world.run((each) => each.isSettled(), 20_000)).toBe(true);
    expect(world.node(N2).role).toBe("replica");
    expect(world.violations.filter((each) => !each.startsWith("S6"))).toEqual([]);
  });
});

describe("R21: a primary that comes back while an earlier candidate may have been promoted", () => {
  it("goes on under a newer history than that candidate's", () => {
    const world = beforePromotion({ leaseMs: 2_000 });
    const first = world.ballot.epoch;
    world.kill(world.ballot.lease?.holder ?? A);
    // What the dead holder had sent was carried out, and nobody reaches that node any more.
    world.node(N2).promote();
    world.node(N2).isHung = true;
    // The next holder means n3, which dies as well, and then the primary is back as it was.
    expect(world.run((each) => each.ballot.lineage.intents.some((one) => one.node === N3), 20_000)).toBe(true);
    world.node(N3).kill();
    world.node(N1).isHung = false;
    expect(world.run((each) => each.ballot.operation === null, 20_000)).toBe(true);
    expect(world.ballot.primary?.node).toBe(N1);
    const histories = world.ballot.lineage.histories;
    expect(histories.findLast((each) => each.node === N1)?.epoch).toBeGreaterThan(first);
  });

  it("is not given its place back where loss is refused, until that candidate can be read", () => {
    const world = beforePromotion({ leaseMs: 2_000, onPossibleLoss: "refuse", waitK: 1 });
    world.kill(world.ballot.lease?.holder ?? A);
    // What the dead holder has sent to n2 is still on its way, and nobody reaches n2. The third node is gone.
    world.node(N2).isHung = true;
    world.node(N3).kill();
    world.node(N1).isHung = false;
    world.run((each) => each.ballot.primary?.epoch !== epoch(1), 30_000);
    expect([world.ballot.primary?.epoch, world.node(N1).role]).toEqual([1, "replica"]);
    expect(world.events.map((each) => each.event)).toContain("group.held");
    world.wake(N2);
    expect(world.run((each) => each.isSettled(), 90_000)).toBe(true);
  });

  it("asks for every candidate that was meant since the operation began, not only for the last", () => {
    const meant = [intent({ node: N2 }), intent({ node: N3, epoch: epoch(3) })];
    const record = ballot({ epoch: epoch(4), operation: operation(), lineage: { histories: [], intents: meant } });
    expect(openIntents(record, N1)).toEqual(meant);
  });

  it("asks for none that was meant before the primary itself was", () => {
    const meant = [intent({ node: N2 }), intent({ node: N1, epoch: epoch(3) })];
    const record = ballot({ epoch: epoch(4), operation: operation(), lineage: { histories: [], intents: meant } });
    expect(openIntents(record, N1)).toEqual([]);
  });
});

describe("what is lost with a candidate that dies before its promotion", () => {
  it("is at least what its intent says that it had", () => {
    const world = new World({ ...QUICK, leaseMs: 3_000 }).watched();
    world.node(N3).isLagging = true;
    // No voter reads the primary after this.
    for (const voter of VOTERS) world.partitions.add(`${voter}>${N1}`);
    world.write();
    world.wait(100);
    world.node(N1).isHung = true;
    expect(world.run(isAboutToPromote, 10_000)).toBe(true);
    world.node(N2).kill();
    expect(world.run((each) => each.ballot.primary?.node === N3, 20_000)).toBe(true);
    const { intents } = world.ballot.lineage;
    const offsetOf = (node: NodeId) => intents.find((each) => each.node === node)?.offset as number;
    const lossBytes = world.events
      .filter(({ event }) => event === "loss.possible")
      .map(({ detail }) => detail["atLeastBytes"]);
    expect(lossBytes).toEqual([offsetOf(N2) - offsetOf(N3)]);
    expect(lossBytes[0]).toBeGreaterThan(0);
  });
});

describe("S6: a holder that reaches nobody for a while, after it has frozen the replicas", () => {
  function blinded(ms: number): { world: World; see: (node: NodeId) => void } {
    const world = beforePromotion({ leaseMs: 3_000, stepTimeoutMs: 8_000 });
    const holder = world.ballot.lease?.holder as string;
    for (const node of NODES) world.partitions.add(`${holder}>${node}`);
    // What it had on its way is lost with the cut.
    world.wait(ms);
    return { world, see: (node) => void world.partitions.delete(`${holder}>${node}`) };
  }

  it("does not choose the next best while nobody answers", () => {
    const world = beforePromotion({ leaseMs: 3_000, stepTimeoutMs: 8_000 });
    // Its connection is gone with it, so nothing was sent; and the others are behind a cut.
    world.node(N2).kill();
    for (const node of [N1, N3]) world.partitions.add(`${world.ballot.lease?.holder}>${node}`);
    world.wait(2_500);
    expect(world.ballot.lineage.intents.map(({ node }) => node)).toEqual([N2]);
  });

  it("waits a moment for the others when the first of them answers again", () => {
    const { world, see } = blinded(2_500);
    see(N3);
    world.wait(60);
    see(N2);
    expect(world.run((each) => each.ballot.primary?.node !== N1, 5_000)).toBe(true);
    expect(world.ballot.primary?.node).toBe(N2);
  });

  it("goes on with the one that answers when the others stay away", () => {
    const { world, see } = blinded(2_500);
    see(N3);
    expect(world.run((each) => each.ballot.primary?.node === N3, 5_000)).toBe(true);
  });
});
