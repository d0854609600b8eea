import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { GroupState, NodeState } from "../../lib/core/state.ts";
import { instant, nodeId } from "../../lib/core/types.ts";
import { isCutOff, judge, primaryServes, type Verdict } from "../../lib/core/verdict.ts";
import {
  ballot,
  context,
  member,
  N1,
  N2,
  N3,
  NODES,
  newborn,
  ofEpoch,
  primary,
  primaryReading,
  reading,
  stepAt,
  timePassed,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";

/** n1 gave its last answer at 0; the others answered at `at`. */
function at(
  ms: number,
  n1: Partial<NodeState>,
  change: (state: GroupState) => GroupState = (state) => state,
): GroupState {
  const known = withNode(watching(), N1, n1);
  const others = [N2, N3].reduce(
    (state, id) => withNode(state, id, { answeredAt: instant(ms), readAt: instant(ms) }),
    known,
  );
  return change(others);
}

function judged(state: GroupState, ms: number, settings = {}, unreachableByAll = false): Verdict & { wakeAt: number } {
  const turn = turnAt(state, ms, context(settings));
  return { ...judge(turn, primary(), unreachableByAll), wakeAt: turn.wakeAt };
}

const gone = { class: "silent", heard: "silent", lostAt: instant(100), connection: null } as const;
const refusing = { ...gone, class: "refused", heard: "refused", firstRefusedAt: instant(100), refusals: 3 } as const;
const linkDown = (state: GroupState): GroupState =>
  withNode(state, N2, { reading: reading({ linkUp: false }), readSentAt: instant(150) });

describe("a silent primary", () => {
  it("is up until the suspicion falls due, and asks to be looked at then", () => {
    expect(judged(at(749, gone), 749)).toMatchObject({
      level: "up",
      cause: "silent",
      wakeAt: 750,
      withheld: { reason: "waiting-for-down-after" },
    });
  });

  it("is suspect from writeHoldAfterMs on, and down at its own deadline, not at the next tick", () => {
    expect(judged(at(750, gone), 750)).toMatchObject({ level: "suspect", wakeAt: 5_000 });
    expect(judged(at(4_999, gone), 4_999)).toMatchObject({
      level: "suspect",
      withheld: { reason: "waiting-for-down-after" },
    });
    expect(judged(at(5_000, gone), 5_000)).toMatchObject({
      level: "down",
      cause: "silent",
      silentMs: 5_000,
      withheld: null,
    });
  });

  it("is never suspect with the write hold switched off", () => {
    expect(judged(at(4_999, gone), 4_999, { writeHoldAfterMs: 0 }).level).toBe("up");
  });

  it("counts from its last answer, also while no probe of it has failed yet", () => {
    expect(judged(at(5_000, {}), 5_000).level).toBe("down");
  });

  it("that never answered counts from when this voter began", () => {
    const state = at(5_000, { ...gone, answeredAt: null });
    expect(judged({ ...state, startedAt: instant(1_000) }, 5_000).level).toBe("suspect");
    expect(judged({ ...state, startedAt: instant(1_000) }, 6_000).level).toBe("down");
  });
});

describe("the fast path", () => {
  it("needs the bound since the first refusal, three of them, and a replica that lost its link", () => {
    expect(judged(at(600, refusing, linkDown), 600)).toMatchObject({ level: "down", cause: "refused" });
    expect(judged(at(599, refusing, linkDown), 599)).toMatchObject({ level: "up", wakeAt: 600 });
    expect(judged(at(600, { ...refusing, refusals: 2 }, linkDown), 600).level).toBe("up");
    expect(judged(at(600, refusing), 600).level).toBe("up");
  });

  it("is not for silence, not with an old word of the replica, not when switched off", () => {
    expect(judged(at(600, { ...refusing, heard: "silent" }, linkDown), 600).level).toBe("up");
    const before = (state: GroupState) => withNode(linkDown(state), N2, { readSentAt: instant(99) });
    expect(judged(at(600, refusing, before), 600).level).toBe("up");
    expect(judged(at(600, refusing, linkDown), 600, { refusedAfterMs: 0 }).level).toBe("up");
  });

  it.each<[string, (state: GroupState) => GroupState, string]>([
    [
      "one read in the moment of the first refusal",
      (state) => withNode(state, N2, { readSentAt: instant(100) }),
      "down",
    ],
    ["one that no longer answers", (state) => withNode(state, N2, { heard: "silent" }), "up"],
    ["one that was never read", (state) => withNode(state, N2, { readSentAt: null }), "up"],
    [
      "one that is a primary by now",
      (state) => withNode(state, N2, { reading: primaryReading({ linkUp: false }) }),
      "up",
    ],
    ["one without a reading", (state) => withNode(state, N2, { reading: null }), "up"],
    [
      "the primary itself, and no other",
      (state) =>
        withNode(withNode(state, N2, { reading: reading() }), N1, {
          heard: "refused",
          reading: reading({ linkUp: false }),
          readSentAt: instant(150),
        }),
      "up",
    ],
  ])("takes %s for a replica that lost its link: %s", (_, change, level) => {
    expect(
      judged(
        at(600, refusing, (state) => change(linkDown(state))),
        600,
      ).level,
    ).toBe(level);
  });

  it("needs to know since when it is refused", () => {
    expect(judged(at(600, { ...refusing, firstRefusedAt: null }, linkDown), 600).level).toBe("up");
  });
});

describe("what lasts", () => {
  it.each([
    ["wrong-role", "downAfterMs", 5_000],
    ["write-dead", "downAfterMs", 5_000],
    ["busy", "busyLimitMs", 15_000],
    ["loading", "loadingLimitMs", 30_000],
  ] as const)("%s is down after %s", (name, _, bound) => {
    const state = (ms: number) => at(ms, { class: name, classSince: instant(0) });
    expect(judged(state(bound - 1), bound - 1)).toMatchObject({ level: "up", cause: name, wakeAt: bound });
    expect(judged(state(bound), bound)).toMatchObject({ level: "down", cause: name, withheld: null });
  });

  it("reborn is down at once, whatever it brought (R13)", () => {
    expect(judged(at(1, { class: "reborn" }), 1)).toMatchObject({ level: "down", cause: "reborn" });
  });

  it("misconfigured is never a vote, and says what to check", () => {
    const state = at(99_000, { class: "misconfigured", detail: "wrong-password" });
    expect(judged(state, 99_000)).toMatchObject({
      level: "up",
      withheld: { reason: "misconfigured", detail: "n1: wrong-password" },
    });
  });

  it("loading without an in-sync replica that answers is waited for", () => {
    const alone = (state: GroupState) => withNode(withNode(state, N2, { class: "silent" }), N3, { class: "silent" });
    expect(judged(at(40_000, { class: "loading", classSince: instant(0) }, alone), 40_000)).toMatchObject({
      level: "up",
      withheld: { reason: "loading" },
    });
  });

  it("write-dead is only alarmed where the policy says so", () => {
    expect(
      judged(at(9_000, { class: "write-dead", classSince: instant(0) }), 9_000, { writeDead: "alarm" }),
    ).toMatchObject({
      level: "up",
      withheld: { reason: "write-dead-by-policy" },
    });
  });
});

describe("S12: a verdict that is withheld says in words what is waited for", () => {
  const withheldOf = (...given: Parameters<typeof judged>) => judged(...given).withheld;
  const lasting = (name: "busy" | "loading" | "wrong-role", ms: number) =>
    at(ms, { class: name, classSince: instant(100) });

  it.each([
    ["waiting-for-down-after", "n1 silent for 700 ms of 5000 ms", "it answers, or 4300 ms more", at(700, gone), 700],
    [
      "waiting-for-down-after",
      "n1 refused for 700 ms of 5000 ms",
      "it answers, or 4300 ms more",
      at(700, refusing),
      700,
    ],
    [
      "waiting-for-down-after",
      "n1 silent for 1001 ms of 5000 ms",
      "it answers, or 3999 ms more",
      at(1_000.6, gone),
      1_000.6,
    ],
    [
      "waiting-for-down-after",
      "n1 wrong-role for 900 ms of 5000 ms",
      "it answers, or 4100 ms more",
      lasting("wrong-role", 1_000),
      1_000,
    ],
    ["busy", "n1 busy for 900 ms of 15000 ms", "it answers, or 14100 ms more", lasting("busy", 1_000), 1_000],
    ["loading", "n1 loading for 900 ms of 30000 ms", "it answers, or 29100 ms more", lasting("loading", 1_000), 1_000],
  ] as const)("%s: %s", (reason, detail, ends, state, ms) => {
    expect(withheldOf(state, ms)).toEqual({ reason, detail, ends, check: null });
  });

  it("nothing while no probe of a primary has failed", () => {
    expect(judged(at(700, {}), 700)).toMatchObject({ level: "up", cause: "serving", withheld: null });
  });

  it("a disk that refuses writes, where the policy only tells", () => {
    expect(judged(at(9_000, { class: "write-dead" }), 9_000, { writeDead: "alarm" })).toMatchObject({
      cause: "write-dead",
      withheld: {
        reason: "write-dead-by-policy",
        detail: "n1 refuses writes and writeDead is alarm",
        ends: "the node writes to its disk again, or a person orders a failover",
        check: "disk and logs of n1",
      },
    });
  });

  it("a node that loads and that nobody can replace", () => {
    const alone = (state: GroupState) => withNode(withNode(state, N2, { class: "silent" }), N3, { class: "silent" });
    expect(judged(at(40_000, { class: "loading" }, alone), 40_000)).toMatchObject({
      cause: "loading",
      withheld: {
        reason: "loading",
        detail: "n1 is loading its data and no in-sync replica answers az-a",
        ends: "it has loaded, or an in-sync replica answers",
        check: null,
      },
    });
  });

  it("what the coordinator cannot use there", () => {
    expect(judged(at(9_000, { class: "misconfigured", detail: "wrong-password" }), 9_000)).toMatchObject({
      cause: "misconfigured",
      withheld: {
        reason: "misconfigured",
        detail: "n1: wrong-password",
        ends: "the coordinator can read INFO there again",
        check: "user, password, ACL and TLS of the coordinator on n1",
      },
    });
  });

  it("that this voter may be the one that is cut off", () => {
    const alone = (state: GroupState) => [N2, N3].reduce((all, id) => withNode(all, id, { lostAt: instant(0) }), state);
    expect(withheldOf(at(9_000, gone, alone), 9_000)).toEqual({
      reason: "cut-off",
      detail: "az-a reaches no other node of the group and may be the one that is cut off",
      ends: "another node answers this voter",
      check: "routes and security groups of az-a",
    });
  });

  it("which node still receives from the primary", () => {
    const seen = (state: GroupState) => withNode(state, N3, { advancedAt: instant(4_500) });
    expect(withheldOf(at(5_000, gone, seen), 5_000)).toEqual({
      reason: "witness-veto",
      detail: "n3 still receives from n1",
      ends: "n3 stops receiving, or all zones lose the primary for 15 s",
      check: "the routes to 10.0.0.1",
    });
  });
});

describe("a primary that loads", () => {
  const loading = { class: "loading", classSince: instant(0) } as const;
  const inSync = (epochs: readonly [number, number, number]) => {
    const nodes = Object.fromEntries(
      NODES.map((id, index) => [id, member(index + 1, { inSyncEpoch: ofEpoch(epochs[index] ?? 0) })]),
    );
    return ballot({ members: { version: 1, nodes } });
  };
  const level = (state: GroupState) => judged(state, 40_000).level;
  const seen = (of: Ballot, change: (state: GroupState) => GroupState = (state) => state) =>
    at(40_000, loading, (state) => change({ ...state, look: watching(of).look }));

  it.each<[string, GroupState, string]>([
    ["a replica that was in sync serves", seen(inSync([1, 0, 1])), "down"],
    ["no other was ever in sync", seen(inSync([1, 0, 0])), "up"],
    ["the record has no other members", seen(ballot({ members: { version: 1, nodes: {} } })), "up"],
    [
      "the only one in sync does not serve",
      seen(inSync([1, 0, 1]), (state) => withNode(state, N3, { class: "silent" })),
      "up",
    ],
    ["nobody has looked at the record", { ...at(40_000, loading), look: null }, "up"],
  ])("for longer than its bound while %s is %s", (_, state, result) => {
    expect(level(state)).toBe(result);
  });
});

describe("a primary that is no node of this group", () => {
  it("is up and unknown: there is nothing to judge", () => {
    const turn = turnAt(watching(), 9_000);
    expect(judge(turn, primary({ node: nodeId("n9") }), true)).toMatchObject({
      ...{ level: "up", cause: "unknown", silentMs: 0 },
      withheld: {
        reason: "misconfigured",
        detail: "n9 is the primary on record and no longer declared: nobody watches it",
        ends: "it is declared again, or a declared node is made primary",
        check: "valkeeper groups set with n9 among the nodes, or valkeeper groups recover",
      },
    });
  });
});

describe("the witness", () => {
  const seen = (ms: number) => (state: GroupState) => withNode(state, N3, { advancedAt: instant(ms) });

  it("vetoes the verdict and the suspicion while a replica's offset advances, and is named", () => {
    expect(judged(at(5_000, gone, seen(4_500)), 5_000)).toMatchObject({
      level: "up",
      wakeAt: 5_600,
      withheld: { reason: "witness-veto", detail: "n3 still receives from n1" },
    });
    expect(judged(at(800, gone, seen(700)), 800).level).toBe("up");
  });

  it("runs out a little more than one heartbeat after its last advance", () => {
    expect(judged(at(5_600, gone, seen(4_500)), 5_600).level).toBe("down");
  });

  it("says nothing by an advance from before the primary was lost", () => {
    expect(judged(at(5_000, { ...gone, lostAt: instant(4_600) }, seen(4_500)), 5_000).level).toBe("down");
  });

  it("says nothing in the very moment of the loss, nor by itself, nor of a primary that was not lost", () => {
    expect(judged(at(5_000, { ...gone, lostAt: instant(4_500) }, seen(4_500)), 5_000).level).toBe("down");
    expect(judged(at(5_000, { ...gone, advancedAt: instant(4_500) }), 5_000).level).toBe("down");
    expect(judged(at(5_000, { ...gone, lostAt: null, probing: null }, seen(4_500)), 5_000).level).toBe("down");
  });

  it("vouches from the probe on that has had no answer yet", () => {
    const asked = { ...gone, lostAt: null, probing: instant(4_400) };
    expect(judged(at(5_000, asked, seen(4_500)), 5_000).withheld?.reason).toBe("witness-veto");
  });

  it("is overridden by all zones together after the longer bound, never by one", () => {
    const state = (ms: number) => at(ms, gone, seen(ms - 100));
    expect(judged(state(15_000), 15_000).level).toBe("suspect");
    expect(judged(state(15_000), 15_000, {}, true)).toMatchObject({ level: "down", withheld: null });
    expect(judged(state(14_999), 14_999, {}, true).level).toBe("up");
  });

  it("drains: bytes of a dead primary that were still on their way are no sign of life", () => {
    const lost = withNode(watching(), N1, gone);
    const advance = (askedBefore: number, ms: number) => {
      const asked = withNode(lost, N3, { readSentAt: instant(askedBefore), readAt: instant(askedBefore + 1) });
      const { state } = stepAt(asked, ms, {
        kind: "probe-ended",
        node: N3,
        sentAt: instant(ms - 1),
        observation: {
          kind: "answered",
          reading: reading({ runId: lost.nodes[N3]?.reading?.runId ?? ("" as never), offset: 300 }),
          settings: null,
          connection: { id: 1, authenticatedAt: instant(0) },
        },
      });
      return state.nodes[N3]?.advancedAt ?? null;
    };
    // Lost at 100, drained at 300: both answers must be from after that.
    expect([advance(299, 500), advance(300, 500)]).toEqual([null, 500]);
  });
});

describe("a voter that reaches nobody else", () => {
  const alone = (state: GroupState) =>
    [N2, N3].reduce((all, id) => withNode(all, id, { heard: "silent", lostAt: instant(0) }), state);

  it("abstains from verdicts by silence, for it may be the one cut off", () => {
    expect(judged(at(9_000, gone, alone), 9_000)).toMatchObject({ level: "up", withheld: { reason: "cut-off" } });
  });

  it("sees a reborn primary all the same", () => {
    expect(judged(at(9_000, { class: "reborn" }, alone), 9_000).level).toBe("down");
  });

  it.each([
    ["an answer within two rounds", { answeredAt: instant(7_500) }, false],
    ["an older answer", { answeredAt: instant(7_499) }, true],
    ["a probe that failed since", { answeredAt: instant(9_000), lostAt: instant(8_900) }, true],
  ])("is judged by %s of another node", (_, n2, result) => {
    const state = withNode(at(9_000, gone, alone), N2, { lostAt: null, ...n2 });
    const turn = turnAt(state, 9_000);
    expect(isCutOff(turn, state.nodes[N1] as NodeState)).toBe(result);
  });

  it("is one in whose first round no other node has answered yet", () => {
    const state = [N2, N3].reduce((all, id) => withNode(all, id, { answeredAt: null }), watching());
    expect(isCutOff(turnAt(state, 1_000), state.nodes[N1] as NodeState)).toBe(true);
  });
});

describe("primaryServes", () => {
  it("is asked of the committed primary that is known: none before a look, none uncommitted, none undeclared", () => {
    const strange = ballot({ primary: primary({ node: nodeId("n9") }) });
    const looks = [ballot(), null, newborn(), strange];
    expect(looks.map((look) => primaryServes(watching(look)))).toEqual([true, false, false, false]);
  });
});

describe("a voter that stalled", () => {
  it("discards what it inferred from silence, says so, and waits for its next round", () => {
    const state = { ...at(20_000, gone), dueAt: instant(10_000) };
    const { state: next, events, commands } = stepAt(state, 20_000, timePassed);
    expect(events).toMatchObject([{ event: "deciding.suspended", detail: { lateMs: 10_000 } }]);
    expect(next.rejection?.rejection.reason).toBe("suspended");
    expect(commands.filter((each) => each.kind === "write-ballot")).toEqual([]);
    expect(next.nodes[N1]).toMatchObject({ answeredAt: 20_000, lostAt: null, refusals: 0 });
    expect(stepAt(next, 20_500, timePassed).state.rejection?.rejection.reason).not.toBe("suspended");
  });

  it("is one that came more than a second late, not less", () => {
    const isSuspended = (ms: number) =>
      stepAt({ ...at(0, {}), dueAt: instant(0) }, ms, timePassed).events.some(
        (each) => each.event === "deciding.suspended",
      );
    expect([isSuspended(1_000), isSuspended(1_001)]).toEqual([false, true]);
  });

  it("is a bug of its clock when time goes back", () => {
    expect(() => stepAt({ ...at(0, {}), lastAt: instant(10) }, 9, timePassed)).toThrow(/monotonic/);
  });
});
