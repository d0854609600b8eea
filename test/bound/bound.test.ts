import { describe, expect, it, vi } from "vitest";
import type { GroupConfig } from "../../lib/core/config.ts";
import { documented, renderTable } from "./document.ts";
import { type Comparison, compare, DYING, POINTS, QUIET, statedPoints } from "./points.ts";
import { type QuietGroup, watch } from "./quiet-group.ts";
import { poissonLimits, quorumsPerSecond } from "./rates.ts";
import { shippedConfig, voterTimetables } from "./rules.ts";
import { attemptsOf, burstsOf, independentLoss, silenceOf, sum } from "./silence.ts";
import { meetsGoal, needlessPerYear, rowOf } from "./table.ts";
import { probesOverTcp } from "./tcp.ts";

const broken = vi.hoisted((): { config: Partial<GroupConfig> } => ({ config: {} }));

/** The check of a configuration refuses a quorum of one: only a voter that skips it can have it. */
vi.mock(import("../../lib/core/config-check.ts"), async (load) => {
  const real = await load();
  return { ...real, checkConfig: (...checked) => ({ ...real.checkConfig(...checked), ...broken.config }) };
});

const timetable = { nextMs: 100, retryMs: 250, boundMs: 500, since: "answer", lateMs: 0 } as const;

describe("the silence of a node that serves", () => {
  it("is a power of the loss, once for each gap between two answers", () => {
    const { attempts, perSecond, dwells } = silenceOf(independentLoss(0.1), timetable);
    const gapSeconds = 0.1 + 0.25 * (0.1 / 0.9);
    expect(attempts).toBe(2);
    expect(perSecond).toBeCloseTo(0.01 / gapSeconds, 10);
    const meanMs = sum(dwells.map((each) => each.ms * each.perSecond)) / perSecond;
    expect(meanMs).toBeCloseTo(100 + 250 * (0.1 / 0.9), 6);
  });

  it("takes as many losses as there are attempts before the verdict", () => {
    const attempts = (downAfterMs: number) =>
      voterTimetables(shippedConfig({ downAfterMs }, 3), 0).map((each) => attemptsOf(each));
    expect([500, 1_000, 5_000, 30_000].map(attempts)).toEqual([
      [2, 2],
      [2, 2],
      [9, 10],
      [59, 60],
    ]);
  });

  it("is longer than the bound once for each burst that is", () => {
    const { perSecond } = silenceOf(burstsOf(10_000, 1e8), timetable);
    expect(perSecond * 1e5).toBeCloseTo(Math.exp(-0.25 / 10), 1);
  });

  it("is rarer where TCP sends again than where a lost packet is a lost probe", () => {
    const packets = silenceOf(probesOverTcp(0.001, timetable), timetable).perSecond;
    expect(packets).toBeLessThan(silenceOf(independentLoss(0.001), timetable).perSecond / 10);
    expect(packets).toBeGreaterThan(0);
  });
});

describe("the coincidence of votes", () => {
  it("is one voter's beginning while another's stands", () => {
    const silence = { attempts: 2, perSecond: 0.01, dwells: [{ ms: 200, perSecond: 0.01 }], meanGapMs: 100 };
    const together = { retractMs: 0, togetherMs: 0 };
    expect(quorumsPerSecond(silence, { voters: 3, quorum: 1 }, together)).toBeCloseTo(0.03, 12);
    expect(quorumsPerSecond(silence, { voters: 3, quorum: 2 }, together)).toBeCloseTo(3 * 0.01 * 2 * 0.01 * 0.2, 12);
    expect(quorumsPerSecond(silence, { voters: 2, quorum: 2 }, { retractMs: 0, togetherMs: 250 })).toBe(0);
  });

  it("is judged by the limits of a Poisson mean", () => {
    expect(poissonLimits(0, 0.05).high).toBeCloseTo(3.689, 3);
    expect(poissonLimits(10, 0.05)).toMatchObject({ low: expect.closeTo(4.795, 3), high: expect.closeTo(18.39, 2) });
  });
});

describe("the bound on false alarms", () => {
  it("is below one needless failover in a hundred years with the shipped defaults", () => {
    expect(meetsGoal()).toBe(true);
    expect(rowOf(5_000, 2).together).toBeLessThan(0.01);
    // It is not so at any setting: a bound that cannot be missed says nothing.
    expect(rowOf(500, 3).together).toBeGreaterThan(0.01);
    expect(needlessPerYear(false)).toBeGreaterThan(0.01);
  });

  it("is what docs/false-alarms.md says", () => {
    expect(documented("table")).toBe(renderTable());
  });

  it("is held against the simulator at exactly the points that docs/false-alarms.md names", () => {
    const [, , ...rows] = documented("check").split("\n");
    const named = new Set(rows.map((row) => row.split("|")[1]?.trim()));
    expect([...named]).toEqual([...POINTS, ...statedPoints(24)].map(({ name }) => name));
  });
});

const FAST: QuietGroup = {
  ...QUIET,
  seed: "test",
  settings: { downAfterMs: 500 },
  path: independentLoss(0.2),
  hours: 0.05,
};
/** Some seconds each; the machine may be busy. */
const PATIENCE_MS = 120_000;
const violated = (comparisons: readonly Comparison[]): readonly string[] =>
  comparisons.filter(({ isViolated }) => isViolated).map(({ what }) => what);

describe("the shipped voters at a loss that nobody has", () => {
  it(
    "S3: raise as many false alarms as predicted, and not one more by a quorum of one",
    () => {
      const tally = watch(FAST);
      expect(tally.verdicts).toBeGreaterThan(60);
      expect(tally.failovers).toBeGreaterThan(0);
      expect(violated(compare(FAST, tally))).toEqual([]);

      broken.config = { quorum: 1 };
      const brief: QuietGroup = { ...FAST, hours: 0.015 };
      const hasty = watch(brief);
      broken.config = {};
      expect(violated(compare(brief, hasty))).toContain("failovers");
    },
    PATIENCE_MS,
  );

  it(
    "S3: are not counted after they died, as they would be if a vote stayed fresh",
    () => {
      const dying: QuietGroup = { ...DYING, hours: 0.3 };
      const tally = watch(dying);
      expect(tally.deaths).toBeGreaterThan(10);
      expect(violated(compare(dying, tally))).toEqual([]);

      const stale = watch({ ...dying, settings: { ...dying.settings, voteWindowMs: 90_000 } });
      expect(violated(compare(dying, stale))).toContain("failovers");
    },
    PATIENCE_MS,
  );

  it(
    "L3: take no lease for half an hour at the stated loss",
    () => {
      const tally = watch({ ...FAST, settings: {}, path: independentLoss(0.001), hours: 0.5 });
      expect(tally.lost).toBeGreaterThan(5);
      expect(tally).toMatchObject({ verdicts: 0, quorums: 0, failovers: 0, replaced: 0 });
    },
    PATIENCE_MS,
  );
});
