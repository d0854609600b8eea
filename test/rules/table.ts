// The table rule x (Spin, exploration, simulation) of docs/verification.md, made of what is recorded: the configurations of
// the model, the plans of the exploration, the schedules, and the tests for the rest. Below it, what the adapters lose.

import { ADAPTER_REMOVALS, type AdapterRemoval } from "./adapter-removals.ts";
import { EXPLORATIONS, NOT_FOUND, TESTS } from "./catches.ts";
import { spinOf } from "./models.ts";
import type { Removal } from "./removal.ts";
import { REMOVALS } from "./removals.ts";
import { scheduleOf } from "./schedules.ts";

const BEGIN = "<!-- rules: begin (npm run rules) -->";
const END = "<!-- rules: end -->";

function rowOf({ rule, what }: Removal): string {
  const exploration = EXPLORATIONS.find((each) => each.rule === rule);
  const schedule = scheduleOf(rule);
  const test = TESTS.find((each) => each.rule === rule);
  const explored = exploration === undefined ? lookedFor(rule) : `\`${exploration.plan}\`: ${exploration.breaks}`;
  const simulated = schedule === undefined ? "" : `${schedule.breaks}: ${schedule.story}`;
  const tested = test === undefined ? "" : `none: ${test.reason}. \`${test.file}\` fails`;
  return `| ${rule} | ${what} | ${spinOf(rule)} | ${explored} | ${simulated || tested || "untried"} |`;
}

const adapterRowOf = ({ rule, what, file, test }: AdapterRemoval): string =>
  `| ${rule} | ${what} | \`${file}\`: "${test}" |`;

const lookedFor = (rule: string): string => (NOT_FOUND.includes(rule) ? "not found" : "untried");

/** The row that stands in the document for `rule`, if there is one. */
const standing = (text: string, rule: string): readonly string[] =>
  text.split("\n").filter((line) => line.startsWith(`| ${rule} |`));

/** The document with the rows of `rules` as they are recorded; of each other one the row that stands stays, if there is one. */
export function withTable(document: string, rules: readonly string[]): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new RangeError(`the document has no ${BEGIN} .. ${END}`);
  const before = document.slice(begin, end);
  const rowsOf = <T extends Removal>(removals: readonly T[], told: (removal: T) => string): readonly string[] =>
    removals.flatMap((each) => (rules.includes(each.rule) ? [told(each)] : standing(before, each.rule)));
  const lines = [
    ...["| rule | taken out: | Spin | exploration | simulation |", "|---|---|---|---|---|"],
    ...rowsOf(REMOVALS, rowOf),
    "",
    ...["| rule | taken out of the shipped adapters: | fails |", "|---|---|---|"],
    ...rowsOf(ADAPTER_REMOVALS, adapterRowOf),
  ];
  return `${document.slice(0, begin + BEGIN.length)}\n${lines.join("\n")}\n${document.slice(end)}`;
}
