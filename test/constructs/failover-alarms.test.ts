import { Template } from "aws-cdk-lib/assertions";
import type { CfnAlarm } from "aws-cdk-lib/aws-cloudwatch";
import { OpsItemSeverity, SsmAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Topic } from "aws-cdk-lib/aws-sns";
import { describe, expect, it } from "vitest";
import { FailoverAlarms } from "../../lib/constructs/failover-alarms.ts";
import { widgetsOf } from "../dashboard/body.ts";
import { textOf } from "../support/iam-policy.ts";
import { issuesOf, newStack, synthesize, zones } from "./failover-stack.ts";

interface AlarmProperties {
  readonly AlarmName: string;
  readonly AlarmDescription: unknown;
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Statistic?: string;
  readonly Period?: number;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly DatapointsToAlarm: number;
  readonly EvaluationPeriods: number;
  readonly TreatMissingData: string;
  readonly AlarmActions?: readonly unknown[];
  readonly OKActions?: readonly unknown[];
}

const { template, failover } = synthesize((stack) => ({
  alarms: { topic: new Topic(stack, "Topic") },
}));

const alarms = Object.values(template.findResources("AWS::CloudWatch::Alarm")).map(
  (resource) => resource["Properties"] as AlarmProperties,
);

const PREFIX = "Test-Failover-";
const named = (condition: string): AlarmProperties => {
  const found = alarms.find((alarm) => alarm.AlarmName === `${PREFIX}${condition}`);
  if (found === undefined) throw new Error(`no alarm is called ${PREFIX}${condition}`);
  return found;
};

/** Metric, statistic, period in seconds, threshold, breaching of periods, missing data. */
const EXPECTED = {
  "voter-silent-eu-west-1a": ["VoterHeartbeats", "Sum", 60, 1, "3/3", "breaching"],
  "voter-silent-eu-west-1b": ["VoterHeartbeats", "Sum", 60, 1, "3/3", "breaching"],
  "voter-silent-eu-west-1c": ["VoterHeartbeats", "Sum", 60, 1, "3/3", "breaching"],
  "group-not-ready": ["GroupsNotReady", "Maximum", 60, 1, "3/5", "notBreaching"],
  "failover-happened": ["Failovers", "Sum", 60, 1, "1/1", "notBreaching"],
  "failover-blocked": ["GroupsBlocked", "Maximum", 60, 1, "1/1", "notBreaching"],
  "publication-behind": ["PublicationsBehind", "Maximum", 60, 1, "3/3", "breaching"],
  "credentials-misconfigured": ["GroupsMisconfigured", "Maximum", 60, 1, "2/3", "notBreaching"],
  "boot-fenced-waiting": ["GroupsBootFenced", "Maximum", 60, 1, "1/1", "notBreaching"],
  "needless-churn": ["GroupsChurning", "Maximum", 60, 1, "1/1", "notBreaching"],
  "group-failed": ["GroupFailures", "Sum", 60, 1, "1/1", "notBreaching"],
  "store-unreachable": ["StoreFailures", "Sum", 60, 10, "2/3", "notBreaching"],
  "store-throttled": ["Throttles", "Sum", 60, 1, "3/5", "notBreaching"],
  "voter-suspended": ["VoterSuspensions", "Sum", 300, 3, "1/1", "notBreaching"],
  "record-unreadable": ["UnreadableRecords", "Sum", 60, 1, "2/3", "notBreaching"],
  "invocation-errors-voter-eu-west-1a": ["Errors", "Sum", 60, 1, "2/5", "notBreaching"],
  "invocation-errors-voter-eu-west-1b": ["Errors", "Sum", 60, 1, "2/5", "notBreaching"],
  "invocation-errors-voter-eu-west-1c": ["Errors", "Sum", 60, 1, "2/5", "notBreaching"],
  "invocation-errors-publisher": ["Errors", "Sum", 60, 1, "2/5", "notBreaching"],
  "invocation-errors-notifier": ["Errors", "Sum", 60, 1, "2/5", "notBreaching"],
  "invocation-errors-registrar": ["Errors", "Sum", 60, 1, "2/5", "notBreaching"],
  "dead-letters": ["ApproximateNumberOfMessagesVisible", "Maximum", 60, 1, "1/1", "notBreaching"],
} as const;

describe("the alarms", () => {
  it("are one for each condition, and one for each zone's voter", () => {
    expect(alarms.map((alarm) => alarm.AlarmName).sort()).toEqual(
      Object.keys(EXPECTED)
        .map((name) => `${PREFIX}${name}`)
        .sort(),
    );
  });

  it.each(Object.entries(EXPECTED))("%s has its metric, threshold, periods and missing data", (name, expected) => {
    const alarm = named(name);
    expect([
      alarm.MetricName,
      alarm.Statistic,
      alarm.Period,
      alarm.Threshold,
      `${alarm.DatapointsToAlarm}/${alarm.EvaluationPeriods}`,
      alarm.TreatMissingData,
    ]).toEqual(expected);
    expect(alarm.ComparisonOperator).toBe(
      name.startsWith("voter-silent") ? "LessThanThreshold" : "GreaterThanOrEqualToThreshold",
    );
    expect(textOf(alarm.AlarmDescription)).toContain("in docs/operations.md.");
  });

  it("read the metrics of this deployment's table, and of one voter", () => {
    const table = { Name: "Table", Value: { Ref: expect.stringContaining("FailoverTable") } };
    expect(named("failover-happened")).toMatchObject({ Namespace: "Valkeeper", Dimensions: [table] });
    expect(named("voter-silent-eu-west-1b").Dimensions).toEqual([table, { Name: "Voter", Value: "eu-west-1b" }]);
  });

  it("read the errors of every function, each by an alarm that names it", () => {
    const watched = alarms
      .filter((alarm) => alarm.AlarmName.startsWith(`${PREFIX}invocation-errors`))
      .map((alarm) => JSON.stringify(alarm.Dimensions));
    const functions = Object.keys(template.findResources("AWS::Lambda::Function"));
    expect(watched).toHaveLength(functions.length);
    for (const name of functions) expect(watched.filter((each) => each.includes(`"${name}"`))).toHaveLength(1);
    expect(JSON.stringify(named("invocation-errors-publisher").Dimensions)).toContain("PublicationPublisher");
  });

  it("are no sums of several metrics, which cost as many alarms as they read", () => {
    expect(alarms).toHaveLength(Object.keys(EXPECTED).length);
    for (const alarm of alarms) expect(alarm).not.toHaveProperty("Metrics");
  });

  it("tell the topic that they ring, and what lasts also that it is over", () => {
    const topic = [{ Ref: expect.stringContaining("Topic") }];
    for (const alarm of alarms) {
      expect(alarm.AlarmActions).toEqual(topic);
      const isMoment = /failover-happened|group-failed/.test(alarm.AlarmName);
      expect(alarm.OKActions, alarm.AlarmName).toEqual(isMoment ? undefined : topic);
    }
  });

  it("of groups say where the group is found, by the figure's name in the log groups that carry it", () => {
    const described = alarms.filter((alarm) => textOf(alarm.AlarmDescription).includes("Which group"));
    const ofGroups = described.map((alarm) => alarm.AlarmName.slice(PREFIX.length)).toSorted();
    expect(ofGroups).toEqual([
      ...["boot-fenced-waiting", "credentials-misconfigured", "failover-blocked", "failover-happened", "group-failed"],
      ...["group-not-ready", "needless-churn", "publication-behind"],
    ]);
    const text = JSON.stringify(named("failover-blocked").AlarmDescription);
    expect(text).toContain("filter GroupsBlocked > 0");
    const carrying = [...text.matchAll(/"Ref":"(\w+)"/g)].map(([, id]) => id);
    expect(carrying).toHaveLength(4);
    expect(Object.keys(template.findResources("AWS::Logs::LogGroup"))).toEqual(expect.arrayContaining(carrying));
  });

  it("describe themselves within what CloudWatch takes, however long the stack's name is", () => {
    const stack = newStack("S".repeat(128));
    const logGroups = ["a", "b", "c", "d"].map((id) => new LogGroup(stack, id));
    const made = new FailoverAlarms(stack, "Alarms", { tableName: "t", zones, functions: [], logGroups });
    const [alarm] = made.alarmsOf("failover-blocked");
    const resource = alarm?.node.defaultChild as CfnAlarm | undefined;
    expect(resource?.alarmDescription).toContain("over the log groups of the voters and the publisher");
  });

  it("take actions of other kinds, beside those of a topic", () => {
    const actions = [new SsmAction(OpsItemSeverity.HIGH)];
    const made = synthesize((stack) => ({ alarms: { topic: new Topic(stack, "Topic"), actions } })).template;
    const ours = "arn:aws:ssm:eu-west-1:123456789012:opsitem:2";
    for (const { Properties } of Object.values(made.findResources("AWS::CloudWatch::Alarm"))) {
      expect(Properties.AlarmActions.map(textOf)).toEqual([expect.stringContaining("Topic"), ours]);
    }
  });

  it("are none unless asked for, and tell nobody without a topic", () => {
    synthesize().template.resourceCountIs("AWS::CloudWatch::Alarm", 0);
    const quiet = synthesize(() => ({ alarms: {} })).template;
    quiet.resourceCountIs("AWS::CloudWatch::Alarm", Object.keys(EXPECTED).length);
    for (const alarm of Object.values(quiet.findResources("AWS::CloudWatch::Alarm"))) {
      expect(alarm["Properties"].AlarmActions).toBeUndefined();
    }
  });

  it("are there for single groups too when these are named, but for what is not of a group", () => {
    const named = synthesize(() => ({ alarms: { groupNames: ["mymaster"] }, groupMetrics: true })).template;
    const own = Object.values(named.findResources("AWS::CloudWatch::Alarm"))
      .map((resource) => resource["Properties"] as AlarmProperties)
      .filter((alarm) => alarm.AlarmName.endsWith("-mymaster"));
    expect(own.map((alarm) => alarm.AlarmName.slice(PREFIX.length)).sort()).toEqual([
      "boot-fenced-waiting-mymaster",
      "credentials-misconfigured-mymaster",
      "failover-blocked-mymaster",
      "failover-happened-mymaster",
      "group-failed-mymaster",
      "group-not-ready-mymaster",
      "needless-churn-mymaster",
      "publication-behind-mymaster",
    ]);
    for (const alarm of own) {
      expect(alarm.Dimensions).toContainEqual({ Name: "Group", Value: "mymaster" });
      expect(alarm.TreatMissingData).toBe("notBreaching");
    }
  });

  it("of single groups need their figures", () => {
    expect(issuesOf(() => ({ alarms: { groupNames: ["mymaster"] } }))).toEqual([
      expect.stringContaining("set groupMetrics"),
    ]);
  });

  it("can be had alone, for a deployment of another stack", () => {
    const stack = newStack();
    const alone = new FailoverAlarms(stack, "Alarms", {
      tableName: "valkeeper",
      zones,
      functions: [],
      namePrefix: "prod",
    });
    Template.fromStack(stack).hasResourceProperties("AWS::CloudWatch::Alarm", {
      AlarmName: "prod-failover-blocked",
      Dimensions: [{ Name: "Table", Value: "valkeeper" }],
    });
    expect(alone.alarmsOf("voter-silent")).toHaveLength(3);
    expect(alone.alarmsOf("invocation-errors")).toEqual([]);
  });
});

describe("the metrics", () => {
  it("are reported by every deployed voter and publisher, of each group only when asked for", () => {
    for (const [groupMetrics, level] of [
      [false, "deployment"],
      [true, "groups"],
    ] as const) {
      const functions = synthesize(() => ({ groupMetrics })).template.findResources("AWS::Lambda::Function");
      const levels = Object.values(functions).map(
        (each) => each["Properties"].Environment.Variables["VALKEEPER_METRICS"],
      );
      expect(levels.filter((each) => each !== undefined)).toEqual([level, level, level, level]);
    }
  });

  it("can be had from the construct for an app's own alarms", () => {
    expect(failover.metricFailovers().metricName).toBe("Failovers");
    expect(failover.metrics.metricThrottles({ statistic: "Maximum" }).statistic).toBe("Maximum");
  });
});

describe("the dashboard", () => {
  const made = synthesize(() => ({ alarms: {}, dashboard: true }));
  const widgets = widgetsOf(made.template);

  it("shows what rings first, then what the voters see, then the store", () => {
    expect(widgets.map((widget) => (widget.kind === "text" ? "" : widget.title))).toEqual([
      "",
      "What rings",
      "Groups in trouble now (-- is none)",
      "Voters heard",
      "New primaries",
      "Groups in trouble",
      "Trouble of Valkeeper's own",
      "The table's capacity",
      "Failed invocations",
      "Refused invocations",
    ]);
  });

  it("calls a trouble by the name of its alarm, and shows the metric that the alarm is about", () => {
    const about = new Map(
      widgets
        .flatMap((each) => (each.kind === "alarms" ? each.alarms : []))
        .map(({ name, metric }) => [name, metric.name]),
    );
    const shown = widgets.flatMap((each) =>
      "metrics" in each && /rouble/.test(each.title)
        ? each.metrics.map(({ label, name }) => [label, name] as const)
        : [],
    );
    expect(shown.length).toBeGreaterThan(10);
    for (const [label, name] of shown) expect(about.get(`Test-Failover-${label}`), label).toBe(name);
  });

  it("takes what is not reported for zero, so that what is over does not stay", () => {
    const own = widgets
      .flatMap((each) => ("metrics" in each ? each.metrics : []))
      .filter(({ namespace }) => namespace === "Valkeeper");
    expect(own.length).toBeGreaterThan(20);
    expect(own.filter(({ fill }) => fill !== 0)).toEqual([]);
  });

  it("shows numbers alone when there are no alarms", () => {
    const bare = widgetsOf(synthesize(() => ({ dashboard: true })).template);
    expect(bare.map(({ kind }) => kind).slice(0, 3)).toEqual(["text", "numbers", "graph"]);
  });

  it("is not made unless asked for", () => {
    template.resourceCountIs("AWS::CloudWatch::Dashboard", 0);
  });
});
