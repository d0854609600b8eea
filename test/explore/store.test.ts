// What is taken for one state, and what is not.

import { describe, expect, it } from "vitest";
import { encodeBallot } from "../../lib/core/ballot-format.ts";
import { epoch, instant } from "../../lib/core/types.ts";
import { A, B, ballot, lease, N1, vote, watching } from "../core/builders.ts";
import { Group } from "./beginning.ts";
import { ORDERS, renamed } from "./names.ts";
import { type Parts, Store } from "./store.ts";
import { NOW, type Voter, type World } from "./world.ts";

const first = new Group({}).firstWorld();
/** az-a has voted and holds the lease, az-b has a connection, and az-c is cut off from n1. */
const world: World = {
  ...first,
  voters: first.voters.map(
    (each, place): Voter =>
      place === 2 ? { ...each, cut: [N1] } : { ...each, state: watching(ballot()), wakeAt: NOW + 100 },
  ),
  nodes: first.nodes.map((each, place) => (place === 0 ? { ...each, connections: [{ id: 1, voter: B }] } : each)),
  table: {
    ...first.table,
    item: encodeBallot(ballot({ epoch: epoch(2), lease: lease(), votes: { [A]: vote() } })),
    granted: { 2: A },
  },
};
const as = (order: (typeof ORDERS)[number]): World => {
  const { voters, nodes, table } = JSON.parse(renamed(JSON.stringify(world), order)) as World;
  return { voters: order.map((_, place) => voters[order.indexOf(place as 0)] as Voter), nodes, table };
};
const canonical = (store: Store, of: World) => store.canonical(store.parts(of), [0, 0, 0]).parts;

describe("a state of the exploration", () => {
  it("is the same whatever the voters are called", () => {
    const store = new Store();
    const all = ORDERS.map((order) => canonical(store, as(order)).join());
    expect(new Set(ORDERS.map((order) => store.parts(as(order)).join())).size).toBe(6);
    expect(new Set(all).size).toBe(1);
  });

  it("is another one when a voter, a node or the table is", () => {
    const store = new Store();
    const others: World[] = [
      { ...world, voters: world.voters.map((each, place) => (place === 2 ? { ...each, cut: [] } : each)) },
      { ...world, nodes: world.nodes.map((each, place) => (place === 1 ? { ...each, log: "w1" } : each)) },
      { ...world, table: { ...world.table, granted: { 2: B } } },
    ];
    const all = [world, ...others].map((each) => canonical(store, each).join());
    expect(new Set(all).size).toBe(4);
  });

  it("is read back as it was written, under the names that it has", () => {
    const store = new Store();
    const parts = store.parts(world);
    const back = store.world(parts);
    expect(back.nodes).toEqual(world.nodes);
    expect(back.table.granted).toEqual({ 2: A });
    expect(back.voters.map(({ id, cut }) => ({ id, cut }))).toEqual(world.voters.map(({ id, cut }) => ({ id, cut })));
    expect(store.parts(back)).toEqual(parts);
  });

  it("turns a voter to the first place and back", () => {
    const store = new Store();
    const parts = store.parts(world);
    for (const place of [0, 1, 2] as const) {
      const frame = store.frame(parts, place);
      expect(store.framedWorld(frame).voters.map(({ id }) => id)).toEqual([A]);
      expect(store.unframed(frame, parts, place)).toEqual(parts);
    }
    const granted = ([0, 1, 2] as const).map((place) => store.framedWorld(store.frame(parts, place)).table.granted);
    expect(granted).toEqual([{ 2: "az-a" }, { 2: "az-c" }, { 2: "az-b" }]);
  });

  it("keeps the order of instants within a moment, and their distances to the grain", () => {
    const store = new Store();
    const with_ = (readAt: number, quietSince: number): Parts => {
      const state = watching(ballot(), { quietSince: instant(quietSince) });
      const nodes = { ...state.nodes, n1: { ...state.nodes[N1], readAt: instant(readAt) } } as never;
      return store.parts({
        ...world,
        voters: world.voters.map((each, place) => (place === 0 ? { ...each, state: { ...state, nodes } } : each)),
      });
    };
    expect(with_(NOW - 1, NOW - 2)).toEqual(with_(NOW - 5, NOW - 9));
    expect(with_(NOW - 1, NOW - 2)).not.toEqual(with_(NOW - 2, NOW - 1));
    expect(with_(NOW - 101, NOW - 300)).toEqual(with_(NOW - 99, NOW - 302));
    expect(with_(NOW - 101, NOW - 300)).not.toEqual(with_(NOW - 101, NOW - 350));
  });
});
