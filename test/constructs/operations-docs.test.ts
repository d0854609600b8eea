import { readFileSync } from "node:fs";
import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import type { Metric } from "aws-cdk-lib/aws-cloudwatch";
import { describe, expect, it } from "vitest";
import type { ConditionAlarm } from "../../lib/constructs/failover-alarms.ts";
import { settingsFrom } from "../../lib/constructs/failover-settings.ts";
import { FailoverStack } from "../../lib/constructs/failover-stack.ts";
import { CONDITION_OF } from "../../lib/runtime/group-conditions.ts";
import { METRICS } from "../../lib/runtime/metric-names.ts";
import { textOf } from "../support/iam-policy.ts";
import { synthesize } from "./failover-stack.ts";

const text = readFileSync("docs/operations.md", "utf8");
const cli = readFileSync("docs/cli.md", "utf8");

/** The part of a page below the heading `title`, to the next of its level. */
function sectionOf(page: string, title: string): string {
  const section = page.split(/^(?=## )/m).find((each) => each.startsWith(`## ${title}\n`));
  if (section === undefined) throw new Error(`there is no heading "${title}"`);
  return section;
}

/** The rows of the first table of a section, as the texts of their cells. */
const rowsOf = (section: string): readonly (readonly string[])[] =>
  (/(?:^\|.*\n)+/m.exec(section)?.[0] ?? "")
    .trim()
    .split("\n")
    .slice(2)
    .map((row) =>
      row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

const code = (cell: string | undefined): string => (cell ?? "").replaceAll("`", "");

const { failover } = synthesize(() => ({ alarms: {} }));
const alarms: readonly ConditionAlarm[] = failover.alarms?.alarms ?? [];
/** Each condition's, of whichever of its alarms. */
const metricOf = new Map(alarms.map(({ condition, alarm }) => [condition, (alarm.metric as Metric).metricName]));
const conditions = [...new Set(alarms.map((each) => each.condition))].sort();

describe("docs/operations.md", () => {
  const runbook = sectionOf(text, "Alarms").split(/^### /m).slice(1);

  it("has a heading for each alarm, of the same spelling", () => {
    expect(conditions).toHaveLength(15);
    expect(runbook.map((section) => code(section.split("\n")[0])).sort()).toEqual(conditions);
  });

  it.each(runbook.map((section) => [code(section.split("\n")[0]), section]))(
    "says of %s what it means, what to look at and what to do",
    (_, section) => {
      for (const part of ["**Means.**", "**Check.**", "**Fix.**"]) expect(section).toContain(part);
    },
  );

  it("lists every alarm with its metric", () => {
    const rows = rowsOf(sectionOf(text, "Alarms")).map(([name, metric]) => [code(name), code(metric)] as const);
    expect(rows.map(([name]) => name).sort()).toEqual(conditions);
    const ours = rows.filter(([name]) => Object.values<string>(METRICS).includes(metricOf.get(name) ?? ""));
    expect(ours).toHaveLength(13);
    for (const [name, metric] of ours) expect(metric).toBe(metricOf.get(name));
  });

  it("lists every reason for which nothing is done, with the alarm that rings for it", () => {
    const alarmOf = new Map([...metricOf].map(([condition, metric]) => [metric, condition]));
    const expected = Object.entries(CONDITION_OF).map(([reason, metric]) => {
      if (reason === "suspended") return [reason, "voter-suspended by count"];
      return [reason, metric === null ? "none" : alarmOf.get(metric)];
    });
    const listed = rowsOf(sectionOf(text, "What `valkeeper why` asks of you"));
    expect(listed.map(([reason, alarm]) => [code(reason), code(alarm)]).toSorted()).toEqual(expected.toSorted());
  });

  it("asks something of a person for every word of status that docs/cli.md lists", () => {
    const table = cli.slice(cli.indexOf("| Word | Exit | |"));
    const known = rowsOf(table).flatMap(([words]) => code(words).split(", "));
    expect(known).toContain("NO PRIMARY");
    const asked = rowsOf(sectionOf(text, "What `valkeeper status` asks of you")).map(([word]) => code(word));
    expect(asked.sort()).toEqual(known.sort());
  });

  it("lists every metric", () => {
    const listed = rowsOf(sectionOf(text, "The figures")).map(([name]) => code(name));
    expect(listed.sort()).toEqual(Object.values(METRICS).sort());
  });

  it("names outputs that the app's stack has", () => {
    const app = new App({ context: { "aws:cdk:bundling-stacks": [] } });
    const { valkeeper } = JSON.parse(readFileSync("cdk.json", "utf8")).context as { readonly valkeeper: object };
    const settings = settingsFrom(undefined, { ...valkeeper, dashboard: true });
    const template = Template.fromStack(new FailoverStack(app, "Valkeeper", { settings })).toJSON();
    const outputs = template["Outputs"] as Readonly<Record<string, { readonly Value: unknown }>>;
    const named = [...text.matchAll(/\$\(output (\w+)\)/g)].map(([, name = ""]) => name);
    expect(new Set(named)).toEqual(new Set(["TableName", "LogGroupNames", "DeadLetterQueueUrl"]));
    expect(named.filter((name) => !(name in outputs))).toEqual([]);
    expect(outputs["DashboardName"]).toBeDefined();
    const logGroups = Object.keys(template["Resources"]).filter((id) => /Logs[0-9A-F]{8}$/.test(id));
    expect(textOf(outputs["LogGroupNames"]?.Value).split(" ").toSorted()).toEqual(logGroups.toSorted());
  });

  it("links to headings that there are", () => {
    const slug = (heading: string): string =>
      heading
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, "")
        .trim()
        .replaceAll(" ", "-");
    const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => slug(heading ?? ""));
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, link]) => link);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((link) => !headings.includes(link ?? ""))).toEqual([]);
  });
});
