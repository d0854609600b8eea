import { describe, expect, it } from "vitest";
import { fullText, placeGroup, servedShards, shardsOf } from "../../lib/core/placement.ts";
import type { SlotRecord } from "../../lib/core/records.ts";
import { voterId, type WallTime, wallTime } from "../../lib/core/types.ts";

const NOW = wallTime(10_000_000);
const ago = (ms: number): WallTime => wallTime(NOW - ms);

const slotOf = (
  voter: string,
  shard: number,
  heartbeatAt: WallTime,
  groupsPerVoter: number | null = 50,
): SlotRecord => ({
  ...{ schema: 1, voter: voterId(voter), shard, groupsPerVoter, generation: 1, owner: "o", heartbeatAt },
  ...{ regular: true, restsMs: null, groups: {} },
});
const allOf = (shard: number, heartbeatAt: WallTime, groupsPerVoter: number | null = 50): SlotRecord[] =>
  ["az-a", "az-b", "az-c"].map((voter) => slotOf(voter, shard, heartbeatAt, groupsPerVoter));

const inShards = (...shards: number[]) => shards.map((shard) => ({ shard }));

describe("the shards that voters serve", () => {
  it("are those in which most of the voters that are heard are heard", () => {
    expect(servedShards([...allOf(0, ago(1_000)), ...allOf(1, ago(180_000))], NOW).served).toEqual([0, 1]);
    expect(servedShards([...allOf(0, ago(1_000)), ...allOf(1, ago(180_001))], NOW).served).toEqual([0]);
    const beginning = [slotOf("az-a", 1, ago(500))];
    expect(servedShards([...allOf(0, ago(1_000)), ...beginning], NOW).served).toEqual([0]);
    const enough = [...beginning, slotOf("az-b", 1, ago(500))];
    expect(servedShards([...allOf(0, ago(1_000)), ...enough], NOW).served).toEqual([0, 1]);
    const half = [slotOf("az-a", 0, ago(500)), slotOf("az-b", 0, ago(500)), slotOf("az-a", 1, ago(500))];
    expect(servedShards(half, NOW).served).toEqual([0]);
  });

  it("are told in their order", () => {
    expect(
      servedShards(
        [2, 0, 1].flatMap((shard) => allOf(shard, ago(1_000))),
        NOW,
      ).served,
    ).toEqual([0, 1, 2]);
  });

  it("are no fewer while a zone is lost, or was left", () => {
    const slots = [...allOf(0, ago(1_000)), ...allOf(1, ago(1_000))].map((slot) =>
      slot.voter === "az-c" ? { ...slot, heartbeatAt: ago(600_000) } : slot,
    );
    expect(servedShards(slots, NOW).served).toEqual([0, 1]);
  });

  it("are none while no voter is heard, and groups go to the first then", () => {
    const nobody = { served: [], groupsPerVoter: null };
    expect(servedShards([], NOW)).toEqual(nobody);
    expect(servedShards([...allOf(0, ago(999_000)), ...allOf(1, ago(999_000))], NOW)).toEqual(nobody);
    expect(placeGroup(inShards(0, 0), nobody)).toBe(0);
  });

  it("are given what the newest word says", () => {
    expect(servedShards([...allOf(0, ago(9_000), 50), ...allOf(1, ago(1_000), 20)], NOW).groupsPerVoter).toBe(20);
    expect(servedShards(allOf(0, ago(9_000), null), NOW).groupsPerVoter).toBeNull();
  });
});

describe("a new group", () => {
  it("goes to the shard with the fewest, of equal ones to the first", () => {
    expect(placeGroup([], shardsOf(3, 50))).toBe(0);
    expect(placeGroup(inShards(0, 0, 1, 2), shardsOf(3, 50))).toBe(1);
    expect(placeGroup(inShards(0, 1), shardsOf(3, null))).toBe(2);
  });

  it("goes where it is meant to as long as there is room", () => {
    expect(placeGroup(inShards(0, 1, 1), shardsOf(2, 3), 1)).toBe(1);
    expect(placeGroup(inShards(0, 1, 1, 1), shardsOf(2, 3), 1)).toBe(0);
    expect(placeGroup([], shardsOf(2, 3), 7)).toBe(0);
  });

  it("goes into no shard that nobody serves, and into none that is full", () => {
    expect(placeGroup(inShards(0), { served: [0, 2], groupsPerVoter: 50 })).toBe(2);
    expect(placeGroup(inShards(0, 0, 1), { served: [0], groupsPerVoter: 2 })).toBeNull();
    expect(fullText(inShards(0, 0, 1), { served: [0], groupsPerVoter: 2 })).toBe(
      "shard 0 has 2 groups, and a voter is given 2 (`groupsPerVoter`): deploy more `shards`, or a larger `groupsPerVoter`, which gives voters more memory",
    );
    expect(fullText(inShards(0, 0, 1, 1), shardsOf(2, 2))).toMatch(/^shard 0 has 2 groups, shard 1 has 2 groups, and/);
  });
});
