// One alarm for each condition that an operator must act on, over all groups; which group it is, and why, is in the log
// line that carried the figure. Each is named for its condition, and docs/operations.md has a heading of the same
// spelling: what it means, what to look at, what to do.

import { Annotations, AspectPriority, Aspects, Duration, Stack, Token } from "aws-cdk-lib";
import {
  Alarm,
  type CfnAlarm,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  type Metric,
  Stats,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct, type IConstruct } from "constructs";
import { ConfigurationError } from "../core/errors.ts";
import { FailoverMetrics } from "./failover-metrics.ts";
import { given } from "./given.ts";
import { watchRoom } from "./stack-room.ts";
import { type VoterFunction, voterFunctionsOf } from "./voter-shards.ts";

export interface FailoverAlarmsOptions {
  /**
   * Told when an alarm rings, and when what has lasted is over.
   * @default - nobody is told, the alarms only show, and synthesis warns of it
   */
  readonly topic?: ITopic;
  /**
   * Taken when an alarm rings, and when what has lasted is over, beside the topic's: any of `aws-cloudwatch-actions`.
   * @default - none
   */
  readonly actions?: IAlarmAction[];
  /**
   * A message in one of these rings `dead-letters`.
   * @default - no such alarm
   */
  readonly deadLetterQueues?: IQueue[];
  /**
   * Groups that get alarms of their own beside those over all, eight each, for people who look after one. Their figures have
   * to be reported: `groupMetrics`.
   * @default - none
   */
  readonly groupNames?: string[];
  /**
   * What every alarm's name begins with. Two deployments in one region need two.
   * @default - the stack's name and the construct's path in it
   */
  readonly namePrefix?: string;
}

export interface FailoverAlarmsProps extends FailoverAlarmsOptions {
  /** Of the deployment: the dimension of its metrics. */
  readonly tableName: string;
  /** Of the voters. */
  readonly zones: string[];
  /**
   * How many shards of voters there are.
   * @default 1
   */
  readonly shards?: number;
  /** The voters', the publisher's and the registrar's. */
  readonly functions: WatchedFunction[];
  /**
   * Those of the voters and the publisher, whose lines say which group it is. The alarms' descriptions name them where there is
   * room.
   * @default - the descriptions name none
   */
  readonly logGroups?: ILogGroup[];
  /**
   * Whether there are the alarms over all groups, of the voters, the store, the functions and the queues. Without them there are
   * those of `groupNames` alone, as for a second stack, whose first has the others.
   * @default true
   */
  readonly overAll?: boolean;
}

export interface WatchedFunction {
  /** What the alarm's name ends with. */
  readonly name: string;
  readonly function: IFunction;
}

export interface ConditionAlarm {
  /** As the runbook's heading spells it. */
  readonly condition: string;
  readonly alarm: Alarm;
  /** @default - over all groups */
  readonly groupName?: string;
}

interface Condition {
  readonly name: string;
  /** Where one condition has several alarms. */
  readonly suffix?: string;
  /** @default - over all groups */
  readonly groupName?: string;
  /**
   * Of what the alarm is about and never of its position: with what is added or taken out the names of others would move to other
   * logical ids, and CloudFormation makes the new holder of a name while the old one has it still, which fails.
   */
  readonly id: string;
  readonly metric: IMetric;
  /** Of a condition of groups: what their log lines call it. */
  readonly figure?: string;
  readonly means: string;
  /** @default 1 */
  readonly threshold?: number;
  /** Periods that must breach, of how many. @default [1, 1] */
  readonly lasts?: readonly [number, number];
  /** Rings when nothing is reported. @default false */
  readonly whenMissing?: boolean;
  /** Rings below the threshold. @default - at it, and above */
  readonly isBelow?: boolean;
  /** It is over at once, so that nobody is told that it is. @default false */
  readonly isMoment?: boolean;
}

/** In a minute: a call that fails alone is tried again; one voter that is cut off alone has more than twice as many. */
const STORE_FAILURES = 10;
/** One suspension of a busy sandbox is harmless. */
const SUSPENSIONS = 3;

export class FailoverAlarms extends Construct {
  readonly alarms: ConditionAlarm[];

  /** Throws `ConfigurationError` when there would be no alarm. */
  constructor(scope: Construct, id: string, props: FailoverAlarmsProps) {
    super(scope, id);
    watchRoom(this);
    const metrics = new FailoverMetrics(props.tableName);
    const { tableName, groupNames, overAll = true } = props;
    const names = [...new Set(groupNames)];
    if (!overAll && names.length === 0) {
      throw new ConfigurationError(this.node.path, [
        "overAll is false and groupNames names none: there would be no alarm",
      ]);
    }
    const conditions = [
      ...(overAll ? ofDeployment(metrics, props) : []),
      ...names.flatMap((group, index) => ofGroup(tableName, group, index)),
    ];
    const prefix = props.namePrefix ?? nameOf(this);
    this.alarms = conditions.map((condition) => ({
      condition: condition.name,
      alarm: this.#create(condition, prefix, props),
      ...given({ groupName: condition.groupName }),
    }));
    if (actionsOf(props).length === 0) this.#warnIfNobodyIsTold();
  }

  /** The alarms of one condition; none when there is no such condition. */
  alarmsOf(condition: string): Alarm[] {
    return this.alarms.filter((each) => each.condition === condition).map((each) => each.alarm);
  }

  /** An app may give the alarms actions of its own: known when it is complete. */
  #warnIfNobodyIsTold(): void {
    const visit = (node: IConstruct): void => {
      if (node !== this || this.alarms.some(({ alarm }) => hasAction(alarm))) return;
      Annotations.of(this).addWarningV2(
        "valkeeper:nobodyIsTold",
        "nobody is told when an alarm rings: give alarms a topic, or actions",
      );
    };
    Aspects.of(this).add({ visit }, { priority: AspectPriority.READONLY });
  }

  #create(condition: Condition, prefix: string, props: FailoverAlarmsProps): Alarm {
    const { name, suffix, metric, means, threshold = 1, lasts = [1, 1], whenMissing = false } = condition;
    const [breaching, periods] = lasts;
    const alarm = new Alarm(this, condition.id, {
      alarmName: [prefix, name, ...(suffix === undefined ? [] : [suffix])].join("-"),
      alarmDescription: `${means}${whereFrom(condition, props.logGroups ?? [])} What to do: "${name}" in docs/operations.md.`,
      metric,
      threshold,
      comparisonOperator:
        condition.isBelow === true
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: periods,
      datapointsToAlarm: breaching,
      treatMissingData: whenMissing ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    const actions = actionsOf(props);
    alarm.addAlarmAction(...actions);
    if (condition.isMoment !== true) alarm.addOkAction(...actions);
    return alarm;
  }
}

const actionsOf = ({ topic, actions = [] }: FailoverAlarmsOptions): readonly IAlarmAction[] => [
  ...(topic === undefined ? [] : [new SnsAction(topic)]),
  ...actions,
];

/** A description takes 1,024 characters, and says other things too. */
const ROOM_FOR_NAMES = 600;
/** What CloudFormation puts between and behind the stack's name and a log group's in the template. */
const GENERATED_LENGTH = 80;
const STACK_NAME_LIMIT = 128;

/** Where the group's name is found, of an alarm over all groups. */
function whereFrom({ groupName, figure }: Condition, logGroups: readonly ILogGroup[]): string {
  if (figure === undefined || groupName !== undefined) return "";
  const needed = logGroups.map(nameLength).reduce((sum, each) => sum + each, 0);
  const isNamed = logGroups.length > 0 && needed <= ROOM_FOR_NAMES;
  const names = isNamed
    ? logGroups.map((each) => each.logGroupName).join(", ")
    : "the log groups of the voters and the publisher";
  const query = `CloudWatch Logs Insights with "filter ${figure} > 0" over ${names}`;
  return ` Which group: the notification beside this one, or ${query}.`;
}

/** At most. */
function nameLength(logGroup: ILogGroup): number {
  if (!Token.isUnresolved(logGroup.logGroupName)) return logGroup.logGroupName.length;
  const { stackName } = Stack.of(logGroup);
  return GENERATED_LENGTH + (Token.isUnresolved(stackName) ? STACK_NAME_LIMIT : stackName.length);
}

const hasAction = (alarm: Alarm): boolean =>
  Stack.of(alarm).resolve((alarm.node.defaultChild as CfnAlarm).alarmActions) !== undefined;

/** Of the stack and of the construct in it; the name of a nested stack is known at deployment only, and is a name all the same. */
export function nameOf(construct: Construct): string {
  const stack = Stack.of(construct);
  const path = construct.node.scopes.slice(stack.node.scopes.length).map((each) => each.node.id);
  return [stack.stackName, ...path].join("-");
}

const ofDeployment = (metrics: FailoverMetrics, props: FailoverAlarmsProps): readonly Condition[] => [
  ...silences(metrics, voterFunctionsOf(props.zones, props.shards ?? 1)),
  ...ofGroups(metrics),
  ...ofTheStore(metrics),
  ...ofFunctions(props.functions),
  ...ofQueues(props.deadLetterQueues ?? []),
];

/** A name that is known at deployment only cannot be part of a logical id: there it is `position`. */
const idPart = (name: string, position: string | number): string => `-${Token.isUnresolved(name) ? position : name}`;

/** By the absence of the metric, so that it rings also when every function is gone. */
const silences = (metrics: FailoverMetrics, voters: readonly VoterFunction[]): Condition[] =>
  voters.map(({ zone, shard, name, id }) => ({
    name: "voter-silent",
    suffix: name,
    id: `VoterSilent${idPart(name, id)}`,
    metric: metrics.metricVoterHeartbeats(zone, { shard }),
    means: `The voter of ${shard === 0 ? zone : `${zone}, shard ${shard},`} has not been heard for three minutes.`,
    lasts: [3, 3],
    whenMissing: true,
    isBelow: true,
  }));

const ofGroups = (metrics: FailoverMetrics): Condition[] =>
  conditionsOfGroups(metrics).map((condition) => ({ ...condition, figure: condition.metric.metricName }));

const conditionsOfGroups = (metrics: FailoverMetrics): (Condition & { readonly metric: Metric })[] => [
  {
    name: "group-not-ready",
    id: "GroupNotReady",
    metric: metrics.metricGroupsNotReady(),
    means: "A failover of some group would not be possible now, or it has no primary yet.",
    lasts: [3, 5],
  },
  {
    name: "failover-happened",
    id: "FailoverHappened",
    metric: metrics.metricFailovers(),
    means: "A primary was replaced that nobody had planned to replace.",
    isMoment: true,
  },
  {
    name: "failover-blocked",
    id: "FailoverBlocked",
    metric: metrics.metricGroupsBlocked(),
    means: "Something is wrong with a group for half a minute and nothing is done about it.",
  },
  {
    name: "publication-behind",
    id: "PublicationBehind",
    metric: metrics.metricPublicationsBehind(),
    means: "Applications may be told of an old primary, or the publisher was not heard, for three minutes.",
    lasts: [3, 3],
    whenMissing: true,
  },
  {
    name: "credentials-misconfigured",
    id: "CredentialsMisconfigured",
    metric: metrics.metricGroupsMisconfigured(),
    means: "A node answers and does not let the voters in: user, password, ACL or TLS.",
    lasts: [2, 3],
  },
  {
    name: "boot-fenced-waiting",
    id: "BootFencedWaiting",
    metric: metrics.metricGroupsBootFenced(),
    means: "The nodes of a group were started and wait at their boot fence; none serves.",
  },
  {
    name: "needless-churn",
    id: "NeedlessChurn",
    metric: metrics.metricGroupsChurning(),
    means: "The primary of a group was to be replaced twice within ten minutes.",
  },
  {
    name: "group-failed",
    id: "GroupFailed",
    metric: metrics.metricGroupFailures(),
    means: "A step of a group ended with a bug; it is watched anew.",
    isMoment: true,
  },
];

/** Of one group the publisher tells only that it is behind: its silence is told by the alarm over all. */
const ofGroup = (tableName: string, group: string, index: number): Condition[] =>
  ofGroups(new FailoverMetrics(tableName, group)).map((condition) => ({
    ...condition,
    suffix: group,
    groupName: group,
    id: `${condition.id}${idPart(group, index + 1)}`,
    means: `Group ${group}: ${condition.means}`,
    whenMissing: false,
  }));

const ofTheStore = (metrics: FailoverMetrics): Condition[] => [
  {
    name: "store-unreachable",
    id: "StoreUnreachable",
    metric: metrics.metricStoreFailures(),
    means: "Voters do not reach the table: no failover can begin there.",
    threshold: STORE_FAILURES,
    lasts: [2, 3],
  },
  {
    name: "store-throttled",
    id: "StoreThrottled",
    metric: metrics.metricThrottles(),
    means: "DynamoDB, Systems Manager or Route 53 turns requests away.",
    lasts: [3, 5],
  },
  {
    name: "voter-suspended",
    id: "VoterSuspended",
    metric: metrics.metricVoterSuspensions({ period: Duration.minutes(5) }),
    means: `Voters were stalled ${SUSPENSIONS} times within five minutes and did not trust what they saw.`,
    threshold: SUSPENSIONS,
  },
  {
    name: "record-unreadable",
    id: "RecordUnreadable",
    metric: metrics.metricUnreadableRecords(),
    means: "A record of the table is damaged, or was written by a newer version: it is not acted on.",
    lasts: [2, 3],
  },
];

/** One for each: an alarm on a sum is paid for by the metrics that it reads, and would not say whose errors they are. */
function ofFunctions(functions: readonly WatchedFunction[]): Condition[] {
  // Voters, of zones that are known at deployment only: what other functions there are does not move them.
  const unnamed = functions.filter(({ name }) => Token.isUnresolved(name));
  return functions.map((each) => ({
    name: "invocation-errors",
    suffix: each.name,
    id: `InvocationErrors${idPart(each.name, unnamed.indexOf(each) + 1)}`,
    metric: each.function.metricErrors({ period: Duration.minutes(1), statistic: Stats.SUM }),
    means: `The function of the ${each.name} ended with an error, or ran out of time or memory.`,
    lasts: [2, 5],
  }));
}

const ofQueues = (queues: readonly IQueue[]): Condition[] =>
  queues.map((queue, index) => ({
    name: "dead-letters",
    // There is usually one.
    ...(queues.length === 1 ? {} : { suffix: String(index + 1) }),
    // As its name, so that neither moves alone; a queue's own name is seldom known here.
    id: `DeadLetters${index + 1}`,
    metric: queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: Stats.MAXIMUM }),
    means: "What could not be delivered or handled lies in a dead-letter queue.",
  }));
