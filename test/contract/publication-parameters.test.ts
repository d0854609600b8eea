import { DeleteParameterCommand, GetParameterCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createPublisher } from "../../lib/adapters/publication/publisher.ts";
import type { GroupName } from "../../lib/core/types.ts";
import type { Publisher } from "../../lib/ports/publisher.ts";
import { cloudKind, testPrefix } from "../support/cloud-under-test.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { freshGroup } from "./group-store-builders.ts";
import { clientsFor, type EndpointStore, localCloudForFile, makeStoreAt } from "./group-store-endpoints.ts";
import { Interleaving, schedules } from "./publication-interleaving.ts";
import { configOf, publicationAt, publisherAt, wallClock } from "./publication-setting.ts";

const endpoint = localCloudForFile();
/** LocalStack takes a second for each. */
const SCHEDULES_WITHIN_MS = cloudKind() === "localstack" ? 400_000 : 120_000;
const PREFIX = `/${testPrefix()}`;
let made: EndpointStore;
let publisher: Publisher;
let group: GroupName;

beforeAll(async () => {
  made = await makeStoreAt(endpoint());
  publisher = publisherAt(made);
});
afterAll(() => made?.close());
beforeEach(() => {
  group = freshGroup();
});

const config = () => configOf(group, { parameterPrefix: PREFIX, dns: null });
const publish = (order: Parameters<typeof publicationAt>[1], by = publisher) =>
  by.publish("ssm", publicationAt(group, order), config());

async function parameter(name: "topology" | "primary" | "readers"): Promise<string | null> {
  try {
    const answer = await made.clients.ssm.send(new GetParameterCommand({ Name: `${PREFIX}/${group}/${name}` }));
    return answer.Parameter?.Value ?? null;
  } catch (error) {
    if ((error as Error).name !== "ParameterNotFound") throw error;
    return null;
  }
}
const topology = async () => JSON.parse((await parameter("topology")) ?? "{}") as Record<string, unknown>;
const overwrite = (name: "topology" | "primary" | "readers", value: string) =>
  made.clients.ssm.send(new PutParameterCommand({ Name: `${PREFIX}/${group}/${name}`, Value: value, Overwrite: true }));

const APPLIED = { kind: "applied", changed: true };

describe("publishing to SSM", () => {
  it("creates all parameters and confirms them", async () => {
    expect(await publish({ epoch: 7, revision: 2 })).toEqual(APPLIED);
    expect(await topology()).toEqual(publicationAt(group, { epoch: 7, revision: 2 }));
    expect(await parameter("primary")).toBe("10.0.0.7:6379");
    const confirmed = { epoch: 7, revision: 2, at: 1_700_000_000_123 };
    expect(await made.store.readCopies(group)).toEqual({ ssm: confirmed, dns: null });
  });

  it("replaces an older publication, and does nothing the second time", async () => {
    await publish({ epoch: 7 });
    expect(await publish({ epoch: 8 })).toEqual(APPLIED);
    expect(await publish({ epoch: 8 })).toEqual({ kind: "applied", changed: false });
    expect(await parameter("primary")).toBe("10.0.0.8:6379");
  });

  it("S2: leaves a newer one alone", async () => {
    await publish({ epoch: 8, revision: 1 });
    expect(await publish({ epoch: 8, revision: 0 })).toMatchObject({ kind: "superseded" });
    expect(await publish({ epoch: 7, revision: 5 })).toMatchObject({ kind: "superseded" });
    expect(await topology()).toMatchObject({ epoch: 8, revision: 1 });
  });

  it("writes an IPv6 address in brackets", async () => {
    await publish({ epoch: 7, host: "2001:db8::7", replicas: ["10.0.1.1", "2001:db8::8"] });
    expect(await parameter("primary")).toBe("[2001:db8::7]:6379");
    expect(await parameter("readers")).toBe("10.0.1.1:6379,[2001:db8::8]:6379");
  });

  it("names the replicas as readers, and the primary while there is none", async () => {
    await publish({ epoch: 7, replicas: ["10.0.1.1", "cache-2.internal"] });
    expect(await parameter("readers")).toBe("10.0.1.1:6379,cache-2.internal:6379");
    expect(await publish({ epoch: 7, revision: 1, replicas: ["cache-2.internal"] })).toEqual(APPLIED);
    expect(await parameter("readers")).toBe("cache-2.internal:6379");
    expect(await publish({ epoch: 7, revision: 2 })).toEqual(APPLIED);
    expect(await parameter("readers")).toBe("10.0.0.7:6379");
    expect(await publish({ epoch: 7, revision: 1, replicas: ["10.0.1.1"] })).toMatchObject({ kind: "superseded" });
    await overwrite("readers", "10.9.9.9:6379");
    expect(await publish({ epoch: 7, revision: 2 })).toEqual(APPLIED);
    expect(await parameter("readers")).toBe("10.0.0.7:6379");
  });

  it("puts back what a person overwrote", async () => {
    await publish({ epoch: 7 });
    await overwrite("primary", "10.9.9.9:6379");
    expect(await publish({ epoch: 7 })).toEqual(APPLIED);
    expect(await parameter("primary")).toBe("10.0.0.7:6379");
    await overwrite("topology", "see the wiki");
    expect(await publish({ epoch: 7 })).toEqual(APPLIED);
    expect(await topology()).toMatchObject({ epoch: 7 });
    await made.clients.ssm.send(new DeleteParameterCommand({ Name: `${PREFIX}/${group}/primary` }));
    expect(await publish({ epoch: 7 })).toEqual(APPLIED);
    expect(await parameter("primary")).toBe("10.0.0.7:6379");
  });

  it("puts back a replica list that a person edited", async () => {
    await publish({ epoch: 7 });
    const edited = {
      ...publicationAt(group, { epoch: 7 }),
      replicas: [{ node: "n9", address: { host: "x", port: 1 } }],
    };
    await overwrite("topology", JSON.stringify(edited));
    expect(await publish({ epoch: 7 })).toEqual(APPLIED);
    expect(await topology()).toMatchObject({ replicas: [] });
  });

  it("S1: does not take turns with another deployment that has another primary under the same epoch", async () => {
    const other = publicationAt(group, { epoch: 7 });
    await publish({ epoch: 7 });
    await overwrite("topology", JSON.stringify({ ...other, primary: { ...other.primary, node: "n9" } }));
    expect(await publish({ epoch: 7 })).toMatchObject({
      kind: "failed",
      detail: expect.stringContaining("another primary"),
    });
  });

  it("S2: says that another deployment publishes the group, and leaves its parameters alone", async () => {
    const others = { ...publicationAt(group, { epoch: 7 }), table: "another-table" };
    await publish({ epoch: 5 });
    await overwrite("topology", JSON.stringify(others));
    for (const epoch of [6, 7]) {
      const detail = expect.stringContaining("another table, another-table: two deployments");
      expect(await publish({ epoch })).toMatchObject({ kind: "failed", detail });
    }
    expect(await topology()).toMatchObject({ epoch: 7, table: "another-table" });
    // After a person's `groups recover` ours is the newer one: it takes over.
    expect(await publish({ epoch: 8 })).toEqual(APPLIED);
    expect(await topology()).toMatchObject({ epoch: 8, table: "table-1" });
  });

  it("tells whose the parameters are", async () => {
    expect((await publisher.standing(config())).table).toBeNull();
    await publish({ epoch: 7 });
    expect((await publisher.standing(config())).table).toBe("table-1");
    await overwrite("topology", "see the wiki");
    expect((await publisher.standing(config())).table).toBeNull();
  });

  it("holds before a topology of a newer schema", async () => {
    await publish({ epoch: 7 });
    await overwrite("topology", JSON.stringify({ schema: 2 }));
    expect(await publish({ epoch: 8 })).toMatchObject({ kind: "failed", detail: expect.stringContaining("newer") });
    await expect(publisher.standing(config())).rejects.toMatchObject({ code: "RecordFormatError" });
  });

  it("R19: tells the highest epoch that stands anywhere", async () => {
    expect((await publisher.standing(config())).epoch).toBe(0);
    await publish({ epoch: 7 });
    expect((await publisher.standing(config())).epoch).toBe(7);
    await made.store.writePublication(publicationAt(group, { epoch: 9 }));
    expect((await publisher.standing(config())).epoch).toBe(9);
    // Without a path to SSM: what was confirmed there.
    const blind = createPublisher({ store: made.store, ssm: null, route53: null, clock: wallClock });
    await made.store.removeGroup(group);
    expect((await publisher.standing(config())).epoch).toBe(7);
    expect((await blind.standing(config())).epoch).toBe(7);
  });

  it("is skipped where it is not configured, or not reached from here", async () => {
    const publication = publicationAt(group, { epoch: 7 });
    const none = configOf(group, { parameterPrefix: null, dns: null });
    expect(await publisher.publish("ssm", publication, none)).toMatchObject({ kind: "skipped" });
    expect(await publisher.publish("dns", publication, none)).toMatchObject({ kind: "skipped" });
    const blind = createPublisher({ store: made.store, ssm: null, route53: null, clock: wallClock });
    expect(await blind.publish("ssm", publication, config())).toMatchObject({ kind: "skipped" });
    expect(await parameter("topology")).toBeNull();
  });
});

// The schedules make a thousand writes, and SSM takes three a second: minutes, and nothing that an emulator does not show.
describe.skipIf(cloudKind() === "aws")("two publishers of different epochs, in every order of their requests", () => {
  it.each([
    [0, 6],
    [4, 7],
  ])(
    "S2: the newer one stands at the end, over epoch %i",
    async (before, requests) => {
      for (const schedule of schedules(requests)) {
        group = freshGroup();
        if (before > 0) await publish({ epoch: before });
        let highest = 0;
        const interleaving = new Interleaving(schedule, async () => {
          const standing = Number((await topology())["epoch"] ?? 0);
          // Where there is nothing yet, a parameter can be created exactly once: then nothing goes back for a moment either.
          if (before === 0) expect(standing, schedule.join("")).toBeGreaterThanOrEqual(highest);
          highest = standing;
        });
        const [older, newer] = (["a", "b"] as const).map((name) =>
          createPublisher({
            store: made.store,
            ssm: interleaving.client(name, made.clients.ssm),
            route53: null,
            clock: wallClock,
          }),
        ) as [Publisher, Publisher];
        const outcomes = await interleaving.run(
          () => publish({ epoch: 7, replicas: ["10.0.1.7"] }, older),
          () => publish({ epoch: 8, replicas: ["10.0.1.8"] }, newer),
        );
        const told = `${schedule.join("")} ${JSON.stringify(outcomes)}`;
        expect(await topology(), told).toMatchObject({ epoch: 8 });
        expect(await parameter("primary"), told).toBe("10.0.0.8:6379");
        expect(await parameter("readers"), told).toBe("10.0.1.8:6379");
        expect(outcomes[1], told).toMatchObject({ kind: "applied" });
        expect((await made.store.readCopies(group)).ssm, told).toMatchObject({ epoch: 8 });
      }
    },
    SCHEDULES_WITHIN_MS,
  );
});

// A request that is signed for AWS does not pass a proxy before it.
describe.skipIf(cloudKind() === "aws")("publishing to an SSM that fails", () => {
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

  it.each(["ThrottlingException", "TooManyUpdates"])("waits out %s", async (name) => {
    proxy.inject({ kind: "error", name }, { times: 2 });
    proxy.inject({ kind: "error", name }, { operation: "PutParameter" });
    expect(await publish({ epoch: 7 }, faulty)).toEqual(APPLIED);
  });

  it("finds its own write when the answer was lost", async () => {
    proxy.inject({ kind: "apply-then-cut" }, { operation: "PutParameter", times: 2 });
    expect(await publish({ epoch: 7 }, faulty)).toEqual(APPLIED);
    expect(await parameter("primary")).toBe("10.0.0.7:6379");
  });

  it("says what failed, and publishes once it works again", async () => {
    proxy.inject({ kind: "error", name: "AccessDeniedException" }, { times: 100 });
    expect(await publish({ epoch: 7 }, faulty)).toMatchObject({
      kind: "failed",
      detail: expect.stringMatching(/ssm GetParameters: AccessDenied/),
    });
    proxy.calm();
    expect(await publish({ epoch: 7 }, faulty)).toEqual(APPLIED);
  });

  it("is applied when only its confirmation fails, and confirms the next time", async () => {
    const { store } = made;
    const failing = { ...store, writeCopies: () => Promise.reject(new Error("throttled")) };
    const unconfirmed = publisherAt({ store: failing, clients: made.clients });
    expect(await publish({ epoch: 7 }, unconfirmed)).toEqual(APPLIED);
    expect((await store.readCopies(group)).ssm).toBeNull();
    expect(await publish({ epoch: 7 })).toEqual({ kind: "applied", changed: false });
    expect((await store.readCopies(group)).ssm).toMatchObject({ epoch: 7 });
  });
});
