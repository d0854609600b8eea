// One stack from a file of settings: what `cdk deploy` of this project installs. An app of one's own uses the construct
// instead. Nothing is looked up in the account, so that synthesis needs no credentials and gives the same everywhere.

import { CfnOutput, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { Vpc } from "aws-cdk-lib/aws-ec2";
import { EventBus } from "aws-cdk-lib/aws-events";
import { Key } from "aws-cdk-lib/aws-kms";
import { HostedZone } from "aws-cdk-lib/aws-route53";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Topic } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";
import { DynamoDbEndpoint } from "./dynamo-db-endpoint.ts";
import { Egress } from "./egress.ts";
import type { FailoverAlarmsOptions } from "./failover-alarms.ts";
import type { NotificationOptions } from "./failover-notifications.ts";
import type {
  AlarmSettings,
  CredentialsSettings,
  FailoverSettings,
  NotificationSettings,
  PlatformSettings,
  PublicationSettings,
} from "./failover-settings.ts";
import { FailoverTable } from "./failover-table.ts";
import { given } from "./given.ts";
import type { NodeCredentials, PublicationProps } from "./group-props.ts";
import { NodePlatform } from "./node-platform.ts";
import { exportOutputs } from "./operator-outputs.ts";
import { ValkeyFailover } from "./valkey-failover.ts";

export interface FailoverStackProps extends StackProps {
  readonly settings: FailoverSettings;
}

export class FailoverStack extends Stack {
  constructor(scope: Construct, id: string, { settings, ...props }: FailoverStackProps) {
    super(scope, id, props);
    const { vpc } = settings;
    const failover = new ValkeyFailover(this, "Failover", {
      vpc: Vpc.fromVpcAttributes(this, "Vpc", {
        vpcId: vpc.vpcId,
        availabilityZones: [...vpc.zones],
        privateSubnetIds: [...vpc.subnetIds],
        ...(vpc.routeTableIds === undefined ? {} : { privateSubnetRouteTableIds: [...vpc.routeTableIds] }),
      }),
      zones: [...vpc.zones],
      groups: [...(settings.groups ?? [])],
      egress: (settings.egress === undefined ? undefined : Egress.named(settings.egress)) ?? Egress.NONE,
      publication: publicationOf(this, settings.publication ?? {}),
      dynamoDbEndpoint: DynamoDbEndpoint.named(settings.dynamoDbEndpoint ?? "") ?? DynamoDbEndpoint.EXISTING,
      allowAllOutbound: settings.allowAllOutbound ?? true,
      ...tableOf(this, settings),
      ...(settings.credentials === undefined ? {} : { credentials: credentialsOf(this, settings.credentials) }),
      economy: settings.economy ?? false,
      ...sizesOf(settings),
      dashboard: settings.dashboard ?? false,
      groupMetrics: settings.groupMetrics ?? false,
      ...(settings.alarms === undefined ? {} : { alarms: alarmsOf(this, settings.alarms) }),
      ...(settings.notifications === undefined ? {} : { notifications: tellingOf(this, settings.notifications) }),
      ...(settings.hostStopping === undefined
        ? {}
        : { hostStopping: { ecsClusters: [...(settings.hostStopping.ecsClusters ?? [])] } }),
      ...(settings.nodesRunOn === undefined ? {} : { nodesRunOn: platformsOf(settings.nodesRunOn) }),
      ...(settings.environmentKeyArn === undefined
        ? {}
        : { environmentKey: Key.fromKeyArn(this, "EnvironmentKey", settings.environmentKeyArn) }),
    });
    exportOutputs(this, failover);
    new CfnOutput(this, "PublisherName", { value: failover.publisher.function.functionName });
    // What the nodes' own security group must admit to the Valkey port.
    new CfnOutput(this, "VoterSecurityGroups", {
      value: failover.voters.connections.securityGroups.map((each) => each.securityGroupId).join(","),
    });
    for (const [index, { shard, function: voter }] of failover.voters.voters.entries()) {
      const place = `${(index % vpc.zones.length) + 1}${shard === 0 ? "" : `Shard${shard}`}`;
      new CfnOutput(this, `Voter${place}Name`, { value: voter.functionName });
    }
  }
}

const sizesOf = ({
  groupsPerVoter,
  shards,
  voterMemoryMegabytes,
  reservedConcurrency,
  tableWarmThroughput,
}: FailoverSettings) =>
  given({ groupsPerVoter, shards, voterMemoryMegabytes, reservedConcurrency, tableWarmThroughput });

const tableOf = (scope: Construct, { table, tableName, retainTable }: FailoverSettings) => ({
  ...given({ tableName }),
  ...(table === undefined
    ? { tableRemovalPolicy: retainTable === false ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN }
    : {
        table: FailoverTable.fromAttributes(scope, "GivenTable", {
          tableArn: table.arn,
          tableStreamArn: table.streamArn,
        }),
      }),
});

const alarmsOf = (scope: Construct, { topicArn, groupNames }: AlarmSettings): FailoverAlarmsOptions => ({
  ...(topicArn === undefined ? {} : { topic: Topic.fromTopicArn(scope, "AlarmTopic", topicArn) }),
  ...(groupNames === undefined ? {} : { groupNames: [...groupNames] }),
});

const platformsOf = (settings: PlatformSettings): NodePlatform[] => {
  const { ec2, rebalanceRecommendations = false, autoScalingHooks = [], ecsClusters = [] } = settings;
  return [
    ...(ec2 === true ? [NodePlatform.ec2({ rebalanceRecommendations })] : []),
    ...autoScalingHooks.map((hook) => NodePlatform.autoScaling(hook)),
    ...ecsClusters.map((cluster) => NodePlatform.ecs(cluster)),
  ];
};

const tellingOf = (
  scope: Construct,
  { topicArn, eventBusName, toEventBus }: NotificationSettings,
): NotificationOptions => ({
  ...(topicArn === undefined ? {} : { topic: Topic.fromTopicArn(scope, "NotificationTopic", topicArn) }),
  ...(eventBusName === undefined ? {} : { eventBus: EventBus.fromEventBusName(scope, "EventBus", eventBusName) }),
  ...given({ toEventBus }),
});

const credentialsOf = (scope: Construct, settings: CredentialsSettings): NodeCredentials => ({
  ...given({ user: settings.user }),
  ...(settings.secretName === undefined
    ? {}
    : { secret: Secret.fromSecretNameV2(scope, "Credentials", settings.secretName) }),
  ...(settings.secretArn === undefined
    ? {}
    : { secret: Secret.fromSecretCompleteArn(scope, "Credentials", settings.secretArn) }),
  ...given({ parameterName: settings.parameterName }),
});

function publicationOf(scope: Construct, { hostedZone, ...settings }: PublicationSettings): PublicationProps {
  if (hostedZone === undefined) return settings;
  return {
    ...settings,
    hostedZone: HostedZone.fromHostedZoneAttributes(scope, "HostedZone", {
      hostedZoneId: hostedZone.id,
      zoneName: hostedZone.name,
    }),
  };
}
