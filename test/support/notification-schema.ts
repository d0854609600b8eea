// The published schema of notifications, as a subscriber would use it.

import { readFileSync } from "node:fs";
import { Ajv } from "ajv";

const file = new URL("../../docs/notification.schema.json", import.meta.url);
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(JSON.parse(readFileSync(file, "utf8")));

/** What is wrong with it; empty when nothing is. */
export function schemaIssues(notification: unknown): readonly string[] {
  return validate(notification) ? [] : (validate.errors ?? []).map((each) => `${each.instancePath} ${each.message}`);
}
