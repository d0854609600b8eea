import { afterAll, beforeAll, expect, it } from "vitest";
import { wallTime } from "../../lib/core/types.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { az, type MakeStore, type StoreUnderTest, slotOf } from "./group-store-builders.ts";

export function describeSlots(makeStore: MakeStore): void {
  let made: StoreUnderTest;
  let store: OperatorStore;
  beforeAll(async () => {
    made = await makeStore();
    store = made.store;
  });
  afterAll(() => made.close());

  it("has no slot before the first invocation", async () => {
    expect(await store.readSlot(az("none"), 0)).toBeNull();
  });

  it("S7: gives each invocation the next generation", async () => {
    const first = await store.takeSlot(az("a"), 0, "invocation-1", wallTime(1_000));
    expect(first).toEqual({
      schema: 1,
      voter: az("a"),
      shard: 0,
      groupsPerVoter: null,
      generation: 1,
      owner: "invocation-1",
      heartbeatAt: 1_000,
      regular: false,
      restsMs: null,
      groups: {},
    });
    const second = await store.takeSlot(az("a"), 0, "invocation-2", wallTime(2_000));
    expect(second).toMatchObject({ generation: 2, owner: "invocation-2", regular: false });
    expect(await store.readSlot(az("a"), 0)).toEqual(second);
  });

  it("S7: of invocations that start together each takes its own generation", async () => {
    const taken = await Promise.all(
      Array.from({ length: 5 }, (_, n) => store.takeSlot(az("many"), 0, `invocation-${n}`, wallTime(n))),
    );
    expect(new Set(taken.map((slot) => slot.generation)).size).toBe(5);
    const newest = Math.max(...taken.map((slot) => slot.generation));
    expect(await store.readSlot(az("many"), 0)).toMatchObject({ generation: newest });
  });

  it("keeps the slots of a voter's shards apart", async () => {
    await store.takeSlot(az("s"), 0, "zero", wallTime(1));
    const taken = await store.takeSlot(az("s"), 1, "one", wallTime(1));
    expect(taken).toMatchObject({ shard: 1, owner: "one" });
    expect(await store.writeSlot({ ...slotOf(az("s"), taken.generation), shard: 1 })).toBe(true);
    expect(await store.readSlot(az("s"), 0)).toMatchObject({ shard: 0, owner: "zero" });
    expect(await store.readSlot(az("s"), 1)).toMatchObject({ shard: 1, owner: `owner-${taken.generation}` });
  });

  it("S7: gives no generation of a voter twice, whatever the shard, and a later invocation a larger one", async () => {
    const voter = az("g");
    const take = async (shard: number, owner: string) =>
      (await store.takeSlot(voter, shard, owner, wallTime(1))).generation;
    const alternating = [
      await take(0, "a"),
      await take(1, "b"),
      await take(1, "c"),
      await take(2, "d"),
      await take(0, "e"),
    ];
    expect(alternating).toEqual([1, 2, 3, 4, 5]);
    const together = await Promise.all(Array.from({ length: 6 }, (_, n) => take(n % 3, `together-${n}`)));
    expect(new Set(together).size).toBe(6);
    expect(Math.min(...together)).toBeGreaterThan(5);
  });

  it("lets the current invocation write what it sees, and its predecessor no more", async () => {
    const voter = az("w");
    await store.takeSlot(voter, 0, "owner-1", wallTime(1));
    expect(await store.writeSlot(slotOf(voter, 1))).toBe(true);
    expect(await store.readSlot(voter, 0)).toEqual(slotOf(voter, 1));
    await store.takeSlot(voter, 0, "owner-2", wallTime(2));
    expect(await store.writeSlot(slotOf(voter, 1))).toBe(false);
    expect(await store.readSlot(voter, 0)).toMatchObject({ generation: 2, regular: false });
    expect(await store.writeSlot(slotOf(voter, 2))).toBe(true);
  });

  it("shows what the predecessor saw until the first heartbeat of the next", async () => {
    const voter = az("v");
    await store.takeSlot(voter, 0, "owner-1", wallTime(1));
    await store.writeSlot(slotOf(voter, 1));
    const taken = await store.takeSlot(voter, 0, "owner-2", wallTime(2));
    expect(taken.groups).toEqual(slotOf(voter, 1).groups);
  });

  it("lists every slot that was ever taken", async () => {
    const listed = await store.listSlots();
    const names = listed.map((slot) => slot.voter);
    for (const letter of ["a", "many", "w", "v"]) expect(names).toContain(az(letter));
    expect(names.filter((name) => name === az("s"))).toHaveLength(2);
  });
}
