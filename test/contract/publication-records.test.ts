import { randomUUID } from "node:crypto";
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
} from "@aws-sdk/client-route-53";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createPublisher } from "../../lib/adapters/publication/publisher.ts";
import { type GroupName, wallTime } from "../../lib/core/types.ts";
import type { Publisher } from "../../lib/ports/publisher.ts";
import { cloudKind, givenZone } from "../support/cloud-under-test.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { freshGroup } from "./group-store-builders.ts";
import { clientsFor, type EndpointStore, localCloudForFile, makeStoreAt } from "./group-store-endpoints.ts";
import { Interleaving, schedules } from "./publication-interleaving.ts";
import { configOf, publicationAt, publisherAt, wallClock } from "./publication-setting.ts";

const endpoint = localCloudForFile();
const ZONE = givenZone()?.name ?? "example.com";
let made: EndpointStore;
let publisher: Publisher;
let hostedZoneId: string;
let group: GroupName;

beforeAll(async () => {
  made = await makeStoreAt(endpoint());
  publisher = publisherAt(made);
  hostedZoneId = givenZone()?.id ?? (await makeZone(ZONE));
});
afterAll(() => made?.close());
beforeEach(() => {
  group = freshGroup();
});

async function makeZone(zone: string): Promise<string> {
  const command = new CreateHostedZoneCommand({ Name: zone, CallerReference: randomUUID() });
  return (await made.clients.route53.send(command)).HostedZone?.Id ?? "";
}

const name = () => `${group}.${ZONE}`;
const config = (ttlSeconds = 5) =>
  configOf(group, { parameterPrefix: null, dns: { hostedZoneId, name: name(), ttlSeconds } });
const publish = (order: Parameters<typeof publicationAt>[1], by = publisher) =>
  by.publish("dns", publicationAt(group, order), config());

/** `A 10.0.0.7` and `TXT "..."`, sorted. */
async function standing(of = name()): Promise<readonly string[]> {
  const start = { HostedZoneId: hostedZoneId, StartRecordName: of, MaxItems: 10 };
  const command = new ListResourceRecordSetsCommand(start);
  const { ResourceRecordSets: all = [] } = await made.clients.route53.send(command);
  const ours = all.filter((record) => record.Name === `${of}.` || record.Name === `_valkeeper.${of}.`);
  return ours.map((record) => `${record.Type} ${record.ResourceRecords?.map((each) => each.Value).join(" ")}`).sort();
}

const record = (Type: "A" | "CNAME" | "TXT", value: string, at = name()): ResourceRecordSet => ({
  Name: at,
  Type,
  TTL: 5,
  ResourceRecords: [{ Value: value }],
});
const byHand = (...changes: readonly [NonNullable<Change["Action"]>, ResourceRecordSet][]) =>
  made.clients.route53.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: hostedZoneId,
      ChangeBatch: { Changes: changes.map(([Action, set]) => ({ Action, ResourceRecordSet: set })) },
    }),
  );

const APPLIED = { kind: "applied", changed: true };
const twinText = (epoch: number, primary = `10.0.0.${epoch}:6379`) =>
  `TXT "v=1 epoch=${epoch} revision=0 primary=${primary}"`;

describe("publishing to Route 53", () => {
  it("creates the record and its twin, and confirms them", async () => {
    expect(await publish({ epoch: 7 })).toEqual(APPLIED);
    expect(await standing()).toEqual(["A 10.0.0.7", twinText(7)]);
    expect((await made.store.readCopies(group)).dns).toEqual({ epoch: 7, revision: 0, at: 1_700_000_000_123 });
  });

  it("replaces an older publication, and does nothing the second time", async () => {
    await publish({ epoch: 7 });
    expect(await publish({ epoch: 8 })).toEqual(APPLIED);
    expect(await publish({ epoch: 8 })).toEqual({ kind: "applied", changed: false });
    expect(await standing()).toEqual(["A 10.0.0.8", twinText(8)]);
  });

  it("S2: leaves a newer one alone", async () => {
    await publish({ epoch: 8 });
    expect(await publish({ epoch: 7 })).toMatchObject({ kind: "superseded" });
    expect(await standing()).toEqual(["A 10.0.0.8", twinText(8)]);
  });

  it("changes from an address to a name, to IPv6 and back", async () => {
    await publish({ epoch: 7 });
    expect(await publish({ epoch: 8, host: "cache-8.internal" })).toEqual(APPLIED);
    expect(await standing()).toEqual(["CNAME cache-8.internal.", twinText(8, "cache-8.internal:6379")]);
    expect(await publish({ epoch: 9, host: "2001:db8::9" })).toEqual(APPLIED);
    expect(await standing()).toEqual(["AAAA 2001:db8::9", twinText(9, "[2001:db8::9]:6379")]);
    expect(await publish({ epoch: 10 })).toEqual(APPLIED);
    expect(await standing()).toEqual(["A 10.0.0.10", twinText(10)]);
  });

  it("puts back what a person overwrote", async () => {
    await publish({ epoch: 7 });
    await byHand(["UPSERT", record("A", "10.9.9.9")]);
    expect(await publish({ epoch: 7 })).toEqual(APPLIED);
    expect(await standing()).toEqual(["A 10.0.0.7", twinText(7)]);
    await byHand(["DELETE", record("A", "10.0.0.7")], ["CREATE", record("CNAME", "elsewhere.example.com.")]);
    expect(await publish({ epoch: 7 })).toEqual(APPLIED);
    expect(await standing()).toEqual(["A 10.0.0.7", twinText(7)]);
    await byHand(["DELETE", record("A", "10.0.0.7")]);
    expect(await publish({ epoch: 7 })).toEqual(APPLIED);
    await byHand(["UPSERT", record("TXT", '"hello"', `_valkeeper.${name()}`)]);
    expect(await publish({ epoch: 7 })).toEqual(APPLIED);
    expect(await standing()).toEqual(["A 10.0.0.7", twinText(7)]);
  });

  it("refuses a record that somebody else made, and adopts one that says the same", async () => {
    await byHand(["CREATE", record("A", "10.9.9.9")]);
    expect(await publish({ epoch: 7 })).toMatchObject({
      kind: "failed",
      detail: expect.stringMatching(/not made by Valkeeper.*A 10\.9\.9\.9; remove it, or make it A 10\.0\.0\.7/),
    });
    expect(await standing()).toEqual(["A 10.9.9.9"]);
    await byHand(["UPSERT", record("A", "10.0.0.7")]);
    expect(await publish({ epoch: 7 })).toEqual(APPLIED);
    expect(await standing()).toEqual(["A 10.0.0.7", twinText(7)]);
  });

  it("R19: tells the epoch that stands", async () => {
    expect((await publisher.standing(config())).epoch).toBe(0);
    await publish({ epoch: 7 });
    await made.store.removeGroup(group);
    expect((await publisher.standing(config())).epoch).toBe(7);
  });

  it("says so when the zone is not there", async () => {
    const elsewhere = configOf(group, {
      parameterPrefix: null,
      dns: { hostedZoneId: "ZNONE", name: name(), ttlSeconds: 5 },
    });
    expect(await publisher.publish("dns", publicationAt(group, { epoch: 7 }), elsewhere)).toMatchObject({
      kind: "failed",
      detail: expect.stringContaining("NoSuchHostedZone"),
    });
  });
});

describe("publishing the readers to Route 53", () => {
  const readersName = () => `readers-${group}.${ZONE}`;
  const withReaders = () =>
    configOf(group, {
      parameterPrefix: null,
      dns: { hostedZoneId, name: name(), ttlSeconds: 5, readersName: readersName() },
    });
  const publishBoth = (order: Parameters<typeof publicationAt>[1], by = publisher) =>
    by.publish("dns", publicationAt(group, order), withReaders());
  const readers = () => standing(readersName());

  it("creates one record of all of them with a twin of its own, beside the primary's", async () => {
    expect(await publishBoth({ epoch: 7, replicas: ["10.0.1.2", "10.0.1.1"] })).toEqual(APPLIED);
    expect(await readers()).toEqual(["A 10.0.1.1 10.0.1.2", twinText(7)]);
    expect(await standing()).toEqual(["A 10.0.0.7", twinText(7)]);
    expect(await publishBoth({ epoch: 7, replicas: ["10.0.1.2", "10.0.1.1"] })).toEqual({
      kind: "applied",
      changed: false,
    });
  });

  it("follows them, over both families of addresses, and names the primary while there is none", async () => {
    await publishBoth({ epoch: 7, replicas: ["10.0.1.1", "2001:db8::1", "2001:db8::2"] });
    expect(await readers()).toEqual(["A 10.0.1.1", "AAAA 2001:db8::1 2001:db8::2", twinText(7)]);
    await publishBoth({ epoch: 8, replicas: ["2001:db8::2"] });
    expect(await readers()).toEqual(["AAAA 2001:db8::2", twinText(8)]);
    await publishBoth({ epoch: 9, replicas: [] });
    expect(await readers()).toEqual(["A 10.0.0.9", twinText(9)]);
  });

  it("S2: leaves newer ones alone", async () => {
    await publishBoth({ epoch: 8, replicas: ["10.0.1.8"] });
    expect(await publishBoth({ epoch: 7, replicas: ["10.0.1.7"] })).toMatchObject({ kind: "superseded" });
    expect(await readers()).toEqual(["A 10.0.1.8", twinText(8)]);
  });

  it("puts back what a person overwrote, and refuses what somebody else made, the primary's all the same", async () => {
    await publishBoth({ epoch: 7, replicas: ["10.0.1.1", "10.0.1.2"] });
    await byHand(["UPSERT", record("A", "10.0.1.1", readersName())]);
    expect(await publishBoth({ epoch: 7, replicas: ["10.0.1.1", "10.0.1.2"] })).toEqual(APPLIED);
    expect(await readers()).toEqual(["A 10.0.1.1 10.0.1.2", twinText(7)]);
    group = freshGroup();
    await byHand(["CREATE", record("A", "10.9.9.9", readersName())]);
    expect(await publishBoth({ epoch: 7, replicas: ["10.0.1.1", "10.0.1.2"] })).toMatchObject({
      kind: "failed",
      detail: expect.stringMatching(/not made by Valkeeper.*make it A 10\.0\.1\.1 10\.0\.1\.2/),
    });
    expect(await standing()).toEqual(["A 10.0.0.7", twinText(7)]);
    expect((await made.store.readCopies(group)).dns).toBeNull();
  });

  it("R19: tells the higher epoch of the two", async () => {
    await publishBoth({ epoch: 7, replicas: ["10.0.1.1"] });
    await byHand(["UPSERT", record("TXT", '"v=1 epoch=9 revision=0 primary=a:1"', `_valkeeper.${readersName()}`)]);
    expect((await publisher.standing(withReaders())).epoch).toBe(9);
  });

  // Each order takes AWS half a minute, at its five requests a second.
  it.skipIf(cloudKind() === "aws")(
    "S2: nothing ever goes back, in every order of two publishers' requests",
    async () => {
      for (const schedule of schedules(4)) {
        group = freshGroup();
        await publishBoth({ epoch: 4, replicas: ["10.0.1.4"] });
        let highest = 4;
        const interleaving = new Interleaving(schedule, async () => {
          const records = await readers();
          const epoch = Number(/epoch=(\d+)/.exec(records.join())?.[1] ?? 0);
          expect(epoch, schedule.join("")).toBeGreaterThanOrEqual(highest);
          expect(records, schedule.join("")).toEqual([`A 10.0.1.${epoch}`, twinText(epoch)]);
          highest = epoch;
        });
        const [older, newer] = (["a", "b"] as const).map((by) => {
          const route53 = interleaving.client(by, made.clients.route53);
          return createPublisher({ store: made.store, ssm: null, route53, clock: wallClock });
        }) as [Publisher, Publisher];
        await interleaving.run(
          () => publishBoth({ epoch: 7, replicas: ["10.0.1.7"] }, older),
          () => publishBoth({ epoch: 8, replicas: ["10.0.1.8"] }, newer),
        );
        expect(await readers(), schedule.join("")).toEqual(["A 10.0.1.8", twinText(8)]);
      }
    },
  );
});

describe.skipIf(cloudKind() === "aws")("two publishers of different epochs, in every order of their requests", () => {
  it.each([0, 4])("S2: nothing ever goes back, over epoch %i", async (before) => {
    for (const schedule of schedules(4)) {
      group = freshGroup();
      if (before > 0) await publish({ epoch: before });
      let highest = before;
      const told: string[] = [schedule.join("")];
      const interleaving = new Interleaving(schedule, async () => {
        const records = await standing();
        told.push(records.join(" "));
        const epoch = Number(/epoch=(\d+)/.exec(records.join())?.[1] ?? 0);
        expect(epoch, told.join("\n")).toBeGreaterThanOrEqual(highest);
        if (epoch > 0) expect(records[0], told.join("\n")).toBe(`A 10.0.0.${epoch}`);
        highest = epoch;
      });
      const [older, newer] = (["a", "b"] as const).map((by) =>
        createPublisher({
          store: made.store,
          ssm: null,
          route53: interleaving.client(by, made.clients.route53),
          clock: wallClock,
        }),
      ) as [Publisher, Publisher];
      const outcomes = await interleaving.run(
        () => publish({ epoch: 7 }, older),
        () => publish({ epoch: 8 }, newer),
      );
      expect(outcomes[1], told.join("\n")).toMatchObject({ kind: "applied" });
      expect(await standing(), told.join("\n")).toEqual(["A 10.0.0.8", twinText(8)]);
    }
  });

  it("S2: 12 at once end with the newest", async () => {
    const epochs = [7, 3, 11, 1, 12, 5, 2, 9, 4, 10, 6, 8];
    await Promise.all(epochs.map((epoch) => publish({ epoch })));
    expect(await standing()).toEqual(["A 10.0.0.12", twinText(12)]);
  });
});

// A request that is signed for AWS does not pass a proxy before it.
describe.skipIf(cloudKind() === "aws")("publishing to a Route 53 that fails", () => {
  let proxy: FaultProxy;
  let faulty: Publisher;
  let close: () => void;
  beforeAll(async () => {
    proxy = await FaultProxy.before(endpoint());
    const clients = clientsFor(proxy.endpoint);
    faulty = publisherAt({ store: made.store, clients });
    close = () => clients.destroy();
  });
  afterAll(async () => {
    close?.();
    await proxy?.close();
  });
  beforeEach(() => proxy.calm());
  const changes = () => proxy.seen.filter((each) => each.operation === "ChangeResourceRecordSets").length;
  const lists = () => proxy.seen.filter((each) => each.operation === "ListResourceRecordSets").length;

  it.each(["Throttling", "PriorRequestNotComplete"])(
    "waits out %s and reads the epoch again before each try",
    async (fault) => {
      proxy.inject({ kind: "error", name: fault }, { operation: "ChangeResourceRecordSets", times: 3 });
      expect(await publish({ epoch: 7 }, faulty)).toEqual(APPLIED);
      expect(changes()).toBe(4);
      expect(lists()).toBe(4);
    },
  );

  it("finds its own change when the answer was lost", async () => {
    proxy.inject({ kind: "apply-then-cut" }, { operation: "ChangeResourceRecordSets" });
    expect(await publish({ epoch: 7 }, faulty)).toEqual(APPLIED);
    expect(changes()).toBe(1);
  });

  it("gives up a change that is refused although nothing moves, with the service's words", async () => {
    proxy.inject({ kind: "error", name: "InvalidChangeBatch" }, { operation: "ChangeResourceRecordSets", times: 50 });
    expect(await publish({ epoch: 7 }, faulty)).toMatchObject({
      kind: "failed",
      detail: expect.stringContaining("InvalidChangeBatch"),
    });
    expect(changes()).toBe(3);
  });

  it("says what is not allowed, at once", async () => {
    proxy.inject(
      { kind: "error", name: "AccessDenied", status: 403 },
      { operation: "ChangeResourceRecordSets", times: 9 },
    );
    expect(await publish({ epoch: 7 }, faulty)).toMatchObject({
      kind: "failed",
      detail: expect.stringContaining("AccessDenied"),
    });
    expect(changes()).toBe(1);
  });

  it("writes down what is not allowed, once for the same words, and takes it back when it is", async () => {
    let at = 1;
    const options = { store: made.store, ssm: null, route53: clientsFor(proxy.endpoint).route53 };
    const noting = createPublisher({ ...options, clock: { wallTime: () => wallTime(at) }, notesFailures: true });
    const refuse = (fault: string) =>
      proxy.inject({ kind: "error", name: fault, status: 403 }, { operation: "ChangeResourceRecordSets" });
    const noted = async () => (await made.store.readCopies(group)).dnsFailure;
    refuse("AccessDenied");
    const failed = await publish({ epoch: 7 }, noting);
    const first = await noted();
    expect(first).toEqual({ detail: (failed as { readonly detail: string }).detail, at: 1 });
    at = 2;
    refuse("AccessDenied");
    await publish({ epoch: 7 }, noting);
    expect(await noted()).toEqual(first);
    refuse("InvalidInput");
    await publish({ epoch: 7 }, noting);
    expect(await noted()).toMatchObject({ detail: expect.stringContaining("InvalidInput"), at: 2 });
    expect(await publish({ epoch: 7 }, noting)).toEqual(APPLIED);
    expect(await noted()).toBeUndefined();
    // A voter's failure is the publisher's to write down, which tries again what it could not.
    refuse("AccessDenied");
    await publish({ epoch: 8 }, faulty);
    expect(await noted()).toBeUndefined();
  });
});
