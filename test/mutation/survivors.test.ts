import { describe, expect, it } from "vitest";
import { argued, isGoodEnough, judge, type Mutant, type Report, survivorsOf, tally, textOf } from "./survivors.ts";

const at = (line: number, from: number, to: number, lastLine = line) => ({
  start: { line, column: from },
  end: { line: lastLine, column: to },
});
const mutant = (status: string, location: Mutant["location"], replacement = "true"): Mutant => ({
  mutatorName: "ConditionalExpression",
  replacement,
  status,
  location,
});
const source = "const a = 1;\n  if (a > 0)   run();\nfor (;;) {\n}\n";
const report: Report = {
  files: {
    "lib/core/a.ts": {
      source,
      mutants: [
        mutant("Killed", at(1, 1, 2)),
        mutant("Timeout", at(1, 1, 2)),
        mutant("NoCoverage", at(3, 10, 2, 4), "{}"),
        mutant("Survived", at(2, 7, 12)),
        mutant("Ignored", at(1, 1, 2)),
        mutant("RuntimeError", at(1, 1, 2)),
      ],
    },
  },
};

describe("what a mutation run says", () => {
  it("counts as noticed what a test failed on or never ended with, and as survived also what no test reaches", () => {
    expect(tally(report)).toEqual({ noticed: 2, survived: 2 });
  });

  it("names each survivor by its line and what became of it, in the order of the file", () => {
    expect(survivorsOf(report).map(textOf)).toEqual([
      "lib/core/a.ts: if («a > 0») run(); -> true",
      "lib/core/a.ts: for (;;) «{» -> {}",
    ]);
  });
});

describe("what docs/mutation.md argues for", () => {
  it("are the items with a reason below the name of a file", () => {
    const document = [
      "- `before any file -> true`: nothing",
      "## `lib/core/a.ts`",
      "- `if («a > 0») run(); -> true`: a is never negative",
      "- `no reason -> true`:",
      "Text with `code`: of another kind.",
      "## `lib/core/b.ts`",
      "- `x -> y`: because",
    ].join("\n");
    expect(argued(document)).toEqual([
      { file: "lib/core/a.ts", text: "lib/core/a.ts: if («a > 0») run(); -> true" },
      { file: "lib/core/b.ts", text: "lib/core/b.ts: x -> y" },
    ]);
  });
});

describe("a run is good enough", () => {
  const killed = Array.from({ length: 98 }, () => mutant("Killed", at(1, 1, 2)));
  const survivor = mutant("Survived", at(2, 7, 12));
  const of = (mutants: readonly Mutant[]): Report => ({ files: { "lib/core/a.ts": { source, mutants } } });
  const reason = { file: "lib/core/a.ts", text: "lib/core/a.ts: if («a > 0») run(); -> true" };
  const judged = (mutants: readonly Mutant[], reasons = [reason], about = ["lib/core/a.ts"]) =>
    judge(of(mutants), reasons, about);

  it("where each survivor is argued for", () => {
    expect(isGoodEnough(judged([...killed, survivor]))).toBe(true);
    expect(isGoodEnough(judged(killed, []))).toBe(true);
    expect(isGoodEnough(judge({ files: {} }, [], []))).toBe(true);
  });

  it("not where one is argued for by nobody, or by what is said of another file", () => {
    expect(judged([...killed, survivor], [])).toMatchObject({ noticed: 98, survived: 1, open: [{ line: 2 }] });
    expect(isGoodEnough(judged([...killed, survivor], []))).toBe(false);
    const other = { file: "lib/core/b.ts", text: "lib/core/b.ts: if («a > 0») run(); -> true" };
    expect(isGoodEnough(judged([...killed, survivor], [other]))).toBe(false);
  });

  it("not where a reason is given for what does not survive, in a file that was asked about", () => {
    expect(judged(killed)).toMatchObject({ stale: [reason] });
    expect(isGoodEnough(judged(killed))).toBe(false);
    expect(isGoodEnough(judged(killed, [reason], ["lib/core/b.ts"]))).toBe(true);
  });

  it("not below 95 % noticed, whatever is argued", () => {
    const six = Array.from({ length: 6 }, () => survivor);
    expect(judged([...killed, ...six])).toMatchObject({ open: [], stale: [] });
    expect(isGoodEnough(judged([...killed, ...six]))).toBe(false);
  });
});
