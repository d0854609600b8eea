// A part of the suite, in a vitest of its own beside others: what it comes to is handed over instead of printed.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runVitest, type SuiteRun } from "./run-vitest.ts";
import { type PartSummary, SUMMARY_VARIABLE } from "./summary-reporter.ts";

export interface Part {
  readonly code: number;
  readonly summary: PartSummary;
}

export interface PartRun extends Pick<SuiteRun, "niceness" | "onOutput" | "signal"> {
  readonly projects: readonly string[];
  /** @default all of the projects */
  readonly files?: readonly string[];
}

export async function runPart({ projects, files = [], ...run }: PartRun): Promise<Part> {
  const folder = mkdtempSync(join(tmpdir(), "valkeeper-suite-"));
  try {
    const file = join(folder, "summary.json");
    const options = projects.flatMap((project) => ["--project", project]);
    const environment = { [SUMMARY_VARIABLE]: file };
    const code = await runVitest({ ...run, files, options, environment, ownSession: false });
    return { code, summary: readSummary(file) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A part that ended without a summary has failed, whatever its exit code. */
function readSummary(file: string): PartSummary {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as PartSummary;
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
}

/** Not 0 where a test failed or nobody knows. */
export function exitCodeOf(parts: readonly Part[]): number {
  const bad = parts.find(({ code, summary }) => code !== 0 || summary.failed > 0);
  return bad === undefined ? 0 : bad.code || 1;
}
