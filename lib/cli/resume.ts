// `valkeeper resume GROUP`: ends a pause, and says whose it was.

import type { Command } from "commander";
import { modeAt } from "../core/control.ts";
import { effectiveConfig } from "../core/spec.ts";
import { changeControl } from "./control.ts";
import { type Call, say } from "./environment.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import type { Host } from "./host.ts";
import { specOf } from "./snapshot.ts";
import { duration } from "./units.ts";

interface Options {
  readonly by?: string;
}

export function addResume(program: Command, host: Host): void {
  program
    .command("resume")
    .argument("<group>")
    .option("--by <who>", "who; you by default")
    .description("ends a pause")
    .action((group: string, options: Options, command: Command) =>
      host.run(command, (call) => resume(call, group, options)),
    );
}

async function resume(call: Call, name: string, options: Options): Promise<ExitCode> {
  const spec = await specOf(call.store, name);
  const { group } = spec;
  const { mode } = effectiveConfig(spec);
  const now = call.environment.wallTime();
  const by = options.by ?? call.environment.operator;
  const { before, after } = await changeControl(call, group, (ballot) =>
    ballot.control.mode === "paused" ? { mode, by, reason: "resumed", until: null } : null,
  );
  say(call, { schema: 1, group, control: after.control, before: before.control }, () => {
    const { by: who, reason, until } = before.control;
    if (before === after) return [`${group} is not paused: its mode is ${before.control.mode}`];
    if (modeAt(before, now) !== "paused") {
      return [`the pause of ${who} (${reason}) had ended by itself; ${group} is in mode ${after.control.mode}`];
    }
    const left = until === null ? "" : `, ${duration(until - now)} before its end`;
    return [`${group} is in mode ${after.control.mode} again; it was paused by ${who}${left}: ${reason}`];
  });
  return EXIT.ok;
}
