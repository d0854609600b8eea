import { DeleteTableCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { startDynamodbLocal, whyNoDynamodbLocal } from "../../lib/local/dynamodb-local.ts";
import { describeGroupStoreContract } from "./group-store.contract.ts";
import { endpointForFile, makeStoreAt, makeTable } from "./group-store-endpoints.ts";

// The second opinion: Amazon's own implementation of what the emulator imitates.
const missing = whyNoDynamodbLocal();
if (missing === undefined) {
  const endpoint = endpointForFile((group) => startDynamodbLocal({ group }));
  describeGroupStoreContract("DynamoDB adapter, DynamoDB Local", () => makeStoreAt(endpoint()));

  describe("a table that was deleted and restored by the same name", () => {
    it("has another id for a process that has asked before", async () => {
      const { store, clients, table, close } = await makeStoreAt(endpoint());
      const id = await store.tableId();
      await clients.dynamodb.send(new DeleteTableCommand({ TableName: table }));
      await makeTable(clients, table);
      expect(await store.tableId()).not.toBe(id);
      await close();
    });
  });
} else {
  describe("the group store's contract: DynamoDB adapter, DynamoDB Local", () => {
    it("holds before Amazon's own implementation", ({ skip }) => skip(missing));
  });
}
