// S9 with made-up worlds that break it, and some just beside them that do not.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { Json } from "../../lib/core/ballot-write.ts";
import type { NodeId } from "../../lib/core/types.ts";
import { begins, type Made, made, n1, n2, n3, position, primary, stream, truth } from "./made-world.ts";
import type { Stream } from "./stream.ts";

describe("what applications were told", () => {
  function withWrite(
    level: number,
    settings: Partial<Made["view"]["settings"]> = {},
  ): { readonly world: Made; readonly history: Stream } {
    const world = made();
    world.view.settings = { ...world.view.settings, ...settings };
    const history = stream("a");
    const record = world.view.log.open("c", 5);
    record.position = position(history, history.append(100, 5, 1));
    record.executedAt = 5;
    record.acknowledgedAt = 6;
    record.level = level;
    world.view.time = 10;
    world.view.truths = [truth(n2, position(history, 60)), truth(n3, position(history, 100))];
    world.write("voter:az-a", "adopt", { epoch: 1, primary: primary(n1, 1) });
    return { world, history };
  }
  const commit = (world: Made, node: NodeId) =>
    world.write("voter:az-a", "commit", { primary: primary(node, 2), epoch: 2, operation: begins("failover", 1) });

  it("S9: a write that was waited for is missing from the next primary", () => {
    const { world } = withWrite(1);
    commit(world, n2);
    expect(world.ids()).toEqual(["S9"]);
    const kept = withWrite(1).world;
    commit(kept, n3);
    expect(kept.ids()).toEqual([]);
    const unpromised = withWrite(0).world;
    commit(unpromised, n2);
    expect(unpromised.ids()).toEqual([]);
  });

  it("S9: nothing is promised of what a primary acknowledged that a person made and took away", () => {
    for (const [executedAt, lost] of [
      [8, []],
      [12, ["S9"]],
    ] as const) {
      const { world } = withWrite(1);
      Object.assign(world.view.log.records[0] as object, { node: n3, executedAt });
      world.view.time = 7;
      world.oracle.onNode({ kind: "promoted", node: n3, by: "hand", epoch: null });
      world.view.time = 11;
      world.oracle.onNode({ kind: "ended", node: n3, how: "killed" });
      world.view.time = 13;
      commit(world, n2);
      expect(world.ids()).toEqual(lost);
    }
  });

  const started = (world: Made, node: NodeId, data: "empty" | "rdb" = "empty") =>
    world.oracle.onNode({ kind: "started", node, data, role: "replica" });
  const synchronized = (world: Made, node: NodeId, from: NodeId, how: "full" | "partial" = "full") =>
    world.oracle.onNode({ kind: "link-up", node, from, how });

  it.each<{ readonly what: string; readonly happens: (world: Made) => void; readonly ids: readonly string[] }>([
    { what: "one node, which is k", happens: (world) => started(world, n1), ids: ["S9"] },
    {
      what: "two at once",
      happens: (world) => {
        started(world, n1);
        started(world, n3);
      },
      ids: [],
    },
    {
      what: "one that kept its data, and another",
      happens: (world) => {
        started(world, n1, "rdb");
        started(world, n3);
      },
      ids: ["S9"],
    },
    {
      what: "one node twice",
      happens: (world) => {
        started(world, n1);
        started(world, n1);
      },
      ids: ["S9"],
    },
    {
      what: "two, the second when the first has all again",
      happens: (world) => {
        started(world, n1);
        synchronized(world, n1, n3);
        started(world, n3);
      },
      ids: ["S9"],
    },
    {
      what: "two, the second when the first has followed again, without being synchronized",
      happens: (world) => {
        started(world, n1);
        synchronized(world, n1, n3, "partial");
        started(world, n3);
      },
      ids: [],
    },
    {
      what: "two, the first synchronized from the second, which had lost its own by then",
      happens: (world) => {
        started(world, n1);
        started(world, n3);
        synchronized(world, n1, n3);
      },
      ids: [],
    },
    {
      what: "one that took another along which followed it",
      happens: (world) => {
        started(world, n1);
        world.oracle.onNode({ kind: "flushed", node: n3, from: n1 });
        synchronized(world, n3, n1);
      },
      ids: [],
    },
  ])("S9: lost their data: $what", ({ happens, ids }) => {
    const { world } = withWrite(1);
    happens(world);
    commit(world, n2);
    expect(world.ids()).toEqual(ids);
  });

  it("S9: two of k = 2 may lose their data, and a write is promised that as many had", () => {
    for (const [level, ids] of [
      [2, ["S9"]],
      [1, []],
    ] as const) {
      const { world } = withWrite(level, { waitK: 2 });
      for (const node of [n1, n3]) started(world, node);
      commit(world, n2);
      expect(world.ids()).toEqual(ids);
    }
  });

  it.each([
    { what: "accepts loss", kind: "failover", ids: [] },
    { what: "accepts none", kind: "failover", ids: ["S9"] },
    { what: "accepts loss", kind: "switchover", ids: ["S9"] },
    { what: undefined, kind: "failover", ids: ["S9"] },
  ])("S9: a $kind by an order that $what", ({ what: request, kind, ids }) => {
    const { world } = withWrite(1);
    const ordered = request === undefined ? {} : { request };
    const operation = { ...(begins(kind, 2) as object), by: "operator", ...ordered } as Json;
    world.write("voter:az-a", "grant", { epoch: 2, operation });
    // Answered meanwhile, and followed by another.
    world.view.acceptsDataLoss = () => request !== "accepts loss";
    world.write("voter:az-b", "take-over", { epoch: 3 });
    world.write("voter:az-b", "commit", { primary: primary(n2, 3), operation });
    // Whether it was ordered at all is another promise's.
    expect(world.ids().filter((id) => id !== "S3")).toEqual(ids);
  });

  it("S9: what was written before a policy that changed, and until all voters know it, is not promised", () => {
    for (const [executedAt, ids] of [
      [20_100, []],
      [20_101, ["S9"]],
    ] as const) {
      const { world } = withWrite(1, { onPossibleLoss: "promote" });
      Object.assign(world.view.log.records[0] as object, { executedAt });
      world.oracle.writes.check();
      world.view.time = 10_100;
      world.view.settings = { ...world.view.settings, onPossibleLoss: "refuse" };
      world.oracle.writes.check();
      world.view.time = 30_000;
      commit(world, n2);
      expect(world.ids()).toEqual(ids);
    }
  });

  it.each([
    { node: n2, level: 1, onPossibleLoss: "refuse", ids: ["S9"] },
    { node: n3, level: 1, onPossibleLoss: "refuse", ids: [] },
    { node: n2, level: 0, onPossibleLoss: "refuse", ids: [] },
    { node: n2, level: 1, onPossibleLoss: "promote", ids: [] },
  ] as const)("S9: at the end $node is primary, of level $level under $onPossibleLoss: $ids", (end) => {
    const { world } = withWrite(end.level, { onPossibleLoss: end.onPossibleLoss });
    expect(world.ids()).toEqual([]);
    world.view.record = { primary: { node: end.node } } as Ballot;
    world.oracle.atEnd();
    expect(world.ids()).toEqual(end.ids);
  });

  it("S9: a switchover loses nothing, waited for or not", () => {
    const { world, history } = withWrite(0);
    world.write("voter:az-a", "enter", {
      primary: { ...(primary(n1, 1) as object), replicationId: history.id } as Json,
    });
    const operation = { ...(begins("switchover", 2) as object), by: "operator", request: "request-1" };
    world.view.lastOrder = { id: "request-1", kind: "switchover", result: null };
    world.write("voter:az-a", "commit", { primary: primary(n2, 2), epoch: 2, operation });
    expect(world.ids()).toEqual(["S9"]);
  });
});
