// Everything in one construct: the table, voters in each of three zones, the publisher, their schedules, and the groups
// that the app declares.

import type { Connections, IConnectable, IVpc } from "aws-cdk-lib/aws-ec2";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { voterFunctionName } from "../runtime/metric-names.ts";
import { BundledFunction } from "./bundled-function.ts";
import { DeadLetters } from "./dead-letters.ts";
import { DynamoDbEndpoint } from "./dynamo-db-endpoint.ts";
import { Egress } from "./egress.ts";
import {
  FailoverAccess,
  ImportedFailover,
  type IValkeyFailover,
  type ValkeyFailoverAttributes,
} from "./failover-access.ts";
import { FailoverAlarms, nameOf, type WatchedFunction } from "./failover-alarms.ts";
import { FailoverDashboard } from "./failover-dashboard.ts";
import { FailoverMetrics } from "./failover-metrics.ts";
import { FailoverNotifications } from "./failover-notifications.ts";
import type { ValkeyFailoverProps } from "./failover-props.ts";
import { checkProps, conditionTopicOf, isTold } from "./failover-props-check.ts";
import { FailoverTable } from "./failover-table.ts";
import type { IFailoverTable } from "./failover-table-base.ts";
import { createVpc } from "./failover-vpc.ts";
import { given } from "./given.ts";
import type { NodeCredentials } from "./group-props.ts";
import { HostEvacuator } from "./host-evacuator.ts";
import { HostStopper } from "./host-stopper.ts";
import { PublicationPublisher } from "./publication-publisher.ts";
import { RegisteredGroups } from "./registered-groups.ts";
import { sizingOf } from "./voter-shards.ts";
import { type Voter, Voters } from "./voters.ts";

export class ValkeyFailover extends FailoverAccess implements IConnectable {
  /**
   * One that another stack or app has deployed: to grant what its operators and applications need, and to watch it. Throws
   * `ConfigurationError` unless there is one of `tableName` and `tableArn`.
   */
  static fromAttributes(scope: Construct, id: string, attributes: ValkeyFailoverAttributes): IValkeyFailover {
    return new ImportedFailover(scope, id, attributes);
  }

  /** The given one, or the one that was made. */
  readonly vpc: IVpc;
  readonly table: IFailoverTable;
  readonly voters: Voters;
  readonly publisher: PublicationPublisher;
  /** Undefined when neither a bus nor a topic is told. */
  readonly notifications?: FailoverNotifications;
  /** Undefined unless asked for. */
  readonly hostStopper?: HostStopper;
  /** Undefined unless it is said what the nodes run on. */
  readonly hostEvacuator?: HostEvacuator;
  /** Deliveries that were given up; a message here rings `dead-letters`. */
  readonly deadLetterQueue: IQueue;
  /** The voters', for rules of the nodes' security groups. */
  readonly connections: Connections;
  /** Every figure that the functions report. */
  readonly metrics: FailoverMetrics;
  /** Undefined unless asked for. */
  readonly alarms?: FailoverAlarms;
  /** Undefined unless asked for. */
  readonly dashboard?: FailoverDashboard;

  /** Throws `ConfigurationError` with every issue of the properties. */
  constructor(scope: Construct, id: string, props: ValkeyFailoverProps = {}) {
    super(scope, id, props.publication);
    const egress = props.egress ?? Egress.NONE;
    this.vpc = props.vpc ?? createVpc(this, "Vpc", egress);
    const { zones, groups } = checkProps(this, props, this.vpc);
    const { publication = {}, notifications = {}, functions = {}, nodesRunOn = [], logRetention } = props;
    const names = zones.map((zone) => zone.zone);
    const deadLetterQueue = new DeadLetters(this, "DeadLetters").queue;
    const table = props.table ?? this.#createTable(props);
    const own = { table, deadLetterQueue, ...given({ logRetention }) };
    const groupMetrics = props.groupMetrics ?? false;
    this.deadLetterQueue = deadLetterQueue;
    this.table = table;
    this.voters = new Voters(this, "Voters", { vpc: this.vpc, zones, egress, ...own, ...votersOptions(props) });
    const { shards, groupsPerVoter } = sizingOf(props);
    this.connections = this.voters.connections;
    this.publisher = new PublicationPublisher(this, "Publication", {
      ...own,
      publication,
      groupMetrics,
      groupsPerVoter,
      ...(shards === 1 ? {} : { shards }),
      ...given({ parts: functions.publisher }),
    });
    const watched: WatchedFunction[] = [
      ...watchedVoters(this.voters.voters),
      { name: "publisher", function: this.publisher.function },
    ];
    if (isTold(props)) {
      const parts = given({ conditionTopic: conditionTopicOf(props), parts: functions.notifier });
      this.notifications = new FailoverNotifications(this, "Notifications", { ...own, ...notifications, ...parts });
      watched.push({ name: "notifier", function: this.notifications.function });
    }
    if (props.hostStopping !== undefined) {
      const parts = given({ parts: functions.stopper });
      this.hostStopper = new HostStopper(this, "HostStopping", { ...own, ...props.hostStopping, ...parts });
      watched.push({ name: "stopper", function: this.hostStopper.function });
    }
    if (nodesRunOn.length > 0) {
      const voters = props.economy === true ? { restingVoters: this.voters.voters.map((each) => each.function) } : {};
      const parts = { nodesRunOn, ...voters, ...given({ parts: functions.evacuator }) };
      this.hostEvacuator = new HostEvacuator(this, "Evacuation", { ...own, ...parts });
      watched.push({ name: "evacuator", function: this.hostEvacuator.function });
    }
    if (groups.length > 0) {
      const hasStopper = this.hostStopper !== undefined;
      const parts = { hasStopper, shards, groupsPerVoter, ...given({ logRetention, parts: functions.registrar }) };
      const readers = this.voters.voters.map((voter) => voter.function);
      const registered = new RegisteredGroups(this, "Groups", { table, groups, voters: names, readers, ...parts });
      watched.push({ name: "registrar", function: registered.function });
    }
    this.metrics = new FailoverMetrics(table.table.tableName);
    const seen = { tableName: table.table.tableName, zones: names, shards, functions: watched };
    if (props.alarms !== undefined) {
      const deadLetterQueues = [deadLetterQueue, ...(props.alarms.deadLetterQueues ?? [])];
      const named = { namePrefix: nameOf(this), logGroups: logGroupsIn(this.voters, this.publisher), ...props.alarms };
      this.alarms = new FailoverAlarms(this, "Alarms", { ...seen, ...named, deadLetterQueues });
    }
    if (props.dashboard === true) {
      // One widget shows a hundred alarms at most, and those over all groups ring with those of one.
      const overAll = (this.alarms?.alarms ?? []).filter((each) => each.groupName === undefined);
      this.dashboard = new FailoverDashboard(this, "Dashboard", { ...seen, alarms: overAll.map((each) => each.alarm) });
    }
  }

  /** Every function's, for a query over all of them. */
  get logGroups(): ILogGroup[] {
    return logGroupsIn(this);
  }

  #createTable(props: ValkeyFailoverProps): FailoverTable {
    const { tableRemovalPolicy: removalPolicy, tableEncryptionKey: encryptionKey } = props;
    const { tableWarmThroughput: warmThroughput, tableName } = props;
    return new FailoverTable(this, "Table", given({ tableName, removalPolicy, encryptionKey, warmThroughput }));
  }
}

const logGroupsIn = (...scopes: readonly Construct[]): ILogGroup[] =>
  scopes
    .flatMap((scope) => scope.node.findAll())
    .flatMap((each) => (each instanceof BundledFunction ? [each.logGroup] : []));

const watchedVoters = (voters: readonly Voter[]): WatchedFunction[] =>
  voters.map(({ zone, shard, function: voter }) => ({
    name: `voter-${voterFunctionName(zone, shard)}`,
    function: voter,
  }));

function votersOptions(props: ValkeyFailoverProps) {
  const newVpcs = props.vpc === undefined ? DynamoDbEndpoint.CREATE : DynamoDbEndpoint.EXISTING;
  return {
    publication: props.publication ?? {},
    credentials: credentialsOf(props),
    groupMetrics: props.groupMetrics ?? false,
    economy: props.economy ?? false,
    dynamoDbEndpoint: props.dynamoDbEndpoint ?? newVpcs,
    ...sizingOf(props),
    ...given({
      environmentKey: props.environmentKey,
      securityGroup: props.securityGroup,
      allowAllOutbound: props.allowAllOutbound,
      reservedConcurrency: props.reservedConcurrency,
      functions: props.functions?.voters,
    }),
  };
}

/** Every group's own, and the construct's for the others. */
function credentialsOf(props: ValkeyFailoverProps): NodeCredentials[] {
  const own = (props.groups ?? []).flatMap((group) => group.credentials ?? []);
  return [...(props.credentials === undefined ? [] : [props.credentials]), ...own];
}
