// Runs files of the suite in a vitest of its own, on this terminal.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "../../lib/local/tools.ts";

export interface SuiteRun {
  readonly files: readonly string[];
  /** Of vitest, besides the configuration that all have. */
  readonly options?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Once it is aborted, the run is ended. */
  readonly signal?: AbortSignal;
}

/** Its exit code; 1 when a signal ended it. */
export function runVitest({ files, options = [], environment, signal }: SuiteRun): Promise<number> {
  const vitest = join(projectRoot, "node_modules", "vitest", "vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", "--config", "test/vitest.config.ts", ...options, ...files], {
    cwd: projectRoot,
    stdio: "inherit",
    env: { ...process.env, ...environment },
    // Ctrl-C reaches whoever started this as well, and is passed on from there.
    detached: true,
  });
  signal?.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
