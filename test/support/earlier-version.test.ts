import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../lib/local/tools.ts";
import { BEFORE_THE_FIRST_RELEASE } from "./earlier-version.ts";

const git = (...args: readonly string[]): string =>
  execFileSync("git", ["-C", projectRoot, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

/** A packed source or a shallow clone has no history to look into. */
function hasHistory(): boolean {
  try {
    return git("rev-parse", "--is-shallow-repository") === "false";
  } catch {
    return false;
  }
}

describe("what stands for the earlier version", () => {
  it.skipIf(!hasHistory())("is a commit of this branch's history, with everything that is unpacked of it", () => {
    expect(git("merge-base", BEFORE_THE_FIRST_RELEASE, "HEAD")).toBe(BEFORE_THE_FIRST_RELEASE);
    const entries = git("ls-tree", "--name-only", BEFORE_THE_FIRST_RELEASE).split("\n");
    expect(entries).toEqual(expect.arrayContaining(["lib", "functions", "package.json", "tsconfig.json"]));
  });

  it("is the commit that docs/upgrades.md names", () => {
    const document = readFileSync(join(projectRoot, "docs", "upgrades.md"), "utf8");
    const named = [...document.matchAll(/\bcommit\s+([0-9a-f]{7,40})\b/g)].map(([, commit = ""]) => commit);
    expect(named).toHaveLength(1);
    expect(BEFORE_THE_FIRST_RELEASE.startsWith(named[0] ?? "-")).toBe(true);
  });
});
