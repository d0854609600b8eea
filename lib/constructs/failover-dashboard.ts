// A dashboard for 3 a.m.: the first row says what rings and how many groups are in which condition, the second what the
// voters see and did about it, the third whether the store and the functions carry it.

import { Duration } from "aws-cdk-lib";
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  Metric,
  SingleValueWidget,
  Stats,
} from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import type { WatchedFunction } from "./failover-alarms.ts";
import { FailoverMetrics } from "./failover-metrics.ts";

export interface FailoverDashboardProps {
  /** Of the deployment: the dimension of its metrics. */
  readonly tableName: string;
  /** Of the voters. */
  readonly zones: string[];
  readonly functions: WatchedFunction[];
  /**
   * Shown in the first row.
   * @default - none
   */
  readonly alarms?: Alarm[];
  /** @default - CloudFormation's choice */
  readonly dashboardName?: string;
}

const WIDTH = 24;
const HEIGHT = 6;

export class FailoverDashboard extends Construct {
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, props: FailoverDashboardProps) {
    super(scope, id);
    const metrics = new FailoverMetrics(props.tableName);
    this.dashboard = new Dashboard(this, "Dashboard", {
      ...(props.dashboardName === undefined ? {} : { dashboardName: props.dashboardName }),
      defaultInterval: Duration.hours(3),
    });
    this.dashboard.addWidgets(...statusRow(metrics, props.alarms ?? []));
    this.dashboard.addWidgets(...detectionRow(metrics, props.zones));
    this.dashboard.addWidgets(...storeRow(metrics, props));
  }
}

function statusRow(metrics: FailoverMetrics, alarms: Alarm[]): IWidget[] {
  const width = alarms.length === 0 ? WIDTH : WIDTH / 2;
  const groups = new SingleValueWidget({
    title: "Groups now (nothing is zero)",
    metrics: [
      metrics.metricGroupsBlocked({ label: "blocked" }),
      metrics.metricGroupsNotReady({ label: "not ready" }),
      metrics.metricGroupsBootFenced({ label: "boot-fenced" }),
      metrics.metricGroupsMisconfigured({ label: "misconfigured" }),
      metrics.metricGroupsChurning({ label: "churning" }),
      metrics.metricPublicationsBehind({ label: "published wrongly" }),
    ],
    width,
    height: HEIGHT,
  });
  if (alarms.length === 0) return [groups];
  return [new AlarmStatusWidget({ title: "What rings", alarms, width, height: HEIGHT }), groups];
}

function detectionRow(metrics: FailoverMetrics, zones: readonly string[]): IWidget[] {
  const heartbeats = zones.map((zone) => metrics.metricVoterHeartbeats(zone, { label: zone }));
  return [
    graph("Voters heard", heartbeats),
    graph("New primaries", [
      metrics.metricFailovers({ label: "failovers" }),
      metrics.metricFailoversAbandoned({ label: "abandoned" }),
      metrics.metricSwitchovers({ label: "switchovers" }),
    ]),
    graph("Something is wrong, and nothing is done", [
      metrics.metricGroupsBlocked({ label: "blocked" }),
      metrics.metricGroupsNotReady({ label: "not ready" }),
      metrics.metricVoterSuspensions({ label: "suspensions" }),
    ]),
  ];
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
  return [
    graph("The store", [
      metrics.metricStoreFailures({ label: "failed calls" }),
      metrics.metricThrottles({ label: "throttled" }),
      metrics.metricUnreadableRecords({ label: "unreadable records" }),
    ]),
    graph("The table's capacity", [
      table("ConsumedReadCapacityUnits", "read"),
      table("ConsumedWriteCapacityUnits", "written"),
    ]),
    graph(
      "Invocations that failed or were refused",
      functions.flatMap(({ name, function: watched }) => [
        watched.metricErrors({ period: Duration.minutes(1), label: `${name} failed` }),
        watched.metricThrottles({ period: Duration.minutes(1), label: `${name} refused` }),
      ]),
    ),
  ];
}

const graph = (title: string, left: IMetric[]): IWidget =>
  new GraphWidget({ title, left, leftYAxis: { min: 0 }, width: WIDTH / 3, height: HEIGHT });
