// Connections, kills, pauses and refusals as real servers showed them; the letters are the experiments'.

import { describe, expect, it } from "vitest";
import { addressOf, freeze, promote, Rig, readingsOf, transaction } from "./rig.ts";

describe("connections", () => {
  it("C3: a freeze closes the connections of stale coordinators, whose queued requests die with them", () => {
    const rig = Rig.trio("C3");
    const stale = rig.connect("n2", { name: "voter:az-a" });
    const fresh = rig.connect("n2", { name: "voter:az-b" });
    rig.node("n2").process?.hang();
    fresh.send(freeze(8));
    rig.run(5);
    stale.send(promote);
    rig.run(5);
    rig.node("n2").process?.wake();
    rig.run(50);
    expect(rig.reading("n2").follows).toEqual({ host: "127.0.0.8", port: 1 });
    expect(stale.closed).toBe(true);
    expect(stale.replies).toEqual([]);
  });

  it("C3b: a stale promotion that arrived first is carried out, and its answer is lost", () => {
    const rig = Rig.trio("C3b");
    const stale = rig.connect("n2", { name: "voter:az-a" });
    const fresh = rig.connect("n2", { name: "voter:az-b" });
    const before = rig.reading("n2").replicationId;
    stale.send(transaction(6, [{ kind: "replicaof", address: null }]));
    rig.node("n2").process?.hang();
    rig.run(5);
    fresh.send(freeze(8));
    rig.run(5);
    rig.node("n2").process?.wake();
    rig.run(50);
    expect(rig.reading("n2").follows).toEqual({ host: "127.0.0.8", port: 1 });
    expect(rig.reading("n2").replicationId).not.toBe(before);
  });

  it("N1: the kill cannot see a connection whose AUTH was not read", () => {
    const rig = Rig.trio("N1");
    rig.node("n2").process?.hang();
    const fresh = rig.connect("n2", { name: "voter:az-a" });
    fresh.send(freeze(7));
    rig.run(5);
    const stale = rig.connect("n2", { name: "voter:az-b" });
    stale.send(freeze(6));
    rig.run(5);
    rig.node("n2").process?.wake();
    rig.run(50);
    expect(rig.reading("n2").follows?.host).toBe("127.0.0.6");
  });

  it("N2: what was sent on a connection that its sender closed is carried out all the same", () => {
    const rig = Rig.trio("N2");
    const peer = rig.connect("n2");
    rig.node("n2").process?.hang();
    peer.send(freeze(7));
    peer.close();
    rig.run(50);
    rig.node("n2").process?.wake();
    rig.run(50);
    expect(rig.reading("n2").follows?.host).toBe("127.0.0.7");
  });

  it("refuses connects without a process, and answers none without a machine", () => {
    const rig = Rig.trio("refused");
    const peer = rig.connect("n2");
    rig.node("n2").kill();
    rig.run(5);
    expect(peer.closed).toBe(true);
    expect(rig.connect("n2").closed).toBe(true);
    const other = rig.connect("n3");
    rig.node("n3").powerOff();
    expect(other.ask({ kind: "info" })).toEqual({ kind: "error", message: "silent" });
    expect(rig.connect("n3").closed).toBe(false);
  });

  it("a connection from before a cut hangs, and is answered after it", () => {
    const rig = Rig.trio("hangs");
    const peer = rig.connect("n2", { name: "voter:az-a", zone: "z9" });
    const heal = rig.network.impose({ from: "voter:az-a", to: "node:n2", effect: { kind: "cut" } });
    expect(peer.ask({ kind: "info" })).toEqual({ kind: "error", message: "silent" });
    heal();
    rig.run(1_000);
    expect(peer.replies).toHaveLength(1);
  });

  it("tells a wrong password from none", () => {
    const rig = Rig.trio("password");
    rig.node("n2").password = "rotated";
    expect(rig.connect("n2").ask({ kind: "info" })).toMatchObject({ message: expect.stringMatching(/^NOAUTH/) });
    const stranger = rig.connect("n2", {}, null);
    expect(stranger.ask({ kind: "auth", user: "coordinator", password: "secret" })).toMatchObject({
      message: expect.stringMatching(/^WRONGPASS/),
    });
  });
});

describe("writes", () => {
  it("E, N4: a pause holds writes only, is one per node, and extends", () => {
    const rig = Rig.trio("E");
    const admin = rig.connect("n1");
    const client = rig.connect("n1", { name: "client:c" }, "application");
    admin.ask({ kind: "pause", durationMs: 300 });
    client.send({ kind: "write", write: 900 });
    rig.run(200);
    admin.ask({ kind: "pause", durationMs: 300 });
    rig.run(200);
    expect(client.replies).toEqual([]);
    expect(admin.ask({ kind: "info" }).kind).toBe("reading");
    rig.run(200);
    expect(client.replies).toEqual([{ kind: "ok" }]);
  });

  it("E: a write held on a node that is demoted meanwhile is refused when the pause ends", () => {
    const rig = Rig.trio("E demoted");
    const admin = rig.connect("n1");
    const client = rig.connect("n1", { name: "client:c" }, "application");
    admin.ask({ kind: "pause", durationMs: 200 });
    client.send({ kind: "write", write: 900 });
    admin.ask(freeze(7));
    rig.run(300);
    expect(client.replies).toMatchObject([{ message: expect.stringMatching(/^READONLY/) }]);
  });

  it("G: min-replicas refuses as soon as the last follower has gone", () => {
    const rig = Rig.trio("G", { minReplicasToWrite: 1 });
    expect(rig.write("n1", 1)).toBe(1);
    rig.connect("n2").ask(freeze(7));
    rig.connect("n3").ask(freeze(7));
    rig.run(20);
    expect(rig.write("n1", 1)).toBe(0);
  });

  it("I2: silent followers are missed after max-lag and up to a second more", () => {
    const rig = Rig.trio("I2", { minReplicasToWrite: 1, minReplicasMaxLagSeconds: 2 });
    rig.node("n2").process?.hang();
    rig.node("n3").process?.hang();
    rig.run(1_400);
    expect(rig.write("n1", 1)).toBe(1);
    rig.run(2_600);
    expect(rig.write("n1", 1)).toBe(0);
  });

  it("F2: a primary woken from a hang accepts until its counters are refreshed", () => {
    const rig = Rig.trio("F2", { minReplicasToWrite: 1, minReplicasMaxLagSeconds: 2 });
    rig.node("n1").process?.hang();
    rig.node("n2").process?.hang();
    rig.node("n3").process?.hang();
    rig.run(8_000);
    rig.node("n1").process?.wake();
    expect(rig.write("n1", 1)).toBe(1);
    rig.run(1_000);
    expect(rig.write("n1", 1)).toBe(0);
  });

  it("WAIT counts replicas that have the write, and reports fewer at its timeout (I3)", () => {
    const rig = Rig.trio("wait");
    const client = rig.connect("n1", { name: "client:c" }, "application");
    client.ask({ kind: "write", write: 900 });
    expect(client.ask({ kind: "wait", replicas: 2, timeoutMs: 500 })).toEqual({ kind: "count", count: 2 });
    rig.connect("n2").ask(freeze(7));
    rig.connect("n3").ask(freeze(7));
    client.ask({ kind: "write", write: 901 });
    expect(client.ask({ kind: "wait", replicas: 1, timeoutMs: 500 })).toEqual({ kind: "count", count: 0 });
  });

  it("WAIT counts no replica for what it had of another history (seed 960000000967)", () => {
    const rig = Rig.trio("wait-other");
    rig.node("n2").kill();
    rig.follow("n3", null);
    rig.write("n3", 500);
    const longer = rig.reading("n3").offset;
    rig.follow("n3", addressOf("n1"));
    rig.run(3_000);
    expect(rig.reading("n3")).toMatchObject({ linkUp: true, replicationId: rig.reading("n1").replicationId });
    expect(rig.reading("n1").offset).toBeLessThan(longer);
    rig.network.impose({ from: "node:n1", to: "node:n3", effect: { kind: "cut" } });
    const client = rig.connect("n1", { name: "client:c" }, "application");
    client.ask({ kind: "write", write: 900 });
    expect(client.ask({ kind: "wait", replicas: 1, timeoutMs: 500 })).toEqual({ kind: "count", count: 0 });
  });

  it("I5: a WAIT on a node that is demoted is no acknowledgement", () => {
    const rig = Rig.trio("I5");
    const client = rig.connect("n1", { name: "client:c" }, "application");
    rig.network.impose({ from: "node:n1", to: "node:*", effect: { kind: "cut" } });
    client.ask({ kind: "write", write: 900 });
    client.send({ kind: "wait", replicas: 1, timeoutMs: 5_000 });
    rig.run(10);
    rig.connect("n1").ask(freeze(7));
    rig.run(10);
    expect(client.replies.at(-1)).toMatchObject({ message: expect.stringMatching(/^UNBLOCKED/) });
  });

  it("write-dead, busy and loading nodes say so", () => {
    const rig = Rig.trio("states", { savesSnapshots: true });
    const { process } = rig.node("n1");
    if (process === null) throw new Error("n1 runs");
    const client = rig.connect("n1", { name: "client:c" }, "application");
    process.writeDead = true;
    expect(client.ask({ kind: "write", write: 900 })).toMatchObject({ message: expect.stringMatching(/^MISCONF/) });
    process.busy = true;
    expect(client.ask({ kind: "info" })).toMatchObject({ message: expect.stringMatching(/^BUSY/) });
  });

  it("one that hangs while it loads answers in the order in which it was asked", () => {
    const rig = Rig.trio("loading", { savesSnapshots: true, loadMs: 1_000 });
    rig.node("n2").kill();
    rig.node("n2").start("rdb");
    const client = rig.connect("n2");
    rig.node("n2").process?.hang();
    client.send(freeze(7));
    rig.run(10);
    rig.node("n2").process?.wake();
    client.send({ kind: "info" });
    rig.run(10);
    expect(client.replies).toMatchObject([
      { message: expect.stringMatching(/^LOADING/) },
      { reading: { loading: true } },
    ]);
  });

  it("N12: REPLICAOF is refused while a FAILOVER by hand goes on, the rest of the transaction is not", () => {
    const rig = Rig.trio("N12");
    const { process } = rig.node("n1");
    if (process === null) throw new Error("n1 runs");
    process.failingOver = true;
    const other = rig.connect("n1", { name: "voter:az-b" });
    const admin = rig.connect("n1");
    const reply = admin.ask(freeze(7));
    expect(readingsOf(reply).at(-1)).toMatchObject({ role: "primary", failoverState: "waiting-for-sync" });
    rig.run(5);
    expect(other.closed).toBe(true);
    admin.ask({ kind: "failover-abort" });
    expect(readingsOf(admin.ask(freeze(7))).at(-1)?.role).toBe("replica");
  });
});

describe("restarts", () => {
  it("I1, N10: the token survives a restart through the file, and the command line's fence overrides it", () => {
    for (const bootFence of [false, true]) {
      const rig = Rig.trio(`I1-${bootFence}`, { bootFence });
      rig.connect("n2").ask(freeze(9));
      rig.node("n2").kill();
      rig.node("n2").start("rdb");
      rig.run(100);
      expect(rig.reading("n2").follows?.host).toBe(bootFence ? "127.0.0.1" : "127.0.0.9");
    }
  });

  it("I1: a promoted node without a rewrite starts as its file says", () => {
    const rig = Rig.trio("I1 promoted", { bootFence: false });
    rig.connect("n2").ask(freeze(9));
    rig.connect("n2").ask(promote);
    rig.node("n2").kill();
    rig.node("n2").start("rdb");
    rig.run(100);
    expect(rig.reading("n2").follows?.host).toBe("127.0.0.9");
  });

  it("a rewrite that fails is told and undoes nothing", () => {
    const rig = Rig.trio("rewrite", { rewritable: false });
    const reply = rig.connect("n2").ask(freeze(9));
    expect(readingsOf(reply).at(-1)?.follows?.host).toBe("127.0.0.9");
    expect(reply).toMatchObject({ results: expect.arrayContaining([expect.objectContaining({ kind: "error" })]) });
  });

  it("SIGTERM holds writes until the replicas have all of them", () => {
    const rig = Rig.trio("term");
    rig.network.impose({ from: "node:n1", to: "node:n2", effect: { kind: "slow", extraMs: 50 } });
    rig.follow("n2", addressOf("n1"));
    rig.run(100);
    rig.write("n1", 30);
    const { offset } = rig.reading("n1");
    rig.node("n1").terminate();
    expect(rig.write("n1", 1)).toBe(0);
    rig.run(2_000);
    expect(rig.node("n1").process).toBeNull();
    expect(rig.reading("n2").offset).toBeGreaterThanOrEqual(offset);
  });

  it("A1: NO ONE and the current target again are no-ops", () => {
    const rig = Rig.trio("A1");
    const { replicationId } = rig.reading("n1");
    rig.follow("n1", null);
    rig.follow("n2", addressOf("n1"));
    expect(rig.reading("n1").replicationId).toBe(replicationId);
    expect(rig.reading("n2").linkUp).toBe(true);
    expect(rig.connect("n2").ask(transaction(2, [])).kind).toBe("results");
  });
});
