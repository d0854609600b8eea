// Where the programs are that set-up has found or fetched. Nothing here installs anything: `npm run setup` does.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { LocalError } from "./errors.ts";

export interface ValkeyTools {
  readonly server: string;
  readonly cli: string;
  readonly sentinel: string;
  readonly version: string;
}

export interface Missing {
  /** Why it is not there, for a person. */
  readonly missing: string;
}

export interface DynamodbLocalTools {
  readonly java: string;
  readonly jar: string;
  readonly libraries: string;
}

export interface SpinTools {
  readonly spin: string;
  readonly compiler: string;
  readonly version: string;
}

export interface Tools {
  readonly schema: 1;
  readonly valkey: ValkeyTools;
  readonly localCloud: { readonly executable: string } | Missing;
  readonly dynamodbLocal: DynamodbLocalTools | Missing;
  readonly spin: SpinTools | Missing;
}

export const projectRoot: string = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

const toolsFile = join(projectRoot, ".cache", "tools.json");

export function readTools(): Tools {
  let tools: unknown;
  try {
    tools = JSON.parse(readFileSync(toolsFile, "utf8"));
  } catch (error) {
    throw new LocalError(
      "program-missing",
      "the set-up has not run in this checkout: run `npm run setup` first",
      error,
    );
  }
  if (!isOfThisVersion(tools)) {
    throw new LocalError(
      "program-missing",
      "the set-up is of another version of this checkout: run `npm run setup` again",
    );
  }
  return tools;
}

/** Written by the set-up of this very checkout, so only what tells its versions apart is looked at. */
const isOfThisVersion = (tools: unknown): tools is Tools =>
  typeof tools === "object" &&
  tools !== null &&
  "schema" in tools &&
  tools.schema === 1 &&
  ["valkey", "localCloud", "spin"].every((name) => name in tools);

export const isMissing = <T extends object>(tool: T | Missing): tool is Missing => "missing" in tool;

/** The PATH for programs that themselves look for `node`: this very Node comes first, whatever the system has. */
export function pathForPrograms(): string {
  return [
    dirname(process.execPath),
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
  ].join(":");
}
