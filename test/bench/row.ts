// What a row of the bench is: one fault or order, tried on each variant, and the figures that come out.

import type { ProcessGroup } from "../../lib/local/process-group.ts";
import type { Variant } from "./scene.ts";
import type { Side } from "./side.ts";

/** Durations in ms, counts, or whatever the figure's unit says; null when it did not come to it. */
export type Figures = Readonly<Record<string, number | null>>;

/** What a side said of itself, kept for whoever asks why. */
export interface SideRecord {
  /** Its events, relative to the fault. */
  readonly timeline: readonly TimelineEntry[];
  /** What it said that was no event. */
  readonly words: readonly string[];
}

export interface Measured extends Partial<SideRecord> {
  readonly figures: Figures;
  /** What else a reader should know of this run. */
  readonly notes?: readonly string[];
}

export interface TimelineEntry {
  readonly ms: number;
  readonly event: string;
  readonly by: string;
  readonly node: string | null;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface Sample extends Partial<Measured> {
  readonly row: string;
  readonly variant: string;
  /** Why there are no figures. */
  readonly failure?: string;
}

export interface RowContext {
  readonly group: ProcessGroup;
  readonly isQuick: boolean;
}

export interface FigureLine {
  readonly figure: string;
  readonly label: string;
  readonly unit: "ms" | "writes" | "MB" | "%" | "/min" | "count";
  /** Columns other than Sentinel's; one line of the table each. */
  readonly variants: readonly string[];
  /** False where the figure has no counterpart at Sentinel. @default true */
  readonly hasSentinel?: boolean;
  /** In figures of the unit, or as a share of Sentinel's median. */
  readonly goal?: { readonly most: number; readonly ofSentinel?: boolean };
  /** In the picture, too. */
  readonly drawn?: string;
  /** How many writes to the table stand in its way, one after the other. */
  readonly storeWrites?: number;
}

export interface Row {
  readonly id: string;
  readonly title: string;
  readonly variants: readonly Variant[];
  readonly lines: readonly FigureLine[];
  readonly measure: (context: RowContext, variant: Variant) => Promise<Measured>;
  /** Why it cannot be measured here, or undefined. */
  readonly whyNot?: () => Promise<string | undefined>;
  /** Most runs of each variant, however many are asked for. */
  readonly mostRuns?: number;
}

/** Figures whose names begin so are steps on Valkeeper's way, told in their order. */
export const STEP = "step ";

const TIMELINE_MS = 60_000;
const BEFORE_MS = 50;
const KEPT_WORDS = 60;

export function recordOf(side: Side, faultAt: number): SideRecord {
  const timeline = side.events
    .filter(({ at }) => at >= faultAt - BEFORE_MS && at <= faultAt + TIMELINE_MS)
    .map(({ at, ...event }) => ({ ...event, ms: Math.round(at - faultAt) }));
  return { timeline, words: side.words.slice(-KEPT_WORDS) };
}

export const SENTINEL: Variant = { id: "sentinel", label: "Sentinel", side: "sentinel", boot: "plain" };
export const VALKEEPER: Variant = { id: "valkeeper", label: "Valkeeper", side: "valkeeper", boot: "plain" };
export const FENCED: Variant = {
  id: "valkeeper-fenced",
  label: "Valkeeper, boot-fenced nodes",
  side: "valkeeper",
  boot: "fenced",
};
export const WITHOUT_FAST_PATH: Variant = {
  id: "valkeeper-slow",
  label: "Valkeeper, fast path off",
  side: "valkeeper",
  boot: "plain",
  settings: { refusedAfterMs: 0 },
};
