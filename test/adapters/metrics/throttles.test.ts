import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../../../lib/adapters/aws/call.ts";
import { createAwsClients } from "../../../lib/adapters/aws/clients.ts";
import { watchThrottles } from "../../../lib/adapters/metrics/throttles.ts";

const COMMAND = new GetItemCommand({ TableName: "t", Key: { pk: { S: "a" } } });
const LIMITS = { attemptTimeoutMs: 1_000, totalMs: 3_000, attempts: 4 };

let server: Server;
/** What the endpoint says to the next requests; then it answers. */
let refusals: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    const refusal = refusals.shift();
    const body = refusal === undefined ? "{}" : JSON.stringify({ __type: refusal, message: "no" });
    response.writeHead(refusal === undefined ? 200 : 400, { "content-type": "application/x-amz-json-1.0" });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function throttlesOf(said: string[]): Promise<{ readonly throttles: number; readonly kind: string }> {
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const clients = createAwsClients({ endpoint, region: "eu-west-1", credentials });
  let throttles = 0;
  refusals = said;
  try {
    watchThrottles(clients.dynamodb, () => {
      throttles += 1;
    });
    const { kind } = await call((abortSignal) => clients.dynamodb.send(COMMAND, { abortSignal }), LIMITS);
    return { throttles, kind };
  } finally {
    clients.destroy();
  }
}

describe("throttled requests", () => {
  it("are counted try by try, also when the last one was taken", async () => {
    const turnedAway = "com.amazon.coral.availability#ThrottlingException";
    expect(await throttlesOf([turnedAway, turnedAway])).toEqual({ throttles: 2, kind: "answered" });
  });

  it("are not those that are refused for what they ask", async () => {
    const refusal = "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException";
    expect(await throttlesOf([refusal])).toEqual({ throttles: 0, kind: "failed" });
  });
});
