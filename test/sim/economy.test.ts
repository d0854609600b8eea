// Economy mode: what a minute without anybody watching changes, and what it does not. Times are after the group was armed,
// 17 to 22 s after the first round; the voters come again from the 38th to the 43rd second on, and then every minute.

import { describe, expect } from "vitest";
import { voterId, wallTime } from "../../lib/core/types.ts";
import { BEGINNING } from "./clock.ts";
import { GROUP } from "./group.ts";
import type { Scenario } from "./scenario.ts";
import { at, each, endOf, healthy, kill } from "./scenario-tests.ts";

const economy = true;
/** The first round after a fault that comes early, and all of its voters. */
const NEXT_ROUND_MS = 43_000;

const running = (s: Scenario): number => [...s.world.voters.values()].reduce((n, each) => n + each.invocations.size, 0);
/** How many invocations each voter has had. */
const generations = (s: Scenario): readonly number[] =>
  [...s.world.table.slots.values()].map((slot) => slot.generation);

describe("economy mode, nothing wrong", () => {
  each("each voter comes once a minute and nobody stays", { economy }, (s) => {
    const before = generations(s);
    let looked = 0;
    for (let second = 0; second < 600; second++) {
      s.run(1_000);
      looked += running(s);
    }
    expect(generations(s).map((generation, index) => generation - (before[index] ?? 0))).toEqual([10, 10, 10]);
    // Three voters ten times, each for less than a tenth of a second, looked for once a second.
    expect(looked).toBeLessThan(10);
    expect(endOf(s)).toEqual(healthy("n1", 1));
    expect([...s.world.table.slots.values()].every(({ restsMs, regular }) => restsMs === 60_000 && regular)).toBe(true);
    expect(s.events("lease.acquired")).toBe(0);
  });
});

describe("economy mode, the primary is gone", () => {
  each("L2: the second voter of the next round makes a quorum", { economy, plan: [at(5_000, kill(null))] }, (s) => {
    s.run(30_000);
    expect(s.events("primary.suspected")).toBe(0);
    s.run(NEXT_ROUND_MS);
    // A refused primary: no down-after has to run when they come.
    expect(s.firstAt("primary.committed")).toBeLessThan(NEXT_ROUND_MS + 1_500);
    expect(s.primary).not.toBe("n1");
    expect(s.lost(1)).toBe(0);
    // n1 stays away: they stay, and leave to successors as they do elsewhere.
    expect(running(s)).toBeGreaterThanOrEqual(3);
  });

  const hang = at(5_000, { kind: "hang-node", node: "n1", forMs: 300_000 });
  each("L2: a silence is timed from their coming", { economy, plan: [hang] }, (s) => {
    s.run(NEXT_ROUND_MS + 7_000);
    expect(s.firstAt("primary.committed")).toBeGreaterThan(38_000 + 5_000);
    expect(s.events("failover.completed")).toBe(1);
  });

  each(
    "R13: one that comes back boot-fenced waits, and loses nothing",
    { economy, plan: [at(5_000, kill(500))] },
    (s) => {
      s.run(NEXT_ROUND_MS + 10_000);
      expect(s.unsettled()).toEqual([]);
      expect(s.lost(1)).toBe(0);
      // All is well again, and in the record: nobody stays.
      s.run(60_000);
      expect(running(s)).toBe(0);
    },
  );
});

describe("economy mode, a replica", () => {
  const restarted = at(5_000, { kind: "kill-node", node: "n2", restart: { afterMs: 500, data: "empty" } });
  each(
    "R4: that was started anew is stayed for until it is in line and in the record",
    { economy, plan: [restarted] },
    (s) => {
      s.run(30_000);
      expect(s.unsettled()).toEqual(["n2 does not follow n1"]);
      s.run(20_000);
      expect(s.unsettled()).toEqual([]);
      expect(running(s)).toBe(0);
      const ballot = s.world.ballot();
      const runId = s.world.node("n2").process?.reading().runId;
      expect(Object.values(ballot?.members.nodes ?? {}).map((member) => member.runId)).toContain(runId);
    },
  );

  const moved = at(5_000, { kind: "replicaof-by-hand", node: "n2", to: "n3" });
  each("that follows another is seen although its link is up", { economy, plan: [moved] }, (s) => {
    s.run(NEXT_ROUND_MS + 10_000);
    expect(s.unsettled()).toEqual([]);
    expect(s.events("repair.completed")).toBe(1);
  });

  const gone = at(5_000, { kind: "kill-node", node: "n2", restart: null });
  each(
    "that stays away keeps the voters there: the next loss is timed as ever",
    { economy, plan: [gone, at(80_000, kill(null))] },
    (s) => {
      s.run(80_000);
      expect(running(s)).toBeGreaterThanOrEqual(3);
      s.run(2_500);
      expect(s.primary).toBe("n3");
    },
  );
});

describe("economy mode, a person", () => {
  const order = at(15_000, { kind: "request", request: "switchover", target: "n2", acceptDataLoss: false });
  each("orders, and the first voter that comes takes it up", { economy, plan: [order] }, (s) => {
    s.run(NEXT_ROUND_MS + 3_000);
    expect(endOf(s)).toMatchObject({ primary: "n2", unsettled: [] });
    expect(s.events("request.done")).toBe(1);
    expect(s.lost(0)).toBe(0);
  });

  each("looks, and whoever comes stays for it", { economy }, (s) => {
    s.run(30_000);
    const { table } = s.world;
    table.look(GROUP, wallTime(BEGINNING + s.world.queue.now + 30_000));
    s.run(NEXT_ROUND_MS - 30_000);
    expect(running(s)).toBe(3);
    expect(table.slots.get(`${voterId("az-a")}#0`)?.restsMs).toBeNull();
    s.run(25_000);
    expect(running(s)).toBe(0);
  });
});
