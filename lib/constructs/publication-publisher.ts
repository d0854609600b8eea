// The publisher: outside the VPC, so that it reaches every AWS API at no fixed cost. The table's stream wakes it when
// something is published; once a minute it compares all copies with the record and repairs them.

import { Duration, Stack } from "aws-cdk-lib";
import { FilterCriteria, FilterRule, type IFunction, StartingPosition } from "aws-cdk-lib/aws-lambda";
import { DynamoEventSource, SqsDlq } from "aws-cdk-lib/aws-lambda-event-sources";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { ConfigurationError } from "../core/errors.ts";
import { metricsLevel, VARIABLES } from "../runtime/environment.ts";
import { PARTITION_KEY, SORT_KEY } from "../runtime/table-schema.ts";
import { publisherTimeoutMs, SCHEDULE_PERIOD_MS } from "../runtime/timing.ts";
import { BundledFunction } from "./bundled-function.ts";
import { publicationIssues } from "./declared-groups.ts";
import type { IFailoverTable } from "./failover-table-base.ts";
import { type ScheduledFunctionParts, scheduleRoleIssues } from "./function-parts.ts";
import { given } from "./given.ts";
import type { PublicationProps } from "./group-props.ts";
import { MinuteSchedule } from "./minute-schedule.ts";
import { grantCopies } from "./publication-grants.ts";
import { GROUPS_PER_VOTER, outOfRange, VOTER_BOUNDS } from "./voter-shards.ts";

export interface PublicationPublisherProps {
  readonly table: IFailoverTable;
  readonly publication: PublicationProps;
  /** @default 256 for each 250 groups that are begun, of which there is room for `shards` times `groupsPerVoter` */
  readonly memoryMegabytes?: number;
  /**
   * How many shards of voters there are: groups of others are told of as not ready.
   * @default 1
   */
  readonly shards?: number;
  /**
   * Groups that each shard has room for: the time and the memory of a comparison follow them.
   * @default 50
   */
  readonly groupsPerVoter?: number;
  /** @default RetentionDays.THREE_MONTHS */
  readonly logRetention?: RetentionDays;
  /** @default - nothing is given */
  readonly parts?: ScheduledFunctionParts;
  /**
   * Report the figures of each group as metrics of its own too.
   * @default false
   */
  readonly groupMetrics?: boolean;
  /**
   * Gets what the stream gave up, and the schedule's calls that could not be delivered.
   * @default - they are dropped
   */
  readonly deadLetterQueue?: IQueue;
}

export class PublicationPublisher extends Construct {
  readonly function: IFunction;

  /** Throws `ConfigurationError` with every issue. */
  constructor(scope: Construct, id: string, props: PublicationPublisherProps) {
    super(scope, id);
    const groups = roomOf(props);
    const issues = publisherIssues(props);
    if (issues.length > 0) throw new ConfigurationError(this.node.path, issues);
    const { table, publication, deadLetterQueue } = props;
    const publisher = new BundledFunction(this, "Publisher", {
      name: "publisher",
      description: "Valkeeper publisher: parameters and DNS records follow the published item",
      timeoutMs: publisherTimeoutMs(groups),
      memoryMegabytes: props.memoryMegabytes ?? publisherMegabytes(groups),
      environment: {
        [VARIABLES.table]: table.table.tableName,
        [VARIABLES.metrics]: metricsLevel(props.groupMetrics),
        ...(props.shards === undefined ? {} : { [VARIABLES.shards]: String(props.shards) }),
      },
      ...given({ logRetention: props.logRetention, parts: props.parts }),
    });
    this.function = publisher.function;
    table.grantPublish(publisher.role);
    grantCopies({ grantee: publisher, publication, targets: ["ssm", "dns"], stack: Stack.of(this) });
    publisher.function.addEventSource(
      new DynamoEventSource(table.table, {
        startingPosition: StartingPosition.LATEST,
        batchSize: 25,
        reportBatchItemFailures: true,
        bisectBatchOnError: true,
        // The schedule repairs what the stream lost: a record that fails must not hold up those behind it.
        retryAttempts: 3,
        maxRecordAge: Duration.minutes(1),
        filters: causes(),
        ...(deadLetterQueue === undefined ? {} : { onFailure: new SqsDlq(deadLetterQueue) }),
      }),
    );
    new MinuteSchedule(publisher, "Schedule", {
      target: publisher.function,
      name: "publisher",
      ...given({ role: props.parts?.scheduleRole }),
      description: "Starts the Valkeeper publisher's comparison of all copies",
      ...given({ deadLetterQueue }),
    });
  }
}

/** Parameter Store's, of a whole account, unless more is asked for: each minute a group's parameters are read with one call. */
const READS_PER_SECOND = 40;
const MOST_GROUPS = (READS_PER_SECOND * SCHEDULE_PERIOD_MS) / 1_000;
const MEGABYTES = 256;
const GROUPS_OF_MEGABYTES = 250;

const roomOf = ({ shards = 1, groupsPerVoter = GROUPS_PER_VOTER }: PublicationPublisherProps): number =>
  shards * groupsPerVoter;

function publisherIssues(props: PublicationPublisherProps): string[] {
  const groups = roomOf(props);
  // How many voters bear is for them to say.
  const bounds = (["shards", "groupsPerVoter"] as const).flatMap((name) =>
    outOfRange(name, props[name], [1, MOST_GROUPS]),
  );
  return [
    ...bounds,
    ...outOfRange("memoryMegabytes", props.memoryMegabytes, VOTER_BOUNDS.memoryMegabytes),
    // Of sizes that are wrong themselves the product says nothing.
    ...(bounds.length === 0 && groups > MOST_GROUPS ? [tooMany(groups)] : []),
    ...publicationIssues(props.publication),
    ...scheduleRoleIssues("parts", [props.parts ?? {}]),
    ...(props.table.table.tableStreamArn === undefined
      ? ["the given table has no stream that is known here: import it with its `tableStreamArn`"]
      : []),
  ];
}

const tooMany = (groups: number): string =>
  `shards times groupsPerVoter is ${groups} and should be ${MOST_GROUPS} or less: Parameter Store serves ` +
  `${READS_PER_SECOND} reads a second, and the parameters of each group are compared once a minute`;

/** Processor time comes with memory, and is what a comparison of many groups needs. */
const publisherMegabytes = (groups: number): number => MEGABYTES * Math.max(1, Math.ceil(groups / GROUPS_OF_MEGABYTES));

/** One partition prefix and sort key each: what decides the publication, and not what is noted about its copies. */
const causes = () => [
  cause(FilterRule.isEqual("groups")),
  cause(FilterRule.beginsWith("group#"), FilterRule.isEqual("ballot")),
  cause(FilterRule.beginsWith("published#"), FilterRule.isEqual("primary")),
];

const cause = (partition: unknown, sort?: unknown) =>
  FilterCriteria.filter({
    dynamodb: {
      Keys: { [PARTITION_KEY]: { S: partition }, ...(sort === undefined ? {} : { [SORT_KEY]: { S: sort } }) },
    },
  });
