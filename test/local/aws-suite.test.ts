// `npm run test:aws` cannot be run without an account: what it says and refuses, and that it leaves nothing, is shown on the local cloud.

import { spawn } from "node:child_process";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand } from "@aws-sdk/client-route-53";
import { PutParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { clientsOf } from "../../lib/local/deploy.ts";
import { type LocalCloud, startLocalCloud } from "../../lib/local/local-cloud.ts";
import { findLeftovers, removeLeftovers } from "../aws/leftovers.ts";
import { isOfRun, notRun, PlanError, planOf, planText, refusalOf, usdAtMost } from "../aws/plan.ts";
import { ANY_RUN, RUN_TAG } from "../support/cloud-under-test.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";

const group = useProcessGroup();
const prefix = `${ANY_RUN}0000abcd`;
let cloud: LocalCloud;
let clients: AwsClients;
let zoneId: string;

beforeAll(async () => {
  cloud = await startLocalCloud({ group });
  clients = clientsOf(cloud);
  const zone = new CreateHostedZoneCommand({ Name: "example.com", CallerReference: "aws-suite" });
  zoneId = ((await clients.route53.send(zone)).HostedZone?.Id ?? "").replace("/hostedzone/", "");
});
afterAll(() => clients?.destroy());

interface Started {
  readonly output: () => string;
  readonly interrupt: () => void;
  readonly ended: Promise<number | null>;
}

function start(variables: Readonly<Record<string, string>>, ...args: readonly string[]): Started {
  const child = spawn(process.execPath, ["test/aws/run.ts", ...args], {
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", AWS_EC2_METADATA_DISABLED: "true", ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  return { output: () => output, interrupt: () => child.kill("SIGINT"), ended };
}

const left = (of: string) => findLeftovers({ clients, prefix: of, zoneId });
const NOTHING = { tables: [], parameters: [], records: [] };

describe("the plan of npm run test:aws", () => {
  const region = { AWS_REGION: "eu-west-1" };

  it("names what it makes, by its prefix, and what that costs at most", () => {
    const text = planText(planOf({ ...region, VALKEEPER_AWS_ZONE: "Z0ABC,example.com" }, prefix)).join("\n");
    expect(text).toContain(`tables ${prefix}-..., on demand`);
    expect(text).toContain(`${RUN_TAG}=${prefix}`);
    expect(text).toContain(`records ...${prefix}-....example.com in the zone Z0ABC`);
    // 50,000 read units at 0.125 and 50,000 write units at 0.625 dollars a million.
    expect(usdAtMost()).toBeCloseTo(0.0375, 6);
    expect(text).toContain("costs 0.04 USD at most");
  });

  it("leaves the records out without a zone, and says why", () => {
    const plan = planOf(region, prefix);
    expect(notRun(plan)).toContainEqual({
      what: "test/contract/publication-records.test.ts",
      reason: "no hosted zone is given (VALKEEPER_AWS_ZONE)",
    });
  });

  it.each([
    [{}, /^AWS_REGION is not set/],
    [
      { ...region, VALKEEPER_AWS_ZONE: "example.com" },
      /^VALKEEPER_AWS_ZONE is "example.com": give the zone's id and name/,
    ],
  ])("refuses an environment that does not say enough: %j", (variables, said) => {
    expect(() => planOf(variables, prefix)).toThrow(PlanError);
    expect(() => planOf(variables, prefix)).toThrow(said);
  });

  it("begins with the word yes and with no other", () => {
    expect(refusalOf({ VALKEEPER_AWS_CONFIRM: "1" })).toMatch(/^nothing was made: say VALKEEPER_AWS_CONFIRM=yes/);
    expect(refusalOf({ VALKEEPER_AWS_CONFIRM: "yes" })).toBeNull();
  });

  it("takes only names for its own that nobody else gives", () => {
    expect(
      ["/vktest-0000abcd/x", "_valkeeper.readers-vktest-0000abcd-1.example.com."].map((name) => isOfRun(name, prefix)),
    ).toEqual([true, true]);
    expect(isOfRun("/valkeeper/vktest", prefix)).toBe(false);
    expect(isOfRun("/xvktest-0000abcd", prefix)).toBe(false);
    expect(isOfRun("/valkeeper/mymaster", "")).toBe(false);
  });
});

describe("npm run test:aws", () => {
  it("prints the plan and makes nothing without the confirmation", async () => {
    const run = start({ ...cloud.environment });
    expect(await run.ended).toBe(2);
    expect(run.output()).toContain("USD at most");
    expect(run.output()).toContain("valkeeper: nothing was made: say VALKEEPER_AWS_CONFIRM=yes");
    expect(await left(ANY_RUN)).toEqual(NOTHING);
  });

  it("says so when there are no credentials", async () => {
    const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _secret, ...without } = cloud.environment;
    const run = start({ ...without, VALKEEPER_AWS_CONFIRM: "yes" });
    expect(await run.ended).toBe(2);
    expect(run.output()).toContain("valkeeper: there are no AWS credentials");
  });

  it("removes what it made when it is interrupted, and ends with an error", async () => {
    const zone = { VALKEEPER_AWS_ZONE: `${zoneId},example.com` };
    const run = start({ ...cloud.environment, ...zone, VALKEEPER_AWS_CONFIRM: "yes" });
    await eventually("a table is there", async () => (await left(ANY_RUN)).tables.length > 0, 60_000);
    run.interrupt();
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/removing [1-9]\d* tables/);
    expect(run.output()).toContain("nothing is left");
    expect(await left(ANY_RUN)).toEqual(NOTHING);
  }, 120_000);
});

describe("leftovers", () => {
  const table = (TableName: string, Tags: { Key: string; Value: string }[]) =>
    clients.dynamodb.send(
      new CreateTableCommand({
        TableName,
        Tags,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      }),
    );
  const parameter = (Name: string) => clients.ssm.send(new PutParameterCommand({ Name, Value: "1", Type: "String" }));
  const record = (name: string) =>
    clients.route53.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: zoneId,
        ChangeBatch: {
          Changes: [
            {
              Action: "CREATE",
              ResourceRecordSet: { Name: name, Type: "A", TTL: 5, ResourceRecords: [{ Value: "10.0.0.1" }] },
            },
          ],
        },
      }),
    );

  it("are a run's tables by tag, its parameters and its records by name; what others made stays", async () => {
    const tags = [{ Key: RUN_TAG, Value: prefix }];
    const other = `${ANY_RUN}0000ffff`;
    await Promise.all([table(`${prefix}-1-1`, tags), table(`${prefix}-untagged`, []), table("prod", tags)]);
    for (const name of [`/${prefix}/${prefix}-1/primary`, `/${other}/x/primary`, "/valkeeper/mymaster/primary"])
      await parameter(name);
    for (const name of [`${prefix}-1.example.com`, "www.example.com"]) await record(name);
    const found = await left(prefix);
    expect(found.tables).toEqual([`${prefix}-1-1`]);
    expect(found.parameters).toEqual([`/${prefix}/${prefix}-1/primary`]);
    expect(found.records.map(({ Name }) => Name)).toEqual([`${prefix}-1.example.com.`]);
    expect((await left(ANY_RUN)).parameters).toHaveLength(2);
    const search = { clients, prefix, zoneId };
    expect(await removeLeftovers(search, found)).toEqual([]);
    expect(await left(prefix)).toEqual(NOTHING);
    expect((await left(ANY_RUN)).parameters).toEqual([`/${other}/x/primary`]);
    const removed = start({ ...cloud.environment }, "--remove-leftovers");
    expect(await removed.ended).toBe(0);
    expect(removed.output()).toContain("removing 0 tables, 1 parameters and 0 records");
    expect((await left(ANY_RUN)).parameters).toEqual([]);
  }, 60_000);

  it("that cannot be removed are told, and the others go", async () => {
    await parameter(`/${prefix}/one`);
    const gone = { tables: [`${prefix}-not-there`], parameters: [`/${prefix}/one`], records: [] };
    const failures = await removeLeftovers({ clients, prefix, zoneId }, gone);
    expect(failures).toEqual([expect.stringContaining(`table ${prefix}-not-there: `)]);
    expect(await left(prefix)).toEqual(NOTHING);
  });
});
