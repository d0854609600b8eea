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
    expect(taken.map((slot) => slot.generation).sort()).toEqual([1, 2, 3, 4, 5]);
  });

  it("keeps shards of one voter apart", async () => {
    await store.takeSlot(az("s"), 0, "zero", wallTime(1));
    expect(await store.takeSlot(az("s"), 1, "one", wallTime(1))).toMatchObject({ generation: 1, owner: "one" });
  });

  it("lets the current invocation write what it sees, and its predecessor no more", async () => {
    const voter = az("w");
    await store.takeSlot(voter, 0, "owner-1", wallTime(1));
    expect(await store.writeSlot(0, slotOf(voter, 1))).toBe(true);
    expect(await store.readSlot(voter, 0)).toEqual(slotOf(voter, 1));
    await store.takeSlot(voter, 0, "owner-2", wallTime(2));
    expect(await store.writeSlot(0, slotOf(voter, 1))).toBe(false);
    expect(await store.readSlot(voter, 0)).toMatchObject({ generation: 2, regular: false });
    expect(await store.writeSlot(0, slotOf(voter, 2))).toBe(true);
  });

  it("shows what the predecessor saw until the first heartbeat of the next", async () => {
    const voter = az("v");
    await store.takeSlot(voter, 0, "owner-1", wallTime(1));
    await store.writeSlot(0, slotOf(voter, 1));
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
