// Who may act on a group, and since when may somebody else? A lease is a version and a duration, never a deadline: others
// call it lapsed only after they saw the same version for the whole duration on their own clock, and the holder stops a
// margin before anybody can. Leases only save effort; what makes a stale holder harmless is the fence (S4, R1, R9).

import type { Ballot } from "./ballot.ts";
import { LEASE_MARGIN_MS } from "./config.ts";
import type { AttemptId, Instant } from "./types.ts";
import { after } from "./types.ts";

/** One version of somebody's lease, and when I first saw it. */
export interface LeaseSighting {
  readonly attempt: AttemptId;
  readonly version: number;
  readonly since: Instant;
}

/** Folds a look in; `at` is when its answer arrived, the later and therefore safe end. */
export function leaseSighted(known: LeaseSighting | null, ballot: Ballot, at: Instant): LeaseSighting | null {
  const { lease } = ballot;
  if (lease === null) return null;
  if (known !== null && known.attempt === lease.attempt && known.version === lease.version) return known;
  return { attempt: lease.attempt, version: lease.version, since: at };
}

/** From when on this version may be called lapsed; null when no lease stands. */
export function lapsesAt(ballot: Ballot, sighting: LeaseSighting | null): Instant | null {
  if (ballot.lease === null || sighting === null) return null;
  return after(sighting.since, ballot.lease.durationMs);
}

/** Until when the holder may act: from before its last successful renewal was *sent*. */
export const actsUntil = (renewalSentAt: Instant, durationMs: number): Instant =>
  after(renewalSentAt, durationMs - LEASE_MARGIN_MS);

/**
 * A repair gives way to anything that restores writes. So does an operation that has made its new
 * primary: what is left of it is telling, which the next one does as well, and that primary may be the one that died.
 */
export const yields = ({ operation, primary }: Ballot): boolean => {
  if (operation === null) return false;
  const isDecided = operation.step === "committed" && primary !== null && primary.epoch >= operation.began;
  return operation.kind === "repair" || isDecided;
};
