// `valkeeper local --config FILE`: the whole thing on one machine. Wiring only; what it does is lib/local's.

import type { Command } from "commander";
import type { Host } from "./host.ts";

export function addLocal(program: Command, host: Host): void {
  program
    .command("local")
    .requiredOption("--config <file>", "groups, nodes, timing and voters (docs/configuration.md)")
    .description(
      "runs voters, publisher and the AWS API on this machine, against nodes that run already; prints JSON lines",
    )
    .action((options: { readonly config: string }, command: Command) =>
      host.runWithoutStore(command, () => host.environment.runLocal(options.config)),
    );
}
