// The real SDK, its sockets included, before a real endpoint, with a proxy between them that loses and turns away.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDynamodbStore, STORE_LIMITS } from "../../lib/adapters/dynamodb/group-store.ts";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { WriteOutcome } from "../../lib/core/ballot-write.ts";
import { epoch, wallTime } from "../../lib/core/types.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { type Fault, FaultProxy } from "../support/fault-proxy.ts";
import {
  az,
  ballotOf,
  claimWrite,
  createBallot,
  freshAttempt,
  freshGroup,
  historyOf,
  publicationAt,
  requestOf,
  specOf,
} from "./group-store-builders.ts";
import { clientsFor, type EndpointStore, localCloudForFile, makeStoreAt } from "./group-store-endpoints.ts";

const endpoint = localCloudForFile();
let direct: EndpointStore;
let proxy: FaultProxy;
let store: OperatorStore;
let closeStore: () => void;

beforeAll(async () => {
  direct = await makeStoreAt(endpoint());
  proxy = await FaultProxy.before(endpoint());
  const clients = clientsFor(proxy.endpoint);
  store = createDynamodbStore({ client: clients.dynamodb, table: direct.table });
  closeStore = () => clients.destroy();
});
afterAll(async () => {
  closeStore?.();
  await proxy?.close();
  await direct?.close();
});
beforeEach(() => proxy.calm());

const newBallot = (): Promise<Ballot> => createBallot(direct.store, ballotOf(freshGroup()));
const standing = (ballot: Ballot) => direct.store.readBallot(ballot.group);

async function timed<T>(work: PromiseLike<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const start = performance.now();
  const value = await work;
  return { value, ms: performance.now() - start };
}

async function claimUnder(...faults: readonly Fault[]): Promise<{ outcome: WriteOutcome; before: Ballot; ms: number }> {
  const before = await newBallot();
  for (const fault of faults) proxy.inject(fault, { operation: "UpdateItem" });
  const { value, ms } = await timed(store.writeBallot(claimWrite(before, az("a"), freshAttempt())));
  return { outcome: value, before, ms };
}

const many = (fault: Fault): readonly Fault[] => new Array<Fault>(20).fill(fault);
const THROTTLED: Fault = { kind: "error", name: "ThrottlingException" };

describe("a ballot's write whose answer is lost", () => {
  it.each<readonly [string, Fault]>([
    ["the connection was reset after it was applied", { kind: "apply-then-cut" }],
    [
      "the service answered 500 after it was applied",
      { kind: "apply-then-error", name: "InternalServerError", status: 500 },
    ],
    ["the answer broke off", { kind: "half-answer", ending: "cut" }],
    ["the answer stopped half-way", { kind: "half-answer", ending: "hang" }],
  ])("is found applied by its echo: %s", async (_name, fault) => {
    const { outcome, before } = await claimUnder(fault);
    expect(outcome).toMatchObject({ kind: "applied", ballot: { epoch: 5 } });
    expect(await standing(before)).toMatchObject({ epoch: 5, lease: { holder: "az-a", version: 1 } });
    expect(proxy.seen.map((each) => each.fault)).toEqual([fault.kind, null]);
  });

  it("is sent again when it never arrived", async () => {
    const { outcome } = await claimUnder({ kind: "cut" });
    expect(outcome).toMatchObject({ kind: "applied", ballot: { epoch: 5 } });
  });

  it("stays unknown when another's record stands then: ours may have been applied and replaced", async () => {
    const before = await newBallot();
    await direct.store.writeBallot(claimWrite(before, az("b"), freshAttempt()));
    proxy.inject({ kind: "cut" }, { operation: "UpdateItem" });
    const outcome = await store.writeBallot(claimWrite(before, az("a"), freshAttempt()));
    expect(outcome).toMatchObject({ kind: "unknown", detail: expect.stringContaining("never answered") });
  });

  it("is unknown when no answer comes, soon enough for the loop, and may be applied later", async () => {
    const before = await newBallot();
    for (const fault of many({ kind: "delay", ms: 1_500 })) proxy.inject(fault, { operation: "UpdateItem" });
    const { value, ms } = await timed(store.writeBallot(claimWrite(before, az("a"), freshAttempt())));
    expect(value).toMatchObject({ kind: "unknown", detail: expect.stringContaining("may have been carried out") });
    expect(ms).toBeLessThan(STORE_LIMITS.totalMs + 300);
    expect(await standing(before)).toEqual(before);
    await expect.poll(async () => (await standing(before))?.epoch, { timeout: 5_000 }).toBe(5);
  });

  it("is unknown when something else answers in the service's place", async () => {
    const { outcome, before } = await claimUnder(...many({ kind: "page" }));
    expect(outcome.kind).toBe("unknown");
    expect(await standing(before)).toEqual(before);
  });
});

describe("a ballot's write that is turned away", () => {
  it("waits out a short throttling", async () => {
    const { outcome } = await claimUnder(THROTTLED, { kind: "error", name: "ProvisionedThroughputExceededException" });
    expect(outcome).toMatchObject({ kind: "applied", ballot: { epoch: 5 } });
  });

  it("is unknown under a long one, and says that it was not carried out", async () => {
    const { outcome, before, ms } = await claimUnder(...many(THROTTLED));
    expect(outcome).toMatchObject({ kind: "unknown", detail: expect.stringMatching(/not carried out: Throttling/) });
    expect(proxy.seen).toHaveLength(STORE_LIMITS.attempts);
    expect(ms).toBeLessThan(STORE_LIMITS.totalMs);
    expect(await standing(before)).toEqual(before);
  });

  it("does not call it definite when one of its tries got no answer", async () => {
    const { outcome } = await claimUnder({ kind: "cut" }, ...many(THROTTLED));
    expect(outcome).toMatchObject({ kind: "unknown", detail: expect.stringContaining("may have been carried out") });
  });

  it.each(["AccessDeniedException", "ResourceNotFoundException", "ValidationException"])(
    "is tried once when it never can be carried out: %s",
    async (name) => {
      const { outcome } = await claimUnder(...many({ kind: "error", name }));
      expect(outcome).toMatchObject({ kind: "unknown", detail: expect.stringMatching(`not carried out: ${name}`) });
      expect(proxy.seen).toHaveLength(1);
    },
  );

  it("is sent again with the right time when this machine's clock had jumped", async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    const { outcome } = await claimUnder({ kind: "error", name: "RequestTimeTooSkewed", headers: { date } });
    expect(outcome).toMatchObject({ kind: "applied", ballot: { epoch: 5 } });
  });
});

describe("S10: a table that cannot be reached", () => {
  it("makes reads reject and writes unknown, quickly, and works again afterwards", async () => {
    const before = await newBallot();
    await proxy.refuse();
    await expect(store.readBallot(before.group)).rejects.toMatchObject({ code: "PortError", call: "readBallot" });
    const write = await timed(store.writeBallot(claimWrite(before, az("a"), freshAttempt())));
    const detail = expect.stringMatching(/not carried out: ECONNREFUSED/);
    expect(write.value).toMatchObject({ kind: "unknown", detail });
    expect(write.ms).toBeLessThan(STORE_LIMITS.totalMs);
    await proxy.accept();
    expect(await store.readBallot(before.group)).toEqual(before);
  });

  it("ends a read that is never answered", async () => {
    proxy.inject({ kind: "hang" }, { times: 20 });
    const start = performance.now();
    await expect(store.readBallot(freshGroup())).rejects.toMatchObject({ code: "PortError" });
    expect(performance.now() - start).toBeLessThan(STORE_LIMITS.totalMs + 300);
  });

  it.each<readonly [string, Fault]>([
    ["throttled", THROTTLED],
    ["500", { kind: "error", name: "InternalServerError", status: 500 }],
    ["reset", { kind: "cut" }],
    ["half an answer", { kind: "half-answer", ending: "cut" }],
    ["a page", { kind: "page" }],
  ])("reads again after: %s", async (_name, fault) => {
    const before = await newBallot();
    proxy.inject(fault);
    expect(await store.readBallot(before.group)).toEqual(before);
  });
});

describe("batches that are processed in part", () => {
  it("asks again for what was left out of a glance", async () => {
    const before = await newBallot();
    proxy.inject({ kind: "unprocessed" }, { times: 2 });
    expect((await store.glance([before.group])).get(before.group)?.ballot).toEqual(before);
    expect(proxy.seen).toHaveLength(3);
  });

  it("rejects a glance that stays throttled", async () => {
    proxy.inject({ kind: "unprocessed" }, { times: 1_000 });
    await expect(store.glance([freshGroup()])).rejects.toThrow(/throttled: 2 items left undone/);
  });

  it("appends again what was left out of the history", async () => {
    const group = freshGroup();
    proxy.inject({ kind: "unprocessed" }, { operation: "BatchWriteItem" });
    await store.appendHistory([historyOf(group, 1), historyOf(group, 2)]);
    expect(await direct.store.readHistory(group, { limit: 9, newestFirst: false })).toHaveLength(2);
  });
});

describe("other writes whose answer is lost", () => {
  const lose = (operation: string): void => proxy.inject({ kind: "apply-then-cut" }, { operation });

  it("S7: takes a slot once, not twice", async () => {
    const voter = az("lost");
    lose("UpdateItem");
    expect(await store.takeSlot(voter, 0, "owner", wallTime(1))).toMatchObject({ generation: 1, owner: "owner" });
    expect(await direct.store.readSlot(voter, 0)).toMatchObject({ generation: 1 });
  });

  it("S7: leaves out a generation that it may have been given", async () => {
    const voter = az("left-out");
    // The slot's entry in the directory comes first.
    proxy.inject({ kind: "delay", ms: 0 }, { operation: "PutItem" });
    lose("PutItem");
    expect(await store.takeSlot(voter, 0, "owner", wallTime(1))).toMatchObject({ generation: 2, owner: "owner" });
    expect(await direct.store.readSlot(voter, 0)).toMatchObject({ generation: 2 });
  });

  it("finds its own publication", async () => {
    lose("PutItem");
    expect(await store.writePublication(publicationAt(freshGroup(), { epoch: 4, revision: 0 }))).toBe(true);
  });

  it("finds its own spec, and no other's", async () => {
    const spec = specOf(freshGroup());
    lose("PutItem");
    expect(await store.writeSpec(spec, 0)).toBe(true);
    proxy.inject({ kind: "cut" }, { operation: "PutItem" });
    expect(await store.writeSpec(specOf(spec.group, { owner: "cli" }), 0)).toBe(false);
  });

  it("finds its own request", async () => {
    lose("PutItem");
    expect(await store.writeRequest(freshGroup(), requestOf("mine"), wallTime(1))).toBe(true);
  });

  it("finds its own result of a request, and no other's", async () => {
    const group = freshGroup();
    const result = { kind: "done", detail: "n2 is primary", epoch: epoch(5), at: wallTime(2) } as const;
    await direct.store.writeRequest(group, requestOf("r"), wallTime(1));
    lose("UpdateItem");
    expect(await store.resolveRequest(group, "r", result)).toBe(true);
    proxy.inject({ kind: "cut" }, { operation: "UpdateItem" });
    expect(await store.resolveRequest(group, "r", { ...result, kind: "failed" })).toBe(false);
  });

  it("tells its caller what it could not write", async () => {
    const reject = { code: "PortError" };
    proxy.inject(THROTTLED, { times: 1_000 });
    const group = freshGroup();
    await expect(store.writeSpec(specOf(group), 0)).rejects.toMatchObject(reject);
    await expect(store.writeRequest(group, requestOf("r"), wallTime(1))).rejects.toMatchObject(reject);
    await expect(store.writePublication(publicationAt(group, { epoch: 1, revision: 0 }))).rejects.toMatchObject(reject);
    await expect(store.takeSlot(az("t"), 0, "owner", wallTime(1))).rejects.toMatchObject(reject);
    await expect(store.look(group, wallTime(1))).rejects.toMatchObject(reject);
    await expect(store.appendHistory([historyOf(group, 1)])).rejects.toMatchObject(reject);
    await expect(store.tableId()).rejects.toMatchObject(reject);
    proxy.calm();
    expect(await store.tableId()).toBe(await direct.store.tableId());
  });
});
