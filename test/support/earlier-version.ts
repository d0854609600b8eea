// The code of an earlier state of this repository, unpacked so that it can run beside the present one.

import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import type { ProcessGroup } from "../../lib/local/process-group.ts";
import { projectRoot } from "../../lib/local/tools.ts";

/** What stands for a release as long as there is none: the last commit before versions were tried side by side. */
export const BEFORE_THE_FIRST_RELEASE = "e01540ddc80dbf1c06bf542be1106c1c9fb6c14b";

export type EarlierVersion =
  | { readonly kind: "unpacked"; readonly name: string; readonly root: string }
  | { readonly kind: "missing"; readonly reason: string };

/** The last release before this commit, or what stands for it, in a folder of the group; with the packages of this checkout. */
export function unpackEarlierVersion(group: ProcessGroup): EarlierVersion {
  const name = lastRelease() ?? BEFORE_THE_FIRST_RELEASE;
  const root = group.makeFolder("earlier");
  const archive = join(root, "tree.tar");
  try {
    git("archive", "--output", archive, name, "lib", "functions", "package.json", "tsconfig.json");
  } catch (error) {
    return {
      kind: "missing",
      reason: `git has no ${name} here (a shallow clone, or no repository): ${wordsOf(error)}`,
    };
  }
  execFileSync("tar", ["-xf", archive, "-C", root]);
  symlinkSync(join(projectRoot, "node_modules"), join(root, "node_modules"));
  return { kind: "unpacked", name, root };
}

function lastRelease(): string | null {
  try {
    return git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^").trim();
  } catch {
    // No tag yet, or no history: the fixed commit is asked for, and says which of the two.
    return null;
  }
}

const git = (...args: readonly string[]): string =>
  execFileSync("git", ["-C", projectRoot, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

const wordsOf = (error: unknown): string =>
  String((error as { readonly stderr?: unknown }).stderr ?? error)
    .trim()
    .split("\n")[0] ?? "";
