// The report as a picture: per row a range with its median, Sentinel above Valkeeper, on a logarithmic scale; durations in
// one panel, lost writes in the other. Plain SVG, readable on light and dark pages because it brings its own ground.

import type { LineReport, Report } from "./report.ts";
import type { Summary } from "./statistics.ts";

interface Panel {
  readonly title: string;
  readonly lines: readonly LineReport[];
  /** Powers of ten. */
  readonly from: number;
  readonly to: number;
  /** Left of the scale there is room for 0. */
  readonly hasZero: boolean;
}

const WIDTH = 960;
const LABELS = 270;
const MARGIN = 24;
const RIGHT = 96;
const ROW = 34;
const HEAD = 64;
const ZERO_AT = 26;
const COLOURS = {
  sentinel: "#c2570c",
  valkeeper: "#1d5fc4",
  text: "#1f2933",
  faint: "#d9dee4",
  band: "#f4f6f8",
  quiet: "#5b6773",
} as const;

export function renderPicture(report: Report): string {
  const lines = report.rows
    .flatMap((row) => row.lines)
    .filter(({ drawn, sentinel, valkeeper }) => drawn !== null && (sentinel ?? valkeeper) !== null);
  const panels = [
    panelOf(
      "Milliseconds, fewer is better",
      lines.filter(({ unit }) => unit === "ms"),
      false,
    ),
    panelOf(
      "Acknowledged writes lost, or accepted by an old primary",
      lines.filter(({ unit }) => unit === "writes"),
      true,
    ),
  ].filter((panel) => panel.lines.length > 0);
  const parts: string[] = [];
  let top = 58;
  for (const panel of panels) {
    parts.push(drawPanel(panel, top));
    top += HEAD + panel.lines.length * ROW + 22;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" font-family="system-ui, sans-serif" font-size="13">`,
    "<title>Valkeeper beside Valkey Sentinel: the figures of the document's tables</title>",
    `<rect width="${WIDTH}" height="${top}" rx="6" fill="#ffffff"/>`,
    legend(report),
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function legend({ date, machine }: Report): string {
  return [
    text(MARGIN, 28, "Valkeeper beside Valkey Sentinel", { size: 17, weight: 600 }),
    text(MARGIN, 46, `median and range; ${date}, Valkey ${machine.valkey}, ${machine.cores} cores, one machine`, {
      fill: COLOURS.quiet,
    }),
    ...(["sentinel", "valkeeper"] as const).map((side, index) => {
      const x = WIDTH - 230 + index * 105;
      const name = side === "sentinel" ? "Sentinel" : "Valkeeper";
      return `<circle cx="${x}" cy="24" r="5" fill="${COLOURS[side]}"/>${text(x + 10, 28, name)}`;
    }),
  ].join("\n");
}

function panelOf(title: string, lines: readonly LineReport[], hasZero: boolean): Panel {
  const ends = lines
    .flatMap(({ sentinel, valkeeper }) => [sentinel, valkeeper])
    .flatMap((summary) => (summary === null ? [] : [summary.min, summary.max]));
  const positive = ends.filter((value) => value > 0);
  const from = hasZero ? 0 : Math.floor(Math.log10(Math.min(...positive, 1_000)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...positive, 10))));
  return { title, lines, from, to, hasZero };
}

function drawPanel(panel: Panel, top: number): string {
  const bottom = top + HEAD + panel.lines.length * ROW - 8;
  const place = (value: number): number => {
    const left = LABELS + (panel.hasZero ? ZERO_AT : 0);
    if (value <= 0) return panel.hasZero ? LABELS : left;
    const share = (Math.log10(value) - panel.from) / (panel.to - panel.from);
    return left + Math.max(0, share) * (WIDTH - RIGHT - left);
  };
  const marks = Array.from({ length: panel.to - panel.from + 1 }, (_, index) => 10 ** (panel.from + index));
  const scale = [...(panel.hasZero ? [0] : []), ...marks].map((value) => {
    const x = place(value).toFixed(1);
    const line = `<line x1="${x}" y1="${top + 44}" x2="${x}" y2="${bottom}" stroke="${COLOURS.faint}"/>`;
    return (
      line +
      text(Number(x), top + 38, value.toLocaleString("en-US"), { anchor: "middle", fill: COLOURS.quiet, size: 11 })
    );
  });
  const bands = panel.lines.flatMap((_, index) => {
    const y = top + HEAD + index * ROW - ROW / 2 + 1.5;
    const band = `<rect x="${MARGIN}" y="${y}" width="${WIDTH - 2 * MARGIN}" height="${ROW}" fill="${COLOURS.band}"/>`;
    return index % 2 === 0 ? [band] : [];
  });
  const rows = panel.lines.map((line, index) => drawLine(line, top + HEAD + index * ROW, place));
  return [text(MARGIN, top + 18, panel.title, { weight: 600 }), ...bands, ...scale, ...rows].join("\n");
}

function drawLine(line: LineReport, y: number, place: (value: number) => number): string {
  const label = text(LABELS - 16, y + 5, line.drawn ?? line.label, { anchor: "end" });
  return [label, range(line.sentinel, "sentinel", y - 5, place), range(line.valkeeper, "valkeeper", y + 8, place)].join(
    "\n",
  );
}

function range(
  summary: Summary | null,
  side: "sentinel" | "valkeeper",
  y: number,
  place: (value: number) => number,
): string {
  if (summary === null) return "";
  const [from, at, to] = [place(summary.min), place(summary.median), place(summary.max)].map((x) => x.toFixed(1));
  const colour = COLOURS[side];
  const value = Math.round(summary.median).toLocaleString("en-US");
  return (
    `<line x1="${from}" y1="${y}" x2="${to}" y2="${y}" stroke="${colour}" stroke-width="3" stroke-linecap="round" opacity="0.45"/>` +
    `<circle cx="${at}" cy="${y}" r="4.5" fill="${colour}"/>` +
    text(Number(to) + 10, y + 4, value, { fill: colour, size: 11 })
  );
}

interface TextStyle {
  readonly anchor?: "middle" | "end";
  readonly fill?: string;
  readonly size?: number;
  readonly weight?: number;
}

function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const attributes = [
    style.anchor === undefined ? "" : ` text-anchor="${style.anchor}"`,
    ` fill="${style.fill ?? COLOURS.text}"`,
    style.size === undefined ? "" : ` font-size="${style.size}"`,
    style.weight === undefined ? "" : ` font-weight="${style.weight}"`,
  ].join("");
  return `<text x="${x}" y="${y}"${attributes}>${escaped(content)}</text>`;
}

const escaped = (content: string): string =>
  content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
