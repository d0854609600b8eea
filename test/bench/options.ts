// What `npm run bench -- ...` was asked for.

import { parseArgs } from "node:util";

export interface BenchOptions {
  readonly isQuick: boolean;
  /** Of each variant of each row. */
  readonly runs: number;
  /** Null: every row. */
  readonly only: readonly string[] | null;
  /** Rows that are not measured now are taken from the last run. */
  readonly isKeeping: boolean;
  /** Only write the document, from the samples of the last run. */
  readonly isRender: boolean;
  /** The document; its picture goes beside it. */
  readonly out: string;
}

export const HELP = `npm run bench [-- --quick | --full | --runs N] [--only ROW,ROW [--keep]] [--out FILE] [--render]
  --quick   few short rows, about 5 minutes; written to .cache/bench unless --out says otherwise
  --full    10 runs of each instead of 5
  --runs    so many runs of each
  --only    these rows alone; written to .cache/bench unless --out says otherwise
  --keep    with --only: the other rows stay as the last run left them
  --render  measures nothing: the document anew from the samples of the last run
  --out     the document [docs/benchmarks.md]; its picture goes beside it`;

const RUNS = { quick: 2, usual: 5, full: 10 } as const;
const DOCUMENT = "docs/benchmarks.md";
/** A part of the rows never overwrites the published whole by itself. */
const PARTIAL_DOCUMENT = ".cache/bench/benchmarks.md";

export function readOptions(args: readonly string[], rows: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      full: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      render: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      only: { type: "string" },
      out: { type: "string" },
      runs: { type: "string" },
    },
  });
  if (values.help) return "help";
  const only = values.only?.split(",").map((name) => name.trim()) ?? null;
  const unknown = only?.filter((name) => !rows.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`there is no row ${unknown.join(", ")}: there are ${rows.join(", ")}`);
  const isWhole = only === null && !values.quick;
  return {
    isQuick: values.quick,
    isKeeping: values.keep,
    isRender: values.render,
    runs: runsOf(values),
    only,
    out: values.out ?? (isWhole ? DOCUMENT : PARTIAL_DOCUMENT),
  };
}

function runsOf(values: {
  readonly quick: boolean;
  readonly full: boolean;
  readonly runs?: string | undefined;
}): number {
  if (values.runs === undefined) return values.full ? RUNS.full : values.quick ? RUNS.quick : RUNS.usual;
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1)
    throw new Error(`--runs should be a whole number from 1, not ${values.runs}`);
  return runs;
}
