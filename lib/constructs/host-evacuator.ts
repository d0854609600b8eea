// Hands over the primaries of hosts that AWS is about to take away: a function of its own, called by a rule for each event
// by which AWS gives notice. It asks the voters by way of the table, and reaches no node.

import { Arn, ArnFormat, Duration, Stack } from "aws-cdk-lib";
import { Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { SqsDestination } from "aws-cdk-lib/aws-lambda-destinations";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { ConfigurationError } from "../core/errors.ts";
import { VARIABLES, WAKE_UP } from "../runtime/environment.ts";
import { DELIVERY_AGE_LIMIT_MS, EVACUATOR_TIMEOUT_MS } from "../runtime/timing.ts";
import { BundledFunction } from "./bundled-function.ts";
import type { IFailoverTable } from "./failover-table-base.ts";
import type { FunctionParts } from "./function-parts.ts";
import { given } from "./given.ts";
import { grantTasks, isTagged } from "./host-grants.ts";
import { type NodePlatform, platformIssues } from "./node-platform.ts";

export interface HostEvacuatorProps {
  readonly nodesRunOn: NodePlatform[];
  readonly table: IFailoverTable;
  /**
   * Voters that rest, and have to be woken (economy mode).
   * @default - they watch all the time
   */
  readonly restingVoters?: IFunction[];
  /**
   * Gets the events that could not be handled, and those whose primary did not move.
   * @default - they are given up with a line in the function's log
   */
  readonly deadLetterQueue?: IQueue;
  /** @default RetentionDays.THREE_MONTHS */
  readonly logRetention?: RetentionDays;
  /** @default - nothing is given */
  readonly parts?: FunctionParts;
}

/** EventBridge tries for so long to hand an event over; a Spot instance has two minutes in all. */
const HANDED_OVER_WITHIN = Duration.minutes(2);

export class HostEvacuator extends Construct {
  readonly function: IFunction;
  /** One for each event that AWS gives notice by. */
  readonly rules: Rule[];

  /** Throws `ConfigurationError` for names that AWS does not take. */
  constructor(scope: Construct, id: string, props: HostEvacuatorProps) {
    super(scope, id);
    const { table, nodesRunOn, restingVoters = [], deadLetterQueue } = props;
    const stack = Stack.of(this);
    const issues = platformIssues(nodesRunOn);
    if (issues.length > 0) throw new ConfigurationError(this.node.path, issues);
    const evacuator = new BundledFunction(this, "Evacuator", {
      name: "evacuator",
      description: "Valkeeper evacuator: hands over the primaries of hosts that are going",
      timeoutMs: EVACUATOR_TIMEOUT_MS,
      memoryMegabytes: 256,
      environment: {
        [VARIABLES.table]: table.table.tableName,
        [VARIABLES.economy]: String(restingVoters.length > 0),
      },
      ...given({ logRetention: props.logRetention, parts: props.parts }),
      options: {
        // It has tried for as long as there was time: what failed is for a person to know.
        ...(deadLetterQueue === undefined ? {} : { onFailure: new SqsDestination(deadLetterQueue) }),
      },
    });
    this.function = evacuator.function;
    table.grantEvacuate(evacuator.role);
    const names = (platform: string): readonly string[] =>
      nodesRunOn.flatMap(({ name, _of }) => (name === platform && _of !== null ? [_of] : []));
    // Of ECS too: a container instance's address is that of the tasks which have none of their own.
    grantInstances(evacuator);
    if (names("autoScaling").length > 0) grantHooks(evacuator, stack);
    if (names("ecs").length > 0) grantTasks(evacuator, stack, names("ecs"));
    if (nodesRunOn.length > 0) {
      evacuator.acknowledgeWildcard(
        "*",
        "Descriptions of instances and hooks, lists of tasks: these actions take no resource.",
      );
    }
    const target = new LambdaFunction(this.function, {
      maxEventAge: HANDED_OVER_WITHIN,
      ...given({ deadLetterQueue }),
    });
    this.rules = nodesRunOn
      .flatMap((platform) => platform._notices(stack))
      .map((notice) => {
        const { id: name, description, pattern: eventPattern } = notice;
        return new Rule(this, name, { description: `Valkeeper: ${description}`, eventPattern, targets: [target] });
      });
    if (restingVoters.length > 0) this.#wake(evacuator, table, restingVoters);
  }

  #wake(evacuator: BundledFunction, { table }: IFailoverTable, voters: readonly IFunction[]): void {
    const bus = Arn.format({ service: "events", resource: "event-bus", resourceName: "default" }, Stack.of(this));
    evacuator.role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ["events:PutEvents"],
        resources: [bus],
        conditions: { StringEquals: { "events:source": WAKE_UP.source } },
      }),
    );
    for (const [index, voter] of voters.entries()) {
      new Rule(this, `WakeUp${index + 1}`, {
        description: "Valkeeper: a voter that rests is needed",
        eventPattern: {
          source: [WAKE_UP.source],
          detailType: [WAKE_UP.detailType],
          detail: { table: [table.tableName] },
        },
        targets: [new LambdaFunction(voter, { retryAttempts: 0, maxEventAge: Duration.millis(DELIVERY_AGE_LIMIT_MS) })],
      });
    }
  }
}

function grantInstances(evacuator: BundledFunction): void {
  evacuator.role.addToPrincipalPolicy(new PolicyStatement({ actions: ["ec2:DescribeInstances"], resources: ["*"] }));
}

function grantHooks(evacuator: BundledFunction, stack: Stack): void {
  const { role } = evacuator;
  const groups = Arn.format(
    {
      ...{ service: "autoscaling", resource: "autoScalingGroup", resourceName: "*:autoScalingGroupName/*" },
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    },
    stack,
  );
  role.addToPrincipalPolicy(new PolicyStatement({ actions: ["autoscaling:DescribeLifecycleHooks"], resources: ["*"] }));
  role.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ["autoscaling:CompleteLifecycleAction"],
      resources: [groups],
      conditions: isTagged,
    }),
  );
  evacuator.acknowledgeWildcard(groups, "Which groups have the hook is not known here; only those that are tagged.");
}
