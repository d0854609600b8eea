// Which seeds a run of the tests takes that nobody has run before: those of its commit, so that the same commit's runs are
// the same everywhere and each commit's are new; without a commit, any, and the run prints which.

import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from "node:child_process";

/** No two commits share seeds as long as a run takes fewer. */
const SEEDS_OF_A_COMMIT = 100_000;
const DIGITS = 9;

/** Above those that people type. */
const offset = (index: number): number => (index + 1) * SEEDS_OF_A_COMMIT;

export const baseOfCommit = (commit: string): number => offset(Number.parseInt(commit.slice(0, DIGITS), 16));

export function freshBase(): number {
  try {
    const options = {
      cwd: import.meta.dirname,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    } satisfies ExecFileSyncOptionsWithStringEncoding;
    return baseOfCommit(execFileSync("git", ["rev-parse", "HEAD"], options).trim());
  } catch {
    // Not a checkout, or no git here.
    return offset(Math.floor(Math.random() * 16 ** DIGITS));
  }
}
