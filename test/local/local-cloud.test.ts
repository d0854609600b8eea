import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { startDynamodbLocal, whyNoDynamodbLocal } from "../../lib/local/dynamodb-local.ts";
import { startLocalCloud } from "../../lib/local/local-cloud.ts";
import { isAlive, useProcessGroup } from "../support/local-group.ts";

const group = useProcessGroup();

function clientFor(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({
    endpoint,
    region: "eu-west-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
}

async function createAndList(endpoint: string): Promise<string[]> {
  const client = clientFor(endpoint);
  await client.send(
    new CreateTableCommand({
      TableName: "some-table",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    }),
  );
  const { TableNames } = await client.send(new ListTablesCommand({}));
  client.destroy();
  return TableNames ?? [];
}

describe("startLocalCloud", () => {
  it("serves the AWS API on a free port, forgets on request and ends when told", async () => {
    const cloud = await startLocalCloud({ group });
    expect(cloud.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:2\d{4}$/);
    expect(cloud.environment["AWS_ENDPOINT_URL"]).toBe(cloud.endpoint);
    expect(await createAndList(cloud.endpoint)).toEqual(["some-table"]);
    await cloud.reset();
    expect(await createAndList(cloud.endpoint)).toEqual(["some-table"]);
    await cloud.stop();
    expect(isAlive(cloud.pid)).toBe(false);
    await expect(fetch(cloud.endpoint)).rejects.toThrow();
  });

  it("binds to the address it is given and refuses a port in use", async () => {
    const cloud = await startLocalCloud({ group, listen: "127.0.0.2" });
    const { port } = new URL(cloud.endpoint);
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow();
    const second = startLocalCloud({ group, listen: "127.0.0.2", port: Number(port) });
    await expect(second).rejects.toMatchObject({ problem: "port-in-use", message: expect.stringContaining(port) });
    await cloud.stop();
  });
});

describe("startDynamodbLocal", () => {
  it("serves DynamoDB, where Java is present", async (context) => {
    const reason = whyNoDynamodbLocal();
    if (reason !== undefined) {
      context.skip(reason);
    }
    const store = await startDynamodbLocal({ group });
    expect(await createAndList(store.endpoint)).toEqual(["some-table"]);
    await store.stop();
    expect(isAlive(store.pid)).toBe(false);
  });
});
