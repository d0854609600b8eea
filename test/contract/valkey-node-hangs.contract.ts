import { expect, it } from "vitest";
import type { Observation } from "../../lib/core/types.ts";
import type { Begin, Seat } from "./valkey-node-scene.ts";
import { freezeOver, promoteAfter, settleOver, tokenOfEpoch } from "./valkey-node-scene.ts";

const SHORT_MS = 100;

export function describeHangs(begin: Begin): void {
  it("a hung node is silent, and its authenticated connection is offered for parking", async () => {
    const scene = await begin({ nodes: 1 });
    const { connection } = await scene.at(0).answer();
    scene.node(0).hang();
    for (let probe = 0; probe < 3; probe += 1) expect(await silent(scene.at(0))).toEqual(connection);
    scene.node(0).wake();
  });

  it("N1: a connection that never answered is never offered", async () => {
    const scene = await begin({ nodes: 1 });
    scene.node(0).hang();
    for (let probe = 0; probe < 3; probe += 1) expect(await silent(scene.at(0))).toBeNull();
    scene.node(0).wake();
    await scene.at(0).answer();
  });

  it("a node that wakes answers a new connection; the hung one's late answer decides nothing and it is closed", async () => {
    const scene = await begin({ nodes: 1 });
    const { connection } = await scene.at(0).answer();
    scene.node(0).hang();
    await silent(scene.at(0));
    scene.node(0).wake();
    await scene.world.pass(SHORT_MS);
    const answered = await scene.at(0).answer();
    expect(answered.connection.id).not.toBe(connection.id);
    const outcome = await scene.at(0).ask(freezeOver(connection, 7));
    expect(outcome).toMatchObject({ kind: "refused", detail: "not sent: connection lost" });
    expect((await scene.reading(0)).role).toBe("primary");
  });

  it("K1: a parked freeze is told as unknown at once, carried out first on waking, and its answer told late", async () => {
    const scene = await begin({ nodes: 2 });
    const client = await scene.world.settled(scene.node(0).openClient());
    const seat = scene.at(0);
    await seat.answer();
    scene.node(0).hang();
    const parkable = await silent(seat);
    if (parkable === null) throw new Error("nothing to park on");
    const order = freezeOver(parkable, 7, true);
    expect(await seat.ask(order)).toEqual({ kind: "unknown", detail: "parked" });
    let written: boolean | null = null;
    client.write().then((accepted) => {
      written = accepted;
    });
    await scene.world.pass(SHORT_MS);
    scene.node(0).wake();
    await scene.waitFor("the late answer", () => seat.late.length === 1);
    expect(seat.late[0]).toMatchObject({
      command: order,
      outcome: { kind: "applied", after: { role: "replica", follows: tokenOfEpoch(7) }, connection: parkable },
    });
    // At most the write that its connection had in flight, which nothing can recall.
    await scene.waitFor("the write in flight ends", () => written !== null);
    expect(await scene.world.settled(client.write())).toBe(false);
    // The kill spared its own connection: the next command goes over it.
    expect((await seat.answer()).connection).toEqual(parkable);
    client.close();
  });

  it("a parked connection outlives a new one that answers, until its own answer has come", async () => {
    const scene = await begin({ nodes: 1 });
    const seat = scene.at(0);
    const { connection } = await seat.answer();
    scene.node(0).hang();
    await seat.ask(freezeOver(connection, 7, true));
    scene.node(0).wake();
    // Whichever comes first of the two, the answer of the parked freeze is not lost.
    await seat.probe({ fresh: true });
    await scene.waitFor("the late answer", () => seat.late.length === 1);
    expect(seat.late[0]?.outcome.kind).toBe("applied");
  });

  it("N2: a parked freeze is carried out though its sender is gone", async () => {
    const scene = await begin({ nodes: 1 });
    const seat = scene.other(0);
    const { connection } = await seat.answer();
    scene.node(0).hang();
    await seat.ask(freezeOver(connection, 7, true));
    seat.node.close();
    await scene.world.pass(SHORT_MS);
    scene.node(0).wake();
    const reading = await scene.until(0, "frozen", ({ role }) => role === "replica");
    expect(reading.follows).toEqual(tokenOfEpoch(7));
  });

  it("K3: of two parked freezes the first is carried out and kills the other's connection", async () => {
    for (const [first, second] of [
      [6, 8],
      [8, 6],
    ] as const) {
      const scene = await begin({ nodes: 1 });
      const seats = { early: scene.at(0), late: scene.other(0) };
      const early = (await seats.early.answer()).connection;
      const late = (await seats.late.answer()).connection;
      scene.node(0).hang();
      await seats.early.ask(freezeOver(early, first, true));
      await scene.world.pass(20);
      await seats.late.ask(freezeOver(late, second, true));
      await scene.world.pass(SHORT_MS);
      scene.node(0).wake();
      await scene.waitFor("one of them is answered", () => seats.early.late.length + seats.late.late.length > 0);
      const told = [...seats.early.late, ...seats.late.late];
      expect(told).toHaveLength(1);
      const outcome = told[0]?.outcome;
      expect(outcome?.kind).toBe("applied");
      const { follows } = await scene.reading(0);
      expect([tokenOfEpoch(first), tokenOfEpoch(second)]).toContainEqual(follows);
      expect(outcome?.kind === "applied" && outcome.after.follows).toEqual(follows);
      await scene.close();
    }
  });

  it("C3: of two commands that lie unread, one is carried out and the other dies with its connection", async () => {
    const scene = await begin({ nodes: 1 });
    const stale = scene.other(0);
    const old = (await stale.answer()).connection;
    const mine = (await scene.at(0).answer()).connection;
    scene.node(0).hang();
    const fresh = scene.at(0).begin(freezeOver(mine, 8));
    await scene.world.pass(30);
    const outdated = stale.begin(freezeOver(old, 6));
    await scene.world.pass(30);
    scene.node(0).wake();
    const outcomes = [await scene.world.settled(fresh), await scene.world.settled(outdated)];
    // Nearly always the one that came first; the order in which a woken process finds its sockets is the kernel's own affair.
    expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual(["applied", "unknown"]);
    const winner = outcomes[0]?.kind === "applied" ? 8 : 6;
    expect((await scene.reading(0)).follows).toEqual(tokenOfEpoch(winner));
    // Who lost sees its connection closed and freezes again: the newer epoch has the last word.
    if (winner === 6) expect((await scene.at(0).freeze(8)).after.follows).toEqual(tokenOfEpoch(8));
  });

  it("a change that is not answered in time is unknown, and told when the answer comes", async () => {
    const scene = await begin({ nodes: 1 });
    const seat = scene.at(0);
    const { connection } = await seat.answer();
    scene.node(0).hang();
    const order = settleOver(connection, 7);
    expect((await seat.ask(order, SHORT_MS)).kind).toBe("unknown");
    expect(await silent(seat)).toEqual(connection);
    scene.node(0).wake();
    await scene.waitFor("the late answer", () => seat.late.length === 1);
    expect(seat.late[0]).toMatchObject({ command: order, outcome: { kind: "applied" } });
  });

  it("a promotion whose check is not answered in time was never sent", async () => {
    const scene = await begin({ nodes: 2 });
    const seat = scene.at(1);
    const frozen = await seat.freeze(7);
    scene.node(1).hang();
    const outcome = await seat.ask(promoteAfter(frozen, 7), SHORT_MS);
    expect(outcome).toMatchObject({ kind: "refused", reading: null });
    scene.node(1).wake();
    await scene.world.pass(SHORT_MS);
    expect((await scene.reading(1)).role).toBe("replica");
  });
}

/** Probes a hung node once; what it offers for parking. */
async function silent(seat: Seat): Promise<Extract<Observation, { kind: "silent" }>["parkable"]> {
  const observation = await seat.probe({ withinMs: SHORT_MS });
  if (observation.kind !== "silent") throw new Error(`not silent: ${observation.kind}`);
  return observation.parkable;
}
