// A table that a destroyed stack has left is taken into the next one: docs/upgrades.md tells operators how. The local cloud's
// CloudFormation imports tables of the type AWS::DynamoDB::Table and none of AWS::DynamoDB::GlobalTable, which the construct makes, so the
// template that goes there has the same table as the former type.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DescribeTableCommand, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { checkDeclaration } from "../../lib/core/config-check.ts";
import { groupName, voterId } from "../../lib/core/types.ts";
import { type AppDeployOptions, clientsOf, deployApp, deployOver, destroyApp } from "../../lib/local/deploy.ts";
import { type LocalCloud, startLocalCloud } from "../../lib/local/local-cloud.ts";
import { runProgram } from "../../lib/local/run-program.ts";
import { pathForPrograms, projectRoot } from "../../lib/local/tools.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { PATIENT } from "../contract/group-store-endpoints.ts";
import { useProcessGroup } from "../support/local-group.ts";

const STACK = "Valkeeper";
const TABLE = "left-behind";
const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const [declared, added] = [groupName("declared"), groupName("added")];
const group = useProcessGroup();
const path = `${join(projectRoot, "node_modules", ".bin")}:${pathForPrograms()}`;
let cloud: LocalCloud;
let clients: AwsClients;
let store: OperatorStore;
let app: AppDeployOptions;
let table: TableResource;

/** Nobody listens there: nothing here is about nodes. */
const declarationOf = (name: string) => ({
  name,
  nodes: zones.map((zone, index) => ({ id: `n${index + 1}`, host: `127.0.0.${index + 1}`, port: 2, zone })),
});

interface TableResource {
  Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  Properties: Readonly<Record<string, unknown>> & { readonly Replicas?: readonly { readonly Region: unknown }[] };
}

interface PlainTemplate {
  readonly Resources: Readonly<Record<string, TableResource>>;
}

/** The app's stack as anybody's, its table as the local cloud can import it. */
async function synthesize(): Promise<string> {
  const folder = group.makeFolder("imported-table");
  const [assembly, settingsFile] = [join(folder, "cdk.out"), join(folder, "settings.json")];
  const subnetIds = zones.map((_, index) => `subnet-0123456789abcdef${index}`);
  const settings = {
    tableName: TABLE,
    vpc: { vpcId: "vpc-0123456789abcdef0", zones, subnetIds },
    groups: [declarationOf(declared)],
  };
  writeFileSync(settingsFile, JSON.stringify(settings));
  const context = { "valkeeper:settings": settingsFile };
  const environment = [`PATH=${path}`, `CDK_OUTDIR=${assembly}`, `CDK_CONTEXT_JSON=${JSON.stringify(context)}`];
  const program = [process.execPath, join(projectRoot, "bin", "app.ts")];
  await runProgram("env", ["-C", projectRoot, ...environment, ...program], { timeoutMs: 120_000 });
  const file = join(assembly, `${STACK}.template.json`);
  const template = JSON.parse(readFileSync(file, "utf8")) as PlainTemplate;
  const [resource, ...others] = Object.values(template.Resources).filter(({ Type }) =>
    Type.startsWith("AWS::DynamoDB"),
  );
  if (resource === undefined || others.length > 0) throw new Error("the stack has one table");
  table = structuredClone(resource);
  const { Replicas: [{ Region: _, ...replica } = { Region: "" }, ...more] = [], ...rest } = resource.Properties;
  if (more.length > 0) throw new Error("the table is in one region");
  Object.assign(resource, { Type: "AWS::DynamoDB::Table", Properties: { ...rest, ...replica } });
  writeFileSync(file, JSON.stringify(template));
  return assembly;
}

const idOfTable = async (): Promise<string | undefined> =>
  (await clients.dynamodb.send(new DescribeTableCommand({ TableName: TABLE }))).Table?.TableId;

/** What CloudFormation says that it did with the table, oldest first. */
async function statusesOfTable(): Promise<readonly string[]> {
  const body = new URLSearchParams({ Action: "DescribeStackEvents", Version: "2010-05-15", StackName: STACK });
  const authorization = `AWS4-HMAC-SHA256 Credential=test/20260101/${cloud.region}/cloudformation/aws4_request, SignedHeaders=host, Signature=0`;
  const response = await fetch(cloud.endpoint, { method: "POST", body, headers: { authorization } });
  const events = (await response.text()).split("<member>").filter((each) => each.includes("AWS::DynamoDB::Table<"));
  return events.flatMap((each) => /<ResourceStatus>(\w+)</.exec(each)?.[1] ?? []).toReversed();
}

beforeAll(async () => {
  cloud = await startLocalCloud({ group });
  clients = clientsOf(cloud);
  store = createDynamodbStore({ client: clients.dynamodb, table: TABLE, limits: PATIENT });
  app = { group, cloud, cwd: projectRoot, path, args: ["--app", await synthesize(), STACK] };
}, 180_000);
afterAll(() => clients?.destroy());

describe("a table under a name of its own", () => {
  it("has in the template all that CloudFormation asks of a resource that is to be imported", () => {
    // The type's identifier as a literal, and a policy that keeps it whatever becomes of the deployment.
    expect(table).toMatchObject({
      Type: "AWS::DynamoDB::GlobalTable",
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
      Properties: { TableName: TABLE },
    });
  });

  it("is left by a stack that is destroyed, and becomes the next one's as it is", async () => {
    await deployApp(app);
    const config = checkDeclaration(declarationOf(added), { voters: zones.map(voterId) });
    const spec = { schema: 1, group: added, version: 1, owner: "cli", overrides: {}, shard: 0 } as const;
    expect(await store.writeSpec({ ...spec, declared: config }, 0)).toBe(true);
    const id = await idOfTable();
    expect(id).toBeDefined();
    await destroyApp(app);
    expect(await idOfTable()).toBe(id);
    expect(await store.readSpec(declared)).toBeNull();

    await deployOver(app);
    const statuses = await statusesOfTable();
    expect(statuses).toContain("IMPORT_COMPLETE");
    expect(statuses.filter((status) => /CREATE|DELETE|FAILED/.test(status))).toEqual([]);
    expect((await clients.dynamodb.send(new ListTablesCommand({}))).TableNames).toEqual([TABLE]);
    expect(await idOfTable()).toBe(id);
    // What nobody declared is as it was, and the same deployment has registered what the app declares.
    expect(await store.readSpec(added)).toMatchObject({ owner: "cli", version: 1 });
    expect(await store.readSpec(declared)).toMatchObject({ owner: "cdk" });
    // It is the stack's, which leaves it once more.
    await destroyApp(app);
    expect(await idOfTable()).toBe(id);
  }, 240_000);
});
