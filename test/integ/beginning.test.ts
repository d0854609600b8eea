import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeleteParameterCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { findFreePort } from "../../lib/local/free-port.ts";
import { readTools } from "../../lib/local/tools.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import type { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { startReplicatedNodes, waitForLink } from "../../lib/local/valkey-set.ts";
import { clientsFor, localCloudForFile } from "../contract/group-store-endpoints.ts";
import { LiveGroup, type LiveGroupOptions } from "../support/live-group.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";

const endpoint = localCloudForFile();
const group = useProcessGroup();
let live: LiveGroup | undefined;

async function create(options: Partial<LiveGroupOptions> = {}): Promise<LiveGroup> {
  live = await LiveGroup.create({ group, endpoint: endpoint(), ...options });
  return live;
}

/** Where a table that is gone has published. */
const earlier = { parameterPrefix: "/earlier", dns: null };

/** Nodes that nobody prepared: Valkey's own defaults, not boot-fenced. */
const untouched = { boot: "plain", unprepared: true } as const;
/** As those, but they do not wait for 5 s before each synchronization. */
const plain = { ...untouched, settings: { "repl-diskless-sync-delay": "0" } } as const;

const follows = (node: ValkeyProcess): Promise<boolean> =>
  node.info("replication").then(
    (info) => info.get("master_link_status") === "up",
    () => false,
  );

async function replicate(to: LiveGroup): Promise<void> {
  const [primary, ...replicas] = to.nodes;
  if (primary === undefined) throw new Error("no nodes");
  for (const replica of replicas) await replica.ask("REPLICAOF", primary.host, primary.port);
}

/** A real one that has found the primary and its replicas. */
async function startSentinel(of: LiveGroup): Promise<Redis> {
  const [primary] = of.nodes;
  const { user, password } = localAccess.administrator;
  const port = await findFreePort();
  const file = join(group.makeFolder("sentinel"), "sentinel.conf");
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `sentinel monitor ${of.name} ${primary?.host} ${primary?.port} 1`,
    `sentinel auth-user ${of.name} ${user}`,
    `sentinel auth-pass ${of.name} ${password}`,
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  await group.spawn({ name: "sentinel", command: readTools().valkey.sentinel, args: [file], endedBy: "SIGKILL" });
  const client = new Redis({ host: "127.0.0.1", port, protocol: 2, enableReadyCheck: false, retryStrategy: () => 50 });
  client.on("error", () => undefined);
  await eventually(
    "the Sentinel watches every node",
    async () => {
      const clients = await Promise.all(of.nodes.map((node) => node.ask("CLIENT", "LIST", "TYPE", "pubsub")));
      return clients.every((list) => String(list).includes("name=sentinel-"));
    },
    15_000,
  );
  return client;
}

/** What the voters say why they do nothing, as `why` shows it. */
async function rejection(of: LiveGroup, reason: string): Promise<string> {
  let detail = "";
  await eventually(
    `${reason} is recorded`,
    async () => {
      const slots = await of.store.listSlots();
      for (const slot of slots) {
        const found = slot.groups[of.name]?.rejection;
        if (found?.reason === reason) detail = found.detail;
      }
      return detail !== "";
    },
    12_000,
  );
  return detail;
}

afterEach(async (context) => {
  if (context.task.result?.state === "fail") live?.print();
  live?.close();
  for (const node of live?.nodes ?? []) await node.kill();
});

describe("how a group comes under care", () => {
  it("adopts a replicated group without a change on any node", async () => {
    const it = await create({ nodes: [untouched, untouched, untouched] });
    await replicate(it);
    await it.node("n1").ask("SET", "kept", "yes");
    const files = it.nodes.map((node) => node.readConfig());
    it.startVoters();
    const ballot = await it.healthy();
    expect(ballot.primary).toMatchObject({ node: "n1", epoch: 1 });
    expect(it.nodes.map((node) => node.readConfig())).toEqual(files);
    expect(await it.node("n3").ask("GET", "kept")).toBe("yes");
  });

  it("refuses two primaries, says who they are, and adopts once one follows the other", async () => {
    const it = await create({ nodes: [plain, plain, plain] });
    const [n1, , n3] = it.nodes;
    await n3?.ask("REPLICAOF", n1?.host ?? "", n1?.port ?? 0);
    it.startVoters();
    expect(await rejection(it, "adoption-refused")).toContain("n1, n2");
    await replicate(it);
    await it.healthy();
  });

  it("R19: a new table adopts above every epoch that an earlier one has published", async () => {
    const it = await create({ nodes: [plain, plain, plain], settings: { publication: earlier } });
    await replicate(it);
    const clients = clientsFor(endpoint());
    const topology = { schema: 1, group: it.name, epoch: 41, revision: 3, replicas: [], at: 1 };
    const primary = { node: "n1", address: { host: it.node("n1").host, port: it.node("n1").port } };
    await clients.ssm.send(
      new PutParameterCommand({
        Name: `${earlier.parameterPrefix}/${it.name}/topology`,
        Value: JSON.stringify({ ...topology, primary }),
        Type: "String",
      }),
    );
    clients.destroy();
    it.startVoters();
    expect((await it.healthy()).primary?.epoch).toBe(42);
  });

  it("refuses a group whose parameters another deployment published, and adopts once they are deleted", async () => {
    const it = await create({ nodes: [plain, plain, plain], settings: { publication: earlier } });
    await replicate(it);
    const clients = clientsFor(endpoint());
    const Name = `${earlier.parameterPrefix}/${it.name}/topology`;
    const primary = { node: "n1", address: { host: it.node("n1").host, port: it.node("n1").port } };
    const others = { schema: 1, table: "theirs", group: it.name, epoch: 41, revision: 0, replicas: [], at: 1, primary };
    await clients.ssm.send(
      new PutParameterCommand({ Name, Value: JSON.stringify(others), Type: "String", Overwrite: true }),
    );
    it.startVoters();
    expect(await rejection(it, "adoption-refused")).toContain("published from another table, theirs");
    await clients.ssm.send(new DeleteParameterCommand({ Name }));
    clients.destroy();
    expect((await it.healthy()).primary?.node).toBe("n1");
  });

  it("refuses a group that a Sentinel watches, says so, and adopts once the Sentinel has removed it", async () => {
    const it = await create({ nodes: [plain, plain, plain] });
    await replicate(it);
    await Promise.all(it.nodes.slice(1).map((replica) => waitForLink(replica)));
    const sentinel = await startSentinel(it);
    try {
      it.startVoters();
      expect(await rejection(it, "adoption-refused")).toMatch(/^a Sentinel still watches n1, n2, n3$/);
      expect((await it.store.readBallot(it.name))?.primary ?? null).toBeNull();
      await sentinel.call("SENTINEL", "REMOVE", it.name);
      expect((await it.healthy()).primary).toMatchObject({ node: "n1", epoch: 1 });
    } finally {
      sentinel.disconnect();
    }
  });

  it("waits while its password is wrong, says where and what to look at, and begins once it is right", async () => {
    const account = { ...localAccess.coordinator, password: "mistyped" };
    const it = await create({ credentials: () => account });
    it.startVoters();
    const told = await it.event("node.misconfigured", 0);
    expect(told.detail).toMatchObject({ reason: expect.stringContaining("wrong-password") });
    expect(await rejection(it, "misconfigured")).toMatch(/^n1: wrong-password: WRONGPASS/);
    const views = (await it.store.listSlots()).map((slot) => slot.groups[it.name]?.rejection?.check);
    expect(views).toContain("user, password, ACL and TLS of the coordinator on n1");
    account.password = localAccess.coordinator.password;
    await it.healthy();
  });

  it("refuses a node that follows nobody's address, says which, and adopts once it follows", async () => {
    const it = await create({ nodes: [plain, plain, plain] });
    await replicate(it);
    await it.node("n3").ask("REPLICAOF", "127.0.0.9", 1);
    it.startVoters();
    expect(await rejection(it, "adoption-refused")).toContain("n3");
    await replicate(it);
    await it.healthy();
  });
});

describe("restarts", () => {
  it("R13: a boot-fenced primary that comes back empty within down-after loses nothing", async () => {
    const it = await create();
    it.startVoters();
    await it.healthy();
    const old = await it.primary();
    for (let n = 0; n < 50; n += 1) await old.ask("SET", `key-${n}`, "1");
    await eventually("the replicas have all", async () => (await it.node("n3").ask("DBSIZE")) === 50);
    const since = performance.now();
    await old.restart({ data: "emptied" });
    await it.event("primary.committed", since);
    await it.healthy();
    const now = await it.primary();
    expect(now.id).not.toBe(old.id);
    for (const node of it.nodes) expect(await node.ask("DBSIZE")).toBe(50);
  });

  it("a plain primary that comes back empty and was followed is committed anew, and the loss is told", async () => {
    const it = await create({ nodes: [plain, plain, plain] });
    await replicate(it);
    it.startVoters();
    await it.healthy();
    const old = await it.primary();
    const since = performance.now();
    await old.restart({ data: "emptied" });
    await it.event("lease.acquired", since);
    await it.healthy();
    const committed = await it.event("primary.committed", since);
    const told = it.log.some((each) => each.event === "loss.possible" && each.atMs > since);
    // Whether the replicas had followed before anybody looked is a race of a plain node; what is said of it is not.
    expect(told).toBe(committed.node === old.id);
  });

  it("starts cold with the best data when all nodes restart with their snapshots", async () => {
    const it = await create({ nodes: [{ persistence: "rdb" }, { persistence: "rdb" }, { persistence: "rdb" }] });
    it.startVoters();
    await it.healthy();
    const old = await it.primary();
    for (let n = 0; n < 20; n += 1) await old.ask("SET", `key-${n}`, "1");
    await eventually("the replicas have all", async () => (await it.node("n3").ask("DBSIZE")) === 20);
    await Promise.all(it.nodes.map((node) => node.shutDown()));
    const since = performance.now();
    await Promise.all(it.nodes.map((node) => node.restart()));
    await it.event("primary.committed", since, 20_000);
    await it.healthy();
    expect(await (await it.primary()).ask("DBSIZE")).toBe(20);
  });

  it("waits for a person when all nodes restart empty, and a person's choice recovers the group", async () => {
    const it = await create();
    it.startVoters();
    await it.healthy();
    await Promise.all(it.nodes.map((node) => node.kill()));
    await Promise.all(it.nodes.map((node) => node.restart({ data: "emptied" })));
    expect(await rejection(it, "unknown-history")).toContain("n1");
    const id = await it.request("recover", { target: it.nodes[1]?.id as never, acceptDataLoss: true });
    expect(await it.result(id)).toMatchObject({ kind: "done" });
    await it.healthy();
    expect((await it.primary()).id).toBe("n2");
  });
});

describe("plain nodes that come back", () => {
  it.for(["rdb", "aof", "none"] as const)(
    "R22: a plain old primary with persistence %s is demoted when it returns",
    async (persistence) => {
      const own = { boot: "plain", persistence } as const;
      const it = await create({ nodes: [own, own, own], settings: { downAfterMs: 1_000 } });
      await replicate(it);
      it.startVoters();
      await it.healthy();
      const old = await it.primary();
      // Acknowledged is not replicated: the kill must not take it along. WAIT is about the writes of its own connection.
      const client = old.open();
      await client.set("kept", "yes");
      expect(await client.wait(2, 5_000)).toBe(2);
      client.disconnect();
      if (persistence === "rdb") await old.ask("SAVE");
      const since = performance.now();
      await old.kill();
      await it.event("failover.completed", since);
      await old.restart();
      await it.healthy();
      // Its clients are dropped when it is demoted, this test's among them.
      await eventually("it follows", () => follows(old), 10_000);
      expect(await old.ask("GET", "kept")).toBe("yes");
    },
  );
});

describe("membership", () => {
  it("R18: a replica that nobody declared joins with priority 0 and enlarges the group", async () => {
    const it = await create();
    it.startVoters();
    await it.healthy();
    const primary = await it.primary();
    const stranger = (await startReplicatedNodes({ group, access: "open", nodes: [{}] })).primary;
    const { user, password } = (await import("../../lib/local/valkey-config.ts")).localAccess.replication;
    await stranger.ask("CONFIG", "SET", "masteruser", user);
    await stranger.ask("CONFIG", "SET", "masterauth", password);
    await stranger.ask("REPLICAOF", primary.host, primary.port);
    await it.event("member.discovered", 0, 15_000);
    const ballot = await it.store.readBallot(it.name);
    expect(Object.keys(ballot?.members.nodes ?? {})).toHaveLength(4);
    await stranger.kill();
  });
});
