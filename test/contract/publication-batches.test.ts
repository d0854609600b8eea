// Many groups at once, as when a zone fails: Route 53 allows five requests a second to a whole account.

import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListResourceRecordSetsCommand,
  type RRType,
} from "@aws-sdk/client-route-53";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import type { GroupName } from "../../lib/core/types.ts";
import type { Publisher, PublishOutcome } from "../../lib/ports/publisher.ts";
import { testPrefix } from "../support/cloud-under-test.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { freshGroup } from "./group-store-builders.ts";
import { clientsFor, type EndpointStore, localCloudForFile, makeStoreAt } from "./group-store-endpoints.ts";
import { configOf, publicationAt, publisherAt } from "./publication-setting.ts";

const endpoint = localCloudForFile();
let made: EndpointStore;
let proxy: FaultProxy;
let clients: AwsClients;
let publisher: Publisher;
let hostedZoneId: string;
let zones = 0;

beforeAll(async () => {
  made = await makeStoreAt(endpoint());
  proxy = await FaultProxy.before(endpoint());
  clients = clientsFor(proxy.endpoint);
});
afterAll(async () => {
  clients?.destroy();
  await proxy?.close();
  await made?.close();
});
beforeEach(async () => {
  zones += 1;
  const command = new CreateHostedZoneCommand({ Name: "example.net", CallerReference: `${testPrefix()}-${zones}` });
  hostedZoneId = (await made.clients.route53.send(command)).HostedZone?.Id ?? "";
  publisher = publisherAt({ store: made.store, clients });
  proxy.calm();
});

const nameOf = (group: GroupName): string => `${group}.example.net`;
const freshGroups = (count: number): readonly GroupName[] => Array.from({ length: count }, freshGroup);
const publish = (groups: readonly GroupName[], epoch = 7): Promise<readonly PublishOutcome[]> =>
  Promise.all(
    groups.map((group) => {
      const dns = { hostedZoneId, name: nameOf(group), ttlSeconds: 5 };
      return publisher.publish("dns", publicationAt(group, { epoch }), configOf(group, { parameterPrefix: null, dns }));
    }),
  );
const changes = (): number => proxy.seen.filter((each) => each.operation === "ChangeResourceRecordSets").length;
const APPLIED = { kind: "applied", changed: true };

/** Names with the epoch that their twin says. */
async function standing(): Promise<ReadonlyMap<string, number>> {
  const epochs = new Map<string, number>();
  let start: { StartRecordName?: string; StartRecordType?: RRType } = {};
  for (;;) {
    const command = new ListResourceRecordSetsCommand({ HostedZoneId: hostedZoneId, ...start });
    const page = await made.clients.route53.send(command);
    for (const record of page.ResourceRecordSets ?? []) {
      const epoch = /epoch=(\d+)/.exec(record.ResourceRecords?.[0]?.Value ?? "")?.[1];
      if (epoch !== undefined) epochs.set(`${record.Name}`.replace(/^_valkeeper\.|\.$/g, ""), Number(epoch));
    }
    if (page.NextRecordName === undefined || page.NextRecordType === undefined) return epochs;
    start = { StartRecordName: page.NextRecordName, StartRecordType: page.NextRecordType };
  }
}
const createByHand = (group: GroupName) =>
  made.clients.route53.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: hostedZoneId,
      ChangeBatch: {
        Changes: [
          {
            Action: "CREATE",
            ResourceRecordSet: { Name: nameOf(group), Type: "A", TTL: 60, ResourceRecords: [{ Value: "10.9.9.9" }] },
          },
        ],
      },
    }),
  );

describe("publishing many groups to one zone", () => {
  it("shares batches: 60 groups take four", async () => {
    const groups = freshGroups(60);
    expect(await publish(groups)).toEqual(groups.map(() => APPLIED));
    expect(changes()).toBeLessThanOrEqual(4);
    expect([...(await standing()).keys()].sort()).toEqual(groups.map(nameOf).sort());
  });

  it("shares them between the primary's record and the readers': 30 groups with both take three", async () => {
    const groups = freshGroups(30);
    const dns = (group: GroupName) => ({ hostedZoneId, name: nameOf(group), ttlSeconds: 5 });
    const outcomes = await Promise.all(
      groups.map((group) => {
        const config = configOf(group, {
          parameterPrefix: null,
          dns: { ...dns(group), readersName: `readers-${nameOf(group)}` },
        });
        return publisher.publish("dns", publicationAt(group, { epoch: 7, replicas: ["10.0.1.1"] }), config);
      }),
    );
    expect(outcomes).toEqual(groups.map(() => APPLIED));
    expect(changes()).toBeLessThanOrEqual(3);
    expect((await standing()).size).toBe(60);
  });

  it("goes on without those that must not be changed", async () => {
    const groups = freshGroups(12);
    const [foreign, newer] = groups as [GroupName, GroupName];
    await createByHand(foreign);
    await publish([newer], 9);
    const outcomes = await publish(groups);
    expect(outcomes[0]).toMatchObject({ kind: "failed", detail: expect.stringContaining("not made by Valkeeper") });
    expect(outcomes[1]).toMatchObject({ kind: "superseded" });
    expect(outcomes.slice(2)).toEqual(groups.slice(2).map(() => APPLIED));
    expect((await standing()).get(nameOf(newer))).toBe(9);
  });

  it("halves a batch that is refused again and again, until only the culprit is left", async () => {
    const groups = freshGroups(9);
    // Not refused by a race but by a rule: a name that is not of this zone.
    const culprit = groups[5] as GroupName;
    proxy.forbidChanges((body) => body.includes(`>${nameOf(culprit)}<`));
    const outcomes = await publish(groups);
    expect(outcomes[5]).toMatchObject({ kind: "failed", detail: expect.stringContaining("InvalidChangeBatch") });
    expect(outcomes.filter((outcome) => outcome.kind === "applied")).toHaveLength(8);
    expect((await standing()).size).toBe(8);
  });

  it("publishes one name twice in the order in which it was asked", async () => {
    const [group] = freshGroups(1) as [GroupName];
    const outcomes = await Promise.all([publish([group], 7), publish([group], 8), publish([group], 7)]);
    expect(outcomes.flat()).toEqual([APPLIED, APPLIED, expect.objectContaining({ kind: "superseded" })]);
    expect((await standing()).get(nameOf(group))).toBe(8);
  });

  it("gets 100 groups through five requests a second, and a second publisher beside it", async () => {
    const groups = freshGroups(100);
    proxy.limit(5);
    const start = performance.now();
    const first = publish(groups, 7);
    publisher = publisherAt({ store: made.store, clients });
    const [older, newer] = await Promise.all([first, publish(groups.slice(0, 30), 8)]);
    proxy.limit(null);
    const told = `${Math.round(performance.now() - start)} ms, ${proxy.seen.length} requests`;
    expect(
      [...older, ...newer].filter((outcome) => outcome.kind === "failed"),
      told,
    ).toEqual([]);
    const epochs = await standing();
    for (const [index, group] of groups.entries()) expect(epochs.get(nameOf(group)), told).toBe(index < 30 ? 8 : 7);
  });

  it("reads names and twins in a zone of many pages", async () => {
    const many = freshGroups(400);
    const groups = many.filter((_, index) => index % 40 === 0);
    await publish(groups, 7);
    for (let part = 0; part < 4; part += 1) {
      await Promise.all(
        many
          .slice(part * 100, part * 100 + 100)
          .filter((each) => !groups.includes(each))
          .map(createByHand),
      );
    }
    expect(await publish(groups, 7)).toEqual(groups.map(() => ({ kind: "applied", changed: false })));
    expect(await publish(groups, 8)).toEqual(groups.map(() => APPLIED));
  });
});
