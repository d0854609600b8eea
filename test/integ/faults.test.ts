import { PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { VoterId } from "../../lib/core/types.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import { clientsFor, localCloudForFile } from "../contract/group-store-endpoints.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { LiveGroup, type LiveGroupOptions, type LiveVoter } from "../support/live-group.ts";
import { eventually, sleep, useProcessGroup } from "../support/local-group.ts";

const endpoint = localCloudForFile();
const group = useProcessGroup();
let live: LiveGroup | undefined;
let proxy: FaultProxy;

async function start(options: Partial<LiveGroupOptions> = {}): Promise<LiveGroup> {
  live = await LiveGroup.create({ group, endpoint: endpoint(), voterEndpoint: proxy.endpoint, ...options });
  live.startVoters();
  return live;
}

beforeEach(async () => {
  proxy = await FaultProxy.before(endpoint());
});

afterEach(async (context) => {
  if (context.task.result?.state === "fail") live?.print();
  live?.close();
  for (const node of live?.nodes ?? []) await node.kill();
  await proxy.refuse();
});

const quick = { downAfterMs: 1_000 };

describe("the table in trouble", () => {
  it("S10: begins nothing while the table is unreachable, and fails over once it is back", async () => {
    const it = await start({ settings: quick });
    await it.healthy();
    const old = await it.primary();
    await proxy.refuse();
    const since = performance.now();
    await old.kill();
    await it.event("store.unreachable", since);
    await sleep(2_500);
    for (const node of it.nodes.filter((each) => each.id !== old.id)) {
      // Neither promoted nor frozen: it follows the killed one still.
      expect((await node.info("replication")).get("master_host")).toBe(old.host);
    }
    await proxy.accept();
    const committed = await it.event("primary.committed", since);
    expect(committed.node).not.toBe(old.id);
  });

  it("fails over once although the answer of every third write is lost", async () => {
    const it = await start({ settings: quick });
    await it.healthy();
    const old = await it.primary();
    const since = performance.now();
    for (let n = 0; n < 12; n += 1) {
      proxy.inject({ kind: "delay", ms: 1 }, { operation: "UpdateItem", times: 2 });
      proxy.inject({ kind: "apply-then-cut" }, { operation: "UpdateItem", times: 1 });
    }
    await old.kill();
    await it.event("failover.completed", since);
    proxy.calm();
    const ballot = await it.healthyWithout(old.id);
    expect(ballot.primary?.node).not.toBe(old.id);
    const committed = it.log.filter((each) => each.event === "primary.committed" && each.atMs > since);
    expect(new Set(committed.map((each) => each.node)).size).toBe(1);
  });

  it("fails over although the table turns requests away and is slow", async () => {
    const it = await start({ settings: quick });
    await it.healthy();
    const old = await it.primary();
    const since = performance.now();
    proxy.inject({ kind: "error", name: "ProvisionedThroughputExceededException", status: 400 }, { times: 8 });
    proxy.inject({ kind: "delay", ms: 60 }, { times: 30 });
    proxy.inject({ kind: "half-answer", ending: "cut" }, { times: 2 });
    await old.kill();
    const committed = await it.event("primary.committed", since);
    expect(committed.node).not.toBe(old.id);
  });
});

describe("records that cannot be trusted", () => {
  const key = (of: LiveGroup) => ({ pk: { S: `group#${of.name}` }, sk: { S: "ballot" } });

  it("holds a group still whose record is of a newer schema, and says so", async () => {
    const it = await start({ settings: quick });
    await it.healthy();
    const clients = clientsFor(endpoint());
    await clients.dynamodb.send(
      new UpdateItemCommand({
        TableName: it.table,
        Key: key(it),
        UpdateExpression: "SET #schema = :newer",
        ExpressionAttributeNames: { "#schema": "schema" },
        ExpressionAttributeValues: { ":newer": { N: "99" } },
      }),
    );
    clients.destroy();
    const old = await it.primary().catch(() => it.node("n1"));
    const since = performance.now();
    await old.kill();
    const told = await it.event("record.unreadable", since - 5_000);
    expect(String(told.detail["reason"])).toContain("schema 99");
    await sleep(2_500);
    expect(it.log.some((each) => each.event === "lease.acquired" && each.atMs > since)).toBe(false);
  });

  it("holds a group still whose record is damaged", async () => {
    const it = await start({ settings: quick });
    await it.healthy();
    const clients = clientsFor(endpoint());
    await clients.dynamodb.send(
      new PutItemCommand({ TableName: it.table, Item: { ...key(it), schema: { N: "1" }, epoch: { S: "seven" } } }),
    );
    clients.destroy();
    const since = performance.now();
    await it.node("n1").kill();
    await it.event("record.unreadable", since - 5_000);
    await sleep(2_000);
    expect(it.log.some((each) => each.event === "lease.acquired" && each.atMs > since)).toBe(false);
  });
});

describe("a spec that cannot be trusted", () => {
  const key = (of: LiveGroup) => ({ pk: { S: "groups" }, sk: { S: of.name } });

  async function schema(of: LiveGroup, schema: number): Promise<void> {
    const clients = clientsFor(endpoint());
    await clients.dynamodb.send(
      new UpdateItemCommand({
        TableName: of.table,
        Key: key(of),
        UpdateExpression: "SET #schema = :schema",
        ExpressionAttributeNames: { "#schema": "schema" },
        ExpressionAttributeValues: { ":schema": { N: String(schema) } },
      }),
    );
    clients.destroy();
  }

  it("keeps watching a group whose spec is damaged, tells it, and fails over", async () => {
    const it = await start({ settings: quick });
    await it.healthy();
    const before = performance.now();
    await schema(it, 99);
    const told = await it.event("record.unreadable", before);
    expect(told).toMatchObject({ group: it.name, detail: { reason: expect.stringContaining("schema 99") } });
    // Long enough that every voter has read its groups' specs again.
    for (const voter of it.voterIds) await it.eventOf("record.unreadable", before, voter);
    const old = await it.primary();
    const since = performance.now();
    await old.kill();
    expect((await it.event("primary.committed", since)).node).not.toBe(old.id);
  }, 40_000);

  it("R14: an invocation stays for a group whose spec its successor cannot read, and leaves once it can", async () => {
    const it = await start({ settings: quick });
    await it.healthy();
    await schema(it, 99);
    const voter = it.voterIds[0] as VoterId;
    const first = it.voters.get(voter) as LiveVoter;
    let isOver = false;
    void first.ended.then(() => {
      isOver = true;
    });
    it.startVoter(voter);
    const hasShown = async (): Promise<boolean> => {
      const slot = await it.store.readSlot(voter, 0);
      return slot?.generation === 2 && slot.regular;
    };
    await eventually("the successor has shown that nothing keeps its predecessor", hasShown, 12_000);
    await sleep(2_500);
    expect(isOver).toBe(false);
    await schema(it, 1);
    expect(await first.ended).toMatchObject({ reason: "superseded" });
    first.stop();
  }, 40_000);

  it("stops watching a group whose spec is gone", async () => {
    const it = await start({ settings: quick });
    await it.healthy();
    const isWatchedBy = async () => (await it.store.listSlots()).map((slot) => slot.groups[it.name] !== undefined);
    await eventually("every voter has shown it", async () => (await isWatchedBy()).every(Boolean));
    await it.store.removeGroup(it.name);
    await eventually("no voter watches it", async () => !(await isWatchedBy()).some(Boolean), 20_000);
  }, 40_000);
});

describe("nodes in trouble", () => {
  it("never votes on a wrong password, and goes on once it is right again", async () => {
    let password = localAccess.coordinator.password;
    const it = await start({
      settings: quick,
      credentials: () => ({ user: localAccess.coordinator.user, password }),
    });
    await it.healthy();
    const since = performance.now();
    password = "rotated-too-early";
    for (const node of it.nodes) await node.ask("CLIENT", "KILL", "USER", localAccess.coordinator.user);
    await it.event("node.misconfigured", since);
    await sleep(2_000);
    expect(it.log.some((each) => each.event === "lease.acquired" && each.atMs > since)).toBe(false);
    password = localAccess.coordinator.password;
    const old = await it.primary();
    await sleep(1_500);
    await old.kill();
    await it.event("primary.committed", since);
  });

  it("records that a node's config file cannot be rewritten, and fails over all the same", async () => {
    const it = await start({ settings: quick });
    await it.healthy();
    const old = await it.primary();
    for (const node of it.nodes.filter((each) => each.id !== old.id)) node.hideConfig();
    const since = performance.now();
    await old.kill();
    const frozen = await it.event("node.frozen", since);
    expect(frozen.detail["rewriteError"]).not.toBeNull();
    await it.event("failover.completed", since);
    for (const node of it.nodes.filter((each) => each.id !== old.id)) node.unhideConfig();
  });

  it("says for whom a new group waits when a node cannot be reached at registration", async () => {
    live = await LiveGroup.create({ group, endpoint: endpoint() });
    const it = live;
    await it.node("n1").kill();
    it.startVoters();
    let detail = "";
    await eventually(
      "the reason is recorded",
      async () => {
        for (const slot of await it.store.listSlots()) detail = slot.groups[it.name]?.rejection?.detail ?? detail;
        return detail.includes("n1");
      },
      12_000,
    );
    expect(detail).toContain("does not answer");
  });
});
