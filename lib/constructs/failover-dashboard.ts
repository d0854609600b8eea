// A dashboard for 3 a.m.: first what rings and how many groups are in which trouble now, then what the voters see and did
// about it, then whether the store and the functions carry it. What an alarm is about has the
// alarm's name here too, under which the runbook explains it.

import { Duration } from "aws-cdk-lib";
import {
  type Alarm,
  AlarmStatusWidget,
  AlarmStatusWidgetSortBy,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  Metric,
  SingleValueWidget,
  Stats,
  TextWidget,
} from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import type { WatchedFunction } from "./failover-alarms.ts";
import { FailoverMetrics } from "./failover-metrics.ts";
import { given } from "./given.ts";
import { voterFunctionsOf } from "./voter-shards.ts";

export interface FailoverDashboardProps {
  /** Of the deployment: the dimension of its metrics. */
  readonly tableName: string;
  /** Of the voters. */
  readonly zones: string[];
  /**
   * How many shards of voters there are.
   * @default 1
   */
  readonly shards?: number;
  readonly functions: WatchedFunction[];
  /**
   * Shown first.
   * @default - none
   */
  readonly alarms?: Alarm[];
  /** @default - CloudFormation's choice */
  readonly dashboardName?: string;
}

const WIDTH = 24;
const HEIGHT = 6;
const HINT = [
  "**What rings** has a heading of the same name in docs/operations.md.",
  "**Which group it is, and why:** `valkeeper status`, then `valkeeper why GROUP`.",
].join("\n\n");

export class FailoverDashboard extends Construct {
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, props: FailoverDashboardProps) {
    super(scope, id);
    const metrics = new FailoverMetrics(props.tableName);
    this.dashboard = new Dashboard(this, "Dashboard", {
      ...given({ dashboardName: props.dashboardName }),
      defaultInterval: Duration.hours(3),
    });
    this.dashboard.addWidgets(new TextWidget({ markdown: HINT, width: WIDTH, height: 2 }));
    for (const row of statusRows(metrics, props.alarms ?? [])) this.dashboard.addWidgets(...row);
    this.dashboard.addWidgets(...detectionRow(metrics, props));
    this.dashboard.addWidgets(...storeRow(metrics, props));
  }
}

const troubles = (metrics: FailoverMetrics): IMetric[] =>
  orZero([
    ["failover-blocked", metrics.metricGroupsBlocked()],
    ["group-not-ready", metrics.metricGroupsNotReady()],
    ["boot-fenced-waiting", metrics.metricGroupsBootFenced()],
    ["credentials-misconfigured", metrics.metricGroupsMisconfigured()],
    ["needless-churn", metrics.metricGroupsChurning()],
    ["publication-behind", metrics.metricPublicationsBehind()],
  ]);

function statusRows(metrics: FailoverMetrics, alarms: Alarm[]): IWidget[][] {
  const groups = new SingleValueWidget({
    title: "Groups in trouble now (-- is none)",
    metrics: troubles(metrics),
    width: WIDTH,
    height: 3,
  });
  if (alarms.length === 0) return [[groups]];
  // Those that ring come first, the latest of them before the others.
  const sortBy = AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP;
  return [[new AlarmStatusWidget({ title: "What rings", alarms, sortBy, width: WIDTH, height: 5 })], [groups]];
}

function detectionRow(metrics: FailoverMetrics, { zones, shards = 1 }: FailoverDashboardProps): IWidget[] {
  const heard = voterFunctionsOf(zones, shards).map(
    ({ zone, shard, name }) => [name, metrics.metricVoterHeartbeats(zone, { shard })] as const,
  );
  return graphs(
    ["Voters heard", "times a minute", orZero(heard)],
    [
      "New primaries",
      "in a minute",
      orZero([
        ["failovers", metrics.metricFailovers()],
        ["abandoned", metrics.metricFailoversAbandoned()],
        ["switchovers", metrics.metricSwitchovers()],
      ]),
    ],
    ["Groups in trouble", "groups", troubles(metrics)],
  );
}

function storeRow(metrics: FailoverMetrics, { tableName, functions }: FailoverDashboardProps): IWidget[] {
  const table = (metricName: string, label: string): IMetric =>
    new Metric({
      namespace: "AWS/DynamoDB",
      metricName,
      dimensionsMap: { TableName: tableName },
      statistic: Stats.SUM,
      period: Duration.minutes(1),
      label,
    });
  const period = Duration.minutes(1);
  return graphs(
    [
      "Trouble of Valkeeper's own",
      "in a minute",
      orZero([
        ["store-unreachable", metrics.metricStoreFailures()],
        ["store-throttled", metrics.metricThrottles()],
        ["record-unreadable", metrics.metricUnreadableRecords()],
        ["voter-suspended", metrics.metricVoterSuspensions()],
        ["group-failed", metrics.metricGroupFailures()],
      ]),
    ],
    [
      "The table's capacity",
      "units a minute",
      [table("ConsumedReadCapacityUnits", "read"), table("ConsumedWriteCapacityUnits", "written")],
    ],
    [
      "Failed invocations",
      "in a minute",
      functions.map(({ name, function: watched }) => watched.metricErrors({ period, label: name })),
    ],
    [
      "Refused invocations",
      "in a minute",
      functions.map(({ name, function: watched }) => watched.metricThrottles({ period, label: name })),
    ],
  );
}

/**
 * What is not reported is none: a line that falls to zero when it is over, and a number that does not stay at the last one that was
 * reported. CloudWatch shows a minute when it is over, so that no figure of it is missing any more.
 */
const orZero = (metrics: readonly (readonly [label: string, metric: Metric])[]): IMetric[] =>
  metrics.map(([label, metric], index) => {
    // By position: a zone may be known at deployment only.
    const id = `m${index + 1}`;
    const expression = { expression: `FILL(${id}, 0)`, usingMetrics: { [id]: metric } };
    return new MathExpression({ ...expression, label, period: Duration.minutes(1) });
  });

/** Side by side. */
const graphs = (...each: readonly (readonly [title: string, unit: string, left: IMetric[]])[]): IWidget[] =>
  each.map(([title, label, left]) => {
    const leftYAxis = { min: 0, label, showUnits: false };
    return new GraphWidget({ title, left, leftYAxis, width: WIDTH / each.length, height: HEIGHT });
  });
