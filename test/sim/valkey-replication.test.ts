// Ids, offsets, synchronizations and restarts as real servers showed them; the letters are the experiments'.

import { describe, expect, it } from "vitest";
import { addressOf, freeze, promote, Rig, readingsOf } from "./rig.ts";

describe("replication", () => {
  it("brings every write to the replicas within milliseconds, heartbeats included", () => {
    const rig = Rig.trio("stream");
    rig.run(5_000);
    const offsets = ["n1", "n2", "n3"].map((id) => rig.reading(id).offset);
    expect(new Set(offsets).size).toBe(1);
    expect(rig.keys("n3")).toBe(10);
    expect(rig.reading("n1").replicas).toHaveLength(2);
  });

  it("I4: an offset read in the freeze's reply never moves again", () => {
    const rig = Rig.trio("I4");
    const [, frozen] = readingsOf(rig.connect("n2").ask(freeze(7)));
    rig.write("n1", 50);
    rig.run(2_000);
    expect(frozen?.follows).toEqual({ host: "127.0.0.7", port: 1 });
    expect(rig.reading("n2").offset).toBe(frozen?.offset);
    expect(rig.reading("n1").replicas).toHaveLength(1);
  });

  it("B1-B4, N7: a frozen replica that is promoted is followed by partial synchronization", () => {
    const rig = Rig.trio("B1");
    rig.connect("n3").ask(freeze(7));
    rig.write("n1", 100);
    rig.run(50);
    rig.node("n1").kill();
    rig.connect("n2").ask(freeze(7));
    const before = rig.reading("n2");
    rig.run(3_000);
    expect(rig.reading("n2").offset).toBe(before.offset);
    rig.connect("n2").ask(promote);
    const promoted = rig.reading("n2");
    expect(promoted.secondReplicationId).toBe(before.replicationId);
    expect(promoted.secondReplicationOffset).toBe(before.offset + 1);
    const own = rig.reading("n3").offset;
    rig.follow("n3", addressOf("n2"));
    rig.run(60);
    const follower = rig.reading("n3");
    expect(follower).toMatchObject({ linkUp: true, replicationId: promoted.replicationId });
    expect(follower.secondReplicationOffset).toBe(own + 1);
    expect(rig.keys("n3")).toBe(110);
  });

  it("C1: promoting the one behind costs the other its writes", () => {
    const rig = Rig.trio("C1");
    rig.connect("n3").ask(freeze(7));
    rig.write("n1", 100);
    rig.run(50);
    rig.node("n1").kill();
    rig.connect("n3").ask(promote);
    rig.follow("n2", addressOf("n3"));
    rig.run(3_000);
    expect(rig.reading("n2")).toMatchObject({ linkUp: true, keyCount: 10 });
  });

  it("B7: a demoted primary continues partially only without writes of its own", () => {
    for (const extra of [0, 5]) {
      const rig = Rig.trio(`B7-${extra}`);
      rig.connect("n2").ask(freeze(7));
      rig.connect("n3").ask(freeze(7));
      if (extra === 0) rig.connect("n1").ask(freeze(7));
      rig.run(20);
      rig.write("n1", extra);
      const { offset } = rig.reading("n1");
      const behind = rig.reading("n2").offset;
      rig.connect("n2").ask(promote);
      rig.follow("n1", addressOf("n2"));
      rig.run(3_000);
      expect(rig.keys("n1")).toBe(10);
      expect(rig.reading("n1").linkUp).toBe(true);
      // A heartbeat between the freezes makes them unequal too.
      if (offset > behind) expect(rig.reading("n1").secondReplicationId).toBeNull();
    }
  });

  it("C5, C6: replicas of an empty restart are emptied, unless it starts fenced", () => {
    for (const bootFence of [false, true]) {
      const rig = Rig.trio(`C5-${bootFence}`, { bootFence });
      rig.node("n1").kill();
      rig.run(100);
      rig.node("n1").start("empty");
      rig.run(5_000);
      expect(rig.keys("n2")).toBe(bootFence ? 10 : 0);
      expect(rig.reading("n2").linkUp).toBe(!bootFence);
    }
  });

  it("C7: what a full synchronization left on disk comes back as old data", () => {
    const rig = Rig.trio("C7", { bootFence: false });
    rig.follow("n2", null);
    rig.write("n2", 30);
    rig.node("n2").kill();
    rig.node("n2").start("old-rdb");
    rig.run(100);
    expect(rig.keys("n2")).toBe(0);
  });

  it("N8: a restart keeps id and offset with a snapshot, and only the data with an append-only file", () => {
    const rig = Rig.trio("N8");
    const before = rig.reading("n2");
    rig.node("n2").kill();
    rig.node("n2").start("rdb");
    rig.run(200);
    expect(rig.reading("n2")).toMatchObject({
      replicationId: before.replicationId,
      offset: before.offset,
      keyCount: 10,
    });
    expect(rig.reading("n2").runId).not.toBe(before.runId);
    rig.node("n2").kill();
    rig.node("n2").start("aof");
    rig.run(200);
    expect(rig.reading("n2").replicationId).not.toBe(before.replicationId);
    expect(rig.reading("n2")).toMatchObject({ offset: 0, keyCount: 10 });
  });

  it("a primary that loads a snapshot takes a new id and keeps the old one as its second", () => {
    const rig = Rig.trio("rdb primary", { bootFence: false });
    const before = rig.reading("n1");
    rig.node("n1").kill();
    rig.node("n1").start("rdb");
    rig.run(200);
    const after = rig.reading("n1");
    expect(after).toMatchObject({ role: "primary", secondReplicationId: before.replicationId });
    expect(after.secondReplicationOffset).toBe(before.offset + 1);
  });

  it("M1: the first follower of a promoted node without a backlog finds a new history, later ones go on", () => {
    const rig = Rig.trio("M1", { pingReplicaPeriodSeconds: 3_600 });
    for (const id of ["n1", "n2", "n3"]) rig.node(id).kill();
    for (const id of ["n2", "n3"]) rig.node(id).start("rdb");
    rig.run(100);
    rig.connect("n2").ask(promote);
    const promoted = rig.reading("n2");
    rig.write("n2", 2);
    expect(rig.reading("n2")).toMatchObject({ offset: promoted.offset, keyCount: 12 });
    rig.follow("n3", addressOf("n2"));
    rig.run(3_000);
    const followed = rig.reading("n2");
    expect(followed).toMatchObject({ offset: promoted.offset, secondReplicationId: null, keyCount: 12 });
    expect(followed.replicationId).not.toBe(promoted.replicationId);
    expect(rig.reading("n3")).toMatchObject({ linkUp: true, replicationId: followed.replicationId, keyCount: 12 });
    rig.connect("n3").ask(freeze(7));
    rig.write("n2", 1);
    rig.follow("n3", addressOf("n2"));
    rig.run(60);
    expect(rig.reading("n3")).toMatchObject({ linkUp: true, replicationId: followed.replicationId, keyCount: 13 });
  });

  it("M2: a replica that never followed anybody is at 0, also when it is promoted", () => {
    const rig = new Rig("M2", ["n1"]);
    rig.run(10);
    expect(rig.reading("n1")).toMatchObject({ role: "replica", offset: 0 });
    rig.follow("n1", null);
    expect(rig.reading("n1")).toMatchObject({ role: "primary", offset: 0, secondReplicationOffset: 1 });
  });

  it("M3: SIGTERM asks for acknowledgements that are missing, and for none otherwise", () => {
    for (const isLate of [true, false]) {
      const rig = Rig.trio(`M3-${isLate}`, { pingReplicaPeriodSeconds: 3_600 });
      rig.run(2_000);
      if (isLate) rig.write("n1", 1);
      const { offset } = rig.reading("n1");
      rig.node("n1").terminate();
      rig.run(100);
      expect(rig.reading("n2").offset - offset).toBe(isLate ? 37 : 0);
    }
  });

  it("M4, M5: what is on disk is of the last clean end, and nothing after the disk was emptied", () => {
    const rig = Rig.trio("M5", { savesSnapshots: true });
    rig.node("n2").terminate();
    rig.run(100);
    for (const [data, keys] of [
      ["old-rdb", 10],
      ["empty", 0],
      ["old-rdb", 0],
    ] as const) {
      rig.node("n2").kill();
      rig.node("n2").start(data);
      rig.run(100);
      expect(rig.keys("n2")).toBe(keys);
    }
  });

  it("N9: a primary without replicas changes its id after the backlog's time", () => {
    const rig = Rig.trio("N9", { backlogTtlSeconds: 5 });
    const before = rig.reading("n1");
    rig.node("n2").kill();
    rig.node("n3").kill();
    rig.run(8_000);
    const after = rig.reading("n1");
    expect(after.runId).toBe(before.runId);
    expect(after.replicationId).not.toBe(before.replicationId);
    expect(after.secondReplicationId).toBeNull();
  });

  it("N6: a freeze clears the flag of a full synchronization and keeps the old data", () => {
    const rig = Rig.trio("N6", { transferMs: 500 });
    rig.follow("n2", null);
    rig.write("n2", 5);
    rig.follow("n2", addressOf("n1"));
    rig.run(200);
    const [before, after] = readingsOf(rig.connect("n2").ask(freeze(7)));
    expect(before).toMatchObject({ syncInProgress: true, keyCount: 15 });
    expect(after).toMatchObject({ syncInProgress: false, keyCount: 15 });
    expect(after?.offset).toBe(before?.offset);
  });

  it("N5: a primary demoted to a target that lags flushes; demoted to a dead address it loses nothing", () => {
    for (const dead of [false, true]) {
      const rig = Rig.trio(`N5-${dead}`, { applyMs: 400 });
      rig.run(1_000);
      rig.write("n1", 100);
      rig.connect("n3").ask(freeze(7));
      if (dead) rig.connect("n1").ask(freeze(7));
      else rig.follow("n1", addressOf("n2"));
      rig.run(1_000);
      rig.connect("n2").ask(promote);
      rig.follow("n1", addressOf("n2"));
      rig.run(3_000);
      expect(rig.reading("n1").linkUp).toBe(true);
      expect(rig.keys("n1")).toBe(dead ? 110 : 10);
    }
  });

  it("a backlog that is too small forces a full synchronization", () => {
    const rig = Rig.trio("backlog", { backlogBytes: 1_000 });
    rig.connect("n2").ask(freeze(7));
    rig.write("n1", 100);
    rig.follow("n2", addressOf("n1"));
    rig.run(3_000);
    expect(rig.reading("n2")).toMatchObject({ linkUp: true, keyCount: 110 });
    expect(rig.node("n2").snapshot).not.toBeNull();
  });

  it("a link that is cut catches up after the cut, and breaks after the timeout", () => {
    const rig = Rig.trio("cut");
    const heal = rig.network.impose({ from: "node:n1", to: "node:n2", effect: { kind: "cut" } });
    rig.run(100);
    rig.write("n1", 20);
    rig.run(5_000);
    expect(rig.reading("n2")).toMatchObject({ linkUp: true, keyCount: 10 });
    expect(rig.reading("n2").lastIoSeconds).toBeGreaterThanOrEqual(5);
    heal();
    rig.run(6_000);
    expect(rig.keys("n2")).toBe(30);
    rig.network.impose({ from: "node:n1", to: "node:n2", effect: { kind: "cut" } });
    rig.run(65_000);
    expect(rig.reading("n2").linkUp).toBe(false);
    expect(rig.reading("n1").replicas).toHaveLength(1);
  });
});
