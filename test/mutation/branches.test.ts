import { describe, expect, it } from "vitest";
import { arguedBranches, branchCount, type FileCoverage, uncovered } from "./branches.ts";

const source = "const a = b ?? 0;\n  if (a > 0)   run();\n  if (c) stop();\n";
const at = (line: number, column: number) => ({ start: { line, column } });
const coverage: FileCoverage = {
  path: "/somewhere/lib/core/a.ts",
  b: { "0": [3, 0], "1": [0, 2], "2": [1, 0] },
  branchMap: {
    "0": { loc: at(1, 10), locations: [at(1, 10), at(1, 15)] },
    "1": { loc: at(2, 2), locations: [at(2, 2), { start: {} }] },
    "2": { loc: at(3, 2), locations: [at(3, 2), { start: {} }] },
  },
};

describe("what a coverage run says", () => {
  it("names each branch that no test took by its line, also an else that is not written", () => {
    expect(uncovered(coverage, "lib/core/a.ts", source)).toEqual([
      { file: "lib/core/a.ts", line: 1, text: "lib/core/a.ts: const a = b ?? «0;" },
      { file: "lib/core/a.ts", line: 2, text: "lib/core/a.ts: «if (a > 0) run();" },
      { file: "lib/core/a.ts", line: 3, text: "lib/core/a.ts: if (c) stop(); «else" },
    ]);
    expect(branchCount([coverage, coverage])).toBe(12);
  });

  it("is argued for below the name of a file, apart from what is argued of its mutants", () => {
    const document = [
      "- branch `before any file`: nothing",
      "## `lib/core/a.ts`",
      "- `if («a > 0») run(); -> true`: a mutant",
      "- branch `const a = b ?? «0;`: b is always there",
      "- branch `without a reason`:",
    ].join("\n");
    expect(arguedBranches(document)).toEqual([{ file: "lib/core/a.ts", text: "lib/core/a.ts: const a = b ?? «0;" }]);
  });
});
