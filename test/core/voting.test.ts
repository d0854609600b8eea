import { describe, expect, it } from "vitest";
import type { Ballot, Vote } from "../../lib/core/ballot.ts";
import { encodeBallot } from "../../lib/core/ballot-format.ts";
import { type BallotWrite, holds } from "../../lib/core/ballot-write.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { instant } from "../../lib/core/types.ts";
import type { Verdict } from "../../lib/core/verdict.ts";
import { castOwnVote } from "../../lib/core/voting.ts";
import { castVote } from "../../lib/core/writes.ts";
import { A, ballot, context, control, N1, N2, ofEpoch, turnAt, vote, watching, withNode } from "./builders.ts";

const verdict = (level: Verdict["level"], silentMs = 5_000): Verdict => ({
  level,
  cause: "silent",
  silentMs,
  withheld: null,
});

function cast(
  level: Verdict["level"],
  options: { mine?: Partial<Vote>; state?: Partial<GroupState>; at?: number; look?: Ballot; isServing?: boolean } = {},
) {
  const look = options.look ?? ballot({ votes: options.mine === undefined ? {} : { [A]: vote(options.mine) } });
  const known = watching(look, options.state ?? {});
  const state =
    options.isServing === true ? known : withNode(known, N1, { class: "silent", heard: "silent", lostAt: instant(0) });
  const turn = turnAt(state, options.at ?? 10, context({}, { generation: 2 }));
  castOwnVote(turn, look, verdict(level));
  const written = turn.commands.flatMap((each) => (each.kind === "write-ballot" ? [each.write] : []));
  return { turn, written, vote: written[0]?.changes[0]?.value ?? null };
}

describe("this voter's vote", () => {
  it.each(["suspect", "down"] as const)("is written at level %s the moment the verdict falls due", (level) => {
    const { vote: written, turn } = cast(level);
    expect(written).toEqual({
      level,
      node: N1,
      epoch: 1,
      generation: 2,
      seq: 1,
      silentMs: 5_000,
      attempt: "az-a.10.1",
    });
    expect(turn.state.ownVote).toEqual({ seq: 1, writtenAt: 10 });
    expect(turn.commands).toHaveLength(1);
  });

  it("is re-affirmed every tick while it stands, with a larger seq", () => {
    const standing = { mine: { generation: 2, seq: 4 }, state: { ownVote: { seq: 4, writtenAt: instant(0) } } };
    expect(cast("down", { ...standing, at: 99 }).written).toEqual([]);
    expect(cast("down", { ...standing, at: 99 }).turn.wakeAt).toBe(100);
    expect(cast("down", { ...standing, at: 100 }).vote).toMatchObject({ level: "down", seq: 5 });
  });

  it("is written at once when its level changes", () => {
    const standing = {
      mine: { level: "suspect", generation: 2 },
      state: { ownVote: { seq: 4, writtenAt: instant(9) } },
    } as const;
    expect(cast("down", standing).vote).toMatchObject({ level: "down", seq: 5 });
  });

  it("R15: is retracted by a tombstone with a larger seq, never deleted", () => {
    const standing = { mine: { generation: 2, seq: 4 }, state: { ownVote: { seq: 4, writtenAt: instant(9) } } };
    expect(cast("up", standing).vote).toMatchObject({ level: "clear", seq: 5 });
    expect(cast("up", { mine: { level: "clear" } }).written).toEqual([]);
    expect(cast("up").written).toEqual([]);
  });

  it("R23: a successor neither weakens nor retracts what its predecessor saw, until it hears the primary", () => {
    const predecessors = { mine: { generation: 1 } };
    expect(cast("suspect", predecessors).written).toEqual([]);
    expect(cast("up", predecessors).written).toEqual([]);
    expect(cast("down", predecessors).vote).toMatchObject({ level: "down", generation: 2, seq: 1 });
    expect(cast("up", { ...predecessors, isServing: true }).vote).toMatchObject({ level: "clear", generation: 2 });
  });

  it("is cast anew on another primary, whatever stands for the last", () => {
    const other = ballot({
      primary: { node: N2, epoch: ofEpoch(2), runId: "r" as never, replicationId: "i" as never },
      votes: { [A]: vote() },
    });
    expect(cast("suspect", { look: other }).vote).toMatchObject({ level: "suspect", node: N2, epoch: 2 });
  });

  it.each([
    ["node", { node: N2, generation: 1 }],
    ["epoch", { epoch: ofEpoch(0), generation: 1 }],
    ["node, by this invocation", { node: N2, generation: 2 }],
    ["epoch, by this invocation", { epoch: ofEpoch(0), generation: 2 }],
  ] as const)("on a primary of another %s stands for nothing and is not retracted", (_, mine) => {
    const state = { ownVote: { seq: mine.generation - 1, writtenAt: instant(9) } };
    expect(cast("up", { mine, state }).written).toEqual([]);
    expect(cast("suspect", { mine, state }).vote).toMatchObject({ level: "suspect", node: N1, epoch: 1 });
    expect(cast("down", { mine, state }).vote).toMatchObject({ level: "down", node: N1, epoch: 1 });
  });

  it("is neither cast nor retracted while the record names no primary", () => {
    expect(cast("down", { look: ballot({ primary: null }) }).written).toEqual([]);
    expect(cast("up", { look: ballot({ primary: null, votes: { [A]: vote({ generation: 2 }) } }) }).written).toEqual(
      [],
    );
  });

  it("R15: is retracted again while one of it may still arrive, though a tombstone stands", () => {
    const state = { ownVote: { seq: 2, writtenAt: instant(9) } };
    expect(cast("up", { mine: { level: "clear", generation: 2, seq: 1 }, state }).vote).toMatchObject({ seq: 3 });
    expect(cast("up", { mine: { level: "clear", generation: 2, seq: 2 }, state }).written).toEqual([]);
    // What stands is another invocation's: it says nothing of what this one sent.
    expect(cast("up", { mine: { level: "clear", generation: 1, seq: 9 }, state }).vote).toMatchObject({
      level: "clear",
    });
  });

  it("R23: a suspicion goes over a predecessor's, unless that is re-affirmed before our eyes", () => {
    const suspected = { level: "suspect", generation: 1 } as const;
    const seen = (absentAt: number | null) => ({
      sightings: { [A]: { generation: 1, seq: 1, absentAt: absentAt === null ? null : instant(absentAt) } },
    });
    expect(cast("suspect", { mine: suspected }).vote).toMatchObject({ level: "suspect", generation: 2 });
    expect(cast("suspect", { mine: suspected, state: seen(null) }).vote).toMatchObject({ generation: 2 });
    const { voteWindowMs } = context().config;
    expect(cast("suspect", { mine: suspected, state: seen(10), at: voteWindowMs + 9 }).written).toEqual([]);
    expect(cast("suspect", { mine: suspected, state: seen(10), at: voteWindowMs + 10 }).written).toHaveLength(1);
    // A tombstone is nobody's suspicion.
    expect(cast("suspect", { mine: { level: "clear", generation: 1 }, state: seen(10) }).written).toHaveLength(1);
  });

  it("S7: is not cast over a successor's", () => {
    expect(cast("down", { mine: { level: "clear", generation: 3 } }).written).toEqual([]);
    expect(cast("down", { mine: { level: "clear", generation: 2 } }).written).toHaveLength(1);
  });

  it("that was never written by this invocation is written at once, whatever stands", () => {
    const mine = { level: "down", generation: 2, seq: 4 } as const;
    expect(cast("down", { mine, state: { ownVote: { seq: 4, writtenAt: null } }, at: 0 }).written).toHaveLength(1);
  });

  it("says for how long the primary has been silent, in whole milliseconds", () => {
    const turn = turnAt(withNode(watching(), N1, { class: "silent" }), 10);
    castOwnVote(turn, ballot(), verdict("down", 5_000.6));
    expect(turn.commands[0]).toMatchObject({ write: { changes: [{ value: { silentMs: 5_001 } }] } });
  });

  it("S8: is not cast while paused, and is while observing", () => {
    const of = (mode: "paused" | "observe") =>
      cast("down", { look: ballot({ control: control({ mode }) }) }).written.length;
    expect([of("paused"), of("observe")]).toEqual([0, 1]);
  });

  it.each<[string, Partial<GroupState>]>([
    ["a write is under way", { storeBusy: { sentAt: instant(0), pending: null } }],
    ["the store rests after a failure", { storeRetryAt: instant(50) }],
  ])("waits while %s", (_, state) => {
    expect(cast("down", { state }).written).toEqual([]);
  });
});

describe("the conditions of a vote's write", () => {
  const write = (level: Vote["level"], values: Partial<Vote> = {}): BallotWrite =>
    castVote(ballot(), A, vote({ level, generation: 2, seq: 3, ...values }));
  const accepts = (of: BallotWrite, standing: Partial<Vote> | null, look: Partial<Ballot> = {}): boolean =>
    holds(encodeBallot(ballot({ votes: standing === null ? {} : { [A]: vote(standing) }, ...look })), of.condition);

  it("R15: are that it is newer than what stands", () => {
    expect(accepts(write("down"), null)).toBe(true);
    expect(accepts(write("down"), { generation: 1, seq: 99 })).toBe(true);
    expect(accepts(write("down"), { generation: 2, seq: 2 })).toBe(true);
    expect(accepts(write("down"), { generation: 2, seq: 3 })).toBe(false);
    expect(accepts(write("clear"), { generation: 2, seq: 4 })).toBe(false);
    expect(accepts(write("down"), { generation: 3, seq: 1 })).toBe(false);
  });

  it("R23: are that a suspicion takes no down's place for the same primary and epoch", () => {
    expect(accepts(write("suspect"), { generation: 1, seq: 1, level: "down" })).toBe(false);
    expect(accepts(write("suspect"), { generation: 1, seq: 1, level: "suspect" })).toBe(true);
    expect(accepts(write("suspect"), { generation: 1, seq: 1, level: "down", epoch: ofEpoch(0) })).toBe(true);
    expect(accepts(write("suspect"), { generation: 1, seq: 1, level: "down", node: N2 })).toBe(true);
    expect(accepts(write("clear"), { generation: 1, seq: 1, level: "down" })).toBe(true);
  });

  it("S3: are that its primary is still the one", () => {
    const moved = { primary: { node: N2, epoch: ofEpoch(2), runId: "r" as never, replicationId: "i" as never } };
    expect(accepts(write("down"), null, moved)).toBe(false);
    expect(accepts(write("down", { epoch: ofEpoch(2) }), null)).toBe(false);
  });

  it("S7: touch this voter's attribute alone", () => {
    expect(write("down").changes.map((each) => each.path)).toEqual([["vote_az-a"]]);
  });
});
