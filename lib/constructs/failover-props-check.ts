// Do the properties of a deployment fit together? All of them are checked before anything is created, so that one synthesis
// names every issue.

import type { IVpc } from "aws-cdk-lib/aws-ec2";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";
import type { DeclaredConfig } from "../core/config.ts";
import { ConfigurationError } from "../core/errors.ts";
import { declareGroups } from "./declared-groups.ts";
import { DynamoDbEndpoint } from "./dynamo-db-endpoint.ts";
import { Egress } from "./egress.ts";
import { isAnybodyTold, type NotificationOptions, topicIssues } from "./failover-notifications.ts";
import type { ValkeyFailoverProps } from "./failover-props.ts";
import { encryptionIssues, nameIssues } from "./failover-table.ts";
import { scheduleRoleIssues } from "./function-parts.ts";
import { given } from "./given.ts";
import { clusterIssues, platformIssues } from "./node-platform.ts";
import { watchRoom } from "./stack-room.ts";
import { sizeIssues, sizingOf } from "./voter-shards.ts";
import { selectZones, type VoterZone } from "./voter-zones.ts";
import { concurrencyIssues, placedSecretIssues, routeIssues } from "./voters-check.ts";

export interface Checked {
  readonly zones: VoterZone[];
  readonly groups: DeclaredConfig[];
}

/** `vpc`: the given one, or the one that was made for want of it. Throws `ConfigurationError` with every issue. */
export function checkProps(scope: Construct, props: ValkeyFailoverProps, vpc: IVpc): Checked {
  const issues: string[] = [];
  const complain = (issue: string): void => {
    issues.push(issue);
  };
  const egress = props.egress ?? Egress.NONE;
  const zones = selectZones({ vpc, subnets: props.subnets, zones: props.zones }, complain);
  const groups = declareGroups(
    {
      groups: props.groups ?? [],
      credentials: props.credentials,
      publication: props.publication ?? {},
      voters: zones.map((zone) => zone.zone),
      egress,
      hasStopper: props.hostStopping !== undefined,
    },
    complain,
  );
  const { credentials, environmentKey } = props;
  const placed = { egress, ...given({ environmentKey }), credentials: credentials === undefined ? [] : [credentials] };
  for (const issue of placedSecretIssues(placed)) complain(issue);
  if ((props.alarms?.groupNames ?? []).length > 0 && props.groupMetrics !== true) {
    complain("alarms.groupNames asks for alarms on figures of single groups: set groupMetrics, which reports them");
  }
  if (egress === Egress.EXISTING_ENDPOINTS && props.vpc === undefined) {
    complain("egress EXISTING_ENDPOINTS, and a new VPC has none: give `vpc`, or choose ENDPOINTS");
  }
  for (const issue of [
    ...topicIssues(told(props), "notifications."),
    ...concurrencyIssues(props.reservedConcurrency),
    ...sizeIssues(props),
    ...tableIssues(scope, props),
    ...functionIssues(props, zones),
    ...platformIssues(props.nodesRunOn),
    ...clusterIssues("hostStopping.ecsClusters", props.hostStopping?.ecsClusters),
  ])
    complain(issue);
  if (props.dynamoDbEndpoint === DynamoDbEndpoint.CREATE) for (const issue of routeIssues(zones)) complain(issue);
  if (issues.length > 0) throw new ConfigurationError(scope.node.path, issues);
  // The rest shows when the app is complete.
  watchRoom(scope, JSON.stringify(groups).length);
  return { zones, groups };
}

function tableIssues(scope: Construct, props: ValkeyFailoverProps): string[] {
  const { table, tableName, tableEncryptionKey, tableRemovalPolicy, tableWarmThroughput } = props;
  if (table === undefined) {
    return [...nameIssues("tableName", tableName), ...encryptionIssues(scope, tableEncryptionKey)];
  }
  const issues: string[] = [];
  if (tableName !== undefined) issues.push("tableName is for a new table, and `table` is given");
  if (tableEncryptionKey !== undefined) issues.push("tableEncryptionKey is for a new table, and `table` is given");
  if (tableRemovalPolicy !== undefined) issues.push("tableRemovalPolicy is for a new table, and `table` is given");
  if (tableWarmThroughput !== undefined) issues.push("tableWarmThroughput is for a new table, and `table` is given");
  if (table.table.tableStreamArn === undefined) {
    issues.push("the given table has no stream that is known here: import it with its `tableStreamArn`");
  }
  return issues;
}

function functionIssues({ functions = {}, ...props }: ValkeyFailoverProps, zones: readonly VoterZone[]): string[] {
  const issues: string[] = [];
  const voters = zones.length * sizingOf(props).shards;
  const count = functions.voters?.length ?? voters;
  // No zones: why there are none has been said.
  if (voters > 0 && count !== voters) issues.push(`functions.voters has ${count} entries for ${voters} voters`);
  if (functions.notifier !== undefined && !isTold(props)) {
    issues.push("functions.notifier is given, and notifications tell nobody");
  }
  if (functions.stopper !== undefined && props.hostStopping === undefined) {
    issues.push("functions.stopper is given, and there is no hostStopping");
  }
  if (functions.evacuator !== undefined && (props.nodesRunOn ?? []).length === 0) {
    issues.push("functions.evacuator is given, and nodesRunOn says nothing");
  }
  if (functions.registrar !== undefined && (props.groups ?? []).length === 0) {
    issues.push("functions.registrar is given, and the app declares no groups to register");
  }
  const { voters: ofVoters = [], ...others } = functions;
  issues.push(...scheduleRoleIssues("functions", [...ofVoters, ...Object.values(others)]));
  return issues;
}

/** Whom the notifier is to tell. */
const told = (props: ValkeyFailoverProps): NotificationOptions => ({
  ...props.notifications,
  ...given({ conditionTopic: conditionTopicOf(props) }),
});

export const isTold = (props: ValkeyFailoverProps): boolean => isAnybodyTold(told(props));

export const conditionTopicOf = ({ notifications, alarms }: ValkeyFailoverProps): ITopic | undefined =>
  notifications?.conditionTopic ?? alarms?.topic;
