// Where are a group's nodes? By what is declared, and by what voters have written down of the nodes that they discovered.

import type { Ballot } from "../core/ballot.ts";
import type { GroupConfig } from "../core/config.ts";
import type { NodeId } from "../core/types.ts";
import type { NodePlace } from "../ports/hosts.ts";

export function placesOf({ name: group, nodes }: GroupConfig, ballot: Ballot | null): readonly NodePlace[] {
  const discovered = Object.entries(ballot?.members.nodes ?? {}).flatMap(([id, { address }]) =>
    address === null ? [] : [{ group, node: id as NodeId, host: address.host }],
  );
  return [...nodes.map(({ id, host }) => ({ group, node: id, host })), ...discovered];
}
