// What the last run of each file found. Stryker's own record says of the files that a run is not about only what it can still match;
// this one holds a file's whole result, so that runs of some files at a time add up to one of all.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Mutant, Report } from "./survivors.ts";

interface Result {
  /** The day on which it was found, and the tests that were asked, by their digest. */
  readonly day: string;
  readonly tests: string;
  readonly source: string;
  readonly mutants: readonly Mutant[];
}

const pathOf = (home: string, file: string): string => join(home, "results", basename(file).replace(/\.ts$/, ".json"));

/** The files of lib/core, from the root of the tree. */
export const coreFiles = (root: string): readonly string[] =>
  readdirSync(join(root, "lib/core"))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `lib/core/${name}`)
    .sort();

/** The digest of the tests of the core. */
export function testsOf(root: string): string {
  const digest = createHash("sha256");
  for (const name of readdirSync(join(root, "test/core")).sort())
    if (name.endsWith(".ts")) digest.update(readFileSync(join(root, "test/core", name)));
  return digest.digest("hex");
}

export interface Run {
  readonly report: Report;
  readonly files: readonly string[];
  /** Their digest when the run began: they may have changed while it went on. */
  readonly tests: string;
}

/** Keeps what a run says of its files; one that the report does not name has nothing that could be changed. */
export function keepResults(root: string, home: string, { report, files, tests }: Run): void {
  mkdirSync(join(home, "results"), { recursive: true });
  const day = new Date().toISOString().slice(0, 10);
  for (const file of files) {
    const found = report.files[file] ?? { source: readFileSync(join(root, file), "utf8"), mutants: [] };
    const result: Result = { day, tests, source: found.source, mutants: found.mutants };
    writeFileSync(pathOf(home, file), JSON.stringify(result));
  }
}

export interface Kept {
  readonly report: Report;
  /** Never run, or run on other code than the present one. */
  readonly outdated: readonly string[];
  /** Run on the present code, before tests changed. */
  readonly beforeTests: readonly string[];
  readonly days: readonly string[];
}

export function keptResults(root: string, home: string, files: readonly string[]): Kept {
  const tests = testsOf(root);
  const results = files.flatMap((file) => {
    const path = pathOf(home, file);
    if (!existsSync(path)) return [];
    const result = JSON.parse(readFileSync(path, "utf8")) as Result;
    return result.source === readFileSync(join(root, file), "utf8") ? [{ file, ...result }] : [];
  });
  const counted = results.filter(({ mutants }) => mutants.length > 0);
  return {
    report: { files: Object.fromEntries(counted.map(({ file, source, mutants }) => [file, { source, mutants }])) },
    outdated: files.filter((file) => !results.some((each) => each.file === file)),
    beforeTests: results.filter((each) => each.tests !== tests).map(({ file }) => file),
    days: [...new Set(results.map(({ day }) => day))].sort(),
  };
}
