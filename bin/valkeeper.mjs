#!/usr/bin/env node
// `npx valkeeper`. The package brings the command line as JavaScript, and it starts at once. In the checkout it is TypeScript and needs
// Node 24 and the packages, this launcher needs neither: it brings in line what is missing and hands over. What it says goes to standard
// error, so that `--json` stays clean.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const source = new URL("valkeeper.ts", import.meta.url);
if (existsSync(source)) {
  await startInCheckout(fileURLToPath(source), process.argv.slice(2));
} else {
  await import(new URL("../dist/bin/valkeeper.js", import.meta.url).href);
}

async function startInCheckout(entry, args) {
  // The package has no set-up.
  const { makeContext, SetupError } = await import("../lib/local/setup/context.mjs");
  const { launch } = await import("../lib/local/setup/launch.mjs");
  const { watchParent } = await import("../lib/local/setup/parent-watch.mjs");
  const { prepare } = await import("../lib/local/setup/prepare.mjs");
  const context = makeContext({ say: (line) => process.stderr.write(`setting up: ${line}\n`) });
  try {
    // Only `local` starts the local cloud.
    const { node } = await prepare(context, args[0] === "local" ? "all" : "packages");
    if (node === process.execPath) {
      watchParent(process.env, () => process.kill(process.pid, "SIGTERM"));
      await import(source.href);
    } else {
      process.exitCode = await launch(context, { node, args: [entry, ...args], cwd: process.cwd() });
    }
  } catch (error) {
    if (!(error instanceof SetupError)) {
      throw error;
    }
    process.stderr.write(`valkeeper: ${error.message}\n`);
    // The same code as for an unexpected failure of the command line itself.
    process.exitCode = 70;
  }
}
