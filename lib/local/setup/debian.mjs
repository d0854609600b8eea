// Debian's packages without root: fetched, checked by apt against Debian's keys, and unpacked into a folder. Nothing of the system is
// changed, and nothing of it is read but the mirror it uses and its keys.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findOnPath, runOrFail, SetupError } from "./context.mjs";

/** @returns {{ codename: string, aptGet: string, dpkg: string } | undefined} undefined where there is no Debian */
export function findDebian(context) {
  const file = "/etc/os-release";
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const field = (name) => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1];
  const codename = field("VERSION_CODENAME");
  const aptGet = findOnPath(context, "apt-get");
  const dpkg = findOnPath(context, "dpkg");
  if (field("ID") !== "debian" || codename === undefined || aptGet === undefined || dpkg === undefined) {
    return undefined;
  }
  return { codename, aptGet, dpkg };
}

/** Unpacks the packages, for this machine's architecture, into a folder that exists. */
export async function unpackDebian(context, { debian, packages, destination, what }) {
  const { codename, aptGet, dpkg } = debian;
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
    const mirror = await findMirror(context, { aptGet, isolated, codename });
    const keyring = findKeyring();
    const sources = join(work, "sources.list");
    // bookworm has Valkey in its backports only; later releases have it in the release itself.
    const suites = codename === "bookworm" ? ["bookworm", "bookworm-backports"] : [codename];
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
    throw new SetupError(
      `apt's sources name no mirror of Debian ${codename}: add one, or install the program by hand.`,
    );
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
