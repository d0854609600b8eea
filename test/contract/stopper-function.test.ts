// The stopper function as it is deployed, before a real endpoint: a table, and EC2 as the emulator has it (its instances
// are records, which stop at once).

import { DescribeInstancesCommand } from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makeStopper, type StopperEvent } from "../../functions/stopper/stopper.ts";
import type { Operation } from "../../lib/core/ballot.ts";
import { epoch, type GroupName, type NodeId } from "../../lib/core/types.ts";
import { runInstance } from "../support/cloud-hosts.ts";
import { ballotOf, createBallot, freshGroup, specOf } from "./group-store-builders.ts";
import { type EndpointStore, localCloudForFile, makeStoreAt } from "./group-store-endpoints.ts";

const endpoint = localCloudForFile();
const before = { ...process.env };
let made: EndpointStore;
let group: GroupName;
let lines: Record<string, unknown>[];
let stop: ReturnType<typeof makeStopper>;

beforeAll(async () => {
  made = await makeStoreAt(endpoint());
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint(),
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  });
  stop = makeStopper({ region: "eu-west-1", table: made.table, clusters: [] }, (line) => lines.push(JSON.parse(line)));
});
afterAll(async () => {
  process.env = before;
  await made?.close();
});

const primary = () => specOf(group).declared.nodes[0] as { readonly id: NodeId; readonly host: string };
const wished = (image: "OldImage" | "NewImage", at = 7) => ({
  [image]: { operation: { M: { stop: { M: { node: { S: primary().id }, epoch: { N: String(at) } } } } } },
});
const event = (images: object = wished("NewImage")): StopperEvent => ({
  Records: [
    {
      eventName: "MODIFY",
      dynamodb: { Keys: { pk: { S: `group#${group}` }, sk: { S: "ballot" } }, ...images, SequenceNumber: "1" },
    },
  ],
});

async function stateOf(id: string): Promise<string | undefined> {
  const found = await made.clients.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return found.Reservations?.[0]?.Instances?.[0]?.State?.Name;
}

describe("the stopper function", () => {
  beforeEach(async () => {
    group = freshGroup();
    lines = [];
    await made.store.writeSpec(specOf(group), 0);
    const stopWish = { node: primary().id, epoch: epoch(7), outcome: null };
    const operation: Operation = {
      ...{ kind: "failover", step: "begun", began: epoch(7), target: null, by: "automatic", reason: "silent" },
      ...{ request: null, insists: false, stop: stopWish },
    };
    await createBallot(made.store, ballotOf(group, { table: await made.store.tableId(), epoch: epoch(7), operation }));
  });
  const outcome = async () => (await made.store.readBallot(group))?.operation?.stop?.outcome;

  it("stops the node's instance, and writes into the wish which it was", async () => {
    const tags = { "valkeeper:group": group };
    const id = await runInstance(made.clients, primary().host, tags);
    const other = await runInstance(made.clients, "10.99.0.1", tags);
    expect(await stop(event())).toEqual({
      groups: { [group]: { kind: "stopped", detail: id } },
      batchItemFailures: [],
    });
    expect(await outcome()).toMatchObject({ kind: "stopped", detail: id });
    expect([await stateOf(id), await stateOf(other)]).toEqual(["stopped", "running"]);
    expect(lines).toMatchObject([{ event: "node.stopped", group }]);
    // The stream may bring it again: it has its answer.
    expect(await stop(event())).toMatchObject({ groups: { [group]: { kind: "nothing" } } });
  });

  it("writes why not, when nothing that is tagged for the group has the address", async () => {
    await stop(event());
    expect(await outcome()).toMatchObject({
      kind: "refused",
      detail: `no EC2 instance or ECS task that is tagged valkeeper:group=${group} has the address ${primary().host}`,
    });
  });

  it("passes over a change of a ballot whose wish is not new", async () => {
    const same = { ...wished("OldImage"), ...wished("NewImage") };
    expect(await stop(event(same))).toEqual({ groups: {}, batchItemFailures: [] });
    expect(await outcome()).toBeNull();
  });

  it("has the stream bring again what could not be looked at", async () => {
    const elsewhere = makeStopper({ region: "eu-west-1", table: "valkeeper-none", clusters: [] }, (line) =>
      lines.push(JSON.parse(line)),
    );
    expect((await elsewhere(event())).batchItemFailures).toEqual([{ itemIdentifier: "1" }]);
    expect(lines).toMatchObject([{ event: "group.failed", group }]);
  });
});
