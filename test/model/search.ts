// One search by Spin: the model becomes a C program (the verifier), which is compiled and visits every state.

import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SpinTools } from "../../lib/local/tools.ts";
import { projectRoot } from "../../lib/local/tools.ts";
import { type Configuration, endless } from "./configurations.ts";

export interface SearchResult {
  /** `held` only if the search came to its end. */
  readonly verdict: "held" | "violated" | "unfinished";
  /** The promise that was broken, or why the search has no result. */
  readonly detail: string;
  readonly states: number;
  /** Of the violation, else of the search. Not the shortest one: a search goes to the depth first. */
  readonly depth: number;
  readonly megabytes: number;
  /** Of the search alone. */
  readonly seconds: number;
  /** Of making the verifier. */
  readonly buildSeconds: number;
}

export interface SearchOptions {
  readonly limitSeconds: number;
  /** Breadth first, and the steps of the shortest violation instead of a result. */
  readonly isTraced?: boolean;
}

export const modelFolder: string = join(projectRoot, "docs", "model");

const memoryMegabytes = 4_000;

export function asExpected(configuration: Configuration, result: SearchResult): boolean {
  return configuration.breaks === null
    ? result.verdict === "held"
    : result.verdict === "violated" && result.detail === configuration.breaks;
}

export async function search(
  tools: SpinTools,
  configuration: Configuration,
  options: SearchOptions,
): Promise<SearchResult> {
  const folder = mkdtempSync(join(tmpdir(), "valkeeper-model-"));
  const secondsSince = (began: number): number => (performance.now() - began) / 1_000;
  const entered = performance.now();
  try {
    await build(tools, configuration, folder, options);
    const buildSeconds = secondsSince(entered);
    const began = performance.now();
    // -E: a state without a next step is an end like any other. The depth is a bound of the verifier, and one that is too small is told.
    const table = configuration.effort === "small" ? "-w22" : "-w24";
    const cycles = configuration.looksFor === undefined ? [] : ["-l"];
    const verifier = await run(join(folder, "pan"), ["-E", "-m100000", table, ...cycles], folder, options.limitSeconds);
    return { ...readVerdict(verifier), seconds: secondsSince(began), buildSeconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The steps of the shortest violation, as Spin prints them, and the last state. */
export async function trace(tools: SpinTools, configuration: Configuration): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "valkeeper-model-"));
  try {
    await build(tools, configuration, folder, { limitSeconds: 600, isTraced: true });
    const cycles = configuration.looksFor === undefined ? [] : ["-l"];
    await run(join(folder, "pan"), ["-E", "-w24", ...cycles], folder, 600);
    if (!existsSync(join(folder, `${configuration.model}.pml.trail`))) {
      return "no violation was found\n";
    }
    const steps = ["-t", "-p", "-g", "-l", ...spinOptions(configuration)];
    return (await run(tools.spin, steps, folder, 60)).output;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function spinOptions(configuration: Configuration): string[] {
  // Spin asks for gcc by name, where only cc may be there.
  return ["-Pcc -E -x c", ...configuration.defines.map((define) => `-D${define}`), `${configuration.model}.pml`];
}

async function build(
  tools: SpinTools,
  configuration: Configuration,
  folder: string,
  { isTraced = false }: SearchOptions,
): Promise<void> {
  for (const name of readdirSync(modelFolder).filter((entry) => entry.endsWith(".pml"))) {
    copyFileSync(join(modelFolder, name), join(folder, name));
  }
  await succeed(tools.spin, ["-a", ...spinOptions(configuration)], folder);
  // A violation is found early, so what is compiled for one is compiled fast instead of running fast.
  const speed = configuration.effort === "small" ? "-O0" : "-O1";
  const isForCycles = configuration.looksFor !== undefined;
  const order = isTraced && !isForCycles ? ["-DBFS"] : [];
  const flags = [speed, "-w", isForCycles ? "-DNP" : "-DSAFETY", "-DCOLLAPSE", `-DMEMLIM=${memoryMegabytes}`, ...order];
  await succeed(tools.compiler, [...flags, "-o", "pan", "pan.c"], folder);
}

interface Ended {
  readonly output: string;
  readonly code: number | null;
}

async function succeed(command: string, args: readonly string[], folder: string): Promise<void> {
  const { code, output } = await run(command, args, folder, 120);
  // Spin ends well after some errors of syntax, and says so.
  if (code !== 0 || /^spin: .*Error/m.test(output)) {
    throw new Error(`${command} ${args.join(" ")} failed (exit ${code}):\n${output}`);
  }
}

function run(command: string, args: readonly string[], folder: string, limitSeconds: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), limitSeconds * 1_000);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        output += chunk;
      });
    }
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ output, code });
    });
  });
}

export function readVerdict({ output, code }: Ended): Omit<SearchResult, "seconds" | "buildSeconds"> {
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  const counts = {
    states: number(/^\s*(\d+) states, stored/m),
    depth: number(/at depth (\d+)/) || number(/depth reached (\d+)/),
    megabytes: number(/([\d.]+)\s+total actual memory usage/),
  };
  const promise = /assertion violated (\w+)/.exec(output)?.[1];
  if (promise !== undefined) {
    return { verdict: "violated", detail: promise, ...counts };
  }
  if (output.includes(`${endless} (`)) {
    return { verdict: "violated", detail: endless, ...counts };
  }
  const isWhole = /errors: 0$/m.test(output) && !/not completed|max search depth too small/.test(output);
  if (code === 0 && isWhole) {
    return { verdict: "held", detail: "", ...counts };
  }
  const reason = /^(?:pan: .*|error: .*)$/m.exec(output)?.[0] ?? (code === null ? "out of time" : `exit ${code}`);
  return { verdict: "unfinished", detail: reason, ...counts };
}
