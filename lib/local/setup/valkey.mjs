// A real Valkey: the machine's own if it is new enough, else Debian's packages, unpacked into a folder of the checkout without root.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findOnPath, isExecutable, readJson, runOrFail, runQuietly, SetupError, writeAtomically } from "./context.mjs";

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
  const system = readSystem();
  const aptGet = findOnPath(context, "apt-get");
  const dpkg = findOnPath(context, "dpkg");
  if (system.id !== "debian" || system.codename === undefined || aptGet === undefined || dpkg === undefined) {
    throw new SetupError(otherSystems);
  }
  context.say("fetching Valkey from Debian's packages (about 8 MB)");
  rmSync(destination, { recursive: true, force: true });
  mkdirSync(join(destination, "bin"), { recursive: true });
  await unpack(context, { system, aptGet, dpkg, destination });
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

function readSystem() {
  const file = "/etc/os-release";
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const field = (name) => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1];
  return { id: field("ID"), codename: field("VERSION_CODENAME") };
}

/** apt with lists and a cache of its own: nothing of the system's is read but its mirror and keys, nothing of it is changed. */
async function unpack(context, { system, aptGet, dpkg, destination }) {
  const work = mkdtempSync(join(tmpdir(), "valkeeper-apt-"));
  try {
    for (const folder of ["lists/partial", "cache/archives/partial", "packages"]) {
      mkdirSync(join(work, folder), { recursive: true });
    }
    const isolated = [
      `Dir::State::Lists=${join(work, "lists")}`,
      `Dir::Cache=${join(work, "cache")}`,
      "APT::Sandbox::User=",
      "Debug::NoLocking=1",
      "Acquire::Languages=none",
      "Acquire::Retries=3",
    ].flatMap((option) => ["-o", option]);
    const what = "fetching Valkey from Debian's packages";
    const mirror = await findMirror(context, { aptGet, isolated, codename: system.codename });
    const keyring = findKeyring();
    const sources = join(work, "sources.list");
    // bookworm has Valkey in its backports only; later releases have it in the release itself.
    const suites = system.codename === "bookworm" ? ["bookworm", "bookworm-backports"] : [system.codename];
    writeFileSync(sources, suites.map((suite) => `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`).join(""));
    const own = [...isolated, "-o", `Dir::Etc::SourceList=${sources}`, "-o", "Dir::Etc::SourceParts=/dev/null"];
    await runOrFail(context, aptGet, [...own, "-qq", "update"], { what });
    const folder = join(work, "packages");
    await runOrFail(context, aptGet, [...own, "-qq", "download", ...packages], { what, cwd: folder });
    for (const name of readdirSync(folder).filter((entry) => entry.endsWith(".deb"))) {
      await runOrFail(context, dpkg, ["-x", join(folder, name), destination], { what });
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function findMirror(context, { aptGet, isolated, codename }) {
  const uris = await runOrFail(context, aptGet, [...isolated, "--print-uris", "update"], {
    what: "reading apt's sources",
  });
  const mirror = new RegExp(`^'(.*)/dists/${codename}/InRelease'`, "m").exec(uris)?.[1];
  if (mirror === undefined) {
    throw new SetupError(`apt's sources name no mirror of Debian ${codename}. ${otherSystems}`);
  }
  return mirror;
}

function findKeyring() {
  const keyring = ["gpg", "pgp"]
    .map((ending) => `/usr/share/keyrings/debian-archive-keyring.${ending}`)
    .find((path) => existsSync(path));
  if (keyring === undefined) {
    throw new SetupError(
      "Debian's archive keys are missing: install the package debian-archive-keyring, then try again.",
    );
  }
  return keyring;
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
