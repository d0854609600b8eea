import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { coreFiles, keepResults, keptResults, testsOf } from "./results.ts";
import type { Mutant } from "./survivors.ts";

const root = mkdtempSync(join(tmpdir(), "valkeeper-results-"));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const mutant: Mutant = {
  mutatorName: "BooleanLiteral",
  replacement: "false",
  status: "Survived",
  location: { start: { line: 1, column: 1 }, end: { line: 1, column: 2 } },
};

it("results of some files at a time add up, and are told from those of other code and other tests", () => {
  const put = (path: string, text: string) => writeFileSync(join(root, path), text);
  for (const folder of ["lib/core", "test/core"]) mkdirSync(join(root, folder), { recursive: true });
  for (const name of ["a", "b", "types"]) put(`lib/core/${name}.ts`, name);
  put("test/core/a.test.ts", "1");
  const home = join(root, "home");
  const files = coreFiles(root);
  expect(files).toEqual(["lib/core/a.ts", "lib/core/b.ts", "lib/core/types.ts"]);
  expect(keptResults(root, home, files)).toMatchObject({ outdated: files, days: [] });
  const found = (source: string) => ({ source, mutants: [mutant] });
  const tests = testsOf(root);
  const onlyA = { files: { "lib/core/a.ts": found("a") } };
  keepResults(root, home, { report: onlyA, files: ["lib/core/a.ts", "lib/core/types.ts"], tests });
  // The tests of `b` changed while it was run.
  const onlyB = { files: { "lib/core/b.ts": found("b") } };
  keepResults(root, home, { report: onlyB, files: ["lib/core/b.ts"], tests: "of before" });
  expect(keptResults(root, home, files)).toMatchObject({ beforeTests: ["lib/core/b.ts"] });
  keepResults(root, home, { report: onlyB, files: ["lib/core/b.ts"], tests });
  const both = { files: { "lib/core/a.ts": found("a"), "lib/core/b.ts": found("b") } };
  expect(keptResults(root, home, files)).toMatchObject({ report: both, outdated: [], beforeTests: [] });
  put("lib/core/b.ts", "b, changed");
  put("test/core/a.test.ts", "2");
  const later = keptResults(root, home, files);
  expect(later).toMatchObject({ outdated: ["lib/core/b.ts"], beforeTests: ["lib/core/a.ts", "lib/core/types.ts"] });
  expect(Object.keys(later.report.files)).toEqual(["lib/core/a.ts"]);
});
