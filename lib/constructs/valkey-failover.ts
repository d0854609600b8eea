// Everything in one construct: the table, a voter in each of three zones, the publisher, their schedules, and the groups
// that the app declares. All properties are checked together before anything is created, so that one synthesis names
// every issue.

import { type RemovalPolicy, Token } from "aws-cdk-lib";
import type { Metric, MetricOptions } from "aws-cdk-lib/aws-cloudwatch";
import type { Connections, IConnectable, ISecurityGroup, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { DeclaredConfig } from "../core/config.ts";
import { ConfigurationError } from "../core/errors.ts";
import { DeadLetters } from "./dead-letters.ts";
import { declareGroups } from "./declared-groups.ts";
import { Egress } from "./egress.ts";
import {
  FailoverAlarms,
  type FailoverAlarmsOptions,
  groupAlarmIssues,
  type WatchedFunction,
} from "./failover-alarms.ts";
import { FailoverDashboard } from "./failover-dashboard.ts";
import { FailoverMetrics } from "./failover-metrics.ts";
import { FailoverNotifications, type NotificationOptions } from "./failover-notifications.ts";
import { FailoverTable } from "./failover-table.ts";
import type { NodeCredentials, PublicationProps, ValkeyGroupProps } from "./group-props.ts";
import { PublicationPublisher } from "./publication-publisher.ts";
import { RegisteredGroups } from "./registered-groups.ts";
import { selectZones, type VoterZone } from "./voter-zones.ts";
import { Voters } from "./voters.ts";

export interface ValkeyFailoverProps {
  /** Where the nodes are, or a VPC from which they are reached. */
  readonly vpc: IVpc;
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
  /** @default Egress.NONE */
  readonly egress?: Egress;
  /**
   * Create DynamoDB's gateway endpoint (free) for the voters' subnets. Without one they must have a way to DynamoDB already. Creating
   * it cuts the open DynamoDB connections of everything that uses the same route tables.
   * @default false
   */
  readonly createDynamoDbEndpoint?: boolean;
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
   * What becomes of the table when it leaves the stack.
   * @default RemovalPolicy.RETAIN
   */
  readonly tableRemovalPolicy?: RemovalPolicy;
  /**
   * Voters look once a minute, and stay only while something is not well. A fall is noticed up to a minute later; an order
   * waits as long. Costs about a tenth.
   * @default false
   */
  readonly economy?: boolean;
  /** @default 256 */
  readonly voterMemoryMegabytes?: number;
  /**
   * Concurrent invocations kept for each voter: 2 or more, since one runs while the next takes over.
   * @default - not limited
   */
  readonly reservedConcurrency?: number;
  /** @default RetentionDays.THREE_MONTHS */
  readonly logRetention?: RetentionDays;
  /**
   * One alarm for each condition that an operator must act on; `{}` for alarms that tell nobody.
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

export class ValkeyFailover extends Construct implements IConnectable {
  readonly table: FailoverTable;
  readonly voters: Voters;
  readonly publisher: PublicationPublisher;
  /** Undefined when neither a bus nor a topic is told. */
  readonly notifications?: FailoverNotifications;
  /** Deliveries that were given up; a message here rings `dead-letters`. */
  readonly deadLetterQueue: IQueue;
  /** The voters', for rules of the nodes' security groups. */
  readonly connections: Connections;
  /** Every figure that the functions report. */
  readonly metrics: FailoverMetrics;
  /** Undefined unless asked for. */
  readonly alarms?: FailoverAlarms;

  /** Throws `ConfigurationError` with every issue of the properties. */
  constructor(scope: Construct, id: string, props: ValkeyFailoverProps) {
    super(scope, id);
    const { zones, groups } = check(this.node.path, props);
    const publication = props.publication ?? {};
    this.deadLetterQueue = new DeadLetters(this, "DeadLetters").queue;
    const logs = props.logRetention === undefined ? {} : { logRetention: props.logRetention };
    const common = {
      deadLetterQueue: this.deadLetterQueue,
      groupMetrics: props.groupMetrics ?? false,
      ...logs,
    };
    this.table = new FailoverTable(this, "Table", {
      ...(props.tableRemovalPolicy === undefined ? {} : { removalPolicy: props.tableRemovalPolicy }),
    });
    this.voters = new Voters(this, "Voters", {
      vpc: props.vpc,
      zones,
      table: this.table,
      egress: props.egress ?? Egress.NONE,
      publication,
      credentials: credentialsOf(props),
      ...common,
      ...(props.environmentKey === undefined ? {} : { environmentKey: props.environmentKey }),
      ...(props.createDynamoDbEndpoint === undefined ? {} : { createDynamoDbEndpoint: props.createDynamoDbEndpoint }),
      ...(props.securityGroup === undefined ? {} : { securityGroup: props.securityGroup }),
      ...(props.allowAllOutbound === undefined ? {} : { allowAllOutbound: props.allowAllOutbound }),
      economy: props.economy ?? false,
      ...(props.voterMemoryMegabytes === undefined ? {} : { memoryMegabytes: props.voterMemoryMegabytes }),
      ...(props.reservedConcurrency === undefined ? {} : { reservedConcurrency: props.reservedConcurrency }),
    });
    this.connections = this.voters.connections;
    this.publisher = new PublicationPublisher(this, "Publication", { table: this.table, publication, ...common });
    const functions: WatchedFunction[] = [
      ...this.voters.voters.map((voter) => ({ name: `voter-${voter.zone}`, function: voter.function })),
      { name: "publisher", function: this.publisher.function },
    ];
    const { notifications = {} } = props;
    if (notifications.topic !== undefined || notifications.toEventBus !== false) {
      const { table, deadLetterQueue } = this;
      const own = { table, deadLetterQueue, ...logs };
      this.notifications = new FailoverNotifications(this, "Notifications", { ...own, ...notifications });
      functions.push({ name: "notifier", function: this.notifications.function });
    }
    if (groups.length > 0) {
      const registered = new RegisteredGroups(this, "Groups", {
        table: this.table,
        groups,
        voters: zones.map((zone) => zone.zone),
        readers: this.voters.voters.map((voter) => voter.function),
        ...logs,
      });
      functions.push({ name: "registrar", function: registered.function });
    }
    const { tableName } = this.table.table;
    this.metrics = new FailoverMetrics(tableName);
    const watched = { tableName, zones: zones.map((zone) => zone.zone), functions };
    if (props.alarms !== undefined) {
      const deadLetterQueues = [this.deadLetterQueue, ...(props.alarms.deadLetterQueues ?? [])];
      this.alarms = new FailoverAlarms(this, "Alarms", { ...watched, ...props.alarms, deadLetterQueues });
    }
    if (props.dashboard === true) {
      // One widget shows a hundred alarms at most, and those over all groups ring with those of one.
      const overAll = (this.alarms?.alarms ?? []).filter((each) => each.groupName === undefined);
      new FailoverDashboard(this, "Dashboard", { ...watched, alarms: overAll.map((each) => each.alarm) });
    }
  }

  /** New primaries that nobody had planned. @default - the sum of a minute */
  metricFailovers(options?: MetricOptions): Metric {
    return this.metrics.metricFailovers(options);
  }

  /** Groups in which something is wrong and nothing is done, for half a minute. @default - the most of a minute */
  metricGroupsBlocked(options?: MetricOptions): Metric {
    return this.metrics.metricGroupsBlocked(options);
  }

  /** Groups for which no failover would be possible. @default - the most of a minute */
  metricGroupsNotReady(options?: MetricOptions): Metric {
    return this.metrics.metricGroupsNotReady(options);
  }
}

interface Checked {
  readonly zones: VoterZone[];
  readonly groups: DeclaredConfig[];
}

function check(path: string, props: ValkeyFailoverProps): Checked {
  const issues: string[] = [];
  const complain = (issue: string): void => {
    issues.push(issue);
  };
  const egress = props.egress ?? Egress.NONE;
  const zones = selectZones({ vpc: props.vpc, subnets: props.subnets, zones: props.zones }, complain);
  const groups = declareGroups(
    {
      groups: props.groups ?? [],
      credentials: props.credentials,
      publication: props.publication ?? {},
      voters: zones.map((zone) => zone.zone),
      egress,
    },
    complain,
  );
  if (!egress.reachesSecrets && props.credentials !== undefined && props.environmentKey === undefined) {
    complain(
      'with egress "none" the secret is placed into the voters\' environment: give `environmentKey`, a key of yours that encrypts it, ' +
        "or another egress, with which voters read the secret themselves",
    );
  }
  if (props.notifications?.topic?.fifo === true) {
    complain("notifications.topic is a FIFO topic: give a standard one, steps of a group carry their order in `at`");
  }
  const { reservedConcurrency } = props;
  if (reservedConcurrency !== undefined && !Token.isUnresolved(reservedConcurrency) && reservedConcurrency < 2) {
    complain(
      `reservedConcurrency is ${reservedConcurrency} and should be 2 or more: a successor must be able to start while its predecessor still watches`,
    );
  }
  for (const issue of groupAlarmIssues(props.alarms ?? {})) complain(issue);
  if ((props.alarms?.groupNames ?? []).length > 0 && props.groupMetrics !== true) {
    complain("alarms.groupNames asks for alarms on figures of single groups: set groupMetrics, which reports them");
  }
  if (props.createDynamoDbEndpoint === true) for (const issue of routeIssues(zones)) complain(issue);
  if (issues.length > 0) throw new ConfigurationError(path, issues);
  return { zones, groups };
}

/** An imported subnet may not know its route table, and an endpoint without one reaches nothing. */
const routeIssues = (zones: readonly VoterZone[]): string[] =>
  zones
    .filter(({ subnet }) => (subnet.routeTable.routeTableId as string | undefined) === undefined)
    .map(({ zone }) => missingRouteTable(zone));

const missingRouteTable = (zone: string): string =>
  `createDynamoDbEndpoint needs the route table of the subnet in ${zone}: import the VPC with its route table ids`;

/** Every group's own, and the construct's for the others. */
function credentialsOf(props: ValkeyFailoverProps): NodeCredentials[] {
  const own = (props.groups ?? []).flatMap((group) => group.credentials ?? []);
  return [...(props.credentials === undefined ? [] : [props.credentials]), ...own];
}
