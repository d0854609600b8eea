// Which tests of a file fail once a rule is taken out: for rules that neither a world nor an exploration needs, and for lines
// that neither runs.

import { fileURLToPath } from "node:url";
import { startVitest, type TestModule } from "vitest/node";
import { type Removal, rewritten } from "./removal.ts";

const top = fileURLToPath(new URL("../../", import.meta.url));

export interface Failure {
  readonly name: string;
  /** What the test said first. */
  readonly said: string;
}

/** The tests of `file` that fail, of those that have `named` in their names; with no removal none must. */
export async function failingTests(removal: Removal | null, file: string, named = ""): Promise<readonly Failure[]> {
  const plugin = {
    name: "without-a-rule",
    enforce: "pre" as const,
    transform(code: string, id: string): string | null {
      const path = id.startsWith(top) ? id.slice(top.length) : "";
      return removal?.places.some((place) => place.file === path) === true ? rewritten(removal, path, code) : null;
    },
  };
  const options: Parameters<typeof startVitest>[2] = {
    watch: false,
    config: false,
    root: top,
    reporters: [{}],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    ...(named === "" ? {} : { testNamePattern: named.replace(/[()]/g, "\\$&") }),
    fsModuleCache: false,
  };
  const vitest = await startVitest("test", [file], options, { plugins: [plugin], cacheDir: ".cache/vitest-rules" });
  // The name is a filter of vitest's: other files may contain it.
  const modules: readonly TestModule[] = vitest.state
    .getTestModules()
    .filter(({ moduleId }) => moduleId === top + file);
  await vitest.close();
  // The exit code is the caller's.
  process.exitCode = 0;
  if (modules.length !== 1) throw new Error(`${file} is no file of tests`);
  const ran = modules.flatMap((module) =>
    [...module.children.allTests()].filter((test) => test.result().state !== "skipped"),
  );
  if (ran.length === 0) throw new Error(`${file} has no test that runs and is called ${named}`);
  return ran
    .filter((test) => test.result().state === "failed")
    .map((test) => ({ name: test.fullName, said: test.result().errors?.[0]?.message ?? "" }));
}
