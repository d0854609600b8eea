// `npm test` without words: the whole suite, in two vitests at once. Most tests that start real programs wait, and most others calculate:
// one after the other they would leave the processor idle half of the time. On this terminal run the tests of `process`, whose assertions
// are about time; beside them what is more patient, at a lower priority. What that prints comes when the others are done.

import { exitCodeOf, runPart } from "./suite-part.ts";
import { wholeSummary } from "./summary-reporter.ts";

/** So that whoever's deadlines are short comes first, and nobody stands still. */
const PATIENT = 5;

const loadedAt = Date.now();
const over = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => over.abort());

let held: string[] | null = [];
const onOutput = (text: string): void => {
  if (held === null) process.stdout.write(text);
  else held.push(text);
};

const first = runPart({ projects: ["process", "model"], signal: over.signal }).finally(() => {
  process.stdout.write(held?.join("") ?? "");
  held = null;
});
const beside = runPart({ projects: ["deployed", "unit"], signal: over.signal, niceness: PATIENT, onOutput });
const parts = await Promise.all([first, beside]);
const summaries = parts.map(({ summary }) => summary);
process.stdout.write(`${wholeSummary(summaries, loadedAt)}\n`);
process.exitCode = exitCodeOf(parts);
