// The registrar function as it is deployed, before a real table, called and answered as by CloudFormation: which shard
// the groups of an app are given, together, and when the number of shards changes under them; and whose a group is when stacks,
// resources and tables change places.

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
  readonly PhysicalResourceId: string;
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
const registrarOf = (shards: number, table = made.table) =>
  makeRegistrar(
    parseRegistrarEnvironment({
      ...{ AWS_REGION: "eu-west-1", VALKEEPER_TABLE: table, VALKEEPER_VOTERS: "az-a,az-b,az-c" },
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

const NAME = groupName("mymaster");

interface Called {
  readonly type: "Create" | "Update" | "Delete";
  readonly stack?: string;
  readonly resource?: string;
  readonly downAfterMs?: number;
  readonly physicalId?: string;
  readonly table?: string;
}

/** What CloudFormation is answered when it asks for one resource, of the stack `Cache` unless it is said. */
async function call({ type, stack = "Cache", resource = "One", ...rest }: Called): Promise<Answer> {
  const { downAfterMs = 3_000, physicalId = NAME, table = made.table } = rest;
  const event = {
    ...{ RequestType: type, RequestId: "request", LogicalResourceId: resource },
    // Each time that a stack of a name is made.
    StackId: `arn:aws:cloudformation:eu-west-1:123456789012:stack/${stack}/${crypto.randomUUID()}`,
    ...(type === "Create" ? {} : { PhysicalResourceId: physicalId }),
    ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ResourceProperties: {
      Declaration: JSON.stringify({ name: NAME, nodes: [{ id: "n1", host: "a.internal" }], downAfterMs }),
      Table: table,
    },
  } as unknown as CloudFormationCustomResourceEvent;
  await registrarOf(1, table)(event);
  const [answer] = answers.splice(0);
  if (answer === undefined) throw new Error("CloudFormation was not answered");
  return answer;
}

const standing = () => made.store.readSpec(NAME);
const DONE = { Status: "SUCCESS", PhysicalResourceId: NAME };
const CACHE = "arn:aws:cloudformation:eu-west-1:123456789012:stack/Cache";

/** As the registrar of an earlier version has left it. */
async function forgetDeclarer(): Promise<void> {
  const found = await standing();
  if (found === null) throw new Error("nothing is registered");
  const { declaredBy: _, ...without } = found;
  expect(await made.store.writeSpec({ ...without, version: found.version + 1 }, found.version)).toBe(true);
}

async function release(): Promise<void> {
  const found = await standing();
  if (found?.declaredBy === undefined) throw new Error("no stack declares it");
  const released = { ...found, version: found.version + 1, declaredBy: { ...found.declaredBy, isReleased: true } };
  expect(await made.store.writeSpec(released, found.version)).toBe(true);
}

describe("a group that a stack declares", () => {
  it("is recorded as its resource's, and goes with it", async () => {
    expect(await call({ type: "Create" })).toMatchObject(DONE);
    expect((await standing())?.declaredBy).toEqual({ stack: CACHE, resource: "One" });
    expect(await call({ type: "Update" })).toMatchObject(DONE);
    expect((await standing())?.declaredBy).toEqual({ stack: CACHE, resource: "One" });
    expect(await call({ type: "Delete" })).toMatchObject(DONE);
    expect(await standing()).toBeNull();
  });

  it("is not taken by another stack, whose resource is then deleted without harm", async () => {
    await call({ type: "Create" });
    const refusal = await call({ type: "Create", stack: "Other", downAfterMs: 9_000 });
    expect(refusal).toMatchObject({ Status: "FAILED", PhysicalResourceId: "not-registered" });
    expect(refusal.Reason).toContain(`declared by another stack, ${CACHE} (One)`);
    expect(refusal.Reason).toContain("valkeeper groups release mymaster");
    for (const physicalId of ["not-registered", NAME]) {
      expect(await call({ type: "Delete", stack: "Other", physicalId })).toMatchObject({ Status: "SUCCESS" });
      expect(await standing()).toMatchObject({ version: 1, declared: { downAfterMs: 3_000 } });
    }
  });

  it("of a resource that is renamed goes on, for CloudFormation makes the new one and then deletes the old one", async () => {
    await call({ type: "Create" });
    expect(await call({ type: "Create", resource: "Two", downAfterMs: 4_000 })).toMatchObject(DONE);
    expect(await call({ type: "Delete" })).toMatchObject(DONE);
    const declaredBy = { stack: CACHE, resource: "Two" };
    expect(await standing()).toMatchObject({ declared: { downAfterMs: 4_000 }, declaredBy });
    expect((await standing())?.declaredBy).toEqual(declaredBy);
    expect(await call({ type: "Delete", resource: "Two" })).toMatchObject(DONE);
    expect(await standing()).toBeNull();
  });

  it("of a resource that is renamed is the old one's again when the update is rolled back", async () => {
    await call({ type: "Create" });
    await call({ type: "Create", resource: "Two", downAfterMs: 4_000 });
    // Lambda may call twice for one event.
    await call({ type: "Create", resource: "Two", downAfterMs: 4_000 });
    expect(await call({ type: "Delete", resource: "Two" })).toMatchObject(DONE);
    expect(await standing()).toMatchObject({ declared: { downAfterMs: 3_000 } });
    expect((await standing())?.declaredBy).toEqual({ stack: CACHE, resource: "One" });
    await call({ type: "Delete" });
    expect(await standing()).toBeNull();
  });

  it("twice in one stack is refused to the one that does not have it", async () => {
    await call({ type: "Create" });
    await call({ type: "Create", resource: "Two" });
    expect((await call({ type: "Update" })).Reason).toContain("declared twice in this stack, by Two too");
    expect(await call({ type: "Update", resource: "Two" })).toMatchObject(DONE);
  });

  it("of an earlier version's registrar is taken over by the stack that updates it, and is nobody else's from then on", async () => {
    await call({ type: "Create" });
    await forgetDeclarer();
    expect(await call({ type: "Update" })).toMatchObject(DONE);
    expect((await standing())?.declaredBy).toEqual({ stack: CACHE, resource: "One" });
    expect(await call({ type: "Update", stack: "Other" })).toMatchObject({ Status: "FAILED" });
    expect(await call({ type: "Delete", stack: "Other" })).toMatchObject(DONE);
    expect(await standing()).not.toBeNull();
  });

  it("of an earlier version's registrar goes with the resource that had it", async () => {
    await call({ type: "Create" });
    await forgetDeclarer();
    expect(await call({ type: "Delete" })).toMatchObject(DONE);
    expect(await standing()).toBeNull();
  });

  it("is handed to another stack without a gap when it is released", async () => {
    await call({ type: "Create" });
    await release();
    expect(await call({ type: "Create", stack: "Other" })).toMatchObject(DONE);
    expect(await call({ type: "Update" })).toMatchObject({ Status: "FAILED" });
    expect(await call({ type: "Delete" })).toMatchObject(DONE);
    expect((await standing())?.declaredBy).toEqual({ stack: CACHE.replace("Cache", "Other"), resource: "One" });
  });

  it("that was released is its stack's still when the other's deployment is rolled back, or when it is updated", async () => {
    await call({ type: "Create" });
    await release();
    await call({ type: "Create", stack: "Other", downAfterMs: 9_000 });
    await call({ type: "Delete", stack: "Other" });
    expect(await standing()).toMatchObject({ declared: { downAfterMs: 3_000 } });
    expect((await standing())?.declaredBy).toEqual({ stack: CACHE, resource: "One" });
    await release();
    await call({ type: "Update" });
    expect(await call({ type: "Create", stack: "Other" })).toMatchObject({ Status: "FAILED" });
  });

  it("is declared again in another table, and left as it is in the one before", async () => {
    const other = await makeStoreAt(endpoint());
    try {
      await call({ type: "Create" });
      const before = await standing();
      expect(await call({ type: "Update", table: other.table })).toMatchObject(DONE);
      expect((await other.store.readSpec(NAME))?.declaredBy).toEqual({ stack: CACHE, resource: "One" });
      expect(await standing()).toEqual(before);
      // And back.
      expect(await call({ type: "Update" })).toMatchObject(DONE);
      expect(await other.store.readSpec(NAME)).not.toBeNull();
    } finally {
      await other.close();
    }
  });
});
