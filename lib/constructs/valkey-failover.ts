// Everything in one construct: the table, a voter in each of three zones, the publisher, their schedules, and the groups
// that the app declares. All properties are checked together before anything is created, so that one synthesis names
// every issue.

import { type RemovalPolicy, Token } from "aws-cdk-lib";
import type { Connections, IConnectable, ISecurityGroup, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { DeclaredConfig } from "../core/config.ts";
import { ConfigurationError } from "../core/errors.ts";
import { declareGroups } from "./declared-groups.ts";
import { Egress } from "./egress.ts";
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
  /** @default - a new one that lets everything out and nothing in */
  readonly securityGroup?: ISecurityGroup;
  /**
   * What becomes of the table when it leaves the stack.
   * @default RemovalPolicy.RETAIN
   */
  readonly tableRemovalPolicy?: RemovalPolicy;
  /** @default 256 */
  readonly voterMemoryMegabytes?: number;
  /**
   * Concurrent invocations kept for each voter: 2 or more, since one runs while the next takes over.
   * @default - not limited
   */
  readonly reservedConcurrency?: number;
  /** @default RetentionDays.THREE_MONTHS */
  readonly logRetention?: RetentionDays;
}

export class ValkeyFailover extends Construct implements IConnectable {
  readonly table: FailoverTable;
  readonly voters: Voters;
  readonly publisher: PublicationPublisher;
  /** The voters', for rules of the nodes' security groups. */
  readonly connections: Connections;

  /** Throws `ConfigurationError` with every issue of the properties. */
  constructor(scope: Construct, id: string, props: ValkeyFailoverProps) {
    super(scope, id);
    const { zones, groups } = check(this.node.path, props);
    const publication = props.publication ?? {};
    const logs = props.logRetention === undefined ? {} : { logRetention: props.logRetention };
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
      ...logs,
      ...(props.environmentKey === undefined ? {} : { environmentKey: props.environmentKey }),
      ...(props.createDynamoDbEndpoint === undefined ? {} : { createDynamoDbEndpoint: props.createDynamoDbEndpoint }),
      ...(props.securityGroup === undefined ? {} : { securityGroup: props.securityGroup }),
      ...(props.voterMemoryMegabytes === undefined ? {} : { memoryMegabytes: props.voterMemoryMegabytes }),
      ...(props.reservedConcurrency === undefined ? {} : { reservedConcurrency: props.reservedConcurrency }),
    });
    this.connections = this.voters.connections;
    this.publisher = new PublicationPublisher(this, "Publication", { table: this.table, publication, ...logs });
    if (groups.length > 0) {
      new RegisteredGroups(this, "Groups", {
        table: this.table,
        groups,
        voters: zones.map((zone) => zone.zone),
        ...logs,
      });
    }
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
  const { reservedConcurrency } = props;
  if (reservedConcurrency !== undefined && !Token.isUnresolved(reservedConcurrency) && reservedConcurrency < 2) {
    complain(
      `reservedConcurrency is ${reservedConcurrency} and should be 2 or more: a successor must be able to start while its predecessor still watches`,
    );
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
