// The timeline as a picture (SVG): lanes for the voters, the table, the nodes and the publications; epochs are colours, roles
// are kinds of bars, what somebody did is a letter, what went wrong is hatched, and a violation is a red line.

import { gapPx, placed } from "./picture-axis.ts";
import { type Bar, Lanes, type Run } from "./picture-lanes.ts";
import { type Mark, MEANINGS, markOf } from "./picture-marks.ts";
import { element, epochClass, STYLE, text, tooltip } from "./picture-svg.ts";
import { describeFault, type Fault } from "./plan.ts";
import type { Timeline } from "./timeline.ts";
import { type Line, linesOf } from "./timeline-text.ts";

export interface PictureOptions extends Pick<Timeline, "entries" | "nodeAt"> {
  readonly title: string;
  readonly nodes: readonly string[];
  readonly voters: readonly string[];
}

const LEFT = 84;
const MARGIN = 14;
const ROW = 26;
const FAULT_ROW = 19;
const AXIS_Y = 40;
const LETTER_PX = 6.1;
/** This much before the first fault is shown; what was before is only where the bars begin. */
const BEFORE_MS = 1_500;
const LEAST_WIDTH = 720;

/** One line of the timeline and where it is. */
interface Placed {
  readonly line: Line;
  readonly x: number;
  readonly lane: string | null;
  readonly mark: Mark | null;
}

interface Span {
  readonly label: string;
  readonly hits: readonly string[];
  readonly from: number;
  readonly to: number;
}

export function drawPicture(options: PictureOptions): string {
  const all = place(linesOf(options));
  const right = Math.max(LEFT, ...all.map(({ x }) => x)) + MARGIN;
  const lanes = new Lanes(options.nodes, options.voters, options.nodeAt);
  for (const { line, x } of all) lanes.take(line.entry, x);
  lanes.end(right);
  const spans = spansOf(all, right);
  const rows = packed(spans);
  const top = AXIS_Y + 12 + FAULT_ROW * (Math.max(-1, ...rows) + 1);
  const names = [...options.voters, "table", ...options.nodes, "published", "ssm", "dns"];
  const xsOf = (lane: string) => all.flatMap((each) => (each.lane === lane ? [each.x] : []));
  const yOf = (lane: string) => top + ROW * names.indexOf(lane) + ROW / 2;
  const bottom = top + ROW * names.length;
  const labels = spans.map(({ from, label }) => from + label.length * LETTER_PX);
  const width = Math.max(LEAST_WIDTH, right, ...labels) + MARGIN;
  const legend = legendOf(all, lanes.bars, width, bottom + 22);
  const height = legend.bottom + MARGIN;
  const body = [
    element("rect", { class: "back", width, height }),
    text(MARGIN, 16, options.title, { "font-weight": "bold" }),
    text(MARGIN, AXIS_Y, "s, uneven", { class: "faint" }),
    ...names.map((name, index) => laneBack(name, top + ROW * index, width, index)),
    ...axis(all, bottom),
    ...lanes.bars.map((bar) => drawBar(bar, yOf(bar.lane), xsOf(bar.lane))),
    ...lanes.runs.map((run) => drawRun(run, yOf(run.voter))),
    ...spans.flatMap((span, index) => drawSpan(span, AXIS_Y + 8 + FAULT_ROW * (rows[index] as number), yOf, names)),
    ...all.flatMap((each) => drawMark(each, yOf)),
    ...all.flatMap((each) => drawMoment(each, bottom)),
    ...legend.elements,
  ];
  return `${element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`,
      width: Math.ceil(width),
    },
    tooltip(options.title),
    element("style", {}, STYLE),
    HATCH,
    `\n${body.join("\n")}\n`,
  )}\n`;
}

const HATCH = element(
  "defs",
  {},
  element(
    "pattern",
    { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    element("path", { class: "hatch", d: "M0 0V6" }),
  ),
);

/** What lies before the first fault has no room of its own, and no marks. */
function place(lines: readonly Line[]): readonly Placed[] {
  const first = lines.find(({ entry }) => entry.kind === "fault");
  const begin = first === undefined ? Number.NEGATIVE_INFINITY : first.at - BEFORE_MS;
  const drawn = lines.map((line) => ({
    line,
    shown: line.at >= begin,
    mark: line.at < begin ? null : markOf(line.entry),
  }));
  const moments = drawn.map(({ line, shown, mark }) => ({
    at: shown ? line.at : begin,
    lane: mark === null ? null : laneOf(line),
  }));
  const xs = placed(moments, LEFT + MARGIN);
  return drawn.map(({ line, shown, mark }, index) => ({
    line,
    x: shown ? (xs[index] as number) : LEFT,
    lane: mark === null ? null : laneOf(line),
    mark,
  }));
}

function laneOf({ entry }: Line): string | null {
  switch (entry.kind) {
    case "told":
      return entry.entry.voter;
    case "node":
      return entry.fact.node;
    case "ballot":
      return "table";
    case "published":
      return "published";
    case "copy":
      return entry.copy;
    default:
      return null;
  }
}

function laneBack(name: string, y: number, width: number, index: number): string {
  const back = element("rect", { class: index % 2 === 0 ? "row" : "back", y, width, height: ROW });
  return back + text(MARGIN, y + ROW / 2 + 3, name);
}

/** A label wherever there is room for one since the last. */
function axis(all: readonly Placed[], bottom: number): readonly string[] {
  let free = LEFT;
  return all.flatMap(({ line, x }) => {
    if (x < free || x === LEFT) return [];
    const label = (line.at / 1_000).toFixed(3);
    free = x + (label.length + 2) * LETTER_PX;
    return [
      element("path", { class: "rule", d: `M${Math.round(x)} ${AXIS_Y + 3}V${Math.round(bottom)}` }),
      text(x - 2, AXIS_Y, label, { class: "faint" }),
    ];
  });
}

/** Of bars, in px. */
const THICK: Readonly<Record<Bar["style"], number>> = {
  primary: 16,
  replica: 8,
  frozen: 10,
  down: 1,
  held: 16,
  idle: 16,
};

function drawBar({ from, to, style, epoch, label }: Bar, y: number, marks: readonly number[]): string {
  if (style === "down") return element("path", { class: "down", d: `M${Math.round(from)} ${y}H${Math.round(to)}` });
  const height = THICK[style];
  const attributes = { class: `${epochClass(epoch)} ${style}`, x: from, y: y - height / 2, width: to - from, height };
  const bar = element("rect", attributes, tooltip(label));
  // Only where it has room, and no mark lies on it.
  const end = from + 10 + label.length * LETTER_PX;
  if (style === "replica" || style === "frozen" || end > to - 4 || marks.some((x) => x > from + 8 && x < end + 6))
    return bar;
  return bar + text(from + 10, y + 3.5, label, { class: style === "idle" ? null : "on" });
}

/** Every second one a little lower: two of one voter often run side by side. A cross: it was killed. */
function drawRun({ from, to, name, how }: Run, middle: number): string {
  const y = middle + (Number(name.split("/")[1]) % 2 === 0 ? 4 : -4);
  const [x, end] = [Math.round(from), Math.round(to)];
  const begins = from <= LEFT ? "" : `M${x} ${y - 4}V${y + 4}`;
  const ends = how === null || how === "killed" ? "" : `M${end} ${y - 4}V${y + 4}`;
  const line = element("path", { class: "line", d: `M${x} ${y}H${end}${begins}${ends}` });
  const killed = element("path", { class: "killed", d: `M${end + 8} ${middle - 4}l8 8m0-8l-8 8` });
  const told = tooltip(`${name}${how === null ? "" : ` ends: ${how}`}`);
  return element("g", {}, told, line, ...(how === "killed" ? [killed] : []));
}

function drawMark({ line, x, lane, mark }: Placed, yOf: (lane: string) => number): readonly string[] {
  if (mark === null || lane === null) return [];
  const y = yOf(lane);
  const told = tooltip(`${(line.at / 1_000).toFixed(4)} ${line.who} ${line.what}`);
  const box = element("rect", {
    class: `${epochClass(epochOf(line))} mark`,
    x: x - 6,
    y: y - 7,
    width: 12,
    height: 14,
    rx: 3,
  });
  return [element("g", {}, told, box, text(x, y + 3.2, mark, { class: "letter" }))];
}

/** Of what was done, where it says one; otherwise the ballot's of that moment. */
function epochOf({ entry, epoch }: Line): number {
  if (entry.kind === "told") return entry.entry.epoch;
  if (entry.kind === "published") return entry.publication.epoch;
  if (entry.kind === "copy") return entry.epoch ?? 0;
  if (entry.kind === "node") return "epoch" in entry.fact ? (entry.fact.epoch ?? 0) : 0;
  return epoch;
}

function drawMoment({ line, x }: Placed, bottom: number): readonly string[] {
  const { entry } = line;
  if (entry.kind !== "violation" && entry.kind !== "healed") return [];
  const violated = entry.kind === "violation";
  const d = `M${Math.round(x)} ${AXIS_Y}V${Math.round(bottom)}`;
  const label = text(x - 4, bottom + 11, violated ? entry.id : "healed", {
    class: violated ? "alarm" : "faint",
    "text-anchor": "end",
  });
  const told = tooltip(`${(line.at / 1_000).toFixed(4)} ${line.what}`);
  return [element("g", {}, told, element("path", { class: violated ? "violation" : "heal", d }), label)];
}

function spansOf(all: readonly Placed[], right: number): readonly Span[] {
  return all.flatMap(({ line, x }, index) => {
    const { entry } = line;
    if (entry.kind !== "fault") return [];
    const { fault, hits } = entry;
    const ends = ({ line: { entry: later } }: Placed): boolean =>
      later.kind === "healed" ||
      (later.kind === "fault-ended" && later.fault === fault) ||
      (later.kind === "node" && later.fact.kind === "started" && "restart" in fault && hits.includes(later.fact.node));
    const lasts = "forMs" in fault || "restart" in fault;
    const end = lasts ? (all.slice(index + 1).find(ends)?.x ?? right) : x + gapPx(1);
    return [{ label: labelOf(fault, hits), hits, from: x, to: Math.max(end, x + gapPx(1)) }];
  });
}

/** With who was hit, where it was chosen as it began. */
function labelOf(fault: Fault, hits: readonly string[]): string {
  const said = describeFault(fault);
  const unsaid = hits.filter((hit) => !said.includes(hit));
  return unsaid.length === 0 || unsaid.length > 2 ? said : `${said} (${unsaid.join(", ")})`;
}

/** The row of each, so that neither spans nor labels overlap. */
function packed(spans: readonly Span[]): readonly number[] {
  const free: number[] = [];
  return spans.map(({ from, to, label }) => {
    let row = free.findIndex((x) => x <= from);
    if (row < 0) row = free.length;
    free[row] = Math.max(to, from + label.length * LETTER_PX + 8) + 6;
    return row;
  });
}

function drawSpan(
  { from, to, label, hits }: Span,
  y: number,
  yOf: (lane: string) => number,
  names: readonly string[],
): string[] {
  const lanes = hits.filter((hit) => names.includes(hit));
  return [
    ...lanes.map((hit) =>
      element("rect", { class: "hit", x: from, y: yOf(hit) - 12, width: to - from, height: 24, opacity: 0.5 }),
    ),
    element("rect", { class: "fault", x: from, y, width: to - from, height: 5 }, tooltip(label)),
    text(from, y + 14.5, label),
  ];
}

/** Only what this picture shows. */
function legendOf(all: readonly Placed[], bars: readonly Bar[], width: number, y: number) {
  const marks = new Set(all.flatMap(({ mark, lane }) => (mark === null || lane === null ? [] : [mark])));
  const epochs = [...new Set(bars.flatMap(({ style, epoch }) => (style === "down" ? [] : [epoch])))].sort(
    (a, b) => a - b,
  );
  const styles = [...new Set(bars.map(({ style }) => style))];
  const items: readonly { readonly draw: (x: number, y: number) => string; readonly label: string }[] = [
    ...epochs.map((epoch) => ({
      label: epoch === 0 ? "before any epoch" : `epoch ${epoch}`,
      draw: (x: number, at: number) =>
        element("rect", { class: `${epochClass(epoch)} primary`, x, y: at - 9, width: 12, height: 12 }),
    })),
    ...styles.map((style) => ({
      label: STYLES[style],
      draw: (x: number, at: number) =>
        element("g", { transform: `translate(${x} ${at - 3}) scale(1 .7)` }, drawBar({ ...SAMPLE, style }, 0, [])),
    })),
    ...(Object.keys(MEANINGS) as Mark[])
      .filter((mark) => marks.has(mark))
      .map((mark) => ({
        label: MEANINGS[mark],
        draw: (x: number, at: number) => text(x + 6, at, mark, { class: "letter" }),
      })),
  ];
  const columns = Math.max(1, Math.floor((width - MARGIN) / LEGEND_PX));
  const elements = items.map(({ draw, label }, index) => {
    const [x, at] = [MARGIN + LEGEND_PX * (index % columns), y + 16 + 15 * Math.floor(index / columns)];
    return draw(x, at) + text(x + 20, at, label, { class: "faint" });
  });
  return { elements, bottom: y + 16 + 15 * Math.ceil(items.length / columns) };
}

const LEGEND_PX = 236;
const SAMPLE = { lane: "", from: 0, to: 14, epoch: 0, label: "" };

const STYLES: Readonly<Record<Bar["style"], string>> = {
  primary: "primary, or published as it",
  replica: "replica, in its primary's colour",
  frozen: "frozen, by its token; forged",
  down: "not running",
  held: "lease of this epoch",
  idle: "nobody has the lease",
};
