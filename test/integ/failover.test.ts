import { afterEach, describe, expect, it } from "vitest";
import { nodeId } from "../../lib/core/types.ts";
import { localCloudForFile } from "../contract/group-store-endpoints.ts";
import { LiveGroup, type LiveGroupOptions } from "../support/live-group.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";
import { Writer } from "../support/writer.ts";

const endpoint = localCloudForFile();
const group = useProcessGroup();
let live: LiveGroup | undefined;

async function start(options: Partial<LiveGroupOptions> = {}): Promise<LiveGroup> {
  live = await LiveGroup.create({ group, endpoint: endpoint(), ...options });
  live.startVoters();
  return live;
}

afterEach(async (context) => {
  if (context.task.result?.state === "fail") live?.print();
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
    expect(committed.node).not.toBe(old.id);
    await old.restart();
    await eventually(
      "the old primary follows",
      async () => (await old.info("replication")).get("master_link_status") === "up",
    );
    expect((await old.info("replication")).get("role")).toBe("slave");
    await it.healthy();
  });

  it("S3: replaces a primary that hangs, and the parked freeze is the first thing it reads when it wakes", async () => {
    const it = await start({ settings: { downAfterMs: 1_000 } });
    const before = await it.healthy();
    const old = it.node(before.primary?.node ?? "");
    const hungAt = performance.now();
    old.hang();
    const committed = await it.event("primary.committed", hungAt);
    expect(committed.node).not.toBe(old.id);
    const parked = await it.event("fence.parked", hungAt);
    expect(parked.node).toBe(old.id);
    old.wake();
    await eventually(
      "the old primary follows",
      async () => (await old.info("replication")).get("master_link_status") === "up",
    );
    const fenced = it.log.filter((each) => each.event === "node.fenced" && each.node === old.id);
    expect(fenced.map((each) => each.detail["rung"])).toContain("parked");
    await it.healthy();
  });

  it("R11: hands over to the target without losing an acknowledged write", async () => {
    const it = await start();
    await it.healthy();
    let at = await it.primary();
    const writer = new Writer(() => at);
    const id = await it.request("switchover", { target: nodeId("n2") });
    const result = await it.result(id);
    expect(result).toMatchObject({ kind: "done" });
    at = await it.primary();
    expect(at.id).toBe("n2");
    await it.healthy();
    await writer.stop();
    expect(writer.acknowledged.length).toBeGreaterThan(10);
    expect(await writer.missingFrom(at)).toEqual([]);
  });

  it("restores the primary when a switchover's target does not catch up", async () => {
    const it = await start();
    await it.healthy();
    const old = await it.primary();
    it.node("n2").hang();
    const id = await it.request("switchover", { target: nodeId("n2") });
    const result = await it.result(id);
    it.node("n2").wake();
    expect(["refused", "failed"]).toContain(result.kind);
    expect((await it.primary()).id).toBe(old.id);
    expect(await old.ask("SET", "still", "writable")).toBe("OK");
  });

  it("hands over although the primary is stuck in a FAILOVER of its own", async () => {
    const it = await start();
    await it.healthy();
    const old = await it.primary();
    const stuck = it.node("n2");
    const since = performance.now();
    stuck.hang();
    for (const voter of it.voterIds) await it.eventOf("node.down", since, voter);
    await old.ask("FAILOVER", "TO", stuck.host, stuck.port);
    expect((await old.info("replication")).get("master_failover_state")).not.toBe("no-failover");
    const id = await it.request("failover", { acceptDataLoss: true });
    expect(await it.result(id)).toMatchObject({ kind: "done" });
    stuck.wake();
    expect((await it.primary()).id).toBe("n3");
    await it.healthy();
  });

  it("S11: another voter finishes what a lost holder began, at every step", async () => {
    for (const step of [
      "lease.acquired",
      "node.frozen",
      "intent.recorded",
      "promotion.applied",
      "primary.committed",
    ] as const) {
      const it = await start({ settings: { downAfterMs: 700, leaseMs: 2_000 } });
      await it.healthy();
      const old = await it.primary();
      const killedAt = performance.now();
      it.stopHolderAt(step, killedAt);
      await old.kill();
      await it.event(step, killedAt);
      await it.event("failover.completed", killedAt, 20_000);
      await it.event("lease.taken-over", killedAt);
      expect((await it.primary()).id, step).not.toBe(old.id);
      await old.restart();
      await it.healthy(20_000);
      it.close();
      for (const node of it.nodes) await node.kill();
    }
  }, 90_000);
});
