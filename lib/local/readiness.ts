// When may an experiment begin? When every voter watches the group, its primary is known and published, and it is armed:
// before that a fault is rightly not acted on.

import type { Ballot } from "../core/ballot.ts";
import type { GroupConfig } from "../core/config.ts";
import { comparePublications } from "../core/publication.ts";
import type { GroupName, VoterId } from "../core/types.ts";
import type { OperatorStore } from "../ports/group-store.ts";

/** Those of `configs` that are not. Few reads for many groups: what is asked for them is taken from those who make them ready. */
export async function notReady(
  store: OperatorStore,
  configs: readonly GroupConfig[],
  voters: readonly VoterId[],
): Promise<readonly GroupConfig[]> {
  const [slots, seen] = await Promise.all([store.listSlots(), store.glance(configs.map(({ name }) => name))]);
  const isWatched = ({ name }: GroupConfig): boolean =>
    voters.every((voter) => slots.some((slot) => slot.voter === voter && name in slot.groups));
  const areReady = await Promise.all(
    configs.map(
      (config) => isBegun(seen.get(config.name)?.ballot ?? null) && isWatched(config) && isPublished(store, config),
    ),
  );
  return configs.filter((_, index) => areReady[index] !== true);
}

const isBegun = (ballot: Ballot | null): boolean =>
  ballot !== null && ballot.primary !== null && ballot.lease === null && ballot.armed;

async function isPublished(store: OperatorStore, { name, publication: { parameterPrefix, dns } }: GroupConfig) {
  const [ballot, publication, copies] = await Promise.all([
    store.readBallot(name),
    store.readPublication(name),
    store.readCopies(name),
  ]);
  if (!isBegun(ballot) || publication === null || publication.epoch !== ballot?.primary?.epoch) return false;
  const wanted = [...(parameterPrefix === null ? [] : [copies.ssm]), ...(dns === null ? [] : [copies.dns])];
  return wanted.every((copy) => copy !== null && comparePublications(copy, publication) === 0);
}

/** What each voter waits for, for a person who waits as well. */
export async function describeWaiting(store: OperatorStore, groups: readonly GroupName[]): Promise<string[]> {
  const slots = await store.listSlots();
  return groups.flatMap((group) => {
    const reasons = slots.flatMap((slot) => {
      const rejection = slot.groups[group]?.rejection ?? null;
      return rejection === null
        ? []
        : [`${slot.voter}: ${rejection.reason}: ${rejection.detail}; ends when ${rejection.ends}`];
    });
    const each = [...new Set(reasons)];
    return each.length === 0
      ? [`waiting for ${group} to be armed`]
      : each.map((reason) => `waiting for ${group}: ${reason}`);
  });
}
