// Durations, sizes and times as people write and read them.

import type { WallTime } from "../core/types.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `0.3s`, `14s`, `5m`, `3h12m`, `2d4h`: as exact as anybody cares at that length. Never negative: clocks of two machines differ. */
export function duration(ms: number): string {
  const length = Math.max(0, ms);
  if (length < 10 * SECOND_MS) return `${(length / SECOND_MS).toFixed(1)}s`;
  if (length < 2 * MINUTE_MS) return `${Math.round(length / SECOND_MS)}s`;
  if (length < 2 * HOUR_MS) return `${Math.round(length / MINUTE_MS)}m`;
  if (length < 2 * DAY_MS) return pair(length, HOUR_MS, "h", MINUTE_MS, "m");
  return pair(length, DAY_MS, "d", HOUR_MS, "h");
}

function pair(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const smalls = Math.round(ms / smallMs);
  const perLarge = largeMs / smallMs;
  const rest = smalls % perLarge;
  return `${Math.floor(smalls / perLarge)}${large}${rest === 0 ? "" : `${rest}${small}`}`;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** Milliseconds of `30m`, `1h30m`, `90s`, `500ms`; null when it is none. A bare number has no unit, so it is none either. */
export function parseDuration(text: string): number | null {
  if (!/^(\d+(ms|[smhd]))+$/.test(text)) return null;
  const parts = text.match(/\d+(ms|[smhd])/g) ?? [];
  return parts.reduce((sum, part) => sum + Number.parseInt(part, 10) * (UNITS[part.replace(/\d+/, "")] ?? 0), 0);
}

/** `812 B`, `4.1 KB`, `12 MB`. */
export function bytes(count: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** The last instant that a calendar date can name; what lies beyond is meant as "without an end". */
const LAST_DATE_MS = 8_640_000_000_000_000;

/** `2026-03-01 14:05:06Z`. */
export const time = (at: WallTime): string => `${exactTime(at).slice(0, 19)}Z`;

/** `2026-03-01 14:05:06.789Z`. */
export const exactTime = (at: WallTime): string => new Date(Math.min(at, LAST_DATE_MS)).toISOString().replace("T", " ");
