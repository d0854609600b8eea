// May anything be done at all? The control mode as it stands now: a pause ends by itself at its expiry (S8).

import type { Ballot, ControlMode } from "./ballot.ts";
import type { Turn } from "./turn.ts";
import type { WallTime } from "./types.ts";

/** The mode in force at `wall`. A pause without an expiry, which no command writes, does not end. */
export function modeAt(ballot: Ballot, wall: WallTime): ControlMode {
  const { mode, until, returnsTo } = ballot.control;
  return mode === "paused" && until !== null && wall >= until ? (returnsTo ?? "act") : mode;
}

export const mayAct = (turn: Turn, ballot: Ballot): boolean => modeAt(ballot, turn.wall) === "act";
