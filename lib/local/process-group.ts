// The one place that remembers what this process started: programs, temporary folders, and whatever else must be taken down again. It ends
// only its own children, by their handle, never anything by name.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalError } from "./errors.ts";
import { LeftoverWatch } from "./leftover-watch.ts";

export interface ProgramOptions {
  /** For messages: "n1", "local cloud". */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** The whole environment of the program; without it, this process's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The program makes processes of its own, which are to end with it. It then gets no Ctrl-C from the terminal. */
  readonly ownGroup?: boolean;
  /** What ends it when the group is closed: SIGTERM (the default, with a grace), or SIGKILL where nothing is worth saving. */
  readonly endedBy?: "SIGTERM" | "SIGKILL";
  /** Called for each line of standard output and standard error, in the order in which they come. */
  readonly onLine?: (line: string) => void;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const keptOutput = 64 * 1024;
const defaultGraceMs = 3_000;

/** One running program. */
export class Program {
  readonly name: string;
  readonly pid: number;
  readonly ended: Promise<ProgramEnd>;
  readonly #child: ChildProcess;
  readonly #ownGroup: boolean;
  readonly #endedBy: NodeJS.Signals;
  #output = "";

  constructor(options: ProgramOptions, child: ChildProcess, pid: number) {
    this.name = options.name;
    this.pid = pid;
    this.#child = child;
    this.#ownGroup = options.ownGroup ?? false;
    this.#endedBy = options.endedBy ?? "SIGTERM";
    this.ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    for (const stream of [child.stdout, child.stderr]) {
      this.#read(stream, options.onLine);
    }
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what it printed. */
  get output(): string {
    return this.#output;
  }

  /** False when it had ended already. */
  signal(signal: NodeJS.Signals): boolean {
    if (!this.isRunning) {
      return false;
    }
    if (!this.#ownGroup) {
      return this.#child.kill(signal);
    }
    return signalGroup(this.pid, signal);
  }

  /** Asks it to end, and insists after `graceMs`. A stopped (SIGSTOP) program cannot hear the request and is ended at once by the second. */
  async stop(options: { readonly signal?: NodeJS.Signals; readonly graceMs?: number } = {}): Promise<ProgramEnd> {
    this.signal(options.signal ?? this.#endedBy);
    const timer = setTimeout(() => this.signal("SIGKILL"), options.graceMs ?? defaultGraceMs);
    const end = await this.ended;
    clearTimeout(timer);
    // Its own processes may outlive it for a moment; they belong to its group and to nobody else.
    if (this.#ownGroup) {
      signalGroup(this.pid, "SIGKILL");
    }
    return end;
  }

  #read(stream: NodeJS.ReadableStream | null, onLine: ((line: string) => void) | undefined): void {
    let rest = "";
    stream?.setEncoding("utf8");
    stream?.on("data", (chunk: string) => {
      this.#output = (this.#output + chunk).slice(-keptOutput);
      if (onLine === undefined) {
        return;
      }
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        onLine(line);
      }
    });
    stream?.on("end", () => {
      if (rest !== "" && onLine !== undefined) {
        onLine(rest);
      }
    });
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    // ESRCH: nobody of the group is left.
    return false;
  }
}

type Takedown = () => void | Promise<void>;

/**
 * Programs and folders that belong together and go together: `close()` ends them all. If this process ends
 * in any other way, they are ended too, without grace.
 */
export class ProcessGroup {
  readonly #programs = new Set<Program>();
  readonly #folders = new Set<string>();
  readonly #takedowns: Takedown[] = [];
  readonly #watch = new LeftoverWatch();
  readonly #atExit = () => this.#endAtOnce();
  #closing: Promise<void> | undefined;

  constructor() {
    process.once("exit", this.#atExit);
  }

  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  async spawn(options: ProgramOptions): Promise<Program> {
    if (this.#closing !== undefined) {
      throw new LocalError("command-failed", `${options.name} is not started: everything is being taken down`);
    }
    const child = spawn(options.command, [...options.args], {
      cwd: options.cwd,
      env: options.environment ?? process.env,
      detached: options.ownGroup ?? false,
      stdio: ["ignore", "pipe", "pipe"],
    });
    await started(child, options);
    const program = new Program(options, child, child.pid as number);
    this.#programs.add(program);
    this.#watch.noteProcess(program.pid, options.ownGroup ?? false);
    void program.ended.then(() => {
      this.#programs.delete(program);
      this.#watch.forgetProcess(program.pid);
    });
    return program;
  }

  /** A new, empty folder that goes when the group does. */
  makeFolder(name: string): string {
    const path = mkdtempSync(join(tmpdir(), `valkeeper-${name}-`));
    this.#folders.add(path);
    this.#watch.noteFolder(path);
    return path;
  }

  removeFolder(path: string): void {
    if (this.#folders.delete(path)) {
      rmSync(path, { recursive: true, force: true });
    }
  }

  /** Run by `close()` when all programs have ended, the last one first. */
  onClose(takedown: Takedown): void {
    this.#takedowns.push(takedown);
  }

  /** Run only if this process dies without a chance to clean up. Words without quoting. */
  onSuddenEnd(words: readonly string[]): void {
    this.#watch.noteCommand(words);
  }

  /** Ends and removes everything, also after one part could not be; only then does it reject. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#programs].map((program) => program.stop()));
    const problems: unknown[] = [];
    for (const takedown of this.#takedowns.reverse()) {
      try {
        await takedown();
      } catch (error) {
        problems.push(error);
      }
    }
    this.#removeFolders();
    this.#watch.release();
    process.off("exit", this.#atExit);
    if (problems.length > 0) {
      throw new AggregateError(problems, "something could not be taken down");
    }
  }

  #endAtOnce(): void {
    for (const program of this.#programs) {
      program.signal("SIGKILL");
    }
    this.#removeFolders();
    this.#watch.release();
  }

  #removeFolders(): void {
    for (const folder of this.#folders) {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    }
    this.#folders.clear();
  }
}

function started(child: ChildProcess, options: ProgramOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "ENOENT" ? "the program is missing" : error.message;
      reject(
        new LocalError("program-missing", `${options.name}: ${options.command} could not be started: ${reason}`, error),
      );
    });
  });
}

const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
// A terminal and a parent may both deliver one wish; a person who insists takes longer than this.
const sameWishMs = 1_500;

/**
 * For programs (not for tests): on a signal or an uncaught error the group is closed and the process ends, with 128 + n for a signal as shells
 * count. A second signal, later than the echo of the first, ends at once. The returned function takes the handlers away again.
 */
export function closeOnSignals(
  group: ProcessGroup,
  before: (reason: string) => void | Promise<void> = () => undefined,
): () => void {
  let firstAt: number | undefined;
  const end = async (code: number, reason: string): Promise<void> => {
    try {
      await before(reason);
      await group.close();
    } catch (error) {
      process.stderr.write(`${String(error)}\n`);
    } finally {
      process.exit(code);
    }
  };
  const onSignal = (signal: (typeof endingSignals)[number]): void => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      void end(128 + signalNumbers[signal], signal);
    } else if (now - firstAt > sameWishMs) {
      process.exit(128 + signalNumbers[signal]);
    }
  };
  const onError = (error: unknown): void => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    firstAt ??= performance.now();
    void end(70, "uncaught error");
  };
  for (const signal of endingSignals) {
    process.on(signal, onSignal);
  }
  process.on("uncaughtException", onError);
  process.on("unhandledRejection", onError);
  return () => {
    for (const signal of endingSignals) {
      process.off(signal, onSignal);
    }
    process.off("uncaughtException", onError);
    process.off("unhandledRejection", onError);
  };
}
