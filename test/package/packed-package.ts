// The package as somebody gets it: packed by npm from the checkout, and installed by npm into a folder that holds nothing
// else but what the package depends on. Those come from the checkout's node_modules, so that no network is needed.

import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { ProcessGroup } from "../../lib/local/process-group.ts";
import { findOnPath, makeContext } from "../../lib/local/setup/context.mjs";
import { pathForPrograms, projectRoot } from "../../lib/local/tools.ts";

const execute = promisify(execFile);

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
}

export interface PackedPackage {
  readonly tarball: string;
  /** Where it is installed, with an app beside it. */
  readonly folder: string;
}

const modulesOf = (folder: string): string => join(folder, "node_modules");

/** Rejects with what the program printed unless it ends well. */
export const run = (
  folder: string,
  [command = "", ...args]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> =>
  execute(command, args, {
    cwd: folder,
    timeout: 120_000,
    // The CDK's validation of templates takes longer than the rest of a synthesis; the construct tests hold them already.
    env: { PATH: pathForPrograms(), HOME: folder, CDK_VALIDATION: "false", ...environment },
  });

export const npmProgram: string | undefined = findOnPath(makeContext(), "npm", { outsideModules: true });

export async function packAndInstall(group: ProcessGroup): Promise<PackedPackage> {
  const npm = npmProgram ?? "npm";
  const packed = group.makeFolder("packed");
  const settings = {
    npm_config_cache: join(packed, "cache"),
    npm_config_loglevel: "error",
    npm_config_update_notifier: "false",
  };
  await run(projectRoot, [npm, "pack", "--pack-destination", packed], { ...settings, HOME: packed });
  const tarball = join(packed, readdirSync(packed).find((name) => name.endsWith(".tgz")) ?? "nothing was packed");
  const folder = group.makeFolder("app");
  placeDependencies(folder);
  // Without dependencies of its own: npm would ask a registry for them, which there is none of offline.
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  cpSync(join(projectRoot, "test", "package", "app.mjs"), join(folder, "app.mjs"));
  await run(folder, [npm, "install", "--offline", "--no-save", "--no-audit", "--no-fund", tarball], settings);
  return { tarball, folder };
}

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** What the package asks for, its peers included, as the lock has it. */
function placeDependencies(folder: string): void {
  const { packages } = JSON.parse(readFileSync(join(projectRoot, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const { dependencies, peerDependencies } = packages[""] ?? {};
  const open = Object.keys({ ...dependencies, ...peerDependencies });
  const placed = new Set<string>();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const found = packages[`node_modules/${name}`];
    // Without an entry of its own it lies inside the package that needs it.
    if (found === undefined || placed.has(name)) continue;
    placed.add(name);
    open.push(...Object.keys(found.dependencies ?? {}));
    mkdirSync(dirname(join(modulesOf(folder), name)), { recursive: true });
    cpSync(join(modulesOf(projectRoot), name), join(modulesOf(folder), name), { recursive: true });
  }
}

/** While `action` runs, `kept` is all there is beside the app. */
export async function withOnly<T>(folder: string, kept: readonly string[], action: () => Promise<T>): Promise<T> {
  const away = join(folder, "away");
  const names = readdirSync(modulesOf(folder)).filter((name) => !kept.includes(name));
  mkdirSync(away);
  for (const name of names) renameSync(join(modulesOf(folder), name), join(away, name));
  try {
    return await action();
  } finally {
    for (const name of names) renameSync(join(away, name), join(modulesOf(folder), name));
  }
}
