// `valkeeper groups`: registration and settings.

import type { Command } from "commander";
import { addGroupsAdd } from "./groups-add.ts";
import { addGroupsImport } from "./groups-import.ts";
import { addGroupsList } from "./groups-list.ts";
import { addGroupsMove } from "./groups-move.ts";
import { addGroupsRecover } from "./groups-recover.ts";
import { addGroupsRelease } from "./groups-release.ts";
import { addGroupsRemove } from "./groups-remove.ts";
import { addGroupsSet } from "./groups-set.ts";
import type { Host } from "./host.ts";

export function addGroups(program: Command, host: Host): void {
  const groups = program.command("groups").description("register, change and remove groups at run time");
  addGroupsAdd(groups, host);
  addGroupsImport(groups, host);
  addGroupsSet(groups, host);
  addGroupsMove(groups, host);
  addGroupsRelease(groups, host);
  addGroupsRemove(groups, host);
  addGroupsList(groups, host);
  addGroupsRecover(groups, host);
}
