// The published document, from a report alone.

import type { LineReport, Report, RowReport } from "./report.ts";
import type { Summary } from "./statistics.ts";

export function renderDocument(report: Report, picture: string): string {
  return [
    ...heading(report, picture),
    ...report.rows.flatMap((row) => section(row)),
    ...stepsSection(report.rows),
    ...notesSection(report),
  ]
    .join("\n")
    .concat("\n");
}

function heading({ date, machine, rows }: Report, picture: string): string[] {
  const lines = rows.flatMap((row) => row.lines);
  const judged = lines.filter(({ reached }) => reached !== null);
  const reached = judged.filter((line) => line.reached === "yes").length;
  const byMedian = judged.filter((line) => line.reached === "median only").length;
  return [
    "# Benchmarks: Valkeeper beside Valkey Sentinel",
    "",
    `Measured ${date} by \`npm run bench\` on ${machine.cores} cores and ${machine.memoryGb} GB of memory, ${machine.system}, ` +
      `Node ${machine.node}, Valkey ${machine.valkey}; load average ${machine.load[0].toFixed(1)} at the start, ` +
      `${machine.load[1].toFixed(1)} at the end.${busy(machine)}`,
    "",
    `Of ${judged.length} goals, ${reached} were kept by every run${byMedian > 0 ? `, ${byMedian} more by the median only` : ""}.`,
    "",
    `![Sentinel and Valkeeper, row by row](${picture})`,
    "",
    "## Method",
    "",
    ...METHOD,
    "",
  ];
}

/** The bench itself keeps about two cores busy; far more is somebody else's work. */
const busy = ({ cores, load }: Report["machine"]): string =>
  Math.max(...load) <= 2 * cores
    ? ""
    : " The machine was busy with other work as well: every step of both sides waits for a core, and Valkeeper has more processes to wait.";

const METHOD = [
  "Both sides run on one machine, in one run, against the same faults, taking turns. Every run has fresh servers: a primary and",
  "two replicas with a password, without persistence, Valkey's defaults but for `repl-diskless-sync-delay 0`. Sentinel: three",
  "real sentinels, quorum 2, failover-timeout 10000, parallel-syncs 1. Valkeeper: `valkeeper local`, that is three voters and the",
  "publisher as processes of their own and the AWS API of the local cloud, default settings but for down-after and 1 s of health before the first fault",
  "(`armAfterMs`). Its nodes are plain ones, adopted as they are, unless a line says boot-fenced; Sentinel's are always plain.",
  "",
  "Clients are processes of their own that write one new key per millisecond over one connection, the next only when the last",
  "was answered. One that *follows* asks every 10 ms who is primary (all sentinels at once; the publication in the table) and moves with the",
  "first new answer. One that *stays* asks only when its connection ends or it is told READONLY, as usual libraries do. Afterwards",
  "every acknowledged write is looked for on the final primary; what is missing counts as lost.",
  "",
  "An order to Valkeeper is announced with the look mark, as `valkeeper switchover` announces it: the voters then glance at the",
  "group every 100 ms. Its time runs from the writing of the request to its answer in the table, which comes when the new primary is",
  "committed and published there.",
  "",
  "Times are milliseconds since the fault or order, min / **median** / max. The ratio is Valkeeper's median to Sentinel's. A goal is",
  "reached (*yes*) when every run keeps it. *Local endpoint* is what Valkeeper's figure owes to the emulated table: the writes",
  "that wait for each other, times the median of one conditional write as measured in the same runs.",
];

function section(row: RowReport): string[] {
  const head = [`## ${row.title[0]?.toUpperCase() ?? ""}${row.title.slice(1)}`, ""];
  if (row.skipped !== undefined) return [...head, `Not measured: ${row.skipped}.`, ""];
  return [
    ...head,
    "| | Sentinel | Valkeeper | n | ratio | goal | reached | local endpoint |",
    "|---|---|---|---|---|---|---|---|",
    ...row.lines.map((line) => tableLine(line)),
    "",
  ];
}

function tableLine(line: LineReport): string {
  const cells = [
    `${line.label} (${line.unit})`,
    line.hasSentinel ? summaryText(line.sentinel) : "-",
    summaryText(line.valkeeper),
    line.hasSentinel ? `${line.sentinel?.n ?? 0} / ${line.valkeeper?.n ?? 0}` : String(line.valkeeper?.n ?? 0),
    line.ratio === null ? "-" : ratioText(line.ratio),
    line.goal ?? "-",
    line.reached === null ? "-" : line.reached === "no" ? "**no**" : line.reached,
    endpointText(line),
  ];
  return `| ${cells.join(" | ")} |`;
}

function endpointText({ endpoint }: LineReport): string {
  if (endpoint === null) return "-";
  const { writes, writeMs } = endpoint;
  return `about ${figure(writes * writeMs)} ms (${writes} x ${writeMs.toFixed(1)})`;
}

export function summaryText(summary: Summary | null): string {
  if (summary === null) return "not measured";
  const { min, median, max } = summary;
  return min === max ? `**${figure(median)}**` : `${figure(min)} / **${figure(median)}** / ${figure(max)}`;
}

const figure = (value: number): string =>
  value !== 0 && Math.abs(value) < 10 && !Number.isInteger(value)
    ? value.toFixed(1)
    : Math.round(value).toLocaleString("en-US");

const ratioText = (value: number): string =>
  value >= 10 ? value.toFixed(0) : value < 0.001 ? "0" : value.toFixed(value < 0.1 ? 3 : 2);

function stepsSection(rows: readonly RowReport[]): string[] {
  const lines = rows.flatMap(({ id, steps }) =>
    steps.map(({ variant, at }) => {
      const way = at.map(([step, medianMs]) => `${step} ${figure(medianMs)}`).join(", ");
      return `| ${id} | ${variant} | ${way} |`;
    }),
  );
  if (lines.length === 0) return [];
  return [
    "## Where Valkeeper's time goes",
    "",
    "Medians in milliseconds since the fault or the order, of the first of each event: the first voter's verdict, the lease granted,",
    "the first replica frozen, the intent recorded, the replica promoted, the commit, the publication in the table.",
    "",
    "| row | | at |",
    "|---|---|---|",
    ...lines,
    "",
  ];
}

const titles = (rows: Report["rows"], ids: readonly string[]): string =>
  ids.map((id) => `"${rows.find((row) => row.id === id)?.title ?? id}"`).join(", ");

function notesSection({ rows, again }: Report): string[] {
  const later =
    again.length === 0
      ? []
      : [
          `- Measured again in a later run than the other rows, at another load of the machine: ${titles(rows, again)}.`,
        ];
  const noted = rows.flatMap(({ id, notes }) => notes.map((note) => `- ${id}: ${note}`));
  const failed = rows.flatMap(({ id, failures }) =>
    failures.map((failure) => `- ${id}: a run gave no figure. ${failure}`),
  );
  return ["## What to know when reading this", "", ...CAUTIONS, ...later, ...failed, ...noted];
}

const CAUTIONS = [
  "- Loopback has no round-trip time, and all processes of both sides share the machine's cores: three voters in Node and an emulated AWS cost far more of them than three sentinels in C. On AWS each voter has its own.",
  "- A conditional write to DynamoDB within a region takes some 3 to 8 ms; the column *local endpoint* says what it took here.",
  "- The write gap of Sentinel's plain failover is short because nobody holds writes back: the old primary goes on acknowledging what nobody will have. Its lossless one (COORDINATED, 9.0 and later) was measured apart: a gap of 867 to 1,972 ms.",
  "- The follow client is the kindest possible one to Sentinel: a library that asks one sentinel learns of the switch later.",
  "- That SIGKILL loses nothing is luck of the load on both sides: the server hands a write to its replicas in the same turn in which it answers.",
  "- In the zone's partition the client inside asks Valkeeper's publication only when it is turned away, although it could reach the table all the time; Sentinel's asks the one sentinel in its zone every 10 ms.",
  "- Idle: a voter on AWS is a Lambda function that is billed by memory and time; its processor time here is that of a Node process and includes the hand-over once a minute.",
];
