// The shipped program as a person starts it: table, endpoint and credentials from the environment.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Ended {
  readonly exit: number;
  readonly out: string;
  readonly notes: string;
}

const entry = fileURLToPath(new URL("../../bin/valkeeper.ts", import.meta.url));

export function runValkeeper(
  at: { readonly endpoint: string; readonly table: string },
  args: readonly string[],
  variables: Record<string, string> = {},
): Promise<Ended> {
  const env = {
    PATH: process.env["PATH"] ?? "",
    USER: "kim",
    AWS_ENDPOINT_URL: at.endpoint,
    AWS_REGION: "eu-west-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    VALKEEPER_TABLE: at.table,
    ...variables,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [entry, ...args], { env }, (error, out, notes) => {
      const code = error === null ? 0 : (error.code as unknown as number);
      resolve({ exit: code, out: out.trimEnd(), notes: notes.trimEnd() });
    });
  });
}
