import { afterEach, describe, expect, it } from "vitest";
import { localCloudForFile } from "../contract/group-store-endpoints.ts";
import { LiveGroup, type LiveGroupOptions } from "../support/live-group.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";

const endpoint = localCloudForFile();
const group = useProcessGroup();
let live: LiveGroup | undefined;

async function start(options: Partial<LiveGroupOptions> = {}): Promise<LiveGroup> {
  live = await LiveGroup.create({ group, endpoint: endpoint(), ...options });
  live.startVoters();
  return live;
}

afterEach(async (context) => {
  if (context.task.result?.state === "fail" || process.env["SHOW"]) {
    const first = live?.log[0]?.atMs ?? 0;
    for (const each of live?.log ?? []) {
      console.log(`${(each.atMs - first).toFixed(0).padStart(6)} ${each.voter} e${each.epoch} ${each.event} ${each.node ?? ""} ${JSON.stringify(each.detail)}`);
    }
    console.log(JSON.stringify(await live?.store.readBallot(live.name), null, 1));
  }
  live?.close();
  for (const node of live?.nodes ?? []) await node.kill();
});

describe("failover on real nodes", () => {
  it("S1, S3, L2: replaces a killed primary by vote and lease, and takes it back as a replica", async () => {
    const it = await start({ settings: { downAfterMs: 1_000 } });
    const before = await it.healthy();
    const old = it.node(before.primary?.node ?? "");
    const killedAt = performance.now();
    await old.kill();
    const committed = await it.event("primary.committed", killedAt);
    console.log("killed -> committed", committed.atMs - killedAt);
    const after = await it.store.readBallot(it.name);
    expect(after?.primary?.node).not.toBe(old.id);
    const returnedAt = performance.now();
    await old.restart();
    await eventually("the old primary follows", async () => (await old.info("replication")).get("master_link_status") === "up");
    console.log("restarted -> follows", performance.now() - returnedAt);
    await it.healthy();
  });
});
