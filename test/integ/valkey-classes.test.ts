import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Address } from "../../lib/core/types.ts";
import { findFreePort } from "../../lib/local/free-port.ts";
import { readTools } from "../../lib/local/tools.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { startReplicatedNodes } from "../../lib/local/valkey-set.ts";
import { eventually, sleep, useProcessGroup } from "../support/local-group.ts";
import { coordinator, nobody, useVoters } from "./valkey-voter.ts";

const group = useProcessGroup();
const open = useVoters();
const addressOf = (node: ValkeyProcess): Address => ({ host: node.host, port: node.port });

async function startSentinel(lines: readonly string[] = []): Promise<{ address: Address; stop(): Promise<unknown> }> {
  const port = await findFreePort();
  const file = join(group.makeFolder("sentinel"), "sentinel.conf");
  writeFileSync(file, ["bind 127.0.0.1", `port ${port}`, ...lines].map((line) => `${line}\n`).join(""));
  let onReady = (): void => undefined;
  const ready = new Promise<void>((resolve) => {
    onReady = resolve;
  });
  const program = await group.spawn({
    name: "sentinel",
    command: readTools().valkey.sentinel,
    args: [file],
    onLine: (line) => line.includes("Sentinel ID is") && onReady(),
  });
  await ready;
  return { address: { host: "127.0.0.1", port }, stop: () => program.stop() };
}

describe("busy", () => {
  it("a node that runs a long script is busy, takes no freeze, and keeps the connection", async () => {
    const node = await ValkeyProcess.start({ group, access: localAccess, settings: { "busy-reply-threshold": "50" } });
    const voter = open(addressOf(node));
    const { connection, reading } = await voter.answer();
    const client = node.open();
    const script = client.call("EVAL", "while true do end", "0").catch((error: Error) => error.message);
    await eventually("it is busy", async () => (await voter.probe()).kind === "busy");
    const freeze = { kind: "freeze", epoch: 7 as never, connection: connection.id, parked: false } as const;
    expect(await voter.ask(freeze)).toMatchObject({ kind: "refused", detail: expect.stringMatching(/BUSY/) });
    // A new connection is let in and told the same.
    expect((await open(addressOf(node)).probe()).kind).toBe("busy");
    await node.ask("SCRIPT", "KILL");
    await script;
    client.disconnect();
    const after = await voter.answer();
    expect(after).toMatchObject({ connection, reading: { role: "primary", runId: reading.runId } });
  });

  it("a node that is full is busy for those who are not in, and answers who is", async () => {
    const node = await ValkeyProcess.start({ group, access: localAccess });
    const voter = open(addressOf(node));
    await voter.answer();
    const clients = [node.open(), node.open()];
    await Promise.all(clients.map((client) => client.ping()));
    await clients[0]?.call("CONFIG", "SET", "maxclients", "3");
    expect(await open(addressOf(node)).probe()).toMatchObject({ kind: "busy" });
    expect((await voter.probe()).kind).toBe("answered");
    for (const client of clients) client.disconnect();
  });
});

describe("loading", () => {
  it("a node that loads answers INFO and says so, and takes no freeze until it has loaded", async () => {
    const node = await ValkeyProcess.start({ group, access: localAccess, persistence: "rdb" });
    await node.ask("EVAL", "for i = 1, 3000 do redis.call('SET', i, i) end", "0");
    await node.ask("SAVE");
    await node.ask("CONFIG", "SET", "key-load-delay", "500");
    await node.ask("CONFIG", "SET", "loading-process-events-interval-bytes", "1024");
    await node.ask("CONFIG", "REWRITE");
    const restarted = node.restart();
    const voter = open(addressOf(node));
    await eventually("it answers", async () => (await voter.probe()).kind === "answered");
    const loading = await voter.answer();
    expect(loading.reading.loading).toBe(true);
    expect(await voter.freeze(7)).toMatchObject({ kind: "refused", detail: expect.stringMatching(/LOADING/) });
    await restarted;
    expect((await voter.answer()).reading).toMatchObject({ loading: false, keyCount: 3_000, follows: null });
    expect((await voter.freeze(7)).kind).toBe("applied");
  });
});

describe("what is no node of a group", () => {
  it("a Cluster node is recognized, with and without a login", async () => {
    const node = await ValkeyProcess.start({ group, settings: { "cluster-enabled": "yes" } });
    expect(await open(addressOf(node), { credentials: nobody }).probe()).toMatchObject({ reason: "cluster" });
    expect(await open(addressOf(node), { credentials: coordinator }).probe()).toMatchObject({ reason: "cluster" });
  });

  it("a Sentinel is recognized, with and without a login", async () => {
    const { address } = await startSentinel();
    expect(await open(address, { credentials: nobody }).probe()).toMatchObject({ reason: "sentinel" });
    expect(await open(address, { credentials: coordinator }).probe()).toMatchObject({ reason: "sentinel" });
  });

  it("a Sentinel that watches is seen on the primary and on its replicas, and no longer once it is gone", async () => {
    const { primary, all } = await startReplicatedNodes({ group, nodes: [{}, {}] });
    const seen = async () =>
      Promise.all(
        all.map(async (node) => (await open(addressOf(node), { credentials: nobody }).settings())?.watchedBySentinel),
      );
    expect(await seen()).toEqual([false, false]);
    const sentinel = await startSentinel([`sentinel monitor mymaster ${primary.host} ${primary.port} 1`]);
    await eventually("it watches both", async () => (await seen()).every((each) => each === true), 15_000);
    const names = String(await primary.ask("CLIENT", "LIST")).match(/name=sentinel-\S+/g);
    expect(new Set(names?.map((name) => name.replace(/-[0-9a-f]{8}-/, "-ID-")))).toEqual(
      new Set(["name=sentinel-ID-cmd", "name=sentinel-ID-pubsub"]),
    );
    await sentinel.stop();
    await eventually("it watches none", async () => (await seen()).every((each) => each === false));
  });
});

describe("a replica that is not the one it was", () => {
  it("N6: a full synchronization that is going on shows before a freeze, and no longer after it", async () => {
    const primary = await ValkeyProcess.start({ group, access: localAccess, id: "full" });
    await primary.ask("EVAL", "for i = 1, 2000 do redis.call('SET', i, string.rep('x', 5000)) end", "0");
    await primary.ask("CONFIG", "SET", "rdb-key-save-delay", "2000");
    const replica = await ValkeyProcess.start({ group, access: localAccess, id: "empty", boot: "fenced" });
    const voter = open(addressOf(replica));
    await replica.ask("REPLICAOF", primary.host, primary.port);
    await eventually("it synchronizes", async () => (await voter.answer()).reading.syncInProgress);
    const frozen = await voter.freeze(7);
    expect(frozen).toMatchObject({
      kind: "applied",
      before: { syncInProgress: true },
      after: { syncInProgress: false },
    });
    await sleep(10);
    expect((await voter.answer()).reading).toMatchObject({ syncInProgress: false, keyCount: 0 });
  });
});

describe("a primary that has lost its replicas", () => {
  it("N9: takes a new replication id under the same run id, and keeps no second one", async () => {
    const { primary, replicas } = await startReplicatedNodes({
      group,
      access: localAccess,
      settings: { "repl-backlog-ttl": "1" },
      nodes: [{}, {}],
    });
    const voter = open(addressOf(primary));
    const before = (await voter.answer()).reading;
    await replicas[0]?.kill();
    await eventually("its history changes", async () => {
      return (await voter.answer()).reading.replicationId !== before.replicationId;
    });
    expect((await voter.answer()).reading).toMatchObject({
      runId: before.runId,
      role: "primary",
      secondReplicationId: null,
      secondReplicationOffset: null,
    });
  });
});
