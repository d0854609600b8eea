// Every rule taken out of the sources is noticed, by the promise that is recorded; the same world or plan with the rule
// breaks nothing. What each rule is needed for is told in docs/verification.md, by a table made of these records.

import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { describe, expect, it } from "vitest";
import { IN_TESTS } from "../explore/bounds.ts";
import { ADAPTER_REMOVALS } from "./adapter-removals.ts";
import { EXPLORATIONS, NOT_FOUND, SEARCHED, TESTS } from "./catches.ts";
import { modelsWithout, spinOf } from "./models.ts";
import { rewritten, rewrittenFiles } from "./removal.ts";
import { REMOVALS, removalOf } from "./removals.ts";
import { SCHEDULES } from "./schedules.ts";
import { withTable } from "./table.ts";
import { inThread } from "./thread.ts";

const LIMIT_MS = 120_000;
const STATES = 30_000;

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

describe("the removals", () => {
  it.each([...REMOVALS, ...ADAPTER_REMOVALS].map(({ rule }) => rule))(
    "%s: finds each of its places once, and what it leaves is TypeScript",
    (rule) => {
      const texts = [...rewrittenFiles(removalOf(rule)).values()];
      expect(texts.map((text) => stripTypeScriptTypes(text).length > 0)).not.toContain(false);
    },
  );

  it("say whose has to be renewed when a place is gone or stands twice", () => {
    const removal = { rule: "R0", what: "", places: [{ file: "a.ts", from: "x", to: "y" }] };
    expect(rewritten(removal, "a.ts", "one x")).toBe("one y");
    for (const text of ["none", "x and x"])
      expect(() => rewritten(removal, "a.ts", text)).toThrow("the removal of R0 has to be renewed");
    expect(() => removalOf("R99")).toThrow("no rule R99");
  });

  it("are there for every rule of the specification, and each is noticed by something", () => {
    const specified = [...read("docs/protocol.md").matchAll(/^\| (R\d+) \|/gm)].map(([, rule]) => rule);
    const removed = new Set(REMOVALS.map(({ rule }) => rule.split(" ")[0]));
    expect(specified.filter((rule) => !removed.has(rule))).toEqual([]);
    const noticed = new Set([...SCHEDULES, ...EXPLORATIONS, ...TESTS].map(({ rule }) => rule));
    expect(REMOVALS.map(({ rule }) => rule).filter((rule) => !noticed.has(rule))).toEqual([]);
  });

  it("stand in the document as they are recorded", () => {
    const document = read("docs/verification.md");
    const all = [...REMOVALS, ...ADAPTER_REMOVALS].map(({ rule }) => rule);
    expect(withTable(document, all), "npm run rules writes it").toBe(document);
    expect(withTable(document, [])).toBe(document);
  });

  it("whose run did not end as recorded keep the row that stands, or have none", () => {
    const marks = ["<!-- rules: begin (npm run rules) -->", "<!-- rules: end -->"] as const;
    const rows = (text: string) => text.split("\n").filter((line) => /^\| [RLS]?\d/.test(line));
    const written = withTable(`${marks[0]}\n| R1 | as it was |\n${marks[1]}`, ["R2"]);
    expect(rows(written)[0]).toBe("| R1 | as it was |");
    expect(rows(written)[1]).toMatch(/^\| R2 \| one node is enough/);
    expect(rows(written)).toHaveLength(2);
  });

  it("are called not found only where something was looked for and nothing else is recorded", () => {
    const explored = EXPLORATIONS.map(({ rule }) => rule);
    expect(NOT_FOUND.filter((rule) => explored.includes(rule))).toEqual([]);
    expect(NOT_FOUND.filter((rule) => !REMOVALS.some((each) => each.rule === rule))).toEqual([]);
    expect(SEARCHED.filter((plan) => !(IN_TESTS as readonly string[]).includes(plan))).toEqual([]);
  });

  it("are credited to the model only where it has a switch of exactly that name", () => {
    const named = (rule: string) => modelsWithout(rule).map(({ name }) => name);
    expect(named("R11 freeze")).toEqual(["switchover without R11_FREEZE"]);
    expect(named("R23 retract")).toEqual(["votes without R23_RETRACT"]);
    expect(named("R25 hold")).toEqual(["unexplained without R25_HOLD"]);
    expect([named("R11"), named("R99 half")]).toEqual([[], []]);
    expect(spinOf("quorum")).toBe("no switch");
  });
});

describe("a world that needs the rule", () => {
  it.each(SCHEDULES.map(({ rule, breaks, story }) => ({ rule, breaks, story })))(
    "$rule, $breaks: $story",
    { timeout: LIMIT_MS },
    async ({ rule, breaks }) => {
      const caught = await inThread({ without: rule, task: { kind: "schedule", rule } });
      expect(caught?.breaks, caught?.detail ?? `npm run rules -- --tell "${rule}"`).toBe(breaks);
      const task = { kind: "schedule", rule, seed: caught?.by ?? "" } as const;
      expect(await inThread({ without: null, task })).toBeNull();
    },
  );
});

// That a plan holds with every rule in place is told by test/explore/explore.test.ts for those that it explores to their end,
// and here for the others, as far as anything was looked for without the rule.
describe("an exploration that needs the rule", () => {
  it.each(EXPLORATIONS)("$rule, $breaks: $plan", { timeout: LIMIT_MS }, async ({ rule, plan, breaks }) => {
    const task = { kind: "exploration", plan, states: STATES } as const;
    const caught = await inThread({ without: rule, task });
    expect(caught?.breaks, caught?.detail ?? `npm run rules -- --search "${rule}"`).toBe(breaks);
    if (!(IN_TESTS as readonly string[]).includes(plan)) expect(await inThread({ without: null, task })).toBeNull();
  });
});

describe("a test that needs the rule", () => {
  it.each(TESTS)("$rule: $file", { timeout: LIMIT_MS }, async ({ rule, file, fails }) => {
    const caught = await inThread({ without: rule, task: { kind: "tests", file } });
    expect(caught?.breaks ?? "nothing").toContain(fails);
  });
});
