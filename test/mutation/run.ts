// Changes lib/core in one small place after the other and looks whether a test of test/core fails. What a run found is kept
// under .cache/mutation and only what has changed since is done again. Prints what nobody noticed and ends with one line of
// counts; fails below the least score, when docs/mutation.md does not argue for a survivor, and when it does for one that
// there is no more.

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findOnPath, makeContext, runOrFail, SetupError } from "../../lib/local/setup/context.mjs";
import { launch } from "../../lib/local/setup/launch.mjs";
import { readCommandLine } from "../support/command-line.ts";
import { coreFiles, keepResults, keptResults, testsOf } from "./results.ts";
import { argued, describe, isGoodEnough, judge, type Report } from "./survivors.ts";

const context = makeContext();
const home = join(context.cache, "mutation");
const USAGE = `npm run mutation [-- FILE ...] [--worlds] [--anew] [--kept]
  FILE      of lib/core: step, lease, ... [all]
  --worlds  also asks the tests that take seconds each
  --anew    forgets what earlier runs found
  --kept    runs nothing and counts what the last run of each file found`;

const { values, words, refuse } = readCommandLine(
  USAGE,
  {
    worlds: { type: "boolean", default: false },
    anew: { type: "boolean", default: false },
    kept: { type: "boolean", default: false },
  },
  true,
);
const files = words.map((name) => `lib/core/${name.replace(/^.*\/|\.ts$/g, "")}.ts`);
const asked = files.length > 0 ? files : coreFiles(context.root);
const unknown = files.filter((file) => !existsSync(join(context.root, file)));
if (unknown.length > 0) refuse(`there is no ${unknown.join(", no ")}`);

/** Stryker is no package of the project's own: its set-up stays as quick as it is, and this brings it on first use. */
async function ensureStryker(): Promise<void> {
  const lock = join(context.root, "test/mutation/package-lock.json");
  const wanted = createHash("sha256").update(readFileSync(lock)).digest("hex");
  const stamp = join(home, "installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  context.say("installing the mutation tester");
  mkdirSync(home, { recursive: true });
  rmSync(stamp, { force: true });
  for (const name of ["package.json", "package-lock.json"])
    copyFileSync(join(context.root, "test/mutation", name), join(home, name));
  const npm = findOnPath(context, "npm", { outsideModules: true });
  if (npm === undefined) throw new SetupError("npm was not found on PATH.");
  await runOrFail(context, npm, ["ci", "--ignore-scripts", "--loglevel=error"], {
    what: "installing the mutation tester with `npm ci`",
    cwd: home,
  });
  writeFileSync(stamp, wanted);
}

/** Everything but lib/core and its tests stays out of Stryker's copy: among it the tsconfig, which it would read with a TypeScript of old. */
function leftOut(): readonly string[] {
  const beside = (folder: string, kept: readonly string[]) =>
    readdirSync(join(context.root, folder))
      .filter((name) => !kept.includes(name))
      .map((name) => (folder === "." ? name : `${folder}/${name}`));
  return [
    ...beside(".", ["lib", "test"]),
    ...beside("lib", ["core"]),
    ...beside("test", ["core"]),
    "lib/core/tsconfig.json",
  ];
}

function settings(report: string): object {
  return {
    testRunner: "core",
    plugins: [join(context.root, "test/mutation/runner.ts")],
    checkers: [],
    coverageAnalysis: "perTest",
    concurrency: 1,
    mutate: files.length > 0 ? files : ["lib/core/*.ts"],
    ignorePatterns: leftOut(),
    tempDirName: join(".cache/mutation", `copy-${process.pid}`),
    cleanTempDir: "always",
    symlinkNodeModules: false,
    incremental: true,
    incrementalFile: join(home, values.worlds ? "known-worlds.json" : "known.json"),
    force: values.anew,
    reporters: ["json", "progress-append-only"],
    jsonReporter: { fileName: report },
    allowConsoleColors: false,
    // By the clock, which the tests of a change take many times their own seconds of on a busy machine: what has no end alone.
    timeoutMS: 120_000,
    warnings: { slow: false },
  };
}

const runStryker = (configuration: string): Promise<number> =>
  launch(context, {
    node: process.execPath,
    args: [join(home, "node_modules/@stryker-mutator/core/bin/stryker.js"), "run", configuration],
    environment: { VALKEEPER_MUTATION: values.worlds ? "worlds" : "" },
  });

/** Of the files asked about: the kept results of the others may be of another day's code. */
const askedAbout = ({ files: all }: Report): Report => ({
  files: Object.fromEntries(Object.entries(all).filter(([file]) => asked.includes(file))),
});

function conclude(report: Report, about: readonly string[]): boolean {
  const reasons = argued(readFileSync(join(context.root, "docs/mutation.md"), "utf8"));
  const judgement = judge(report, reasons, about);
  const { noticed, survived, score, open, stale } = judgement;
  for (const each of open) process.stdout.write(`survived, not argued: ${describe(each)}\n`);
  for (const { text } of stale) process.stdout.write(`docs/mutation.md argues for what does not survive: ${text}\n`);
  process.stdout.write(
    `${noticed + survived} mutants in ${Object.keys(report.files).length} files, ${noticed} noticed, ` +
      `${survived} survived (${survived - open.length} argued, ${stale.length} argued in vain): ${score.toFixed(1)} %\n`,
  );
  return isGoodEnough(judgement);
}

/** Whether there is a result of each file, of the present code, and all together are good enough. */
function concludeKept(): boolean {
  const { report, outdated, beforeTests, days } = keptResults(context.root, home, asked);
  if (outdated.length > 0) process.stdout.write(`not run on the present code: ${outdated.join(", ")}\n`);
  if (beforeTests.length > 0) process.stdout.write(`run before a test changed: ${beforeTests.join(", ")}\n`);
  process.stdout.write(`found on ${days.join(", ")}\n`);
  const present = asked.filter((file) => !outdated.includes(file));
  return conclude(report, present) && outdated.length === 0;
}

async function runAndConclude(): Promise<number> {
  await ensureStryker();
  const report = join(home, `report-${process.pid}.json`);
  const configuration = join(home, `settings-${process.pid}.json`);
  try {
    const tests = testsOf(context.root);
    writeFileSync(configuration, JSON.stringify(settings(report)));
    const code = await runStryker(configuration);
    if (code !== 0) return code;
    const found = askedAbout(JSON.parse(readFileSync(report, "utf8")) as Report);
    if (!values.worlds) keepResults(context.root, home, { report: found, files: asked, tests });
    return conclude(found, asked) ? 0 : 1;
  } finally {
    rmSync(report, { force: true });
    rmSync(configuration, { force: true });
  }
}

process.exitCode = values.kept ? (concludeKept() ? 0 : 1) : await runAndConclude();
