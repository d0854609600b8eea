// `valkeeper watch [GROUP]`: status that stays, until Ctrl-C.

import type { Command } from "commander";
import type { Call } from "./environment.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import type { Host } from "./host.ts";
import { keepLooking } from "./look.ts";
import { type GroupSnapshot, specsOf } from "./snapshot.ts";
import { statusLines } from "./status.ts";
import { statusDocument } from "./status-document.ts";
import { time } from "./units.ts";

const EVERY_MS = 1_000;

export function addWatch(program: Command, host: Host): void {
  program
    .command("watch")
    .argument("[group]", "only this group")
    .description("status once a second until Ctrl-C; with --json one line a second")
    .action((group: string | undefined, _options: object, command: Command) =>
      host.run(command, (call) => watch(call, group)),
    );
}

async function watch(call: Call, group: string | undefined): Promise<ExitCode> {
  const { screen } = call.environment;
  await keepLooking(
    call,
    () => specsOf(call.store, group),
    (snapshots) => show(call, snapshots),
    EVERY_MS,
  );
  if (screen.isTerminal && !call.json) screen.settle();
  return EXIT.ok;
}

function show(call: Call, snapshots: readonly GroupSnapshot[]): void {
  const { screen, wallTime } = call.environment;
  if (call.json) {
    screen.out(JSON.stringify({ schema: 1, table: call.place.table, groups: snapshots.map(statusDocument) }));
    return;
  }
  const lines = [
    call.paint.faint(`${time(wallTime())}  Ctrl-C ends`),
    ...statusLines(snapshots, call.place.table, call.paint),
  ];
  if (screen.isTerminal) screen.replace(lines.join("\n"));
  else screen.out(`${lines.join("\n")}\n`);
}
