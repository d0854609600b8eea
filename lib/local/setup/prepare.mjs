// The set-up as a whole: what a task needs is brought in line, each step quick when there is nothing to do, and the result is written
// down last, for the programs that run on Node 24.

import { join } from "node:path";
import { readJson, writeAtomically } from "./context.mjs";
import { ensureLocalCloud, findDynamodbLocal, findLocalCloud } from "./local-cloud.mjs";
import { withLock } from "./lock.mjs";
import { ensurePackages, findNode, packagesAreReady } from "./packages.mjs";
import { findSpin } from "./spin.mjs";
import { ensureValkey } from "./valkey.mjs";

/**
 * @param {import("./context.mjs").Context} context
 * @param {"packages" | "all"} needs
 * @returns {Promise<{ node: string }>}
 */
export async function prepare(context, needs) {
  if (needs === "packages") {
    if (!packagesAreReady(context)) {
      await withLock(context, () => ensurePackages(context));
    }
    return { node: findNode(context) };
  }
  return withLock(context, async () => {
    // Downloads that do not need each other. All are waited for even if one fails: none may go on behind the back of the next run.
    const steps = [ensurePackages(context), ensureValkey(context), ensureOrFindLocalCloud(context), findSpin(context)];
    const results = await Promise.allSettled(steps);
    const failure = results.find((result) => result.status === "rejected");
    if (failure !== undefined) {
      throw failure.reason;
    }
    const [, valkey, localCloud, spin] = results.map((result) => result.value);
    writeTools(context, { valkey, localCloud, dynamodbLocal: await findDynamodbLocal(context), spin });
    return { node: findNode(context) };
  });
}

/** Who brings an endpoint of his own needs no local cloud, and no Python for it. */
async function ensureOrFindLocalCloud(context) {
  return context.environment.AWS_ENDPOINT_URL
    ? (findLocalCloud(context) ?? { missing: "set-up ran with AWS_ENDPOINT_URL set: run it once without" })
    : ensureLocalCloud(context);
}

function writeTools(context, { valkey, localCloud, dynamodbLocal, spin }) {
  const path = join(context.cache, "tools.json");
  const tools = JSON.stringify({ schema: 1, valkey, localCloud, dynamodbLocal, spin });
  if (tools === JSON.stringify(readJson(path))) {
    return;
  }
  writeAtomically(path, tools);
  context.say(`valkey-server ${valkey.version} (${valkey.server})`);
  if (dynamodbLocal.missing !== undefined) {
    context.say(`without DynamoDB Local: ${dynamodbLocal.missing}`);
  }
  if (spin.missing !== undefined) {
    context.say(`without Spin: ${spin.missing}`);
  }
}
