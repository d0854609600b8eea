// Schedules that a review of overlapping invocations found: two generations of one voter are one vote, and the one that
// saw the last good reply times the fault.

import { describe, expect, it } from "vitest";
import type { Vote } from "../../lib/core/ballot.ts";
import { instant } from "../../lib/core/types.ts";
import type { Verdict } from "../../lib/core/verdict.ts";
import { castOwnVote } from "../../lib/core/voting.ts";
import { A, ballot, context, turnAt, vote, watching } from "./builders.ts";

/** What invocation `generation` of az-a writes at 1,000 ms with `level` while `standing`, last seen to change at `seenAt`, stands. */
function written(generation: number, level: Verdict["level"], standing: Vote, seenAt: number | null): string | null {
  const record = ballot({ votes: { [A]: standing } });
  const absentAt = seenAt === null ? null : instant(seenAt);
  const sightings = { [A]: { generation: standing.generation, seq: standing.seq, absentAt } };
  const turn = turnAt(watching(record, { sightings }), 1_000, context({}, { generation }));
  castOwnVote(turn, record, { level, cause: "silent", silentMs: 900, withheld: null });
  const command = turn.commands[0];
  return command?.kind === "write-ballot" ? command.write.name : null;
}

const predecessor = (level: Vote["level"]): Vote => vote({ level, generation: 7, seq: 5 });
const successor = (level: Vote["level"]): Vote => vote({ level, generation: 9, seq: 1 });

describe("R14, R23: a successor that begins in the middle of a fault", () => {
  it("leaves the suspicion of its living predecessor, whose down falls due first", () => {
    expect(written(8, "suspect", predecessor("suspect"), 900)).toBe(null);
  });

  it("suspects for itself once its predecessor affirms nothing any more", () => {
    expect(written(8, "suspect", predecessor("suspect"), -1_000)).toBe("cast-vote");
    expect(written(8, "suspect", predecessor("suspect"), null)).toBe("cast-vote");
  });

  it("never weakens a down, and says down itself as soon as it has seen it", () => {
    expect(written(8, "suspect", predecessor("down"), -1_000)).toBe(null);
    expect(written(8, "down", predecessor("suspect"), 900)).toBe("cast-vote");
  });
});

describe("S3: a vote that had no answer and is not in the record", () => {
  it("is barred by a tombstone when the primary answers again, once", () => {
    const record = ballot();
    const turn = turnAt(watching(record, { ownVote: { seq: 1, writtenAt: instant(0) } }), 1_000);
    castOwnVote(turn, record, { level: "up", cause: "serving", silentMs: 0, withheld: null });
    const command = turn.commands[0];
    const written = command?.kind === "write-ballot" ? command.write : null;
    expect(written?.changes[0]?.value).toMatchObject({ level: "clear", generation: 1, seq: 2 });
    const after = ballot({ votes: { [A]: vote({ level: "clear", generation: 1, seq: 2 }) } });
    const next = turnAt(watching(after, { ownVote: { seq: 2, writtenAt: instant(1_000) } }), 1_100);
    castOwnVote(next, after, { level: "up", cause: "serving", silentMs: 0, withheld: null });
    expect(next.commands).toEqual([]);
  });
});

describe("S7: a predecessor whose successor has voted", () => {
  it.each(["up", "suspect", "down"] as const)("writes nothing more, whatever it finds: %s", (level) => {
    expect(written(8, level, successor("suspect"), 900)).toBe(null);
    expect(written(8, level, successor("clear"), 900)).toBe(null);
  });
});
