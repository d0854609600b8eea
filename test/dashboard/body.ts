// What the synthesized template says the dashboard is: its widgets with their places, and the alarms that one of them shows.
// Only what the construct uses is read; anything else is an error, so that nothing of the dashboard is silently left out of
// the picture.

import type { Template } from "aws-cdk-lib/assertions";
import { textOf } from "../support/iam-policy.ts";

/** In CloudWatch's grid of 24 columns. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface MetricOf {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly stat: string;
  readonly periodMs: number;
}

export interface ShownMetric extends MetricOf {
  readonly label: string;
  /** What a period without a figure counts as. Null: nothing is drawn there. */
  readonly fill: number | null;
}

export interface AlarmOf {
  readonly name: string;
  readonly metric: MetricOf;
  readonly threshold: number;
  readonly comparison: string;
  readonly periods: number;
  readonly toAlarm: number;
  readonly missing: string;
}

export type Widget = Place &
  (
    | { readonly kind: "text"; readonly markdown: string }
    | { readonly kind: "alarms"; readonly title: string; readonly alarms: readonly AlarmOf[] }
    | { readonly kind: "numbers"; readonly title: string; readonly metrics: readonly ShownMetric[] }
    | {
        readonly kind: "graph";
        readonly title: string;
        readonly unit: string;
        readonly metrics: readonly ShownMetric[];
      }
  );

/** Logical ids to what they are named in the run that is drawn. */
export type Names = Readonly<Record<string, string>>;

interface WidgetJson extends Place {
  readonly type: string;
  readonly properties: {
    readonly markdown?: string;
    readonly title?: string;
    readonly alarms?: readonly string[];
    readonly sortBy?: string;
    readonly view?: string;
    readonly metrics?: readonly (readonly unknown[])[];
    readonly yAxis?: { readonly left?: { readonly label?: string } };
  };
}

interface Rendering {
  readonly id?: string;
  readonly expression?: string;
  readonly label?: string;
  readonly period?: number;
  readonly stat?: string;
  readonly visible?: boolean;
}

export function widgetsOf(template: Template, names: Names = {}): readonly Widget[] {
  const dashboards = Object.values(template.findResources("AWS::CloudWatch::Dashboard"));
  const [dashboard] = dashboards;
  if (dashboard === undefined || dashboards.length > 1)
    throw new Error(`${dashboards.length} dashboards in the template`);
  const text = textOf(dashboard["Properties"].DashboardBody);
  const alarms = alarmsOf(template, names);
  return (JSON.parse(text) as { readonly widgets: readonly WidgetJson[] }).widgets.map((each) =>
    widgetOf(each, { names, alarms }),
  );
}

interface Context {
  readonly names: Names;
  /** By ARN. */
  readonly alarms: ReadonlyMap<string, AlarmOf>;
}

function widgetOf({ type, properties, x, y, width, height }: WidgetJson, { names, alarms }: Context): Widget {
  const place = { x, y, width, height };
  const { title = "", markdown = "", view, metrics = [] } = properties;
  const kind = type === "metric" ? `metric, ${view}` : type;
  switch (kind) {
    case "text":
      return { ...place, kind: "text", markdown };
    case "alarm":
      return { ...place, kind: "alarms", title, alarms: (properties.alarms ?? []).map((arn) => found(alarms, arn)) };
    case "metric, singleValue":
      return { ...place, kind: "numbers", title, metrics: shownMetrics(metrics, names) };
    case "metric, timeSeries": {
      const unit = properties.yAxis?.left?.label ?? "";
      return { ...place, kind: "graph", title, unit, metrics: shownMetrics(metrics, names) };
    }
    default:
      throw new Error(`a widget of a kind that is not drawn: ${kind}`);
  }
}

/** A row is names and values, then how it is shown; an expression has no names. */
function shownMetrics(rows: readonly (readonly unknown[])[], names: Names): readonly ShownMetric[] {
  const parsed = rows.map((row) => {
    const rendering = row.at(-1) as Rendering;
    return { rendering, names: row.slice(0, -1).map(String) };
  });
  const metricOf = (row: { readonly rendering: Rendering; readonly names: readonly string[] }): MetricOf => {
    const [namespace = "", name = "", ...pairs] = row.names;
    const dimensions = Object.fromEntries(
      pairs.flatMap((each, index) => (index % 2 === 0 ? [[each, named(pairs[index + 1] ?? "", names)]] : [])),
    );
    return {
      namespace,
      name,
      dimensions,
      stat: row.rendering.stat ?? "",
      periodMs: (row.rendering.period ?? 0) * 1_000,
    };
  };
  return parsed
    .filter(({ rendering }) => rendering.visible !== false)
    .map(({ rendering, names: words }) => {
      const { expression, label = "" } = rendering;
      if (expression === undefined) return { ...metricOf({ rendering, names: words }), label, fill: null };
      const id = /^FILL\((\w+), 0\)$/.exec(expression)?.[1];
      const source = parsed.find((each) => id !== undefined && each.rendering.id === id);
      if (source === undefined) throw new Error(`an expression that is not evaluated here: ${expression}`);
      return { ...metricOf(source), label, fill: 0 };
    });
}

interface AlarmProperties {
  readonly AlarmName: unknown;
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Statistic: string;
  readonly Period: number;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly TreatMissingData: string;
}

function alarmsOf(template: Template, names: Names): ReadonlyMap<string, AlarmOf> {
  return new Map(
    Object.entries(template.findResources("AWS::CloudWatch::Alarm")).map(([id, resource]) => {
      const of = resource["Properties"] as AlarmProperties;
      const dimensions = (of.Dimensions ?? []).map(({ Name, Value }) => [Name, named(textOf(Value), names)] as const);
      const metric = {
        namespace: of.Namespace,
        name: of.MetricName,
        dimensions: Object.fromEntries(dimensions),
        stat: of.Statistic,
        periodMs: of.Period * 1_000,
      };
      const alarm = {
        name: textOf(of.AlarmName),
        metric,
        threshold: of.Threshold,
        comparison: of.ComparisonOperator,
        periods: of.EvaluationPeriods,
        toAlarm: of.DatapointsToAlarm ?? of.EvaluationPeriods,
        missing: of.TreatMissingData,
      };
      return [`${id}.Arn`, alarm] as const;
    }),
  );
}

const named = (id: string, names: Names): string => names[id] ?? id;

function found<T>(all: ReadonlyMap<string, T>, key: string): T {
  const value = all.get(key);
  if (value === undefined) throw new Error(`${key} is not in the template`);
  return value;
}
