// The publisher function as it is deployed, composed by its own module, before a real endpoint.

import { CreateHostedZoneCommand, ListResourceRecordSetsCommand } from "@aws-sdk/client-route-53";
import { GetParameterCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makePublisher, type PublisherEvent } from "../../functions/publisher/publisher.ts";
import type { VoterGroupView } from "../../lib/core/records.ts";
import { type GroupName, voterId, wallTime } from "../../lib/core/types.ts";
import { rejected, viewOf } from "../runtime/views.ts";
import { freshPrefix } from "../support/cloud-under-test.ts";
import { ballotOf, createBallot, freshGroup, specOf } from "./group-store-builders.ts";
import { type EndpointStore, localCloudForFile, makeStoreAt } from "./group-store-endpoints.ts";

const endpoint = localCloudForFile();
const invocation = { getRemainingTimeInMillis: () => 60_000 };
let made: EndpointStore;
let hostedZoneId: string;
let group: GroupName;
let lines: Record<string, unknown>[];
let publish: ReturnType<typeof makePublisher>;
const run = (event: PublisherEvent) => publish(event, invocation);
const before = { ...process.env };

beforeAll(async () => {
  made = await makeStoreAt(endpoint());
  // As in Lambda and in the local hosts: the endpoint and the credentials are the environment's.
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint(),
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  });
  const zone = new CreateHostedZoneCommand({ Name: "example.com", CallerReference: freshPrefix() });
  hostedZoneId = (await made.clients.route53.send(zone)).HostedZone?.Id ?? "";
  publish = makePublisher({ region: "eu-west-1", table: made.table, shards: 1, metrics: "off" }, (line) =>
    lines.push(JSON.parse(line)),
  );
});
afterAll(async () => {
  process.env = before;
  await made?.close();
});
beforeEach(async () => {
  group = freshGroup();
  lines = [];
  const dns = { hostedZoneId, name: `${group}.example.com`, ttlSeconds: 5 };
  const spec = specOf(group);
  const declared = { ...spec.declared, publication: { parameterPrefix: "/valkeeper", dns } };
  await made.store.writeSpec({ ...spec, declared }, 0);
  await createBallot(made.store, ballotOf(group, { table: await made.store.tableId() }));
});

const parameter = async () =>
  (await made.clients.ssm.send(new GetParameterCommand({ Name: `/valkeeper/${group}/primary` }))).Parameter?.Value;
const address = async () => {
  const command = new ListResourceRecordSetsCommand({
    HostedZoneId: hostedZoneId,
    StartRecordName: `${group}.example.com`,
  });
  const [first] = (await made.clients.route53.send(command)).ResourceRecordSets ?? [];
  return first?.ResourceRecords?.[0]?.Value;
};
const streamEvent = (...groups: readonly string[]): PublisherEvent => ({
  Records: groups.map((each, index) => ({
    eventName: "MODIFY",
    dynamodb: { Keys: { pk: { S: `published#${each}` }, sk: { S: "primary" } }, SequenceNumber: `${index + 1}` },
  })),
});

describe("the publisher function", () => {
  it("L1: publishes everywhere on its schedule, once", async () => {
    expect(await run({})).toMatchObject({ changed: 3, failed: {}, batchItemFailures: [] });
    expect(await made.store.readPublication(group)).toMatchObject({ epoch: 4, primary: { node: "n1" } });
    expect(await parameter()).toBe("10.0.0.1:6379");
    expect(await address()).toBe("10.0.0.1");
    const told = lines.map((line) => `${line["event"]} ${line["target"]} ${line["epoch"]}`);
    expect(told[0]).toBe("publication.committed table 4");
    expect(told.slice(1).sort()).toEqual(["publication.committed dns 4", "publication.committed ssm 4"]);
    lines = [];
    expect(await run({})).toMatchObject({ changed: 0, failed: {} });
    expect(lines).toEqual([]);
  });

  it("prints the figures of its run for CloudWatch, where a deployment reads them", async () => {
    const figures: Record<string, unknown>[] = [];
    const environment = { region: "eu-west-1", table: made.table, shards: 1, metrics: "deployment" } as const;
    const measured = makePublisher(environment, (line) => figures.push(JSON.parse(line)));
    await measured(streamEvent(group), invocation);
    expect(figures.filter((line) => "_aws" in line)).toEqual([]);
    await measured({}, invocation);
    expect(figures.filter((line) => "_aws" in line)).toMatchObject([
      { Table: made.table, PublicationsBehind: 0, _aws: { CloudWatchMetrics: [{ Namespace: "Valkeeper" }] } },
    ]);
  });

  it("notes which group is in a condition that an alarm rings for, once, and that it is over", async () => {
    const slot = await made.store.takeSlot(voterId("az-a"), 0, "a test", wallTime(Date.now()));
    const seen = (rejection: VoterGroupView["rejection"]) =>
      made.store.writeSlot({
        ...{ ...slot, heartbeatAt: wallTime(Date.now()) },
        groups: { [group]: viewOf({ at: wallTime(Date.now()), rejection }) },
      });
    const environment = { region: "eu-west-1", table: made.table, shards: 1, metrics: "deployment" } as const;
    const measured = makePublisher(environment, (line) => lines.push(JSON.parse(line)));
    const noted = async () => (await made.store.readCopies(group)).conditions;
    await seen(null);
    await measured({}, invocation);
    expect(await noted()).toBeUndefined();
    await seen(rejected("quorum-pending", 40_000));
    await measured(streamEvent(group), invocation);
    expect(await noted()).toBeUndefined();
    await measured({}, invocation);
    const first = await noted();
    expect(first?.standing).toMatchObject({ "failover-blocked": { epoch: 4, isTold: true } });
    await measured({}, invocation);
    expect(await noted()).toEqual(first);
    const since = wallTime(Date.now() - 300_000);
    const { "failover-blocked": blocked } = first?.standing ?? {};
    if (first === undefined || blocked === undefined) throw new Error("it is noted");
    const earlier = { at: since, standing: { "failover-blocked": { ...blocked, goneAt: since } } };
    expect(await made.store.writeConditions(group, earlier, first.at)).toBe(true);
    // Another run had read the note before.
    expect(await made.store.writeConditions(group, { at: since, standing: {} }, first.at)).toBe(false);
    await seen(null);
    await measured({}, invocation);
    expect((await noted())?.standing).toEqual({});
    expect((await made.store.readCopies(group)).ssm).toMatchObject({ epoch: 4 });
    expect(lines.filter(({ event }) => event === "notification.failed")).toEqual([]);
  });

  it("L1: puts back a parameter that somebody overwrote", async () => {
    await run(streamEvent(group));
    const name = `/valkeeper/${group}/primary`;
    await made.clients.ssm.send(new PutParameterCommand({ Name: name, Value: "10.9.9.9:6379", Overwrite: true }));
    expect(await run({ Records: [] })).toMatchObject({ groups: 0 });
    expect(await run({})).toMatchObject({ changed: 1 });
    expect(await parameter()).toBe("10.0.0.1:6379");
  });

  it("reports the records of the groups that failed, and only those", async () => {
    const foreign = freshGroup();
    const spec = specOf(foreign);
    const dns = { hostedZoneId: "ZNONE", name: "x.example.org", ttlSeconds: 5 };
    await made.store.writeSpec(
      { ...spec, declared: { ...spec.declared, publication: { parameterPrefix: null, dns } } },
      0,
    );
    await createBallot(made.store, ballotOf(foreign, { table: await made.store.tableId() }));
    const result = await run(streamEvent(group, foreign));
    expect(result).toMatchObject({ groups: 2, batchItemFailures: [{ itemIdentifier: "2" }] });
    expect(result.failed[foreign]).toMatch(/^dns: .*NoSuchHostedZone/);
    // Where `valkeeper why` reads it.
    const { dnsFailure } = await made.store.readCopies(foreign);
    expect(`dns: ${dnsFailure?.detail}`).toBe(result.failed[foreign]);
    expect((await made.store.readCopies(group)).dnsFailure).toBeUndefined();
    expect(await parameter()).toBe("10.0.0.1:6379");
    await made.store.removeGroup(foreign);
  });
});
