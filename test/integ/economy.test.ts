// Economy mode on real nodes: a voter that finds all well is gone in a moment, and what it finds wrong it stays for. The
// schedule is the test's own hand.

import { afterEach, describe, expect, it } from "vitest";
import { localCloudForFile } from "../contract/group-store-endpoints.ts";
import { LiveGroup } from "../support/live-group.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";

const endpoint = localCloudForFile();
const group = useProcessGroup();
let live: LiveGroup | undefined;

afterEach(async (context) => {
  if (context.task.result?.state === "fail") live?.print();
  live?.close();
  for (const node of live?.nodes ?? []) await node.kill();
});

/** A minute's invocations, one of each voter, to their ends. */
async function round(of: LiveGroup): Promise<readonly string[]> {
  of.startVoters();
  return Promise.all([...of.voters.values()].map(async (voter) => (await voter.ended).reason));
}

const RESTED = ["rested", "rested", "rested"];

describe("economy mode", () => {
  it("L2: rests while all is well, replaces a killed primary with the next round, and rests again", {
    timeout: 90_000,
  }, async () => {
    live = await LiveGroup.create({ group, endpoint: endpoint(), economy: true });
    expect(await round(live)).toEqual(RESTED);
    await live.healthy();

    for (const id of live.voterIds) {
      const began = performance.now();
      expect(await live.startVoter(id).ended).toMatchObject({ reason: "rested", groups: 1 });
      process.stdout.write(`${id}: a round took ${(performance.now() - began).toFixed(0)} ms\n`);
    }
    for (const slot of await live.store.listSlots()) expect(slot).toMatchObject({ regular: true, restsMs: 60_000 });

    const old = await live.primary();
    await old.kill();
    const killedAt = performance.now();
    live.startVoters();
    await live.event("failover.completed", killedAt, 5_000);
    // One is gone: they stay.
    for (const slot of await live.store.listSlots()) expect(slot.restsMs).toBeNull();
    await old.restart();
    const ends = Promise.all([...live.voters.values()].map(async (voter) => (await voter.ended).reason));
    expect(await ends).toEqual(RESTED);
    const ballot = await live.healthy();
    expect(ballot.primary?.node).not.toBe(old.id);
  });

  it("takes an order up with the next round", { timeout: 60_000 }, async () => {
    live = await LiveGroup.create({ group, endpoint: endpoint(), economy: true });
    expect(await round(live)).toEqual(RESTED);
    const before = await live.healthy();
    const id = await live.request("switchover");
    expect(await round(live)).toEqual(RESTED);
    expect(await live.result(id)).toMatchObject({ kind: "done" });
    await eventually("the primary is another", async () => {
      const now = await live?.store.readBallot(live.name);
      return now?.primary?.node !== before.primary?.node;
    });
  });
});
