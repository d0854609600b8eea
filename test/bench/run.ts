// `npm run bench`: Sentinel and Valkeeper take turns at the same faults, and the document and its picture are written.

import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { closeOnSignals, ProcessGroup } from "../../lib/local/process-group.ts";
import { projectRoot } from "../../lib/local/tools.ts";
import { renderDocument } from "./document.ts";
import { describeMachine, loadNow } from "./machine.ts";
import { type BenchOptions, HELP, readOptions } from "./options.ts";
import { renderPicture } from "./picture.ts";
import { type Report, type RowReport, reportRow } from "./report.ts";
import type { Row, Sample, SideRecord } from "./row.ts";
import { QUICK_ROWS, ROWS } from "./rows.ts";
import type { Variant } from "./scene.ts";

const SAMPLES = join(projectRoot, ".cache", "bench", "samples.json");

async function runRow(row: Row, options: BenchOptions, group: ProcessGroup, samples: Sample[]): Promise<void> {
  const runs = Math.min(options.runs, row.mostRuns ?? options.runs);
  for (let run = 0; run < runs; run += 1) {
    // Nobody is always first: what the other left behind in the machine would count for one side only.
    const turn = row.variants.map((_, index) => row.variants[(index + run) % row.variants.length]);
    for (const variant of turn) {
      if (variant === undefined || group.isClosing) return;
      const sample = await runOnce(row, variant, options, group);
      samples.push(sample);
      say(`${row.id} ${run + 1}/${runs} ${variant.id}: ${sample.failure ?? figuresText(sample)}`);
      keep(samples);
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

/** Every single figure and timeline, for whoever asks why. */
function keep(samples: readonly Sample[]): void {
  mkdirSync(dirname(SAMPLES), { recursive: true });
  writeFileSync(SAMPLES, `${JSON.stringify(samples, null, 1)}\n`);
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
  const samples: Sample[] = [];
  const reports: RowReport[] = [];
  for (const row of ROWS.filter(({ id }) => wanted.includes(id))) {
    const skipped = await row.whyNot?.();
    if (skipped === undefined) await runRow(row, options, group, samples);
    else say(`${row.id}: skipped: ${skipped}`);
    reports.push(reportRow(row, samples, skipped));
  }
  if (group.isClosing) return 1;
  const date = new Date().toISOString().slice(0, 10);
  write({ date, machine: describeMachine(loadAtStart), rows: reports }, options.out);
  const failed = samples.filter(({ failure }) => failure !== undefined).length;
  if (failed > 0) say(`${failed} of ${samples.length} runs gave no figures`);
  return failed === 0 ? 0 : 1;
}

const options = readOptions(
  process.argv.slice(2),
  ROWS.map(({ id }) => id),
);
if (options === "help") {
  say(HELP);
} else {
  const group = new ProcessGroup();
  const forget = closeOnSignals(group);
  process.exitCode = await run(options, group);
  await group.close();
  forget();
}
