// Prints how many needless failovers a year the detection rules make of stated losses, then holds the formula against the
// simulator; ends with one line of counts, and non-zero if a prediction is violated or the goal missed.

import { readCommandLine } from "../support/command-line.ts";
import { renderCheck, renderTable, write } from "./document.ts";
import { measure, OUTSIDE, POINTS, type Result, statedPoints } from "./points.ts";
import { GOAL_YEARS, meetsGoal, needlessPerYear } from "./table.ts";

const USAGE = `npm run bound [-- --hours N] [--write]
  --hours  simulated hours at the stated loss [24]
  --write  into docs/false-alarms.md`;

const { values, wholeNumber } = readCommandLine(USAGE, {
  hours: { type: "string", default: "24" },
  write: { type: "boolean", default: false },
});
const simulatedHours = wholeNumber("hours", values.hours, 1);

process.stdout.write(`${renderTable()}\n\n`);
const began = performance.now();
const results: Result[] = [];
for (const point of [...POINTS, ...statedPoints(simulatedHours)]) {
  const result = measure(point);
  results.push(result);
  const [, , ...lines] = renderCheck([result]).split("\n");
  process.stdout.write(`${lines.join("\n")}\n`);
}
if (values.write) {
  write("table", renderTable());
  write("check", renderCheck(results));
}
const comparisons = results.flatMap((result) => result.comparisons);
const violated = comparisons.filter(({ isViolated }) => isViolated).length;
const hours = results.reduce((total, { tally }) => total + tally.seconds / 3_600, 0);
process.stdout.write(
  `bound: one needless failover in ${Math.round(1 / needlessPerYear(true))} years with a witness (goal ${GOAL_YEARS}), ` +
    `in ${(1 / needlessPerYear(false)).toFixed(1)} without, ` +
    `${comparisons.length} comparisons at ${(1 - OUTSIDE) * 100} % over ${hours.toFixed(1)} simulated hours ` +
    `in ${((performance.now() - began) / 1_000).toFixed(0)} s, ${violated} violated\n`,
);
process.exitCode = violated > 0 || !meetsGoal() ? 1 : 0;
