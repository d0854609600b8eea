// Programs in Python: an environment of the checkout for each, every file in it checked by hash.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { findOnPath, isExecutable, readJson, runOrFail, runQuietly, SetupError, writeAtomically } from "./context.mjs";
import { findDebian, unpackDebian } from "./debian.mjs";

const newestMinor = 15;

/**
 * @typedef {object} PythonProgram
 * @property {string} what for messages: "the local cloud"
 * @property {string} size for the person who waits: "about 10 s, 90 MB"
 * @property {string} folder its environment, below the cache
 * @property {string} executable inside the folder
 * @property {string} requirements a file of the checkout, each line with its hashes
 * @property {string} [buildRequirements] what builds those that come as source; without it, nothing may
 * @property {number} oldestMinor Python 3.<this> or newer
 * @property {string} missing what to say when there is none
 * @property {string} wish what a person could do instead, the end of a sentence
 */

/**
 * @param {PythonProgram} program
 * @returns {string | undefined} the path of its executable
 */
export function findPythonProgram(context, program) {
  const { executable, python, stamp, hash } = describe(program);
  const done = readJson(stamp);
  // An environment holds absolute paths, so a checkout that was moved needs a new one; so does one whose Python was uninstalled.
  const isComplete = done?.hash === hash && done.root === context.root;
  return isComplete && isExecutable(python) && isExecutable(executable) ? executable : undefined;
}

/**
 * @param {PythonProgram} program
 * @returns {Promise<string>} the path of its executable
 */
export async function ensurePythonProgram(context, program) {
  const found = findPythonProgram(context, program);
  if (found !== undefined) {
    return found;
  }
  const { executable, python, stamp, hash } = describe(program);
  const { folder, requirements, buildRequirements, what } = program;
  const system = await findPython(context, program);
  context.say(`installing ${what} (${program.size})`);
  rmSync(folder, { recursive: true, force: true });
  const pip = await makeEnvironment(context, system, program);
  const install = [...pip, "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"];
  const run = (args) => runOrFail(context, python, [...install, ...args], { what: `installing ${what}` });
  const wheelsOnly = ["--only-binary", ":all:", "--require-hashes", "-r"];
  if (buildRequirements === undefined) {
    await run([...wheelsOnly, requirements]);
  } else {
    // Without isolation, a build takes the tools of the environment, which were checked like everything else.
    await run([...wheelsOnly, buildRequirements]);
    await run(["--no-build-isolation", "--require-hashes", "-r", requirements]);
  }
  writeAtomically(stamp, JSON.stringify({ hash, root: context.root }));
  return executable;
}

function describe({ folder, executable, requirements, buildRequirements }) {
  const files = [requirements, ...(buildRequirements === undefined ? [] : [buildRequirements])];
  const hash = createHash("sha256");
  for (const file of files) {
    hash.update(readFileSync(file));
  }
  return {
    executable: join(folder, "bin", executable),
    python: join(folder, "bin", "python"),
    stamp: join(folder, "complete.json"),
    hash: hash.digest("hex"),
  };
}

async function findPython(context, { oldestMinor, missing }) {
  const minors = Array.from({ length: newestMinor - oldestMinor + 1 }, (_, index) => newestMinor - index);
  const onPath = ["python3", ...minors.map((minor) => `python3.${minor}`), "python"].map((name) =>
    findOnPath(context, name),
  );
  for (const path of [...onPath, ...installedApart(context, minors)]) {
    if (path === undefined) {
      continue;
    }
    const script = "import sys; print(sys.version_info[0], sys.version_info[1])";
    const { code, output } = await runQuietly(context, path, ["-c", script]).catch(() => ({ code: 1, output: "" }));
    const [major, minor] = output.trim().split(" ").map(Number);
    if (code === 0 && major === 3 && minor >= oldestMinor) {
      return path;
    }
  }
  throw new SetupError(missing);
}

/** What pyenv keeps beside the Python it is set to. */
function installedApart(context, minors) {
  const { HOME = homedir(), PYENV_ROOT = join(HOME, ".pyenv") } = context.environment;
  const versions = join(PYENV_ROOT, "versions");
  let names;
  try {
    names = readdirSync(versions);
  } catch {
    // No pyenv here.
    return [];
  }
  const wanted = names.filter((name) => minors.some((minor) => name.startsWith(`3.${minor}.`)));
  return wanted.map((name) => join(versions, name, "bin", "python3"));
}

/**
 * Debian splits Python's standard library: a bare python3 can make an environment, but not put pip into it. The wheel of pip is then
 * taken from Debian's packages, beside the environment.
 * @returns {Promise<string[]>} the arguments with which the environment's Python runs pip
 */
async function makeEnvironment(context, python, { folder, wish }) {
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
