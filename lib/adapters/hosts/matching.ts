// Which of the hosts that carry a group's tag is a node's? Never by a guess: the address decides, and a tag that names the
// node where the node is declared by a name.

import { canonicalHost, isIpv4 } from "../../core/address-format.ts";
import type { NodeConfig } from "../../core/config.ts";
import { GROUP_TAG, type Host, type HostSearch, NODE_TAG, type NodePlace } from "../../ports/hosts.ts";

/** What a name leads to, as far as it can be asked from here; null: it leads nowhere from here. */
export type Resolve = (name: string) => Promise<readonly string[] | null>;

const isAddress = (canonical: string): boolean => canonical.includes(":") || isIpv4(canonical);
const canonical = (text: string): string => canonicalHost(text) ?? text;
const canonicals = (texts: readonly string[]): readonly string[] => texts.map(canonical);

/**
 * The host of `place` among `tagged`, which all carry the group's tag. A name is taken by the node's tag; where it can be
 * asked what it leads to, that has to be an address of the host.
 */
export async function matchHost(place: NodePlace, tagged: readonly Host[], resolve: Resolve): Promise<HostSearch> {
  const own = tagged.filter((host) => host.group === place.group);
  const wanted = canonical(place.host);
  return isAddress(wanted) ? byAddress(place, wanted, own) : byName(place, wanted, own, resolve);
}

function byAddress(place: NodePlace, address: string, own: readonly Host[]): HostSearch {
  const at = own.filter((host) => canonicals(host.addresses).includes(address));
  const [host, ...more] = at;
  if (host === undefined) return terminated(place, own) ?? none(`${whatIsTagged(place)} has the address ${place.host}`);
  if (more.length > 0) return ambiguous(place, at);
  if (host.node !== null && host.node !== place.node) {
    return none(`${host.id} has the address ${place.host} and is tagged ${NODE_TAG}=${host.node}, not ${place.node}`);
  }
  return { kind: "found", host };
}

async function byName(place: NodePlace, name: string, own: readonly Host[], resolve: Resolve): Promise<HostSearch> {
  const named = own.filter((host) => host.node === place.node && host.addresses.length > 0);
  const [host, ...more] = named;
  if (host === undefined) {
    const wanted = `is tagged ${NODE_TAG}=${place.node}, which a node that is declared by a name needs`;
    return terminated(place, own) ?? none(`${whatIsTagged(place)} ${wanted}`);
  }
  if (more.length > 0) return ambiguous(place, named);
  if (canonicals(host.names).includes(name)) return { kind: "found", host };
  const leadsTo = await resolve(place.host);
  if (leadsTo === null || canonicals(leadsTo).some((each) => canonicals(host.addresses).includes(each))) {
    return { kind: "found", host };
  }
  return none(`${host.id} is tagged for ${place.node}, but ${place.host} leads to ${leadsTo.join(", ")}, not to it`);
}

/** A terminated host has no address any more; only a tag can name its node, and only while no other host carries it. */
function terminated(place: NodePlace, own: readonly Host[]): HostSearch | null {
  const [host, ...more] = own.filter((each) => each.node === place.node);
  return host !== undefined && more.length === 0 && host.addresses.length === 0 && host.state === "stopped"
    ? { kind: "found", host }
    : null;
}

const ambiguous = ({ node }: NodePlace, hosts: readonly Host[]): HostSearch =>
  none(`${hosts.map(({ id }) => id).join(" and ")} are all tagged for ${node}: which of them it is cannot be said`);

const whatIsTagged = ({ group }: NodePlace): string =>
  `no EC2 instance or ECS task that is tagged ${GROUP_TAG}=${group}`;

const none = (reason: string): HostSearch => ({ kind: "none", reason });

/** The reverse: which of a group's nodes runs on `host`; null: none, or more than one. */
export function nodeOn<Node extends Pick<NodeConfig, "id" | "host">>(host: Host, nodes: readonly Node[]): Node | null {
  const known = [...canonicals(host.addresses), ...canonicals(host.names)];
  const here = nodes.filter((node) => {
    const wanted = canonical(node.host);
    if (isAddress(wanted) || known.includes(wanted)) {
      return known.includes(wanted) && (host.node === null || host.node === node.id);
    }
    return host.node === node.id;
  });
  const [node, ...more] = here;
  return node !== undefined && more.length === 0 ? node : null;
}
