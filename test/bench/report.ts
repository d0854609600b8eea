// From samples to what is said of them: one line per figure and column, Sentinel beside Valkeeper.

import { type FigureLine, type Row, type Sample, STEP } from "./row.ts";
import { judge, type Reached, ratio, type Summary, summarize } from "./statistics.ts";

export interface Machine {
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  readonly valkey: string;
  /** Load average of the last minute, at the start and at the end. */
  readonly load: readonly [number, number];
}

export interface Report {
  readonly date: string;
  readonly machine: Machine;
  readonly rows: readonly RowReport[];
  /** Rows measured in a later run than the others. */
  readonly again: readonly string[];
}

export interface RowReport {
  readonly id: string;
  readonly title: string;
  /** Why it was not measured. */
  readonly skipped?: string;
  readonly lines: readonly LineReport[];
  readonly failures: readonly string[];
  /** Medians of Valkeeper's steps, relative to the fault; empty where the row has none. */
  readonly steps: readonly StepReport[];
  readonly notes: readonly string[];
}

export interface LineReport {
  readonly label: string;
  readonly unit: FigureLine["unit"];
  readonly sentinel: Summary | null;
  readonly valkeeper: Summary | null;
  readonly hasSentinel: boolean;
  readonly ratio: number | null;
  readonly goal: string | null;
  readonly reached: Reached | null;
  /** Of Valkeeper's median, waiting for the local endpoint. */
  readonly endpoint: { readonly writes: number; readonly writeMs: number } | null;
  readonly drawn: string | null;
}

export interface StepReport {
  readonly variant: string;
  /** Medians, in their order. */
  readonly at: readonly (readonly [step: string, medianMs: number])[];
}

const SENTINEL_ID = "sentinel";

export function reportRow(row: Row, samples: readonly Sample[], skipped?: string): RowReport {
  const own = samples.filter((sample) => sample.row === row.id);
  const label = (id: string): string => row.variants.find((variant) => variant.id === id)?.label ?? id;
  return {
    id: row.id,
    title: row.title,
    ...(skipped === undefined ? {} : { skipped }),
    lines: row.lines.flatMap((line) =>
      line.variants.map((variant) => {
        const named = line.variants.length > 1 ? { ...line, label: `${line.label}: ${label(variant)}` } : line;
        return reportLine(named, variant, own);
      }),
    ),
    failures: own.flatMap(({ failure, variant }) => (failure === undefined ? [] : [`${label(variant)}: ${failure}`])),
    steps: row.variants.flatMap(({ id, label: variant }) => {
      const at = stepsOf(own, id);
      return at.length === 0 ? [] : [{ variant, at }];
    }),
    notes: [...new Set(own.flatMap(({ notes = [], variant }) => notes.map((note) => `${label(variant)}: ${note}`)))],
  };
}

function stepsOf(samples: readonly Sample[], variant: string): StepReport["at"] {
  const names = samples
    .filter((sample) => sample.variant === variant)
    .flatMap(({ figures = {} }) => Object.keys(figures));
  return [...new Set(names)].flatMap((name): StepReport["at"] => {
    const median = name.startsWith(STEP) ? values(samples, variant, name)?.median : undefined;
    return median === undefined ? [] : [[name.slice(STEP.length), median]];
  });
}

function values(samples: readonly Sample[], variant: string, figure: string): Summary | null {
  const found = samples.flatMap((sample) => {
    const value = sample.variant === variant ? (sample.figures?.[figure] ?? null) : null;
    return value === null ? [] : [value];
  });
  return summarize(found);
}

function reportLine(line: FigureLine, variant: string, samples: readonly Sample[]): LineReport {
  const hasSentinel = line.hasSentinel ?? true;
  const sentinel = hasSentinel ? values(samples, SENTINEL_ID, line.figure) : null;
  const valkeeper = values(samples, variant, line.figure);
  const limit = limitOf(line, sentinel);
  const writeMs = values(samples, variant, "storeWriteMs")?.median;
  return {
    label: line.label,
    unit: line.unit,
    sentinel,
    valkeeper,
    hasSentinel,
    ratio: ratio(valkeeper, sentinel),
    goal: goalText(line),
    reached: limit === null ? null : judge(valkeeper, limit),
    endpoint: line.storeWrites === undefined || writeMs === undefined ? null : { writes: line.storeWrites, writeMs },
    drawn: line.drawn ?? null,
  };
}

function limitOf({ goal }: FigureLine, sentinel: Summary | null): number | null {
  if (goal === undefined) return null;
  if (goal.ofSentinel !== true) return goal.most;
  return sentinel === null ? null : goal.most * sentinel.median;
}

function goalText({ goal, unit }: FigureLine): string | null {
  if (goal === undefined) return null;
  if (goal.ofSentinel === true) return `<= ${goal.most}x Sentinel`;
  const figure = goal.most.toLocaleString("en-US");
  if (unit === "writes" || unit === "count") return goal.most === 0 ? "0" : `<= ${figure}`;
  return `<= ${figure} ${unit}`;
}
