// A person who misspells an option of the repository's commands learns how they are used, and nothing is run.

import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

function run(command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`test/${command}/run.ts`, ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe.each(["bound", "conformance", "explore", "model", "mutation", "rules", "sim"])("npm run %s", (command) => {
  it("prints how it is used", () => {
    const { status, stdout } = run(command, "--help");
    expect(status).toBe(0);
    expect(stdout).toContain(`npm run ${command}`);
  });

  it("refuses an option that it does not have", () => {
    const { status, stdout, stderr } = run(command, "--sedes=5");
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("'--sedes'");
    expect(stderr).toContain(`npm run ${command}`);
    expect(stderr).not.toContain("    at ");
  });
});

it.each([
  ["sim", ["--seeds", "many"], '--seeds should be a whole number from 1 on, not "many"'],
  ["sim", ["--seeds", "0"], '--seeds should be a whole number from 1 on, not "0"'],
  ["sim", ["--case", "nowhere.json"], "nowhere.json holds no case: ENOENT"],
  ["conformance", ["--runs", "-1.5"], "--runs"],
  ["explore", ["--epochs", ""], "--epochs should be a whole number from 0 on"],
  ["explore", ["everything"], "there is no plan everything"],
  ["explore", ["--without", "R99"], "there is no removal R99"],
  ["rules", ["R99"], "there is no rule R99"],
  ["rules", ["--tell", "R99"], "no schedule was written for R99"],
  ["bound", ["--hours", "0"], "--hours should be a whole number from 1 on"],
  ["model", ["data", "nonsense"], "no configuration has a name with data and nonsense"],
  ["mutation", ["nothing"], "there is no lib/core/nothing.ts"],
])("npm run %s -- %s: says what is wrong", (command, args, message) => {
  const { status, stderr } = run(command, ...args);
  expect(stderr).toContain(message);
  expect(status).toBe(2);
});
