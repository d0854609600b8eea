// What every step of the set-up shares. The set-up is plain JavaScript, because it runs on whatever Node the machine has, before
// anything is installed.

import { spawn } from "node:child_process";
import { accessSync, constants, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { delimiter, dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** A condition that a person has to change. Its message is one or two sentences and is printed without a stack. */
export class SetupError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * @typedef {object} Context
 * @property {string} root the checkout
 * @property {string} cache where set-up keeps what it fetched
 * @property {NodeJS.ProcessEnv} environment
 * @property {(line: string) => void} say prints one line for the person who waits
 * @property {(pid: number) => void} [noteWorker] told of every process that works for the set-up, while the lock is held
 */

/** @returns {Context} */
export function makeContext(options = {}) {
  const root = options.root ?? fileURLToPath(new URL("../../..", import.meta.url)).replace(/[/\\]$/, "");
  return {
    root,
    cache: join(root, ".cache"),
    environment: options.environment ?? process.env,
    say: options.say ?? ((line) => process.stdout.write(`setting up: ${line}\n`)),
  };
}

/** The path of an executable on PATH, or undefined. Entries inside the checkout's node_modules are left out on request. */
export function findOnPath(context, name, { outsideModules = false } = {}) {
  const entries = (context.environment.PATH ?? "").split(delimiter).filter((entry) => entry !== "");
  for (const entry of entries) {
    if (outsideModules && `${entry}${sep}`.includes(`${sep}node_modules${sep}`)) {
      continue;
    }
    const path = join(entry, name);
    if (isExecutable(path)) {
      return path;
    }
  }
  return undefined;
}

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Runs a program to its end and keeps what it prints; nothing of it reaches the terminal unless it fails.
 * @returns {Promise<{ code: number, output: string }>}
 */
export function runQuietly(context, command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? context.root,
      env: options.environment ?? context.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    // An interrupted set-up takes its worker with it: a half-ended npm beside the next one would ruin both their work.
    let interrupted;
    const passOn = (signal) => {
      interrupted = signal;
      child.kill(signal);
    };
    process.on("SIGTERM", passOn).on("SIGINT", passOn).on("SIGHUP", passOn);
    if (child.pid !== undefined) {
      context.noteWorker?.(child.pid);
    }
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGTERM", passOn).off("SIGINT", passOn).off("SIGHUP", passOn);
      if (interrupted !== undefined) {
        const code = 128 + osConstants.signals[interrupted];
        reject(new SetupError(`interrupted by ${interrupted}; the next run begins the step anew.`, code));
        return;
      }
      resolve({ code: code ?? (signal === null ? 1 : 128), output: Buffer.concat(chunks).toString("utf8") });
    });
  });
}

/** As `runQuietly`, but a failure is a SetupError that carries the end of the output, where the reason stands. */
export async function runOrFail(context, command, args, options) {
  let result;
  try {
    result = await runQuietly(context, command, args, options);
  } catch (error) {
    if (error instanceof SetupError) {
      throw error;
    }
    throw new SetupError(`${options.what} failed: ${command} could not be started (${error.code ?? error.message}).`);
  }
  if (result.code !== 0) {
    const tail = result.output.trimEnd().split("\n").slice(-15).join("\n  ");
    throw new SetupError(`${options.what} failed (exit ${result.code}):\n  ${tail}`);
  }
  return result.output;
}

/** Undefined when the file is missing or is not JSON: an interrupted set-up is then done again. */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** Written beside and renamed: a reader sees the old file or the new one, never half of it. */
export function writeAtomically(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.draft`;
  writeFileSync(draft, text);
  renameSync(draft, path);
}
