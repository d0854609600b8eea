// A table restored to before a switchover takes the place of the one that was lost: docs/upgrades.md tells operators the steps that are
// tried here, from the voters of the restored table on.

import { BatchWriteItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import type { Ballot } from "../../lib/core/ballot.ts";
import { nodeId } from "../../lib/core/types.ts";
import { clientsFor, localCloudForFile, makeTable } from "../contract/group-store-endpoints.ts";
import { LiveGroup } from "../support/live-group.ts";
import { eventually, sleep, useProcessGroup } from "../support/local-group.ts";
import { type Ended, runValkeeper } from "../support/shipped-command.ts";

const endpoint = localCloudForFile();
const group = useProcessGroup();
let clients: AwsClients;
let live: LiveGroup;
let restored: LiveGroup;
/** Of the lost table, when it was restored from and when it was lost. */
let yesterday: Ballot;
let today: Ballot;

const valkeeper = (...args: readonly string[]): Promise<Ended> =>
  runValkeeper({ endpoint: endpoint(), table: restored.table }, args);
const published = async (): Promise<string | undefined> => {
  const Name = `/test/${live.table}/mymaster/primary`;
  return (await clients.ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value;
};
const addressOf = (id: string): string => `${live.node(id).host}:${live.node(id).port}`;

/** What point-in-time recovery makes: the items of that moment in a table of another name. */
async function restore(items: readonly Record<string, unknown>[]): Promise<string> {
  const table = await makeTable(clients);
  for (let from = 0; from < items.length; from += 25) {
    const puts = items.slice(from, from + 25).map((Item) => ({ PutRequest: { Item: Item as never } }));
    await clients.dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [table]: puts } }));
  }
  return table;
}

beforeAll(async () => {
  clients = clientsFor(endpoint());
  live = await LiveGroup.create({ group, endpoint: endpoint(), settings: { downAfterMs: 1_000 } });
  live.startVoters();
  yesterday = await live.healthy();
  const { Items = [] } = await clients.dynamodb.send(new ScanCommand({ TableName: live.table, ConsistentRead: true }));
  expect(await live.result(await live.request("switchover", { target: nodeId("n2") }))).toMatchObject({ kind: "done" });
  today = await live.healthy();
  await eventually("the new primary is published", async () => (await published()) === addressOf("n2"));
  await live.node("n2").ask("SET", "key", "of today");
  for (const voter of live.voters.values()) voter.stop();
  restored = LiveGroup.over(live, await restore(Items));
  restored.startVoters();
}, 60_000);

afterAll(async () => {
  restored?.close();
  live?.close();
  for (const node of live?.nodes ?? []) await node.kill();
  clients?.destroy();
});

describe("a restored table in the place of the lost one", () => {
  it("is only looked at: the record says one primary, the world another, and nothing is changed", async () => {
    const isTold = async () => (await valkeeper("why", "mymaster")).out.includes("foreign-table");
    await eventually("the reason is shown", isTold, 20_000);
    // Far longer than it takes to judge.
    await sleep(3_000);
    const standing = await restored.store.readBallot(restored.name);
    expect([standing?.primary?.node, standing?.epoch]).toEqual([yesterday.primary?.node, yesterday.epoch]);
    expect(standing?.primary?.node).not.toBe("n2");
    expect(await live.node("n2").ask("SET", "still", "writable")).toBe("OK");
    expect(await published()).toBe(addressOf("n2"));
  }, 60_000);

  it("shows what each node holds, and asks whose data counts", async () => {
    const { exit, out, notes } = await valkeeper("groups", "recover", "mymaster");
    expect(exit).not.toBe(0);
    expect(out).toMatch(/^n2 +\S+ +wrong-role \S+ +primary/m);
    expect(notes).toContain("say whose data counts: --node ID");
  });

  it("is in force when a person has said so: above every epoch, with the data of today", async () => {
    const because = ["--reason", "the table was restored"];
    const order = await valkeeper("groups", "recover", "mymaster", "--node", "n2", "--accept-data-loss", ...because);
    expect([order.exit, order.notes]).toEqual([0, ""]);
    const ballot = await restored.healthy();
    expect(ballot.primary?.node).toBe("n2");
    expect(ballot.epoch).toBeGreaterThan(today.epoch);
    expect(await live.node("n2").ask("GET", "key")).toBe("of today");
    expect(await published()).toBe(addressOf("n2"));
  }, 90_000);

  it("fails over afterwards, and publishes it", async () => {
    await live.node("n2").kill();
    const ballot = await restored.healthyWithout("n2");
    const primary = ballot.primary?.node ?? "";
    expect(await live.node(primary).ask("GET", "key")).toBe("of today");
    await eventually("the new primary is published", async () => (await published()) === addressOf(primary), 20_000);
  }, 90_000);
});
