// When may an experiment begin? When every voter watches the group, its primary is known and published, and it is armed:
// before that a fault is rightly not acted on.

import type { GroupConfig } from "../core/config.ts";
import { comparePublications } from "../core/publication.ts";
import type { GroupName, VoterId } from "../core/types.ts";
import type { OperatorStore } from "../ports/group-store.ts";

export async function isReady(store: OperatorStore, config: GroupConfig, voters: readonly VoterId[]): Promise<boolean> {
  const ballot = await store.readBallot(config.name);
  if (ballot === null || ballot.primary === null || ballot.lease !== null) return false;
  if (!ballot.armed || !(await areAllWatching(store, config.name, voters))) return false;
  const [publication, copies] = await Promise.all([store.readPublication(config.name), store.readCopies(config.name)]);
  if (publication === null || publication.epoch !== ballot.primary.epoch) return false;
  const { parameterPrefix, dns } = config.publication;
  const wanted = [...(parameterPrefix === null ? [] : [copies.ssm]), ...(dns === null ? [] : [copies.dns])];
  return wanted.every((copy) => copy !== null && comparePublications(copy, publication) === 0);
}

async function areAllWatching(store: OperatorStore, group: GroupName, voters: readonly VoterId[]): Promise<boolean> {
  const slots = await store.listSlots();
  return voters.every((voter) => slots.some((slot) => slot.voter === voter && group in slot.groups));
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
