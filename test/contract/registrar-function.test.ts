// The registrar function as it is deployed, before a real table, called and answered as by CloudFormation: which shard
// the groups of an app are given, together, and when the number of shards changes under them.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { CloudFormationCustomResourceEvent } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makeRegistrar } from "../../functions/registrar/registrar.ts";
import { groupName } from "../../lib/core/types.ts";
import { parseRegistrarEnvironment } from "../../lib/runtime/environment.ts";
import { type EndpointStore, localCloudForFile, makeStoreAt } from "./group-store-endpoints.ts";

interface Answer {
  readonly Status: string;
  readonly Reason?: string;
}

const endpoint = localCloudForFile();
const before = { ...process.env };
let made: EndpointStore;
let answers: Answer[] = [];
let server: Server;

beforeAll(async () => {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint(),
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  });
  server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    request.on("end", () => {
      answers.push(JSON.parse(text) as Answer);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  server?.close();
  process.env = before;
});
beforeEach(async () => {
  made = await makeStoreAt(endpoint());
  answers = [];
  return () => made.close();
});

/** What the construct tells of `shards` shards, each of three groups at most. */
const registrarOf = (shards: number) =>
  makeRegistrar(
    parseRegistrarEnvironment({
      ...{ AWS_REGION: "eu-west-1", VALKEEPER_TABLE: made.table, VALKEEPER_VOTERS: "az-a,az-b,az-c" },
      ...{ VALKEEPER_SHARDS: String(shards), VALKEEPER_GROUPS_PER_VOTER: "3" },
    }),
  );

/** Of all these groups at once, as CloudFormation does. */
async function deploy(names: readonly string[], shards: number): Promise<readonly string[]> {
  const registrar = registrarOf(shards);
  await Promise.all(
    names.map((name, index) => {
      const Declaration = JSON.stringify({ name, nodes: [{ id: "n1", host: `${name}.internal` }] });
      const place = shards === 1 ? {} : { Shard: String(index % shards), Shards: String(shards) };
      const event = {
        ...{ RequestType: "Create", StackId: "stack", RequestId: name, LogicalResourceId: name },
        ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
        ResourceProperties: { Declaration, ...place },
      } as unknown as CloudFormationCustomResourceEvent;
      return registrar(event);
    }),
  );
  return answers.splice(0).flatMap(({ Reason }) => Reason ?? []);
}

async function shardsOf(names: readonly string[]): Promise<readonly (number | undefined)[]> {
  return Promise.all(names.map(async (name) => (await made.store.readSpec(groupName(name)))?.shard));
}

const SIX = ["a", "b", "c", "d", "e", "f"];

describe("the registrar", () => {
  it("gives all of an app's groups a shard, though none sees where the others go", async () => {
    expect(await deploy(SIX, 2)).toEqual([]);
    expect(await shardsOf(SIX)).toEqual([0, 1, 0, 1, 0, 1]);
    expect(await deploy([...SIX, "g"], 2)).toEqual([
      expect.stringMatching(/no room for group g: shard 0 has 3 groups, shard 1 has 3 groups.*`shards`/),
    ]);
    expect(await shardsOf(["g"])).toEqual([undefined]);
  });

  it("moves no group when shards are added, and those of a shard that goes", async () => {
    expect(await deploy(SIX.slice(0, 3), 1)).toEqual([]);
    expect(await deploy(SIX, 2)).toEqual([]);
    expect(await shardsOf(SIX.slice(0, 3))).toEqual([0, 0, 0]);
    expect(await shardsOf(SIX.slice(3))).toEqual([1, 1, 1]);
    const left = ["a", "d", "e"];
    for (const name of ["b", "c", "f"]) await made.store.removeGroup(groupName(name));
    expect(await deploy(left, 1)).toEqual([]);
    expect(await shardsOf(left)).toEqual([0, 0, 0]);
  });
});
