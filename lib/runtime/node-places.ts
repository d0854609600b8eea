// Where are a group's nodes? By what is declared, and by what voters have written down of the nodes that they discovered.

import type { Ballot } from "../core/ballot.ts";
import type { GroupConfig } from "../core/config.ts";
import { entriesOf } from "../core/entries.ts";
import type { NodePlace } from "../ports/hosts.ts";

export function placesOf({ name: group, nodes }: GroupConfig, ballot: Ballot | null): readonly NodePlace[] {
  const discovered = entriesOf(ballot?.members.nodes ?? {}).flatMap(([node, { address }]) =>
    address === null ? [] : [{ group, node, host: address.host }],
  );
  return [...nodes.map(({ id, host }) => ({ group, node: id, host })), ...discovered];
}
