import { describe, expect, it } from "vitest";
import { bytes, duration, exactTime, parseDuration, time } from "../../lib/cli/units.ts";
import { wallTime } from "../../lib/core/types.ts";

describe("duration", () => {
  it.each([
    [-5, "0.0s"],
    [300, "0.3s"],
    [9_949, "9.9s"],
    [14_400, "14s"],
    [119_000, "119s"],
    [120_000, "2m"],
    [7_199_000, "120m"],
    [11_520_000, "3h12m"],
    [7_200_000, "2h"],
    [187_200_000, "2d4h"],
  ])("of %i ms reads %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe("parseDuration", () => {
  it.each([
    ["30m", 1_800_000],
    ["1h30m", 5_400_000],
    ["500ms", 500],
    ["90s", 90_000],
    ["2d", 172_800_000],
    ["30", null],
    ["", null],
    ["m30", null],
    ["1.5h", null],
    ["-5m", null],
    ["5 m", null],
  ])("of %o is %o", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });
});

describe("bytes and times", () => {
  it("read as people write them", () => {
    expect([0, 812, 999, 4_200, 12_582_912].map(bytes)).toEqual(["0 B", "812 B", "999 B", "4.1 KB", "12 MB"]);
    expect(time(wallTime(Date.UTC(2026, 2, 1, 14, 5, 6, 789)))).toBe("2026-03-01 14:05:06Z");
    expect(exactTime(wallTime(Date.UTC(2026, 2, 1, 14, 5, 6, 789.4)))).toBe("2026-03-01 14:05:06.789Z");
  });

  it("survive an end that no calendar has", () => {
    expect(time(wallTime(Number.MAX_SAFE_INTEGER))).toMatch(/^\+275760-09-13/);
  });
});
