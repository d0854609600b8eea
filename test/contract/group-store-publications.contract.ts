import { afterAll, beforeAll, expect, it } from "vitest";
import { epoch, wallTime } from "../../lib/core/types.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { freshGroup, type MakeStore, publicationAt, type StoreUnderTest } from "./group-store-builders.ts";

export function describePublications(makeStore: MakeStore): void {
  let made: StoreUnderTest;
  let store: OperatorStore;
  beforeAll(async () => {
    made = await makeStore();
    store = made.store;
  });
  afterAll(() => made.close());

  it("has none before the first", async () => {
    expect(await store.readPublication(freshGroup())).toBeNull();
  });

  it("S2, R8: takes only a larger (epoch, revision)", async () => {
    const group = freshGroup();
    const write = (order: { epoch: number; revision: number }) => store.writePublication(publicationAt(group, order));
    expect(await write({ epoch: 4, revision: 0 })).toBe(true);
    expect(await write({ epoch: 4, revision: 0 })).toBe(false);
    expect(await write({ epoch: 4, revision: 2 })).toBe(true);
    expect(await write({ epoch: 4, revision: 1 })).toBe(false);
    expect(await write({ epoch: 5, revision: 0 })).toBe(true);
    expect(await write({ epoch: 4, revision: 9 })).toBe(false);
    expect(await store.readPublication(group)).toEqual(publicationAt(group, { epoch: 5, revision: 0 }));
  });

  it("S2: whatever order 12 publishers come in, the newest stands", async () => {
    const group = freshGroup();
    const orders = [7, 3, 11, 1, 12, 5, 2, 9, 4, 10, 6, 8].map((value) => ({ epoch: value, revision: 0 }));
    await Promise.all(orders.map((order) => store.writePublication(publicationAt(group, order))));
    expect((await store.readPublication(group))?.epoch).toBe(12);
  });

  it("remembers of each copy what it was last confirmed to say, and never the older", async () => {
    const group = freshGroup();
    expect(await store.readCopies(group)).toEqual({ ssm: null, dns: null });
    const newer = { epoch: epoch(5), revision: 1, at: wallTime(9) };
    await store.writeCopies(group, { ssm: newer });
    await store.writeCopies(group, { ssm: { epoch: epoch(5), revision: 0, at: wallTime(10) } });
    await store.writeCopies(group, { ssm: { epoch: epoch(4), revision: 7, at: wallTime(10) }, dns: newer });
    expect(await store.readCopies(group)).toEqual({ ssm: newer, dns: newer });
    await store.writeCopies(group, { dns: null });
    expect(await store.readCopies(group)).toEqual({ ssm: newer, dns: null });
  });

  it("remembers why a copy could not be written until it is confirmed", async () => {
    const group = freshGroup();
    const [ssmFailure, dnsFailure] = ["AccessDenied: one", "AccessDenied: two"].map((detail) => ({
      detail,
      at: wallTime(8),
    }));
    if (ssmFailure === undefined || dnsFailure === undefined) throw new Error("there are two");
    await store.writeCopies(group, { dnsFailure });
    expect(await store.readCopies(group)).toEqual({ ssm: null, dns: null, dnsFailure });
    await store.writeCopies(group, { ssmFailure });
    const dns = { epoch: epoch(5), revision: 1, at: wallTime(9) };
    await store.writeCopies(group, { dns });
    expect(await store.readCopies(group)).toEqual({ ssm: null, dns, ssmFailure });
    await store.writeCopies(group, { ssm: null });
    expect(await store.readCopies(group)).toEqual({ ssm: null, dns });
  });
}
