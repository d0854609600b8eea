import { expect, it } from "vitest";
import { isBootFenced } from "../../lib/core/token.ts";
import type { Begin } from "./valkey-node-scene.ts";
import { settleOver } from "./valkey-node-scene.ts";

export function describeProbes(begin: Begin): void {
  it("read what each node says of itself", async () => {
    const scene = await begin();
    await scene.write(0, 5);
    await scene.inStep();
    const primary = await scene.until(0, "both replicas are listed", (reading) => reading.replicas.length === 2);
    expect(primary).toMatchObject({ role: "primary", mode: "standalone", follows: null, failoverState: "no-failover" });
    const replicas = [await scene.reading(1), await scene.reading(2)];
    for (const replica of replicas) {
      expect(replica).toMatchObject({ role: "replica", linkUp: true, linkDownSeconds: null, syncInProgress: false });
      expect(replica.follows).toEqual(scene.node(0).address);
      expect(replica.replicationId).toBe(primary.replicationId);
      expect(replica.keyCount).toBe(primary.keyCount);
    }
    expect(new Set([primary, ...replicas].map((reading) => reading.runId)).size).toBe(3);
  });

  it("go over one kept connection, and over a new one when asked to", async () => {
    const scene = await begin({ nodes: 1 });
    const first = await scene.at(0).answer();
    const second = await scene.at(0).answer();
    expect(second.connection).toEqual(first.connection);
    const fresh = await scene.at(0).answer({ fresh: true });
    expect(fresh.connection.id).not.toBe(first.connection.id);
    expect(fresh.connection.authenticatedAt).toBeGreaterThanOrEqual(first.connection.authenticatedAt);
    expect((await scene.at(0).answer()).connection).toEqual(fresh.connection);
  });

  it("bring the settings with the second answer: they are asked for behind the first", async () => {
    const scene = await begin({ nodes: 1 });
    expect((await scene.at(0).answer()).settings).toBeNull();
    await scene.world.pass(50);
    expect((await scene.at(0).answer()).settings).toMatchObject({
      primaryAuthSet: true,
      requiresAuth: true,
      savesSnapshots: false,
      stopWritesOnBgsaveError: true,
      minReplicasToWrite: 0,
      pingReplicaPeriodSeconds: 1,
      watchedBySentinel: false,
    });
  });

  it("dial again within the same probe when the kept connection was closed", async () => {
    const scene = await begin({ nodes: 1 });
    const first = await scene.at(0).answer();
    const other = scene.other(0);
    // Settling closes every other coordinator's connection: as little evidence against the node as can be.
    await other.change(settleOver((await other.answer()).connection, 5));
    const second = await scene.at(0).answer();
    expect(second.reading.runId).toBe(first.reading.runId);
    expect(second.connection.id).not.toBe(first.connection.id);
  });

  it("are refused by an address where nobody listens any more", async () => {
    const scene = await begin({ nodes: 1 });
    await scene.at(0).answer();
    await scene.world.settled(scene.node(0).kill());
    expect((await scene.at(0).probe()).kind).toBe("refused");
    expect((await scene.at(0).probe({ fresh: true })).kind).toBe("refused");
  });

  it("N8: know a restarted node by its run id; what it kept depends on how it saves", async () => {
    for (const [persistence, kept] of [
      ["none", "nothing"],
      ["rdb", "history"],
      ["aof", "data"],
    ] as const) {
      const scene = await begin({ nodes: 2, persistence });
      await scene.write(0, 5);
      await scene.inStep();
      const before = await scene.reading(0);
      await scene.world.settled(scene.node(0).shutDown());
      await scene.world.settled(scene.node(0).restart("kept"));
      const after = await scene.until(0, "loaded", (reading) => !reading.loading);
      expect(after.runId, persistence).not.toBe(before.runId);
      expect(isBootFenced(after), persistence).toBe(true);
      expect(after.keyCount, persistence).toBe(kept === "nothing" ? 0 : before.keyCount);
      // Heartbeats may have come between the reading and the end of the process, so its offset may have grown, never fallen.
      if (kept === "history") {
        expect(after.replicationId).toBe(before.replicationId);
        expect(after.offset).toBeGreaterThanOrEqual(before.offset);
      } else {
        expect(after.replicationId, persistence).not.toBe(before.replicationId);
        expect(after.offset, persistence).toBeLessThanOrEqual(1);
      }
      await scene.close();
    }
  });

  it("C7: a replica that never saves comes back with what its last full synchronization left, under a true history", async () => {
    const scene = await begin({ nodes: 2, persistence: "none" });
    await scene.write(0, 5);
    await scene.inStep();
    const before = await scene.reading(1);
    await scene.world.settled(scene.node(1).kill());
    await scene.world.settled(scene.node(1).restart("kept"));
    const after = await scene.reading(1);
    expect(after.runId).not.toBe(before.runId);
    expect(after.replicationId).toBe(before.replicationId);
    expect(after.offset).toBeLessThan(before.offset);
    expect(after.keyCount).toBeLessThan(before.keyCount);
  });

  it("show a node that came back empty as boot-fenced and without keys", async () => {
    const scene = await begin({ nodes: 1, persistence: "rdb" });
    await scene.write(0, 5);
    await scene.world.settled(scene.node(0).kill());
    await scene.world.settled(scene.node(0).restart("emptied"));
    const reading = await scene.reading(0);
    expect(isBootFenced(reading)).toBe(true);
    expect(reading).toMatchObject({ role: "replica", keyCount: 0, linkUp: false, lastIoSeconds: null });
  });
}
