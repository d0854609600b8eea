// A table that somebody else made and an app imports: what is wrong with it is found by those who use it.

import type { KeySchemaElement } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { testPrefix } from "../support/cloud-under-test.ts";
import { clientsFor, createTable, localCloudForFile, makeTable, PATIENT } from "./group-store-endpoints.ts";

const endpoint = localCloudForFile();
const hash = (AttributeName: string): KeySchemaElement => ({ AttributeName, KeyType: "HASH" });
const range = (AttributeName: string): KeySchemaElement => ({ AttributeName, KeyType: "RANGE" });

describe("a table with another key", () => {
  it.each([
    ["another name", "S", [hash("id"), range("sk")], "its key is (id HASH S, sk RANGE S)"],
    ["no sort key", "S", [hash("pk")], "its key is (pk HASH S)"],
    ["numbers", "N", [hash("pk"), range("sk")], "its key is (pk HASH N, sk RANGE N)"],
  ] as const)("of %s is refused before anything is read, with its key and ours", async (name, type, schema, said) => {
    const clients = clientsFor(endpoint());
    const table = `${testPrefix()}-foreign-${name.replaceAll(" ", "-")}-${process.pid}`;
    await createTable(clients, {
      TableName: table,
      AttributeDefinitions: schema.map(({ AttributeName }) => ({ AttributeName, AttributeType: type })),
      KeySchema: [...schema],
    });
    const store = createDynamodbStore({ client: clients.dynamodb, table, limits: PATIENT });
    const refusal = expect(store.tableId()).rejects;
    await refusal.toThrow(`${table} is no table of Valkeeper's: ${said}, not (pk HASH S, sk RANGE S)`);
  });

  it("and one with ours has an id", async () => {
    const clients = clientsFor(endpoint());
    const store = createDynamodbStore({ client: clients.dynamodb, table: await makeTable(clients), limits: PATIENT });
    expect(await store.tableId()).not.toBe("");
  });
});
