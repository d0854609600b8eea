import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { whyNoZones, Zones } from "../../lib/local/netns.ts";
import { runProgram } from "../../lib/local/run-program.ts";
import { readTools } from "../../lib/local/tools.ts";
import { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { useProcessGroup } from "../support/local-group.ts";

const reason = await whyNoZones();
const group = useProcessGroup();

describe("Zones", () => {
  let zones: Zones;
  const nodes = new Map<string, ValkeyProcess>();

  beforeAll(async () => {
    if (reason !== undefined) {
      return;
    }
    zones = await Zones.create({ group, zones: ["a", "b", "c"] });
    for (const zone of ["a", "b", "c"]) {
      const place = { host: zones.address(zone), port: 6379, exec: zones.exec(zone) };
      nodes.set(zone, await ValkeyProcess.start({ group, id: zone, ...place }));
    }
  });
  afterEach(() => zones?.heal());

  /** A ping sent from one zone to another; false when no answer comes. */
  async function reaches(from: string, to: string): Promise<boolean> {
    const target = ["-h", zones.address(to), "-p", "6379", "-t", "1", "PING"];
    const [command = "", ...args] = [...zones.exec(from), readTools().valkey.cli, ...target];
    try {
      return (await runProgram(command, args, { timeoutMs: 1_000 })).trim() === "PONG";
    } catch {
      return false;
    }
  }

  it("lets everybody reach everybody until a zone is isolated, and again after the heal", async (context) => {
    context.skip(reason !== undefined, reason);
    expect(await reaches("a", "b")).toBe(true);
    expect(await reaches("host", "a")).toBe(true);
    await zones.isolate("a");
    const seen = await Promise.all([reaches("a", "b"), reaches("c", "a"), reaches("b", "c"), reaches("host", "a")]);
    // The host stays reachable, as a table does through its gateway endpoint.
    expect(seen).toEqual([false, false, true, true]);
    await zones.heal();
    expect(await reaches("a", "b")).toBe(true);
  });

  it("keeps silent about a cut on a connection that stands, and delivers when it heals", async (context) => {
    context.skip(reason !== undefined, reason);
    const client = nodes.get("a")!.open(undefined, { commandTimeout: 300 });
    expect(await client.ping()).toBe("PONG");
    await zones.cutWay({ from: "a", to: "host" });
    await expect(client.set("one-way", "arrived")).rejects.toThrow("timed out");
    await zones.heal();
    expect(await nodes.get("a")!.ask("GET", "one-way")).toBe("arrived");
    client.disconnect();
  });

  it("names the zones there are", async (context) => {
    context.skip(reason !== undefined, reason);
    expect(() => zones.address("d")).toThrow('no zone "d"');
  });
});
