// The figures of a run as CloudWatch would keep them: out of the log lines in the embedded metric format, by the minute and
// by the statistic that is asked for; and the state of an alarm by them.

import type { AlarmOf, MetricOf } from "./body.ts";

/** One figure of one metric. */
export interface Figure {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string }[];
}

export type EmfLine = Readonly<Record<string, unknown>> & {
  readonly _aws: { readonly Timestamp: number; readonly CloudWatchMetrics: readonly Directive[] };
};

export const figuresOf = (lines: readonly EmfLine[]): readonly Figure[] =>
  lines.flatMap((line) =>
    line._aws.CloudWatchMetrics.flatMap(({ Namespace: namespace, Dimensions, Metrics }) =>
      Dimensions.flatMap((names) => {
        const dimensions = Object.fromEntries(names.map((name) => [name, String(line[name])]));
        const at = line._aws.Timestamp;
        return Metrics.map(({ Name: name }) => ({ namespace, name, dimensions, value: Number(line[name]), at }));
      }),
    ),
  );

export interface Period {
  /** Where it begins. */
  readonly at: number;
  /** Null: nothing was reported in it. */
  readonly value: number | null;
}

/** Every whole period from the one that `from` is in to the last one that is over at `to`. */
export function periodsOf(figures: readonly Figure[], metric: MetricOf, { from, to }: Window): readonly Period[] {
  const { periodMs } = metric;
  const own = figures.filter((each) => isOf(each, metric));
  const first = Math.floor(from / periodMs);
  const count = Math.max(0, Math.floor(to / periodMs) - first);
  return Array.from({ length: count }, (_, index) => {
    const at = (first + index) * periodMs;
    const within = own.filter((each) => each.at >= at && each.at < at + periodMs).map(({ value }) => value);
    return { at, value: within.length === 0 ? null : statistic(metric.stat, within) };
  });
}

export interface Window {
  readonly from: number;
  readonly to: number;
}

function isOf(figure: Figure, { namespace, name, dimensions }: MetricOf): boolean {
  const names = Object.keys(dimensions);
  if (figure.namespace !== namespace || figure.name !== name) return false;
  return (
    names.length === Object.keys(figure.dimensions).length &&
    names.every((each) => figure.dimensions[each] === dimensions[each])
  );
}

function statistic(name: string, values: readonly number[]): number {
  if (name === "Sum") return values.reduce((sum, value) => sum + value, 0);
  if (name === "Maximum") return Math.max(...values);
  throw new Error(`a statistic that is not computed here: ${name}`);
}

/** By the last periods that are over at `at`; CloudWatch looks at some more where figures are missing, which comes to the same here. */
export function rings(alarm: AlarmOf, figures: readonly Figure[], at: number): boolean {
  const { metric, periods, toAlarm, missing } = alarm;
  const looked = periodsOf(figures, metric, { from: at - periods * metric.periodMs, to: at }).slice(-periods);
  const breaching = looked.filter(({ value }) => (value === null ? missing === "breaching" : breaches(alarm, value)));
  return breaching.length >= toAlarm;
}

function breaches({ comparison, threshold }: AlarmOf, value: number): boolean {
  if (comparison === "GreaterThanOrEqualToThreshold") return value >= threshold;
  if (comparison === "LessThanThreshold") return value < threshold;
  throw new Error(`a comparison that is not made here: ${comparison}`);
}
