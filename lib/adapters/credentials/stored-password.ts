// Where passwords are kept: Secrets Manager, a SecureString of Systems Manager, or, where neither is reached, one secret
// that the deployment placed into this function's environment.

import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { PortError } from "../../core/errors.ts";
import { type Called, type CallLimits, call } from "../aws/call.ts";
import type { AwsClients } from "../aws/clients.ts";
import type { StoredReference } from "./credentials-book.ts";

const LIMITS: CallLimits = { attemptTimeoutMs: 1_500, totalMs: 4_000, attempts: 4 };

export interface StoredPasswordOptions {
  readonly clients: Pick<AwsClients, "secretsManager" | "ssm">;
  /** Null: none was placed. */
  readonly placed: { readonly id: string; readonly value: string } | null;
}

/** Rejects with `PortError`, whose text never holds anything of the secret. */
export async function readStoredPassword(
  reference: StoredReference,
  { clients, placed }: StoredPasswordOptions,
): Promise<string> {
  if (reference.kind === "ssm-secure-string") {
    const command = new GetParameterCommand({ Name: reference.parameter, WithDecryption: true });
    const answer = await call((abortSignal) => clients.ssm.send(command, { abortSignal }), LIMITS);
    return passwordIn(answered(answer, reference.parameter).Parameter?.Value, reference.parameter);
  }
  if (placed !== null && placed.id === reference.secretId) return passwordIn(placed.value, reference.secretId);
  const command = new GetSecretValueCommand({ SecretId: reference.secretId });
  const answer = await call((abortSignal) => clients.secretsManager.send(command, { abortSignal }), LIMITS);
  return passwordIn(answered(answer, reference.secretId).SecretString, reference.secretId);
}

function answered<T>(answer: Called<T>, name: string): T {
  if (answer.kind === "answered") return answer.value;
  throw new PortError("credentials", "read", `${name}: ${answer.failure.detail}`, answer.failure.error);
}

/** The text itself, or the field `password` of a JSON object, as rotation functions write it. */
function passwordIn(text: string | undefined, name: string): string {
  if (text === undefined || text === "") throw new PortError("credentials", "read", `${name} holds no text`);
  if (!text.trimStart().startsWith("{")) return text;
  let fields: { readonly password?: unknown };
  try {
    fields = JSON.parse(text) as typeof fields;
  } catch {
    // Not JSON after all: a password may begin with a brace. The parser's message would repeat it.
    return text;
  }
  if (typeof fields.password === "string" && fields.password !== "") return fields.password;
  throw new PortError("credentials", "read", `${name} is a JSON object without a field "password"`);
}
