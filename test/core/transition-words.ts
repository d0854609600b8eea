// Commands in a word each, for the transition table. Probes are left out: they are sent in every phase and change nothing.

import type { Command } from "../../lib/core/commands.ts";

export const wordsOf = (commands: readonly Command[]): readonly string[] =>
  commands.filter((command) => command.kind !== "probe").map(wordOf);

function wordOf(command: Command): string {
  switch (command.kind) {
    case "write-ballot":
      return `write ${command.write.name}`;
    case "command-node":
      return `${command.command.kind} ${command.node}`;
    case "publish":
      return `publish ${command.target}`;
    case "probe":
    case "read-ballot":
    case "read-standing":
    case "resolve-request":
      return command.kind;
  }
}
