// Rights on the table, each action only on the partitions where the store asks for it: test/integ/security.test.ts holds
// both against each other. Where the table is encrypted with a key of its owner, whoever reads or writes it needs that key too.

import { Stack } from "aws-cdk-lib";
import type { ITable } from "aws-cdk-lib/aws-dynamodb";
import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";

/** Partitions of the store, as lib/adapters/dynamodb/keys.ts spells them. */
const SPECS = "groups";
const SLOT_DIRECTORY = "voters";
const GROUPS = "group#*";
const PUBLICATIONS = "published#*";
const SLOTS = "voter#*";

type Right = readonly [actions: readonly string[], partitions: readonly string[]];

/** `shard` undefined: the slots of all of them. */
export function grantVote(table: ITable, grantee: IGrantable, voter: string, shard: number | undefined): Grant {
  const slot = `voter#${voter}#${shard ?? "*"}`;
  // What numbers its invocations is the voter's, whatever the shard.
  const generation = shard === undefined ? [] : [`voter#${voter}#generation`];
  const rights: Right[] = [
    [
      ["GetItem", "UpdateItem"],
      [GROUPS, PUBLICATIONS, slot],
    ],
    [["PutItem"], [PUBLICATIONS, slot, ...generation, SLOT_DIRECTORY]],
    [["Query"], [SPECS]],
    // IAM cannot tell the puts of a batch from its deletions.
    [["BatchGetItem", "BatchWriteItem"], [GROUPS]],
  ];
  return grantItems(table, grantee, rights)
    .combine(grantIdentity(table, grantee))
    .combine(grantKey(table, grantee, true));
}

export function grantPublish(table: ITable, grantee: IGrantable): Grant {
  const rights: Right[] = [
    [["GetItem"], [GROUPS, PUBLICATIONS]],
    [["PutItem", "UpdateItem"], [PUBLICATIONS]],
    [["Query"], [SPECS, SLOT_DIRECTORY]],
    [["BatchGetItem"], [SLOTS]],
  ];
  return grantItems(table, grantee, rights)
    .combine(grantIdentity(table, grantee))
    .combine(grantKey(table, grantee, true));
}

export function grantStop(table: ITable, grantee: IGrantable): Grant {
  const rights: Right[] = [
    [["GetItem", "UpdateItem"], [GROUPS]],
    [["BatchGetItem"], [GROUPS]],
    [["Query"], [SPECS]],
  ];
  return grantItems(table, grantee, rights)
    .combine(grantIdentity(table, grantee))
    .combine(grantKey(table, grantee, true));
}

export function grantEvacuate(table: ITable, grantee: IGrantable): Grant {
  const rights: Right[] = [
    // Also to look: voters that are looked at take an order up at once.
    [["GetItem", "PutItem", "UpdateItem"], [GROUPS]],
    [["BatchGetItem"], [GROUPS]],
    [["Query"], [SPECS]],
  ];
  return grantItems(table, grantee, rights).combine(grantKey(table, grantee, true));
}

export function grantRegister(table: ITable, grantee: IGrantable): Grant {
  const rights: Right[] = [
    // A new group's shard is chosen by what is in the others.
    [["GetItem", "PutItem", "Query"], [SPECS]],
    [["DeleteItem"], [SPECS, GROUPS, PUBLICATIONS]],
  ];
  return grantItems(table, grantee, rights).combine(grantKey(table, grantee, true));
}

const OPERATE: readonly Right[] = [
  [["GetItem"], [SPECS, GROUPS, PUBLICATIONS]],
  // Also to look: a mark in the ballot asks the voters to write down what they see.
  [["PutItem", "UpdateItem"], [GROUPS]],
  [["Query"], [SPECS, SLOT_DIRECTORY, GROUPS]],
  [["BatchGetItem"], [GROUPS, SLOTS]],
];

export function grantOperate(table: ITable, grantee: IGrantable): Grant {
  return grantItems(table, grantee, OPERATE)
    .combine(grantIdentity(table, grantee))
    .combine(grantKey(table, grantee, true));
}

export function grantAdminister(table: ITable, grantee: IGrantable): Grant {
  const rights: Right[] = [
    [["PutItem"], [SPECS]],
    [["DeleteItem"], [SPECS, GROUPS, PUBLICATIONS]],
  ];
  return grantOperate(table, grantee).combine(grantItems(table, grantee, rights));
}

/** `group` undefined: of every group. */
export function grantReadPublication(table: ITable, grantee: IGrantable, group: string | undefined): Grant {
  const partition = group === undefined ? PUBLICATIONS : `published#${group}`;
  return grantItems(table, grantee, [[["GetItem"], [partition]]]).combine(grantKey(table, grantee, false));
}

function grantItems(table: ITable, grantee: IGrantable, rights: readonly Right[]): Grant {
  const grants = rights.map(([actions, partitions]) =>
    Grant.addToPrincipal({
      grantee,
      actions: actions.map((action) => `dynamodb:${action}`),
      resourceArns: [table.tableArn],
      // `ForAllValues` is true when there is no key at all, and every one of these actions has one.
      conditions: {
        "ForAllValues:StringLike": { "dynamodb:LeadingKeys": [...partitions] },
        Null: { "dynamodb:LeadingKeys": "false" },
      },
    }),
  );
  return grants.reduce((all, each) => all.combine(each));
}

const WRITE_WITH_KEY = [
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
];

/** A ballot names the table it was written for, by the table's id. */
const grantIdentity = (table: ITable, grantee: IGrantable): Grant =>
  Grant.addToPrincipal({ grantee, actions: ["dynamodb:DescribeTable"], resourceArns: [table.tableArn] });

/** Through DynamoDB only: nobody decrypts anything else with it. */
function grantKey(table: ITable, grantee: IGrantable, writes: boolean): Grant {
  if (table.encryptionKey === undefined)
    return Grant.drop(grantee, "the table is encrypted with a key that needs no right");
  const { region, urlSuffix } = Stack.of(table);
  return Grant.addToPrincipal({
    grantee,
    actions: ["kms:Decrypt", "kms:DescribeKey", ...(writes ? WRITE_WITH_KEY : [])],
    resourceArns: [table.encryptionKey.keyArn],
    conditions: { StringEquals: { "kms:ViaService": `dynamodb.${region}.${urlSuffix}` } },
  });
}
