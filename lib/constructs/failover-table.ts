// The table that every decision rests on. It outlives the stack: with it would go the epochs, and a new table's first
// publication would be older than what readers have seen. A table that is there already can take its place.

import { RemovalPolicy, Stack, Token } from "aws-cdk-lib";
import {
  AttributeType,
  Billing,
  type ITable,
  StreamViewType,
  Table,
  TableEncryptionV2,
  TableV2,
  type WarmThroughput,
} from "aws-cdk-lib/aws-dynamodb";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import { ConfigurationError } from "../core/errors.ts";
import { PARTITION_KEY, SORT_KEY, STREAM_VIEW } from "../runtime/table-schema.ts";
import { FailoverTableBase, type IFailoverTable } from "./failover-table-base.ts";
import { foreignTableIssues } from "./foreign-table.ts";
import { given } from "./given.ts";

export interface FailoverTableProps {
  /**
   * What the table is called. Under the name of one that a deleted stack has left, `cdk deploy --import-existing-resources` takes that
   * one into the new stack (docs/upgrades.md). Another name is another table.
   * @default - CloudFormation makes one up
   */
  readonly tableName?: string;
  /**
   * What becomes of the table when it leaves the stack.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Refuse to delete the table until this was switched off.
   * @default - true unless `removalPolicy` is DESTROY
   */
  readonly deletionProtection?: boolean;
  /**
   * Encrypts the table. Whoever reads or writes it is granted its use, through DynamoDB alone; the policy of a key from
   * elsewhere has to leave that to IAM.
   * @default - the key that DynamoDB owns
   */
  readonly encryptionKey?: IKey;
  /**
   * Units a second that the table is to serve at once: what all groups together ask when a zone is lost (docs/cost.md). AWS
   * charges once for raising it, and refuses a lower one later.
   * @default - what a new table has: 12,000 reads and 4,000 writes
   */
  readonly warmThroughput?: WarmThroughput;
}

/** What identifies a table that another stack, or nobody's stack, made. */
export interface FailoverTableAttributes {
  /** @default - `tableArn` is used */
  readonly tableName?: string;
  /** @default - `tableName` is used, in the stack's account and region */
  readonly tableArn?: string;
  /**
   * Of its stream, which has both images. What only reads the table needs none.
   * @default - functions cannot be fed by it
   */
  readonly tableStreamArn?: string;
  /**
   * The key of its owner that encrypts it.
   * @default - it is encrypted with a key that needs no right
   */
  readonly encryptionKey?: IKey;
}

export class FailoverTable extends FailoverTableBase {
  /**
   * A table of this app, or one that the CDK has imported. Its key must be `pk` and `sk`, both text, and its stream have both
   * images. Of an imported table the voters find out: with another key they hold still and say so.
   *
   * Throws `ConfigurationError` with every issue that is seen.
   */
  static fromTable(scope: Construct, id: string, table: ITable): IFailoverTable {
    const issues = foreignTableIssues(table);
    if (issues.length > 0) throw new ConfigurationError(`${scope.node.path}/${id}`, issues);
    return new ForeignTable(scope, id, table);
  }

  /** Throws `ConfigurationError` unless there is one of `tableName` and `tableArn`. */
  static fromAttributes(scope: Construct, id: string, attributes: FailoverTableAttributes): IFailoverTable {
    if ((attributes.tableName === undefined) === (attributes.tableArn === undefined)) {
      throw new ConfigurationError(`${scope.node.path}/${id}`, ["give one of `tableName` and `tableArn`"]);
    }
    return FailoverTable.fromTable(scope, id, Table.fromTableAttributes(scope, `${id}Import`, attributes) as ITable);
  }

  readonly table: ITable;

  constructor(scope: Construct, id: string, props: FailoverTableProps = {}) {
    super(scope, id);
    const issues = [...nameIssues("tableName", props.tableName), ...encryptionIssues(this, props.encryptionKey)];
    if (issues.length > 0) throw new ConfigurationError(this.node.path, issues);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    const { encryptionKey } = props;
    // The CDK's own types are not written for `exactOptionalPropertyTypes`.
    this.table = new TableV2(this, "Table", {
      partitionKey: { name: PARTITION_KEY, type: AttributeType.STRING },
      sortKey: { name: SORT_KEY, type: AttributeType.STRING },
      billing: Billing.onDemand(),
      ...given({ tableName: props.tableName }),
      ...given({ warmThroughput: props.warmThroughput }),
      dynamoStream: StreamViewType[STREAM_VIEW],
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy,
      deletionProtection: props.deletionProtection ?? removalPolicy !== RemovalPolicy.DESTROY,
      ...(encryptionKey === undefined ? {} : { encryption: TableEncryptionV2.customerManagedKey(encryptionKey) }),
    }) as ITable;
  }
}

/** A name that is known at deployment only is checked there, and no table is found by it to be taken into a stack. */
export const nameIssues = (at: string, name: string | undefined): string[] =>
  name === undefined || Token.isUnresolved(name) || /^[A-Za-z0-9_.-]{3,255}$/.test(name)
    ? []
    : [`${at} is ${JSON.stringify(name)} and should be 3 to 255 letters, digits, _, . and -`];

/** The CDK renders the key by region, and would fail at synthesis without saying what to do. */
export const encryptionIssues = (scope: Construct, key: IKey | undefined): string[] =>
  key === undefined || !Token.isUnresolved(Stack.of(scope).region)
    ? []
    : ["a table with a key of its own needs a stack whose region is known: give the stack an `env` with `region`"];

class ForeignTable extends FailoverTableBase {
  readonly table: ITable;

  constructor(scope: Construct, id: string, table: ITable) {
    super(scope, id);
    this.table = table;
  }
}
