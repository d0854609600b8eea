// A real Valkey: the machine's own if it is new enough, else Debian's packages, unpacked into a folder of the checkout without root.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findOnPath, isExecutable, readJson, runQuietly, SetupError, writeAtomically } from "./context.mjs";
import { findDebian, unpackDebian } from "./debian.mjs";

const oldest = [7, 2];
const programs = ["valkey-server", "valkey-cli", "valkey-sentinel"];
// The libraries that a fresh Debian does not have; the rest (OpenSSL and the like) come with the system.
const packages = ["valkey-server", "valkey-tools", "libjemalloc2", "liblzf1", "libatomic1"];
// Raised whenever the recipe changes, so that an older result is made anew.
const recipe = 2;
const otherSystems =
  "valkey-server 7.2 or newer was not found on PATH: install Valkey (macOS: `brew install valkey`; Ubuntu 24.04 and newer: `apt-get install valkey`; others: your package manager), then try again.";

/** @returns {Promise<{ server: string, cli: string, sentinel: string, version: string }>} */
export async function ensureValkey(context) {
  return (await fromPath(context)) ?? (await fromDebian(context));
}

async function fromPath(context) {
  const server = findOnPath(context, "valkey-server");
  const cli = findOnPath(context, "valkey-cli");
  if (server === undefined || cli === undefined) {
    return undefined;
  }
  const version = await versionOf(context, server);
  if (version === undefined || !isNewEnough(version)) {
    context.say(`${server} is ${version ?? "of an unknown version"}, older than ${oldest.join(".")}: not used`);
    return undefined;
  }
  // A server started with `--sentinel` is a Sentinel, so a package without the third program is no obstacle.
  return { server, cli, sentinel: findOnPath(context, "valkey-sentinel") ?? server, version };
}

async function versionOf(context, server) {
  const { output } = await runQuietly(context, server, ["--version"]).catch(() => ({ output: "" }));
  return /v=(\d+\.\d+\.\d+)/.exec(output)?.[1];
}

function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

async function fromDebian(context) {
  const destination = join(context.cache, "valkey");
  const stamp = join(destination, "complete.json");
  const done = readJson(stamp);
  if (
    done?.recipe === recipe &&
    done.root === context.root &&
    programs.every((name) => isExecutable(wrapper(context, name)))
  ) {
    return { ...programPaths(context), version: done.version };
  }
  const debian = findDebian(context);
  if (debian === undefined) {
    throw new SetupError(otherSystems);
  }
  context.say("fetching Valkey from Debian's packages (about 8 MB)");
  rmSync(destination, { recursive: true, force: true });
  mkdirSync(join(destination, "bin"), { recursive: true });
  await unpackDebian(context, { debian, packages, destination, what: "fetching Valkey from Debian's packages" });
  writeWrappers(context, destination);
  const version = await versionOf(context, wrapper(context, "valkey-server"));
  if (version === undefined || !isNewEnough(version)) {
    throw new SetupError(
      `Debian's valkey-server does not run here or is too old (${version ?? "no version"}). ${otherSystems}`,
    );
  }
  writeAtomically(stamp, JSON.stringify({ recipe, root: context.root, version }));
  return { ...programPaths(context), version };
}

function wrapper(context, name) {
  return join(context.cache, "valkey", "bin", name);
}

function programPaths(context) {
  return {
    server: wrapper(context, "valkey-server"),
    cli: wrapper(context, "valkey-cli"),
    sentinel: wrapper(context, "valkey-sentinel"),
  };
}

/**
 * The unpacked programs find their libraries through a wrapper that replaces itself with the program: the process id that a caller gets is
 * the server's own. A Sentinel is the same program under another name.
 */
function writeWrappers(context, destination) {
  const libraries = readdirSync(join(destination, "usr", "lib"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.endsWith("-linux-gnu"))
    .map((entry) => join(destination, "usr", "lib", entry.name))
    .join(":");
  for (const name of programs) {
    const target = name === "valkey-sentinel" ? "valkey-server" : name;
    const mode = name === "valkey-sentinel" ? ' "$@" --sentinel' : ' "$@"';
    const lines = [
      "#!/bin/sh",
      `LD_LIBRARY_PATH='${libraries}'\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}`,
      "export LD_LIBRARY_PATH",
      `exec '${join(destination, "usr", "bin", target)}'${mode}`,
    ];
    writeFileSync(wrapper(context, name), `${lines.join("\n")}\n`, { mode: 0o755 });
  }
}
