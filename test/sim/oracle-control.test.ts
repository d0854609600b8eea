// S8 with a made-up world for each way of breaking it, and one just beside it that does not.

import { describe, expect, it } from "vitest";
import type { BallotWrite, Json } from "../../lib/core/ballot-write.ts";
import { epoch, type NodeCommand } from "../../lib/core/types.ts";
import { begins, type Made, made, n1, primary, vote } from "./made-world.ts";

/** By a right wall clock a made-up world begins at 1,000. */
const START = 1_000;

const control = (mode: string, changes: Readonly<Record<string, Json>> = {}): Json => ({
  mode,
  by: "o",
  reason: "r",
  attempt: "c",
  ...changes,
});

/** Adopted, with this mode in force. */
function held(mode: string, changes: Readonly<Record<string, Json>> = {}): Made {
  const world = made();
  world.write("voter:az-a", "adopt", { table: "table-1", epoch: 1, primary: primary(n1, 1) });
  world.write("operator", "set-control", { control: control(mode, changes) });
  world.write("voter:az-a", "cast-vote", { "vote_az-a": vote("down") });
  world.write("voter:az-b", "cast-vote", { "vote_az-b": vote("down") });
  expect(world.ids()).toEqual([]);
  return world;
}

const lease = (holder: string): Json => ({ holder, generation: 1, version: 1 });

describe("what begins", () => {
  it.each(["paused", "observe"])("S8: nothing in mode %s", (mode) => {
    for (const kind of ["failover", "repair", "switchover", "initialise"]) {
      const world = held(mode);
      world.write("voter:az-a", "grant", { epoch: 2, operation: { ...(begins(kind, 2) as object), by: "o" } as Json });
      expect(world.ids()).toEqual(["S8"]);
    }
    const adopts = held(mode);
    adopts.write("voter:az-a", "adopt", { epoch: 2 });
    expect(adopts.ids()).toEqual(["S8"]);
  });

  it.each([
    { over: "a repair", standing: begins("repair", 2) },
    {
      over: "an operation that has only to tell",
      standing: { ...(begins("failover", 2) as object), step: "committed" },
    },
  ])("S8: no failover over $over that was begun before, which another may finish", ({ standing }) => {
    const begun = () => {
      const world = made();
      world.write("voter:az-a", "adopt", { table: "table-1", epoch: 1, primary: primary(n1, 1) });
      for (const zone of ["az-a", "az-b"])
        world.write(`voter:${zone}`, "cast-vote", { [`vote_${zone}`]: vote("down") });
      world.write("voter:az-a", "grant", { epoch: 2, operation: standing as Json, lease: lease("az-a") });
      world.write("operator", "set-control", { control: control("paused") });
      return world;
    };
    const over = begun();
    over.write("voter:az-b", "grant", { epoch: 3, operation: begins("failover", 3) });
    expect(over.ids()).toEqual(["S8"]);
    const on = begun();
    on.write("voter:az-b", "take-over", { epoch: 3, lease: lease("az-b") });
    on.write("voter:az-b", "finish", { operation: null, lease: null });
    expect(on.ids()).toEqual([]);
  });

  it.each([
    { what: "a moment before its end", until: START + 1, ids: ["S8"] },
    { what: "at its end", until: START, ids: [] },
    { what: "before its end by a right clock, and after it by the voter's", until: START + 50, ahead: 50, ids: [] },
    { what: "before its end by a clock that is ahead", until: START + 51, ahead: 50, ids: ["S8"] },
    { what: "at its end, where only to be observed comes back", until: START, returnsTo: "observe", ids: ["S8"] },
  ])("S8: of a pause, $what", ({ until, ahead = 0, returnsTo = "act", ids }) => {
    const world = held("paused", { until, returnsTo });
    world.view.ahead = { "voter:az-a": ahead, "voter:az-b": 1_000_000 };
    world.write("voter:az-a", "grant", { epoch: 2, operation: begins("failover", 2) });
    expect(world.ids()).toEqual(ids);
  });

  it("S8: another table's record that somebody changes before a person orders to recover", () => {
    for (const how of ["vote", "recover", "pause"]) {
      const world = made();
      world.write("voter:az-a", "adopt", { table: "table-1", epoch: 1, primary: primary(n1, 1) });
      world.view.table = "table-2";
      world.restore({ table: "table-1", epoch: 1, primary: primary(n1, 1) });
      if (how === "vote") world.write("voter:az-a", "cast-vote", { "vote_az-a": vote("down") });
      else if (how === "pause") world.write("operator", "set-control", { control: { mode: "paused" } });
      else world.write("voter:az-a", "grant", { table: "table-2", epoch: 2, operation: begins("recover", 2) });
      expect(world.ids()).toEqual(how === "vote" ? ["S8"] : []);
    }
  });
});

describe("what is sent", () => {
  const hold: NodeCommand = { kind: "pause", connection: 1, durationMs: 300 };
  const freeze: NodeCommand = { kind: "freeze", epoch: epoch(1), connection: 1, parked: false };
  const repoint: NodeCommand = {
    kind: "repoint",
    epoch: epoch(1),
    connection: 1,
    to: { host: "h", port: 1 },
    dropClients: false,
  };
  const send = (world: Made, command: NodeCommand, invocation = "az-a/1") =>
    world.oracle.onSent({ invocation, by: "voter:az-a", node: n1, command });
  const item = (changes: Readonly<Record<string, Json>>) => ({ table: "table-1", epoch: 1, ...changes });

  it.each(["paused", "observe"])("S8: nothing by a voter that was shown mode %s", (mode) => {
    for (const command of [hold, freeze, repoint]) {
      const world = made();
      world.oracle.onShown({ invocation: "az-a/1", item: item({ control: control("act") }) });
      send(world, command);
      expect(world.ids()).toEqual([]);
      world.oracle.onShown({ invocation: "az-a/1", item: item({ control: control(mode) }) });
      send(world, command);
      expect(world.ids()).toEqual(["S8"]);
    }
  });

  it("S8: by what this very invocation was shown", () => {
    const world = made();
    world.oracle.onShown({ invocation: "az-a/1", item: item({ control: control("act") }) });
    world.oracle.onShown({ invocation: "az-a/2", item: item({ control: control("paused") }) });
    send(world, freeze, "az-a/1");
    expect(world.ids()).toEqual([]);
    send(world, freeze, "az-a/2");
    expect(world.ids()).toEqual(["S8"]);
  });

  it.each([
    { what: "its holder's pause", command: hold, holder: "az-a", ids: [] },
    { what: "its holder's re-pointing", command: repoint, holder: "az-a", ids: [] },
    { what: "an assistant's fence", command: freeze, holder: "az-b", ids: [] },
    { what: "the write hold of another", command: hold, holder: "az-b", ids: ["S8"] },
    { what: "anything else of another", command: repoint, holder: "az-b", ids: ["S8"] },
  ])("S8: of an operation that was begun before, $what", ({ command, holder, ids }) => {
    const world = made();
    const begun = { control: control("paused"), operation: begins("switchover", 1), lease: lease(holder) };
    world.oracle.onShown({ invocation: "az-a/1", item: item(begun) });
    send(world, command);
    expect(world.ids()).toEqual(ids);
  });

  it("S8: no writes are held on votes that were looked at before the pause, longer than they are fresh", () => {
    const world = made();
    world.oracle.onShown({ invocation: "az-a/1", item: item({ control: control("act") }) });
    world.write("operator", "set-control", { control: control("paused") });
    world.view.time = 1_500;
    send(world, hold);
    expect(world.ids()).toEqual([]);
    world.view.time = 1_502;
    send(world, freeze);
    expect(world.ids()).toEqual([]);
    send(world, hold);
    expect(world.ids()).toEqual(["S8"]);
  });

  it.each([
    { mode: "paused", ids: ["S8"] },
    { mode: "paused", until: START, ids: [] },
    { mode: "observe", ids: [] },
    { mode: "act", ids: [] },
  ])("S8: a vote by a voter that was shown mode $mode until $until", ({ mode, until, ids }) => {
    const world = made();
    const cast = { name: "cast-vote", attempt: { id: "x" } } as unknown as BallotWrite;
    world.oracle.onShown({ invocation: "az-a/1", item: item({ control: control("act") }) });
    world.oracle.onWrite("voter:az-a", cast, "az-a/1");
    world.oracle.onShown({ invocation: "az-a/2", item: item({ control: control("paused") }) });
    world.oracle.onWrite("voter:az-a", cast, "az-a/1");
    expect(world.ids()).toEqual([]);
    const shown = control(mode, until === undefined ? {} : { until });
    world.oracle.onShown({ invocation: "az-a/1", item: item({ control: shown }) });
    world.oracle.onWrite("voter:az-a", cast, "az-a/1");
    expect(world.ids()).toEqual(ids);
  });

  it("S8: nothing by a record that was written for another table", () => {
    const world = made();
    world.oracle.onShown({ invocation: "az-a/1", item: { ...item({}), table: "table-0" } });
    send(world, freeze);
    expect(world.ids()).toEqual(["S8"]);
  });

  it("S10: nothing before the record was shown", () => {
    const world = made();
    world.oracle.onShown({ invocation: "az-a/1", item: null });
    send(world, freeze);
    expect(world.ids()).toEqual(["S10"]);
  });
});
