import { afterAll, beforeAll, expect, it } from "vitest";
import type { Item } from "../../lib/core/ballot-write.ts";
import type { RequestResult } from "../../lib/core/records.ts";
import { epoch, wallTime } from "../../lib/core/types.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import {
  ballotOf,
  createBallot,
  freshGroup,
  historyOf,
  type MakeStore,
  publicationAt,
  requestOf,
  type StoreUnderTest,
  specOf,
} from "./group-store-builders.ts";

function underTest(makeStore: MakeStore): () => StoreUnderTest {
  let under: StoreUnderTest;
  beforeAll(async () => {
    under = await makeStore();
  });
  afterAll(() => under.close());
  return () => under;
}

function made(makeStore: MakeStore): () => OperatorStore {
  const under = underTest(makeStore);
  return () => under().store;
}

export function describeSpecs(makeStore: MakeStore): void {
  const under = underTest(makeStore);
  const the = () => under().store;

  it("lists nothing in a new table", async () => {
    expect(await the().listSpecs()).toEqual({ specs: [], damaged: [] });
  });

  it("creates a spec once and returns it as it was declared, nulls and all", async () => {
    const spec = specOf(freshGroup());
    expect(await the().writeSpec(spec, 0)).toBe(true);
    expect(await the().writeSpec(spec, 0)).toBe(false);
    expect(await the().readSpec(spec.group)).toEqual(spec);
    expect((await the().listSpecs()).specs).toContainEqual(spec);
  });

  it("replaces exactly the version that was read", async () => {
    const spec = specOf(freshGroup());
    await the().writeSpec(spec, 0);
    const override = { downAfterMs: { value: 1_000, by: "alice", at: wallTime(5) } };
    const next = specOf(spec.group, { version: 2, overrides: override });
    expect(await the().writeSpec(next, 1)).toBe(true);
    expect(await the().writeSpec(specOf(spec.group, { version: 2 }), 1)).toBe(false);
    expect(await the().readSpec(spec.group)).toEqual(next);
  });

  it("names a damaged spec beside the others, until it is whole again or gone", async () => {
    const [healthy, damaged] = [specOf(freshGroup()), specOf(freshGroup())];
    await the().writeSpec(healthy, 0);
    for (const wrong of [{ schema: 7 }, { declared: "n1" }]) {
      await under().putSpec(damaged.group, { ...(damaged as unknown as Item), ...wrong });
      const list = await the().listSpecs();
      expect(list.damaged).toEqual([damaged.group]);
      expect(list.specs).toContainEqual(healthy);
      expect(list.specs.map((spec) => spec.group)).not.toContain(damaged.group);
      await expect(the().readSpec(damaged.group)).rejects.toMatchObject({ code: "RecordFormatError" });
    }
    await under().putSpec(damaged.group, damaged as unknown as Item);
    expect(await the().listSpecs()).toMatchObject({ damaged: [] });
    expect((await the().listSpecs()).specs).toContainEqual(damaged);
    await under().putSpec(damaged.group, { schema: 7 });
    await the().removeGroup(damaged.group);
    expect(await the().listSpecs()).toMatchObject({ damaged: [] });
  });

  it("never creates by an edit", async () => {
    const spec = specOf(freshGroup(), { version: 2 });
    expect(await the().writeSpec(spec, 1)).toBe(false);
    expect(await the().readSpec(spec.group)).toBeNull();
  });

  it("S2: removes a group and leaves its history, and up to which epoch it was published", async () => {
    const group = freshGroup();
    await the().writeSpec(specOf(group), 0);
    await createBallot(the(), ballotOf(group));
    await the().writeRequest(group, requestOf("r1"), wallTime(1));
    await the().writePublication(publicationAt(group, { epoch: 4, revision: 0 }));
    await the().appendHistory([historyOf(group, 4)]);
    const copies = { ssm: { epoch: epoch(4), revision: 0, at: wallTime(1) }, dns: null };
    await the().writeCopies(group, copies);
    await the().removeGroup(group);
    expect(await the().readCopies(group)).toEqual(copies);
    expect(await the().readSpec(group)).toBeNull();
    expect(await the().readBallot(group)).toBeNull();
    expect(await the().readRequest(group)).toBeNull();
    expect(await the().readPublication(group)).toBeNull();
    expect(await the().readHistory(group, { limit: 10, newestFirst: false })).toEqual([historyOf(group, 4)]);
  });
}

export function describeRequests(makeStore: MakeStore): void {
  const the = made(makeStore);
  const done: RequestResult = { kind: "done", detail: "n2 is primary", epoch: epoch(5), at: wallTime(2_000) };

  it("keeps one request, and refuses another while it waits", async () => {
    const group = freshGroup();
    expect(await the().readRequest(group)).toBeNull();
    expect(await the().writeRequest(group, requestOf("first"), wallTime(1_000))).toBe(true);
    expect(await the().writeRequest(group, requestOf("second"), wallTime(2_000))).toBe(false);
    expect(await the().readRequest(group)).toEqual(requestOf("first"));
  });

  it("takes the next one when the first has a result, or ran out", async () => {
    const [ended, expired] = [freshGroup(), freshGroup()];
    await the().writeRequest(ended, requestOf("first"), wallTime(1_000));
    await the().resolveRequest(ended, "first", done);
    expect(await the().writeRequest(ended, requestOf("second"), wallTime(2_000))).toBe(true);
    await the().writeRequest(expired, requestOf("first"), wallTime(1_000));
    expect(await the().writeRequest(expired, requestOf("second"), wallTime(60_999))).toBe(false);
    expect(await the().writeRequest(expired, requestOf("second"), wallTime(61_000))).toBe(true);
  });

  it("says yes to the request that stands already, and keeps its result", async () => {
    const group = freshGroup();
    await the().writeRequest(group, requestOf("first"), wallTime(1_000));
    expect(await the().writeRequest(group, requestOf("first"), wallTime(1_000))).toBe(true);
    await the().resolveRequest(group, "first", done);
    await the().writeRequest(group, requestOf("first"), wallTime(1_000));
    expect(await the().readRequest(group)).toEqual(requestOf("first", { result: done }));
  });

  it("keeps the first result, and gives none to a request that was superseded", async () => {
    const group = freshGroup();
    await the().writeRequest(group, requestOf("first"), wallTime(1_000));
    expect(await the().resolveRequest(group, "first", done)).toBe(true);
    expect(await the().resolveRequest(group, "first", { ...done, kind: "failed", detail: "too late" })).toBe(false);
    expect((await the().readRequest(group))?.result).toEqual(done);
    await the().writeRequest(group, requestOf("second"), wallTime(2_000));
    await the().resolveRequest(group, "first", done);
    expect(await the().readRequest(group)).toEqual(requestOf("second"));
  });

  it("resolves nothing where nothing was asked", async () => {
    const group = freshGroup();
    await the().resolveRequest(group, "first", done);
    expect(await the().readRequest(group)).toBeNull();
  });
}

export function describeHistory(makeStore: MakeStore): void {
  const the = made(makeStore);

  it("returns what was appended, oldest or newest first, in pages", async () => {
    const group = freshGroup();
    const records = Array.from({ length: 60 }, (_, index) => historyOf(group, index + 1));
    // In one call, in no order, and more than one batch of the store takes.
    await the().appendHistory([...records].reverse());
    const read = (options: { limit: number; newestFirst: boolean; after?: string }) =>
      the().readHistory(group, options);
    expect(await read({ limit: 1_000, newestFirst: false })).toEqual(records);
    expect(await read({ limit: 2, newestFirst: true })).toEqual([records[59], records[58]]);
    const after = records[9]?.id ?? "";
    expect(await read({ limit: 2, newestFirst: false, after })).toEqual([records[10], records[11]]);
    expect(await read({ limit: 2, newestFirst: true, after })).toEqual([records[8], records[7]]);
  });

  it("writes a record that is appended twice once", async () => {
    const group = freshGroup();
    await the().appendHistory([historyOf(group, 1)]);
    await the().appendHistory([historyOf(group, 1)]);
    expect(await the().readHistory(group, { limit: 10, newestFirst: false })).toEqual([historyOf(group, 1)]);
  });

  it("holds only events, not the ballot or the request beside them", async () => {
    const group = freshGroup();
    await createBallot(the(), ballotOf(group));
    await the().writeRequest(group, requestOf("r1"), wallTime(1));
    expect(await the().readHistory(group, { limit: 10, newestFirst: false })).toEqual([]);
  });

  it("appends nothing", async () => {
    await the().appendHistory([]);
  });
}
