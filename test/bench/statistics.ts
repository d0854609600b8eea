// What is said of several runs of one thing: the middle one, and how far the others were from it.

export interface Summary {
  readonly n: number;
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Null without a value: a row whose every run failed says so instead of saying 0. */
export function summarize(values: readonly number[]): Summary | null {
  const sorted = [...values].sort((left, right) => left - right);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return null;
  const upper = sorted[Math.floor(sorted.length / 2)] ?? max;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? min;
  return { n: sorted.length, min, median: (lower + upper) / 2, max };
}

/** How many times the second the first is, by the medians; null where that says nothing. */
export function ratio(one: Summary | null, other: Summary | null): number | null {
  return one === null || other === null || other.median === 0 ? null : one.median / other.median;
}

export type Reached = "yes" | "median only" | "no" | "not measured";

/** A goal is reached when every run keeps it; the weaker answer is given its own word. */
export function judge(summary: Summary | null, limit: number): Reached {
  if (summary === null) return "not measured";
  if (summary.max <= limit) return "yes";
  return summary.median <= limit ? "median only" : "no";
}
