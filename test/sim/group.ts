// The one group that a simulated world has, and its zones: a voter in each, the nodes spread over them.

import { type GroupName, groupName } from "../../lib/core/types.ts";

export const GROUP: GroupName = groupName("main");
const ZONES = ["az-a", "az-b", "az-c", "az-d", "az-e"] as const;
export const USUAL_VOTERS = 3;
export const MOST_VOTERS = ZONES.length;

export const zonesOf = (voters: number = USUAL_VOTERS): readonly string[] => ZONES.slice(0, voters);
