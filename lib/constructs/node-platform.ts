// What do the nodes run on, and by which events does AWS say that a host of that kind is going? The events are those of the
// documentation; lib/adapters/hosts/host-events.ts reads the same ones.

import { Arn, ArnFormat, type Stack, Token } from "aws-cdk-lib";
import type { EventPattern } from "aws-cdk-lib/aws-events";

export interface Ec2PlatformOptions {
  /**
   * Leave a Spot instance when EC2 holds an interruption for likely, before it gives notice of one. It may never come, and
   * several instances of one group may be told at once.
   * @default false
   */
  readonly rebalanceRecommendations?: boolean;
}

interface Notice {
  readonly id: string;
  readonly description: string;
  readonly pattern: EventPattern;
}

/** Of a task that still runs; what comes later is no news. */
const STILL_THERE = ["RUNNING", "DEACTIVATING", "STOPPING"];

/** An enum-like class, as `Egress`. One deployment may have several. */
export class NodePlatform {
  /** EC2 instances: Spot interruptions, and changes that AWS Health says are scheduled for them. */
  static ec2(options: Ec2PlatformOptions = {}): NodePlatform {
    const source = ["aws.ec2"];
    const notices = [
      {
        id: "SpotInterruption",
        description: "A Spot instance is going to be interrupted",
        pattern: { source, detailType: ["EC2 Spot Instance Interruption Warning"] },
      },
      {
        id: "ScheduledChange",
        description: "A change is scheduled for EC2 instances",
        pattern: {
          source: ["aws.health"],
          detailType: ["AWS Health Event"],
          detail: { service: ["EC2"], eventTypeCategory: ["scheduledChange"] },
        },
      },
    ];
    const recommended = {
      id: "RebalanceRecommendation",
      description: "An interruption of a Spot instance is likely",
      pattern: { source, detailType: ["EC2 Instance Rebalance Recommendation"] },
    };
    const all = options.rebalanceRecommendations === true ? [...notices, recommended] : notices;
    return new NodePlatform("ec2", null, () => all);
  }

  /**
   * Instances of Auto Scaling groups that have a termination hook of this name. It is completed (`CONTINUE`) for every
   * instance that it holds back, a node's or not, of each Auto Scaling group that carries the tag `valkeeper:group`: give
   * the name to no hook of theirs that waits for somebody else. It may not be completed for other Auto Scaling groups,
   * whose instances wait until its heartbeat ends. Scheduled changes and Spot interruptions are told by `ec2()`.
   */
  static autoScaling(hookName: string = "valkeeper"): NodePlatform {
    return new NodePlatform("autoScaling", hookName, () => [
      {
        id: `Termination-${ruleNameOf(hookName)}`,
        description: `An instance is held back by the termination hook ${hookName}`,
        pattern: {
          source: ["aws.autoscaling"],
          detailType: ["EC2 Instance-terminate Lifecycle Action"],
          detail: { LifecycleHookName: [hookName] },
        },
      },
    ]);
  }

  /** Tasks of the ECS cluster of this name, in this account and region: those that are told to stop or whose instance is drained. */
  static ecs(clusterName: string): NodePlatform {
    return new NodePlatform("ecs", clusterName, (stack) => {
      const clusterArn = [ecsArn(stack, "cluster", clusterName)];
      const source = ["aws.ecs"];
      return [
        {
          id: `Task-${clusterName}`,
          description: `A task of ${clusterName} is told to stop`,
          pattern: {
            source,
            detailType: ["ECS Task State Change"],
            detail: { clusterArn, desiredStatus: ["STOPPED"], lastStatus: STILL_THERE },
          },
        },
        {
          id: `ContainerInstance-${clusterName}`,
          description: `A container instance of ${clusterName} is drained`,
          pattern: {
            source,
            detailType: ["ECS Container Instance State Change"],
            detail: { clusterArn, status: ["DRAINING"] },
          },
        },
      ];
    });
  }

  /** `ec2`, `autoScaling` or `ecs`. */
  readonly name: string;
  /** Of its hook or its cluster. @internal */
  readonly _of: string | null;
  /** @internal */
  readonly _notices: (stack: Stack) => Notice[];

  private constructor(name: string, of: string | null, notices: (stack: Stack) => Notice[]) {
    this.name = name;
    this._of = of;
    this._notices = notices;
  }
}

/** Two hooks may come to the same: that is complained about before anything is made. */
const ruleNameOf = (hookName: string): string => hookName.replaceAll("/", "-");

export const ecsArn = (stack: Stack, resource: string, resourceName: string): string =>
  Arn.format({ service: "ecs", resource, resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME }, stack);

const CLUSTER = ["an ECS cluster's name, not its ARN", /^[A-Za-z0-9_-]{1,255}$/] as const;
const NAMES: Readonly<Record<string, readonly [what: string, pattern: RegExp]>> = {
  autoScaling: ["a lifecycle hook's name", /^[A-Za-z0-9_/-]{1,255}$/],
  ecs: CLUSTER,
};

const nameIssues = (at: string, name: string, [what, pattern]: readonly [string, RegExp]): string[] =>
  Token.isUnresolved(name) || !pattern.test(name)
    ? [`${at}: ${JSON.stringify(name)} should be ${what}, known at synthesis`]
    : [];

/** A function's environment has 4 KB, names and all; what the stopper is told beside is less than half a KB. */
const MOST_OF_ENVIRONMENT = 3_500;

/** The names become part of ARNs: of one that is none nobody would ever be found. Together they stand in a function's environment. */
export function clusterIssues(at: string, clusters: readonly string[] = []): string[] {
  const { length } = clusters.join();
  return [
    ...clusters.flatMap((cluster) => nameIssues(at, cluster, CLUSTER)),
    ...(length > MOST_OF_ENVIRONMENT
      ? [
          `${at} has names of ${length} characters in all, and a function's environment has room for ${MOST_OF_ENVIRONMENT}`,
        ]
      : []),
  ];
}

export function platformIssues(nodesRunOn: readonly NodePlatform[] = []): string[] {
  const all = nodesRunOn.map(({ name, _of }) => (_of === null ? name : `${name} ${_of}`));
  const twice = [...new Set(all.filter((each, index) => all.indexOf(each) !== index))];
  const misnamed = nodesRunOn.flatMap(({ name, _of }) => {
    const known = NAMES[name];
    return known === undefined || _of === null ? [] : nameIssues("nodesRunOn", _of, known);
  });
  return [...twice.map((each) => `nodesRunOn names ${each} twice`), ...misnamed, ...hooksOfOneId(nodesRunOn)];
}

/** A slash separates the ids of constructs, so that rules have a hyphen in its place. */
function hooksOfOneId(nodesRunOn: readonly NodePlatform[]): string[] {
  const hooks = new Set(nodesRunOn.flatMap(({ name, _of }) => (name === "autoScaling" && _of !== null ? [_of] : [])));
  return [...new Set([...hooks].map(ruleNameOf))]
    .map((id) => [...hooks].filter((hook) => ruleNameOf(hook) === id))
    .filter(({ length }) => length > 1)
    .map(
      (same) => `nodesRunOn: the hooks ${same.join(" and ")} differ by / and - alone, which gives their rules one id`,
    );
}
