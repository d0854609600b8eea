// `valkeeper why GROUP`

import type { Command } from "commander";
import { assess } from "./assessment.ts";
import { type Call, say } from "./environment.ts";
import type { ExitCode } from "./exit-code.ts";
import { explain } from "./explanation.ts";
import { newest } from "./history.ts";
import type { Host } from "./host.ts";
import { freshSnapshots } from "./look.ts";
import { specOf } from "./snapshot.ts";
import { whyText } from "./why-text.ts";

/** A failover writes about thirty steps; repairs and votes may lie between it and now. */
const STEPS_READ = 300;

export function addWhy(program: Command, host: Host): void {
  program
    .command("why")
    .argument("<group>")
    .description("why nothing is done, or why it was: what each voter sees, what is missing, what would end it")
    .action((group: string, _options: object, command: Command) => host.run(command, (call) => why(call, group)));
}

async function why(call: Call, name: string): Promise<ExitCode> {
  const spec = await specOf(call.store, name);
  const [snapshots, history] = await Promise.all([freshSnapshots(call, [spec]), newest(call, spec.group, STEPS_READ)]);
  const [snapshot] = snapshots;
  if (snapshot === undefined) throw new RangeError(`no snapshot of ${spec.group}`);
  const explanation = explain(snapshot, history);
  const { exit } = assess(snapshot);
  say(call, { schema: 1, exit, ...explanation }, () => whyText(explanation, call.paint));
  return exit;
}
