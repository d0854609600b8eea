import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { Dashboard, GaugeWidget, type IWidget, LogQueryWidget, MathExpression } from "aws-cdk-lib/aws-cloudwatch";
import { describe, expect, it } from "vitest";
import { elementsOf } from "../sim/xml.ts";
import { type AlarmOf, type MetricOf, type Widget, widgetsOf } from "./body.ts";
import { type EmfLine, type Figure, figuresOf, periodsOf, rings } from "./figures.ts";
import { drawDashboard } from "./picture.ts";
import type { Shown } from "./picture-parts.ts";
import { synthesizeDashboard, tableOf } from "./template.ts";
import { unwritten, writtenMetrics } from "./written.ts";

const MINUTE = 60_000;
const TABLE = "the-table";
const window = { from: 10 * MINUTE, to: 20 * MINUTE };
const template = synthesizeDashboard();
const widgets = widgetsOf(template, { [tableOf(template)]: TABLE });

/** Of the deployment, in the middle of that minute. */
const figure = (name: string, minute: number, value = 1, more: Readonly<Record<string, string>> = {}): Figure => ({
  namespace: "Valkeeper",
  name,
  dimensions: { Table: TABLE, ...more },
  value,
  at: (minute + 0.5) * MINUTE,
});

function draw(figures: readonly Figure[], more: Partial<Shown> = {}) {
  const svg = drawDashboard(widgets, { figures, window, deeds: [], notes: [], ...more });
  const elements = elementsOf(svg);
  const texts = elements.filter(({ name }) => name === "text").map((each) => each.text);
  const linesOf = (label: string) => elements.filter((each) => each.attributes["data-label"] === label).length;
  return { elements, texts, linesOf };
}

const only = (widget: IWidget) => {
  const stack = new Stack(new App(), "Other");
  new Dashboard(stack, "Dashboard", { widgets: [[widget]] });
  return () => widgetsOf(Template.fromStack(stack));
};

describe("the dashboard's picture", () => {
  it("has every widget of the template with its title, whatever was reported", () => {
    const titles = widgets.flatMap((widget) => (widget.kind === "text" ? [] : [widget.title]));
    expect(titles.length).toBeGreaterThan(7);
    for (const figures of [[], [figure("Failovers", 12)]])
      expect(draw(figures).texts).toEqual(expect.arrayContaining(titles));
    expect(new Set(widgets.map(({ kind }) => kind))).toEqual(new Set(["text", "alarms", "numbers", "graph"]));
  });

  it("says of every graph that has nothing to show that there is no data", () => {
    const graphs = widgets.filter(({ kind }) => kind === "graph").length;
    const count = (figures: readonly Figure[]) => draw(figures).texts.filter((each) => each === "no data").length;
    expect(count([])).toBe(graphs);
    expect(count([figure("Failovers", 12)])).toBe(graphs - 1);
    // Somebody else's.
    expect(count([figure("Failovers", 12, 1, { Table: "another" })])).toBe(graphs);
  });

  it("says in the text what to do next, with its commands", () => {
    const spans = draw([])
      .elements.filter(({ name }) => name === "tspan")
      .map((each) => each.text);
    expect(spans).toContain("valkeeper status");
  });

  it("shows of each trouble how many groups have it now, and none once it is over", () => {
    const numbers = (figures: readonly Figure[]) => {
      const { texts } = draw(figures);
      return texts.slice(texts.indexOf("Groups in trouble now (-- is none)") + 1).slice(0, 12);
    };
    expect(numbers([figure("GroupsBlocked", 19, 2), figure("GroupsBlocked", 12, 3)]).slice(0, 4)).toEqual([
      ...["2", "failover-blocked"],
      ...["--", "group-not-ready"],
    ]);
    expect(numbers([figure("GroupsBlocked", 12, 3)]).slice(0, 2)).toEqual(["0", "failover-blocked"]);
  });

  it("draws a line for each metric that was reported", () => {
    const { linesOf } = draw([figure("VoterHeartbeats", 12, 30, { Voter: "eu-west-1b" })]);
    expect([linesOf("eu-west-1a"), linesOf("eu-west-1b")]).toEqual([0, 1]);
  });

  it("puts the alarms that ring before the others", () => {
    const heard = ["a", "b", "c"].flatMap((zone) =>
      [17, 18, 19].map((minute) => figure("VoterHeartbeats", minute, 30, { Voter: `eu-west-1${zone}` })),
    );
    const published = [17, 18, 19].map((minute) => figure("PublicationsBehind", minute, 0));
    const alarms = (figures: readonly Figure[]) => {
      const { texts } = draw(figures);
      return texts.slice(texts.indexOf("What rings") + 1);
    };
    const count = (figures: readonly Figure[]) =>
      draw(figures).elements.filter((each) => each.attributes["class"] === "alarm").length;
    expect(count([...heard, ...published])).toBe(0);
    expect(alarms([...heard, ...published, figure("GroupsBlocked", 19)])[0]).toBe("Cache-Failover-failover-blocked");
    expect(count([...heard.slice(3), ...published])).toBe(1);
  });

  it("has a letter for each thing that was done, and says which", () => {
    const { texts } = draw([], { deeds: [{ at: 12 * MINUTE, text: "n1 is killed" }], notes: ["a note"] });
    expect(texts).toEqual(expect.arrayContaining(["A", "A 00:12 n1 is killed", "a note"]));
  });

  it.each([
    ["a kind of view", new GaugeWidget({ metrics: [] })],
    ["a kind of widget", new LogQueryWidget({ logGroupNames: ["a"], queryString: "fields @message" })],
  ])("is not drawn of %s that it does not know", (_, widget) => {
    expect(only(widget)).toThrow("not drawn");
  });

  it("is not drawn of an expression that it does not evaluate", () => {
    const expression = new MathExpression({ expression: "RATE(m1)", usingMetrics: {} });
    expect(only(new GaugeWidget({ metrics: [expression] }))).toThrow();
  });
});

describe("the dashboard's metrics", () => {
  it("are all written by a function", async () => {
    expect(unwritten(widgets, await writtenMetrics())).toEqual([]);
  });

  it("fail this when nobody writes one, or nobody by its dimensions", async () => {
    const metric = {
      namespace: "Valkeeper",
      name: "Failovers",
      dimensions: { Table: TABLE },
      stat: "Sum",
      periodMs: MINUTE,
    };
    const graph = (changes: Partial<MetricOf>): Widget => ({
      ...{ kind: "graph", title: "t", unit: "", x: 0, y: 0, width: 6, height: 6 },
      metrics: [{ ...metric, ...changes, label: "l", fill: 0 }],
    });
    const written = await writtenMetrics();
    expect(unwritten([graph({})], written)).toEqual([]);
    expect(unwritten([graph({ name: "Nothing" })], written)).toEqual(["t: Valkeeper Nothing by Table"]);
    expect(unwritten([graph({ dimensions: { Zone: "a" } })], written)).toEqual(["t: Valkeeper Failovers by Zone"]);
    expect(unwritten([graph({ namespace: "Other" })], written)).toEqual(["t: Other Failovers by Table"]);
  });
});

describe("figures of log lines", () => {
  const line = {
    ...{ voter: "az-a", Table: "t", Voter: "az-a", Failovers: 2, VoterHeartbeats: 9 },
    _aws: {
      Timestamp: 5,
      CloudWatchMetrics: [
        { Namespace: "Valkeeper", Dimensions: [["Table"]], Metrics: [{ Name: "Failovers" }] },
        { Namespace: "Valkeeper", Dimensions: [["Table", "Voter"]], Metrics: [{ Name: "VoterHeartbeats" }] },
      ],
    },
  } satisfies EmfLine;

  it("are told by the dimensions that the line gives them", () => {
    expect(figuresOf([line])).toEqual([
      { namespace: "Valkeeper", name: "Failovers", dimensions: { Table: "t" }, value: 2, at: 5 },
      { namespace: "Valkeeper", name: "VoterHeartbeats", dimensions: { Table: "t", Voter: "az-a" }, value: 9, at: 5 },
    ]);
  });

  const metric = {
    namespace: "Valkeeper",
    name: "Failovers",
    dimensions: { Table: TABLE },
    stat: "Sum",
    periodMs: MINUTE,
  };

  it("are summed up by whole minutes, and the one that is not over is left out", () => {
    const figures = [figure("Failovers", 11), figure("Failovers", 11, 4), figure("Failovers", 13)];
    const periods = (stat: string) =>
      periodsOf(figures, { ...metric, stat }, { from: 11.5 * MINUTE, to: 13.9 * MINUTE }).map(({ value }) => value);
    expect(periods("Sum")).toEqual([5, null]);
    expect(periods("Maximum")).toEqual([4, null]);
    expect(() => periods("p99")).toThrow("p99");
  });

  it.each([
    ["enough of the last periods are too high", [18, 19], "notBreaching", true],
    ["one of them is", [19], "notBreaching", false],
    ["they were before", [14, 15], "notBreaching", false],
    ["what is missing counts", [], "breaching", true],
  ])("ring or not: %s", (_, minutes, missing, expected) => {
    const alarm: AlarmOf = {
      ...{ name: "a", metric, threshold: 1, periods: 3, toAlarm: 2, missing },
      comparison: "GreaterThanOrEqualToThreshold",
    };
    const figures = minutes.map((minute) => figure("Failovers", minute));
    expect(rings(alarm, figures, window.to)).toBe(expected);
  });
});
