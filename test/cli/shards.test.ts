// What the commands do where a deployment has more than one shard of voters.

import { describe, expect, it } from "vitest";
import type { SlotRecord } from "../../lib/core/records.ts";
import { groupName, type WallTime } from "../../lib/core/types.ts";
import { CommandLine } from "./command-line.ts";
import { ago, ballot, GROUP, slot, spec, VOTERS, view } from "./records.ts";

const voters = (shard: number, rest: Partial<SlotRecord> = {}): SlotRecord[] =>
  VOTERS.map((voter) => slot(voter, null, { shard, groupsPerVoter: 2, ...rest }));
const watching = (shard: number, heartbeatAt: WallTime = ago(300)): SlotRecord[] =>
  VOTERS.map((voter) => slot(voter, view(), { shard, groupsPerVoter: 2, heartbeatAt }));

/** Groups `g0`, `g1` ... in these shards, and voters of two. */
function withGroupsIn(...shards: readonly number[]): CommandLine {
  const line = new CommandLine();
  line.store.slots = [...voters(0), ...voters(1)];
  for (const [index, shard] of shards.entries()) {
    const group = groupName(`g${index}`);
    line.store.specs.set(group, spec({ group, shard, owner: "cli" }));
  }
  return line;
}

const shardOf = (line: CommandLine, name: string) => line.store.specs.get(groupName(name))?.shard;
const add = (name: string) => ["groups", "add", "--name", name, "--node", "n1=10.0.1.7", "--wait", "0s"];

describe("groups add, with several shards", () => {
  it("puts a group where there are the fewest, and none where no voter is heard", async () => {
    const line = withGroupsIn(0);
    expect((await line.run(...add("new"))).exit).toBe(0);
    expect(shardOf(line, "new")).toBe(1);
    line.store.slots = [...voters(0), ...voters(1, { heartbeatAt: ago(200_000) })];
    await line.run(...add("newer"));
    expect(shardOf(line, "newer")).toBe(0);
  });

  it("spreads the groups of one file, and writes none of them when there is no room for one", async () => {
    const group = (name: string) => ({ name, nodes: [{ id: "n1", host: `${name}.internal` }] });
    const line = withGroupsIn(0);
    line.files.set("three.json", JSON.stringify({ groups: ["a", "b", "c"].map(group) }));
    expect((await line.run("groups", "add", "--file", "three.json", "--wait", "0s")).exit).toBe(0);
    expect(["a", "b", "c"].map((name) => shardOf(line, name))).toEqual([1, 0, 1]);
    const full = withGroupsIn(0, 0);
    full.files.set("three.json", JSON.stringify({ groups: ["a", "b", "c"].map(group) }));
    expect(await full.run("groups", "add", "--file", "three.json", "--wait", "0s")).toMatchObject({
      exit: 5,
      notes: expect.stringMatching(/no room for group c: shard 0 has 2 groups, shard 1 has 2 groups.*`shards`/),
    });
    expect([...full.store.specs.keys()]).toEqual(["g0", "g1"]);
  });

  it("leaves a group that is registered already where it is, also where there is no room for another", async () => {
    const line = withGroupsIn(0, 0, 1);
    await line.run(...add("new"));
    expect(shardOf(line, "new")).toBe(1);
    expect(await line.run(...add("new"))).toMatchObject({
      exit: 0,
      out: expect.stringContaining("registered already"),
    });
    expect((await line.run(...add("another"))).exit).toBe(5);
  });
});

describe("groups move", () => {
  const move = ["groups", "move", "g0", "--to", "1"];

  it("writes the other shard, over the version that it read", async () => {
    const line = withGroupsIn(0, 1);
    expect(await line.run(...move)).toEqual({
      exit: 0,
      out: "g0 is moved from shard 0 to shard 1: its voters change within some seconds, with the next round in economy mode",
      notes: "",
    });
    expect(line.store.specs.get(groupName("g0"))).toEqual(
      spec({ group: groupName("g0"), shard: 1, owner: "cli", version: 5 }),
    );
    expect(JSON.parse((await line.run(...move.with(-1, "0"), "--json")).out)).toEqual({
      ...{ schema: 1, group: "g0", version: 6, from: 1, to: 0 },
    });
    expect(await line.run(...move.with(-1, "0"))).toMatchObject({ exit: 1, notes: expect.stringContaining("already") });
  });

  it("is refused where there are no voters, where there is no room, and in the middle of an operation", async () => {
    const refusal = async (line: CommandLine, ...args: readonly string[]) => {
      expect(await line.run(...args)).toMatchObject({ exit: 5 });
      expect(shardOf(line, "g0")).toBe(0);
      return (await line.run(...args)).notes;
    };
    expect(await refusal(withGroupsIn(0), ...move.with(-1, "2"))).toContain(
      "no voter serves shard 2: there are voters of 0, 1",
    );
    expect(await refusal(withGroupsIn(0, 1, 1), ...move)).toContain("shard 1 has 2 groups, and a voter is given 2");
    const busy = withGroupsIn(0);
    const operation = { ...ballot().operation, kind: "switchover" } as never;
    busy.store.ballots.set(groupName("g0"), ballot({ group: groupName("g0"), operation }));
    expect(await refusal(busy, ...move)).toContain("a switchover of g0 is going on");
  });
});

describe("a group of another shard than the first", () => {
  const inSecond = (...slots: SlotRecord[]): CommandLine => {
    const line = new CommandLine().withGroup();
    line.onPause = () => undefined;
    line.store.specs.set(GROUP, spec({ shard: 1 }));
    line.store.slots = slots;
    return line;
  };

  it("is shown with its own voters", async () => {
    const line = inSecond(...watching(1), ...voters(0, { heartbeatAt: ago(100_000) }));
    const { exit, out } = await line.run("status");
    expect(exit).toBe(0);
    expect(out).toContain("voters 3/3 (oldest 2.4s), shard 1  quorum 2");
    expect(JSON.parse((await line.run("--json", "status")).out).groups[0]).toMatchObject({ shard: 1 });
    expect((await line.run("groups", "list")).out).toContain("VERSION  SHARD  QUORUM");
  });

  it("that no voter serves says so, and what to do", async () => {
    const line = inSecond(...watching(1, ago(3_600_000)), ...voters(0));
    const what =
      "no voter serves its shard 1, there are voters of 0: move it (`valkeeper groups move mymaster --to 0`)";
    expect(await line.run("status")).toMatchObject({ exit: 2, out: expect.stringContaining(`  ${what}`) });
    expect((await line.run("why", "mymaster")).out).toContain(`NOTHING IS DONE: ${what}`);
  });

  it("whose voters are all silent, as the others are, does not ask to be moved", async () => {
    const line = inSecond(...watching(1, ago(3_600_000)), ...voters(0, { heartbeatAt: ago(3_600_000) }));
    const { out } = await line.run("status");
    expect(out).toContain("voter az-a has not been heard for 60m");
    expect(out).not.toContain("groups move");
  });

  it("has its orders announced as its own voters rest, or do not", async () => {
    const resting = inSecond(
      ...VOTERS.map((voter) => slot(voter, view(), { shard: 1, restsMs: 60_000 })),
      ...voters(0, { heartbeatAt: ago(600_000) }),
    );
    resting.onPause = () => resting.interrupt.abort();
    expect((await resting.run("switchover", "mymaster")).notes).toContain("the voters look every 60s (economy mode)");
  });
});
