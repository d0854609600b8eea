// Explores plans one after the other, prints the shortest schedule of whatever breaks a promise, and ends with one line of
// counts.

import { takeOut } from "../rules/removal.ts";
import { REMOVALS, removalOf } from "../rules/removals.ts";
import { readCommandLine } from "../support/command-line.ts";
import { type Bounds, FIGURES, PLANS, type PlanName } from "./bounds.ts";
import { write } from "./document.ts";
import type { Found } from "./search.ts";

const plans: Readonly<Record<string, Bounds>> = PLANS;
const USAGE = `npm run explore [-- PLAN ...] [--BOUND N ...] [--without RULE] [--keep] [--write]
  PLAN       ${Object.keys(plans).join(", ")} [all]
  --BOUND    instead of the plan's own: ${FIGURES.join(", ")}
  --without  takes a rule out of the sources first
  --keep     goes on behind the first violation
  --write    writes the rows of what is run into test/explore/README.md`;

const { values, words, wholeNumber, refuse } = readCommandLine(
  USAGE,
  {
    ...Object.fromEntries(FIGURES.map((name) => [name, { type: "string" } as const])),
    without: { type: "string" },
    keep: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
  true,
);

const given = Object.fromEntries(
  FIGURES.flatMap((name) => {
    const value = (values as Readonly<Record<string, string | boolean | undefined>>)[name];
    return typeof value === "string" ? [[name, wholeNumber(name, value)]] : [];
  }),
);
const names = words.length > 0 ? words : Object.keys(plans);
const unknown = names.filter((name) => plans[name] === undefined);
if (unknown.length > 0) refuse(`there is no plan ${unknown.join(", ")}`);
if (values.write === true && (typeof values.without === "string" || Object.keys(given).length > 0))
  refuse("the document tells of the plans as they are: --write takes no bounds, and no rule out");
if (typeof values.without === "string") {
  if (!REMOVALS.some(({ rule }) => rule === values.without)) refuse(`there is no removal ${values.without}`);
  takeOut(removalOf(values.without));
}
// Loaded only now: what is explored may be without a rule.
const { step } = await import("../../lib/core/step.ts");
const { Exploration } = await import("./search.ts");

function tell(name: string, found: Found): void {
  const waiting = [...found.waiting].map(([reasons, times]) => `${times} ${reasons}`).join("; ");
  process.stdout.write(
    `${name}: ${found.states} states, ${found.moves} moves, depth ${found.depth}, ${found.seconds.toFixed(1)} s, ` +
      `${found.isComplete ? "all of it" : "not all of it"}; ${found.rested} followed to their rest, ${found.healed} healthy` +
      `${waiting === "" ? "" : `, waiting: ${waiting}`} (${found.parts})\n`,
  );
  for (const { broken, schedule, isShortest } of found.findings) {
    const how = isShortest ? "the shortest schedule" : "a schedule; that none is shorter was not looked at to the end";
    process.stdout.write(`${broken.join("\n")}\n  ${how}:\n${schedule.map((move) => `  ${move}\n`).join("")}`);
  }
}

const total = { states: 0, moves: 0, seconds: 0, depth: 0, findings: 0, cut: 0 };
for (const name of names) {
  const bounds = { ...(plans[name] as Bounds), ...given };
  const keepsGoing = values.keep === true;
  const found = new Exploration(step, bounds).run({ keepsGoing, tell: (text) => process.stderr.write(`${text}\n`) });
  tell(name, found);
  if (values.write === true) write(name as PlanName, found);
  total.states += found.states;
  total.moves += found.moves;
  total.seconds += found.seconds;
  total.depth = Math.max(total.depth, found.depth);
  total.findings += found.findings.length;
  total.cut += found.isComplete ? 0 : 1;
}
process.stdout.write(
  `${names.length} plans (${total.cut} cut short), ${total.states} states, ${total.moves} moves, depth ${total.depth}, ` +
    `${total.seconds.toFixed(1)} s, ${total.findings} violations\n`,
);
process.exitCode = total.findings > 0 ? 1 : 0;
