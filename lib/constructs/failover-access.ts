// What other stacks do with a deployment: let people operate it, let applications find the primary, and watch it. The same
// for one that this app makes and for one that another made.

import { Stack } from "aws-cdk-lib";
import type { Metric, MetricOptions } from "aws-cdk-lib/aws-cloudwatch";
import { Connections, type IConnectable, type ISecurityGroup } from "aws-cdk-lib/aws-ec2";
import type { Grant, IGrantable } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Construct, type IConstruct } from "constructs";
import { ConfigurationError } from "../core/errors.ts";
import { FailoverMetrics } from "./failover-metrics.ts";
import { FailoverTable } from "./failover-table.ts";
import type { IFailoverTable } from "./failover-table-base.ts";
import { given } from "./given.ts";
import type { PublicationProps } from "./group-props.ts";
import { grantReadParameters } from "./publication-grants.ts";

/** A deployment of Valkeeper, of this app or of another. Its connections are the voters', for rules of the nodes' security groups. */
export interface IValkeyFailover extends IConstruct, IConnectable {
  readonly table: IFailoverTable;
  /** Every figure that the functions report. */
  readonly metrics: FailoverMetrics;
  /**
   * All commands of the command line but those that change groups: look, pause, switch over, fail over. Of the table alone: no
   * command reaches a node.
   */
  grantOperate(grantee: IGrantable): Grant;
  /** All commands, `groups add`, `set` and `remove` included. */
  grantAdminister(grantee: IGrantable): Grant;
  /** What an application reads to find the primary: the parameters, and the table's own item, of `group` or of every group. */
  grantResolve(grantee: IGrantable, group?: string): Grant;
  /** New primaries that nobody had planned. @default - the sum of a minute */
  metricFailovers(options?: MetricOptions): Metric;
  /** Groups in which something is wrong and nothing is done, for half a minute. @default - the most of a minute */
  metricGroupsBlocked(options?: MetricOptions): Metric;
  /** Groups for which no failover would be possible. @default - the most of a minute */
  metricGroupsNotReady(options?: MetricOptions): Metric;
}

/** What identifies the deployment: its stack's output `TableName`, and where it publishes. */
export interface ValkeyFailoverAttributes {
  /** @default - `tableArn` is used */
  readonly tableName?: string;
  /** @default - `tableName` is used, in the stack's account and region */
  readonly tableArn?: string;
  /**
   * The key of its owner that encrypts the table.
   * @default - it is encrypted with a key that needs no right
   */
  readonly tableEncryptionKey?: IKey;
  /**
   * As the deployment was told.
   * @default - parameters below /valkeeper
   */
  readonly publication?: PublicationProps;
  /**
   * The voters', of its `connections` or its stack's output `VoterSecurityGroups`: for rules such as
   * `nodes.connections.allowFrom(failover, Port.tcp(6379))`.
   * @default - no rule can be made with it
   */
  readonly voterSecurityGroups?: ISecurityGroup[];
}

export abstract class FailoverAccess extends Construct implements IValkeyFailover {
  abstract readonly table: IFailoverTable;
  abstract readonly metrics: FailoverMetrics;
  abstract readonly connections: Connections;
  readonly #publication: PublicationProps;

  constructor(scope: Construct, id: string, publication: PublicationProps = {}) {
    super(scope, id);
    this.#publication = publication;
  }

  /** All commands of the command line but those that change groups. */
  grantOperate(grantee: IGrantable): Grant {
    return this.table.grantOperate(grantee);
  }

  /** All commands of the command line. */
  grantAdminister(grantee: IGrantable): Grant {
    return this.table.grantAdminister(grantee);
  }

  /** What an application reads to find the primary of `group`, or of every group. */
  grantResolve(grantee: IGrantable, group?: string): Grant {
    const parameters = grantReadParameters({ stack: Stack.of(this), grantee, publication: this.#publication, group });
    return this.table.grantReadPublication(grantee, group).combine(parameters);
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

/** Of another stack, or another app. */
export class ImportedFailover extends FailoverAccess {
  readonly table: IFailoverTable;
  readonly metrics: FailoverMetrics;
  readonly #securityGroups: readonly ISecurityGroup[];

  constructor(scope: Construct, id: string, attributes: ValkeyFailoverAttributes) {
    super(scope, id, attributes.publication);
    const { tableName, tableArn, tableEncryptionKey: encryptionKey, voterSecurityGroups = [] } = attributes;
    this.table = FailoverTable.fromAttributes(this, "Table", given({ tableName, tableArn, encryptionKey }));
    this.metrics = new FailoverMetrics(this.table.table.tableName);
    this.#securityGroups = voterSecurityGroups;
  }

  /** Without a security group a rule would be left out without a word. */
  get connections(): Connections {
    if (this.#securityGroups.length > 0) return new Connections({ securityGroups: [...this.#securityGroups] });
    throw new ConfigurationError(this.node.path, [
      "which security groups the voters have is not known here: give `voterSecurityGroups`",
    ]);
  }
}
