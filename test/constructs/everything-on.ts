// The construct with every option on, and a VPC of its own.

import type { Stack } from "aws-cdk-lib";
import { Key } from "aws-cdk-lib/aws-kms";
import { HostedZone } from "aws-cdk-lib/aws-route53";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Topic } from "aws-cdk-lib/aws-sns";
import { DynamoDbEndpoint } from "../../lib/constructs/dynamo-db-endpoint.ts";
import { Egress } from "../../lib/constructs/egress.ts";
import type { ValkeyFailoverProps } from "../../lib/constructs/failover-props.ts";
import { NodePlatform } from "../../lib/constructs/node-platform.ts";
import { group } from "./failover-stack.ts";

const ARN = "eu-west-1:123456789012";
const keyArn = (digit: number): string => `arn:aws:kms:${ARN}:key/${String(digit).repeat(8)}`;

/** The stack's region must be known: the table has a key of its own. */
export const everythingOn = (stack: Stack, egress: Egress = Egress.ENDPOINTS): ValkeyFailoverProps => ({
  egress,
  dynamoDbEndpoint: DynamoDbEndpoint.CREATE,
  allowAllOutbound: false,
  groups: [group],
  credentials: { secret: Secret.fromSecretNameV2(stack, "Secret", "valkey/coordinator") },
  environmentKey: Key.fromKeyArn(stack, "EnvironmentKey", keyArn(1)),
  tableEncryptionKey: Key.fromKeyArn(stack, "TableKey", keyArn(2)),
  publication: {
    parameterPrefix: "/team/valkey",
    hostedZone: HostedZone.fromHostedZoneAttributes(stack, "Zone", {
      hostedZoneId: "Z0123456789ABCDEFGHIJ",
      zoneName: "valkey.internal",
    }),
  },
  notifications: { topic: Topic.fromTopicArn(stack, "Topic", `arn:aws:sns:${ARN}:steps`) },
  hostStopping: { ecsClusters: ["prod"] },
  nodesRunOn: [
    NodePlatform.ec2({ rebalanceRecommendations: true }),
    NodePlatform.autoScaling(),
    NodePlatform.ecs("prod"),
  ],
  economy: true,
  reservedConcurrency: 2,
  alarms: { topic: Topic.fromTopicArn(stack, "OnCall", `arn:aws:sns:${ARN}:oncall`), groupNames: [group.name] },
  dashboard: true,
  groupMetrics: true,
});
