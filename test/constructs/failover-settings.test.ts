import { readFileSync } from "node:fs";
import { App } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { readSettings, settingsFrom } from "../../lib/constructs/failover-settings.ts";
import { FailoverStack } from "../../lib/constructs/failover-stack.ts";

const example = JSON.parse(readFileSync("cdk.json", "utf8")).context.valkeeper as Record<string, unknown>;

const issuesOf = (input: unknown): readonly string[] => {
  try {
    readSettings(input);
  } catch (error) {
    return (error as { readonly issues: readonly string[] }).issues;
  }
  return [];
};

describe("the app's settings", () => {
  it("in cdk.json make a stack, whose outputs name what was made", () => {
    const app = new App({ context: { "aws:cdk:bundling-stacks": [] } });
    const stack = new FailoverStack(app, "Valkeeper", { settings: settingsFrom(undefined, example) });
    const template = Template.fromStack(stack);
    expect(Object.keys(template.toJSON()["Outputs"])).toEqual([
      "TableName",
      "DeadLetterQueueUrl",
      "LogGroupNames",
      "PublisherName",
      "VoterSecurityGroups",
      "Voter1Name",
      "Voter2Name",
      "Voter3Name",
    ]);
    template.resourceCountIs("Custom::ValkeyGroup", 1);
  });

  it("make alarms that tell a topic, a dashboard, figures of each group and voters in economy mode when they ask for them", () => {
    const topicArn = "arn:aws:sns:eu-west-1:123456789012:oncall";
    const settings = readSettings({
      ...example,
      alarms: { topicArn, groupNames: ["mymaster"] },
      dashboard: true,
      groupMetrics: true,
      economy: true,
    });
    const app = new App({ context: { "aws:cdk:bundling-stacks": [] } });
    const template = Template.fromStack(new FailoverStack(app, "Valkeeper", { settings }));
    template.allResourcesProperties("AWS::CloudWatch::Alarm", { AlarmActions: [topicArn] });
    template.resourceCountIs("AWS::CloudWatch::Dashboard", 1);
    template.hasResourceProperties("AWS::CloudWatch::Alarm", {
      AlarmName: Match.stringLikeRegexp("-failover-blocked-mymaster$"),
    });
    template.hasResourceProperties("AWS::Lambda::Function", {
      Environment: { Variables: Match.objectLike({ VALKEEPER_METRICS: "groups", VALKEEPER_ECONOMY: "true" }) },
    });
    expect(issuesOf({ ...example, alarms: { topic: topicArn } })).toEqual([
      'settings.alarms has no setting "topic": there are topicArn, groupNames',
    ]);
  });

  it("size the voters and the table", () => {
    const settings = readSettings({
      ...example,
      voterMemoryMegabytes: 512,
      reservedConcurrency: 3,
      tableName: "left-behind",
      tableWarmThroughput: { readUnitsPerSecond: 15_000, writeUnitsPerSecond: 8_000 },
    });
    const app = new App({ context: { "aws:cdk:bundling-stacks": [] } });
    const template = Template.fromStack(new FailoverStack(app, "Valkeeper", { settings }));
    template.resourcePropertiesCountIs(
      "AWS::Lambda::Function",
      { MemorySize: 512, ReservedConcurrentExecutions: 3, VpcConfig: Match.anyValue() },
      3,
    );
    template.hasResourceProperties("AWS::DynamoDB::GlobalTable", {
      TableName: "left-behind",
      WarmThroughput: { ReadUnitsPerSecond: 15_000, WriteUnitsPerSecond: 8_000 },
    });
  });

  it("name a table that is there: none is made, and none is kept or sized", () => {
    const arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/left";
    const table = { arn, streamArn: `${arn}/stream/2026-11-22T00:00:00.000` };
    const app = new App({ context: { "aws:cdk:bundling-stacks": [] } });
    const stack = new FailoverStack(app, "Valkeeper", { settings: readSettings({ ...example, table }) });
    const template = Template.fromStack(stack);
    template.resourceCountIs("AWS::DynamoDB::GlobalTable", 0);
    template.hasOutput("TableName", { Value: "left" });
    template.allResourcesProperties("AWS::Lambda::EventSourceMapping", { EventSourceArn: table.streamArn });
    expect(issuesOf({ ...example, table: { arn }, retainTable: true })).toEqual([
      "settings.table needs arn and streamArn",
      "settings.retainTable is for a new table, and settings.table is given, which is always kept",
    ]);
  });

  it("are refused with every issue at once, misspelt names included", () => {
    expect(
      issuesOf({ ...example, egres: "nat", vpc: { vpcId: "vpc-1", zones: "a", subnetIds: [] }, retainTable: "no" }),
    ).toEqual([
      expect.stringContaining('settings.vpc.zones should be a list of texts and is "a"'),
      expect.stringContaining('settings has no setting "egres"'),
      expect.stringContaining('settings.retainTable should be true or false and is "no"'),
    ]);
  });

  it("need a subnet for each zone, a known egress, and one place for the password", () => {
    expect(
      issuesOf({
        vpc: { vpcId: "vpc-1", zones: ["a", "b", "c"], subnetIds: ["s-1"] },
        egress: "internet",
        credentials: { secretName: "a", parameterName: "b" },
      }),
    ).toEqual([
      expect.stringContaining("3 zones and 1 subnetIds"),
      expect.stringContaining(
        'egress should be none, dualStack, nat, endpoints or existingEndpoints and is "internet"',
      ),
      expect.stringContaining("exactly one of secretName, secretArn and parameterName"),
    ]);
  });

  it("say whose the table's endpoint is, and how far the voters are let out", () => {
    const settings = readSettings({ ...example, dynamoDbEndpoint: "create", allowAllOutbound: false });
    const app = new App({ context: { "aws:cdk:bundling-stacks": [] } });
    const template = Template.fromStack(new FailoverStack(app, "Valkeeper", { settings }));
    template.resourcePropertiesCountIs("AWS::EC2::VPCEndpoint", { VpcEndpointType: "Gateway" }, 1);
    template.hasResourceProperties("AWS::EC2::SecurityGroup", {
      SecurityGroupEgress: [Match.objectLike({ FromPort: 443 }), Match.objectLike({ FromPort: 443 })],
    });
    expect(issuesOf({ ...example, dynamoDbEndpoint: true })).toEqual([
      "settings.dynamoDbEndpoint should be a text and is true",
    ]);
    expect(issuesOf({ ...example, dynamoDbEndpoint: "maybe" })).toEqual([
      'settings.dynamoDbEndpoint should be create or existing and is "maybe"',
    ]);
  });

  it("from a file that is not there, or is no JSON, are named", () => {
    expect(() => settingsFrom("no-such-file.json", example)).toThrow(/no-such-file\.json cannot be read/);
    expect(() => settingsFrom("LICENSE", example)).toThrow(/LICENSE is not JSON/);
  });
});
