import { describe, it } from "vitest";
import { startDynamodbLocal, whyNoDynamodbLocal } from "../../lib/local/dynamodb-local.ts";
import { describeGroupStoreContract } from "./group-store.contract.ts";
import { endpointForFile, makeStoreAt } from "./group-store-endpoints.ts";

// The second opinion: Amazon's own implementation of what the emulator imitates.
const missing = whyNoDynamodbLocal();
if (missing === undefined) {
  const endpoint = endpointForFile((group) => startDynamodbLocal({ group }));
  describeGroupStoreContract("DynamoDB adapter, DynamoDB Local", () => makeStoreAt(endpoint()));
} else {
  describe("the group store's contract: DynamoDB adapter, DynamoDB Local", () => {
    it("holds before Amazon's own implementation", ({ skip }) => skip(missing));
  });
}
