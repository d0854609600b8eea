// Each step of every group's history, and each condition of a group that begins or ends, told to an EventBridge bus and to an
// SNS topic, by a function of its own on the table's stream: whoever is slow to be told delays nobody's publication.

import { Duration } from "aws-cdk-lib";
import { EventBus, type IEventBus } from "aws-cdk-lib/aws-events";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { FilterCriteria, FilterRule, type IFunction, StartingPosition } from "aws-cdk-lib/aws-lambda";
import { DynamoEventSource, SqsDlq } from "aws-cdk-lib/aws-lambda-event-sources";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { ConfigurationError } from "../core/errors.ts";
import { NOTIFICATION_SOURCE, VARIABLES } from "../runtime/environment.ts";
import { PARTITION_KEY, SORT_KEY } from "../runtime/table-schema.ts";
import { NOTIFIER_TIMEOUT_MS } from "../runtime/timing.ts";
import { BundledFunction } from "./bundled-function.ts";
import type { IFailoverTable } from "./failover-table-base.ts";
import type { FunctionParts } from "./function-parts.ts";
import { given } from "./given.ts";

export interface NotificationOptions {
  /**
   * A standard topic that is told of each step.
   * @default - no topic is told
   */
  readonly topic?: ITopic;
  /**
   * The bus that is told of each step.
   * @default - the account's default bus
   */
  readonly eventBus?: IEventBus;
  /**
   * Whether a bus is told at all.
   * @default true
   */
  readonly toEventBus?: boolean;
  /**
   * A standard topic that is told for which groups alarms ring, and for which they are over; nothing else.
   * @default - the alarms' topic, if they have one
   */
  readonly conditionTopic?: ITopic;
}

export interface FailoverNotificationsProps extends NotificationOptions {
  readonly table: IFailoverTable;
  /**
   * Gets what could not be told.
   * @default - it is given up with a line in the function's log
   */
  readonly deadLetterQueue?: IQueue;
  /** @default RetentionDays.THREE_MONTHS */
  readonly logRetention?: RetentionDays;
  /** @default - nothing is given */
  readonly parts?: FunctionParts;
}

/** A service that is out of order for longer than that leaves its events in the dead-letter queue. */
const GIVEN_UP_AFTER = Duration.hours(1);
/** So many times a batch is sent again, halved each time, until the record that fails is alone. */
const RETRIES = 10;

export class FailoverNotifications extends Construct {
  readonly function: IFunction;

  /** Throws `ConfigurationError` with every issue of the properties. */
  constructor(scope: Construct, id: string, props: FailoverNotificationsProps) {
    super(scope, id);
    const issues = [
      ...topicIssues(props),
      ...(isAnybodyTold(props) ? [] : ["neither a bus nor a topic is to be told"]),
    ];
    if (issues.length > 0) throw new ConfigurationError(this.node.path, issues);
    const { table, topic, conditionTopic } = props;
    const eventBus = props.toEventBus === false ? undefined : (props.eventBus ?? this.#defaultBus());
    const notifier = new BundledFunction(this, "Notifier", {
      name: "notifier",
      description: "Valkeeper notifier: tells of each step of the groups' history, and of what alarms ring for",
      timeoutMs: NOTIFIER_TIMEOUT_MS,
      memoryMegabytes: 256,
      environment: {
        [VARIABLES.table]: table.table.tableName,
        ...given({
          [VARIABLES.topic]: topic?.topicArn,
          [VARIABLES.eventBus]: eventBus?.eventBusArn,
          [VARIABLES.conditionTopic]: conditionTopic?.topicArn,
        }),
      },
      ...given({ logRetention: props.logRetention, parts: props.parts }),
    });
    this.function = notifier.function;
    topic?.grantPublish(notifier.role);
    if (conditionTopic !== topic) conditionTopic?.grantPublish(notifier.role);
    if (eventBus !== undefined) notifier.role.addToPrincipalPolicy(mayPutEvents(eventBus));
    notifier.function.addEventSource(
      new DynamoEventSource(table.table, {
        // What happens in the minutes in which Lambda begins to read is to be told too. Of a stream that is older than this function it
        // is handed an hour's, `maxRecordAge`: what is told twice has the same id.
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 25,
        reportBatchItemFailures: true,
        bisectBatchOnError: true,
        retryAttempts: RETRIES,
        maxRecordAge: GIVEN_UP_AFTER,
        filters: [newSteps(), notes()],
        ...(props.deadLetterQueue === undefined ? {} : { onFailure: new SqsDlq(props.deadLetterQueue) }),
      }),
    );
  }

  #defaultBus(): IEventBus {
    return EventBus.fromEventBusName(this, "DefaultBus", "default");
  }
}

/** Whether there is anybody whom the notifier is to tell. */
export const isAnybodyTold = ({ topic, toEventBus, conditionTopic }: NotificationOptions): boolean =>
  topic !== undefined || toEventBus !== false || conditionTopic !== undefined;

/** `name`: what the properties are part of. */
export function topicIssues({ topic, conditionTopic }: NotificationOptions, name = ""): string[] {
  const issues: string[] = [];
  if (topic?.fifo === true) {
    issues.push(`${name}topic is a FIFO topic: give a standard one, steps of a group carry their order in \`at\``);
  }
  if (conditionTopic?.fifo === true) {
    issues.push("the topic that is told which groups alarms ring for is a FIFO topic: give a standard one");
  }
  return issues;
}

/** In the name of this program only: nobody is to take a message of somebody else for one of ours. */
const mayPutEvents = (eventBus: IEventBus): PolicyStatement =>
  new PolicyStatement({
    actions: ["events:PutEvents"],
    resources: [eventBus.eventBusArn],
    conditions: { StringEquals: { "events:source": NOTIFICATION_SOURCE } },
  });

const newSteps = () =>
  FilterCriteria.filter({
    eventName: FilterRule.isEqual("INSERT"),
    dynamodb: {
      Keys: {
        [PARTITION_KEY]: { S: FilterRule.beginsWith("group#") },
        [SORT_KEY]: { S: FilterRule.beginsWith("event#") },
      },
    },
  });

/** The same item says what the copies were confirmed to say; that changes seldom. */
const notes = () =>
  FilterCriteria.filter({
    dynamodb: {
      Keys: {
        [PARTITION_KEY]: { S: FilterRule.beginsWith("published#") },
        [SORT_KEY]: { S: FilterRule.isEqual("copies") },
      },
    },
  });
