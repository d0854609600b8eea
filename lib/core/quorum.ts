// Do enough zones say that the primary is gone, now? A vote counts by freshness on the reader's own clock: my last look
// at the ballot that did not yet show it must be recent, aged from when that look was sent. So no clock of anybody else
// is trusted, and a vote that lay in the table before I first looked is not news. Only consistent reads and returned
// writes are looks. Upholds S3 and S7.

import type { Ballot, Primary, Vote } from "./ballot.ts";
import { entriesOf } from "./entries.ts";
import type { Instant, VoterId } from "./types.ts";
import { elapsedMs } from "./types.ts";

/** The newest vote of one voter as the looks showed it. */
export interface Sighting {
  readonly generation: number;
  readonly seq: number;
  /** When the last look that did not show it was sent; null: it was there at the first look. */
  readonly absentAt: Instant | null;
}

export type Sightings = Readonly<Record<VoterId, Sighting>>;

/** Folds one look in. `previousSentAt` is when the look before it was sent, null for the first. */
export function sighted(sightings: Sightings, ballot: Ballot, previousSentAt: Instant | null): Sightings {
  const next: Record<VoterId, Sighting> = { ...sightings };
  for (const [voter, vote] of entriesOf(ballot.votes)) {
    const known = sightings[voter];
    if (known !== undefined && known.generation === vote.generation && known.seq === vote.seq) continue;
    next[voter] = { generation: vote.generation, seq: vote.seq, absentAt: previousSentAt };
  }
  return next;
}

/** Every vote as it was seen counts no more; forgotten altogether, it would be news to the next look. */
export const noNews = (sightings: Sightings): Sightings =>
  Object.fromEntries(Object.entries(sightings).map(([voter, each]) => [voter, { ...each, absentAt: null }]));

export interface Count {
  /** Voters whose *down* counts: these votes' standing is what a grant is conditional on. */
  readonly down: readonly VoterId[];
  /** Voters with a fresh vote of either level. */
  readonly suspectOrDown: readonly VoterId[];
  /** Voters with a fresh vote that had heard nothing for at least the override's bound. */
  readonly unreachable: readonly VoterId[];
}

/** Counts the votes on `primary` that are fresh at `at`. Order of voters never matters; R10: only *down* elects. */
export function countVotes(options: {
  readonly ballot: Ballot;
  readonly primary: Primary;
  readonly sightings: Sightings;
  readonly at: Instant;
  readonly voteWindowMs: number;
  readonly unreachableAfterMs: number;
}): Count {
  const { ballot, primary, sightings, at } = options;
  if (!hasVotes(ballot)) return NO_VOTES;
  const fresh = entriesOf(ballot.votes).filter(([voter, vote]) => {
    const sighting = sightings[voter];
    return (
      vote.level !== "clear" &&
      vote.node === primary.node &&
      vote.epoch === primary.epoch &&
      sighting !== undefined &&
      sighting.absentAt !== null &&
      sighting.generation === vote.generation &&
      sighting.seq === vote.seq &&
      elapsedMs(sighting.absentAt, at) <= options.voteWindowMs
    );
  });
  const voters = (chosen: readonly (readonly [VoterId, Vote])[]) => chosen.map(([voter]) => voter).sort();
  return {
    down: voters(fresh.filter(([, vote]) => vote.level === "down")),
    suspectOrDown: voters(fresh),
    unreachable: voters(fresh.filter(([, vote]) => vote.silentMs >= options.unreachableAfterMs)),
  };
}

export const NO_VOTES: Count = { down: [], suspectOrDown: [], unreachable: [] };

/** Counted at every step, and nearly always there are none. */
function hasVotes({ votes }: Ballot): boolean {
  for (const voter in votes) if (votes[voter as VoterId]?.level !== "clear") return true;
  return false;
}
