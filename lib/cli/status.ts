// `valkeeper status [GROUP]`

import type { Command } from "commander";
import { assess } from "./assessment.ts";
import { type Call, say } from "./environment.ts";
import { type ExitCode, worst } from "./exit-code.ts";
import type { Host } from "./host.ts";
import { freshSnapshots } from "./look.ts";
import type { Paint } from "./paint.ts";
import { type GroupSnapshot, specsOf } from "./snapshot.ts";
import { statusDocument } from "./status-document.ts";
import { statusText } from "./status-text.ts";

export function addStatus(program: Command, host: Host): void {
  program
    .command("status")
    .argument("[group]", "only this group")
    .description("how every group is: primary, nodes as each voter sees them, voters, publications")
    .action((group: string | undefined, _options: object, command: Command) =>
      host.run(command, (call) => status(call, group)),
    );
}

async function status(call: Call, group: string | undefined): Promise<ExitCode> {
  const snapshots = await freshSnapshots(call, await specsOf(call.store, group));
  const exit = worst(snapshots.map((snapshot) => assess(snapshot).exit));
  const document = { schema: 1, table: call.place.table, exit, groups: snapshots.map(statusDocument) };
  say(call, document, () => statusLines(snapshots, call.place.table, call.paint));
  return exit;
}

/** Every group's block, a blank line between. */
export function statusLines(
  snapshots: readonly GroupSnapshot[],
  table: string | null,
  paint: Paint,
): readonly string[] {
  if (snapshots.length === 0) return [noGroups(table)];
  return snapshots.flatMap((snapshot, index) => [...(index === 0 ? [] : [""]), ...statusText(snapshot, paint)]);
}

const noGroups = (table: string | null): string =>
  `no group is registered in table ${table ?? ""}: declare one in the stack, or see \`valkeeper groups add --help\``;
