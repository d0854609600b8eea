import { describe, expect, it } from "vitest";
import { dependencyViolations } from "./support/architecture/dependency-rules.ts";
import {
  filesBelow,
  ignoredNames,
  readIfThere,
  readProject,
  topLevelEntries,
} from "./support/architecture/project-files.ts";
import { readSource } from "./support/architecture/source-file.ts";
import {
  coreViolations,
  limits,
  machinePathViolations,
  nameViolations,
  oracleViolations,
  repeatabilityViolations,
  sizeViolations,
  topLevelViolations,
  uncitedPromises,
} from "./support/architecture/source-rules.ts";

const files = readProject();
const promises = [...Array.from({ length: 12 }, (_, index) => `S${index + 1}`), "L1", "L2", "L3", "L4"];

describe("the architecture", () => {
  it("lets each folder import only what its place allows", () => {
    expect(files.flatMap((file) => dependencyViolations(file))).toEqual([]);
  });

  it("keeps clocks, dice, the machine and waiting out of core", () => {
    expect(files.flatMap((file) => coreViolations(file))).toEqual([]);
  });

  it("keeps real clocks and dice out of whatever a simulation runs", () => {
    expect(files.flatMap((file) => repeatabilityViolations(file))).toEqual([]);
  });

  it("keeps the engine out of the oracle that judges it", () => {
    expect(files.flatMap((file) => oracleViolations(file))).toEqual([]);
  });

  it("keeps files and functions short", () => {
    expect(files.flatMap((file) => sizeViolations(file))).toEqual([]);
  });

  it("names files and classes for what they are", () => {
    expect(files.flatMap((file) => nameViolations(file))).toEqual([]);
  });

  it("has nothing at the top level but what belongs there", () => {
    expect(topLevelViolations(topLevelEntries(), ignoredNames())).toEqual([]);
  });

  it("names no folder of one machine in sources and documents", () => {
    const documents = ["README.md", ...filesBelow("docs")].filter((path) => path.endsWith(".md"));
    const texts = [...files, ...documents.map((path) => ({ path, text: readIfThere(path) ?? "" }))];
    expect(texts.flatMap(({ path, text }) => machinePathViolations(path, text))).toEqual([]);
  });

  it("cites every promise of the specification in a test", (context) => {
    const specification = readIfThere("docs/protocol.md");
    if (specification === undefined) {
      context.skip("docs/protocol.md is not written yet");
      return;
    }
    expect(promises.filter((id) => !new RegExp(`\\b${id}\\b`).test(specification))).toEqual([]);
    expect(uncitedPromises(promises, files)).toEqual([]);
  });
});

// A check that cannot fail is worth nothing: each rule is shown a file that breaks it.
describe("the rules themselves", () => {
  const violationsOf = (path: string, text: string): string[] => dependencyViolations(readSource(path, text));

  it.each([
    ["lib/core/a.ts", 'import { readFileSync } from "node:fs";'],
    ["lib/core/a.ts", 'import { randomUUID } from "node:crypto";'],
    ["lib/core/a.ts", 'import { hrtime } from "node:process";'],
    ["lib/runtime/a.ts", 'import { randomInt } from "node:crypto";'],
    ["lib/runtime/a.ts", 'import { hrtime } from "node:process";'],
    ["test/sim/a.ts", 'import { randomInt } from "crypto";'],
    ["lib/core/a.ts", 'import type { Clock } from "../ports/clock.ts";'],
    ["lib/core/a.ts", 'export * from "../adapters/aws/call.ts";'],
    ["lib/core/a.ts", 'const late = await import("./b.ts");'],
    ["lib/ports/a.ts", 'import { Redis } from "ioredis";'],
    ["lib/runtime/a.ts", 'import { table } from "../adapters/dynamodb/table.ts";'],
    ["lib/adapters/dynamodb/a.ts", 'import { loop } from "../../runtime/loop.ts";'],
    ["lib/constructs/a.ts", 'import { step } from "../core/failover.ts";'],
    ["lib/constructs/a.ts", 'import { SSMClient } from "@aws-sdk/client-ssm";'],
    ["lib/cli/a.ts", 'import { table } from "../adapters/dynamodb/table.ts";'],
    ["functions/voter/handler.ts", 'import { start } from "../../lib/local/local-cloud.ts";'],
    ["test/sim/a.ts", 'import { table } from "../../lib/adapters/dynamodb/table.ts";'],
    ["examples/a.ts", ""],
  ])("refuses in %s: %s", (path, text) => {
    const found = path.startsWith("examples/")
      ? dependencyViolations(readSource(path, text))
      : violationsOf(path, text);
    expect(found).toHaveLength(1);
  });

  it.each([
    ["lib/core/a.ts", 'import { b } from "./b.ts";'],
    ["lib/core/below/a.ts", 'import { b } from "../b.ts";'],
    ["lib/constructs/a.ts", 'import { Stack } from "aws-cdk-lib/core";'],
    ["functions/voter/handler.ts", 'import { table } from "../../lib/adapters/dynamodb/table.ts";'],
    ["test/integ/a.test.ts", 'import { start } from "../../lib/local/local-cloud.ts";'],
  ])("allows in %s: %s", (path, text) => {
    expect(violationsOf(path, text)).toEqual([]);
  });

  it.each([
    "export const now = Date.now();",
    "export const now = (at: Date): number => at.getTime();",
    "export const dice = Math.random();",
    'export const dice = Math["random"]();',
    "const { random } = Math;",
    'const { "random": dice } = Math;',
    "const M = Math; export const dice = M.random();",
    "export const dice = (name: string) => (Math as never)[name];",
    "export const now = globalThis.Date.now();",
    "export const now = process.uptime();",
    "export const name = process.env;",
    "export const wait = setTimeout;",
    "export const all = { Promise };",
    "export const later = async (): Promise<void> => undefined;",
    "export function* numbers() { yield 1; }",
  ])("refuses in core: %s", (text) => {
    expect(coreViolations(readSource("lib/core/a.ts", text))).not.toEqual([]);
    expect(coreViolations(readSource("lib/runtime/a.ts", text))).toEqual([]);
  });

  it.each(["lib/runtime/a.ts", "test/sim/a.ts"])("refuses a clock and dice in %s", (path) => {
    for (const text of [
      "Date.now()",
      "new Date()",
      "Math.random()",
      "performance.now()",
      "setTimeout",
      "crypto.randomUUID()",
      "globalThis.Date.now()",
      "global.setTimeout",
      "process.hrtime.bigint()",
      "process.uptime()",
      "process.nextTick",
      "(({ random } = Math))",
      "{ ...Math }",
      "Math[name]",
    ])
      expect(repeatabilityViolations(readSource(path, `export const x = ${text};`)), text).toHaveLength(1);
    for (const text of ["const { random } = Math;", "const M = Math; M.random();", "const { uptime } = process;"])
      expect(repeatabilityViolations(readSource(path, text)), text).toHaveLength(1);
    expect(repeatabilityViolations(readSource("lib/cli/a.ts", "export const x = Date.now();"))).toEqual([]);
  });

  it("allows a simulation to compute, and to ask a node's process", () => {
    for (const text of [
      "Math.max(1, 2);",
      "const { max, min: least } = Math;",
      "const { runId } = process; process.offset;",
    ])
      expect(repeatabilityViolations(readSource("test/sim/a.ts", text)), text).toEqual([]);
  });

  it.each([
    'import { randomUUID } from "node:crypto";',
    'import { hrtime } from "node:process";',
    'import * as process from "node:process";',
    'import { eventLoopUtilization } from "node:perf_hooks";',
    'import { scheduler } from "node:timers/promises";',
    'import { freshBase } from "../support/fresh-seeds.ts";',
    'export * from "../support/fresh-seeds.ts";',
  ])("refuses in what a simulation runs: %s", (text) => {
    expect(repeatabilityViolations(readSource("test/sim/world.ts", text))).toHaveLength(1);
    expect(repeatabilityViolations(readSource("test/sim/swarm.test.ts", text))).toEqual([]);
    expect(repeatabilityViolations(readSource("test/sim/run.ts", text))).toEqual([]);
  });

  it.each(["oracle.ts", "oracle-writes.ts", "settled.ts", "sometimes-nodes.ts"])(
    "refuses in %s what runs of the engine",
    (name) => {
      const violationsIn = (path: string, text: string) => oracleViolations(readSource(path, text));
      for (const text of [
        'import { tokenOf } from "../../lib/core/token.ts";',
        'import { type Epoch, epoch } from "../../lib/core/types.ts";',
        'import * as core from "../../lib/core/types.ts";',
        'import "../../lib/core/types.ts";',
        'export { epoch } from "../../lib/core/types.ts";',
        'import { VoterLoop } from "../../lib/runtime/loop.ts";',
      ]) {
        expect(violationsIn(`test/sim/${name}`, text), text).toHaveLength(1);
        expect(violationsIn("test/sim/world.ts", text), text).toEqual([]);
      }
      for (const text of [
        'import type { Epoch } from "../../lib/core/types.ts";',
        'import { type Epoch, type NodeId } from "../../lib/core/types.ts";',
        'export type { Epoch } from "../../lib/core/types.ts";',
        'import { GROUP } from "./group.ts";',
      ])
        expect(violationsIn(`test/sim/${name}`, text), text).toEqual([]);
    },
  );

  it("does not take a property or a comment for a global", () => {
    const text = "// Date, process\nexport const at = (x: { Date: number; process: string }): number => x.Date;";
    expect(coreViolations(readSource("lib/core/a.ts", text))).toEqual([]);
  });

  it("counts the lines of files and functions", () => {
    const long = (lines: number): string => "const x = 1;\n".repeat(lines);
    expect(sizeViolations(readSource("lib/core/a.ts", long(limits.coreFileLines)))).toEqual([]);
    expect(sizeViolations(readSource("lib/core/a.ts", long(limits.coreFileLines + 1)))).toHaveLength(1);
    expect(sizeViolations(readSource("lib/cli/a.ts", long(limits.fileLines)))).toEqual([]);
    expect(sizeViolations(readSource("lib/cli/a.ts", long(limits.fileLines + 1)))).toHaveLength(1);
    const body = "  void 0;\n".repeat(limits.functionLines - 1);
    expect(sizeViolations(readSource("lib/core/a.ts", `function f() {\n${body}}`))).toHaveLength(1);
    expect(sizeViolations(readSource("lib/core/a.ts", `const o = {\n  m() {\n${body}  },\n};`))).toHaveLength(1);
    expect(sizeViolations(readSource("lib/core/a.ts", `function f() {\n${body.slice(10)}}`))).toEqual([]);
  });

  it.each(["lib/core/utils.ts", "lib/helpers/a.ts", "lib/core/common.ts", "lib/core/someFile.ts", "lib/Core/a.ts"])(
    "refuses the name %s",
    (path) => {
      expect(nameViolations(readSource(path, ""))).not.toEqual([]);
    },
  );

  it("refuses a class that only manages", () => {
    expect(nameViolations(readSource("lib/cli/a.ts", "class VoterManager {}"))).toHaveLength(1);
    expect(nameViolations(readSource("lib/cli/a.ts", "class Voter {}"))).toEqual([]);
  });

  it("refuses an unknown entry at the top level, not an ignored one or a dot-file", () => {
    expect(
      topLevelViolations(["lib", ".biome.json", "node_modules", "vitest.config.ts"], new Set(["node_modules"])),
    ).toEqual(["vitest.config.ts: has no place at the top of the project"]);
  });

  it("refuses a folder of one machine", () => {
    expect(machinePathViolations("docs/a.md", `see /${"home"}/me/project`)).toHaveLength(1);
    expect(machinePathViolations("docs/a.md", "see lib/core, at work/home")).toEqual([]);
  });

  it("misses a promise that no title cites", () => {
    const text =
      'describe("S1, S3: a ballot", () => { it.skipIf(false)("S12: says why", () => {}); it(`L1: anything`, () => {}); });';
    const file = readSource("test/core/a.test.ts", `${text} // S2`);
    expect(uncitedPromises(["S1", "S2", "S3", "S12", "L1"], [file])).toEqual(["S2: no test cites it"]);
  });
});
