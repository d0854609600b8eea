// Stops the hosts of old primaries, for groups whose `stopInstance` asks for it: by a function of its own on the table's
// stream, so that waiting for a stop delays nobody's publication. It may stop what carries a group's tag, and nothing else.

import { Arn, Duration, Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { FilterCriteria, FilterRule, type IFunction, StartingPosition } from "aws-cdk-lib/aws-lambda";
import { DynamoEventSource, SqsDlq } from "aws-cdk-lib/aws-lambda-event-sources";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { ConfigurationError } from "../core/errors.ts";
import { VARIABLES } from "../runtime/environment.ts";
import { PARTITION_KEY, SORT_KEY } from "../runtime/table-schema.ts";
import { STOPPER_TIMEOUT_MS } from "../runtime/timing.ts";
import { BundledFunction } from "./bundled-function.ts";
import type { IFailoverTable } from "./failover-table-base.ts";
import type { FunctionParts } from "./function-parts.ts";
import { given } from "./given.ts";
import { grantTasks, isTagged } from "./host-grants.ts";
import { clusterIssues } from "./node-platform.ts";

export interface HostStoppingOptions {
  /**
   * Names of the ECS clusters, of this account and region, in which nodes run as tasks.
   * @default - nodes run on EC2 instances alone
   */
  readonly ecsClusters?: string[];
}

export interface HostStopperProps extends HostStoppingOptions {
  readonly table: IFailoverTable;
  /**
   * Gets what could not be carried out.
   * @default - it is given up with a line in the function's log
   */
  readonly deadLetterQueue?: IQueue;
  /** @default RetentionDays.THREE_MONTHS */
  readonly logRetention?: RetentionDays;
  /** @default - nothing is given */
  readonly parts?: FunctionParts;
}

/** An operation does not wait for longer (core's host-stop.ts). */
const GIVEN_UP_AFTER = Duration.minutes(3);
const RETRIES = 5;
/** Lanes of one shard, worked side by side: a group is in one by its hash, and waits there for stops of an earlier batch. */
const BATCHES_AT_ONCE = 10;

export class HostStopper extends Construct {
  readonly function: IFunction;

  /** Throws `ConfigurationError` for names that AWS does not take. */
  constructor(scope: Construct, id: string, props: HostStopperProps) {
    super(scope, id);
    const { table, ecsClusters = [] } = props;
    const issues = clusterIssues("ecsClusters", ecsClusters);
    if (issues.length > 0) throw new ConfigurationError(this.node.path, issues);
    const stopper = new BundledFunction(this, "Stopper", {
      name: "stopper",
      description: "Valkeeper stopper: stops the hosts of old primaries",
      timeoutMs: STOPPER_TIMEOUT_MS,
      memoryMegabytes: 256,
      environment: {
        [VARIABLES.table]: table.table.tableName,
        ...(ecsClusters.length === 0 ? {} : { [VARIABLES.clusters]: ecsClusters.join(",") }),
      },
      ...given({ logRetention: props.logRetention, parts: props.parts }),
    });
    this.function = stopper.function;
    table.grantStop(stopper.role);
    grantInstances(stopper, Stack.of(this));
    if (ecsClusters.length > 0) {
      const tasks = grantTasks(stopper, Stack.of(this), ecsClusters);
      const mayStop = new PolicyStatement({ actions: ["ecs:StopTask"], resources: tasks, conditions: isTagged });
      stopper.role.addToPrincipalPolicy(mayStop);
    }
    stopper.function.addEventSource(
      new DynamoEventSource(table.table, {
        // A wish of the minutes in which Lambda begins to read is heard too; one that is over is looked up in the ballot, and is nothing.
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 25,
        parallelizationFactor: BATCHES_AT_ONCE,
        reportBatchItemFailures: true,
        bisectBatchOnError: true,
        retryAttempts: RETRIES,
        maxRecordAge: GIVEN_UP_AFTER,
        filters: [wishes()],
        ...(props.deadLetterQueue === undefined ? {} : { onFailure: new SqsDlq(props.deadLetterQueue) }),
      }),
    );
  }
}

function grantInstances(stopper: BundledFunction, stack: Stack): void {
  const { role } = stopper;
  const instances = Arn.format({ service: "ec2", resource: "instance", resourceName: "*" }, stack);
  // These take no resource.
  role.addToPrincipalPolicy(
    new PolicyStatement({ actions: ["ec2:DescribeInstances", "ec2:DescribeSpotInstanceRequests"], resources: ["*"] }),
  );
  role.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ["ec2:DescribeInstanceAttribute", "ec2:StopInstances"],
      resources: [instances],
      conditions: isTagged,
    }),
  );
  stopper.acknowledgeWildcard(
    "*",
    "Descriptions of instances, Spot requests and tasks: these actions take no resource.",
  );
  stopper.acknowledgeWildcard(instances, "Instances are told by their tag: which there will be nobody knows now.");
}

/**
 * A ballot whose operation has a wish. Whether that is new the function tells by the image before: that a pattern may ask for
 * what is missing inside of something missing is nowhere promised, and a wish that nobody hears of is worse than calls for
 * nothing while one stands.
 */
const wishes = () =>
  FilterCriteria.filter({
    eventName: FilterRule.isEqual("MODIFY"),
    dynamodb: {
      Keys: {
        [PARTITION_KEY]: { S: FilterRule.beginsWith("group#") },
        [SORT_KEY]: { S: FilterRule.isEqual("ballot") },
      },
      NewImage: { operation: { M: { stop: { M: { node: { S: FilterRule.exists() } } } } } },
    },
  });
