// The end of `npm run coverage`: what the tests of test/core did not take of lib/core's branches, by the report that vitest has just
// written. Fails when docs/mutation.md does not argue for one of them, or argues for one that a test takes.

import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { arguedBranches, branchCount, type FileCoverage, uncovered } from "./branches.ts";

const root = join(import.meta.dirname, "../..");
const text = readFileSync(join(root, "coverage/coverage-final.json"), "utf8");
const files = Object.values(JSON.parse(text) as Record<string, FileCoverage>);
const missed = files.flatMap((each) => uncovered(each, relative(root, each.path), readFileSync(each.path, "utf8")));
const reasons = arguedBranches(readFileSync(join(root, "docs/mutation.md"), "utf8"));
const open = missed.filter(({ text }) => !reasons.some((each) => each.text === text));
const stale = reasons.filter(({ text }) => !missed.some((each) => each.text === text));
for (const { text, line } of open) process.stdout.write(`not taken, not argued: ${text} (line ${line})\n`);
for (const { text } of stale) process.stdout.write(`docs/mutation.md argues for a branch that is taken: ${text}\n`);
process.stdout.write(
  `${branchCount(files)} branches in ${files.length} files, ${missed.length} not taken ` +
    `(${missed.length - open.length} argued, ${stale.length} argued in vain)\n`,
);
process.exitCode = open.length + stale.length === 0 ? 0 : 1;
