// What is to be published of a committed ballot, and which of two publications is the newer one? Pure, so that the voter
// that wins and the publisher that completes and repairs say the same of one ballot. (S1, S2; design 4.7)

import type { Ballot, Member, Primary } from "./ballot.ts";
import type { GroupConfig } from "./config.ts";
import { announced } from "./config.ts";
import { entriesOf } from "./entries.ts";
import type { Publication, PublishedNode } from "./records.ts";
import type { Address, NodeId, WallTime } from "./types.ts";

/** What orders publications: the epoch of the commit, then the count of changes of the replicas under it. */
export type PublicationOrder = Pick<Publication, "epoch" | "revision">;

/** Positive when `left` is the newer one, 0 when they are of one ballot. */
export const comparePublications = (left: PublicationOrder, right: PublicationOrder): number =>
  left.epoch - right.epoch || left.revision - right.revision;

/**
 * The deployment that published `left` is not the one of `right`: two look after the same group, or a table was lost. A
 * text that names no table is nobody's.
 */
export const isOfAnother = (left: Pick<Publication, "table">, table: string | null): boolean =>
  left.table !== null && left.table !== table;

/** Same primary and replicas, by the same table; when it was said does not matter. */
export const saysTheSame = (left: Publication, right: Publication): boolean =>
  comparePublications(left, right) === 0 &&
  left.table === right.table &&
  sameNode(left.primary, right.primary) &&
  left.replicas.length === right.replicas.length &&
  left.replicas.every((each, index) => sameNode(each, right.replicas[index]));

/**
 * Null while no primary is committed, or when the committed one is neither declared nor discovered, so that nobody knows
 * its address. Replicas are those that may be read from, ordered by id: two writers of one ballot write one text.
 */
export function publicationOf(ballot: Ballot, config: GroupConfig, at: WallTime): Publication | null {
  const { primary } = ballot;
  if (primary === null) return null;
  const address = addressOf(ballot, config, primary.node);
  if (address === null) return null;
  const replicas: PublishedNode[] = [];
  for (const [id, member] of entriesOf(ballot.members.nodes).sort(byId)) {
    if (id === primary.node || !isReader(member, primary)) continue;
    const replica = addressOf(ballot, config, id);
    if (replica !== null) replicas.push({ node: id, address: replica });
  }
  return {
    schema: 1,
    group: ballot.group,
    table: ballot.table,
    epoch: primary.epoch,
    revision: ballot.revision,
    primary: { node: primary.node, address },
    replicas,
    at,
  };
}

/** In sync under this primary, and neither lost nor set aside since: applications may read from it. */
export const isReader = (member: Member, primary: Primary): boolean =>
  member.inSyncEpoch === primary.epoch && member.goneAt === null && member.aside !== true;

/** Where applications read: never nowhere, so that where no replica is fit for it the primary stands in for them. */
export const readersOf = ({ primary, replicas }: Publication): readonly PublishedNode[] =>
  replicas.length === 0 ? [primary] : replicas;

/** Where clients reach the node: as declared, or where it was discovered. */
function addressOf(ballot: Ballot, config: GroupConfig, node: NodeId): Address | null {
  const declared = config.nodes.find((each) => each.id === node);
  return declared === undefined ? (ballot.members.nodes[node]?.address ?? null) : announced(declared);
}

/** No two are the same. */
const byId = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number =>
  left < right ? -1 : 1;

const sameNode = (left: PublishedNode, right: PublishedNode | undefined): boolean =>
  left.node === right?.node && left.address.host === right.address.host && left.address.port === right.address.port;
