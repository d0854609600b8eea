import { describe, expect, it } from "vitest";
import type { Member, Vote } from "../../lib/core/ballot.ts";
import { newRun } from "../../lib/core/operation.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { instant, nodeId, runId, wallTime } from "../../lib/core/types.ts";
import { hasCaughtUp, hasLooked, isAstray, isIrregular, isRegular, mayRest, viewOf } from "../../lib/core/view.ts";
import {
  A,
  B,
  ballot,
  context,
  history,
  lease,
  N1,
  N2,
  N3,
  newborn,
  node,
  ofEpoch,
  operation,
  primary,
  primaryReading,
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

const runOfA = newRun({
  ballot: ballot(),
  takenOver: false,
  at: instant(0),
  leaseUntil: instant(1),
  renewDueAt: instant(1),
});

const parked = { [N1]: { epoch: ofEpoch(1), triedAt: instant(0), parkedOn: 7, done: false } };

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

  const assistance = (done: boolean, epoch: number) => ({
    [N1]: { epoch: ofEpoch(epoch), triedAt: instant(0), parkedOn: 7, done },
  });
  it.each<[string, GroupState, boolean]>([
    ["an operation of its own", watching(ballot(), { operation: runOfA }), false],
    ["a write hold", watching(ballot(), { hold: { since: instant(0), lastPauseAt: instant(0) } }), false],
    [
      "a write of unknown outcome",
      watching(ballot(), { unresolved: { write: {} as never, sentAt: instant(0), events: [] } }),
      false,
    ],
    ["its own lease", watching(ballot({ lease: lease() })), false],
    ["its own standing vote", watching(ballot({ votes: { [A]: vote() } })), false],
    ["its predecessor's standing vote", watching(ballot({ votes: { [A]: vote({ generation: 0 }) } })), false],
    ["its successor's down", watching(ballot({ votes: { [A]: vote({ generation: 2 }) } })), true],
    [
      "its successor's down, the primary being silent",
      withNode(watching(ballot({ votes: { [A]: vote({ generation: 2 }) } })), N1, {
        class: "silent",
        lostAt: instant(-9_999),
      }),
      true,
    ],
    [
      "its successor's down and a parked freeze",
      watching(ballot({ votes: { [A]: vote({ generation: 2 }) } }), { assistance: assistance(false, 1) }),
      false,
    ],
    [
      "its successor's suspicion",
      watching(ballot({ votes: { [A]: vote({ level: "suspect", generation: 2 }) } })),
      false,
    ],
    ["its own tombstone", watching(ballot({ votes: { [A]: vote({ level: "clear" }) } })), true],
    ["a parked freeze", watching(ballot(), { assistance: assistance(false, 1) }), false],
    ["a freeze that was carried out", watching(ballot(), { assistance: assistance(true, 1) }), true],
    ["a freeze of an earlier epoch", watching(ballot(), { assistance: assistance(false, 0) }), true],
    ["a down-after that runs", withNode(watching(), N1, { lostAt: instant(5) }), false],
    ["a primary that is reborn", withNode(watching(), N1, { class: "reborn" }), false],
    ["a first look that has not come", watching(null), false],
    ["a group not looked at for adoption yet", watching(newborn()), false],
    ["its own vote on another node", watching(ballot({ votes: { [A]: vote({ node: N2 }) } })), true],
    ["its own suspicion", watching(ballot({ votes: { [A]: vote({ level: "suspect" }) } })), false],
    [
      "its own vote of before there was a primary",
      watching(newborn({ votes: { [A]: vote() } }), { rejection: rejected }),
      true,
    ],
    ["a primary that it does not list", watching(ballot({ primary: primary({ node: nodeId("n9") }) })), false],
  ])("beside %s: %s", (_, state, result) => {
    expect(regular(state)).toBe(result);
  });

  it("not when the primary was not heard within two rounds", () => {
    expect([regular(watching(), 1_500), regular(watching(), 1_501)]).toEqual([true, false]);
  });
});

describe("R14: an invocation has watched what its predecessor did", () => {
  const caughtUp = (state: GroupState) => hasCaughtUp(state, context(), instant(10));
  const lost = (votes: Partial<Vote>) =>
    withNode(watching(ballot({ votes: { [A]: vote(votes) } })), N1, { class: "silent", lostAt: instant(-9_999) });

  it.each<[string, GroupState, boolean]>([
    ["in a group that is regular", watching(), true],
    ["when it has said down itself", lost({}), true],
    ["not by its predecessor's down", lost({ generation: 0 }), false],
    ["not while it suspects", lost({ level: "suspect" }), false],
    ["not by a down on an earlier primary", lost({ epoch: ofEpoch(0) }), false],
    ["not before its first look", watching(null), false],
  ])("%s: %s", (_, state, result) => {
    expect(caughtUp(state)).toBe(result);
  });
});

describe("R14: an invocation may rest, with nobody after it", () => {
  const rests = (state: GroupState, of = context()) => mayRest(state, of, instant(10));
  const member = (values: Partial<Member>) => {
    const whole = ballot();
    const nodes = { ...whole.members.nodes, [N2]: { ...(whole.members.nodes[N2] as Member), ...values } };
    return ballot({ members: { version: 1, nodes } });
  };

  const { [N3]: _, ...known } = ballot().members.nodes;
  const others = ballot({ members: { version: 1, nodes: known } });

  it("while every node is as recorded, and somebody could be promoted", () => {
    expect(rests(watching())).toBe(true);
  });

  it.each<[string, GroupState]>([
    ["a replica that is gone, although a successor could take over", withNode(watching(), N3, { class: "silent" })],
    ["a node that was not asked yet", withNode(watching(), N3, { heard: null, reading: null, class: "unknown" })],
    [
      "a replica that may be about to be let in again for reading",
      watching(ballot(), { doubts: { [N2]: { isFit: true, since: instant(0) } } }),
    ],
    ["a replica that was never read", withNode(watching(), N2, { reading: null })],
    ["a replica without its link", withNode(watching(), N2, { reading: reading({ linkUp: false }) })],
    [
      "a replica that follows another, its link up",
      withNode(watching(), N2, { reading: reading({ follows: { host: "10.0.0.3", port: 6379 } }) }),
    ],
    [
      "a replica that follows another at the same host",
      withNode(watching(), N2, { reading: reading({ follows: { host: "10.0.0.1", port: 1 } }) }),
    ],
    ["a node that the record does not know", watching(others)],
    ["a replica that follows nobody", withNode(watching(), N2, { reading: reading({ follows: null }) })],
    ["a replica of which the record knows another process", watching(member({ runId: runId("earlier") }))],
    ["a replica that is not recorded as in sync", watching(member({ inSyncEpoch: ofEpoch(0) }))],
    [
      "a primary with another history than recorded",
      withNode(watching(), N1, { reading: primaryReading({ replicationId: history(7) }) }),
    ],
    ["a primary that is not heard", withNode(watching(), N1, { lostAt: instant(5) })],
    ["its own vote, whose clearing is under way", watching(ballot({ votes: { [A]: vote() } }))],
    ["another voter's vote", watching(ballot({ votes: { [B]: vote() } }))],
    ["another's lease", watching(ballot({ lease: lease({ holder: B }) }))],
    ["an order", watching(ballot(), { request: request() })],
    ["a group that is not armed", watching(ballot({ armed: false }))],
    ["a group without a primary, the reason being known", watching(newborn(), { rejection: rejected })],
    ["a reason why nothing is done", watching(ballot(), { rejection: rejected })],
    ["a record of another table", watching(ballot({ table: "another" }))],
    ["a record that it cannot read", watching(null, { unreadable: "newer schema" })],
    ["a store that is away", watching(ballot(), { storeFailedSince: instant(0) })],
    ["a write under way", watching(ballot(), { storeBusy: { sentAt: instant(9), pending: null } })],
    ["a freeze that is parked", watching(ballot(), { assistance: parked })],
  ])("not beside %s", (_, state) => {
    expect(rests(state)).toBe(false);
  });

  it("not where nobody could be promoted: an alarm is to ring", () => {
    const nodes = [node("n1"), node("n2", { priority: 0 }), node("n3", { priority: 0 })];
    expect(rests(watching(), context({ nodes }))).toBe(false);
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
    ["an operation of its own", watching(ballot(), { operation: runOfA }), true],
    ["a write hold", watching(ballot(), { hold: { since: instant(0), lastPauseAt: instant(0) } }), true],
    [
      "a request whose result is known",
      watching(ballot(), {
        request: request({ result: { kind: "done", detail: "", epoch: ofEpoch(1), at: wallTime(0) } }),
      }),
      false,
    ],
    ["a primary that nobody lists", watching(ballot({ primary: primary({ node: nodeId("n9") }) })), true],
    ["a primary of another class", withNode(watching(), N1, { class: "reborn" }), true],
    ["a vote on an earlier primary", watching(ballot({ votes: { [B]: vote({ epoch: ofEpoch(0) }) } })), false],
    ["a vote on another node", watching(ballot({ votes: { [B]: vote({ node: N2 }) } })), false],
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

  it("shows of each node all that was read, and rounds what was measured", () => {
    const state = withNode(watching(), N2, {
      latencyMs: 1.26,
      detail: "as it should be",
      classSince: instant(-0.6),
      reading: reading({ priority: 7, version: "9.0.1", offset: 120 }),
    });
    const { nodes } = viewOf(state, context(), instant(250), wallTime(0));
    expect(nodes[N2]).toEqual({
      address: { host: "10.0.0.2", port: 6379 },
      zone: "az-b",
      class: "serving",
      sinceMs: 251,
      detail: "as it should be",
      latencyMs: 1.3,
      role: "replica",
      follows: { host: "10.0.0.1", port: 6379 },
      linkUp: true,
      offset: 120,
      lagBytes: 0,
      priority: 7,
      version: "9.0.1",
      heartbeatSeconds: 1,
    });
  });

  it("shows nothing of a node that never said anything, but for how long, and no zone of one that is not declared", () => {
    const state = watching();
    const fresh = {
      ...state.nodes[N3]!,
      class: "refused",
      answeredAt: null,
      reading: null,
      latencyMs: null,
      settings: null,
    } as const;
    const found = nodeId("n9");
    const view = viewOf(
      { ...state, startedAt: instant(-50), nodes: { ...state.nodes, [N3]: fresh, [found]: { ...fresh, id: found } } },
      context(),
      instant(200.4),
      wallTime(0),
    );
    const nothing = { latencyMs: null, role: null, follows: null, linkUp: null, offset: null, lagBytes: null };
    expect(view.nodes[N3]).not.toHaveProperty("heartbeatSeconds");
    expect(view.nodes[N3]).toMatchObject({ ...nothing, priority: null, version: null, sinceMs: 250, zone: "az-c" });
    expect(view.nodes[found]?.zone).toBe("");
  });

  it("shows no lag while nobody knows the primary, or what it says", () => {
    const lag = (state: GroupState) => viewOf(state, context(), instant(0), wallTime(0)).nodes[N2]?.lagBytes;
    expect(lag(watching(newborn()))).toBeNull();
    expect(lag(watching(null))).toBeNull();
    expect(lag(withNode(watching(), N1, { reading: null }))).toBeNull();
    expect(lag(watching(ballot({ primary: primary({ node: nodeId("n9") }) })))).toBeNull();
  });

  it("shows the operation, and the vote only while it is on the committed primary of its epoch", () => {
    const shown = (values: Parameters<typeof ballot>[0]) =>
      viewOf(watching(ballot(values)), context(), instant(0), wallTime(0));
    expect(shown({ operation: operation({ kind: "switchover", step: "intended" }) }).operation).toEqual({
      kind: "switchover",
      step: "intended",
    });
    expect(shown({ votes: { [A]: vote() } }).vote).toBe("down");
    expect(shown({ votes: { [B]: vote() } }).vote).toBe("none");
    expect(shown({ votes: { [A]: vote({ level: "clear" }) } }).vote).toBe("none");
    expect(shown({ votes: { [A]: vote({ node: N2 }) } }).vote).toBe("none");
    expect(shown({ votes: { [A]: vote({ epoch: ofEpoch(0) }) } }).vote).toBe("none");
    expect(shown({ primary: null, votes: { [A]: vote() } }).vote).toBe("none");
  });

  it("names no candidate when there is none, and everybody's reason", () => {
    const alone = { ...watching(), nodes: { [N1]: watching().nodes[N1]! } };
    const view = viewOf(alone, context(), instant(0), wallTime(0));
    expect([view.candidate, view.rejection, view.notCandidates]).toEqual([null, null, {}]);
  });

  it("is empty before the first look", () => {
    const state = { ...watching(null), nodes: {} };
    expect(viewOf(state, context(), instant(0), wallTime(0))).toEqual({
      at: 0,
      epoch: 0,
      operation: null,
      vote: "none",
      rejection: null,
      nodes: {},
      candidate: null,
      notCandidates: {},
    });
    expect(turnAt(state, 0).commands).toEqual([]);
  });
});

describe("hasLooked", () => {
  const unheard = withNode(watching(), N2, { heard: null });
  it.each<[string, GroupState, boolean]>([
    ["record and nodes were seen", watching(), true],
    ["nothing was heard of the record", watching(null), false],
    ["there is no record", watching(null, { missing: true }), true],
    ["the store fails", watching(null, { storeFailedSince: instant(0) }), true],
    ["a node was not heard yet", unheard, false],
    ["a node was not heard yet and the store fails", { ...unheard, look: null, storeFailedSince: instant(0) }, false],
  ])("%s", (_, state, result) => {
    expect(hasLooked(state)).toBe(result);
  });
});

describe("isAstray", () => {
  const astray = (state: GroupState, id = N2) => isAstray(state, state.nodes[id]!);
  it.each<[string, GroupState, boolean]>([
    ["a replica as the record has it", watching(), false],
    ["before the record was looked at", withNode(watching(null), N2, { class: "silent" }), false],
    ["while no primary is recorded", withNode(watching(newborn()), N2, { class: "silent" }), false],
    ["never heard", withNode(watching(), N2, { class: "silent", heard: null }), false],
    ["silent", withNode(watching(), N2, { class: "silent" }), true],
    ["a probe of it failed", withNode(watching(), N2, { lostAt: instant(0) }), true],
    ["serving and never read", withNode(watching(), N2, { reading: null }), false],
    ["without a link", withNode(watching(), N2, { reading: reading({ linkUp: false }) }), true],
    ["with a history of its own", withNode(watching(), N2, { reading: reading({ replicationId: history(9) }) }), true],
  ])("%s", (_, state, result) => {
    expect(astray(state)).toBe(result);
  });

  it("is not asked of the primary's link or history", () => {
    const state = withNode(watching(), N1, { reading: reading({ linkUp: false, replicationId: history(9) }) });
    expect(astray(state, N1)).toBe(false);
    expect(astray(withNode(state, N1, { lostAt: instant(0) }), N1)).toBe(true);
  });
});
