// The table that every decision rests on. It outlives the stack: with it would go the epochs, and a new table's first
// publication would be older than what readers have seen.

import { RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, Billing, StreamViewType, TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { type IGrantable, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { PARTITION_KEY, SORT_KEY, STREAM_VIEW } from "../runtime/table-schema.ts";

export interface FailoverTableProps {
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
}

/** Partitions of the store, as lib/adapters/dynamodb/keys.ts spells them. */
const SPECS = "groups";
const SLOT_DIRECTORY = "voters";
const GROUPS = "group#*";
const PUBLICATIONS = "published#*";
const SLOTS = "voter#*";

export class FailoverTable extends Construct {
  readonly table: TableV2;

  constructor(scope: Construct, id: string, props: FailoverTableProps = {}) {
    super(scope, id);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.table = new TableV2(this, "Table", {
      partitionKey: { name: PARTITION_KEY, type: AttributeType.STRING },
      sortKey: { name: SORT_KEY, type: AttributeType.STRING },
      billing: Billing.onDemand(),
      dynamoStream: StreamViewType[STREAM_VIEW],
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy,
      deletionProtection: props.deletionProtection ?? removalPolicy !== RemovalPolicy.DESTROY,
    });
  }

  // Each action only on the partitions where the store asks for it: test/integ/security.test.ts holds both against each other.

  /** A voter: the groups' items, what is published, and the slots of its own name. */
  grantVote(grantee: IGrantable, voter: string): void {
    const slots = `voter#${voter}#*`;
    this.#grant(grantee, ["dynamodb:GetItem", "dynamodb:UpdateItem"], [GROUPS, PUBLICATIONS, slots]);
    this.#grant(grantee, ["dynamodb:PutItem"], [PUBLICATIONS, slots, SLOT_DIRECTORY]);
    this.#grant(grantee, ["dynamodb:Query"], [SPECS]);
    // IAM cannot tell the puts of a batch from its deletions.
    this.#grant(grantee, ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"], [GROUPS]);
    this.#grantIdentity(grantee);
  }

  /** The publisher: reads groups and what voters see of them, writes what is published. */
  grantPublish(grantee: IGrantable): void {
    this.#grant(grantee, ["dynamodb:GetItem"], [GROUPS, PUBLICATIONS]);
    this.#grant(grantee, ["dynamodb:PutItem", "dynamodb:UpdateItem"], [PUBLICATIONS]);
    this.#grant(grantee, ["dynamodb:Query"], [SPECS, SLOT_DIRECTORY]);
    this.#grant(grantee, ["dynamodb:BatchGetItem"], [SLOTS]);
    this.#grantIdentity(grantee);
  }

  /** The registrar: what was declared; of a group that is taken out of the app also the rest, but for its history. */
  grantRegister(grantee: IGrantable): void {
    this.#grant(grantee, ["dynamodb:GetItem", "dynamodb:PutItem"], [SPECS]);
    this.#grant(grantee, ["dynamodb:DeleteItem"], [SPECS, GROUPS, PUBLICATIONS]);
  }

  #grant(grantee: IGrantable, actions: string[], partitions: string[]): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions,
        resources: [this.table.tableArn],
        // `ForAllValues` is true when there is no key at all, and every one of these actions has one.
        conditions: {
          "ForAllValues:StringLike": { "dynamodb:LeadingKeys": partitions },
          Null: { "dynamodb:LeadingKeys": "false" },
        },
      }),
    );
  }

  /** A ballot names the table it was written for, by the table's id. */
  #grantIdentity(grantee: IGrantable): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ["dynamodb:DescribeTable"], resources: [this.table.tableArn] }),
    );
  }
}
