// Draws sequences of commands, runs each on a real trio and on the simulated one, and stops at the first that ends
// differently: prints the shortest one and how to replay it.

import { ProcessGroup } from "../../lib/local/process-group.ts";
import { readCommandLine } from "../support/command-line.ts";
import { parseSequence, wordsOf } from "./command.ts";
import { describeDifference, runSequence } from "./compare.ts";
import { mostUnrepeated, search } from "./search.ts";
import { realAndSimulated } from "./sides.ts";

const SHRINK_WITHIN_MS = 180_000;

const USAGE = `npm run conformance [-- --runs N] [--from M] [--length L]: sequences drawn by seeds M, M+1, ...
npm run conformance -- --commands "rdb; write n1; ...": that sequence, with what there is after each command
  --runs    so many sequences [50]
  --from    the first seed [1]
  --length  commands in each [12]`;

const { values, wholeNumber } = readCommandLine(USAGE, {
  runs: { type: "string", default: "50" },
  from: { type: "string", default: "1" },
  length: { type: "string", default: "12" },
  commands: { type: "string" },
});

const group = new ProcessGroup();
const sides = realAndSimulated(group);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function replay(text: string): Promise<boolean> {
  const sequence = parseSequence(text);
  const { difference, views } = await runSequence(sequence, sides);
  for (const [index, view] of views.entries()) {
    const command = sequence.commands[index - 1];
    print([command === undefined ? "the beginning" : wordsOf(command), ...view].join("\n  "));
  }
  print(difference === null ? "no difference" : describeDifference(difference, sides));
  return difference === null;
}

async function runMany(): Promise<boolean> {
  const from = wholeNumber("from", values.from);
  const runs = wholeNumber("runs", values.runs, 1);
  const length = wholeNumber("length", values.length, 1);
  const began = performance.now();
  const seeds = Array.from({ length: runs }, (_, index) => String(from + index));
  const found = await search({ seeds, length, sides, shrinkWithinMs: SHRINK_WITHIN_MS, onUnrepeated: print });
  if (found.finding !== null) print(found.finding);
  print(
    `${found.sequences} sequences, ${found.commands} commands, ${found.restless} without rest, ` +
      `${found.unrepeated} differences that did not come again, ${((performance.now() - began) / 1_000).toFixed(0)} s, ` +
      `${found.finding === null ? 0 : 1} differences`,
  );
  return found.finding === null && found.unrepeated <= mostUnrepeated(found.sequences);
}

try {
  process.exitCode = (await (values.commands === undefined ? runMany() : replay(values.commands))) ? 0 : 1;
} finally {
  await group.close();
}
