import { describe, expect, it } from "vitest";
import type { AwsClients } from "../../../lib/adapters/aws/clients.ts";
import type { StoredReference } from "../../../lib/adapters/credentials/credentials-book.ts";
import { readStoredPassword } from "../../../lib/adapters/credentials/stored-password.ts";

const secret: StoredReference = { kind: "secrets-manager", user: "valkeeper", secretId: "valkey/coordinator" };
const parameter: StoredReference = { kind: "ssm-secure-string", user: "valkeeper", parameter: "/valkey/password" };

type Clients = Pick<AwsClients, "secretsManager" | "ssm">;

const answering = (answer: object): Clients =>
  ({ secretsManager: { send: async () => answer }, ssm: { send: async () => answer } }) as unknown as Clients;

const refusing = (error: Error): Clients => {
  const send = () => Promise.reject(error);
  return { secretsManager: { send }, ssm: { send } } as unknown as Clients;
};

describe("a stored password", () => {
  it.each([
    ["the secret's text", "plain", "plain"],
    ["the field `password` of a JSON object", '{"username":"valkeeper","password":"inside"}', "inside"],
    ["a text that only begins like JSON", "{not json", "{not json"],
  ])("is %s", async (_, text, password) => {
    expect(await readStoredPassword(secret, { clients: answering({ SecretString: text }), placed: null })).toBe(
      password,
    );
  });

  it("is a SecureString's value, decrypted", async () => {
    const clients = answering({ Parameter: { Value: "from-ssm" } });
    expect(await readStoredPassword(parameter, { clients, placed: null })).toBe("from-ssm");
  });

  it("is the placed one when that is the one referred to, without a call", async () => {
    const clients = refusing(new Error("no way to Secrets Manager"));
    const placed = { id: "valkey/coordinator", value: '{"password":"placed"}' };
    expect(await readStoredPassword(secret, { clients, placed })).toBe("placed");
    await expect(readStoredPassword({ ...secret, secretId: "another" }, { clients, placed })).rejects.toMatchObject({
      code: "PortError",
    });
  });

  it("is never in a failure's words", async () => {
    const clients = answering({ SecretString: '{"pass":"planted"}' });
    await expect(readStoredPassword(secret, { clients, placed: null })).rejects.toThrow(
      /^credentials\.read: valkey\/coordinator is a JSON object without a field "password"$/,
    );
  });

  it("that is not allowed to be read says what and why", async () => {
    const error = Object.assign(new Error("not authorized"), {
      name: "AccessDeniedException",
      $metadata: { httpStatusCode: 400 },
    });
    await expect(readStoredPassword(secret, { clients: refusing(error), placed: null })).rejects.toThrow(
      /valkey\/coordinator: AccessDeniedException: not authorized/,
    );
  });
});
