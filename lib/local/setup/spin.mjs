// Spin, the model checker that `docs/model` is written for, and the C compiler that its verifiers need. Neither is needed by anything else, so
// their absence is told and not an error.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findOnPath, isExecutable, readJson, runQuietly, SetupError, writeAtomically } from "./context.mjs";
import { findDebian, unpackDebian } from "./debian.mjs";

const oldest = [6, 5];
// Raised whenever the recipe changes, so that an older result is made anew.
const recipe = 1;
const wish = "install it (Debian and Ubuntu: `apt-get install spin gcc`; macOS: `brew install spin`)";

/** @returns {Promise<{ spin: string, compiler: string, version: string } | { missing: string }>} */
export async function findSpin(context) {
  const compiler = findOnPath(context, "cc") ?? findOnPath(context, "gcc");
  if (compiler === undefined) {
    return { missing: `a C compiler was not found on PATH, and Spin's verifiers are C: ${wish}` };
  }
  const found = (await fromPath(context)) ?? (await fromDebian(context));
  return "missing" in found ? found : { ...found, compiler };
}

async function fromPath(context) {
  const spin = findOnPath(context, "spin");
  const version = spin === undefined ? undefined : await versionOf(context, spin);
  return version === undefined ? undefined : { spin, version };
}

/** Undefined also for one that is too old, and for another program of that name. */
async function versionOf(context, spin) {
  const { output } = await runQuietly(context, spin, ["-V"]).catch(() => ({ output: "" }));
  const [version, major, minor] = /Spin Version (\d+)\.(\d+)\.\d+/.exec(output) ?? [];
  const isNewEnough = Number(major) > oldest[0] || (Number(major) === oldest[0] && Number(minor) >= oldest[1]);
  return isNewEnough ? version?.replace("Spin Version ", "") : undefined;
}

async function fromDebian(context) {
  const destination = join(context.cache, "spin");
  const stamp = join(destination, "complete.json");
  const spin = join(destination, "usr", "bin", "spin");
  const done = readJson(stamp);
  if (done?.recipe === recipe && isExecutable(spin)) {
    return { spin, version: done.version };
  }
  const debian = findDebian(context);
  if (debian === undefined) {
    return { missing: `spin ${oldest.join(".")} or newer was not found on PATH: ${wish}` };
  }
  context.say("fetching Spin from Debian's packages (about 0.5 MB)");
  rmSync(destination, { recursive: true, force: true });
  mkdirSync(destination, { recursive: true });
  const what = "fetching Spin from Debian's packages";
  try {
    await unpackDebian(context, { debian, packages: ["spin"], destination, what });
  } catch (error) {
    if (!(error instanceof SetupError)) {
      throw error;
    }
    return { missing: `${error.message.split("\n")[0]} Or ${wish}` };
  }
  const version = await versionOf(context, spin);
  if (version === undefined) {
    return { missing: `Debian's spin does not run here: ${wish}` };
  }
  writeAtomically(stamp, JSON.stringify({ recipe, version }));
  return { spin, version };
}
