// What `npm run bound` prints, and writes between the markers of docs/false-alarms.md.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Result } from "./points.ts";
import { BURSTS, commonPerYear, needlessPerYear, rows } from "./table.ts";

const DOCUMENT = fileURLToPath(new URL("../../docs/false-alarms.md", import.meta.url));

export type Part = "table" | "check";

export function renderTable(): string {
  const heads = ["`downAfterMs`", "voters", "lost in a row", "false votes a voter and year", "probes", "packets"];
  const all = [...heads, ...BURSTS.map(({ name }) => name), "all together", "Sentinel, probes", "Sentinel, together"];
  const lines = rows().map((row) => [
    String(row.downAfterMs),
    String(row.voters),
    String(row.attempts),
    figure(row.verdictsPerYear),
    ...[row.probes, row.packets, ...row.bursts, row.together, row.sentinelProbes, row.sentinelTogether].map(years),
  ]);
  const shared = [false, true].map((hasWitness) => years(commonPerYear(hasWitness)));
  return [
    ...markdown(all, lines),
    "",
    `Years between two needless failovers by shared bursts, shipped defaults: ${shared[0]} without a witness, ${shared[1]} with one.`,
    `Shipped defaults, three voters, everything together: one in ${years(needlessPerYear(true))} years with a witness, one in ${years(needlessPerYear(false))} without.`,
  ].join("\n");
}

export function renderCheck(results: readonly Result[]): string {
  const lines = results.flatMap(({ point, tally, comparisons }) =>
    comparisons.map(({ what, seen, predicted, isViolated }) => [
      point.name,
      (tally.seconds / 3_600).toFixed(1),
      what,
      `${figure(predicted.low)} to ${figure(predicted.high)}`,
      isViolated ? `**${seen}**` : String(seen),
    ]),
  );
  return markdown(["point", "hours", "what", "predicted", "seen"], lines).join("\n");
}

function markdown(heads: readonly string[], lines: readonly (readonly string[])[]): readonly string[] {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [row(heads), row(heads.map(() => "---")), ...lines.map(row)];
}

const MOST_YEARS = 1e9;

function years(perYear: number): string {
  const between = 1 / perYear;
  return between > MOST_YEARS ? "> 10^9" : figure(between);
}

/** Two digits, and no more zeros than can be read. */
function figure(value: number): string {
  if (value === 0) return "0";
  if (value < 0.01) return value.toExponential(0).replace(/e-(\d+)/, "·10^-$1");
  if (value < 10) return String(Number(value.toPrecision(2)));
  return (value < 1_000 ? Math.round(value) : Number(value.toPrecision(2))).toLocaleString("en-US");
}

const marker = (part: Part, end: "begin" | "end"): string => `<!-- bound:${part}:${end} -->`;

export function documented(part: Part): string {
  const text = readFileSync(DOCUMENT, "utf8");
  const [begin, end] = [marker(part, "begin"), marker(part, "end")];
  return text.slice(text.indexOf(begin) + begin.length, text.indexOf(end)).trim();
}

export function write(part: Part, content: string): void {
  const text = readFileSync(DOCUMENT, "utf8");
  const [begin, end] = [marker(part, "begin"), marker(part, "end")];
  const before = text.slice(0, text.indexOf(begin) + begin.length);
  writeFileSync(DOCUMENT, `${before}\n\n${content}\n\n${text.slice(text.indexOf(end))}`);
}
