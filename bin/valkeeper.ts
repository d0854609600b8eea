#!/usr/bin/env node
// The command line's composition: the terminal, the clock and the table's adapter, handed to lib/cli. No logic.

import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { createLogUpdate } from "log-update";
import { type AwsClients, createAwsClients } from "../lib/adapters/aws/clients.ts";
import { createDynamodbStore } from "../lib/adapters/dynamodb/group-store.ts";
import type { Environment, Screen } from "../lib/cli/environment.ts";
import { refused } from "../lib/cli/failure.ts";
import { runCli } from "../lib/cli/program.ts";
import { wallTime } from "../lib/core/types.ts";
import packageJson from "../package.json" with { type: "json" };

/** People run this from anywhere: longer than a voter may take, and short enough to be told of a wrong endpoint. */
const PATIENCE = { attemptTimeoutMs: 5_000, totalMs: 12_000, attempts: 3 };

/** In the package this file is JavaScript. */
const isCheckout = import.meta.url.endsWith(".ts");

const interrupt = new AbortController();
const clients: AwsClients[] = [];

function onInterrupt(): void {
  // The second one is meant.
  if (interrupt.signal.aborted) process.exit(130);
  interrupt.abort();
}

function createScreen(): Screen {
  const live = createLogUpdate(process.stdout);
  return {
    out: (text) => process.stdout.write(`${text}\n`),
    note: (text) => process.stderr.write(`${text}\n`),
    isTerminal: process.stdout.isTTY,
    hasColours: process.stdout.isTTY && !process.env["NO_COLOR"],
    replace: (text) => live(text),
    settle: () => live.done(),
  };
}

function operator(): string {
  const { env } = process;
  return `${env["USER"] ?? env["LOGNAME"] ?? accountName()}@${hostname()}`;
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may have no name.
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}

/** A cloud on this machine asks for credentials and checks none: nobody should have to make some up for it. */
function localCredentials(variables: NodeJS.ProcessEnv) {
  const endpoint = variables["AWS_ENDPOINT_URL_DYNAMODB"] ?? variables["AWS_ENDPOINT_URL"] ?? "";
  const isLocal = /^https?:\/\/(127\.[\d.]+|localhost|\[::1\])(:|\/|$)/.test(endpoint);
  const hasOwn = variables["AWS_ACCESS_KEY_ID"] !== undefined || variables["AWS_PROFILE"] !== undefined;
  return isLocal && !hasOwn ? { credentials: { accessKeyId: "local", secretAccessKey: "local" } } : {};
}

const environment: Environment = {
  version: packageJson.version,
  variables: process.env,
  openStore: ({ table, region }) => {
    const aws = createAwsClients({
      connectionTimeoutMs: 3_000,
      ...(region === null ? {} : { region }),
      ...localCredentials(process.env),
    });
    clients.push(aws);
    return createDynamodbStore({
      client: aws.dynamodb,
      table,
      limits: PATIENCE,
      onUnreadable: ({ kind, name, detail }) =>
        process.stderr.write(`note: the ${kind} ${name} is left out: ${detail}\n`),
    });
  },
  screen: createScreen(),
  wallTime: () => wallTime(Date.now()),
  pause: async (ms) => {
    // Being interrupted ends the pause, not the command: it looks at the signal itself.
    await sleep(ms, undefined, { signal: interrupt.signal }).catch(() => undefined);
  },
  interrupted: interrupt.signal,
  operator: operator(),
  newId: randomUUID,
  readText: (path) => readFile(path, "utf8"),
  writeText: (path, text) => writeFile(path, text),
  runLocal: async (configFile) => {
    if (!isCheckout) throw refused("`valkeeper local` needs the project's checkout: the package has no local cloud");
    // Only this command needs the local cloud and everything it brings.
    const { runLocal } = await import("../lib/local/run-local.ts");
    return runLocal(configFile);
  },
};

process.on("SIGINT", onInterrupt);
// `valkeeper history | head`: whoever reads has enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

process.exitCode = await runCli(environment, process.argv.slice(2));
process.off("SIGINT", onInterrupt);
for (const aws of clients) aws.destroy();
