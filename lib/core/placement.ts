// Which shard of voters serves a group? A deployment has as many voter functions in each zone as it has shards, and a
// group belongs to one of them: its spec says which. It is chosen when the group is registered, and stays until somebody
// moves the group. Nothing here decides about a primary: whoever serves a group, its ballot decides, and generations
// tell invocations of two shards of one voter apart (S7).

import type { SlotRecord, SpecRecord } from "./records.ts";
import type { VoterId, WallTime } from "./types.ts";

export interface Shards {
  /** Those that have voters, ascending. */
  readonly served: readonly number[];
  /** Groups that one shard is given; null: nobody has said. */
  readonly groupsPerVoter: number | null;
}

/** A voter that was not heard for so long serves nobody, as the alarm `voter-silent` has it. */
const SERVES_WITHIN_MS = 180_000;

/** Of a deployment that says so itself. */
export const shardsOf = (count: number, groupsPerVoter: number | null): Shards => ({
  served: Array.from({ length: count }, (_, shard) => shard),
  groupsPerVoter,
});

/**
 * Judged by what the voters have written: a shard is served when most of the voters that are heard at all are heard in it,
 * and not while it is being deployed or taken away, or when its functions are gone. None while nobody is heard.
 */
export function servedShards(slots: readonly SlotRecord[], at: WallTime): Shards {
  const heard = slots.filter(({ heartbeatAt }) => at - heartbeatAt <= SERVES_WITHIN_MS);
  const votersIn = (some: readonly SlotRecord[]): ReadonlySet<VoterId> => new Set(some.map(({ voter }) => voter));
  const all = votersIn(heard).size;
  const served = [...new Set(heard.map(({ shard }) => shard))]
    .filter((shard) => 2 * votersIn(heard.filter((slot) => slot.shard === shard)).size > all)
    .toSorted((a, b) => a - b);
  const newest = heard.toSorted((a, b) => b.heartbeatAt - a.heartbeatAt)[0];
  return { served, groupsPerVoter: newest?.groupsPerVoter ?? null };
}

interface Room {
  readonly shard: number;
  readonly groups: number;
  readonly isFull: boolean;
}

function roomOf(specs: readonly Pick<SpecRecord, "shard">[], { served, groupsPerVoter }: Shards): Room[] {
  return served.map((shard) => {
    const groups = specs.filter((spec) => spec.shard === shard).length;
    return { shard, groups, isFull: groupsPerVoter !== null && groups >= groupsPerVoter };
  });
}

/**
 * The shard of a group that has none yet: `preferred` if it has room, else the one with the fewest groups; null: all are full.
 * While none is served, the first: every deployment has it. `specs`: of all other groups.
 */
export function placeGroup(
  specs: readonly Pick<SpecRecord, "shard">[],
  shards: Shards,
  preferred: number | null = null,
): number | null {
  if (shards.served.length === 0) return 0;
  const open = roomOf(specs, shards).filter(({ isFull }) => !isFull);
  // Of equal ones the first: they stand in order.
  const [emptiest] = open.toSorted((a, b) => a.groups - b.groups);
  return open.find(({ shard }) => shard === preferred)?.shard ?? emptiest?.shard ?? null;
}

/** What to do when all are full. */
export function fullText(specs: readonly Pick<SpecRecord, "shard">[], shards: Shards): string {
  const counts = roomOf(specs, shards).map(({ shard, groups }) => `shard ${shard} has ${groups} groups`);
  return (
    `${counts.join(", ")}, and a voter is given ${shards.groupsPerVoter} (\`groupsPerVoter\`): ` +
    "deploy more `shards`, or a larger `groupsPerVoter`, which gives voters more memory"
  );
}
