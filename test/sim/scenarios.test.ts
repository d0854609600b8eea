// Scenarios beside the eleven of named-scenarios.test.ts, each with the end that it must have, written before it was run. Times
// are after the group was armed.

import { describe, expect } from "vitest";
import type { EventName } from "../../lib/core/events.ts";
import { attemptId, nodeId } from "../../lib/core/types.ts";
import { setControl } from "../../lib/core/writes.ts";
import { SPECS_EVERY_MS } from "../../lib/runtime/voter-loop.ts";
import { GROUP } from "./group.ts";
import type { Fault, PlannedFault } from "./plan.ts";
import { clientsOf, type Scenario } from "./scenario.ts";
import { at, each, kill } from "./scenario-tests.ts";
import { waitsForPerson } from "./settled.ts";
import { TRY_TIMEOUT_MS } from "./store.ts";

const n1 = nodeId("n1");

function expectSettled(scenario: Scenario): void {
  expect(scenario.unsettled()).toEqual([]);
}

describe("nothing goes wrong", () => {
  each("L3: ten healthy minutes take no lease", {}, (scenario) => {
    scenario.run(600_000);
    expect(scenario.events("lease.acquired")).toBe(0);
    expect(scenario.primary).toBe(n1);
    expectSettled(scenario);
    expect(scenario.lost(0)).toBe(0);
  });

  each("a new group of empty, boot-fenced nodes gets its first primary", { setup: "new" }, (scenario) => {
    scenario.run(30_000);
    expect(scenario.events("group.initialised")).toBe(1);
    expectSettled(scenario);
  });
});

describe("the primary dies", () => {
  each("killed, back 20 s later: it comes back as a replica", { plan: [at(0, kill(20_000))] }, (s) => {
    s.run(40_000);
    expect(s.primary).not.toBe(n1);
    expect(s.firstAt("primary.committed")).toBeLessThan(1_500);
    expectSettled(s);
    expect(s.lost(1)).toBe(0);
  });

  each("killed for good: the others go on", { plan: [at(0, kill(null))] }, (s) => {
    s.run(30_000);
    expect(s.primary).not.toBe(n1);
    expect(s.events("failover.completed")).toBe(1);
    expect(s.unsettled()).toEqual(["n1 is not running"]);
  });

  each(
    "hangs 20 s and wakes: the parked freeze is the first thing it reads",
    { plan: [at(0, { kind: "hang-node", node: "n1", forMs: 20_000 })] },
    (s) => {
      s.run(45_000);
      expect(s.primary).not.toBe(n1);
      expect(s.firstAt("primary.committed")).toBeLessThan(6_000);
      expectSettled(s);
      // The write that each connection had in flight.
      expect(s.lost(0)).toBeLessThanOrEqual(3);
      expect(s.lost(1)).toBe(0);
    },
  );

  each(
    "its disk is full: it is switched over while it answers",
    { nodeOptions: { savesSnapshots: true }, plan: [at(0, { kind: "write-dead", node: "n1", forMs: 60_000 })] },
    (s) => {
      s.run(30_000);
      expect(s.primary).not.toBe(n1);
      expectSettled(s);
      expect(s.lost(0)).toBe(0);
    },
  );
});

describe("R14: a primary that stays lost", () => {
  each(
    "is watched by one invocation of each voter, and by two for a hand-over at the most",
    {
      config: { onPossibleLoss: "refuse", waitK: 1 },
      plan: [at(0, kill(null)), at(0, { kind: "kill-node", node: "n2", restart: null })],
    },
    (s) => {
      s.run(60_000);
      for (let looks = 0; looks < 36; looks++) {
        s.run(10_000);
        for (const { invocations } of s.world.voters.values()) expect(invocations.size).toBeLessThanOrEqual(2);
      }
      expect(Object.values(s.world.ballot()?.votes ?? {}).map(({ level }) => level)).toEqual(["down", "down", "down"]);
    },
  );
});

describe("S12: a reason that stands", () => {
  each(
    "is shown by each voter without a gap, and its age goes on, while invocations come and go",
    {
      config: { onPossibleLoss: "refuse", waitK: 1 },
      plan: [at(0, kill(null)), at(0, { kind: "kill-node", node: "n2", restart: null })],
    },
    (s) => {
      s.run(60_000);
      let least = 0;
      for (let looks = 0; looks < 180; looks++) {
        s.run(1_000);
        const shown = [...s.world.table.slots.values()].map((slot) => slot.groups[GROUP]?.rejection ?? null);
        expect(shown.map((each) => each?.reason)).toEqual([
          "possible-loss-refused",
          "possible-loss-refused",
          "possible-loss-refused",
        ]);
        const youngest = Math.min(...shown.map((each) => each?.sinceMs ?? 0));
        expect(youngest).toBeGreaterThanOrEqual(least);
        least = youngest;
      }
    },
  );
});

describe("R19: a ballot that is deleted by hand", () => {
  each(
    "is noticed by the voters that run, and the group adopted anew above what was published",
    {
      plan: [at(0, { kind: "delete-ballot" })],
    },
    (s) => {
      const { publications } = s.world.table;
      const before = publications.get(GROUP)?.epoch ?? 0;
      s.run(4_000);
      expect(s.primary).toBe(n1);
      expect(s.world.ballot()?.epoch).toBeGreaterThan(before);
      expectSettled(s);
    },
  );
});

describe("L4: a switchover to a node whose rules refuse REPLICAOF", () => {
  const forbidden = at(0, { kind: "forbid-replicaof", node: "n2", forMs: 60_000 });
  const order: Fault = { kind: "request", request: "switchover", target: "n2", acceptDataLoss: false };

  each("leaves the primary in its place", { plan: [forbidden, at(500, order)] }, (s) => {
    s.run(5_000);
    expect(s.primary).toBe(n1);
    expectSettled(s);
    expect(s.events("promotion.failed")).toBe(3);
    expect(s.world.table.requests.get(GROUP)?.result).toMatchObject({
      kind: "failed",
      detail: expect.stringContaining("n2 refused to be promoted"),
    });
    expect(s.lost(0)).toBe(0);
  });

  const plan: PlannedFault[] = [
    forbidden,
    at(500, order),
    { at: { event: "promotion.failed" }, fault: { kind: "kill-voter", voter: "writer" } },
  ];
  each("R21: leaves it there too when the holder dies of it: what cannot be frozen is settled", { plan }, (s) => {
    s.run(15_000);
    expect(s.primary).toBe(n1);
    expectSettled(s);
    expect(s.lost(0)).toBe(0);
  });
});

describe("nodes restart", () => {
  each(
    "S9: a plain primary restarts with its data, and some replicas have followed it: no other is promoted over them",
    {
      nodes: ["n1", "n2", "n3", "n4", "n5"],
      nodeOptions: { bootFence: false, savesSnapshots: true, minReplicasToWrite: 1 },
      config: { onPossibleLoss: "refuse", waitK: 1, coldStart: "best" },
      clients: clientsOf(10),
      plan: [at(0, { kind: "terminate-node", node: "n1", restart: { afterMs: 60, data: "rdb" } })],
    },
    (s) => {
      s.run(40_000);
      expect(s.lost(1)).toBe(0);
    },
    // In 6 and 13 the freeze comes between two replicas' return to the restarted primary.
    ["1", "6", "13"],
  );

  each(
    "a plain primary comes back empty after the failover: it is demoted, once",
    { nodeOptions: { bootFence: false, savesSnapshots: true }, plan: [at(0, kill(5_000, "empty"))] },
    (s) => {
      s.run(30_000);
      expectSettled(s);
      expect(s.events("repair.completed")).toBeLessThanOrEqual(2);
    },
  );

  each(
    "a two-node group fails over and takes the other back",
    { nodes: ["n1", "n2"], plan: [at(0, kill(5_000))] },
    (s) => {
      s.run(30_000);
      expect(s.primary).toBe("n2");
      expectSettled(s);
      expect(s.lost(1)).toBe(0);
    },
  );
});

describe("S12: a primary that never wins comes back with writes that its replica lacks", () => {
  // Two nodes, one of which may lose its data under k = 1, so that the other alone is enough to begin.
  const plan = [
    at(0, { kind: "cut", from: "node:n1", to: "node:n2", oneWay: false, forMs: 4_000 }),
    at(2_000, kill(100)),
  ];
  const nodeOptionsOf = { n1: { priority: 0 } };
  const refuses = { onPossibleLoss: "refuse", waitK: 1 } as const;
  each(
    "nothing is begun in vain, and a person is asked",
    { nodes: ["n1", "n2"], nodeOptionsOf, config: refuses, plan },
    (s) => {
      s.run(30_000);
      // While it loads nobody knows what it holds.
      expect(s.events("lease.acquired")).toBeLessThanOrEqual(1);
      expect(s.primary).toBe("n1");
      expect(waitsForPerson(s.world)).toEqual(["cold-start-waiting"]);
      s.world.faults.begin({ kind: "request", request: "recover", target: "n1", acceptDataLoss: true });
      s.run(20_000);
      expectSettled(s);
      expect(s.lost(0)).toBe(0);
    },
  );
});

describe("all nodes come back with their snapshots, and the new primary dies after its first follower was synchronized", () => {
  const back = (node: string, afterMs: number): Fault => ({
    kind: "kill-node",
    node,
    restart: { afterMs, data: "rdb" },
  });

  // Nobody had followed it since it came back, so it began another history with that follower, while the operation that had
  // recorded the one before was still waiting to point the next one at it.
  each(
    "R25: what that follower holds is explained, and nobody has to be asked",
    {
      nodeOptions: { disklessSyncDelaySeconds: 5 },
      plan: [...["n1", "n2", "n3"].map((node) => at(0, back(node, 1_000))), at(6_300, back("primary", 2_000))],
    },
    (s) => {
      s.run(60_000);
      expect(s.events("primary.replication-id-changed")).toBeGreaterThan(0);
      expectSettled(s);
      expect(s.lost(1)).toBe(0);
    },
  );
});

describe("operators", () => {
  const request = (kind: "switchover" | "failover", target: string | null = null): Fault => ({
    kind: "request",
    request: kind,
    target,
    acceptDataLoss: kind === "failover",
  });

  each("a switchover loses nothing", { plan: [at(0, request("switchover"))] }, (s) => {
    s.run(20_000);
    expect(s.primary).not.toBe(n1);
    expectSettled(s);
    expect(s.lost(0)).toBe(0);
    expect(s.events("switchover.completed")).toBe(1);
  });

  each("a switchover to a named node makes that one primary", { plan: [at(0, request("switchover", "n3"))] }, (s) => {
    s.run(20_000);
    expect(s.primary).toBe("n3");
    expectSettled(s);
    expect(s.lost(0)).toBe(0);
  });

  each("an operator's failover of a healthy primary", { plan: [at(0, request("failover"))] }, (s) => {
    s.run(20_000);
    expect(s.primary).not.toBe(n1);
    expectSettled(s);
  });

  each(
    "paused: a dead primary stays dead, until the pause ends",
    { plan: [at(0, { kind: "control", mode: "paused", forMs: 20_000 }), at(2_000, kill(null))] },
    (s) => {
      s.run(19_000);
      expect(s.events("lease.acquired")).toBe(0);
      s.run(20_000);
      expect(s.primary).not.toBe(n1);
    },
  );

  each(
    "S8: observe that is declared stands: a dead primary stays dead until it is taken back",
    {
      plan: [at(0, { kind: "control", mode: "observe", forMs: 40_000 }), at(SPECS_EVERY_MS + 1_000, kill(null))],
    },
    (s) => {
      s.run(39_000);
      expect(s.world.ballot()?.control.mode).toBe("observe");
      expect(s.events("lease.acquired")).toBe(0);
      s.run(30_000);
      expect(s.primary).not.toBe(n1);
    },
  );

  each("observe that stands in the record alone gives way to what is declared, with the next invocation", {}, (s) => {
    const standing = s.world.ballot();
    if (standing === null) throw new Error("there is no ballot");
    const attempt = attemptId("by-hand");
    const control = { mode: "observe", by: "operator", reason: "by hand", until: null, attempt } as const;
    s.world.table.writeBallot(setControl(standing, control), "operator");
    expect(s.world.ballot()?.control.mode).toBe("observe");
    // Somebody may have read a newer declaration than the voters: they have to have read it again.
    s.run(14_000);
    expect(s.world.ballot()?.control).toMatchObject({ mode: "act", by: "configuration" });
  });
});

describe("the store", () => {
  const away: Fault = { kind: "cut", from: "voter:*", to: "store", oneWay: false, forMs: 120_000 };

  each("S10: away for two minutes, nothing begins and nothing breaks", { plan: [at(0, away)] }, (s) => {
    s.run(150_000);
    expect(s.events("lease.acquired")).toBe(0);
    expect(s.primary).toBe(n1);
    expectSettled(s);
    expect(s.lost(0)).toBe(0);
  });

  each(
    "S10: away while the primary dies: it is failed over when the store is back",
    { plan: [at(0, away), at(5_000, kill(null))] },
    (s) => {
      s.run(115_000);
      expect(s.events("lease.acquired")).toBe(0);
      s.run(30_000);
      expect(s.primary).not.toBe(n1);
    },
  );
});

describe("the store is slow", () => {
  const slow = (extraMs: number): Fault => ({ kind: "slow", from: "voter:*", to: "store", extraMs, forMs: 20_000 });

  for (const extraMs of [300, 758]) {
    each(
      `S11: ${extraMs} ms more to each request, in the middle of a failover: it is finished in time once a try is answered`,
      { plan: [at(0, kill(null)), { at: { event: "intent.recorded", plusSteps: 1 }, fault: slow(extraMs) }] },
      (s) => {
        s.run(19_000);
        // A request that is on its way for longer than a try waits is carried out, and nobody hears of it.
        expect(s.events("failover.completed")).toBe(extraMs < TRY_TIMEOUT_MS ? 1 : 0);
        s.run(20_000);
        expect(s.unsettled()).toEqual(["n1 is not running"]);
        expect(s.lost(1)).toBe(0);
      },
    );
  }
});

describe("S11: the holder dies", () => {
  const steps: readonly EventName[] = [
    "lease.acquired",
    "operation.begun",
    "node.frozen",
    "candidate.selected",
    "intent.recorded",
    "promotion.applied",
    "primary.committed",
    "replica.repointed",
    "publication.committed",
  ];
  for (const event of steps) {
    each(
      `right after ${event}: another voter finishes the failover`,
      {
        plan: [at(0, kill(null)), { at: { event, plusSteps: 1 }, fault: { kind: "kill-voter", voter: "writer" } }],
      },
      (s) => {
        s.run(40_000);
        expect(s.primary).not.toBe(n1);
        expect(s.unsettled()).toEqual(["n1 is not running"]);
        expect(s.lost(1)).toBe(0);
      },
    );
  }
});

describe("the candidate dies", () => {
  for (const event of ["candidate.selected", "intent.recorded", "promotion.applied"] as const) {
    for (const afterMs of [2_000, null]) {
      each(
        `right after ${event}${afterMs === null ? " for good" : ", and comes back"}: another replica is promoted`,
        {
          plan: [
            at(0, kill(null)),
            {
              at: { event, plusSteps: 1 },
              fault: { kind: "kill-node", node: "n2", restart: afterMs === null ? null : { afterMs, data: "rdb" } },
            },
          ],
        },
        (s) => {
          s.run(40_000);
          expect(s.primary).toBe("n3");
          expect(s.world.ballot()?.lease).toBeNull();
          const gone = afterMs === null ? ["n1 is not running", "n2 is not running"] : ["n1 is not running"];
          expect(s.unsettled()).toEqual(gone);
          expect(s.events("intent.recorded")).toBeLessThan(6);
          expect(s.events("node.frozen")).toBeLessThan(10);
        },
      );
    }
  }
});

describe("a group is held", () => {
  each(
    "the intent's node came back without its history: nobody is promoted, until a person says whose data counts",
    {
      nodes: ["n1", "n2", "n3", "n4", "n5"],
      config: { onPossibleLoss: "refuse", waitK: 1 },
      plan: [
        at(0, { kind: "power-off", node: "n1", restart: { afterMs: 350, data: "rdb" } }),
        {
          at: { event: "intent.recorded", plusSteps: 1 },
          fault: { kind: "power-off", node: "n2", restart: { afterMs: 230, data: "aof" } },
        },
        at(30_000, { kind: "request", request: "recover", target: "n3", acceptDataLoss: true }),
      ],
    },
    (s) => {
      s.run(29_000);
      expect(s.events("promotion.applied")).toBe(0);
      expect(waitsForPerson(s.world)).not.toEqual([]);
      s.run(20_000);
      expect(s.primary).toBe("n3");
      expectSettled(s);
    },
  );
});
