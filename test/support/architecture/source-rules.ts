// The rules about a file by itself: purity of the core, sizes, names.

import type { ImportedModule, SourceFile } from "./source-file.ts";

/** Where core would meet a clock, dice, the machine or concurrency. */
export const forbiddenInCore: readonly string[] = [
  ...["Date", "Intl", "performance", "Temporal"],
  ...["Math.random", "crypto"],
  ...["process", "globalThis", "console", "fetch", "require", "Buffer"],
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "Promise", "AbortSignal"],
];

/** What has dice among its members, and must not go anywhere under another name. */
const notHandedOn = new Set(["Math"]);

/**
 * A clock, dice, or waiting: what would make a seed write another timeline the second time. A node's `process` is a word of
 * the simulator's too, so that the machine's is told by what is asked of it.
 */
const unrepeatable = new Set([
  ...["Date", "performance", "Temporal", "Math.random", "crypto", "fetch", "globalThis", "global"],
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask"],
  ...["hrtime", "uptime", "nextTick", "cpuUsage", "memoryUsage", "resourceUsage", "pid", "ppid"].map(
    (member) => `process.${member}`,
  ),
]);

/** Of Node's own modules, those that have no clock and no dice: cases are files, and seeds are shared out among threads. */
const repeatableModules = new Set(["node:fs", "node:path", "node:url", "node:worker_threads"]);

/** The command measures how long the machine took, the pump drives a world for tests that await; what they run knows nothing of it. */
const outsideTheSimulation = /^test\/sim\/(run\.ts|pump\.ts|.*\.test\.ts)$/;

export function repeatabilityViolations(file: SourceFile): string[] {
  const isSimulated = file.path.startsWith("lib/runtime/") || file.path.startsWith("test/sim/");
  if (!isSimulated || outsideTheSimulation.test(file.path)) {
    return [];
  }
  const used = [
    ...file.references.filter((reference) => unrepeatable.has(reference.name)),
    ...file.handedOn.filter((found) => notHandedOn.has(found.name)),
    ...file.imports.filter(isUnrepeatable).map(({ specifier, line }) => ({ name: specifier, line })),
  ];
  return used.map(({ name, line }) => `${file.path}:${line}: a seed must replay, so it must not use ${name}`);
}

/** Fresh seeds are the commit's, or any: who has them is no part of a world. Nothing else of test/support is, either. */
const isUnrepeatable = ({ specifier, path }: ImportedModule): boolean =>
  path === undefined
    ? specifier.startsWith("node:") && !repeatableModules.has(specifier)
    : path.startsWith("test/support/");

/** What judges a world, or counts what it meets: an engine that it runs itself it cannot find wrong. */
const oracles = /^test\/sim\/((oracle|sometimes)(-[a-z-]+)?|settled)\.ts$/;

export function oracleViolations(file: SourceFile): string[] {
  if (!oracles.test(file.path)) return [];
  return file.imports
    .filter(({ path, isOnlyTypes }) => !isOnlyTypes && /^lib\//.test(path ?? ""))
    .map(
      ({ specifier, line }) => `${file.path}:${line}: an oracle shares only types with the engine, not ${specifier}`,
    );
}

// "About" 300, 500 and 60 lines: a tenth more is where an argument becomes a failure.
export const limits = { coreFileLines: 330, fileLines: 550, functionLines: 66 } as const;

const bannedNames = /^(utils?|helpers?|common|misc|shared)$/;
const kebabCase = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;

export function coreViolations(file: SourceFile): string[] {
  if (!file.path.startsWith("lib/core/")) {
    return [];
  }
  const forbidden = new Set(forbiddenInCore);
  return [
    ...file.references
      .filter((reference) => forbidden.has(reference.name))
      .map((reference) => `${file.path}:${reference.line}: core must not use ${reference.name}`),
    ...file.handedOn
      .filter((found) => notHandedOn.has(found.name))
      .map((found) => `${file.path}:${found.line}: core must not hand on ${found.name}`),
    ...file.suspensions.map((found) => `${file.path}:${found.line}: core is synchronous, not so ${found.name}`),
  ];
}

export function sizeViolations(file: SourceFile): string[] {
  const limit = file.path.startsWith("lib/core/") ? limits.coreFileLines : limits.fileLines;
  const violations = file.lineCount > limit ? [`${file.path}: ${file.lineCount} lines, more than ${limit}`] : [];
  // A describe block is a function too, and may be as long as its subject.
  if (file.path.startsWith("test/")) {
    return violations;
  }
  const long = file.functions.filter((found) => found.lines > limits.functionLines);
  return [
    ...violations,
    ...long.map(
      (found) =>
        `${file.path}:${found.line}: ${found.name} has ${found.lines} lines, more than ${limits.functionLines}`,
    ),
  ];
}

export function nameViolations(file: SourceFile): string[] {
  const violations: string[] = [];
  for (const part of file.path.split("/")) {
    if (!kebabCase.test(part)) {
      violations.push(`${file.path}: "${part}" is not kebab-case`);
    }
    if (bannedNames.test(part.split(".")[0] ?? "")) {
      violations.push(`${file.path}: "${part}" says nothing about what is inside`);
    }
  }
  for (const found of file.classes.filter(({ name }) => name.endsWith("Manager"))) {
    violations.push(`${file.path}:${found.line}: ${found.name}: name what it is, not that it manages`);
  }
  return violations;
}

/** Folders of one machine have no place in what everybody reads. The words are split so that this file does not accuse itself. */
const machinePaths = new RegExp(`/(${["wo" + "rk", "ro" + "ot", "ho" + "me"].join("|")})/`);

export function machinePathViolations(path: string, text: string): string[] {
  return text
    .split("\n")
    .flatMap((line, index) => (machinePaths.test(line) ? [`${path}:${index + 1}: names a folder of one machine`] : []));
}

const allowedAtTop = new Set([
  ...["package.json", "package-lock.json", "tsconfig.json", "cdk.json", "README.md", "LICENSE"],
  ...["bin", "functions", "lib", "test", "docs"],
]);

/** Dot-files hold the tools' configuration; `ignored` is what git ignores. */
export function topLevelViolations(entries: readonly string[], ignored: ReadonlySet<string>): string[] {
  return entries
    .filter((name) => !name.startsWith(".") && !allowedAtTop.has(name) && !ignored.has(name))
    .map((name) => `${name}: has no place at the top of the project`);
}

/** Every promise must be cited by the title of some test: S1 by `it("S1: ...")`. */
export function uncitedPromises(promises: readonly string[], files: readonly SourceFile[]): string[] {
  const titles = files.flatMap((file) => file.testTitles.map((title) => title.name));
  const cited = new Set(titles.flatMap((title) => title.match(/\b[SL]\d{1,2}\b/g) ?? []));
  return promises.filter((id) => !cited.has(id)).map((id) => `${id}: no test cites it`);
}
