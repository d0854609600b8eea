import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { NodePlatform } from "../../lib/constructs/node-platform.ts";
import { actionsOf, group, issuesOf, statementsOf, synthesize } from "./failover-stack.ts";

type Template = ReturnType<typeof synthesize>["template"];

const evacuators = (template: Template) =>
  Object.values(template.findResources("AWS::Lambda::Function")).filter(({ Properties }) =>
    String(Properties.Description).startsWith("Valkeeper evacuator"),
  );
const patterns = (template: Template) =>
  Object.values(template.findResources("AWS::Events::Rule")).map(({ Properties }) => Properties.EventPattern);
const runningOn = (...nodesRunOn: NodePlatform[]) => synthesize(() => ({ nodesRunOn }));
const SPOT = { source: ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"] };
const HEALTH = {
  source: ["aws.health"],
  "detail-type": ["AWS Health Event"],
  detail: { service: ["EC2"], eventTypeCategory: ["scheduledChange"] },
};
const deadLetters = { "Fn::GetAtt": [expect.stringContaining("DeadLetters"), "Arn"] };

describe("the evacuator", () => {
  it("is not there unless it is said what the nodes run on", () => {
    const { template, failover } = synthesize();
    expect([evacuators(template), patterns(template), failover.hostEvacuator]).toEqual([[], [], undefined]);
  });

  it("hears of Spot interruptions and scheduled changes of EC2, of likely interruptions when asked to", () => {
    expect(patterns(runningOn(NodePlatform.ec2()).template)).toEqual([SPOT, HEALTH]);
    const { template } = runningOn(NodePlatform.ec2({ rebalanceRecommendations: true }));
    const likely = { source: ["aws.ec2"], "detail-type": ["EC2 Instance Rebalance Recommendation"] };
    expect(patterns(template)).toEqual([SPOT, HEALTH, likely]);
  });

  it("hears of the named hook alone", () => {
    const pattern = (hook: string) => ({
      source: ["aws.autoscaling"],
      "detail-type": ["EC2 Instance-terminate Lifecycle Action"],
      detail: { LifecycleHookName: [hook] },
    });
    const { template } = runningOn(NodePlatform.autoScaling(), NodePlatform.autoScaling("drain/valkey"));
    expect(patterns(template)).toEqual([pattern("valkeeper"), pattern("drain/valkey")]);
  });

  it("hears of the named cluster's tasks and container instances", () => {
    const [task, instance] = patterns(runningOn(NodePlatform.ecs("prod")).template);
    expect(task).toMatchObject({
      source: ["aws.ecs"],
      "detail-type": ["ECS Task State Change"],
      detail: { desiredStatus: ["STOPPED"], lastStatus: ["RUNNING", "DEACTIVATING", "STOPPING"] },
    });
    expect(instance).toMatchObject({
      "detail-type": ["ECS Container Instance State Change"],
      detail: { status: ["DRAINING"] },
    });
    for (const { detail } of [task, instance]) expect(JSON.stringify(detail.clusterArn)).toContain(":cluster/prod");
  });

  it("has time for what it waits for, and leaves what it cannot do in the queue, delivered or not", () => {
    const { template } = runningOn(NodePlatform.ec2());
    expect(evacuators(template)).toMatchObject([{ Properties: { Timeout: 120, MemorySize: 256 } }]);
    template.hasResourceProperties("AWS::Lambda::EventInvokeConfig", {
      FunctionName: { Ref: Match.stringLikeRegexp("Evacuator") },
      MaximumRetryAttempts: 0,
      DestinationConfig: {
        OnFailure: { Destination: { "Fn::GetAtt": [Match.stringLikeRegexp("DeadLetters"), "Arn"] } },
      },
    });
    const targets = Object.values(template.findResources("AWS::Events::Rule")).flatMap(
      ({ Properties }) => Properties.Targets,
    );
    expect(targets).toHaveLength(2);
    for (const target of targets) {
      expect(target).toMatchObject({
        DeadLetterConfig: { Arn: deadLetters },
        RetryPolicy: { MaximumEventAgeInSeconds: 120 },
      });
    }
  });

  it("may ask what its platforms need, and nothing else", () => {
    const own = (...platforms: NodePlatform[]) =>
      actionsOf(statementsOf(runningOn(...platforms).template, "EvacuatorRole")).filter((action) =>
        /^(ec2|ecs|autoscaling|events):/.test(action),
      );
    expect(own(NodePlatform.ec2())).toEqual(["ec2:DescribeInstances"]);
    expect(own(NodePlatform.ecs("prod"))).toEqual(["ec2:DescribeInstances", "ecs:DescribeTasks", "ecs:ListTasks"]);
    expect(own(NodePlatform.autoScaling())).toEqual([
      "autoscaling:CompleteLifecycleAction",
      "autoscaling:DescribeLifecycleHooks",
      "ec2:DescribeInstances",
    ]);
  });

  it("wakes each voter in economy mode, of its own deployment", () => {
    const { template } = synthesize(() => ({ nodesRunOn: [NodePlatform.ec2()], economy: true }));
    const wakes = Object.values(template.findResources("AWS::Events::Rule")).filter(
      ({ Properties }) => Properties.EventPattern.source[0] === "valkeeper.evacuator",
    );
    expect(wakes).toHaveLength(3);
    const [tableId] = Object.keys(template.findResources("AWS::DynamoDB::GlobalTable"));
    const woken = wakes.map(({ Properties }) => {
      expect(Properties.EventPattern).toMatchObject({
        "detail-type": ["Wake-up"],
        detail: { table: [{ Ref: tableId }] },
      });
      return Properties.Targets[0].Arn["Fn::GetAtt"][0];
    });
    expect(new Set(woken).size).toBe(3);
    expect(evacuators(template)[0]?.["Properties"].Environment.Variables).toMatchObject({ VALKEEPER_ECONOMY: "true" });
    const put = statementsOf(template, "EvacuatorRole").find(({ Action }) => Action === "events:PutEvents");
    expect(put?.Condition).toEqual({ StringEquals: { "events:source": "valkeeper.evacuator" } });
  });

  it("is watched like every function", () => {
    const { failover } = synthesize(() => ({ nodesRunOn: [NodePlatform.ec2()], alarms: {}, groups: [group] }));
    expect(failover.alarms?.alarmsOf("invocation-errors")).toHaveLength(7);
  });

  it("refuses a platform that is named twice, and names that AWS does not take", () => {
    const nodesRunOn = [
      NodePlatform.ec2(),
      NodePlatform.ec2(),
      NodePlatform.ecs("arn:aws:ecs:x"),
      NodePlatform.autoScaling(""),
    ];
    expect(issuesOf(() => ({ nodesRunOn }))).toEqual([
      "nodesRunOn names ec2 twice",
      'nodesRunOn: "arn:aws:ecs:x" should be an ECS cluster\'s name, not its ARN, known at synthesis',
      'nodesRunOn: "" should be a lifecycle hook\'s name, known at synthesis',
    ]);
    const hooks = ["a/b", "a-b", "other"].map((name) => NodePlatform.autoScaling(name));
    expect(issuesOf(() => ({ nodesRunOn: hooks }))).toEqual([
      "nodesRunOn: the hooks a/b and a-b differ by / and - alone, which gives their rules one id",
    ]);
    expect(issuesOf(() => ({ functions: { evacuator: {} } }))).toEqual([
      "functions.evacuator is given, and nodesRunOn says nothing",
    ]);
  });
});
