// What Stryker's report says, and which of its survivors docs/mutation.md argues for. A survivor is known by its file, the line it
// stands in and what became of it, so that lines may move.

export interface Mutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly location: { readonly start: Position; readonly end: Position };
}

interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Report {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
}

export interface Survivor {
  readonly file: string;
  readonly line: number;
  readonly mutator: string;
  /** The line, with what was changed between `«` and `»`. */
  readonly marked: string;
  readonly replacement: string;
}

export const tally = (report: Report): { readonly noticed: number; readonly survived: number } => {
  const statuses = Object.values(report.files).flatMap(({ mutants }) => mutants.map(({ status }) => status));
  const count = (...wanted: readonly string[]) => statuses.filter((status) => wanted.includes(status)).length;
  return { noticed: count("Killed", "Timeout"), survived: count("Survived", "NoCoverage") };
};

export const survivorsOf = (report: Report): readonly Survivor[] =>
  Object.entries(report.files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split("\n");
    return mutants
      .filter(({ status }) => status === "Survived" || status === "NoCoverage")
      .map((mutant) => survivor(file, lines, mutant))
      .sort((a, b) => a.line - b.line);
  });

function survivor(file: string, lines: readonly string[], mutant: Mutant): Survivor {
  const { start, end } = mutant.location;
  const line = lines[start.line - 1] ?? "";
  const until = end.line === start.line ? end.column - 1 : line.length;
  const marked = `${line.slice(0, start.column - 1)}«${line.slice(start.column - 1, until)}»${line.slice(until)}`;
  return {
    file,
    line: start.line,
    mutator: mutant.mutatorName,
    marked: plain(marked),
    replacement: plain(mutant.replacement ?? ""),
  };
}

const plain = (text: string): string => text.trim().replace(/\s+/g, " ").replaceAll("`", "'");

/** What names a survivor in docs/mutation.md. */
export const textOf = ({ file, marked, replacement }: Survivor): string => `${file}: ${marked} -> ${replacement}`;

export const describe = (each: Survivor): string => `${textOf(each)} (line ${each.line}, ${each.mutator})`;

export interface Argued {
  readonly file: string;
  readonly text: string;
}

export interface Judgement {
  readonly noticed: number;
  readonly survived: number;
  /** Percent of what a test noticed. */
  readonly score: number;
  /** Survivors that nobody argues for. */
  readonly open: readonly Survivor[];
  /** What is argued for in the files that were asked about, and does not survive. */
  readonly stale: readonly Argued[];
}

/** What `report` says of the files `about`, beside the reasons that are given for survivors. */
export function judge(report: Report, reasons: readonly Argued[], about: readonly string[]): Judgement {
  const { noticed, survived } = tally(report);
  const survivors = survivorsOf(report);
  const known = new Set(survivors.map(textOf));
  const argued = new Set(reasons.map(({ text }) => text));
  const all = noticed + survived;
  return {
    noticed,
    survived,
    score: all === 0 ? 100 : (100 * noticed) / all,
    open: survivors.filter((each) => !argued.has(textOf(each))),
    stale: reasons.filter(({ file, text }) => about.includes(file) && !known.has(text)),
  };
}

const LEAST_SCORE = 95;

/** Enough was noticed, each survivor is argued for, and nothing else is. */
export const isGoodEnough = ({ score, open, stale }: Judgement): boolean =>
  score >= LEAST_SCORE && open.length === 0 && stale.length === 0;

/** The items `- ``survivor``: why` below the headings that name a file. */
export function argued(document: string): readonly Argued[] {
  let file = "";
  return document.split("\n").flatMap((line) => {
    const heading = /^#+ `(lib\/core\/[a-z-]+\.ts)`$/.exec(line);
    if (heading !== null) file = heading[1] ?? "";
    const item = /^- `([^`]+)`: \S/.exec(line);
    return item === null || file === "" ? [] : [{ file, text: `${file}: ${item[1]}` }];
  });
}
