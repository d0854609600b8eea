// Stryker's test runner for lib/core: Stryker makes the mutants, chooses the tests that reach each of them and counts; here they run.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { bundleTests, type Test } from "./test-bundle.ts";

interface Coverage {
  readonly static: Record<string, number>;
  readonly perTest: Record<string, Record<string, number>>;
}

/** What the instrumented sources and this file tell each other, under the name that Stryker gives it. */
interface Switch {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: Coverage;
}

interface MutantRun {
  readonly activeMutant: { readonly id: string; readonly fileName: string };
  readonly testFilter?: readonly string[];
  readonly hitLimit?: number;
  readonly mutantActivation: "runtime" | "static";
}

type Verdict =
  | { status: "killed"; killedBy: string[]; failureMessage: string; nrOfTests: number }
  | { status: "survived"; nrOfTests: number }
  | { status: "timeout"; reason: string };

/** They drive whole groups through many schedules and take seconds: asked only about what every other test lets live. */
const worlds = [
  "config-check.property",
  "core.property",
  "frozen-primary",
  "rests-between-attempts",
  "refused-commands",
  "epochs-and-intents",
  "interruption",
];
// Reads docs/, which Stryker's copy of the tree has not.
const never = ["config-docs"];
const left = process.env["VALKEEPER_MUTATION"] === "worlds" ? never : [...never, ...worlds];
/**
 * What the tests of one mutant may take together, by the times of the dry run; the quickest are asked first. The processor's
 * time, not the clock's: on a busy machine the same tests are asked.
 */
const BUDGET_MS = process.env["VALKEEPER_MUTATION"] === "worlds" ? Number.POSITIVE_INFINITY : 3_000;
/** How long each test took, kept in Stryker's copy of the tree: the processes that run the mutants are not always the one that timed them. */
const TIMES = "test-times.json";

/** Stryker's `TestStatus`; with a test that fails beforehand it does not begin. */
const [SUCCESS, FAILED] = [0, 1];

class CoreRunner {
  readonly #switch: Switch;
  #load: () => readonly Test[] = () => [];
  #times: Record<string, number> = {};

  constructor() {
    const shared = globalThis as unknown as { __stryker__?: Switch };
    shared.__stryker__ ??= {};
    this.#switch = shared.__stryker__;
  }

  capabilities(): object {
    return { reloadEnvironment: true };
  }

  async init(): Promise<void> {
    this.#load = await bundleTests(process.cwd(), left);
    this.#times = existsSync(TIMES) ? JSON.parse(readFileSync(TIMES, "utf8")) : {};
  }

  dryRun(): object {
    this.#times = {};
    const results = this.#load().map((test) => {
      this.#switch.currentTestId = test.id;
      const since = performance.now();
      const used = process.cpuUsage();
      const failureMessage = failureOf(test);
      const { user, system } = process.cpuUsage(used);
      this.#times[test.id] = (user + system) / 1_000;
      const told = { id: test.id, name: test.name, fileName: test.file, timeSpentMs: performance.now() - since };
      return failureMessage === null ? { ...told, status: SUCCESS } : { ...told, status: FAILED, failureMessage };
    });
    this.#switch.currentTestId = undefined;
    writeFileSync(TIMES, JSON.stringify(this.#times));
    return { status: "complete", tests: results, mutantCoverage: this.#switch.mutantCoverage };
  }

  mutantRun(options: MutantRun): Verdict {
    const { activeMutant, testFilter, mutantActivation, hitLimit } = options;
    this.#switch.currentTestId = undefined;
    this.#switch.hitCount = hitLimit === undefined ? undefined : 0;
    this.#switch.hitLimit = hitLimit;
    const isStatic = mutantActivation === "static";
    try {
      // Evaluated anew for each: what a mutated core has kept for later (preflight.ts) is not the next one's.
      if (isStatic) this.#switch.activeMutant = activeMutant.id;
      const loaded = this.#load();
      this.#switch.activeMutant = activeMutant.id;
      const wanted = testFilter === undefined ? null : new Set(testFilter);
      const tests = loaded.filter((test) => wanted?.has(test.id) ?? true);
      return this.#judge(this.#quickestFirst(tests, activeMutant.fileName), hitLimit);
    } catch (error) {
      // Evaluating the modules failed: no test could have passed.
      return { status: "killed", killedBy: [], failureMessage: String(error), nrOfTests: 0 };
    } finally {
      this.#switch.activeMutant = undefined;
    }
  }

  /** After the tests of the mutated file itself. */
  #quickestFirst(tests: readonly Test[], mutated: string): Test[] {
    const own = `/${mutated.replace(/^.*[/\\]|\.ts$/g, "")}.test.ts`;
    const rank = (test: Test): number => (test.file.endsWith(own) ? 0 : 1);
    const cost = (test: Test): number => this.#times[test.id] ?? 0;
    const sorted = tests.toSorted((a, b) => rank(a) - rank(b) || cost(a) - cost(b));
    let spent = 0;
    return sorted.filter((test) => {
      spent += cost(test);
      return spent <= BUDGET_MS;
    });
  }

  #judge(tests: readonly Test[], hitLimit: number | undefined): Verdict {
    for (const [index, test] of tests.entries()) {
      const failureMessage = failureOf(test);
      if (hitLimit !== undefined && (this.#switch.hitCount ?? 0) > hitLimit)
        return { status: "timeout", reason: "it goes round without end" };
      if (failureMessage !== null)
        return { status: "killed", killedBy: [test.id], failureMessage, nrOfTests: index + 1 };
    }
    return { status: "survived", nrOfTests: tests.length };
  }
}

function failureOf(test: Test): string | null {
  try {
    const result = test.run();
    // A promise would be judged before it is settled.
    return result instanceof Promise ? "a test of the core is synchronous" : null;
  } catch (error) {
    return String(error).slice(0, 500);
  }
}

export const strykerPlugins = [{ kind: "TestRunner", name: "core", injectableClass: CoreRunner }];
