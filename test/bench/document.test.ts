import { describe, expect, it } from "vitest";
import { renderDocument } from "./document.ts";
import { renderPicture } from "./picture.ts";
import { type Report, reportRow } from "./report.ts";
import { FENCED, type Figures, type Row, type Sample, SENTINEL, STEP, VALKEEPER } from "./row.ts";

const row: Row = {
  id: "fall",
  title: "a primary falls",
  variants: [SENTINEL, VALKEEPER, FENCED],
  lines: [
    {
      figure: "took",
      label: "until it writes",
      unit: "ms",
      variants: [VALKEEPER.id],
      goal: { most: 1_000 },
      drawn: "fall & rise",
      storeWrites: 5,
    },
    {
      figure: "lost",
      label: "lost",
      unit: "writes",
      variants: [VALKEEPER.id, FENCED.id],
      goal: { most: 0.05, ofSentinel: true },
    },
    { figure: "share", label: "of it the table", unit: "ms", variants: [VALKEEPER.id], hasSentinel: false },
  ],
  measure: () => Promise.reject(new Error("not run here")),
};

const sample = (variant: string, figures: Figures): Sample => ({ row: "fall", variant, figures });
const samples: readonly Sample[] = [
  sample("sentinel", { took: 6_000, lost: 1_000 }),
  sample("sentinel", { took: 6_400, lost: 1_000 }),
  sample("valkeeper", {
    took: 600,
    lost: 40,
    storeWriteMs: 4,
    share: 1.25,
    [`${STEP}down`]: 500,
    [`${STEP}promoted`]: 560,
  }),
  sample("valkeeper", { took: 1_240, lost: 90, storeWriteMs: 6, share: 1.25 }),
  sample("valkeeper-fenced", { lost: 0 }),
  { row: "fall", variant: "valkeeper-fenced", failure: "it did not start" },
  { row: "another", variant: "valkeeper", figures: { took: 1 } },
];

const report = (values: Partial<Report> = {}): Report => ({
  date: "2026-01-02",
  machine: { cores: 2, memoryGb: 24, system: "Linux 6.18", node: "24.0.0", valkey: "8.0.1", load: [0.25, 1] },
  rows: [reportRow(row, samples)],
  again: [],
  ...values,
});

describe("a row's report", () => {
  const [took, lost, fenced, share] = reportRow(row, samples).lines;

  it("sets Valkeeper's column beside Sentinel's, with goal and ratio", () => {
    expect(took).toMatchObject({
      sentinel: { n: 2, median: 6_200 },
      valkeeper: { n: 2, min: 600, median: 920, max: 1_240 },
      goal: "<= 1,000 ms",
      reached: "median only",
    });
  });

  it("says how much of a figure is the endpoint's", () => {
    expect(took?.endpoint).toEqual({ writes: 5, writeMs: 5 });
  });

  it("measures a goal that is a share of Sentinel's by Sentinel's median", () => {
    expect([lost?.reached, fenced?.reached]).toEqual(["no", "yes"]);
  });

  it("names the column where one figure has several", () => {
    expect([lost?.label, fenced?.label]).toEqual(["lost: Valkeeper", "lost: Valkeeper, boot-fenced nodes"]);
  });

  it("asks no Sentinel for what only Valkeeper has", () => {
    expect(share).toMatchObject({ hasSentinel: false, sentinel: null, ratio: null });
  });
});

describe("the document", () => {
  const text = renderDocument(report(), "picture.svg");

  it("has one line per figure", () => {
    expect(text).toContain(
      "| until it writes (ms) | 6,000 / **6,200** / 6,400 | 600 / **920** / 1,240 | 2 / 2 | 0.15 | <= 1,000 ms | median only | about 25 ms (5 x 5.0) |",
    );
    expect(text).toContain("| of it the table (ms) | - | **1.3** | 2 | - | - | - | - |");
  });

  it("tells the steps, the goals kept and the runs that failed", () => {
    expect(text).toContain("| fall | Valkeeper | down 500, promoted 560 |");
    expect(text).toContain("Of 3 goals, 1 were kept by every run, 1 more by the median only.");
    expect(text).toContain("- fall: a run gave no figure. Valkeeper, boot-fenced nodes: it did not start");
  });

  it("says which rows are of a later run", () => {
    expect(renderDocument(report({ again: ["fall"] }), "p.svg")).toContain("in a later run than the other rows");
    expect(text).not.toContain("later run");
  });

  it("says why a row was not measured", () => {
    const skipped = renderDocument(report({ rows: [reportRow(row, [], "network namespaces need root")] }), "p.svg");
    expect(skipped).toContain("Not measured: network namespaces need root.");
  });
});

describe("the picture", () => {
  it("draws both sides of what is to be drawn, and nothing else", () => {
    const picture = renderPicture(report());
    expect(picture).toContain("fall &amp; rise");
    expect(picture).toContain(">6,200</text>");
    expect(picture).toContain(">920</text>");
    expect(picture).not.toContain("of it the table");
    expect(picture).not.toMatch(/NaN|Infinity|undefined/);
  });
});
