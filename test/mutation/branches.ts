// Which branches of lib/core no test of test/core takes, by the coverage report, and which of them docs/mutation.md argues for. A branch
// is known by its file and the line it stands in, with `«` where it begins, so that lines may move.

import type { Argued } from "./survivors.ts";

interface Position {
  readonly line?: number;
  readonly column?: number;
}

export interface FileCoverage {
  readonly path: string;
  readonly b: Readonly<Record<string, readonly number[]>>;
  readonly branchMap: Readonly<
    Record<string, { readonly loc: { readonly start: Position }; readonly locations: readonly { start: Position }[] }>
  >;
}

export interface Branch {
  readonly file: string;
  readonly line: number;
  /** The line with `«` before the branch; an `else` that is not written down stands behind the line. */
  readonly text: string;
}

export const branchCount = (files: readonly FileCoverage[]): number =>
  files.flatMap(({ b }) => Object.values(b).flat()).length;

/** `file` is the path from the root of the tree, `source` what stands there. */
export function uncovered({ b, branchMap }: FileCoverage, file: string, source: string): readonly Branch[] {
  const lines = source.split("\n");
  const missed = Object.entries(b).flatMap(([id, counts]) =>
    counts.flatMap((times, index) => (times === 0 ? [{ branch: branchMap[id], index }] : [])),
  );
  return missed.map(({ branch, index }) => {
    const written = branch?.locations[index]?.start;
    const isWritten = written?.line !== undefined;
    const { line = 1, column = 0 } = isWritten ? written : (branch?.loc.start ?? {});
    const whole = lines[line - 1] ?? "";
    const marked = isWritten ? `${whole.slice(0, column)}«${whole.slice(column)}` : `${whole} «else`;
    return { file, line, text: `${file}: ${marked.trim().replace(/\s+/g, " ").replaceAll("`", "'")}` };
  });
}

/** The items `- branch ``text``: why` below the headings that name a file. */
export function arguedBranches(document: string): readonly Argued[] {
  let file = "";
  return document.split("\n").flatMap((line) => {
    const heading = /^#+ `(lib\/core\/[a-z-]+\.ts)`$/.exec(line);
    if (heading !== null) file = heading[1] ?? "";
    const item = /^- branch `([^`]+)`: \S/.exec(line);
    return item === null || file === "" ? [] : [{ file, text: `${file}: ${item[1]}` }];
  });
}
