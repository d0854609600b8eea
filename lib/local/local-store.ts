// What a deployment makes of AWS, made by hand where no deployment runs: the table, and a secret for each group whose
// password was given in a file.

import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import { CreateSecretCommand, DeleteSecretCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { CallLimits } from "../adapters/aws/call.ts";
import type { CredentialsReference, DeclaredConfig } from "../core/config.ts";
import { PARTITION_KEY, SORT_KEY, STREAM_VIEW } from "../runtime/table-schema.ts";
import { LocalError } from "./errors.ts";

/** For whoever only looks and registers: a busy machine may answer late, and nothing is decided by it. */
export const PATIENT: CallLimits = { attemptTimeoutMs: 5_000, totalMs: 20_000, attempts: 4 };

const TABLE_READY_WITHIN_MS = 60_000;
const TABLE_LOOKED_AT_EVERY_MS = 100;

/** The same table as the construct's, as far as an emulator knows tables. */
export async function createFailoverTable(client: DynamoDBClient, name: string): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [PARTITION_KEY, SORT_KEY].map((key) => ({ AttributeName: key, AttributeType: "S" })),
      KeySchema: [
        { AttributeName: PARTITION_KEY, KeyType: "HASH" },
        { AttributeName: SORT_KEY, KeyType: "RANGE" },
      ],
      StreamSpecification: { StreamEnabled: true, StreamViewType: STREAM_VIEW },
    }),
  );
  const until = performance.now() + TABLE_READY_WITHIN_MS;
  while (performance.now() < until) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
    if (Table?.TableStatus === "ACTIVE") return;
    await new Promise((resolve) => setTimeout(resolve, TABLE_LOOKED_AT_EVERY_MS));
  }
  throw new LocalError("not-ready", `the table ${name} was not active within ${TABLE_READY_WITHIN_MS} ms`);
}

export async function deleteFailoverTable(client: DynamoDBClient, name: string): Promise<void> {
  await client.send(new DeleteTableCommand({ TableName: name }));
}

/** The group as it may be recorded: a password is kept as a secret, and the record refers to it. */
export async function keepPassword(
  client: SecretsManagerClient,
  group: DeclaredConfig,
  secretName: string,
): Promise<DeclaredConfig> {
  const { credentials } = group;
  if (credentials?.kind !== "inline") return group;
  await client.send(new CreateSecretCommand({ Name: secretName, SecretString: credentials.password }));
  const reference: CredentialsReference = { kind: "secrets-manager", user: credentials.user, secretId: secretName };
  return { ...group, credentials: reference };
}

export async function forgetPassword(client: SecretsManagerClient, secretName: string): Promise<void> {
  await client.send(new DeleteSecretCommand({ SecretId: secretName, ForceDeleteWithoutRecovery: true }));
}
