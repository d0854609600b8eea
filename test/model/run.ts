// Checks the Promela model; ends with one line of counts, and non-zero if a result is not as expected.

import { isMissing, readTools, type SpinTools } from "../../lib/local/tools.ts";
import { readCommandLine } from "../support/command-line.ts";
import { configurations } from "./configurations.ts";
import { costLine, countsLine, type Finding, findingLine } from "./report.ts";
import { asExpected, search, trace } from "./search.ts";

const limitSeconds = 900;

const USAGE = `npm run model [-- [--trace] WORD ...]: every configuration, or those whose names contain all the words
  --trace  the shortest violation of the first of them, step by step`;

const { values, words, refuse } = readCommandLine(USAGE, { trace: { type: "boolean", default: false } }, true);
const chosen = configurations.filter(({ name }) => words.every((word) => name.split(" ").includes(word)));

async function runAll(spin: SpinTools): Promise<void> {
  const findings: Finding[] = [];
  for (const configuration of chosen) {
    const finding = { configuration, result: await search(spin, configuration, { limitSeconds }) };
    findings.push(finding);
    process.stdout.write(`${findingLine(finding)}\n`);
  }
  process.stdout.write(`${costLine(findings)}\n${countsLine(findings)}\n`);
  const isGood = findings.every(({ configuration, result }) => asExpected(configuration, result));
  process.exitCode = isGood ? 0 : 1;
}

const { spin } = readTools();
const [first] = chosen;
if (isMissing(spin)) {
  process.stderr.write(`model: ${spin.missing}\n`);
  process.exitCode = 1;
} else if (first === undefined) {
  refuse(`no configuration has a name with ${words.join(" and ")}`);
} else if (values.trace) {
  process.stdout.write(await trace(spin, first));
} else {
  await runAll(spin);
}
