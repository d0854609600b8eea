import { EventBus, type IEventBus } from "aws-cdk-lib/aws-events";
import { Key } from "aws-cdk-lib/aws-kms";
import { Topic } from "aws-cdk-lib/aws-sns";
import { describe, expect, it } from "vitest";
import { FailoverNotifications, type NotificationOptions } from "../../lib/constructs/failover-notifications.ts";
import { FailoverTable } from "../../lib/constructs/failover-table.ts";
import type { ConfigurationError } from "../../lib/core/errors.ts";
import { actionsOf, issuesOf, newStack, statementsOf, synthesize } from "./failover-stack.ts";

const isNotifier = (resource: Readonly<Record<string, { readonly Description?: unknown }>>): boolean =>
  String(resource["Properties"]?.Description).startsWith("Valkeeper notifier");

/** The one queue's. */
const deadLetters = { "Fn::GetAtt": [Object.keys(synthesize().template.findResources("AWS::SQS::Queue"))[0], "Arn"] };

describe("the notifier", () => {
  const { template } = synthesize();
  const statements = statementsOf(template, "NotificationsNotifier");

  it("may put events on the account's default bus in its own name, and read the stream", () => {
    const own = actionsOf(statements).filter((action) => !action.startsWith("logs:"));
    expect(own).toEqual([
      "dynamodb:DescribeStream",
      "dynamodb:GetRecords",
      "dynamodb:GetShardIterator",
      "dynamodb:ListStreams",
      "events:PutEvents",
      "sqs:GetQueueAttributes",
      "sqs:GetQueueUrl",
      "sqs:SendMessage",
    ]);
    const put = statements.find(({ Action }) => Action === "events:PutEvents");
    expect(JSON.stringify(put?.Resource)).toContain(":events:eu-west-1:123456789012:event-bus/default");
    expect(put?.Condition).toEqual({ StringEquals: { "events:source": "valkeeper" } });
  });

  it("is woken by new steps and by what is noted of a group alone, tries for an hour, and leaves what it cannot tell in the queue", () => {
    template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
      StartingPosition: "TRIM_HORIZON",
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 10,
      MaximumRecordAgeInSeconds: 3_600,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      FilterCriteria: {
        Filters: [
          {
            Pattern:
              '{"eventName":["INSERT"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"group#"}]},"sk":{"S":[{"prefix":"event#"}]}}}}',
          },
          { Pattern: '{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"published#"}]},"sk":{"S":["copies"]}}}}' },
        ],
      },
      DestinationConfig: { OnFailure: { Destination: deadLetters } },
    });
  });

  it("tells another bus, and a topic with its key, when given", () => {
    const { template: other } = synthesize((stack) => ({
      notifications: {
        topic: new Topic(stack, "Topic", { masterKey: new Key(stack, "Key") }),
        // The CDK's own types are not written for `exactOptionalPropertyTypes`.
        eventBus: new EventBus(stack, "Bus") as IEventBus,
      },
    }));
    const granted = statementsOf(other, "NotificationsNotifier");
    expect(actionsOf(granted)).toEqual(
      expect.arrayContaining(["events:PutEvents", "kms:Decrypt", "kms:GenerateDataKey*", "sns:Publish"]),
    );
    expect(JSON.stringify(granted)).not.toContain("event-bus/default");
    const [notifier] = Object.values(other.findResources("AWS::Lambda::Function")).filter(isNotifier);
    expect(notifier?.["Properties"].Environment.Variables).toMatchObject({
      VALKEEPER_TOPIC_ARN: { Ref: expect.stringContaining("Topic") },
      VALKEEPER_EVENT_BUS: { "Fn::GetAtt": [expect.stringContaining("Bus"), "Arn"] },
    });
  });

  it("is not there when nobody is to be told", () => {
    const { template: silent, failover } = synthesize(() => ({ notifications: { toEventBus: false } }));
    expect(failover.notifications).toBeUndefined();
    expect(Object.values(silent.findResources("AWS::Lambda::Function")).filter(isNotifier)).toEqual([]);
  });

  it("tells the topic alone when no bus is to be told", () => {
    const { template: other } = synthesize((stack) => ({
      notifications: { topic: new Topic(stack, "Topic"), toEventBus: false },
    }));
    expect(actionsOf(statementsOf(other, "NotificationsNotifier"))).not.toContain("events:PutEvents");
  });

  it("tells the alarms' topic, or another, which groups alarms ring for", () => {
    const withTopics = (isOther: boolean) =>
      synthesize((stack) => ({
        alarms: { topic: new Topic(stack, "Pager") },
        notifications: { toEventBus: false, ...(isOther ? { conditionTopic: new Topic(stack, "Other") } : {}) },
      })).template;
    for (const [isOther, name] of [
      [false, "Pager"],
      [true, "Other"],
    ] as const) {
      const made = withTopics(isOther);
      const [notifier] = Object.values(made.findResources("AWS::Lambda::Function")).filter(isNotifier);
      const ref = { Ref: expect.stringMatching(`^${name}`) };
      expect(notifier?.["Properties"].Environment.Variables["VALKEEPER_CONDITION_TOPIC_ARN"]).toEqual(ref);
      const publish = statementsOf(made, "NotificationsNotifier").filter(({ Action }) => Action === "sns:Publish");
      expect(publish).toEqual([expect.objectContaining({ Resource: ref })]);
    }
  });

  it("refuses a FIFO topic of alarms", () => {
    const issues = issuesOf((stack) => ({ alarms: { topic: new Topic(stack, "Topic", { fifo: true }) } }));
    expect(issues).toEqual([expect.stringContaining("which groups alarms ring for is a FIFO topic")]);
  });

  it("refuses, alone too, FIFO topics and to tell nobody, each issue at once", () => {
    const stack = newStack();
    const table = new FailoverTable(stack, "Table");
    const alone = (id: string, options: NotificationOptions): readonly string[] => {
      try {
        new FailoverNotifications(stack, id, { table, ...options });
      } catch (error) {
        return (error as ConfigurationError).issues;
      }
      return [];
    };
    const fifo = (id: string) => new Topic(stack, id, { fifo: true });
    expect(alone("A", { toEventBus: false })).toEqual(["neither a bus nor a topic is to be told"]);
    expect(alone("B", { topic: fifo("Steps"), conditionTopic: fifo("Conditions") })).toEqual([
      expect.stringContaining("topic is a FIFO topic"),
      expect.stringContaining("which groups alarms ring for is a FIFO topic"),
    ]);
    expect(alone("C", { toEventBus: false, conditionTopic: new Topic(stack, "Standard") })).toEqual([]);
  });

  it("refuses a FIFO topic", () => {
    const issues = issuesOf((stack) => ({ notifications: { topic: new Topic(stack, "Topic", { fifo: true }) } }));
    expect(issues).toEqual([expect.stringContaining("notifications.topic is a FIFO topic")]);
  });
});

describe("what could not be delivered", () => {
  const { template } = synthesize();

  it("is kept for two weeks, encrypted, and never sent in the clear", () => {
    template.resourceCountIs("AWS::SQS::Queue", 1);
    template.hasResourceProperties("AWS::SQS::Queue", {
      MessageRetentionPeriod: 1_209_600,
      SqsManagedSseEnabled: true,
    });
    template.hasResourceProperties("AWS::SQS::QueuePolicy", {
      PolicyDocument: {
        Statement: [{ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } }, Action: "sqs:*" }],
      },
    });
  });

  it("comes from every schedule and from both streams", () => {
    for (const schedule of Object.values(template.findResources("AWS::Scheduler::Schedule"))) {
      expect(schedule["Properties"].Target.DeadLetterConfig).toEqual({ Arn: deadLetters });
    }
    const mappings = Object.values(template.findResources("AWS::Lambda::EventSourceMapping"));
    expect(mappings).toHaveLength(2);
    for (const mapping of mappings) {
      expect(mapping["Properties"].DestinationConfig).toEqual({ OnFailure: { Destination: deadLetters } });
    }
  });

  it("may be sent there by the schedules' roles", () => {
    const senders = statementsOf(template, "ScheduleRole").filter((each) => each.Action.includes("sqs:SendMessage"));
    expect(senders).toHaveLength(4);
    for (const sender of senders) expect(sender.Resource).toEqual(deadLetters);
  });
});
