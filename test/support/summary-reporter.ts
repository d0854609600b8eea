import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { SerializedError } from "vitest";
import type { Reporter, TestCase, TestModule } from "vitest/node";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

export interface SkippedTest {
  readonly name: string;
  readonly reason: string;
}

/** What a part of the suite came to. */
export interface PartSummary extends Counts {
  readonly skipped: readonly SkippedTest[];
}

/** Names a file that takes the summary of a part of the suite, instead of the terminal. */
export const SUMMARY_VARIABLE = "VALKEEPER_SUMMARY";

/**
 * Ends the run with `N passed, N failed` alone on a line, so that a person and a machine read the same thing. A module that failed to load
 * and an error outside every test count as failures: a run that lost half of its tests must not look green. Skipped tests are
 * named with their reason and counted before that, because a silent skip is how a suite stops testing; then how long all of it took.
 */
export default class SummaryReporter implements Reporter {
  readonly #loadedAt = Date.now();
  readonly #file = process.env[SUMMARY_VARIABLE];

  constructor() {
    // A test may run a suite of its own: that is no part of this one.
    delete process.env[SUMMARY_VARIABLE];
  }

  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<SerializedError>): void {
    const skipped: SkippedTest[] = [];
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      // An error of the module or of one of its suites (a beforeAll that threw) leaves its tests without a verdict.
      failed += module.errors().length;
      for (const suite of module.children.allSuites()) {
        failed += suite.errors().length;
      }
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === "passed") {
          passed += 1;
        } else if (state === "failed" || state === "pending") {
          failed += 1;
        } else {
          skipped.push({ name: nameOf(module, test), reason: reasonOf(test) });
        }
      }
    }
    const summary = { passed, failed, skipped };
    if (this.#file !== undefined) writeFileSync(this.#file, JSON.stringify(summary));
    else process.stdout.write(`${wholeSummary([summary], this.#loadedAt)}\n`);
  }
}

/** Of all parts, and of the checks that `npm test` ran before them. */
export function wholeSummary(parts: readonly PartSummary[], loadedAt: number): string {
  const checks = parseCounts(process.env["VALKEEPER_CHECKS"]);
  const sum = (of: (counts: Counts) => number): number =>
    [checks, ...parts].reduce((total, counts) => total + of(counts), 0);
  const counts = { passed: sum(({ passed }) => passed), failed: sum(({ failed }) => failed) };
  const took = tookText(Date.now() - (parseBegan(process.env["VALKEEPER_BEGAN"]) ?? loadedAt));
  return summaryLines(
    counts,
    parts.flatMap(({ skipped }) => skipped),
    took,
  ).join("\n");
}

export function summaryLines(counts: Counts, skipped: readonly SkippedTest[], took: string): readonly string[] {
  const named = skipped.map((test) => `skipped: ${test.name}: ${test.reason}`);
  const counted = skipped.length > 0 ? [`${skipped.length} skipped, for the reasons above`] : [];
  return [...named, ...counted, took, `${counts.passed} passed, ${counts.failed} failed`];
}

/** Of the machine at hand: what is promised of the time that `npm test` takes is promised of two cores that do nothing else. */
export function tookText(ms: number, cores: number = availableParallelism()): string {
  const seconds = Math.round(ms / 1_000);
  return `took ${Math.floor(seconds / 60)} min ${seconds % 60} s on ${cores} cores`;
}

/** `npm test` hands on when it was started, in ms since 1970: set-up and checks count as well. */
export function parseBegan(text: string | undefined): number | null {
  const began = Number(text ?? "");
  return began > 0 ? began : null;
}

/** `npm test` runs the checks (format, lint, types) before the tests and hands their counts on as `passed,failed`. */
export function parseCounts(text: string | undefined): Counts {
  const [passed = 0, failed = 0] = (text ?? "").split(",").map((part) => Number.parseInt(part, 10) || 0);
  return { passed, failed };
}

function nameOf(module: TestModule, test: TestCase): string {
  return `${module.relativeModuleId} > ${test.fullName}`;
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return (result.state === "skipped" ? result.note : undefined) ?? "no reason given";
}
