// node_modules as package-lock.json says, and a Node that can run TypeScript.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { delimiter, join, sep } from "node:path";
import { findOnPath, isExecutable, readJson, runOrFail, SetupError, writeAtomically } from "./context.mjs";

const neededNode = 24;

function stampPath(context) {
  return join(context.root, "node_modules", ".valkeeper-stamp");
}

function expectedStamp(context) {
  const lock = readFileSync(join(context.root, "package-lock.json"));
  return `${createHash("sha256").update(lock).digest("hex")} ${process.platform} ${process.arch}\n`;
}

export function packagesAreReady(context) {
  try {
    return readFileSync(stampPath(context), "utf8") === expectedStamp(context);
  } catch {
    return false;
  }
}

export async function ensurePackages(context) {
  if (packagesAreReady(context)) {
    return;
  }
  // Somebody may have run npm himself; npm writes its own record of what it installed last, so a matching one is a whole install.
  if (!installedByHand(context)) {
    await install(context);
  }
  writeAtomically(stampPath(context), expectedStamp(context));
}

async function install(context) {
  context.say("installing packages (about 30 s the first time)");
  const npm = findOnPath(context, "npm", { outsideModules: true });
  if (npm === undefined) {
    throw new SetupError("npm was not found on PATH: install Node.js 24 or newer together with npm, then try again.");
  }
  rmSync(stampPath(context), { force: true });
  const path = (context.environment.PATH ?? "")
    .split(delimiter)
    // npm must not run on the Node inside the node_modules that it is about to remove.
    .filter((entry) => !`${entry}${sep}`.includes(`${sep}node_modules${sep}`))
    .join(delimiter);
  await runOrFail(context, npm, ["ci", "--ignore-scripts", "--loglevel=error"], {
    what: "installing the packages with `npm ci`",
    environment: { ...context.environment, PATH: path },
  });
}

function installedByHand(context) {
  const wanted = readJson(join(context.root, "package-lock.json"))?.packages;
  const found = readJson(join(context.root, "node_modules", ".package-lock.json"))?.packages;
  if (wanted === undefined || found === undefined) {
    return false;
  }
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") {
      return true;
    }
    const installed = found[path];
    if (installed === undefined) {
      // Packages for other systems are left out by npm; only these are both optional and restricted.
      return entry.optional === true;
    }
    return installed.version === entry.version && existsSync(join(context.root, path));
  });
}

/** The Node that runs TypeScript: this one if it is new enough, else the one among the packages. */
export function findNode(context) {
  if (Number.parseInt(process.versions.node, 10) >= neededNode) {
    return process.execPath;
  }
  const packaged = join(context.root, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  if (isExecutable(packaged)) {
    return packaged;
  }
  throw new SetupError(
    `Node.js ${neededNode} or newer is needed, this is ${process.versions.node}, and no packaged one exists for ${process.platform} ${process.arch}: install Node.js ${neededNode}.`,
  );
}
