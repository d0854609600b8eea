// Which tests of a file fail once a rule is taken out: for rules that neither a world nor an exploration needs.

import { fileURLToPath } from "node:url";
import { startVitest, type TestModule } from "vitest/node";
import { type Removal, rewritten } from "./removal.ts";

const top = fileURLToPath(new URL("../../", import.meta.url));

/** Full names of the tests of `file` that fail; with no removal none must. */
export async function failingTests(removal: Removal | null, file: string): Promise<readonly string[]> {
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
  return modules.flatMap((module) => [...module.children.allTests("failed")].map((test) => test.fullName));
}
