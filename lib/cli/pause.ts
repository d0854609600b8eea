// `valkeeper pause GROUP --reason R --for D`: no side effect at all until it is resumed or the time is over. Always with
// an end: a pause that somebody forgot is the outage after next.

import { type Command, InvalidArgumentError } from "commander";
import { modeAt } from "../core/control.ts";
import { wallTime } from "../core/types.ts";
import { changeControl } from "./control.ts";
import { type Call, say } from "./environment.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import type { Host } from "./host.ts";
import { specOf } from "./snapshot.ts";
import { duration, parseDuration, time } from "./units.ts";

const SHORTEST_MS = 1_000;
const LONGEST_MS = 7 * 86_400_000;

interface Options {
  readonly reason: string;
  readonly for: number;
  readonly by?: string;
}

export function addPause(program: Command, host: Host): void {
  program
    .command("pause")
    .argument("<group>")
    .requiredOption("--reason <text>", "why; shown to everybody who asks")
    .requiredOption("--for <duration>", "how long at most, as in 30m or 2h", readDuration)
    .option("--by <who>", "who; you by default")
    .description("nothing is done to the group, until it is resumed or the time is over")
    .action((group: string, options: Options, command: Command) =>
      host.run(command, (call) => pause(call, group, options)),
    );
}

function readDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms < SHORTEST_MS || ms > LONGEST_MS) {
    throw new InvalidArgumentError("should be a duration from 1s to 7d, as in 30m.");
  }
  return ms;
}

async function pause(call: Call, name: string, options: Options): Promise<ExitCode> {
  const { group } = await specOf(call.store, name);
  const now = call.environment.wallTime();
  const by = options.by ?? call.environment.operator;
  const until = wallTime(now + options.for);
  const { before, after } = await changeControl(call, group, ({ control }) => ({
    mode: "paused",
    by,
    reason: options.reason,
    until,
    returnsTo: control.mode === "paused" ? (control.returnsTo ?? "act") : control.mode,
  }));
  say(call, { schema: 1, group, control: after.control, before: before.control }, () => [
    `${group} is paused by ${by} until ${time(until)} (${duration(options.for)}): ${options.reason}`,
    ...(modeAt(before, now) === "paused"
      ? [`it was paused by ${before.control.by} before: ${before.control.reason}`]
      : []),
    ...(after.operation === null ? [] : [`the ${after.operation.kind} that is going on is finished first`]),
    `until then no failover happens by itself; \`valkeeper resume ${group}\` ends it`,
  ]);
  return EXIT.ok;
}
