import { describe, expect, it } from "vitest";
import type { GroupState, NodeState } from "../../lib/core/state.ts";
import { instant } from "../../lib/core/types.ts";
import { isCutOff, judge, type Verdict } from "../../lib/core/verdict.ts";
import { context, N1, N2, N3, primary, reading, stepAt, timePassed, turnAt, watching, withNode } from "./builders.ts";

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
