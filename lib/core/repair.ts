// Is every node what the record says? A node that claims to be primary and is not, or follows the wrong address (a
// restarted one that is boot-fenced above all), is brought in line under a lease of its own, and only while the
// committed primary serves. What no record explains is left alone (R22): a person promoted it, or a table was restored.

import type { Ballot } from "./ballot.ts";
import { conclude } from "./conclude.ts";
import { isBackByItself } from "./former-primary.ts";
import { belonging } from "./lineage.ts";
import { answersNow, isOfNow, isSameNode } from "./observation.ts";
import { abandon } from "./operation-record.ts";
import { named } from "./rejection.ts";
import type { NodeState } from "./state.ts";
import { isFenced, tokenOf } from "./token.ts";
import type { Turn } from "./turn.ts";
import { nodesOf } from "./turn.ts";
import { primaryServes } from "./verdict.ts";

/** One step of a repair: publishing and re-pointing are what `conclude` does for every operation. */
export function repair(turn: Turn): void {
  if (primaryServes(turn.state)) conclude(turn);
  else abandon(turn, "the primary stopped serving");
}

/** Nodes that answer and differ from the record in a way that the record explains. */
export function astray(turn: Turn, ballot: Ballot): readonly NodeState[] {
  const primary = ballot.primary;
  const committed = primary === null ? undefined : turn.state.nodes[primary.node];
  if (primary === null || committed === undefined) return [];
  const to = committed.address;
  return nodesOf(turn.state).filter((node) => {
    const { reading } = node;
    if (isSameNode(node, committed) || reading === null || !answersNow(turn, node) || !isOfNow(turn, node))
      return false;
    // It refuses REPLICAOF until it has loaded.
    if (reading.loading) return false;
    const token = tokenOf(reading.follows);
    if (token !== null && token > ballot.epoch) return false;
    const belongs = belonging(reading, ballot.lineage);
    if (belongs.kind !== "unknown" && belongs.epoch > primary.epoch) return false;
    if (reading.role === "primary")
      return (belongs.kind !== "unknown" && belongs.epoch < primary.epoch) || isBackByItself(turn, ballot, node);
    return isFenced(reading) || reading.follows?.host !== to.host || reading.follows.port !== to.port;
  });
}

/** Every node that answers was read since the last operation, and none is astray. */
export const isInLine = (turn: Turn, ballot: Ballot): boolean =>
  nodesOf(turn.state).every((node) => !answersNow(turn, node) || isOfNow(turn, node)) &&
  astray(turn, ballot).length === 0;

export const describeUnexplained = (nodes: readonly NodeState[]): string =>
  named(
    nodes.map((node) => node.id),
    "claims to be primary with a history that no record explains",
    "claim to be primary with histories that no record explains",
  );

/** Nodes beside the committed primary that claim to be one, with a history that no record explains. */
export function unexplained(turn: Turn, ballot: Ballot): readonly NodeState[] {
  const primary = ballot.primary;
  const committed = primary === null ? undefined : turn.state.nodes[primary.node];
  return nodesOf(turn.state).filter((node) => {
    const { reading } = node;
    if (reading === null || reading.role !== "primary" || !answersNow(turn, node)) return false;
    if (committed !== undefined && isSameNode(node, committed)) return false;
    if (isBackByItself(turn, ballot, node)) return false;
    const belongs = belonging(reading, ballot.lineage);
    return belongs.kind === "unknown" || (primary !== null && belongs.epoch >= primary.epoch);
  });
}
