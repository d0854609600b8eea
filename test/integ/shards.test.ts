// Two shards of voters in one deployment: each looks after its own group, on real nodes. What is under test is that neither
// needs the other, that a group can be moved from one to the other, and that their invocations are never taken for each other.

import { afterEach, describe, expect, it } from "vitest";
import { type GroupName, voterId } from "../../lib/core/types.ts";
import { localCloudForFile } from "../contract/group-store-endpoints.ts";
import { LiveGroup } from "../support/live-group.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";

const endpoint = localCloudForFile();
const group = useProcessGroup();
let lives: LiveGroup[] = [];

afterEach(async (context) => {
  for (const live of lives) {
    if (context.task.result?.state === "fail") live.print();
    live.close();
    for (const node of live.nodes) await node.kill();
  }
  lives = [];
});

/** `first` in shard 0 and `second` in shard 1, both healthy, with three voters each. */
async function twoShards(): Promise<readonly [LiveGroup, LiveGroup]> {
  const first = await LiveGroup.create({ group, endpoint: endpoint(), name: "first" });
  lives.push(first);
  const second = await LiveGroup.create({ group, endpoint: endpoint(), name: "second", shard: 1, table: first.table });
  lives.push(second);
  for (const live of lives) live.startVoters();
  for (const live of lives) await live.healthy(30_000);
  return [first, second];
}

/** Kills the group's primary; resolves when another node was made one. */
async function failedOver(of: LiveGroup): Promise<void> {
  const old = await of.primary();
  await old.kill();
  await eventually(
    `${of.name} has another primary than ${old.id}`,
    async () => {
      const ballot = await of.store.readBallot(of.name);
      return ballot?.operation === null && ballot.primary !== null && ballot.primary.node !== old.id;
    },
    20_000,
  );
}

/** Which groups each slot shows, by voter and shard. */
async function shownIn(of: LiveGroup): Promise<Readonly<Record<string, readonly string[]>>> {
  const slots = await of.store.listSlots();
  return Object.fromEntries(slots.map((slot) => [`${slot.voter}#${slot.shard}`, Object.keys(slot.groups)]));
}

const failoversOf = (name: GroupName, ...logs: readonly LiveGroup[]) =>
  logs.flatMap(({ log }) => log).filter((entry) => entry.group === name && entry.event === "failover.completed");

describe("two shards of voters", () => {
  it("S7: look after their own groups, and share no generation of a voter", { timeout: 120_000 }, async () => {
    const [first, second] = await twoShards();
    await eventually("the slots show one group each", async () =>
      Object.values(await shownIn(first)).every((names) => names.length === 1),
    );
    expect(await shownIn(first)).toEqual(
      Object.fromEntries(
        first.voterIds.flatMap((id) => [
          [`${id}#0`, ["first"]],
          [`${id}#1`, ["second"]],
        ]),
      ),
    );
    const slots = await first.store.listSlots();
    for (const id of first.voterIds) {
      const generations = slots.filter(({ voter }) => voter === id).map(({ generation }) => generation);
      expect(generations.toSorted()).toEqual([1, 2]);
    }

    // A voter of one shard is lost in one zone, one of the other in another: each shard still has a quorum.
    first.voters.get(voterId("az-a"))?.stop();
    second.voters.get(voterId("az-b"))?.stop();
    await Promise.all([failedOver(first), failedOver(second)]);

    // All voters of one shard are lost: the other goes on, and nobody does its work.
    for (const voter of first.voters.values()) voter.stop();
    await second.nodes.find((node) => !node.isRunning)?.restart();
    await second.healthy(30_000);
    const before = await first.store.readBallot(first.name);
    await (await first.primary()).kill();
    await failedOver(second);
    expect((await first.store.readBallot(first.name))?.epoch).toBe(before?.epoch);
  });

  it("S7: hand a group over when it is moved, there and back", { timeout: 150_000 }, async () => {
    const [first, second] = await twoShards();
    const spec = await first.store.readSpec(first.name);
    if (spec === null) throw new Error("no spec");
    expect(await first.store.writeSpec({ ...spec, version: 2, shard: 1 }, 1)).toBe(true);
    await eventually(
      "the voters of the other shard show both groups, and those of its own none",
      async () => {
        const shown = await shownIn(first);
        return first.voterIds.every((id) => shown[`${id}#0`]?.length === 0 && shown[`${id}#1`]?.length === 2);
      },
      30_000,
    );
    await failedOver(first);
    expect(failoversOf(first.name, second).length).toBeGreaterThan(0);
    expect(failoversOf(first.name, first)).toEqual([]);
    const votes = Object.entries((await first.store.readBallot(first.name))?.votes ?? {});
    const slots = await first.store.listSlots();
    for (const [id, vote] of votes) {
      expect(vote.generation).toBe(slots.find(({ voter, shard }) => voter === id && shard === 1)?.generation);
    }

    // And back: to invocations that are newer than those which voted last.
    await first.nodes.find((node) => !node.isRunning)?.restart();
    await first.healthy(30_000);
    for (const voter of first.voters.values()) voter.stop();
    first.startVoters();
    expect(await first.store.writeSpec({ ...spec, version: 3, shard: 0 }, 2)).toBe(true);
    await eventually(
      "the voters of its shard show it again",
      async () => {
        const shown = await shownIn(first);
        return first.voterIds.every((id) => shown[`${id}#0`]?.length === 1);
      },
      30_000,
    );
    await first.healthy(30_000);
    await failedOver(first);
    expect(failoversOf(first.name, first).length).toBeGreaterThan(0);
  });
});
