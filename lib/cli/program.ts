// The command line as a whole: which commands there are, the options all have, and what `--help` says of exit codes.

import { Command, CommanderError } from "commander";
import { addDrain } from "./drain.ts";
import type { Environment } from "./environment.ts";
import { EXIT, EXIT_MEANING } from "./exit-code.ts";
import { addFailover } from "./failover.ts";
import { addGroups } from "./groups.ts";
import { addHistory } from "./history.ts";
import { createHost, type Host } from "./host.ts";
import { addLocal } from "./local.ts";
import { addPause } from "./pause.ts";
import { addResume } from "./resume.ts";
import { addStatus } from "./status.ts";
import { addSwitchover } from "./switchover.ts";
import { addWatch } from "./watch.ts";
import { addWhy } from "./why.ts";

/** In the order in which `--help` lists them. */
const COMMANDS: readonly ((program: Command, host: Host) => void)[] = [
  addStatus,
  addWatch,
  addWhy,
  addHistory,
  addSwitchover,
  addDrain,
  addFailover,
  addPause,
  addResume,
  addGroups,
  addLocal,
];

export function createProgram(host: Host): Command {
  const program = new Command("valkeeper")
    .description(
      "Failover for Valkey: shows and controls what the voters do. Everything goes through the table, nothing to the nodes.",
    )
    .version(host.environment.version, "--version")
    .option("--table <name>", "the stack's table (else VALKEEPER_TABLE)")
    .option("--region <region>", "AWS region (else AWS_REGION)")
    .option("--json", "one JSON document instead of text")
    .option("--no-color", "no colours (also without a terminal, or with NO_COLOR)")
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("(--help says more)")
    .addHelpText("after", `\nExit codes:\n${exitCodeLines().join("\n")}`);
  // Before the commands are made: they inherit it.
  program.exitOverride().configureOutput({
    writeOut: (text) => host.environment.screen.out(text.trimEnd()),
    writeErr: (text) => host.environment.screen.note(text.trimEnd()),
    getOutHasColors: () => host.environment.screen.hasColours,
    getErrHasColors: () => host.environment.screen.hasColours,
  });
  for (const add of COMMANDS) add(program, host);
  return program;
}

const exitCodeLines = (): readonly string[] =>
  Object.entries(EXIT_MEANING).map(([code, meaning]) => `  ${code.padEnd(2)}  ${meaning}`);

/** Runs one command line (without the program's own name) and resolves with the exit code; never rejects. */
export async function runCli(environment: Environment, args: readonly string[]): Promise<number> {
  let exit: number = EXIT.ok;
  const host = createHost(environment, (code) => {
    exit = code;
  });
  try {
    await createProgram(host).parseAsync([...args], { from: "user" });
    return exit;
  } catch (error) {
    // Help and version are no errors; whatever else commander ends with is a mistake in the command line.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    // Expected failures were said in one sentence by the host: this one deserves its stack.
    environment.screen.note(
      `valkeeper: unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return EXIT.bug;
  }
}
