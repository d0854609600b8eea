import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isMissing, projectRoot, readTools } from "../../lib/local/tools.ts";
import { type Configuration, configurations, endless } from "./configurations.ts";
import { costLine, countsLine, type Finding, findingLine } from "./report.ts";
import { asExpected, modelFolder, readVerdict, search } from "./search.ts";

const { spin } = readTools();
const short = configurations.filter(({ effort }) => effort !== "long");
const limitSeconds = 100;

/** What the models leave out, with the reason in docs/model/README.md. */
const notModelled = ["R14", "R20"];

describe("the model of the protocol", () => {
  const findings: Finding[] = [];
  afterAll(() => {
    if (findings.length > 0) {
      process.stdout.write(`${costLine(findings)}\n${countsLine(findings)}\n`);
    }
  });

  for (const configuration of short) {
    const end = configuration.breaks === null ? "holds" : `breaks ${configuration.breaks}`;
    it(`${configuration.name}: ${end}`, async (context) => {
      if (isMissing(spin)) {
        context.skip(spin.missing);
        return;
      }
      const finding = { configuration, result: await search(spin, configuration, { limitSeconds }) };
      findings.push(finding);
      expect(asExpected(configuration, finding.result), findingLine(finding)).toBe(true);
    }, 120_000);
  }
});

describe("the list of configurations", () => {
  const rules = [...readFileSync(join(modelFolder, "rules.pml"), "utf8").matchAll(/^#ifdef NO_(\w+)$/gm)].map(
    ([, rule]) => rule,
  );

  it("removes every rule that the models know", () => {
    const removed = configurations.flatMap(({ defines }) => defines).filter((define) => define.startsWith("NO_"));
    expect(rules.filter((rule) => !removed.includes(`NO_${rule}`))).toEqual([]);
  });

  it("breaks every promise that is asserted by some removal", () => {
    const asserted = readdirSync(modelFolder)
      .filter((name) => name.endsWith(".pml"))
      .flatMap((name) => [...readFileSync(join(modelFolder, name), "utf8").matchAll(/^bool ([A-Z]\d+_\w+) = true;$/gm)])
      .map(([, promise]) => promise ?? "");
    expect(asserted.length).toBeGreaterThan(20);
    const broken = configurations.map(({ breaks }) => breaks);
    expect(asserted.filter((promise) => !broken.includes(promise))).toEqual([]);
  });

  it("knows every rule of the specification, but those that no model can express", () => {
    const specification = readFileSync(join(projectRoot, "docs", "protocol.md"), "utf8");
    const known = rules.map((rule) => rule?.replace(/_.*/, ""));
    const specified = [...specification.matchAll(/^\| (R\d+) \|/gm)].map(([, rule]) => rule ?? "");
    expect(specified.length).toBeGreaterThanOrEqual(25);
    expect(specified.filter((rule) => !known.includes(rule))).toEqual(notModelled);
  });

  it("holds each model whole at the bounds at which a rule is removed from it", () => {
    const boundsOf = ({ model, defines }: Configuration): string =>
      [model, ...defines.filter((define) => !define.startsWith("NO_"))].join(" ");
    const whole = configurations.filter(({ breaks }) => breaks === null).map(boundsOf);
    expect(configurations.map(boundsOf).filter((bounds) => !whole.includes(bounds))).toEqual([]);
  });
});

describe("the verdict of a search", () => {
  const counts = "State-vector 60 byte, depth reached 31, errors: 0\n      365 states, stored\n";
  const held: Configuration = { name: "a", model: "a", defines: [], breaks: null, effort: "small" };

  it("is held only if the search came to its end", () => {
    expect(readVerdict({ code: 0, output: counts })).toMatchObject({ verdict: "held", states: 365, depth: 31 });
    for (const output of [
      `error: max search depth too small\n${counts}`,
      `Warning: Search not completed\n${counts}`,
      "pan: out of memory\n",
    ]) {
      expect(readVerdict({ code: 0, output })).toMatchObject({ verdict: "unfinished" });
    }
    expect(readVerdict({ code: null, output: counts })).toMatchObject({ verdict: "unfinished", detail: "out of time" });
  });

  it("tells a run that goes on for ever from the promises", () => {
    const output = "pan:1: non-progress cycle (at depth 31)\nState-vector 76 byte, depth reached 68, errors: 1\n";
    const result = { ...readVerdict({ code: 0, output }), seconds: 0, buildSeconds: 0 };
    expect(result).toMatchObject({ verdict: "violated", detail: endless, depth: 31 });
    expect(asExpected({ ...held, breaks: endless, looksFor: "cycles" }, result)).toBe(true);
    expect(readVerdict({ code: 0, output: `\tnon-progress cycles \t+ (fairness disabled)\n${counts}` }).verdict).toBe(
      "held",
    );
  });

  it("names the promise that was broken, and another one than expected is unexpected", () => {
    const output =
      "pan:1: assertion violated S9_lossless (at depth 25)\nState-vector 60 byte, depth reached 31, errors: 1\n";
    const result = { ...readVerdict({ code: 0, output }), seconds: 0, buildSeconds: 0 };
    expect(result).toMatchObject({ verdict: "violated", detail: "S9_lossless", depth: 25 });
    expect(asExpected({ ...held, breaks: "S9_lossless" }, result)).toBe(true);
    expect(asExpected({ ...held, breaks: "S9_other" }, result)).toBe(false);
    expect(asExpected(held, result)).toBe(false);
    expect(countsLine([{ configuration: held, result }])).toBe(
      "model: 1 configurations, 0 held, 0 violated as expected, 1 unexpected",
    );
  });
});
