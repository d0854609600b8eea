import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { encodeBallot } from "../../lib/core/ballot-format.ts";
import { type BallotWrite, holds } from "../../lib/core/ballot-write.ts";
import { instant, wallTime } from "../../lib/core/types.ts";
import {
  A,
  attempt,
  B,
  ballot,
  C,
  context,
  control,
  history,
  lease,
  member,
  N1,
  N2,
  N3,
  node,
  ofEpoch,
  operation,
  primary,
  primaryReading,
  reading,
  request,
  run,
  stepAt,
  timePassed,
  vote,
  WALL_START,
  watching,
  withNode,
} from "./builders.ts";
import { decided, down, lost, quorum, up, valueAt, votes } from "./deciding.ts";

describe("a failover begins", () => {
  const { writes, rejection, turn } = decided(ballot({ votes }));
  const [grant] = writes;

  it("with one conditional write that sets epoch, lease, operation and budget, and nothing else", () => {
    expect([rejection, turn.commands.length, turn.events]).toEqual([null, 1, []]);
    expect(grant?.name).toBe("grant");
    expect(valueAt(grant, "epoch")).toBe(2);
    expect(valueAt(grant, "lease")).toMatchObject({ holder: A, generation: 1, version: 1, durationMs: 5_000 });
    expect(valueAt(grant, "operation")).toMatchObject({ kind: "failover", step: "begun", began: 2, reason: "silent" });
    expect(valueAt(grant, "budget")).toEqual([{ epoch: 2, at: WALL_START + 10, promoted: false }]);
  });

  it.each<[string, Partial<Ballot>]>([
    ["S1: the epoch has moved", { epoch: ofEpoch(2) }],
    ["S3: a counted vote was retracted", { votes: { ...votes, [B]: vote({ level: "clear" }) } }],
    ["R10: a counted vote is a suspicion by now", { votes: { ...votes, [B]: vote({ level: "suspect" }) } }],
    ["S3: a counted vote is on another primary", { votes: { ...votes, [B]: vote({ node: N2 }) } }],
    ["S3: a counted vote is on another epoch's primary", { votes: { ...votes, [B]: vote({ epoch: ofEpoch(3) }) } }],
    ["another lease stands", { lease: lease({ holder: C }) }],
    ["there is another primary", { primary: { ...(ballot().primary as never as object), node: N2 } as never }],
    ["R2: N has changed", { members: { ...ballot().members, version: 2 } }],
    ["S8: the control mode has changed", { control: control({ mode: "paused", attempt: "other" as never }) }],
  ])("unless %s", (_, changes) => {
    expect(holds(encodeBallot(ballot({ votes })), (grant as BallotWrite).condition)).toBe(true);
    expect(holds(encodeBallot(ballot({ votes, ...changes })), (grant as BallotWrite).condition)).toBe(false);
  });
});

describe("S12: a failover is not begun, and the reason says what is missing", () => {
  const armed = ballot({ votes });
  const refuse = context({ onPossibleLoss: "refuse", waitK: 1 });
  const alone = withNode(withNode(lost(armed), N2, { heard: "silent" }), N3, { heard: "silent" });
  it.each<[string, string, Parameters<typeof decided>[1] & { of?: Ballot }]>([
    ["observing", "in observe", { of: ballot({ votes, control: control({ mode: "observe" }) }) }],
    ["paused", "while paused", { of: ballot({ votes, control: control({ mode: "paused" }) }) }],
    ["not-armed", "before the group was seen healthy", { of: ballot({ votes, armed: false }) }],
    ["quorum-pending", "with one vote", { count: { ...quorum, down: [A] } }],
    ["quorum-pending", "without its own vote", { count: { ...quorum, down: [B, C] } }],
    ["quorum-pending", "R10: by suspicions", { count: { down: [A], suspectOrDown: [A, B, C], unreachable: [] } }],
    ["too-few-nodes", "when nobody else answers", { state: alone }],
    [
      "possible-loss-refused",
      "R2: with fewer nodes than refuse needs",
      { state: withNode(lost(armed), N3, { heard: "silent" }), context: refuse },
    ],
    [
      "unexplained-primary",
      "R22: beside a primary that no record explains",
      {
        state: withNode(lost(armed), N3, {
          reading: primaryReading({ runId: run(3), replicationId: history(9) }),
        }),
      },
    ],
  ])("%s: %s", (reason, _, { of = armed, ...options }) => {
    const { rejection, turn } = decided(of, { state: lost(of), ...options });
    expect([rejection?.reason, turn.commands]).toEqual([reason, []]);
    expect(rejection?.detail).not.toBe("");
    expect(rejection?.ends).not.toBe("");
  });

  it("names the voters that are waited for", () => {
    const { rejection } = decided(armed, { count: { ...quorum, down: [A] } });
    expect(rejection).toMatchObject({ detail: "1 of 2 votes", ends: "az-b or az-c also finds the primary gone" });
  });
});

describe("R20: the budget", () => {
  const spent = [0, 1, 2].map((n) =>
    attempt({ epoch: ofEpoch(2 + n), at: wallTime(WALL_START - 1_000 * n), promoted: true }),
  );

  it("allows one automatic failover per node in ten minutes, and then asks for a person", () => {
    expect(decided(ballot({ votes, budget: spent })).reason).toBe("budget-spent");
    const old = wallTime(WALL_START - 600_000);
    const { writes } = decided(ballot({ votes, budget: [attempt({ at: old }), ...spent.slice(1)] }));
    expect(valueAt(writes[0], "budget")).toHaveLength(3);
  });

  it("counts an attempt that a wall clock which went back makes look later than now", () => {
    const later = spent.map((each) => ({ ...each, at: wallTime(WALL_START + 3_600_000) }));
    expect(decided(ballot({ votes, budget: later })).reason).toBe("budget-spent");
  });

  it.each([
    [1, 2_000],
    [2, 4_000],
    [3, 8_000],
    [4, 16_000],
    [5, 30_000],
    [8, 30_000],
  ])("L4: after %i attempts in a row that promoted nobody it waits %i ms", (failures, waitMs) => {
    const budget = Array.from({ length: failures }, () => attempt({ promoted: false }));
    const of = ballot({ votes, budget });
    const roomy = context({ failoverBudget: 100 });
    expect(decided(of, { at: waitMs - 1, context: roomy }).reason).toBe("backing-off");
    expect(decided(of, { at: waitMs, context: roomy }).reason).not.toBe("backing-off");
  });

  it("forgets what is ten minutes old, and nothing younger", () => {
    const aged = (ms: number) => spent.map((each) => ({ ...each, at: wallTime(WALL_START + 10 - ms) }));
    expect(decided(ballot({ votes, budget: aged(599_999) })).reason).toBe("budget-spent");
    expect(decided(ballot({ votes, budget: aged(600_000) })).writes).toHaveLength(1);
  });

  it("waits for the wall clock too, when it has only begun to look, and for nothing once both say so", () => {
    const budget = [attempt({ at: wallTime(WALL_START), promoted: false })];
    const of = ballot({ votes, budget });
    const heard = withNode(lost(of), N2, { readAt: instant(1_990) });
    const first = { ...heard, failedAttempt: null };
    expect(decided(of, { state: first, at: 1_999 }).reason).toBe("backing-off");
    expect(decided(of, { state: first, at: 2_000 }).writes).toHaveLength(1);
    const clockWentBack = ballot({ votes, budget: [attempt({ at: wallTime(WALL_START + 60_000), promoted: false })] });
    expect(decided(clockWentBack, { at: 2_000 }).reason).toBe("backing-off");
    const longAgo = ballot({ votes, budget: [attempt({ at: wallTime(WALL_START - 60_000), promoted: false })] });
    const over = { ...heard, failedAttempt: { epoch: ofEpoch(1), overSince: instant(0) } };
    expect(decided(longAgo, { at: 1_999, state: over })).toMatchObject({
      reason: "backing-off",
      turn: { wakeAt: 2_000 },
    });
    expect(decided(longAgo, { at: 2_000, state: over }).writes).toHaveLength(1);
  });

  describe("L4: of a primary that a freeze of ours silences", () => {
    const silenced = (follows: string, of: Ballot) =>
      withNode(watching(of), N1, { reading: primaryReading({ role: "replica", follows: { host: follows, port: 1 } }) });
    const wrongRole = { ...down, cause: "wrong-role" } as const;
    const givenBack = (follows: string, budget: Ballot["budget"]) => {
      const of = ballot({ votes, budget });
      return decided(of, { state: silenced(follows, of), verdict: wrongRole });
    };

    it("does not forbid to give it back its place, and only that, and counts it", () => {
      const { writes } = givenBack("127.0.0.2", spent);
      expect(valueAt(writes[0], "operation")).toMatchObject({ kind: "failover", target: N1, insists: false });
      expect(valueAt(writes[0], "budget")).toHaveLength(4);
    });

    it("leaves the back-off as it is", () => {
      const failed = attempt({ at: wallTime(WALL_START), promoted: false });
      expect(givenBack("127.0.0.2", [...spent, failed]).reason).toBe("backing-off");
    });

    it("forbids it where somebody else points it at a node", () => {
      expect(givenBack("10.0.0.2", spent).reason).toBe("budget-spent");
    });
  });

  it("forgets the failures before one that promoted", () => {
    const budget = [attempt({ promoted: false }), attempt({ promoted: true })];
    expect(decided(ballot({ votes, budget })).writes).toHaveLength(1);
  });
});

describe("what is begun", () => {
  const kindOf = (result: ReturnType<typeof decided>) =>
    valueAt(result.writes[0], "operation") ?? result.rejection?.reason;

  it("is a switchover first when the old primary answers and cannot write", () => {
    const of = ballot({ votes });
    const verdict = { ...down, cause: "write-dead" } as const;
    const state = withNode(watching(of), N1, { class: "write-dead" });
    expect(kindOf(decided(of, { state, verdict }))).toMatchObject({ kind: "switchover", target: N2, insists: true });
  });

  it("is a failover of one that cannot write where nobody can take over from it in order", () => {
    const of = ballot({ votes });
    const verdict = { ...down, cause: "write-dead" } as const;
    const apart = [N2, N3].reduce(
      (state, id, index) => withNode(state, id, { reading: reading({ runId: run(2 + index), linkUp: false }) }),
      withNode(watching(of), N1, { class: "write-dead" }),
    );
    expect(kindOf(decided(of, { state: apart, verdict }))).toMatchObject({ kind: "failover", insists: true });
  });

  const restarted = (of: Ballot, values: object = {}) =>
    [N1, N2, N3].reduce((state, id, index) => {
      const said = reading({
        runId: run(21 + index),
        follows: { host: "127.0.0.1", port: 1 },
        linkUp: false,
        ...values,
      });
      return withNode(state, id, { reading: said, class: id === N1 ? "reborn" : "serving" });
    }, watching(of));

  it("R13: is a cold start when everybody restarted and everybody answers", () => {
    const of = ballot({ votes });
    const verdict = { ...down, cause: "reborn" } as const;
    expect(kindOf(decided(of, { state: restarted(of), verdict }))).toMatchObject({ kind: "cold-start" });
  });

  it("is no cold start while one is missing, and under wait a person decides", () => {
    const of = ballot({ votes });
    const verdict = { ...down, cause: "reborn" } as const;
    const missing = withNode(restarted(of), N3, { heard: "silent" });
    expect(kindOf(decided(of, { state: missing, verdict }))).toBe("too-few-nodes");
    expect(kindOf(decided(of, { state: restarted(of), verdict, context: context({ coldStart: "wait" }) }))).toBe(
      "cold-start-waiting",
    );
  });

  describe("is a cold start although one is missing", () => {
    const began = (goneAt: number | null, settings: object = {}, values: object = {}) => {
      const nodes = { [N1]: member(1), [N2]: member(2), [N3]: member(3, { goneAt }) };
      const of = ballot({ votes, members: { version: 1, nodes } });
      const state = withNode(restarted(of, values), N3, { heard: "silent" });
      const verdict = { ...down, cause: "reborn" } as const;
      const result = kindOf(decided(of, { state, verdict, context: context(settings) }));
      return typeof result === "string" ? result : (result as { kind: string }).kind;
    };

    it.each([
      [99, "cold-start"],
      [100, "cold-start"],
      [101, "too-few-nodes"],
      [null, "too-few-nodes"],
    ])("that was lost at %s, when the best of the others shows 100: %s", (goneAt, what) => {
      expect(began(goneAt)).toBe(what);
    });

    it("never where loss is refused, nor by data of another history", () => {
      expect(began(99, { onPossibleLoss: "refuse", coldStart: "best" })).toBe("too-few-nodes");
      expect(began(99, {}, { replicationId: history(9) })).toBe("too-few-nodes");
    });
  });

  describe("S12: while a primary that came back holds what the others lack, and loss is refused", () => {
    const nodes = [node(N1, { priority: 0 }), node(N2), node(N3)];
    const refuses = { onPossibleLoss: "refuse", waitK: 1, coldStart: "wait", nodes } as const;
    const back = (offset: number, config: object) => {
      const of = ballot({ votes });
      const reborn = reading({ runId: run(21), follows: { host: "127.0.0.1", port: 1 }, linkUp: false, offset });
      const state = withNode(watching(of), N1, { class: "reborn", reading: reborn });
      const verdict = { ...down, cause: "reborn" } as const;
      return kindOf(decided(of, { state, verdict, context: context(config) }));
    };

    it("nothing is begun that it would end: a person decides", () => {
      expect(back(101, refuses)).toBe("cold-start-waiting");
      expect(back(101, { ...refuses, coldStart: "best" })).toBe("unknown-history");
    });

    it("a failover is begun where it holds no more, may win itself, or loss is accepted", () => {
      expect(back(100, refuses)).toMatchObject({ kind: "failover" });
      expect(back(101, { ...refuses, nodes: [node(N1), node(N2), node(N3)] })).toMatchObject({ kind: "failover" });
      expect(back(101, { ...refuses, onPossibleLoss: "promote", waitK: 0 })).toMatchObject({ kind: "failover" });
    });

    it("the reason says how many count where all answer and they are too few", () => {
      const of = ballot({ votes });
      const reborn = { class: "reborn", reading: reading({ runId: run(21), linkUp: false }) } as const;
      const state = withNode(withNode(watching(of), N1, reborn), N3, { reading: reading({ runId: run(33) }) });
      const { rejection } = decided(of, { state, context: context(refuses) });
      expect(rejection).toMatchObject({
        reason: "cold-start-waiting",
        detail: "1 of 2 nodes count as promotable; coldStart is wait",
      });
    });

    it("R4: what a replica holds that restarted stands in nobody's way", () => {
      const of = ballot({ votes });
      const state = withNode(lost(of), N3, { reading: reading({ runId: run(33), offset: 101 }) });
      const settings = { ...refuses, waitK: 2, nodes: [node(N1), node(N2), node(N3, { priority: 0 })] } as const;
      expect(kindOf(decided(of, { state, context: context(settings) }))).toMatchObject({ kind: "failover" });
    });

    it("nothing is begun beside one that is write-dead and ahead of followers that it has lost", () => {
      const of = ballot({ votes });
      const ahead = (offset: number) => {
        const behind = (n: number) => ({ reading: reading({ runId: run(n), linkUp: false }) });
        const state = withNode(withNode(watching(of), N2, behind(2)), N3, behind(3));
        const dead = withNode(state, N1, { class: "write-dead", reading: primaryReading({ offset }) });
        const verdict = { ...down, cause: "write-dead" } as const;
        return kindOf(
          decided(of, {
            state: dead,
            verdict,
            context: context({ ...refuses, nodes: [node(N1), node(N2), node(N3)] }),
          }),
        );
      };
      expect(ahead(101)).toBe("cold-start-waiting");
      expect(ahead(100)).toMatchObject({ kind: "failover" });
    });
  });

  it("R25: is nothing while all the data is of histories that no record explains", () => {
    const of = ballot({ votes });
    const verdict = { ...down, cause: "reborn" } as const;
    const state = restarted(of, { replicationId: history(9) });
    expect(kindOf(decided(of, { state, verdict }))).toBe("unknown-history");
  });

  it("is a failover that only commits anew when a reborn primary was already followed by everybody", () => {
    const of = ballot({ votes });
    const said = { replicationId: history(9), offset: 3 };
    const state = [N2, N3].reduce(
      (known, id) =>
        withNode(known, id, { reading: reading({ ...said, runId: known.nodes[id]?.reading?.runId ?? run(0) }) }),
      withNode(watching(of), N1, { class: "reborn", reading: primaryReading({ ...said, runId: run(11) }) }),
    );
    const verdict = { ...down, cause: "reborn" } as const;
    expect(kindOf(decided(of, { state, verdict }))).toMatchObject({ kind: "failover", reason: "reborn and followed" });
  });
});

describe("what goes on already", () => {
  const standing = ballot({
    votes,
    epoch: ofEpoch(2),
    lease: lease({ holder: B, durationMs: 5_000 }),
    operation: operation(),
  });

  it("is left to its holder until its lease was seen unchanged for its duration", () => {
    const { reason, writes, turn } = decided(standing, { at: 4_999 });
    expect([reason, writes, turn.wakeAt]).toEqual(["operation-going-on", [], 5_000]);
  });

  it("S11: is taken over from then on, under a new epoch and only that very version", () => {
    const state = withNode(lost(standing), N2, { readAt: instant(4_900) });
    const { writes } = decided(standing, { at: 5_000, state });
    const [taken] = writes;
    expect(taken?.name).toBe("take-over");
    expect(valueAt(taken, "epoch")).toBe(3);
    expect(valueAt(taken, "lease")).toMatchObject({ holder: A, version: 2 });
    const renewed = { ...standing, lease: lease({ holder: B, version: 2 }) };
    expect([standing, renewed].map((of) => holds(encodeBallot(of), (taken as BallotWrite).condition))).toEqual([
      true,
      false,
    ]);
  });

  it("S11: is ended when its lease has lapsed although what should follow it cannot begin", () => {
    const step = "committed" as const;
    const decidedOn = { ...standing, operation: operation({ step, began: ofEpoch(1) }), primary: primary() };
    const fewer = { down: [A], suspectOrDown: [A], unreachable: [] };
    const state = withNode(lost(decidedOn), N2, { readAt: instant(4_900) });
    const early = decided(decidedOn, { at: 4_999, state, count: fewer });
    expect([early.reason, early.writes]).toEqual(["quorum-pending", []]);
    const late = decided(decidedOn, { at: 5_000, state, count: fewer });
    expect([late.reason, late.writes[0]?.name]).toEqual(["quorum-pending", "take-over"]);
  });

  it("S11: is left to the others for a second duration by the voter that let it lapse itself", () => {
    const own = (values: Parameters<typeof lease>[0]) => ({ ...standing, lease: lease(values) });
    const at = (of: Ballot, ms: number) =>
      decided(of, { at: ms, state: withNode(lost(of), N2, { readAt: instant(ms - 10) }) });
    expect(at(own({ holder: A, generation: 1 }), 9_999)).toMatchObject({
      reason: "operation-going-on",
      turn: { wakeAt: 10_000 },
    });
    expect(at(own({ holder: A, generation: 1 }), 10_000).writes[0]?.name).toBe("take-over");
    // Another invocation of it is another holder.
    expect(at(own({ holder: A, generation: 7 }), 5_000).writes[0]?.name).toBe("take-over");
    expect(at(own({ holder: B, generation: 1 }), 5_000).writes[0]?.name).toBe("take-over");
  });

  it("is taken over at once where no lease stands, and by nobody who has not seen the lease yet", () => {
    const unleased = { ...standing, lease: null };
    expect(decided(unleased).writes[0]?.name).toBe("take-over");
    const unseen = { ...lost(standing), leaseSighting: null };
    expect(decided(standing, { at: 20_000, state: unseen })).toMatchObject({
      reason: "operation-going-on",
      writes: [],
    });
  });

  it("waits for a write that is under way", () => {
    const busy = { ...lost(standing), storeBusy: { sentAt: instant(0), pending: null } };
    const state = withNode(busy, N2, { readAt: instant(4_990) });
    expect(decided(standing, { at: 5_000, state })).toMatchObject({ rejection: null, writes: [] });
  });

  it("makes way for a failover when it is a repair, and for nothing when it is not", () => {
    const repairing = { ...standing, operation: operation({ kind: "repair" }) };
    expect(decided(repairing, { at: 10 }).writes[0]?.name).toBe("grant");
    expect(decided(repairing, { at: 10, verdict: up }).reason).toBe("operation-going-on");
  });
});

describe("a request beside a dead primary", () => {
  it("that cannot be begun yet does not hold up the failover", () => {
    const of = ballot({ votes });
    const state = { ...lost(of), request: request({ target: N3 }), requestSince: instant(0) };
    const { writes } = decided(of, { state });
    expect(valueAt(writes[0], "operation")).toMatchObject({ kind: "failover", by: "automatic" });
  });
});

describe("one voter's whole step", () => {
  it("S3: grants only by its own quorum of looks", () => {
    const of = ballot({ votes: { [A]: vote({ generation: 1, seq: 1 }), [B]: vote() } });
    const fresh = {
      [A]: { generation: 1, seq: 1, absentAt: instant(0) },
      [B]: { generation: 1, seq: 1, absentAt: instant(0) },
    };
    const stale = { ...fresh, [B]: { generation: 1, seq: 1, absentAt: null } };
    const state = { ...lost(of), ownVote: { seq: 1, writtenAt: instant(5) } };
    const aged = withNode(state, N1, { answeredAt: instant(-6_000) });
    const [first, second] = [fresh, stale].map((sightings) => stepAt({ ...aged, sightings }, 10, timePassed));
    const names = (result: typeof first) =>
      result?.commands.flatMap((each) => (each.kind === "write-ballot" ? [each.write.name] : []));
    expect(names(first)).toEqual(["grant"]);
    expect(names(second)).not.toContain("grant");
  });
});
