import { describe, expect, it } from "vitest";
import type { Ballot, Vote } from "../../lib/core/ballot.ts";
import { majority } from "../../lib/core/config-defaults.ts";
import { countVotes, type Sightings, sighted } from "../../lib/core/quorum.ts";
import { instant, type VoterId } from "../../lib/core/types.ts";
import { A, B, ballot, C, context, N2, ofEpoch, primary, stepAt, timePassed, vote, watching } from "./builders.ts";

const votes = (of: Partial<Record<VoterId, Vote>>): Ballot => ballot({ votes: of as Record<VoterId, Vote> });
const count = (of: Ballot, sightings: Sightings, at: number, voteWindowMs = 1_500) =>
  countVotes({
    ballot: of,
    primary: primary(),
    sightings,
    at: instant(at),
    voteWindowMs,
    unreachableAfterMs: 15_000,
  });

/** Looked at without `of` at `absentAt`, and with it later. */
const seen = (of: Ballot, absentAt: number | null): Sightings =>
  sighted({}, of, absentAt === null ? null : instant(absentAt));

describe("freshness of a vote", () => {
  const both = votes({ [A]: vote(), [B]: vote({ seq: 4 }) });

  it("S3: first sight without an earlier look is not a change", () => {
    expect(count(both, seen(both, null), 0).down).toEqual([]);
  });

  it("counts from when the last look that did not show it was sent", () => {
    const sightings = seen(both, 1_000);
    expect(count(both, sightings, 2_500).down).toEqual([A, B]);
    expect(count(both, sightings, 2_501).down).toEqual([]);
  });

  it("does not grow younger by being looked at again", () => {
    const again = sighted(seen(both, 1_000), both, instant(2_000));
    expect(count(both, again, 2_500).down).toEqual([A, B]);
    expect(count(both, again, 2_600).down).toEqual([]);
  });

  it("is not that of another invocation's vote of the same number", () => {
    const renewed = votes({ [A]: vote({ generation: 2 }), [B]: vote({ seq: 4 }) });
    expect(count(renewed, seen(both, 1_000), 1_001).down).toEqual([B]);
  });

  it.each([
    ["seq", vote({ seq: 5 })],
    ["generation", vote({ seq: 4, generation: 2 })],
  ])("begins anew with another %s", (_, renewed) => {
    const later = votes({ [A]: vote(), [B]: renewed });
    const sightings = sighted(seen(both, 1_000), later, instant(2_000));
    expect(count(later, sightings, 2_600).down).toEqual([B]);
  });

  it("is not that of a vote which the sightings do not know", () => {
    expect(count(votes({ [A]: vote({ seq: 9 }) }), seen(both, 1_000), 1_001).down).toEqual([]);
  });

  it("S3: a vote that stood all along is no news after a stall", () => {
    // az-b voted, and was lost; this voter has seen that vote since long before, stalls, and looks again.
    const standing = ballot({ votes: { [B]: vote({ seq: 7 }) } });
    const of = context({ voteWindowMs: 30_000 });
    const state = watching(standing, {
      sightings: { [B]: { generation: 1, seq: 7, absentAt: instant(-100_000) } },
      dueAt: instant(0),
    });
    const stalled = stepAt(state, 5_000, timePassed, of);
    expect(stalled.events.map((each) => each.event)).toContain("deciding.suspended");
    const looked = stepAt(stalled.state, 5_010, { kind: "ballot-read", sentAt: instant(5_001), ballot: standing }, of);
    expect(count(standing, looked.state.sightings, 5_020, 30_000).down).toEqual([]);
  });
});

describe("S3: a stall of the voter itself", () => {
  it.each([
    [5_000, 1_000],
    [1_000, 500],
    [500, 250],
  ])("with down-after %i counts from beyond %i ms", (downAfterMs, limit) => {
    const of = context({ downAfterMs });
    const suspendedAt = (at: number) =>
      stepAt(watching(ballot(), { dueAt: instant(0) }), at, timePassed, of).events.some(
        ({ event }) => event === "deciding.suspended",
      );
    expect([suspendedAt(limit), suspendedAt(limit + 1)]).toEqual([false, true]);
  });
});

describe("what is counted", () => {
  it("R10: only down elects; a suspicion counts for the write hold alone", () => {
    const mixed = votes({ [A]: vote({ level: "suspect" }), [B]: vote(), [C]: vote({ level: "clear" }) });
    expect(count(mixed, seen(mixed, 0), 10)).toEqual({ down: [B], suspectOrDown: [A, B], unreachable: [] });
  });

  it.each([
    ["another node", vote({ node: N2 })],
    ["another epoch", vote({ epoch: ofEpoch(2) })],
  ])("is not a vote on %s", (_, other) => {
    const of = votes({ [A]: other });
    expect(count(of, seen(of, 0), 10)).toEqual({ down: [], suspectOrDown: [], unreachable: [] });
  });

  it("is unreachable by a voter's own measure", () => {
    const of = votes({ [A]: vote({ silentMs: 15_000 }), [B]: vote({ silentMs: 14_999 }) });
    expect(count(of, seen(of, 0), 10).unreachable).toEqual([A]);
  });

  it("is nothing where nobody votes, or everybody has taken it back", () => {
    const nothing = { down: [], suspectOrDown: [], unreachable: [] };
    expect(count(ballot(), {}, 10)).toEqual(nothing);
    const cleared = votes({ [A]: vote({ level: "clear" }), [B]: vote({ level: "clear" }) });
    expect(count(cleared, seen(cleared, 0), 10)).toEqual(nothing);
  });

  it("S7: is one vote per voter, in whatever order they stand", () => {
    const forth = votes({ [A]: vote(), [B]: vote(), [C]: vote() });
    const back = votes({ [C]: vote(), [B]: vote(), [A]: vote() });
    expect(count(forth, seen(forth, 0), 10)).toEqual(count(back, seen(back, 0), 10));
  });
});

describe("majority", () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])("of %i is %i", (voters, votesNeeded) => {
    expect(majority(voters)).toBe(votesNeeded);
  });
});
