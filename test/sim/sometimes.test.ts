// A situation is counted at the event that it names, and at nothing that only looks like it.

import { describe, expect, it } from "vitest";
import type { Item, Json } from "../../lib/core/ballot-write.ts";
import { nodeId } from "../../lib/core/types.ts";
import { RecordSituations } from "./sometimes-record.ts";
import type { BallotChange, BallotRefusal } from "./table.ts";
import type { World } from "./world.ts";

const n1 = nodeId("n1");
const n2 = nodeId("n2");

/** The voter az-a holds the lease as its first generation; its invocations that live, by name. */
function made(living: readonly string[] = [], zones: readonly string[] = ["az-a", "az-b", "az-c"]) {
  const slot = { voter: "az-a", generation: 1, owner: "az-a/1" };
  const invocations = living.map((name) => ({ name, sandbox: { alive: true } }));
  const world = {
    zones,
    table: { slots: new Map([["az-a", slot]]) },
    voters: new Map([["az-a", { invocations }]]),
  } as unknown as World;
  const met: string[] = [];
  const situations = new RecordSituations(world, (situation) => met.push(situation));
  let item: Item = { epoch: 1, primary: { node: n1, epoch: 1, runId: "run of n1" } };
  const write = (name: string, by: string, changes: Readonly<Record<string, Json>>) => {
    const before = item;
    item = { ...item, ...changes };
    const of = { name, attempt: { path: ["attempt"], id: "x" }, changes: [] };
    situations.onBallot({ write: of, before, after: item, by: `voter:${by}` } as unknown as BallotChange);
  };
  const refused = (name: string, by: string, path: string, value: Json) => {
    const of = { name, attempt: { path: [path], id: "y" }, changes: [{ path: [path], value }] };
    const refusal = { kind: "refused", write: of, before: item, by: `voter:${by}` };
    situations.onRefusal(refusal as unknown as BallotRefusal);
  };
  const lease = { holder: "az-a", generation: 1, version: 1, durationMs: 5_000, attempt: "x" };
  const operation = { kind: "failover", step: "begun", by: "automatic", began: 2 };
  write("grant", "az-a", { epoch: 2, lease, operation });
  met.length = 0;
  return { met, situations, write, refused, operation };
}

describe("what is counted", () => {
  it("as two holders alive: the invocation that held the lease, and no successor of its voter", () => {
    for (const [name, met] of [
      ["az-a/1", ["the lease lapses before an intent", "two holders alive"]],
      ["az-a/2", ["the lease lapses before an intent"]],
    ] as const) {
      const world = made([name]);
      world.write("take-over", "az-b", { epoch: 3, lease: { holder: "az-b", generation: 1 } });
      expect(world.met).toEqual(met);
    }
  });

  it("as a commit by another voter: the commit, by who did not promote", () => {
    for (const by of ["az-a", "az-b"]) {
      const world = made();
      world.situations.onNode({ kind: "promoted", node: n2, by: "voter:az-a", epoch: null });
      const committed = { ...world.operation, step: "committed" };
      world.write("take-over", by, { epoch: 3 });
      expect(world.met).not.toContain("a promoted candidate is committed by another voter");
      world.write("commit", by, { operation: committed, primary: { node: n2, epoch: 3, runId: "run of n2" } });
      expect(world.met.includes("a promoted candidate is committed by another voter")).toBe(by === "az-b");
    }
  });

  it("as voters that contend: both wanted the same epoch", () => {
    const world = made();
    world.refused("grant", "az-a", "epoch", 2);
    world.refused("grant", "az-b", "epoch", 3);
    world.refused("take-over", "az-b", "epoch", 2);
    expect(world.met).toEqual([]);
    world.refused("grant", "az-b", "epoch", 2);
    expect(world.met).toEqual(["two voters contend for a grant"]);
  });

  it("as three votes of five: those for the primary on record, at the grant of a failover by itself", () => {
    const five = ["az-a", "az-b", "az-c", "az-d", "az-e"];
    const down = { level: "down", node: n1, epoch: 1, generation: 1, seq: 1 };
    const votes = (...of: readonly Json[]) =>
      Object.fromEntries(five.map((zone, index) => [`vote_${zone}`, of[index] ?? null]));
    for (const [zones, standing, by, isMet] of [
      [five, [down, down, { ...down, level: "clear" }, down], "automatic", true],
      [five, [down, down, { ...down, level: "suspect" }, { ...down, epoch: 0 }], "automatic", false],
      [five, [down, down, down, down], "automatic", false],
      [five, [down, down, down], "operator", false],
      [five.slice(0, 3), [down, down, down], "automatic", false],
    ] as const) {
      const world = made([], zones);
      world.write("record", "az-c", votes(...standing));
      world.write("grant", "az-a", { epoch: 3, operation: { ...world.operation, by, began: 3 } });
      expect(world.met.includes("a failover on three of five votes")).toBe(isMet);
    }
  });

  it("as a vote that came late: a larger one of its voter stands", () => {
    const world = made();
    const standing = { level: "down", generation: 2, seq: 5 };
    world.write("record", "az-b", { "vote_az-b": standing });
    world.refused("cast-vote", "az-b", "vote_az-b", { ...standing, seq: 6 });
    expect(world.met).toEqual([]);
    world.refused("cast-vote", "az-b", "vote_az-b", { ...standing, generation: 1, seq: 9 });
    expect(world.met).toEqual(["a vote that came late is refused"]);
  });

  it("as a stale holder's write: another held the lease since", () => {
    const world = made();
    world.refused("commit", "az-a", "epoch", 2);
    expect(world.met).toEqual([]);
    world.write("take-over", "az-b", { epoch: 3, lease: { holder: "az-b", generation: 1 } });
    world.met.length = 0;
    world.refused("commit", "az-a", "epoch", 2);
    expect(world.met).toEqual(["a stale holder's write is refused"]);
  });
});
