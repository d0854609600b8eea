// S12: what an operator reads when nothing is done although something is wrong. Each rejection word for word: what is
// missing, what ends it, and what a person can look at or do.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { decide } from "../../lib/core/decision.ts";
import { factsOf, newRun, type OperationRun } from "../../lib/core/operation.ts";
import type { Count } from "../../lib/core/quorum.ts";
import type { Context, GroupState } from "../../lib/core/state.ts";
import { instant, type NodeReading, wallTime } from "../../lib/core/types.ts";
import type { Verdict } from "../../lib/core/verdict.ts";
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
  N1,
  N2,
  N3,
  ofEpoch,
  operation,
  primaryReading,
  reading,
  run,
  stepAt,
  timePassed,
  turnAt,
  vote,
  WALL_START,
  watching,
  withNode,
} from "./builders.ts";

const down: Verdict = { level: "down", cause: "silent", silentMs: 5_000, withheld: null };
const up: Verdict = { level: "up", cause: "serving", silentMs: 0, withheld: null };
const quorum: Count = { down: [A, B], suspectOrDown: [A, B], unreachable: [] };
const votes = { [A]: vote(), [B]: vote() };
const armed = ballot({ votes });

const lost = (of: Ballot = armed): GroupState =>
  withNode(watching(of), N1, { class: "silent", heard: "silent", connection: null, lostAt: instant(-5_000) });
const silent = { heard: "silent" } as const;

interface Situation {
  readonly of?: Ballot;
  readonly state?: GroupState;
  readonly verdict?: Verdict;
  readonly count?: Count;
  readonly at?: number;
  readonly context?: Context;
}

const rejected = ({ of = armed, ...given }: Situation) => {
  const turn = turnAt(given.state ?? lost(of), given.at ?? 10, given.context ?? context());
  return decide(turn, of, given.verdict ?? down, given.count ?? quorum);
};

const said = (reason: string, detail: string, ends: string, check: string | null = null) => ({
  reason,
  detail,
  ends,
  check,
});

/** Every node restarted with its data, and follows nobody. */
const restarted = (of: Ballot, values: Partial<NodeReading> = {}): GroupState =>
  [N1, N2, N3].reduce((state, id, index) => {
    const each = { runId: run(21 + index), follows: { host: "127.0.0.1", port: 1 }, linkUp: false, ...values };
    return withNode(state, id, { reading: reading(each), class: id === N1 ? "reborn" : "serving" });
  }, watching(of));
const reborn: Verdict = { ...down, cause: "reborn" };
const stranger = { reading: primaryReading({ runId: run(3), replicationId: history(9) }) };
const astray = withNode(watching(), N2, { reading: reading({ follows: { host: "10.9.9.9", port: 6379 } }) });

describe("S12: instead of a failover an operator reads", () => {
  const standing = (values: Partial<Ballot> = {}): Ballot =>
    ballot({ votes, epoch: ofEpoch(2), lease: lease({ holder: B }), operation: operation(), ...values });
  const spent = [0, 1, 2].map((n) => attempt({ epoch: ofEpoch(2 + n), at: wallTime(WALL_START - n), promoted: true }));
  const failed = [attempt({ promoted: false })];

  it.each<[string, Situation, ReturnType<typeof said>]>([
    [
      "that another's operation goes on",
      { of: standing() },
      said("operation-going-on", "failover under the lease of az-b", "it ends, or its lease lapses"),
    ],
    [
      "that a lease stands over nothing",
      { of: standing({ operation: null }) },
      said("operation-going-on", "an operation under the lease of az-b", "it ends, or its lease lapses"),
    ],
    [
      "that this voter reaches no node, and leaves a lapsed operation to the others",
      {
        of: standing(),
        state: [N2, N3].reduce((state, id) => withNode(state, id, silent), lost(standing())),
        at: 5_000,
      },
      said("cut-off", "az-a reaches no node of the group", "a node answers this voter"),
    ],
    [
      "that the group is only observed",
      { of: ballot({ votes, control: control({ mode: "observe" }) }) },
      said("observing", "the group is only observed", "mode act is set"),
    ],
    [
      "who paused the group and why",
      { of: ballot({ votes, control: control({ mode: "paused", by: "alice", reason: "upgrade" }) }) },
      said("paused", "paused by alice: upgrade", "it is resumed, or the pause expires"),
    ],
    [
      "that the group was not healthy for long enough",
      { of: ballot({ votes, armed: false }) },
      said("not-armed", "not seen healthy for 10000 ms yet", "the group is healthy for that long"),
    ],
    [
      "whose votes are missing",
      { count: { ...quorum, down: [A] } },
      said("quorum-pending", "1 of 2 votes", "az-b or az-c also finds the primary gone"),
    ],
    [
      "that its own vote is missing",
      { count: { ...quorum, down: [B, C] } },
      said("quorum-pending", "2 of 2 votes", "az-a also finds the primary gone"),
    ],
    [
      "how many failovers were made",
      { of: ballot({ votes, budget: spent }) },
      said(
        "budget-spent",
        "3 automatic failovers in ten minutes, 3 allowed",
        "ten minutes have passed since the first of them, or a person orders a failover",
        "why the primaries keep failing",
      ),
    ],
    [
      "how many attempts promoted nobody",
      { of: ballot({ votes, budget: failed }) },
      said("backing-off", "1 attempts in a row promoted nobody", "2000 ms have passed since"),
    ],
    [
      "R22: which nodes claim to be primary",
      { state: [N2, N3].reduce((state, id) => withNode(state, id, stranger), lost()) },
      said(
        "unexplained-primary",
        "n2 and n3 claim to be primary with histories that no record explains",
        "a person decides which data counts",
        "valkeeper groups recover",
      ),
    ],
    [
      "who does not answer and why the others are not enough",
      { state: [N2, N3].reduce((state, id) => withNode(state, id, silent), lost()) },
      said(
        "too-few-nodes",
        "0 of 1 nodes count as promotable: no node that answered counts; n1, n2 and n3 do not answer",
        "n1, n2 and n3 answer",
        "n1, n2, n3",
      ),
    ],
    [
      "R2: how many nodes refuse needs",
      { state: withNode(lost(), N3, silent), context: context({ onPossibleLoss: "refuse", waitK: 1 }) },
      said(
        "possible-loss-refused",
        "1 of 2 nodes count as promotable; n1 and n3 do not answer",
        "n1 and n3 answer",
        "n1, n3",
      ),
    ],
    [
      "that a person decides about a cold start",
      { state: restarted(armed), verdict: reborn, context: context({ coldStart: "wait" }) },
      said(
        "cold-start-waiting",
        "no node that answered counts (n2: it restarted since it was last in sync; n3: it restarted since it was last in sync); coldStart is wait",
        "a person decides whose data counts",
        "valkeeper groups recover",
      ),
    ],
    [
      "R25: that nobody knows the data",
      { state: restarted(armed, { replicationId: history(9) }), verdict: reborn },
      said(
        "unknown-history",
        "n1, n2, n3 holds data of a history that no record explains (n1: its replication id is in no recorded history; n2: its replication id is in no recorded history; n3: its replication id is in no recorded history)",
        "a person decides whose data counts",
        "valkeeper groups recover",
      ),
    ],
  ])("%s", (_, situation, expected) => {
    expect(rejected(situation)).toEqual(expected);
  });
});

describe("S12: instead of a repair an operator reads", () => {
  it.each<[string, Situation, ReturnType<typeof said>]>([
    [
      "R22: that a node claims to be primary",
      { state: [N2, N3].reduce((state, id) => withNode(state, id, stranger), watching()), verdict: up },
      said(
        "unexplained-primary",
        "n2 and n3 claim to be primary with histories that no record explains",
        "a person decides which data counts",
        "valkeeper groups recover, or REPLICAOF on it",
      ),
    ],
    [
      "R22: which node claims it alone",
      { state: withNode(watching(), N2, stranger), verdict: up },
      said(
        "unexplained-primary",
        "n2 claims to be primary with a history that no record explains",
        "a person decides which data counts",
        "valkeeper groups recover, or REPLICAOF on it",
      ),
    ],
    [
      "that the last repair did not help one node",
      { state: { ...astray, repairs: 2 }, verdict: up },
      said(
        "backing-off",
        "n2 was not brought in line by the last repair",
        "500 ms have passed since",
        "what n2 says to REPLICAOF",
      ),
    ],
    [
      "that the last repair did not help",
      {
        state: {
          ...withNode(astray, N3, { reading: reading({ runId: run(3), follows: { host: "10.9.9.9", port: 6379 } }) }),
          repairs: 2,
        },
        verdict: up,
      },
      said(
        "backing-off",
        "n2 and n3 were not brought in line by the last repair",
        "500 ms have passed since",
        "what n2 and n3 say to REPLICAOF",
      ),
    ],
  ])("%s", (_, situation, expected) => {
    expect(rejected({ of: ballot(), ...situation })).toEqual(expected);
  });
});

describe("S12: before anything is decided an operator reads", () => {
  const after = (state: GroupState, at = 10) => stepAt(state, at, timePassed).state.rejection?.rejection;

  it.each<[string, GroupState, ReturnType<typeof said>]>([
    [
      "that the record is not readable",
      watching(null, { unreadable: "the ballot has schema 9" }),
      said(
        "record-unreadable",
        "the ballot has schema 9",
        "the record is readable again",
        "update Valkeeper; a damaged one: docs/operations.md, record-unreadable",
      ),
    ],
    [
      "that this voter was stalled",
      watching(ballot(), { suspendedUntil: instant(500) }),
      said("suspended", "this voter was stalled and what it saw then is not trusted", "its next round of probes", null),
    ],
    [
      "that there is no record yet",
      watching(null),
      said("not-adopted", "the group has no record yet", "its first record is written"),
    ],
    [
      "that the record is another table's",
      watching(ballot({ table: "table-9" })),
      said(
        "foreign-table",
        "the record was written for table table-9",
        "a person decides that this table is the one",
        "valkeeper groups recover",
      ),
    ],
    [
      "that the table does not answer",
      watching(ballot(), { storeFailedSince: instant(0), storeDetail: "ECONNREFUSED" }),
      said(
        "store-unreachable",
        "ECONNREFUSED",
        "the table answers again",
        "DynamoDB, its gateway endpoint and the voter's role",
      ),
    ],
    [
      "that the table does not answer, before the first look",
      watching(null, { storeFailedSince: instant(0), storeDetail: "ECONNREFUSED" }),
      said(
        "store-unreachable",
        "ECONNREFUSED",
        "the table answers again",
        "DynamoDB, its gateway endpoint and the voter's role",
      ),
    ],
  ])("%s", (_, state, expected) => {
    expect(after(state)).toEqual(expected);
  });

  it("since when it is so, and nothing once it is over", () => {
    const first = stepAt(watching(null), 10, timePassed).state;
    const second = stepAt(first, 20, timePassed).state;
    expect([first.rejection?.since, second.rejection?.since]).toEqual([10, 10]);
    const other = stepAt({ ...second, unreadable: "damaged" }, 30, timePassed).state;
    expect(other.rejection).toMatchObject({ since: 30, rejection: { reason: "record-unreadable" } });
    const over = { ...watching(), rejection: second.rejection };
    expect(stepAt(over, 40, timePassed).state.rejection).toBeNull();
  });
});

describe("S12: while its own operation does not go on an operator reads", () => {
  const mine = ballot({ epoch: ofEpoch(2), lease: lease(), operation: operation({ kind: "switchover", target: N2 }) });
  const begun = newRun({
    ballot: mine,
    takenOver: false,
    at: instant(0),
    leaseUntil: instant(40_000),
    renewDueAt: instant(40_000),
  });
  const rejection = (values: Partial<OperationRun>, of = mine, at = 30_000) =>
    stepAt(watching(of, { operation: { ...begun, ...values } }), at, timePassed).state.rejection?.rejection ?? null;
  const facts = { ...factsOf(begun, N1), failure: "NOAUTH" };

  it("for how long it has gone on, and what the nodes refuse", () => {
    expect(rejection({})).toEqual(said("operation-going-on", "switchover for 30 s: ", "it ends"));
    expect(rejection({ facts: { [N2]: facts, [N1]: facts, [N3]: factsOf(begun, N3) } })).toEqual(
      said("operation-going-on", "switchover for 30 s: n2: NOAUTH; n1: NOAUTH", "it ends", "what the nodes refuse"),
    );
  });

  it("nothing for as long as a step may take, nor once it is decided", () => {
    const { stepTimeoutMs } = context().config;
    expect([rejection({}, mine, stepTimeoutMs), rejection({}, mine, stepTimeoutMs + 1)?.reason]).toEqual([
      null,
      "operation-going-on",
    ]);
    expect(rejection({}, { ...mine, operation: operation({ kind: "switchover", step: "committed" }) })).toBeNull();
  });
});
