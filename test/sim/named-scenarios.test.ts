// The eleven named scenarios, each with its expected end written before it was run: who is primary under which epoch, what is
// published, what stands in the record, what was lost, and what a person has to do. Times are after the group was armed.
// The first grant of a group that was adopted is epoch 2. Further schedules are in scenarios.test.ts.

import { describe, expect } from "vitest";
import { nodeId, voterId } from "../../lib/core/types.ts";
import { GROUP } from "./group.ts";
import type { Fault } from "./plan.ts";
import type { Scenario } from "./scenario.ts";
import { at, type End, each, endOf, healthy, kill } from "./scenario-tests.ts";

const [n1, n2] = ["n1", "n2"].map(nodeId) as [ReturnType<typeof nodeId>, ReturnType<typeof nodeId>];

const acceptsWrites = (s: Scenario, node: string) => s.world.node(node).process?.acceptsWrites === true;
const anybodyAcceptsWrites = (s: Scenario) => s.world.nodeIds.filter((node) => acceptsWrites(s, node));
const recover = (node: string): Fault => ({ kind: "request", request: "recover", target: node, acceptDataLoss: true });

/** Still n1 under the epoch of its adoption, as far as record and publications go; all voters find it down, and say why not. */
const waiting = (...reasons: readonly string[]): Partial<End> => ({
  primary: "n1",
  epoch: 1,
  published: "1 n1",
  goesOn: expect.toSatisfy(
    (votes: readonly string[]) => votes.length === 3 && votes.every((v) => v.endsWith("n1 down")),
  ),
  reasons,
});

describe("1: the primary is killed and back 300 ms later with its data", () => {
  // It is boot-fenced: nobody writes to it meanwhile, and a replica with all that was waited for takes over.
  each("a replica takes over within two seconds, and it follows", { plan: [at(0, kill(300))] }, (s) => {
    s.run(20_000);
    expect(endOf(s)).toEqual(healthy("n2", 2));
    expect(s.firstAt("primary.committed")).toBeLessThan(1_500);
    expect(s.events("promotion.applied")).toBe(1);
    expect(s.lost(1)).toBe(0);
    // What each of the two plain clients had in flight, and what the kernel had not sent on.
    expect(s.lost(0)).toBeLessThanOrEqual(2);
  });
});

describe("2: the primary hangs 20 s and wakes, the holder dies between intent and promotion", () => {
  const plan = [
    at(0, { kind: "hang-node", node: "n1", forMs: 20_000 }),
    { at: { event: "intent.recorded", plusSteps: 1 }, fault: { kind: "kill-voter", voter: "writer" } },
  ] as const;
  // The intent stands under epoch 2 and nobody was promoted; the next holder goes on under 3, after the lease.
  each("another voter means the same node again, and the woken one reads its freeze first", { plan }, (s) => {
    s.run(19_900);
    expect(endOf(s)).toMatchObject({ primary: "n2", epoch: 3, published: "3 n2", goesOn: [] });
    expect(s.events("lease.taken-over")).toBe(1);
    expect(s.events("intent.recorded")).toBe(2);
    expect(s.events("promotion.applied")).toBe(1);
    // downAfterMs and leaseMs, 5 s each, and the steps.
    expect(s.firstAt("primary.committed")).toBeLessThan(11_500);
    s.run(25_000);
    expect(endOf(s)).toEqual(healthy("n2", 3));
    expect(s.lost(1)).toBe(0);
    expect(s.lost(0)).toBeLessThanOrEqual(3);
  });
});

describe("3: the primary's zone is cut off for 30 s", () => {
  const plan = [at(0, { kind: "isolate-zone", zone: "az-a", store: false, forMs: 30_000 })];
  each("the voter inside holds its writes, then silences it; the others fail over", { plan }, (s) => {
    s.run(12_000);
    // The voter inside hears n1 and not n2: it is not cut off, and it says so, alone.
    const goesOn = ["az-a says n2 down"];
    expect(endOf(s)).toMatchObject({ primary: "n2", epoch: 2, published: "2 n2", goesOn });
    expect(anybodyAcceptsWrites(s)).toEqual(["n2"]);
    const inside = s.world.events.filter(({ voter, node }) => voter === voterId("az-a") && node === n1);
    expect(inside.map(({ event }) => event)).toEqual(expect.arrayContaining(["writes.held", "node.fenced"]));
    s.run(48_000);
    expect(endOf(s)).toEqual(healthy("n2", 2));
    expect(s.lost(1)).toBe(0);
    // Two clients inside at 10/s each, for the half second until the hold.
    expect(s.lost(0)).toBeLessThan(40);
  });

  const all = [at(0, { kind: "isolate-zone", zone: "az-a", store: true, forMs: 30_000 })];
  each("the store as well: the others fail over, and it is frozen when they reach it again", { plan: all }, (s) => {
    s.run(29_000);
    expect(endOf(s)).toMatchObject({ primary: "n2", epoch: 2, published: "2 n2", goesOn: [] });
    s.run(31_000);
    expect(endOf(s)).toEqual(healthy("n2", 2));
    expect(s.lost(1)).toBe(0);
  });
});

describe("4: all nodes are restarted in turn, 10 s apart", () => {
  const plan = ["n1", "n2", "n3"].map((node, index) =>
    at(index * 10_000, { kind: "terminate-node", node, restart: { afterMs: 1_000, data: "rdb" } }),
  );
  // Each primary goes in turn: n1, then n2 that took over; n3 is a replica when its turn comes. A node that is told to end
  // waits for its replicas.
  each("two failovers, nothing lost", { plan }, (s) => {
    s.run(60_000);
    const end = endOf(s);
    expect(end).toEqual(healthy("n1", end.epoch));
    expect(s.events("failover.completed")).toBe(2);
    expect(s.lost(0)).toBe(0);
  });
});

describe("5: a switchover whose holder dies after the primary is frozen", () => {
  const plan = [
    at(0, { kind: "request", request: "switchover", target: null, acceptDataLoss: false }),
    { at: { event: "node.fenced", plusSteps: 1 }, fault: { kind: "kill-voter", voter: "writer" } },
  ] as const;
  // By then the 1.75 s are long over in which a switchover may go on: the next holder, after the lease, gives the frozen
  // primary its place back, and the person is told.
  each("another voter rolls it back after the lease, and nothing is lost", { plan }, (s) => {
    s.run(40_000);
    expect(endOf(s)).toEqual(healthy("n1", 3));
    expect(s.events("lease.taken-over")).toBe(1);
    expect(s.firstAt("primary.committed")).toBeLessThan(6_500);
    expect(s.lost(0)).toBe(0);
    expect(s.world.table.requests.get(GROUP)?.result).toMatchObject({ kind: "failed" });
    expect(s.events("switchover.abandoned")).toBe(1);
    expect(s.events("switchover.completed")).toBe(0);
  });
});

describe("6: all nodes restart at once", () => {
  const plan = (data: "rdb" | "aof" | "empty", ...more: readonly ReturnType<typeof at>[]) => [
    ...["n1", "n2", "n3"].map((node) => at(0, { kind: "kill-node", node, restart: { afterMs: 500, data } } as Fault)),
    ...more,
  ];

  // All are frozen and read, so that nobody else can have more (cold start).
  each("with their snapshots: the best of them becomes primary", { plan: plan("rdb") }, (s) => {
    s.run(60_000);
    const end = endOf(s);
    expect(end).toEqual(healthy(end.primary, 2));
    expect(s.events("promotion.applied")).toBe(1);
    expect(s.lost(1)).toBe(0);
  });

  // An append-only file brings data under a new replication id, which no record explains (R25).
  each(
    "with append-only files: a person says whose data counts",
    { plan: plan("aof", at(30_000, recover("n1"))) },
    (s) => {
      s.run(29_000);
      expect(endOf(s)).toMatchObject(waiting("unknown-history"));
      expect(anybodyAcceptsWrites(s)).toEqual([]);
      expect(s.events("lease.acquired")).toBe(0);
      s.run(31_000);
      expect(endOf(s)).toEqual(healthy("n1", 2));
      expect(s.lost(0)).toBe(0);
    },
  );

  // Nothing is left, and nothing is promoted over that without a person.
  each("with nothing: nobody is promoted by itself", { plan: plan("empty", at(30_000, recover("n1"))) }, (s) => {
    s.run(29_000);
    expect(endOf(s)).toMatchObject(waiting("unknown-history"));
    expect(anybodyAcceptsWrites(s)).toEqual([]);
    expect(s.events("promotion.applied")).toBe(0);
    s.run(31_000);
    expect(endOf(s)).toEqual(healthy("n1", 2));
  });
});

describe("7: the store is away for 5 minutes; the primary dies, a person promotes, the store returns", () => {
  const plan = [
    at(0, { kind: "cut", from: "voter:*", to: "store", oneWay: false, forMs: 300_000 }),
    at(30_000, kill(null)),
    at(60_000, { kind: "replicaof-by-hand", node: "n2", to: null }),
    at(60_500, { kind: "replicaof-by-hand", node: "n3", to: "n2" }),
    at(330_000, recover("n2")),
  ] as const;
  // S10 while it is away; R22 once it is back: nobody undoes what the person did, and nobody confirms it but a person.
  each("what the person made is spared, until the person says so", { plan }, (s) => {
    s.run(299_000);
    expect(s.events("lease.acquired")).toBe(0);
    expect(anybodyAcceptsWrites(s)).toEqual(["n2"]);
    s.run(30_000);
    expect(s.events("lease.acquired")).toBe(0);
    expect(anybodyAcceptsWrites(s)).toEqual(["n2"]);
    expect(endOf(s)).toMatchObject({ primary: "n1", epoch: 1, published: "1 n1", reasons: ["unexplained-primary"] });
    s.run(30_000);
    expect(endOf(s)).toEqual({ ...healthy("n2", 2), unsettled: ["n1 is not running"] });
    expect(s.lost(1)).toBe(0);
  });
});

describe("8: two nodes, the replica dies, then the primary restarts", () => {
  const plan = (data: "rdb" | "empty", apartMs: number) => [
    at(0, { kind: "kill-node", node: "n2", restart: null }),
    at(apartMs, { kind: "terminate-node", node: "n1", restart: { afterMs: 1_000, data } }),
  ];
  const nodes = ["n1", "n2"];
  const alone = { unsettled: ["n2 is not running"] };

  // What n1 had when n2 was lost is on record, and it has at least that.
  each("15 s later, with what it had: it goes on alone", { nodes, plan: plan("rdb", 15_000) }, (s) => {
    s.run(60_000);
    expect(endOf(s)).toEqual({ ...healthy("n1", 2), ...alone });
    expect(s.events("member.gone")).toBe(1);
    expect(s.firstAt("primary.committed")).toBeLessThan(20_000);
    expect(s.lost(0)).toBe(0);
  });

  each("15 s later, empty: it waits for the other, or a person", { nodes, plan: plan("empty", 15_000) }, (s) => {
    s.run(60_000);
    expect(s.events("promotion.applied")).toBe(0);
    expect(anybodyAcceptsWrites(s)).toEqual([]);
    expect(endOf(s)).toMatchObject(waiting("too-few-nodes"));
  });

  each("1 s later, before the loss was seen: it waits", { nodes, plan: plan("rdb", 1_000) }, (s) => {
    s.run(60_000);
    expect(s.events("promotion.applied")).toBe(0);
    expect(endOf(s)).toMatchObject(waiting("too-few-nodes"));
  });
});

describe("9: plain, adopted nodes, and the primary restarts empty at once", () => {
  const nodeOptions = { bootFence: false, sharedUser: true };
  // No fence keeps the replicas from following it. Either one was frozen before it did, and has the data; or all have
  // followed, and the loss is told.
  each(
    "a replica that kept the data takes over, or the loss is told",
    { nodeOptions, plan: [at(0, kill(150, "empty"))] },
    (s) => {
      s.run(40_000);
      const end = endOf(s);
      expect(end).toEqual(healthy(end.primary, 2));
      if (end.primary === "n1") expect(s.events("loss.possible")).toBe(1);
      else expect(s.lost(1)).toBe(0);
    },
  );
});

describe("10: a deployment in the middle of a failover", () => {
  for (const event of [
    "primary.subjectively-down",
    "lease.acquired",
    "intent.recorded",
    "primary.committed",
  ] as const) {
    const plan = [
      at(0, kill(null)),
      {
        at: { event, plusSteps: 1 },
        fault: { kind: "deploy", settings: { downAfterMs: 2_000 }, egress: true, forMs: 600_000 },
      },
      at(60_000, { kind: "hang-node", node: "n2", forMs: 20_000 }),
    ] as const;
    // Old and new invocations are one vote each; what was begun is finished once, and the new setting holds from then on.
    each(`at ${event}: one failover, and the next one by the new setting`, { plan }, (s) => {
      s.run(50_000);
      expect(endOf(s)).toEqual({ ...healthy("n2", 2), unsettled: ["n1 is not running"] });
      expect(s.events("lease.acquired")).toBe(1);
      expect(s.events("failover.completed")).toBe(1);
      expect(s.lost(1)).toBe(0);
      const before = s.world.eventTimes.length;
      s.run(15_000);
      const next = s.world.events.findIndex(
        ({ event: name }, index) => index >= before && name === "primary.committed",
      );
      // It is a probe interval at the most since the last good answer.
      expect((s.world.eventTimes[next] as number) - 25_000 - 60_000).toBeGreaterThan(1_500);
      expect((s.world.eventTimes[next] as number) - 25_000 - 60_000).toBeLessThan(2_500);
      expect(s.primary).toBe("n3");
    });
  }
});

describe("11: a table restored from yesterday", () => {
  /** Yesterday n1 was primary under epoch 1; since then there was a switchover to n2. The copy is another table. */
  function restore(s: Scenario): void {
    const { table, voters } = s.world;
    const yesterday = { item: table.ballot(GROUP), publication: table.publications.get(GROUP) };
    const operator = s.world.faults;
    operator.begin({ kind: "request", request: "switchover", target: "n2", acceptDataLoss: false });
    s.run(20_000);
    expect(endOf(s)).toEqual(healthy("n2", 2));
    for (const voter of voters.values()) voter.kill();
    table.id = "table-2";
    table.putBallot(GROUP, yesterday.item);
    table.requests.clear();
    table.slots.clear();
    if (yesterday.publication !== undefined) table.publications.set(GROUP, yesterday.publication);
    for (const voter of voters.values()) voter.invoke();
  }

  each("is only looked at, until a person says who is primary", {}, (s) => {
    restore(s);
    const before = s.world.table.ballot(GROUP);
    s.run(90_000);
    // Not a vote, not a command to a node, no parameter: the record says n1 under epoch 1, the world n2 under 2.
    expect(s.world.table.ballot(GROUP)).toEqual(before);
    expect(endOf(s)).toMatchObject({
      primary: "n1",
      epoch: 1,
      published: "1 n1, 2 n2, 2 n2",
      reasons: ["foreign-table"],
    });
    expect(anybodyAcceptsWrites(s)).toEqual([n2]);
    s.world.faults.begin(recover("n2"));
    s.run(30_000);
    const end = endOf(s);
    expect(end).toEqual(healthy("n2", end.epoch));
    expect(end.epoch).toBeGreaterThan(2);
    expect(s.lost(1)).toBe(0);
  });
});
