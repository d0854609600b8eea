// `npm run dashboard-picture`: a real failover, its figures, and docs/dashboard.svg drawn of them.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { closeOnSignals, ProcessGroup } from "../../lib/local/process-group.ts";
import { projectRoot } from "../../lib/local/tools.ts";
import { widgetsOf } from "./body.ts";
import { figuresOf } from "./figures.ts";
import { drawDashboard } from "./picture.ts";
import { type Recording, record } from "./recording.ts";
import { synthesizeDashboard, tableOf } from "./template.ts";

const KEPT = join(projectRoot, ".cache", "dashboard", "run.json");
const HELP = `npm run dashboard-picture [-- --render] [--out FILE]
  --render  no run: the picture anew from the figures of the last one
  --out     the picture [docs/dashboard.svg]`;
/** As the command line's own. */
const USAGE = 1;

function pictureOf({ table, window, lines, capacity, deeds }: Recording): string {
  const template = synthesizeDashboard();
  const widgets = widgetsOf(template, { [tableOf(template)]: table });
  const minutes = Math.round((window.to - window.from) / 60_000);
  const notes = [
    `Figures of a run on one machine, of its ${minutes} minutes in place of the three hours that the dashboard begins with (UTC).`,
    "The table's capacity is computed from its requests. Failed and refused invocations AWS reports by itself: processes have none.",
  ];
  return drawDashboard(widgets, { figures: [...figuresOf(lines), ...capacity], window, deeds, notes });
}

async function recorded(): Promise<Recording> {
  const group = new ProcessGroup();
  const forget = closeOnSignals(group);
  try {
    const recording = await record(group, (text) => process.stdout.write(`${text}\n`));
    mkdirSync(dirname(KEPT), { recursive: true });
    writeFileSync(KEPT, `${JSON.stringify(recording)}\n`);
    return recording;
  } finally {
    await group.close();
    forget();
  }
}

async function main(args: readonly string[]): Promise<number> {
  const options = { render: { type: "boolean" }, help: { type: "boolean" }, out: { type: "string" } } as const;
  let values: { readonly render?: boolean; readonly help?: boolean; readonly out?: string };
  try {
    values = parseArgs({ args: [...args], options }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}\n`);
    return USAGE;
  }
  if (values.help === true) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const recording = values.render === true ? (JSON.parse(readFileSync(KEPT, "utf8")) as Recording) : await recorded();
  const out = values.out ?? "docs/dashboard.svg";
  writeFileSync(resolve(projectRoot, out), pictureOf(recording));
  process.stdout.write(`written: ${out}\n`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
