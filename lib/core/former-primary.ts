// Is a node that claims to be primary one that a person made, or one that only came back? Repair and whatever goes on
// beside it must agree (R22): what one calls astray and the other spares would be repaired again and again, an epoch each.

import type { Ballot } from "./ballot.ts";
import { belonging } from "./lineage.ts";
import type { NodeState } from "./state.ts";
import type { Turn } from "./turn.ts";
import { primaryServes } from "./verdict.ts";

/**
 * A former primary that came back as a primary without its history, because it keeps none over a restart: another
 * process than the recorded member, its data begun by this process and not forked from anything. Who promotes a node by
 * hand forks it from what it held, so nobody did. Only beside a primary that serves: with that one gone, a person may
 * have brought this one back on purpose.
 */
export function isBackWithout(turn: Turn, ballot: Ballot, { id, reading }: NodeState): boolean {
  const { primary, lineage, members } = ballot;
  const runId = members.nodes[id]?.runId ?? null;
  return (
    reading !== null &&
    primary !== null &&
    primaryServes(turn.state) &&
    runId !== null &&
    reading.runId !== runId &&
    reading.secondReplicationId === null &&
    belonging(reading, lineage).kind === "unknown" &&
    lineage.histories.some((each) => each.node === id && each.epoch < primary.epoch)
  );
}
