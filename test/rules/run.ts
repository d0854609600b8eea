// Takes every rule out of the sources, and out of the model, in turn and tries what is recorded to notice it, prints a line
// for each, writes the rows of docs/verification.md that ended as recorded, and ends with one line of counts. Exits with 1 if
// a rule is noticed by nothing, or anything ends in another way than is recorded.

import { readFileSync, writeFileSync } from "node:fs";
import { isMissing, readTools } from "../../lib/local/tools.ts";
import { PLANS } from "../explore/bounds.ts";
import type { Configuration } from "../model/configurations.ts";
import { asExpected, search } from "../model/search.ts";
import { readCommandLine } from "../support/command-line.ts";
import { ADAPTER_REMOVALS } from "./adapter-removals.ts";
import { EXPLORATIONS, NOT_FOUND, SEARCHED, TESTS } from "./catches.ts";
import { modelsWithout } from "./models.ts";
import { takeOut } from "./removal.ts";
import { REMOVALS, removalOf } from "./removals.ts";
import { scheduleOf } from "./schedules.ts";
import { withTable } from "./table.ts";
import { type Caught, inThread, type Task } from "./thread.ts";

const DOCUMENT = new URL("../../docs/verification.md", import.meta.url);
/** A plan is given up after these: the widest are not made for this. */
const STATES = 30_000;
const MODEL_LIMIT_SECONDS = 900;
const plans = Object.keys(PLANS);
const all = [...REMOVALS, ...ADAPTER_REMOVALS].map(({ rule }) => rule);
const { spin } = readTools();

const USAGE = `npm run rules [-- RULE ...] [--search [--seeds N]]
npm run rules -- --tell RULE: what happens in the rule's schedule without it
  RULE      ${all.join(", ")} [all]
  --search  also every plan of the exploration, and N seeds of the swarm [100], for what has nothing recorded`;

const { values, words, wholeNumber, refuse } = readCommandLine(
  USAGE,
  {
    search: { type: "boolean", default: false },
    seeds: { type: "string", default: "100" },
    tell: { type: "string" },
  },
  true,
);
const seeds = wholeNumber("seeds", values.seeds, 1);

interface Attempt {
  readonly name: string;
  readonly task: Task;
  /** Null: nothing is recorded, any promise is news. `NOTHING`: that nothing breaks is what is recorded. */
  readonly breaks: string | null;
}

const NOTHING = "nothing";

function attemptsFor(rule: string): readonly Attempt[] {
  const adapter = ADAPTER_REMOVALS.find((each) => each.rule === rule);
  if (adapter !== undefined) {
    const { file, test: named } = adapter;
    return [{ name: `${file}: ${named}`, task: { kind: "tests", file, named }, breaks: "" }];
  }
  const schedule = scheduleOf(rule);
  const exploration = EXPLORATIONS.find((each) => each.rule === rule);
  const test = TESTS.find((each) => each.rule === rule);
  const attempts: Attempt[] = [];
  if (schedule !== undefined)
    attempts.push({ name: "schedule", task: { kind: "schedule", rule }, breaks: schedule.breaks });
  else if (values.search) attempts.push({ name: "swarm", task: { kind: "seeds", from: 1, seeds }, breaks: null });
  const explored = (plan: string, breaks: string | null): Attempt => ({
    name: `plan ${plan}`,
    task: { kind: "exploration", plan, states: STATES },
    breaks,
  });
  if (exploration !== undefined) attempts.push(explored(exploration.plan, exploration.breaks));
  else if (NOT_FOUND.includes(rule)) attempts.push(...SEARCHED.map((plan) => explored(plan, NOTHING)));
  if (exploration === undefined && values.search) {
    const left = plans.filter((plan) => !(NOT_FOUND.includes(rule) && SEARCHED.includes(plan)));
    attempts.push(...left.map((plan) => explored(plan, null)));
  }
  if (test !== undefined) attempts.push({ name: test.file, task: { kind: "tests", file: test.file }, breaks: "" });
  return attempts;
}

function described({ name, breaks }: Attempt, caught: Caught | null): string {
  if (caught === null)
    return breaks === null || breaks === NOTHING
      ? `${name}: nothing`
      : `${name}: NOTHING, and not ${breaks || "a failure"}`;
  const said = `${name} (${caught.by}): ${caught.breaks} ${caught.detail.slice(0, 100)}`.trimEnd();
  if (breaks === null) return `${said}, NOT RECORDED`;
  return breaks === "" || breaks === caught.breaks ? said : `${said}, NOT ${breaks}`;
}

function isAsRecorded({ breaks }: Attempt, caught: Caught | null): boolean {
  if (breaks === null) return true;
  if (breaks === NOTHING) return caught === null;
  return caught !== null && (breaks === "" || breaks === caught.breaks);
}

interface Noticed {
  readonly isNoticed: boolean;
  readonly isAsRecorded: boolean;
}

async function runModel(rule: string, configuration: Configuration): Promise<Noticed> {
  const tell = (text: string) => process.stdout.write(`${rule}: model ${configuration.name}: ${text}\n`);
  if (isMissing(spin)) {
    tell(`NOT RUN: ${spin.missing}`);
    return { isNoticed: false, isAsRecorded: false };
  }
  const result = await search(spin, configuration, { limitSeconds: MODEL_LIMIT_SECONDS });
  const isExpected = asExpected(configuration, result);
  tell(`${result.verdict} ${result.detail}`.trimEnd() + (isExpected ? "" : `, NOT ${configuration.breaks ?? "held"}`));
  return { isNoticed: result.verdict === "violated", isAsRecorded: isExpected };
}

async function runRule(rule: string): Promise<Noticed> {
  const results: Noticed[] = [];
  for (const attempt of attemptsFor(rule)) {
    const caught = await inThread({ without: rule, task: attempt.task });
    results.push({ isNoticed: caught !== null, isAsRecorded: isAsRecorded(attempt, caught) });
    process.stdout.write(`${rule}: ${described(attempt, caught)}\n`);
  }
  if (results.length === 0) process.stdout.write(`${rule}: NOTHING is recorded\n`);
  // The model is the specification's: that it needs the rule says nothing of the code.
  const isNoticed = results.some((each) => each.isNoticed);
  for (const configuration of modelsWithout(rule)) results.push(await runModel(rule, configuration));
  return { isNoticed, isAsRecorded: results.every((each) => each.isAsRecorded) };
}

async function runAll(rules: readonly string[]): Promise<void> {
  const began = performance.now();
  const counts = { noticed: 0, other: 0 };
  const written: string[] = [];
  for (const rule of rules) {
    const { isNoticed, isAsRecorded: asRecorded } = await runRule(rule);
    counts.noticed += isNoticed ? 1 : 0;
    counts.other += asRecorded ? 0 : 1;
    if (isNoticed && asRecorded) written.push(rule);
  }
  writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, "utf8"), written));
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  process.stdout.write(
    `rules: ${rules.length} removals, ${counts.noticed} noticed, ${rules.length - counts.noticed} by nothing, ` +
      `${counts.other} not as recorded, ${seconds} s\n`,
  );
  process.exitCode = counts.noticed === rules.length && counts.other === 0 ? 0 : 1;
}

async function tell(rule: string): Promise<void> {
  const schedule = scheduleOf(rule);
  if (schedule === undefined) return refuse(`no schedule was written for ${rule}`);
  takeOut(removalOf(rule));
  const { describeCase, tellCase } = await import("../sim/story.ts");
  const { startVoter } = await import("../sim/scenario.ts");
  process.stdout.write(`${describeCase(schedule.case)}\n${tellCase(schedule.case, startVoter).text}\n`);
}

const isCalled = (rule: string, word: string): boolean => rule === word || rule.split(" ")[0] === word;
const unknown = words.filter((word) => !all.some((rule) => isCalled(rule, word)));
if (unknown.length > 0) refuse(`there is no rule ${unknown.join(", ")}`);
const chosen = words.length === 0 ? all : all.filter((rule) => words.some((word) => isCalled(rule, word)));
if (values.tell === undefined) await runAll(chosen);
else await tell(values.tell);
