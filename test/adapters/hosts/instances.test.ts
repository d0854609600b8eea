// What EC2 answers about an instance that may not or cannot be stopped, read by the real SDK from the wire: the local cloud knows
// neither stop protection nor Spot requests. And what is asked when it can.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { EC2Client } from "@aws-sdk/client-ec2";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hostOf, Instances } from "../../../lib/adapters/hosts/instances.ts";

const ID = "i-0123456789abcdef0";
const REQUEST = "sir-01234567";
const host = hostOf({ InstanceId: ID, State: { Name: "running" } });

let server: Server;
let client: EC2Client;
/** The answer to each action, as EC2 spells it. */
let answers: Readonly<Record<string, string>> = {};
let asked: URLSearchParams[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const query = new URLSearchParams(body);
      asked.push(query);
      const action = query.get("Action") ?? "";
      const answer = answers[action];
      response.writeHead(answer === undefined ? 400 : 200, { "content-type": "text/xml" });
      response.end(
        answer === undefined
          ? `<Response><Errors><Error><Code>UnsupportedOperation</Code><Message>no ${action}</Message></Error></Errors></Response>`
          : `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${answer}</${action}Response>`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  client = new EC2Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: "eu-west-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
});
afterAll(() => {
  client.destroy();
  return new Promise((resolve) => server.close(resolve));
});
afterEach(() => {
  asked = [];
});

const protectedBy = (value: boolean): string =>
  `<instanceId>${ID}</instanceId><disableApiStop><value>${value}</value></disableApiStop>`;
const described = (more: string): string =>
  `<reservationSet><item><instancesSet><item><instanceId>${ID}</instanceId>${more}</item></instancesSet></item></reservationSet>`;
const spot = `<instanceLifecycle>spot</instanceLifecycle><spotInstanceRequestId>${REQUEST}</spotInstanceRequestId>`;
const requestOf = (type: string): string =>
  `<spotInstanceRequestSet><item><spotInstanceRequestId>${REQUEST}</spotInstanceRequestId><type>${type}</type></item></spotInstanceRequestSet>`;
const stopping = `<instancesSet><item><instanceId>${ID}</instanceId></item></instancesSet>`;

const FREE = {
  DescribeInstanceAttribute: protectedBy(false),
  DescribeInstances: described(""),
  StopInstances: stopping,
};

const actions = (): readonly (string | null)[] => asked.map((query) => query.get("Action"));

describe("a stop of an instance", () => {
  it("leaves out the system's own shutdown, which a hung host would sit out", async () => {
    answers = FREE;
    expect(await new Instances(client).stop(host)).toEqual({ kind: "accepted" });
    expect(actions()).toEqual(["DescribeInstanceAttribute", "DescribeInstances", "StopInstances"]);
    expect(asked[0]?.get("Attribute")).toBe("disableApiStop");
    expect(Object.fromEntries(asked[2] ?? [])).toMatchObject({ "InstanceId.1": ID, SkipOsShutdown: "true" });
  });

  it("is not asked for under stop protection", async () => {
    answers = { ...FREE, DescribeInstanceAttribute: protectedBy(true) };
    expect(await new Instances(client).stop(host)).toEqual({ kind: "refused", reason: `${ID} has stop protection` });
    expect(actions()).toEqual(["DescribeInstanceAttribute"]);
  });

  it("is asked for a Spot instance of a persistent request", async () => {
    answers = {
      ...FREE,
      DescribeInstances: described(spot),
      DescribeSpotInstanceRequests: requestOf("persistent"),
    };
    expect(await new Instances(client).stop(host)).toEqual({ kind: "accepted" });
    expect(asked[2]?.get("SpotInstanceRequestId.1")).toBe(REQUEST);
    expect(actions()[3]).toBe("StopInstances");
  });

  it.each([
    ["a request for once", spot, requestOf("one-time"), "a one-time request, which cannot be stopped"],
    ["a request that is gone", spot, "<spotInstanceRequestSet/>", "a lost request, which cannot be stopped"],
    ["no request", "<instanceLifecycle>spot</instanceLifecycle>", "", "without a request that would let it be stopped"],
  ])("is not asked for a Spot instance of %s", async (_, instance, request, reason) => {
    answers = { ...FREE, DescribeInstances: described(instance), DescribeSpotInstanceRequests: request };
    expect(await new Instances(client).stop(host)).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining(reason),
    });
    expect(actions()).not.toContain("StopInstances");
  });

  it("that EC2 refuses says why", async () => {
    const { StopInstances: _stop, ...others } = FREE;
    answers = others;
    expect(await new Instances(client).stop(host)).toMatchObject({
      kind: "refused",
      reason: expect.stringMatching(/^StopInstances of i-0123456789abcdef0: .*no StopInstances/),
    });
  });
});
