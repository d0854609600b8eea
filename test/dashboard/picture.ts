// The dashboard as a picture: each widget of the template at its place in CloudWatch's grid, with the figures of one run.
// Plain SVG, readable on light and dark pages because it brings its own ground.

import { type Attributes, element, escaped, text } from "../sim/picture-svg.ts";
import type { AlarmOf, ShownMetric, Widget } from "./body.ts";
import { periodsOf, rings } from "./figures.ts";
import { drawGraph } from "./picture-graph.ts";
import { COLOURS, clock, type Frame, fitting, letterOf, PALETTE, type Shown } from "./picture-parts.ts";

const COLUMN = 40;
const ROW = 38;
const GAP = 6;
const COLUMNS = 24;
const NOTE_PX = 17;

export function drawDashboard(widgets: readonly Widget[], shown: Shown): string {
  const bottom = Math.max(0, ...widgets.map(({ y, height }) => y + height)) * ROW + GAP;
  const notes = [
    ...shown.deeds.map((deed, index) => `${letterOf(index)} ${clock(deed.at)} ${deed.text}`),
    ...shown.notes,
  ];
  const width = COLUMNS * COLUMN;
  const height = bottom + notes.length * NOTE_PX + 16;
  return `${element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      "font-family": "system-ui, sans-serif",
      "font-size": 12,
    },
    element("title", {}, "Valkeeper's dashboard with the figures of one run"),
    element("rect", { width, height, fill: COLOURS.ground }),
    ...widgets.map((widget) => drawWidget(widget, shown)),
    ...notes.map((note, index) => text(GAP + 4, bottom + 16 + index * NOTE_PX, note, { fill: COLOURS.quiet })),
  )}\n`;
}

function drawWidget(widget: Widget, shown: Shown): string {
  const frame: Frame = {
    width: widget.width * COLUMN - GAP,
    height: widget.height * ROW - GAP,
  };
  const transform = `translate(${widget.x * COLUMN + GAP / 2} ${widget.y * ROW + GAP / 2})`;
  return element("g", { transform }, ...contentOf(widget, frame, shown));
}

function contentOf(widget: Widget, frame: Frame, shown: Shown): readonly string[] {
  switch (widget.kind) {
    case "text":
      return [drawMarkdown(widget.markdown, frame)];
    case "alarms":
      return [...card(frame, widget.title), ...drawAlarms(widget.alarms, frame, shown)];
    case "numbers":
      return [...card(frame, widget.title), ...drawNumbers(widget.metrics, frame, shown)];
    case "graph":
      return [...card(frame, widget.title), ...drawGraph(widget, frame, shown)];
  }
}

const card = ({ width, height }: Frame, title: string): readonly string[] => [
  element("rect", { width, height, rx: 3, fill: COLOURS.card, stroke: COLOURS.rule }),
  text(10, 20, title, { "font-weight": 600, "font-size": 13, fill: COLOURS.text }),
];

const LINE_PX = 20;
const MARKS: Readonly<Record<string, Attributes>> = {
  "**": { "font-weight": 600 },
  "`": { "font-family": "ui-monospace, monospace" },
};

/** Paragraphs, bold and code, which is what a person in haste needs. */
function drawMarkdown(markdown: string, { height }: Frame): string {
  const paragraphs = markdown.split("\n\n");
  const top = height / 2 + 5 - ((paragraphs.length - 1) * LINE_PX) / 2;
  const drawn = paragraphs.map((paragraph, index) => {
    const parts = paragraph.split(/(\*\*[^*]+\*\*|`[^`]+`)/).filter((part) => part !== "");
    const spans = parts.map((part) => {
      const [, mark = "", content = part] = /^(\*\*|`)(.*)\1$/.exec(part) ?? [];
      return element("tspan", MARKS[mark] ?? {}, escaped(content));
    });
    const place = { x: 10, y: top + index * LINE_PX, "xml:space": "preserve" };
    return element("text", { ...place, fill: COLOURS.text, "font-size": 13 }, ...spans);
  });
  return drawn.join("");
}

const ALARM_COLUMNS = 4;
const ALARM_PX = 25;

/** Those that ring first, as the construct asks CloudWatch to sort them. */
function drawAlarms(alarms: readonly AlarmOf[], { width }: Frame, { figures, window }: Shown): readonly string[] {
  const states = alarms.map((alarm) => ({ alarm, isRinging: rings(alarm, figures, window.to) }));
  const sorted = [...states.filter((each) => each.isRinging), ...states.filter((each) => !each.isRinging)];
  const box = (width - 16) / ALARM_COLUMNS;
  return sorted.map(({ alarm, isRinging }, index) => {
    const [x, y] = [8 + (index % ALARM_COLUMNS) * box, 30 + Math.floor(index / ALARM_COLUMNS) * ALARM_PX];
    const [fill, stroke, weight] = isRinging ? [COLOURS.alarm, COLOURS.alarm, 600] : [COLOURS.fine, COLOURS.rule, 400];
    const style = {
      "font-size": isRinging ? 10 : 10.5,
      "font-weight": weight,
      fill: isRinging ? COLOURS.card : COLOURS.text,
    };
    return element(
      "g",
      { class: isRinging ? "alarm" : "ok" },
      element("rect", { x, y, width: box - 4, height: ALARM_PX - 4, rx: 2, fill, stroke }),
      text(x + 6, y + 14, fitting(alarm.name, box - 14, isRinging ? 5.75 : 5.5), style),
    );
  });
}

const NUMBER_PX = 62;
const LEAST_NUMBER_WIDTH = 130;

/** Each the latest of its minutes. */
function drawNumbers(metrics: readonly ShownMetric[], { width }: Frame, shown: Shown): readonly string[] {
  const columns = Math.max(1, Math.min(metrics.length, Math.floor((width - 16) / LEAST_NUMBER_WIDTH)));
  return metrics.flatMap((metric, index) => {
    const [x, y] = [10 + (index % columns) * ((width - 16) / columns), 58 + Math.floor(index / columns) * NUMBER_PX];
    const value = latestOf(metric, shown);
    const fill = value === null || value === 0 ? COLOURS.quiet : COLOURS.alarm;
    return [
      text(x, y, value === null ? "--" : String(value), { "font-size": 28, "font-weight": 600, fill }),
      element("rect", { x, y: y + 10, width: 8, height: 8, fill: PALETTE[index % PALETTE.length] as string }),
      text(x + 12, y + 18, metric.label, { "font-size": 10.5, fill: COLOURS.text }),
    ];
  });
}

function latestOf(metric: ShownMetric, { figures, window }: Shown): number | null {
  const periods = periodsOf(figures, metric, window);
  const reported = periods.filter(({ value }) => value !== null);
  // Of a metric that is not there, FILL makes nothing.
  if (reported.length === 0) return null;
  return metric.fill === null ? (reported.at(-1)?.value ?? null) : (periods.at(-1)?.value ?? metric.fill);
}
