#!/usr/bin/env node
// `npx valkeeper` in the checkout: the command line is TypeScript and needs Node 24 and the packages, this launcher needs neither. It brings
// in line what is missing and hands over. What it says goes to standard error, so that `--json` stays clean.

import { fileURLToPath } from "node:url";
import { makeContext, SetupError } from "../lib/local/setup/context.mjs";
import { launch } from "../lib/local/setup/launch.mjs";
import { watchParent } from "../lib/local/setup/parent-watch.mjs";
import { prepare } from "../lib/local/setup/prepare.mjs";

const args = process.argv.slice(2);
const entry = new URL("valkeeper.ts", import.meta.url);
const context = makeContext({ say: (line) => process.stderr.write(`setting up: ${line}\n`) });
try {
  // Only `local` starts the local cloud.
  const { node } = await prepare(context, args[0] === "local" ? "all" : "packages");
  if (node === process.execPath) {
    watchParent(process.env, () => process.kill(process.pid, "SIGTERM"));
    await import(entry.href);
  } else {
    process.exitCode = await launch(context, { node, args: [fileURLToPath(entry), ...args], cwd: process.cwd() });
  }
} catch (error) {
  if (!(error instanceof SetupError)) {
    throw error;
  }
  process.stderr.write(`valkeeper: ${error.message}\n`);
  // The same code as for an unexpected failure of the command line itself.
  process.exitCode = 70;
}
