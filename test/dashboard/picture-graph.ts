// One graph of the dashboard: lines over time from zero, a point where a figure stands alone, and which line is which.

import { element, text } from "../sim/picture-svg.ts";
import type { ShownMetric, Widget } from "./body.ts";
import { type Period, periodsOf, type Window } from "./figures.ts";
import { COLOURS, clock, type Frame, letterOf, PALETTE, type Shown } from "./picture-parts.ts";

const LEFT = 40;
const RIGHT = 12;
const TOP = 54;
const LEGEND_ROW = 14;
const LETTER_PX = 5.4;
const TICKS = 4;

interface Line {
  readonly label: string;
  readonly colour: string;
  readonly periodMs: number;
  /** Empty: nothing was reported in the whole window. */
  readonly points: readonly Period[];
}

type Graph = Extract<Widget, { readonly kind: "graph" }>;

export function drawGraph({ metrics, unit }: Graph, frame: Frame, shown: Shown): readonly string[] {
  const lines = metrics.map((metric, index) => lineOf(metric, index, shown));
  const legend = drawLegend(lines, frame);
  const bottom = frame.height - legend.height - 20;
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value ?? 0));
  const most = niceAbove(Math.max(1, ...values));
  const place = placing({ right: frame.width - RIGHT, bottom, most, window: shown.window });
  const isEmpty = values.length === 0;
  return [
    text(10, 34, unit, { "font-size": 10, fill: COLOURS.quiet }),
    ...drawScale(most, frame, place),
    ...drawTimes(shown, bottom, place),
    ...lines.map((line) => drawLine(line, place)),
    ...(isEmpty
      ? [text(frame.width / 2, (TOP + bottom) / 2 + 4, "no data", { "text-anchor": "middle", fill: COLOURS.quiet })]
      : []),
    ...legend.elements,
  ];
}

function lineOf(metric: ShownMetric, index: number, { figures, window }: Shown): Line {
  const periods = periodsOf(figures, metric, window);
  const isThere = periods.some(({ value }) => value !== null);
  const filled = periods.map(({ at, value }) => ({ at, value: value ?? metric.fill }));
  const colour = PALETTE[index % PALETTE.length] as string;
  return { label: metric.label, colour, periodMs: metric.periodMs, points: isThere ? filled : [] };
}

interface Placing {
  x(at: number): number;
  y(value: number): number;
}

interface Bounds {
  readonly right: number;
  readonly bottom: number;
  readonly most: number;
  readonly window: Window;
}

function placing({ right, bottom, most, window: { from, to } }: Bounds): Placing {
  return {
    x: (at) => LEFT + (Math.max(0, at - from) / Math.max(1, to - from)) * (right - LEFT),
    y: (value) => bottom - (value / most) * (bottom - TOP),
  };
}

/** 1, 2, 4, 5 or 8 times a power of ten: a scale whose quarters can be read. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 5, 8, 10].find((each) => each * power >= value) ?? 10;
  return step * power;
}

function drawScale(most: number, { width }: Frame, { y }: Placing): readonly string[] {
  const steps = most <= 2 ? most : TICKS;
  return Array.from({ length: steps + 1 }, (_, index) => {
    const value = (most / steps) * index;
    const label = value.toLocaleString("en-US", { maximumFractionDigits: 1 });
    return (
      element("line", { x1: LEFT, y1: y(value), x2: width - RIGHT, y2: y(value), stroke: COLOURS.rule }) +
      text(LEFT - 5, y(value) + 3, label, { "text-anchor": "end", "font-size": 10, fill: COLOURS.quiet })
    );
  });
}

/** Minutes below, and what was done as letters above. */
function drawTimes({ window: { from, to }, deeds }: Shown, bottom: number, { x }: Placing): readonly string[] {
  const everyMs = Math.max(1, Math.round((to - from) / 60_000 / 4)) * 60_000;
  const first = Math.ceil(from / everyMs) * everyMs;
  const ticks = Array.from({ length: Math.floor((to - first) / everyMs) + 1 }, (_, index) => first + index * everyMs);
  const style = { "text-anchor": "middle", "font-size": 10, fill: COLOURS.quiet };
  return [
    ...ticks.map((at) => text(x(at), bottom + 13, clock(at), style)),
    ...deeds.map(({ at }, index) => {
      const line = { x1: x(at), y1: TOP - 4, x2: x(at), y2: bottom, stroke: COLOURS.deed, "stroke-dasharray": "2 3" };
      return element("line", line) + text(x(at), TOP - 6, letterOf(index), style);
    }),
  ];
}

/** A figure of a minute stands at the minute's beginning; the line breaks where there is none. */
function drawLine({ points, colour, label }: Line, { x, y }: Placing): string {
  const runs: Period[][] = [[]];
  for (const point of points) {
    if (point.value === null) runs.push([]);
    else runs.at(-1)?.push(point);
  }
  const drawn = runs
    .filter((run) => run.length > 0)
    .map((run) => {
      const at = run.map((point) => `${x(point.at).toFixed(1)},${y(point.value ?? 0).toFixed(1)}`);
      if (run.length > 1) {
        return element("polyline", { points: at.join(" "), fill: "none", stroke: colour, "stroke-width": 2 });
      }
      const [cx = "", cy = ""] = at[0]?.split(",") ?? [];
      return element("circle", { cx, cy, r: 2.5, fill: colour });
    });
  return drawn.length === 0 ? "" : element("g", { class: "line", "data-label": label }, ...drawn);
}

interface Legend {
  readonly height: number;
  readonly elements: readonly string[];
}

/** What was never reported has a hollow mark. */
function drawLegend(lines: readonly Line[], { width, height }: Frame): Legend {
  let [x, row] = [10, 0];
  const placed = lines.map((line) => {
    const wide = 14 + line.label.length * LETTER_PX + 8;
    if (x > 10 && x + wide > width) [x, row] = [10, row + 1];
    const at = { line, x, row };
    x += wide;
    return at;
  });
  const rows = row + 1;
  const elements = placed.map((each) => {
    const y = height - 8 - (rows - 1 - each.row) * LEGEND_ROW;
    const isThere = each.line.points.length > 0;
    const mark = { x: each.x, y: y - 8, width: 8, height: 8, stroke: each.line.colour };
    return (
      element("rect", { ...mark, fill: isThere ? each.line.colour : "none" }) +
      text(each.x + 12, y, each.line.label, { "font-size": 10, fill: isThere ? COLOURS.text : COLOURS.quiet })
    );
  });
  return { height: rows * LEGEND_ROW + 2, elements };
}
