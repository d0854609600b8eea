import { describe, expect, it } from "vitest";
import { makeTlsFiles } from "../../lib/local/tls.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { follow, startReplicatedNodes, waitForLink } from "../../lib/local/valkey-set.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";

const group = useProcessGroup();

describe("ValkeyProcess", () => {
  it("is killed, and comes back with or without its data", async () => {
    const node = await ValkeyProcess.start({ group, persistence: "aof", settings: { appendfsync: "always" } });
    await node.ask("SET", "key", "value");
    await node.kill();
    expect(node.isRunning).toBe(false);
    await node.restart();
    expect(await node.ask("GET", "key")).toBe("value");
    await node.restart({ data: "emptied" });
    expect(await node.ask("GET", "key")).toBeNull();
  });

  it("saves at a clean end when told to keep an RDB file", async () => {
    const node = await ValkeyProcess.start({ group, persistence: "rdb" });
    await node.ask("SET", "key", "value");
    await node.shutDown();
    await node.restart();
    expect(await node.ask("GET", "key")).toBe("value");
  });

  it("hangs without closing anything, and wakes", async () => {
    const node = await ValkeyProcess.start({ group });
    const client = node.open(undefined, { commandTimeout: 300 });
    expect(await client.ping()).toBe("PONG");
    node.hang();
    await expect(client.ping()).rejects.toThrow("timed out");
    node.wake();
    await eventually("it answers again", async () => (await client.ping()) === "PONG");
    client.disconnect();
  });

  it("boots fenced whatever its file says, again after a rewrite", async () => {
    const node = await ValkeyProcess.start({ group, boot: "fenced" });
    const roleOf = async (): Promise<unknown[]> => (await node.ask("ROLE")) as unknown[];
    expect((await roleOf()).slice(0, 3)).toEqual(["slave", "127.0.0.1", 1]);
    await node.ask("REPLICAOF", "NO", "ONE");
    await node.ask("CONFIG", "REWRITE");
    expect(node.readConfig()).not.toContain("replicaof 127.0.0.1 1");
    await node.restart();
    expect((await roleOf()).slice(0, 3)).toEqual(["slave", "127.0.0.1", 1]);
  });

  it("replicates with users and passwords on both sides, and follows after a demotion", async () => {
    const { primary, replicas, all } = await startReplicatedNodes({ group, access: localAccess, nodes: [{}, {}] });
    const [replica] = replicas;
    expect((await primary.info("replication")).get("connected_slaves")).toBe("1");
    await replica!.ask("REPLICAOF", "NO", "ONE");
    await follow(primary, replica!);
    await waitForLink(primary);
    expect(all.every((node) => node.isRunning)).toBe(true);
    const anybody = primary.open({ user: "default", password: "" });
    await expect(anybody.ping()).rejects.toThrow();
    anybody.disconnect();
  });

  it("speaks TLS, also between the nodes", async () => {
    const tls = await makeTlsFiles({ group, hosts: ["127.0.0.1"] });
    const { primary } = await startReplicatedNodes({ group, tls, access: localAccess, nodes: [{}, {}] });
    expect(await primary.ask("PING")).toBe("PONG");
    expect((await primary.info("replication")).get("connected_slaves")).toBe("1");
  });

  it("binds to any loopback address", async () => {
    const node = await ValkeyProcess.start({ group, host: "127.1.2.3" });
    expect(await node.ask("PING")).toBe("PONG");
  });

  it("cannot rewrite a configuration that is hidden", async () => {
    const node = await ValkeyProcess.start({ group });
    node.hideConfig();
    await expect(node.ask("CONFIG", "REWRITE")).rejects.toThrow("Rewriting config file");
    node.unhideConfig();
    expect(await node.ask("CONFIG", "REWRITE")).toBe("OK");
  });

  it("says which port is in use, which program is missing and which setting is wrong", async () => {
    const node = await ValkeyProcess.start({ group });
    const inUse = ValkeyProcess.start({ group, id: "second", port: node.port });
    await expect(inUse).rejects.toMatchObject({
      problem: "port-in-use",
      message: expect.stringContaining(String(node.port)),
    });
    const missing = ValkeyProcess.start({ group, server: "no-such-valkey-server" });
    await expect(missing).rejects.toMatchObject({ problem: "program-missing" });
    const wrong = ValkeyProcess.start({ group, settings: { "no-such-setting": "1" } });
    await expect(wrong).rejects.toMatchObject({
      problem: "ended-early",
      message: expect.stringContaining("no-such-setting"),
    });
  });
});
