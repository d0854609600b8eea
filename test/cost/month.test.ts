import { describe, expect, it } from "vitest";
import { Egress } from "../../lib/constructs/egress.ts";
import { EGRESSES, inventoryOf } from "./inventory.ts";
import { type Installation, type LineId, monthOf, shardsOf, totalOf } from "./month.ts";

/** Made up, so that what is expected can be calculated by hand; without alarms. */
const inventory: Installation["inventory"] = {
  voters: [{ memoryMegabytes: 256 }, { memoryMegabytes: 256 }, { memoryMegabytes: 256 }],
  publisher: { memoryMegabytes: 256 },
  schedules: 4,
  interfaceEndpoints: 0,
  alarms: 0,
  alarmMetrics: 0,
  steadyMetrics: 0,
  dashboards: 0,
  hostFunctions: [],
  isSecretPlaced: false,
};

const usd = (installation: Partial<Installation>, isFreeTierLeft = false): Readonly<Record<LineId, number>> => {
  const lines = monthOf({ groups: 1, inventory, ...installation }, { isFreeTierLeft });
  return Object.fromEntries(lines.map((line) => [line.id, line.usd])) as Record<LineId, number>;
};

describe("a month of one group", () => {
  it("is three voters that run 61 s of every minute", () => {
    // 3 x 0.25 GB x 61 s x 43,800 minutes
    expect(usd({}).compute).toBeCloseTo(2_003_850 * 0.0000133334, 2);
    expect(usd({}, true).compute).toBeCloseTo(1_603_850 * 0.0000133334, 2);
  });

  it("is what the table is asked for by them and the publisher", () => {
    // A voter: 62 glances of 1, 62 slots, 13 lists, a slot and a ballot at the start. The publisher: 2 lists, slots, 3 items.
    expect(usd({}).reads).toBeCloseTo((3 * 139 + 6.5) * 43_800 * 0.125e-6, 4);
    // A voter: 13 heartbeats, the generation and the slot that are taken. The publisher: one write that is refused.
    expect(usd({}).writes).toBeCloseTo((3 * 15 + 1) * 43_800 * 0.625e-6, 4);
  });

  it("is the probes that cross zones, paid on both sides", () => {
    // 3 voters x 123 rounds x 2 nodes x 2,468 bytes
    expect(usd({}).zones).toBeCloseTo((738 * 2_468 * 43_800 * 0.02) / 1e9, 3);
    expect(usd({ settings: { probeIntervalMs: 1_000 } }).zones / usd({}).zones).toBeCloseTo(62 / 123, 3);
  });

  it("has endpoints, gateways, alarms, dashboards and the key by what is deployed", () => {
    expect(usd({ inventory: { ...inventory, interfaceEndpoints: 2 } }).egress).toBeCloseTo(43.8, 2);
    expect(usd({ natGateways: 3 }).egress).toBeCloseTo(98.55, 2);
    const watched = { ...inventory, alarms: 12, alarmMetrics: 20, steadyMetrics: 4, dashboards: 1 };
    expect(usd({ inventory: watched }).alarms).toBeCloseTo(20 * 0.1 + 4 * 0.3 + 3, 5);
    expect(usd({ inventory: watched }, true).alarms).toBeCloseTo(10 * 0.1, 5);
    expect(usd({ inventory: { ...inventory, isSecretPlaced: true } }).secret).toBeCloseTo(1.4, 5);
  });

  it("is computing time in proportion to memory", () => {
    expect(usd({ memoryMegabytes: 1_024 }).compute).toBeCloseTo(4 * usd({}).compute, 6);
  });
});

describe("more groups", () => {
  it("are given to shards of fifty", () => {
    expect(shardsOf(1)).toEqual([1]);
    expect(shardsOf(50)).toEqual([50]);
    expect(shardsOf(120)).toEqual([50, 50, 20]);
  });

  it("share voters within a deployment, and pay for what is free once", () => {
    expect(usd({ groups: 50 }).compute).toBe(usd({}).compute);
    expect(usd({ groups: 100 }).compute).toBeCloseTo(2 * usd({}).compute, 6);
    expect(usd({ groups: 100 }).compute - usd({ groups: 100 }, true).compute).toBeCloseTo(400_000 * 0.0000133334, 6);
  });

  it("share table and publisher in one deployment of several shards, and each voter reads what all of them declare", () => {
    const deployed = { groups: 100, inventory: { ...inventory, steadyMetrics: 4 } };
    const [apart, together] = [usd(deployed), usd({ ...deployed, isSharded: true })];
    expect(together.compute).toBe(apart.compute);
    // One publisher's figure instead of two; the heartbeats are six in any case.
    expect(apart.alarms - together.alarms).toBeCloseTo(0.3, 6);
    // 6 voters x 13 lists of 46,000 bytes instead of 23,000, and the publisher reads its lists once.
    const lists = 6 * 13 * (12 - 6) * 43_800 * 0.125e-6;
    expect(together.reads - apart.reads).toBeGreaterThan(0.9 * lists);
    expect(together.reads - apart.reads).toBeLessThanOrEqual(lists);
  });

  it("make what a voter writes and reads about them bigger", () => {
    const [few, many] = [usd({ groups: 5 }), usd({ groups: 50 })];
    // In proportion, but for what is rounded up.
    expect(many.writes / few.writes).toBeGreaterThan(8);
    expect(many.reads / few.reads).toBeGreaterThan(6);
  });
});

describe("economy mode", () => {
  it("costs a small part of a continuous one", () => {
    const total = (mode: Installation["mode"]) =>
      totalOf(monthOf({ groups: 1, inventory, ...(mode === undefined ? {} : { mode }) }, { isFreeTierLeft: false }));
    expect(total("economy")).toBeLessThan(total("continuous") / 10);
  });
});

describe("what is deployed", () => {
  it.each(EGRESSES.map((egress) => [egress.name, egress] as const))(
    "is counted in the template: %s",
    (name, egress) => {
      const found = inventoryOf(egress);
      expect(found.voters).toHaveLength(3);
      expect(found.schedules).toBe(4);
      expect(found.interfaceEndpoints).toBe(name === "endpoints" ? 2 : 0);
      expect(found.isSecretPlaced).toBe(egress === Egress.NONE);
      expect([found.alarms, found.dashboards]).toEqual([0, 0]);
    },
  );

  it("has alarms and a dashboard when it asks for them, and reports the same figures without", () => {
    const found = inventoryOf(Egress.NONE, { isWatched: true });
    expect(found.alarms).toBeGreaterThan(10);
    expect(found.alarmMetrics).toBeGreaterThanOrEqual(found.alarms);
    expect(found.dashboards).toBe(1);
    // Each voter's heartbeat, and whether publications are behind.
    expect(found.steadyMetrics).toBe(4);
    expect(inventoryOf(Egress.NONE).steadyMetrics).toBe(4);
  });
});
