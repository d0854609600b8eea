// Runs files of the suite in a vitest of its own.

import { spawn } from "node:child_process";
import { getPriority, setPriority } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../../lib/local/tools.ts";

export interface SuiteRun {
  readonly files: readonly string[];
  /** Of vitest, besides the configuration that all have. */
  readonly options?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Once it is aborted, the run is ended. */
  readonly signal?: AbortSignal;
  /** Ctrl-C is not heard in a session of its own, only passed on; niceness counts within a session. @default true */
  readonly ownSession?: boolean;
  /** @default this process's own */
  readonly niceness?: number;
  /** @default it is printed on this terminal */
  readonly onOutput?: (text: string) => void;
}

/** Its exit code; 1 when a signal ended it. */
export function runVitest(run: SuiteRun): Promise<number> {
  const { files, options = [], environment, signal, ownSession = true, niceness, onOutput } = run;
  const vitest = join(projectRoot, "node_modules", "vitest", "vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", "--config", "test/vitest.config.ts", ...options, ...files], {
    cwd: projectRoot,
    stdio: onOutput === undefined ? "inherit" : ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
    detached: ownSession,
  });
  if (niceness !== undefined && child.pid !== undefined) setPriority(child.pid, Math.max(niceness, getPriority()));
  if (onOutput !== undefined) {
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", onOutput);
  }
  signal?.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    // Not "exit": what it printed is read before.
    child.once("close", (code) => resolve(code ?? 1));
  });
}
