// Which vote of this voter should stand? The level of its verdict, written the moment it falls due, re-affirmed every
// tick while it stands so that it stays fresh for the others, and turned into a tombstone when the primary is heard
// again. A vote's answer is the whole ballot, so casting it is also looking (S3, S7, R10, R15).

import type { Ballot, Primary, Vote, VoteLevel } from "./ballot.ts";
import { IRREGULAR_INTERVAL_MS } from "./config.ts";
import { modeAt } from "./control.ts";
import { rareAfterLong } from "./plan.ts";
import type { Turn } from "./turn.ts";
import { isDueIn, mayWrite, newAttempt, patch, write } from "./turn.ts";
import type { Verdict } from "./verdict.ts";
import { primaryServes } from "./verdict.ts";
import { castVote } from "./writes.ts";

/** Brings this voter's vote in line with its verdict. */
export function castOwnVote(turn: Turn, ballot: Ballot, verdict: Verdict): void {
  const { primary } = ballot;
  if (primary === null || modeAt(ballot, turn.wall) === "paused") return;
  const { self } = turn.context;
  const silentMs = Math.round(verdict.silentMs);
  const standing = ballot.votes[self.voter];
  // A successor votes for this zone now; what this invocation writes would be refused, again and again (S7).
  if (standing !== undefined && standing.generation > self.generation) return;
  const isOnThis = standing !== undefined && standing.node === primary.node && standing.epoch === primary.epoch;
  const stands: VoteLevel = isOnThis ? standing.level : "clear";
  const isOwn = isOnThis && standing.generation === self.generation;
  if (verdict.level === "up") {
    // One of ours that had no answer may still arrive, when nobody is silent any more: a later tombstone keeps it out.
    const shown = standing?.generation === self.generation ? standing.seq : 0;
    const isUnderWay = turn.state.ownVote.seq > shown;
    // What a predecessor saw to its end is only retracted by hearing the primary (R23).
    if (isUnderWay || (stands !== "clear" && (isOwn || primaryServes(turn.state))))
      cast(turn, ballot, primary, { level: "clear", silentMs });
    return;
  }
  if (verdict.level === "suspect" && stands !== "clear" && !isOwn && (stands === "down" || isAffirmed(turn))) return;
  const isNews = stands !== verdict.level || !isOwn;
  const last = turn.state.ownVote.writtenAt;
  const everyMs = rareAfterLong(turn, IRREGULAR_INTERVAL_MS);
  if (isNews || last === null || isDueIn(turn, last, everyMs))
    cast(turn, ballot, primary, { level: verdict.level, silentMs });
}

/**
 * The predecessor lives and re-affirms what it saw from its beginning: with a suspicion of ours over it, its *down*, which
 * falls due first, would be refused as that of an older generation (R14, R23).
 */
function isAffirmed(turn: Turn): boolean {
  const absentAt = turn.state.sightings[turn.context.self.voter]?.absentAt ?? null;
  return absentAt !== null && !isDueIn(turn, absentAt, turn.context.config.voteWindowMs);
}

function cast(turn: Turn, ballot: Ballot, { node, epoch }: Primary, said: Pick<Vote, "level" | "silentMs">): void {
  if (!mayWrite(turn)) return;
  const { self } = turn.context;
  const seq = turn.state.ownVote.seq + 1;
  const vote = { ...said, node, epoch, generation: self.generation, seq, attempt: newAttempt(turn) };
  write(turn, castVote(ballot, self.voter, vote));
  patch(turn, { ownVote: { seq, writtenAt: turn.at } });
}
