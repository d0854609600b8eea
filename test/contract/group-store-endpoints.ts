// Real endpoints for the store's tests, on this machine, ended with the test file.

import {
  CreateTableCommand,
  type CreateTableCommandInput,
  PutItemCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll } from "vitest";
import { type AwsClients, createAwsClients } from "../../lib/adapters/aws/clients.ts";
import { marshalItem } from "../../lib/adapters/dynamodb/attribute-value.ts";
import { createDynamodbStore, type DynamodbStoreOptions } from "../../lib/adapters/dynamodb/group-store.ts";
import { specKey } from "../../lib/adapters/dynamodb/keys.ts";
import type { Item } from "../../lib/core/ballot-write.ts";
import type { GroupName } from "../../lib/core/types.ts";
import { startLocalCloud } from "../../lib/local/local-cloud.ts";
import { ProcessGroup } from "../../lib/local/process-group.ts";
import type { ConditionStore, OperatorStore } from "../../lib/ports/group-store.ts";
import { PARTITION_KEY, SORT_KEY } from "../../lib/runtime/table-schema.ts";
import { cloudKind, RUN_TAG, testPrefix } from "../support/cloud-under-test.ts";
import type { StoreUnderTest } from "./group-store-builders.ts";

/** Loaded machines answer slowly; the limits themselves are tested against the fault proxy. */
export const PATIENT = { attemptTimeoutMs: 5_000, totalMs: 10_000, attempts: 4 };

/** An endpoint for the tests of one file. */
export function endpointForFile(start: (group: ProcessGroup) => Promise<{ readonly endpoint: string }>): () => string {
  const group = new ProcessGroup();
  let endpoint = "";
  beforeAll(async () => {
    endpoint = (await start(group)).endpoint;
  });
  afterAll(() => group.close());
  return () => endpoint;
}

const NO_ENDPOINT = "the service's own";

/** The embedded cloud, or the one that AWS_ENDPOINT_URL names, or AWS itself where a run says so. */
export const localCloudForFile = (): (() => string) => {
  const named = process.env["AWS_ENDPOINT_URL"] ?? (cloudKind() === "aws" ? NO_ENDPOINT : undefined);
  return endpointForFile((group) =>
    named === undefined ? startLocalCloud({ group }) : Promise.resolve({ endpoint: named }),
  );
};

export function clientsFor(endpoint: string): AwsClients {
  // Region and credentials are the environment's then, as of every program that is to reach AWS.
  if (endpoint === NO_ENDPOINT) return createAwsClients();
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  return createAwsClients({ endpoint, region: "eu-west-1", credentials });
}

const TABLE_READY_WITHIN_SECONDS = 55;

let tables = 0;
/** A new, empty table with the key that the construct deploys. */
export async function makeTable(clients: AwsClients, named?: string): Promise<string> {
  tables += 1;
  const name = named ?? `${testPrefix()}-${process.pid}-${tables}`;
  await createTable(clients, {
    TableName: name,
    AttributeDefinitions: [PARTITION_KEY, SORT_KEY].map((key) => ({ AttributeName: key, AttributeType: "S" })),
    KeySchema: [
      { AttributeName: PARTITION_KEY, KeyType: "HASH" },
      { AttributeName: SORT_KEY, KeyType: "RANGE" },
    ],
  });
  return name;
}

/** Tagged with the run, so that what an interrupted run leaves behind is found, and there to be used: AWS takes seconds for it. */
export async function createTable({ dynamodb }: AwsClients, table: CreateTableCommandInput): Promise<void> {
  const Tags = [{ Key: RUN_TAG, Value: testPrefix() }];
  await dynamodb.send(new CreateTableCommand({ BillingMode: "PAY_PER_REQUEST", Tags, ...table }));
  const patience = { client: dynamodb, minDelay: 1, maxDelay: 2, maxWaitTime: TABLE_READY_WITHIN_SECONDS };
  await waitUntilTableExists(patience, { TableName: table.TableName });
}

export interface EndpointStore extends StoreUnderTest {
  readonly store: OperatorStore & ConditionStore;
  readonly clients: AwsClients;
  readonly table: string;
}

export async function makeStoreAt(
  endpoint: string,
  options: Partial<Pick<DynamodbStoreOptions, "limits" | "onUnreadable">> = {},
): Promise<EndpointStore> {
  const clients = clientsFor(endpoint);
  const table = await makeTable(clients);
  const store = createDynamodbStore({ client: clients.dynamodb, table, limits: PATIENT, ...options });
  const putSpec = async (group: GroupName, item: Item): Promise<void> => {
    const attributes = marshalItem({ ...item, ...specKey(group) });
    await clients.dynamodb.send(new PutItemCommand({ TableName: table, Item: attributes }));
  };
  return { store, clients, table, putSpec, close: () => clients.destroy() };
}
