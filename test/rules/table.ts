// The table rule x (Spin, exploration, simulation) of docs/verification.md, made of what is recorded: the configurations of
// the model, the plans of the exploration, the schedules, and the tests for the rest.

import { type Configuration, configurations } from "../model/configurations.ts";
import { EXPLORATIONS, NOT_FOUND, TESTS } from "./catches.ts";
import { REMOVALS } from "./removals.ts";
import { scheduleOf } from "./schedules.ts";

const BEGIN = "<!-- rules: begin (npm run rules) -->";
const END = "<!-- rules: end -->";

/** What the model calls otherwise. */
const SPELLED: Readonly<Record<string, string>> = { "same lease": "HOLDER_VERSION", "take-over": "TAKE_OVER" };

/** `R9 kill` is `R9_KILL` there; a half that the model does not know alone is in the whole rule. */
function spinOf(rule: string): string {
  const spelled = SPELLED[rule] ?? rule.toUpperCase().replace(" ", "_");
  const [whole] = rule.split(" ");
  const removing = (name: string) =>
    configurations.filter(({ breaks, defines }) => breaks !== null && defines.includes(`NO_${name}`));
  const found = removing(spelled).length > 0 ? removing(spelled) : removing(whole ?? "");
  if (rule === "R14" || rule === "R20") return "not expressible: time";
  if (found.length === 0) return "no switch";
  const cells = new Set(found.map(({ model, breaks }) => `${model}: ${promiseOf(breaks ?? "")}`));
  return `${[...cells].join("; ")}${found.every(isBare) ? beside(spelled) : ""}`;
}

/** The model without R12's intents and without a roll back: what breaks there alone is a second line. */
const isBare = ({ defines }: Configuration): boolean => defines.includes("BARE");

const beside = (spelled: string): string =>
  configurations.some((each) => each.breaks === null && !isBare(each) && each.defines.includes(`NO_${spelled}`))
    ? " only in a model without R12's intents and without roll back (`BARE`); with all the rest in force **nothing breaks**"
    : " only in `BARE`";

/** `L1_every_publication ...` is L1; `R17_a_pause_lasts` is the rule itself, said in words. */
const promiseOf = (assertion: string): string =>
  assertion.startsWith("R")
    ? assertion.replace(/^R\d+_/, "").replaceAll("_", " ")
    : (assertion.split("_")[0] ?? assertion);

function rowOf(rule: string, what: string): string {
  const exploration = EXPLORATIONS.find((each) => each.rule === rule);
  const schedule = scheduleOf(rule);
  const test = TESTS.find((each) => each.rule === rule);
  const explored = exploration === undefined ? lookedFor(rule) : `\`${exploration.plan}\`: ${exploration.breaks}`;
  const simulated = schedule === undefined ? "" : `${schedule.breaks}: ${schedule.story}`;
  const tested = test === undefined ? "" : `none: ${test.reason}. \`${test.file}\` fails`;
  return `| ${rule} | ${what} | ${spinOf(rule)} | ${explored} | ${simulated || tested || "untried"} |`;
}

const lookedFor = (rule: string): string => (NOT_FOUND.includes(rule) ? "not found" : "untried");

function tableText(): string {
  const rows = REMOVALS.map(({ rule, what }) => rowOf(rule, what));
  return ["| rule | taken out: | Spin | exploration | simulation |", "|---|---|---|---|---|", ...rows].join("\n");
}

/** The document with the table as it is now. */
export function withTable(document: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new RangeError(`the document has no ${BEGIN} .. ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n${tableText()}\n${document.slice(end)}`;
}
