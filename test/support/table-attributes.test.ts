import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { requestsOf, type SdkCommand } from "./aws-requests.ts";
import { allows, type PolicyStatement } from "./iam-policy.ts";
import { attributeRows, attributesNamed, touchedBy } from "./table-attributes.ts";

const TableName = "groups";
const keyOf = (pk: string, sk: string) => ({ pk: { S: pk }, sk: { S: sk } });
const ballot = keyOf("group#a", "ballot");
const update = (more: Omit<ConstructorParameters<typeof UpdateItemCommand>[0], "TableName" | "Key">) =>
  new UpdateItemCommand({ TableName, Key: ballot, ...more });
const renew = update({
  UpdateExpression: "SET #n0.#n1 = :v0, #n2 = :v1 REMOVE #n3, operation.stop",
  ConditionExpression: "attribute_exists(pk) AND (NOT (#n4 = :v2) OR attribute_not_exists (#n5.#n1) OR epoch < :epoch)",
  ExpressionAttributeNames: {
    "#n0": "lease",
    "#n1": "version",
    "#n2": "attempt",
    "#n3": "budget",
    "#n4": "vote_az-a",
    "#n5": "members",
  },
  ExpressionAttributeValues: { ":v0": { N: "1" } },
});
const row = (...commands: readonly SdkCommand[]) => attributeRows("r", commands.flatMap(touchedBy));

describe("the attributes of a command", () => {
  it("are those at the top that its expressions set and ask for, functions, values and words left out", () => {
    expect(row(renew)).toEqual([
      "| r | ballot | - | `attempt`, `budget`, `lease`, `operation` | `epoch`, `members`, `vote_az-a` |",
    ]);
    expect(attributesNamed(renew).toSorted()).toEqual(
      ["attempt", "budget", "epoch", "lease", "members", "operation", "pk", "sk", "vote_az-a"].toSorted(),
    );
  });

  it("are all of an item that is put, and none that is named of one that is read or deleted", () => {
    const put = new PutItemCommand({ TableName, Item: { ...keyOf("published#a", "primary"), epoch: { N: "1" } } });
    const get = new GetItemCommand({ TableName, Key: keyOf("published#a", "primary") });
    const remove = new DeleteItemCommand({ TableName, Key: keyOf("published#a", "copies") });
    expect(row(put, get, remove)).toEqual([
      "| r | note of the copies (deletes it) | - | - | - |",
      "| r | publication | yes | `epoch` | - |",
    ]);
    expect(attributesNamed(get)).toEqual(["pk", "sk"]);
  });

  it("are told of each item of a batch, and of what a query finds", () => {
    const PutRequest = { Item: { ...keyOf("group#a", "event#1"), event: { S: "x" } } };
    const history = new QueryCommand({
      TableName,
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
      ExpressionAttributeValues: { ":pk": { S: "group#a" }, ":prefix": { S: "event#" } },
    });
    const batches = [
      new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ PutRequest }] } }),
      new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [ballot, keyOf("voter#z#0", "slot")] } } }),
      history,
    ];
    expect(row(...batches)).toEqual([
      "| r | ballot | yes | - | - |",
      "| r | history | yes | `event` | - |",
      "| r | slot | yes | - | - |",
    ]);
    expect(attributesNamed(history)).toEqual(["pk", "sk"]);
  });

  it("are what a policy with a condition on attributes is judged by", () => {
    const policy = (...attributes: readonly string[]): readonly PolicyStatement[] => [
      {
        Effect: "Allow",
        Action: "dynamodb:UpdateItem",
        Resource: "arn",
        Condition: { "ForAllValues:StringEquals": { "dynamodb:Attributes": attributes } },
      },
    ];
    const [request] = requestsOf(renew, "arn");
    if (request === undefined) throw new Error("nothing is asked");
    const needed = ["pk", "sk", "attempt", "budget", "lease", "operation", "epoch", "members", "vote_az-a"];
    expect(allows(policy(...needed), request)).toBe(true);
    // It sets no vote; that its condition names one is enough.
    expect(allows(policy(...needed.slice(0, -1)), request)).toBe(false);
  });

  it("are not guessed where an expression is not read", () => {
    const select = new GetItemCommand({ TableName, Key: ballot, ProjectionExpression: "epoch" });
    expect(() => attributesNamed(select)).toThrow("a projection");
  });
});
