// How may a group's credentials be named? By reference: no record, template or function ever holds a password. Only
// `valkeeper local` and tests may give one inline. No message repeats what was given: it may be the password.

import type { CredentialsReference } from "./config.ts";
import { type Fields, type Reading, readFields, readText, readWord } from "./config-reading.ts";

const KINDS = ["inline", "secrets-manager", "ssm-secure-string", "none"] as const;
type Kind = (typeof KINDS)[number];

/** The field that only this kind has, from which the kind is understood when it is not given. */
const OWN_FIELD = { inline: "password", "secrets-manager": "secretId", "ssm-secure-string": "parameter" } as const;

const USER = { pattern: /^[^\s\p{Cc}]{1,128}$/u, what: "a user name without blanks" };

export function readCredentials(
  reading: Reading,
  value: unknown,
  allowInline: boolean,
): CredentialsReference | undefined {
  const fields = readFields(reading, "credentials", value, ["kind", "user", ...Object.values(OWN_FIELD)]);
  if (fields === undefined) return undefined;
  const kind = kindOf(reading, fields);
  const user = readText(reading, "credentials.user", fields["user"] ?? "default", USER);
  if (kind === undefined || user === undefined) return undefined;
  switch (kind) {
    case "inline":
      return inline(reading, fields, user, allowInline);
    case "secrets-manager": {
      const secretId = readText(reading, "credentials.secretId", fields["secretId"], SECRET);
      return secretId === undefined ? undefined : { kind, user, secretId };
    }
    case "ssm-secure-string": {
      const parameter = readText(reading, "credentials.parameter", fields["parameter"], PARAMETER);
      return parameter === undefined ? undefined : { kind, user, parameter };
    }
    case "none":
      if (user === "default") return { kind, user };
      reading.issues.push(
        `credentials name the user ${JSON.stringify(user)} and no secret: add secretId (Secrets Manager) or parameter (SSM SecureString)`,
      );
      return undefined;
  }
}

const SECRET = { pattern: /^[A-Za-z0-9/_+=.@:-]{1,2048}$/, what: "the name or ARN of a Secrets Manager secret" };
const PARAMETER = {
  pattern: /^(\/?[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*|arn:[A-Za-z0-9_.:/-]+)$/,
  what: "the name or ARN of an SSM SecureString parameter",
};

/** One kind, given or understood; two fields of different kinds contradict each other. */
function kindOf(reading: Reading, fields: Fields): Kind | undefined {
  const shown = Object.entries(OWN_FIELD).filter(([, field]) => field in fields);
  if (shown.length > 1) {
    reading.issues.push(`credentials have ${shown.map(([, field]) => field).join(" and ")}: give one of them`);
    return undefined;
  }
  const understood = (shown[0]?.[0] ?? "none") as Kind;
  if (fields["kind"] === undefined) return understood;
  const given = readWord(reading, "credentials.kind", fields["kind"], KINDS) as Kind | undefined;
  if (given === undefined || given === understood || understood === "none") return given;
  reading.issues.push(`credentials.kind is "${given}" and ${shown[0]?.[1]} belongs to "${understood}"`);
  return undefined;
}

function inline(reading: Reading, fields: Fields, user: string, isAllowed: boolean): CredentialsReference | undefined {
  if (!isAllowed) {
    reading.issues.push(
      "credentials.password is given inline, and no record ever holds a password: put it into Secrets Manager (secretId) or an SSM SecureString (parameter)",
    );
    return undefined;
  }
  const password = fields["password"];
  if (typeof password === "string" && password !== "") return { kind: "inline", user, password };
  reading.issues.push("credentials.password should be a text that is not empty");
  return undefined;
}
