// What a run has made, found by what the service knows of it, not by what the run remembers: a run may have been killed. A table is only
// ours with its tag; a parameter and a record by their names, which begin with what nothing else does.

import {
  DeleteTableCommand,
  DescribeTableCommand,
  ListTablesCommand,
  ListTagsOfResourceCommand,
} from "@aws-sdk/client-dynamodb";
import {
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandInput,
  type ResourceRecordSet,
} from "@aws-sdk/client-route-53";
import { DeleteParametersCommand, DescribeParametersCommand } from "@aws-sdk/client-ssm";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { RUN_TAG } from "../support/cloud-under-test.ts";
import { isOfRun } from "./plan.ts";

export interface Leftovers {
  readonly tables: readonly string[];
  readonly parameters: readonly string[];
  readonly records: readonly ResourceRecordSet[];
}

export interface Search {
  readonly clients: AwsClients;
  /** Of one run, or what all have in common. */
  readonly prefix: string;
  readonly zoneId: string | null;
}

const PARAMETERS_AT_ONCE = 10;
const RECORDS_AT_ONCE = 100;

export async function findLeftovers(search: Search): Promise<Leftovers> {
  return {
    tables: await findTables(search),
    parameters: await findParameters(search),
    records: search.zoneId === null ? [] : await findRecords(search, search.zoneId),
  };
}

async function findTables({ clients: { dynamodb }, prefix }: Search): Promise<readonly string[]> {
  const found: string[] = [];
  let start: string | undefined;
  do {
    const page = await dynamodb.send(new ListTablesCommand({ ExclusiveStartTableName: start }));
    for (const name of page.TableNames ?? []) {
      if (name.startsWith(prefix) && (await isOurs(dynamodb, name))) found.push(name);
    }
    start = page.LastEvaluatedTableName;
  } while (start !== undefined);
  return found;
}

async function isOurs(dynamodb: AwsClients["dynamodb"], name: string): Promise<boolean> {
  try {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: name }));
    if (Table?.TableStatus === "DELETING") return false;
    const { Tags = [] } = await dynamodb.send(new ListTagsOfResourceCommand({ ResourceArn: Table?.TableArn }));
    return Tags.some(({ Key, Value = "" }) => Key === RUN_TAG && name.startsWith(Value));
  } catch (error) {
    if ((error as Error).name === "ResourceNotFoundException") return false;
    throw error;
  }
}

async function findParameters({ clients: { ssm }, prefix }: Search): Promise<readonly string[]> {
  const found: string[] = [];
  let NextToken: string | undefined;
  do {
    const filter = { Key: "Name", Option: "BeginsWith", Values: [`/${prefix}`] };
    const page = await ssm.send(new DescribeParametersCommand({ ParameterFilters: [filter], NextToken }));
    found.push(...(page.Parameters ?? []).flatMap(({ Name = "" }) => (isOfRun(Name, prefix) ? [Name] : [])));
    NextToken = page.NextToken;
  } while (NextToken !== undefined && NextToken !== "");
  return found;
}

async function findRecords({ clients, prefix }: Search, zoneId: string): Promise<readonly ResourceRecordSet[]> {
  const found: ResourceRecordSet[] = [];
  let start: Partial<ListResourceRecordSetsCommandInput> | null = {};
  while (start !== null) {
    const command: ListResourceRecordSetsCommand = new ListResourceRecordSetsCommand({
      HostedZoneId: zoneId,
      ...start,
    });
    const page = await clients.route53.send(command);
    found.push(...(page.ResourceRecordSets ?? []).filter(({ Name = "" }) => isOfRun(Name, prefix)));
    const next = { StartRecordName: page.NextRecordName, StartRecordType: page.NextRecordType };
    start = page.IsTruncated === true ? next : null;
  }
  return found;
}

/** Removes them all as far as it is let, and returns what it could not, with the reason. */
export async function removeLeftovers(search: Search, leftovers: Leftovers): Promise<readonly string[]> {
  const { clients, zoneId } = search;
  const failures: string[] = [];
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push(`${what}: ${(error as Error).message}`);
    }
  };
  for (const name of leftovers.tables) {
    await attempt(`table ${name}`, () => clients.dynamodb.send(new DeleteTableCommand({ TableName: name })));
  }
  for (const Names of inParts(leftovers.parameters, PARAMETERS_AT_ONCE)) {
    await attempt(`parameters ${Names.join(", ")}`, () => clients.ssm.send(new DeleteParametersCommand({ Names })));
  }
  for (const part of inParts(leftovers.records, RECORDS_AT_ONCE)) {
    const Changes = part.map((ResourceRecordSet) => ({ Action: "DELETE" as const, ResourceRecordSet }));
    const change = { HostedZoneId: zoneId ?? "", ChangeBatch: { Changes } };
    const names = part.map(({ Name, Type }) => `${Type} ${Name}`).join(", ");
    await attempt(`records ${names}`, () => clients.route53.send(new ChangeResourceRecordSetsCommand(change)));
  }
  return failures;
}

const inParts = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, part) => all.slice(part * size, (part + 1) * size));

export const leftoverLines = ({ tables, parameters, records }: Leftovers): readonly string[] => [
  ...tables.map((name) => `left: table ${name}`),
  ...parameters.map((name) => `left: parameter ${name}`),
  ...records.map(({ Name, Type }) => `left: record ${Type} ${Name}`),
];
