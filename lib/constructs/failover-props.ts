// What an installer says about a whole deployment.

import type { RemovalPolicy } from "aws-cdk-lib";
import type { WarmThroughput } from "aws-cdk-lib/aws-dynamodb";
import type { ISecurityGroup, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { DynamoDbEndpoint } from "./dynamo-db-endpoint.ts";
import type { Egress } from "./egress.ts";
import type { FailoverAlarmsOptions } from "./failover-alarms.ts";
import type { NotificationOptions } from "./failover-notifications.ts";
import type { IFailoverTable } from "./failover-table-base.ts";
import type { FailoverFunctions } from "./function-parts.ts";
import type { NodeCredentials, PublicationProps, ValkeyGroupProps } from "./group-props.ts";
import type { HostStoppingOptions } from "./host-stopper.ts";
import type { NodePlatform } from "./node-platform.ts";

export interface ValkeyFailoverProps {
  /**
   * Where the nodes are, or a VPC from which they are reached.
   * @default - a new one with a subnet in each of three zones, with the way out that `egress` says
   */
  readonly vpc?: IVpc;
  /**
   * Each voter is placed into the first of these that is in its zone.
   * @default - the VPC's private subnets
   */
  readonly subnets?: SubnetSelection;
  /**
   * Zones that get a voter, three or more.
   * @default - the first three zones of `subnets`
   */
  readonly zones?: string[];
  /**
   * Groups can also be registered at run time, with `valkeeper groups add`.
   * @default - none
   */
  readonly groups?: ValkeyGroupProps[];
  /**
   * How the voters log in to the nodes of groups that say nothing else.
   * @default - the nodes need no password
   */
  readonly credentials?: NodeCredentials;
  /** @default - parameters below /valkeeper, no DNS records */
  readonly publication?: PublicationProps;
  /** @default - each step of the groups' history is put on the account's default event bus */
  readonly notifications?: NotificationOptions;
  /**
   * Have the hosts of old primaries stopped, for groups whose `stopInstance` asks for it; `{}` for EC2 instances alone.
   * @default - nothing is ever stopped, and no group may ask for it
   */
  readonly hostStopping?: HostStoppingOptions;
  /**
   * What the nodes run on, in this account and region: a primary is handed over before AWS takes its host away.
   * @default - nobody is told of hosts that go
   */
  readonly nodesRunOn?: NodePlatform[];
  /** @default Egress.NONE */
  readonly egress?: Egress;
  /**
   * Whose DynamoDB's gateway endpoint is, by which the voters reach the table.
   * @default - DynamoDbEndpoint.EXISTING for a given VPC, DynamoDbEndpoint.CREATE for a new one
   */
  readonly dynamoDbEndpoint?: DynamoDbEndpoint;
  /**
   * Encrypts the voters' environment. Required when the credentials are placed in it (egress `none`).
   * @default - Lambda's own key
   */
  readonly environmentKey?: IKey;
  /** @default - a new one that lets nothing in, and out what `allowAllOutbound` says */
  readonly securityGroup?: ISecurityGroup;
  /**
   * Let everything out of the voters' new security group. When false it lets out HTTPS, and what is allowed by rules
   * such as `nodes.connections.allowFrom(failover, Port.tcp(6379))`.
   * @default true
   */
  readonly allowAllOutbound?: boolean;
  /**
   * A table that is there already, see `FailoverTable.fromTable` and `FailoverTable.fromAttributes`.
   * @default - a new one
   */
  readonly table?: IFailoverTable;
  /**
   * What the new table is called. Under the name of one that a deleted stack has left,
   * `cdk deploy --import-existing-resources` takes that one into the stack (docs/upgrades.md). Another name is another table.
   * @default - CloudFormation makes one up
   */
  readonly tableName?: string;
  /**
   * Encrypts the new table.
   * @default - the key that DynamoDB owns
   */
  readonly tableEncryptionKey?: IKey;
  /**
   * What becomes of the new table when it leaves the stack.
   * @default RemovalPolicy.RETAIN
   */
  readonly tableRemovalPolicy?: RemovalPolicy;
  /**
   * Units a second that the new table is to serve at once: what all groups together ask when a zone is lost (docs/cost.md).
   * AWS charges once for raising it, and refuses a lower one later.
   * @default - what a new table has: 12,000 reads and 4,000 writes
   */
  readonly tableWarmThroughput?: WarmThroughput;
  /**
   * Voters look once a minute, and stay only while something is not well. A fall is noticed up to a minute later; an order
   * waits as long. Costs about a tenth.
   * @default false
   */
  readonly economy?: boolean;
  /**
   * Groups that one voter function is given, 1 to 200. Its memory follows it.
   * @default 50
   */
  readonly groupsPerVoter?: number;
  /**
   * Voter functions in each zone, 1 to 10, each for its share of the groups. Groups that are registered at run time need
   * room too.
   * @default - as many as the declared groups need
   */
  readonly shards?: number;
  /** @default - 256 for each 50 of `groupsPerVoter` that are begun */
  readonly voterMemoryMegabytes?: number;
  /**
   * Concurrent invocations kept for each voter: 2 or more, since one runs while the next takes over.
   * @default - not limited
   */
  readonly reservedConcurrency?: number;
  /**
   * Roles and log groups that functions are given.
   * @default - new ones are made
   */
  readonly functions?: FailoverFunctions;
  /** @default RetentionDays.THREE_MONTHS */
  readonly logRetention?: RetentionDays;
  /**
   * One alarm for each condition that an operator must act on; `{}` for alarms that tell nobody, which synthesis warns of.
   * @default - no alarms
   */
  readonly alarms?: FailoverAlarmsOptions;
  /** @default false */
  readonly dashboard?: boolean;
  /**
   * Report the figures of each group as metrics of its own too, a metric that is paid for by group and condition.
   * @default false
   */
  readonly groupMetrics?: boolean;
}
