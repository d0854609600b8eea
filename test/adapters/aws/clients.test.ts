import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createAwsClients } from "../../../lib/adapters/aws/clients.ts";

const REGION = { region: "eu-west-1" };

describe("the AWS clients", () => {
  beforeEach(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith("AWS_ENDPOINT_URL")) vi.stubEnv(name, undefined);
  });
  afterEach(() => vi.unstubAllEnvs());

  it("send once: another try is for those who know the deadline", async () => {
    const clients = createAwsClients(REGION);
    for (const client of [clients.dynamodb, clients.ssm, clients.route53, clients.secretsManager]) {
      expect(await client.config.maxAttempts()).toBe(1);
    }
  });

  it("are each made once, and only when asked for", () => {
    const clients = createAwsClients(REGION);
    expect(clients.dynamodb).toBe(clients.dynamodb);
    const first = clients.ssm;
    clients.destroy();
    expect(clients.ssm).toBe(first);
  });

  it("use dual-stack names for all but DynamoDB", async () => {
    const { dynamodb, ssm, route53, secretsManager } = createAwsClients({ ...REGION, dualStack: true });
    for (const client of [ssm, route53, secretsManager]) expect(await client.config.useDualstackEndpoint()).toBe(true);
    expect(await dynamodb.config.useDualstackEndpoint()).toBe(false);
  });

  it("use the one name of an endpoint that somebody named", async () => {
    const named = createAwsClients({ ...REGION, dualStack: true, endpoint: "http://127.0.0.1:1" });
    expect(await named.ssm.config.useDualstackEndpoint()).toBe(false);
    vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    const found = createAwsClients({ ...REGION, dualStack: true });
    expect(await found.ssm.config.useDualstackEndpoint()).toBe(false);
  });
});
