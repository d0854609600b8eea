import { execFile } from "node:child_process";
import { LocalError } from "./errors.ts";

/** Runs a short program to its end and returns what it printed; a failure carries its own words. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly timeoutMs?: number } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      command,
      [...args],
      { timeout: options.timeoutMs ?? 10_000, encoding: "utf8" },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve(stdout);
        } else if (error.code === "ENOENT") {
          reject(new LocalError("program-missing", `${command} was not found on PATH`, error));
        } else {
          const words = [command, ...args].join(" ");
          reject(new LocalError("command-failed", `${words}: ${stderr.trim() || error.message}`, error));
        }
      },
    );
  });
}
