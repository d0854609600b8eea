import { expect, it } from "vitest";
import { isBootFenced } from "../../lib/core/token.ts";
import type { NodeCommand } from "../../lib/core/types.ts";
import { epoch, replicationId, runId } from "../../lib/core/types.ts";
import type { Applied, Begin } from "./valkey-node-scene.ts";
import { freezeOver, promoteAfter, repointOver, settleOver, tokenOfEpoch } from "./valkey-node-scene.ts";

export function describeChanges(begin: Begin): void {
  it("B1, I4: a freeze writes its epoch on the node, and keeps replication id and offset", async () => {
    const scene = await begin();
    await scene.write(0, 10);
    await scene.inStep();
    const frozen = await scene.at(1).freeze(7);
    expect(frozen.before.follows).toEqual(scene.node(0).address);
    expect(frozen.after.follows).toEqual(tokenOfEpoch(7));
    expect(frozen.after.replicationId).toBe(frozen.before.replicationId);
    expect(frozen.after.offset).toBe(frozen.before.offset);
    await scene.write(0, 10);
    await scene.world.pass(100);
    const later = await scene.reading(1);
    expect([later.replicationId, later.offset]).toEqual([frozen.after.replicationId, frozen.after.offset]);
    expect(later).toMatchObject({ role: "replica", linkUp: false, follows: tokenOfEpoch(7) });
  });

  it("C4: a freeze repeated for the same epoch changes nothing", async () => {
    const scene = await begin();
    const first = await scene.at(1).freeze(7);
    const second = await scene.at(1).freeze(7);
    expect(second.after).toMatchObject({
      follows: tokenOfEpoch(7),
      offset: first.after.offset,
      replicationId: first.after.replicationId,
    });
  });

  it("demotes a primary: frozen, it takes no more writes and shows where its history ends", async () => {
    const scene = await begin({ nodes: 2 });
    const client = await scene.world.settled(scene.node(0).openClient());
    expect(await scene.world.settled(client.write())).toBe(true);
    const frozen = await scene.at(0).freeze(7);
    expect(frozen.before.role).toBe("primary");
    expect(frozen.after).toMatchObject({ role: "replica", replicationId: frozen.before.replicationId });
    expect(frozen.after.offset).toBe(frozen.before.offset);
    expect(await scene.world.settled(client.write())).toBe(false);
    client.close();
  });

  it("R9: every change closes the connections of other coordinators, which can send nothing any more", async () => {
    const scene = await begin();
    const stale = scene.other(1);
    for (const kind of ["freeze", "settle", "repoint"] as const) {
      const { connection } = await stale.answer();
      const mine = (await scene.at(1).answer()).connection;
      const commands: Record<typeof kind, NodeCommand> = {
        freeze: freezeOver(mine, 8),
        settle: settleOver(mine, 8),
        repoint: repointOver(mine, scene.node(0).address),
      };
      const changed = await scene.at(1).change(commands[kind]);
      const outcome = await stale.ask(freezeOver(connection, 6));
      // Whether it had noticed by then or not, nothing of it took effect.
      expect(["refused", "unknown"], kind).toContain(outcome.kind);
      expect((await scene.reading(1)).follows, kind).toEqual(changed.after.follows);
    }
  });

  it("a change leaves its own connection as the one to go on with", async () => {
    const scene = await begin();
    const frozen = await scene.at(1).freeze(7);
    expect((await scene.at(1).answer()).connection).toEqual(frozen.connection);
  });

  it("N7: a promotion begins a new history right behind the old one, and drops the clients", async () => {
    const scene = await begin();
    await scene.write(0, 10);
    await scene.inStep();
    const client = await scene.world.settled(scene.node(1).openClient());
    const frozen = await scene.at(1).freeze(7);
    const promoted = await scene.at(1).change(promoteAfter(frozen, 7));
    expect(promoted.after).toMatchObject({
      role: "primary",
      follows: null,
      runId: frozen.after.runId,
      secondReplicationId: frozen.after.replicationId,
      secondReplicationOffset: frozen.after.offset + 1,
      offset: frozen.after.offset,
    });
    expect(promoted.before.follows).toEqual(tokenOfEpoch(7));
    expect(promoted.after.replicationId).not.toBe(frozen.after.replicationId);
    await scene.waitFor("the client is cut off", () => scene.world.settled(client.isCut()));
    client.close();
    await scene.write(1, 1);
  });

  it("R25: a blank server is promoted right behind the offset that it showed", async () => {
    const scene = await begin({ nodes: 2 });
    await scene.world.settled(scene.node(1).kill());
    await scene.world.settled(scene.node(1).restart("emptied"));
    const frozen = await scene.at(1).freeze(7);
    expect(frozen.after.offset).toBe(0);
    const promoted = await scene.at(1).change(promoteAfter(frozen, 7));
    expect(promoted.after).toMatchObject({ role: "primary", secondReplicationOffset: 1, offset: 0 });
    expect(promoted.after.secondReplicationId).toBe(frozen.after.replicationId);
  });

  it("R6, R11: a promotion is not sent to a node that is not exactly what was expected", async () => {
    const scene = await begin();
    const frozen = await scene.at(1).freeze(7);
    const good = promoteAfter(frozen, 7);
    const wrong = [
      { ...good.expect, runId: runId("0".repeat(40)) },
      { ...good.expect, replicationId: replicationId("0".repeat(40)) },
      { ...good.expect, offset: good.expect.offset + 1 },
      { ...good.expect, offset: good.expect.offset - 1 },
      { ...good.expect, tokenHost: tokenOfEpoch(6).host },
    ];
    for (const expectation of wrong) {
      const outcome = await scene.at(1).ask({ ...good, expect: expectation });
      expect(outcome).toMatchObject({ kind: "refused", reading: { role: "replica", follows: tokenOfEpoch(7) } });
    }
    expect((await scene.reading(1)).role).toBe("replica");
    await scene.at(1).change(good);
    // What was promoted is no longer what was expected: a repeated order does nothing.
    expect(await scene.at(1).ask(good)).toMatchObject({ kind: "refused", reading: { role: "primary" } });
  });

  it("a switchover's target is promoted without a token, at its exact offset", async () => {
    const scene = await begin({ nodes: 2 });
    await scene.inStep();
    const stopped = await scene.at(0).freeze(7);
    await scene.until(1, "the target has all of it", (reading) => reading.offset === stopped.after.offset);
    const { connection, reading } = await scene.at(1).answer();
    const { runId: process, replicationId: history, offset } = reading;
    const expectation = { runId: process, replicationId: history, offset, tokenHost: null };
    const order = { kind: "promote", epoch: epoch(7), connection: connection.id, expect: expectation } as const;
    const promoted = await scene.at(1).change(order);
    expect(promoted.after).toMatchObject({ role: "primary", secondReplicationOffset: stopped.after.offset + 1 });
  });

  it("B4, N7: a re-pointed node goes on from where it was, and shows the new history from there", async () => {
    const scene = await begin();
    await scene.write(0, 20);
    await scene.inStep();
    const frozen = { first: await scene.at(1).freeze(7), second: await scene.at(2).freeze(7) };
    const promoted = await scene.at(1).change(promoteAfter(frozen.first, 7));
    const repointed = await scene.at(2).change(repointOver(frozen.second.connection, scene.node(1).address));
    expect(repointed.before.follows).toEqual(tokenOfEpoch(7));
    expect(repointed.after).toMatchObject({ role: "replica", follows: scene.node(1).address, keyCount: 21 });
    const linked = await scene.until(2, "linked", (reading) => reading.linkUp);
    expect(linked).toMatchObject({
      replicationId: promoted.after.replicationId,
      // A full synchronization would have cleared these two.
      secondReplicationId: frozen.second.after.replicationId,
      secondReplicationOffset: frozen.second.after.offset + 1,
      keyCount: 21,
    });
  });

  it("a re-pointed old primary drops its clients when told to, and them only then", async () => {
    const scene = await begin();
    for (const dropClients of [false, true]) {
      const client = await scene.world.settled(scene.node(2).openClient());
      const { connection } = await scene.at(2).answer();
      await scene.at(2).change(repointOver(connection, scene.node(0).address, dropClients));
      await scene.world.pass(50);
      expect(await scene.world.settled(client.isCut())).toBe(dropClients);
      client.close();
    }
  });

  it("R24: settling changes nothing but closes what an older coordinator had open", async () => {
    const scene = await begin({ nodes: 1 });
    const client = await scene.world.settled(scene.node(0).openClient());
    const settled: Applied = await scene.at(0).change(settleOver((await scene.at(0).answer()).connection, 7));
    expect(settled.after).toMatchObject({ role: "primary", replicationId: settled.before.replicationId });
    expect(await scene.world.settled(client.write())).toBe(true);
    client.close();
  });

  it("I1: a failed CONFIG REWRITE is told and nothing else", async () => {
    const scene = await begin({ nodes: 2 });
    expect((await scene.at(1).freeze(6)).rewriteError).toBeNull();
    scene.node(1).loseConfigFile();
    const frozen = await scene.at(1).freeze(7);
    expect(frozen.rewriteError).toMatch(/ERR/);
    expect(frozen.after.follows).toEqual(tokenOfEpoch(7));
  });

  it("R5: a freeze outlives a restart of a node without a boot fence, because it was written into its file", async () => {
    const scene = await begin({ nodes: 2 });
    await scene.at(1).freeze(7);
    await scene.world.settled(scene.node(1).kill());
    await scene.world.settled(scene.node(1).restart("kept", "plain"));
    expect(await scene.reading(1)).toMatchObject({ role: "replica", follows: tokenOfEpoch(7) });
  });

  it("a boot fence on the command line overrides the token that was rewritten", async () => {
    const scene = await begin({ nodes: 2 });
    await scene.at(1).freeze(7);
    await scene.world.settled(scene.node(1).kill());
    await scene.world.settled(scene.node(1).restart("kept"));
    expect(isBootFenced(await scene.reading(1))).toBe(true);
  });

  it("E: a pause holds writes while INFO answers, and ends by itself", async () => {
    const scene = await begin({ nodes: 1 });
    const client = await scene.world.settled(scene.node(0).openClient());
    const { connection } = await scene.at(0).answer();
    const order = { kind: "pause", connection: connection.id, durationMs: 400 } as const;
    expect(await scene.at(0).ask(order)).toEqual({ kind: "done" });
    let written: boolean | null = null;
    client.write().then((accepted) => {
      written = accepted;
    });
    await scene.world.pass(150);
    expect((await scene.at(0).answer()).connection).toEqual(connection);
    expect(written).toBeNull();
    await scene.waitFor("the held write is accepted", () => written === true);
    client.close();
  });

  it("L2: a freeze during a pause executes no held write", async () => {
    const scene = await begin({ nodes: 1 });
    const client = await scene.world.settled(scene.node(0).openClient());
    const { connection, reading } = await scene.at(0).answer();
    await scene.at(0).ask({ kind: "pause", connection: connection.id, durationMs: 300 });
    let written: boolean | null = null;
    client.write().then((accepted) => {
      written = accepted;
    });
    await scene.world.pass(50);
    const frozen = await scene.at(0).freeze(7);
    await scene.waitFor("the held write ends", () => written !== null);
    expect(written).toBe(false);
    expect(frozen.after.keyCount).toBe(reading.keyCount);
    expect((await scene.reading(0)).keyCount).toBe(reading.keyCount);
    client.close();
  });

  it("N12: a freeze is refused while a coordinated failover is going on, until that is aborted", async () => {
    const scene = await begin({ nodes: 2 });
    await scene.inStep();
    scene.node(1).hang();
    // The target can never have this write, so the failover goes on.
    await scene.write(0, 1);
    await scene.world.settled(scene.node(0).beginFailover(scene.node(1).address));
    const { connection, reading } = await scene.at(0).answer();
    expect(reading.failoverState).not.toBe("no-failover");
    const refused = await scene.at(0).ask(freezeOver(connection, 7));
    expect(refused).toMatchObject({ kind: "refused", reading: { role: "primary" } });
    const abort = { kind: "abort-failover", connection: (await scene.at(0).answer()).connection.id } as const;
    expect(await scene.at(0).ask(abort)).toEqual({ kind: "done" });
    expect(await scene.at(0).ask(abort)).toEqual({ kind: "done" });
    expect((await scene.at(0).freeze(7)).after.follows).toEqual(tokenOfEpoch(7));
    scene.node(1).wake();
  });

  it("nothing is sent over a connection that is gone, or after the deadline", async () => {
    const scene = await begin({ nodes: 1 });
    const { connection } = await scene.at(0).answer();
    const gone = await scene.at(0).ask({ ...freezeOver(connection, 7), connection: connection.id + 1_000 });
    expect(gone).toMatchObject({ kind: "refused", detail: "not sent: connection lost", reading: null });
    expect((await scene.at(0).ask(freezeOver(connection, 7), 0)).kind).toBe("refused");
    await scene.at(0).answer({ fresh: true });
    expect((await scene.at(0).ask(freezeOver(connection, 7))).kind).toBe("refused");
    expect((await scene.reading(0)).role).toBe("primary");
  });
}
