import { describeGroupStoreContract } from "./group-store.contract.ts";
import { localCloudForFile, makeStoreAt } from "./group-store-endpoints.ts";

const endpoint = localCloudForFile();
describeGroupStoreContract("DynamoDB adapter, local cloud", () => makeStoreAt(endpoint()));
