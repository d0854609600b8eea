// The project's own command line, run as a person would run it, against the installation on this machine.

import { join } from "node:path";
import type { LocalCloud } from "../local-cloud.ts";
import type { ProcessGroup } from "../process-group.ts";
import { pathForPrograms, projectRoot } from "../tools.ts";

export interface CommandLine {
  /** Resolves with what it printed, in lines, and its exit code. */
  run(...args: readonly string[]): Promise<{ readonly lines: readonly string[]; readonly code: number | null }>;
  /** What a person sets in another terminal to use it there. */
  readonly variables: Readonly<Record<string, string>>;
}

export const commandLineEntry: string = join(projectRoot, "bin", "valkeeper.ts");

export function commandLine(group: ProcessGroup, cloud: LocalCloud, table: string): CommandLine {
  const variables = { ...cloud.environment, VALKEEPER_TABLE: table };
  return {
    variables,
    async run(...args) {
      const lines: string[] = [];
      const program = await group.spawn({
        name: `valkeeper ${args[0] ?? ""}`,
        command: process.execPath,
        args: [commandLineEntry, ...args],
        environment: { PATH: pathForPrograms(), USER: process.env["USER"] ?? "you", ...variables },
        onLine: (line) => lines.push(line),
      });
      const { code } = await program.ended;
      return { lines, code };
    },
  };
}
