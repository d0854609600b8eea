// `npm run bench`: Sentinel and Valkeeper take turns at the same faults, and the document and its picture are written.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { closeOnSignals, ProcessGroup } from "../../lib/local/process-group.ts";
import { projectRoot } from "../../lib/local/tools.ts";
import { renderDocument } from "./document.ts";
import { describeMachine, loadNow } from "./machine.ts";
import { type BenchOptions, HELP, readOptions } from "./options.ts";
import { renderPicture } from "./picture.ts";
import { type Machine, type Report, reportRow } from "./report.ts";
import type { Row, Sample, SideRecord } from "./row.ts";
import { QUICK_ROWS, ROWS } from "./rows.ts";
import type { Variant } from "./scene.ts";

const folder = join(projectRoot, ".cache", "bench");
const SAMPLES = join(folder, "samples.json");
/** Of a run that measures a part and keeps nothing: what the whole was made of stays. */
const PARTIAL_SAMPLES = join(folder, "partial-samples.json");
/** As the command line's own. */
const USAGE = 1;

async function runRow(
  row: Row,
  options: BenchOptions,
  group: ProcessGroup,
  onSample: (sample: Sample) => void,
): Promise<void> {
  const runs = Math.min(options.runs, row.mostRuns ?? options.runs);
  for (let run = 0; run < runs; run += 1) {
    // Nobody is always first: what the other left behind in the machine would count for one side only.
    const turn = row.variants.map((_, index) => row.variants[(index + run) % row.variants.length]);
    for (const variant of turn) {
      if (variant === undefined || group.isClosing) return;
      const sample = await runOnce(row, variant, options, group);
      onSample(sample);
      say(`${row.id} ${run + 1}/${runs} ${variant.id}: ${sample.failure ?? figuresText(sample)}`);
    }
  }
}

async function runOnce(row: Row, variant: Variant, options: BenchOptions, group: ProcessGroup): Promise<Sample> {
  const named = { row: row.id, variant: variant.id };
  try {
    return { ...named, ...(await row.measure({ group, isQuick: options.isQuick }, variant)) };
  } catch (error) {
    // One run that comes to nothing is told in the document and does not cost the others.
    const failure = error instanceof Error ? error.message : String(error);
    const record = error instanceof Error ? (error.cause as SideRecord | undefined) : undefined;
    return { ...named, failure, ...record };
  }
}

const figuresText = ({ figures = {} }: Sample): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${value === null ? "-" : Math.round(value * 10) / 10}`)
    .join(", ");

/** Every single figure and timeline, for whoever asks why, and for another rendering. */
interface Kept {
  readonly date: string;
  readonly machine: Machine;
  readonly samples: readonly Sample[];
  /** Row to the reason why it was not measured. */
  readonly skipped: Readonly<Record<string, string>>;
  /** Rows that were measured in a later run than the others. */
  readonly again: readonly string[];
}

function keep(kept: Kept, file: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(kept, null, 1)}\n`);
}

const readKept = (): Kept => JSON.parse(readFileSync(SAMPLES, "utf8")) as Kept;

function reportOf({ date, machine, samples, skipped, again }: Kept): Report {
  const measured = ROWS.filter(({ id }) => id in skipped || samples.some((sample) => sample.row === id));
  return { date, machine, again, rows: measured.map((row) => reportRow(row, samples, skipped[row.id])) };
}

function write(report: Report, out: string): void {
  const document = resolve(projectRoot, out);
  const picture = `${basename(document).replace(/\.md$/, "")}.svg`;
  mkdirSync(dirname(document), { recursive: true });
  writeFileSync(document, renderDocument(report, picture));
  writeFileSync(join(dirname(document), picture), renderPicture(report));
  say(`written: ${out} and ${picture} beside it`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function run(options: BenchOptions, group: ProcessGroup): Promise<number> {
  const loadAtStart = loadNow();
  const wanted = options.only ?? (options.isQuick ? QUICK_ROWS : ROWS.map(({ id }) => id));
  const before = options.isKeeping ? readKept() : null;
  const samples: Sample[] = (before?.samples ?? []).filter(({ row }) => !wanted.includes(row));
  const skipped: Record<string, string> = Object.fromEntries(
    Object.entries(before?.skipped ?? {}).filter(([row]) => !wanted.includes(row)),
  );
  const isPart = before === null && (options.only !== null || options.isQuick);
  const file = isPart ? PARTIAL_SAMPLES : SAMPLES;
  const again = before === null ? [] : [...new Set([...before.again, ...wanted])];
  const kept = (): Kept => {
    const date = new Date().toISOString().slice(0, 10);
    return { date, machine: before?.machine ?? describeMachine(loadAtStart), samples, skipped, again };
  };
  for (const row of ROWS.filter(({ id }) => wanted.includes(id))) {
    const why = await row.whyNot?.();
    if (why !== undefined) {
      skipped[row.id] = why;
      say(`${row.id}: skipped: ${why}`);
      continue;
    }
    await runRow(row, options, group, (sample) => {
      samples.push(sample);
      keep(kept(), file);
    });
  }
  if (group.isClosing) return 1;
  keep(kept(), file);
  write(reportOf(kept()), options.out);
  const failed = samples.filter(({ failure }) => failure !== undefined).length;
  if (failed > 0) say(`${failed} of ${samples.length} runs gave no figures`);
  return failed === 0 ? 0 : 1;
}

async function main(args: readonly string[]): Promise<number> {
  let options: BenchOptions | "help";
  try {
    options = readOptions(
      args,
      ROWS.map(({ id }) => id),
    );
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}\n`);
    return USAGE;
  }
  if (options === "help") {
    say(HELP);
    return 0;
  }
  if (options.isRender) {
    write(reportOf(readKept()), options.out);
    return 0;
  }
  const group = new ProcessGroup();
  const forget = closeOnSignals(group);
  const code = await run(options, group);
  await group.close();
  forget();
  return code;
}

process.exitCode = await main(process.argv.slice(2));
