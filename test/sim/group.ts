// The one group that a simulated world has, and its zones: a voter in each, the nodes spread over them.

import { type GroupName, groupName } from "../../lib/core/types.ts";

export const GROUP: GroupName = groupName("main");
export const ZONES = ["az-a", "az-b", "az-c"] as const;
