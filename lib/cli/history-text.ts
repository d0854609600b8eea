// `history` for people: one line per step, with the milliseconds since the first of its block and since the step before.
// Times are the voters' own wall clocks: within one voter they are exact, between voters as good as their clocks.

import { EVENTS } from "../core/events.ts";
import type { HistoryRecord } from "../core/records.ts";
import { grid } from "./grid.ts";
import type { Paint } from "./paint.ts";
import { exactTime } from "./units.ts";

/** A longer silence begins a new block. */
const BLOCK_GAP_MS = 30_000;

/** `records` in any order. */
export function historyText(records: readonly HistoryRecord[], paint: Paint): readonly string[] {
  return blocksOf(inTime(records)).flatMap((block, index) => {
    const first = block[0];
    if (first === undefined) return [];
    const rows = block.map((record, position) => stepCells(record, first, block[position - 1] ?? null));
    const head = paint.strong(exactTime(first.at));
    return [...(index === 0 ? [] : [""]), head, ...grid(rows).map((line) => `  ${line}`)];
  });
}

/** Ids order by epoch before time; people read by time. */
export const inTime = (records: readonly HistoryRecord[]): readonly HistoryRecord[] =>
  records.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));

function blocksOf(records: readonly HistoryRecord[]): readonly (readonly HistoryRecord[])[] {
  const blocks: HistoryRecord[][] = [];
  for (const record of records) {
    const block = blocks.at(-1);
    const last = block?.at(-1);
    if (block === undefined || last === undefined || record.at - last.at > BLOCK_GAP_MS) blocks.push([record]);
    else block.push(record);
  }
  return blocks;
}

/** The epoch stands where it changes. */
function stepCells(record: HistoryRecord, first: HistoryRecord, before: HistoryRecord | null): readonly string[] {
  const step = before === null ? "" : `(+${Math.round(record.at - before.at)})`;
  const epoch = before?.epoch === record.epoch ? "" : `epoch ${record.epoch}`;
  const [node, facts] = detailCells(record);
  return [`+${Math.round(record.at - first.at)} ms`, step, epoch, record.voter, record.event, node, facts];
}

const EVENT_WIDTH = Math.max(...Object.keys(EVENTS).map((name) => name.length));

/** One step alone, as `--follow` and the operators' commands print it. */
export function stepLine(record: HistoryRecord, since: number): string {
  const sign = record.at < since ? "-" : "+";
  const [node, facts] = detailCells(record);
  const time = `${sign}${Math.round(Math.abs(record.at - since))} ms`;
  const parts = [
    time.padEnd(9),
    `epoch ${record.epoch}`,
    record.voter,
    record.event.padEnd(EVENT_WIDTH),
    node.padEnd(4),
  ];
  return `${parts.join("  ")}  ${facts}`.trimEnd();
}

function detailCells({ detail }: HistoryRecord): readonly [node: string, facts: string] {
  const { node, ...facts } = detail;
  const clauses = Object.entries(facts)
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => factText(name, value as string | number | boolean));
  return [typeof node === "string" ? node : "", clauses.join(", ")];
}

/** `tookMs 812` reads as `took 812 ms`; a name that says nothing beyond its value is left out. */
function factText(name: string, value: string | number | boolean): string {
  const unit = /^(.*)(Ms|Bytes)$/.exec(name);
  const shown = shorten(value);
  if (unit !== null) return `${words(unit[1] ?? name)} ${shown} ${unit[2] === "Ms" ? "ms" : "bytes"}`;
  if (name === "reason") return shown;
  return `${words(name)} ${shown}`;
}

/** Replication and run ids are told apart by their beginning. */
const shorten = (value: string | number | boolean): string =>
  typeof value === "string" && /^[0-9a-f]{40}$/.test(value) ? value.slice(0, 8) : String(value);

const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
