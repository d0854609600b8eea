import { describe, expect, it } from "vitest";
import { newRun } from "../../lib/core/operation.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { instant, wallTime } from "../../lib/core/types.ts";
import { isIrregular, isRegular, viewOf } from "../../lib/core/view.ts";
import {
  A,
  B,
  ballot,
  context,
  lease,
  N1,
  N2,
  N3,
  newborn,
  ofEpoch,
  operation,
  reading,
  request,
  turnAt,
  vote,
  WALL_START,
  watching,
  withNode,
} from "./builders.ts";

const regular = (state: GroupState, at = 10) => isRegular(state, context(), instant(at));
const rejected = {
  rejection: { reason: "adoption-refused", detail: "", ends: "", check: null },
  since: instant(0),
} as const;

describe("R14: an invocation may leave", () => {
  it.each<[string, GroupState]>([
    ["a quiet group whose primary answers", watching()],
    [
      "a group beside whose primary a replica has long been gone",
      withNode(watching(), N3, { class: "silent", heard: "silent", lostAt: instant(-99) }),
    ],
    ["a group that cannot be adopted, the reason being known", watching(newborn(), { rejection: rejected })],
    ["a record that it cannot read", watching(null, { unreadable: "newer schema" })],
    ["a store that is away", watching(null, { storeFailedSince: instant(0) })],
    ["a group under another's lease", watching(ballot({ lease: lease({ holder: B }) }))],
    ["another voter's vote", watching(ballot({ votes: { [B]: vote() } }))],
    ["its own vote on an earlier primary", watching(ballot({ votes: { [A]: vote({ epoch: ofEpoch(0) }) } }))],
  ])("%s", (_, state) => {
    expect(regular(state)).toBe(true);
  });

  const run = newRun({
    ballot: ballot(),
    takenOver: false,
    at: instant(0),
    leaseUntil: instant(1),
    renewDueAt: instant(1),
  });
  const assistance = (done: boolean, epoch: number) => ({
    [N1]: { epoch: ofEpoch(epoch), triedAt: instant(0), parkedOn: 7, done },
  });
  it.each<[string, GroupState, boolean]>([
    ["an operation of its own", watching(ballot(), { operation: run }), false],
    ["a write hold", watching(ballot(), { hold: { since: instant(0), lastPauseAt: instant(0) } }), false],
    [
      "a write of unknown outcome",
      watching(ballot(), { unresolved: { write: {} as never, sentAt: instant(0), events: [] } }),
      false,
    ],
    ["its own lease", watching(ballot({ lease: lease() })), false],
    ["its own standing vote", watching(ballot({ votes: { [A]: vote() } })), false],
    ["its own tombstone", watching(ballot({ votes: { [A]: vote({ level: "clear" }) } })), true],
    ["a parked freeze", watching(ballot(), { assistance: assistance(false, 1) }), false],
    ["a freeze that was carried out", watching(ballot(), { assistance: assistance(true, 1) }), true],
    ["a freeze of an earlier epoch", watching(ballot(), { assistance: assistance(false, 0) }), true],
    ["a down-after that runs", withNode(watching(), N1, { lostAt: instant(5) }), false],
    ["a primary that is reborn", withNode(watching(), N1, { class: "reborn" }), false],
    ["a first look that has not come", watching(null), false],
    ["a group not looked at for adoption yet", watching(newborn()), false],
  ])("beside %s: %s", (_, state, result) => {
    expect(regular(state)).toBe(result);
  });

  it("not when the primary was not heard within two rounds", () => {
    expect([regular(watching(), 1_500), regular(watching(), 1_501)]).toEqual([true, false]);
  });
});

describe("isIrregular", () => {
  it.each<[string, GroupState, boolean]>([
    ["a quiet group", watching(), false],
    ["no record", watching(null), true],
    ["no primary", watching(newborn()), true],
    ["a lease", watching(ballot({ lease: lease() })), true],
    ["an operation", watching(ballot({ operation: operation() })), true],
    ["a request", watching(ballot(), { request: request() }), true],
    ["a request that was answered", watching(ballot(), { request: request(), resolved: "request-1" }), false],
    ["a probe that failed", withNode(watching(), N1, { lostAt: instant(0) }), true],
    ["anybody's vote", watching(ballot({ votes: { [B]: vote({ level: "suspect" }) } })), true],
    ["a tombstone", watching(ballot({ votes: { [B]: vote({ level: "clear" }) } })), false],
    ["a replica that is gone", withNode(watching(), N2, { class: "silent" }), false],
  ])("%s: %s", (_, state, result) => {
    expect(isIrregular(state)).toBe(result);
  });
});

describe("viewOf", () => {
  it("shows what a person asks for: who answers, how far behind, who would be promoted and why not the others", () => {
    const state = withNode(watching(ballot({ votes: { [A]: vote({ level: "suspect" }) } })), N3, {
      reading: reading({ runId: "other" as never, offset: 60 }),
    });
    const view = viewOf({ ...state, rejection: rejected }, context(), instant(250), wallTime(WALL_START));
    expect(view).toMatchObject({
      at: WALL_START,
      epoch: 1,
      operation: null,
      vote: "suspect",
      rejection: { reason: "adoption-refused", sinceMs: 250 },
      candidate: N2,
      notCandidates: { n3: "it restarted since it was last in sync" },
    });
    expect(view.nodes[N1]).toMatchObject({
      class: "serving",
      role: "primary",
      lagBytes: null,
      zone: "az-a",
      sinceMs: 250,
    });
    expect(view.nodes[N3]).toMatchObject({ role: "replica", lagBytes: 40, follows: { host: "10.0.0.1", port: 6379 } });
  });

  it("shows for how long a silent node has said nothing, and no lag of another history", () => {
    const state = withNode(watching(), N2, {
      class: "silent",
      answeredAt: instant(-500),
      reading: reading({ replicationId: "x" as never }),
    });
    const view = viewOf(state, context(), instant(250), wallTime(0));
    expect(view.nodes[N2]).toMatchObject({ class: "silent", sinceMs: 750, lagBytes: null });
  });

  it("is empty before the first look", () => {
    const state = { ...watching(null), nodes: {} };
    expect(viewOf(state, context(), instant(0), wallTime(0))).toMatchObject({
      epoch: 0,
      vote: "none",
      candidate: null,
      nodes: {},
    });
    expect(turnAt(state, 0).commands).toEqual([]);
  });
});
