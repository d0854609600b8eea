import { describe, expect, it } from "vitest";
import { explain } from "../../lib/cli/explanation.ts";
import { PLAIN } from "../../lib/cli/paint.ts";
import { type GroupSnapshot, votersOf } from "../../lib/cli/snapshot.ts";
import { whyText } from "../../lib/cli/why-text.ts";
import type { Operation } from "../../lib/core/ballot.ts";
import type { HistoryRecord, SlotRecord } from "../../lib/core/records.ts";
import type { Rejection } from "../../lib/core/rejection.ts";
import { effectiveConfig } from "../../lib/core/spec.ts";
import { attemptId, epoch } from "../../lib/core/types.ts";
import {
  ago,
  ballot,
  copies,
  failoverHistory,
  GROUP,
  NOW,
  publication,
  rejection,
  slot,
  spec,
  step,
  VOTERS,
  view,
  vote,
} from "./records.ts";

const [A, B, C] = VOTERS as [(typeof VOTERS)[0], (typeof VOTERS)[0], (typeof VOTERS)[0]];

function snapshot(slots: readonly SlotRecord[], rest: Partial<GroupSnapshot> = {}): GroupSnapshot {
  return {
    at: NOW,
    spec: spec(),
    config: effectiveConfig(spec()),
    ballot: ballot(),
    unreadable: null,
    isForeign: false,
    request: null,
    publication: publication(),
    copies: copies(),
    servedShards: [0],
    voters: votersOf(slots, { group: GROUP, heartbeatMs: 5_000, at: NOW }),
    ...rest,
  };
}

const text = (
  slots: readonly SlotRecord[],
  rest: Partial<GroupSnapshot> = {},
  history: readonly HistoryRecord[] = [],
) => whyText(explain(snapshot(slots, rest), history), PLAIN).join("\n");

const healthy = VOTERS.map((voter) => slot(voter, view()));

const veto: Rejection = {
  reason: "witness-veto",
  detail: "n3 still receives from n2",
  ends: "n3 stops receiving, or all zones lose the primary for 15 s",
  check: "the routes to 172.31.37.55",
};

describe("whyText", () => {
  it("explains a veto: who sees what, what is missing, what would end it, what to check", () => {
    const seen = (sinceMs: number) =>
      view({ n2: { class: "silent", sinceMs: 42_700 } }, { rejection: rejection(veto, sinceMs) });
    expect(text([slot(A, seen(37_700)), slot(B, seen(37_500)), slot(C, view())])).toBe(
      [
        "NO FAILOVER for 38s: witness-veto",
        "az-a  primary silent 43s   vote withheld: n3 still receives from n2",
        "az-b  primary silent 43s   vote withheld: same",
        "az-c  primary ok 0.3s ago",
        "votes 0 of 2 needed; ends when n3 stops receiving, or all zones lose the primary for 15 s",
        "check: the routes to 172.31.37.55 (az-a, az-b)",
      ].join("\n"),
    );
  });

  it("explains a quorum that is not reached: one votes, one is cut off, one is gone", () => {
    const pending: Rejection = {
      reason: "quorum-pending",
      detail: "1 of 2 votes",
      ends: "az-b or az-c also finds the primary gone",
      check: null,
    };
    const cut: Rejection = {
      reason: "cut-off",
      detail: "az-b reaches no other node of the group and may be the one that is cut off",
      ends: "another node answers this voter",
      check: "routes and security groups of az-b",
    };
    const silent = { class: "silent", sinceMs: 9_700 } as const;
    expect(
      text(
        [
          slot(A, view({ n2: silent }, { vote: "down", rejection: rejection(pending, 4_700) })),
          slot(B, view({ n1: silent, n2: silent, n3: silent }, { rejection: rejection(cut, 3_000) })),
          slot(C, view(), { heartbeatAt: ago(200_000) }),
        ],
        { ballot: ballot({ votes: { [A]: vote("down") } }) },
      ),
    ).toBe(
      [
        "NO FAILOVER for 5.0s: quorum-pending",
        "az-a  primary silent 10s  votes down: 1 of 2 votes",
        "az-b  primary silent 10s  vote withheld: cut-off: az-b reaches no other node of the group and may be the one that is cut off",
        "az-c  not heard for 3m",
        "votes 1 of 2 needed; ends when az-b or az-c also finds the primary gone; or when another node answers this voter",
        "check: routes and security groups of az-b (az-b)",
      ].join("\n"),
    );
  });

  it("explains what is wrong beside a healthy primary", () => {
    const denied: Rejection = {
      reason: "misconfigured",
      detail: "n3: WRONGPASS invalid username-password pair",
      ends: "the coordinator can read INFO there again",
      check: "user, password, ACL and TLS of the coordinator on n3",
    };
    const seen = view({ n3: { class: "misconfigured", sinceMs: 59_700 } }, { rejection: rejection(denied, 59_700) });
    expect(text(VOTERS.map((voter) => slot(voter, seen)))).toBe(
      [
        "NOTHING IS DONE for 60s: misconfigured",
        "az-a  primary ok 0.3s ago  n3: WRONGPASS invalid username-password pair",
        "az-b  primary ok 0.3s ago  same",
        "az-c  primary ok 0.3s ago  same",
        "ends when the coordinator can read INFO there again",
        "check: user, password, ACL and TLS of the coordinator on n3 (az-a, az-b, az-c)",
      ].join("\n"),
    );
  });

  it("names what keeps a copy from being written, with a hint where a right is missing", () => {
    const dns = { hostedZoneId: "Z1", name: "www.example.com", ttlSeconds: 5 };
    const config = { ...effectiveConfig(spec()), publication: { parameterPrefix: "/valkeeper", dns } };
    const [denied, gone] = ["AccessDenied: not authorized", "NoSuchHostedZone: no hosted zone Z1"].map((detail) => ({
      detail,
      at: ago(60_000),
    }));
    const lines = (failures: object, of = copies(6, null)) =>
      text(healthy, { config, copies: { ...of, ...failures } })
        .split("\n")
        .slice(0, 4);
    expect(lines({ ssmFailure: denied, dnsFailure: gone })).toEqual([
      "DEGRADED",
      "  the primary is not published yet: ssm has epoch 6, dns has nothing",
      "  ssm cannot be written: AccessDenied: not authorized (is the group's parameterPrefix `publication.parameterPrefix` of the stack?)",
      "  dns cannot be written: NoSuchHostedZone: no hosted zone Z1",
    ]);
    // What failed once, and stands now.
    expect(lines({ dnsFailure: gone }, copies())[0]).toBe("OK: nothing is wrong");
  });

  it("warns of nodes whose heartbeats are too rare for an idle primary to have a witness", () => {
    const period = (seconds: number) => ({ heartbeatSeconds: seconds });
    const seen = view({ n1: period(1), n2: period(10), n3: period(60) });
    const lines = text(VOTERS.map((voter) => slot(voter, seen))).split("\n");
    expect(lines.slice(0, 2)).toEqual([
      "OK: nothing is wrong",
      "  repl-ping-replica-period should be 1, and n2 has 10, n3 has 60: an idle primary has no witness between heartbeats, so that a fault of the voters' network alone may replace it",
    ]);
    const fine = view({ n1: period(1), n2: period(1) });
    expect(text(VOTERS.map((voter) => slot(voter, fine)))).not.toContain("repl-ping-replica-period");
  });

  it("says that nothing is wrong, and explains the last failover", () => {
    expect(text(healthy, {}, failoverHistory())).toBe(
      [
        "OK: nothing is wrong",
        "az-a  primary ok 0.3s ago",
        "az-b  primary ok 0.3s ago",
        "az-c  primary ok 0.3s ago",
        "last failover: n1 -> n2 at epoch 7, 60m ago (2026-03-01 11:00:00Z), took 32 ms",
        "  why: az-a, az-c found the primary refused",
        "  old primary fenced: n1 demoted, follows 172.31.37.55:6379 (az-b)",
        "  possible loss: at least 812 B of the replication stream; the old primary was last read 430 ms before",
      ].join("\n"),
    );
  });

  it("explains an ordered switchover by who asked and why", () => {
    const history = [
      step("group.adopted", 0, { epoch: 1, detail: { node: "n2", nodes: 3 } }),
      step("operation.begun", 60_000, {
        detail: { kind: "switchover", by: "kim@ops", reason: "patching n2", step: "begun", target: "n1" },
      }),
      step("node.fenced", 60_020, { detail: { node: "n2", rung: "frozen", wasRole: "primary", offset: 9 } }),
      step("primary.committed", 60_040, { detail: { node: "n1", primaryEpoch: 7 } }),
      step("switchover.completed", 60_060, { detail: { tookMs: 58 } }),
    ];
    expect(text(healthy, {}, history).split("\n").slice(4)).toEqual([
      "last switchover: n2 -> n1 at epoch 7, 59m ago (2026-03-01 11:01:00Z), took 58 ms",
      "  why: kim@ops asked: patching n2",
      "  old primary fenced: n2 frozen (az-a)",
      "  possible loss: none recorded",
    ]);
  });

  it("tells of a parked fence and of an old primary that nobody reached", () => {
    const history = [
      step("fence.parked", 10, { voter: "az-b", detail: { node: "n1", assisted: true } }),
      step("fence.parked", 11, { voter: "az-a", detail: { node: "n1" } }),
      step("fence.parked", 12, { voter: "az-b", detail: { node: "n1", assisted: true } }),
      step("primary.committed", 36, { detail: { node: "n2", primaryEpoch: 7 } }),
      step("failover.completed", 47, { detail: { tookMs: 32, kind: "failover" } }),
    ];
    expect(text(healthy, {}, history)).toContain(
      "  old primary fenced: a freeze waits on a connection to n1 (az-a, az-b)",
    );
    const woken = step("node.fenced", 9_000, { voter: "az-b", detail: { node: "n1", rung: "parked" } });
    expect(text(healthy, {}, [...history, woken])).toContain("  old primary fenced: n1 frozen as it woke (az-b)");
    expect(text(healthy, {}, history.slice(3))).toContain(
      "  old primary fenced: nobody reached it before the promotion",
    );
  });

  it("says that the last attempt ended because a host was not stopped, until one has or a primary is committed", () => {
    const resting: Rejection = { reason: "backing-off", detail: "1 attempt", ends: "2 s have passed", check: null };
    const seen = VOTERS.map((voter) =>
      slot(voter, view({ n2: { class: "silent", sinceMs: 9_000 } }, { rejection: rejection(resting, 1_000) })),
    );
    const at = (ballot().primary?.epoch ?? 0) + 1;
    const refused = step("stop.refused", 1_000, {
      epoch: epoch(at),
      detail: { node: "n2", reason: "stop protection" },
    });
    const note = "the host of n2 was not stopped: stop protection";
    expect(text(seen, {}, [refused])).toContain(note);
    const stopped = step("node.stopped", 2_000, { epoch: epoch(at), detail: { node: "n2", host: "i-1" } });
    expect(text(seen, {}, [refused, stopped])).not.toContain(note);
    expect(text(seen, {}, [{ ...refused, epoch: epoch(at - 1) }])).not.toContain(note);
    expect(text(healthy, {}, [refused])).not.toContain(note);
  });

  it("names the host that was stopped among the fences", () => {
    const history = [...failoverHistory(), step("node.stopped", 5_000, { detail: { node: "n1", host: "i-0abc" } })];
    expect(text(healthy, {}, history)).toContain("host i-0abc of n1 stopped");
  });

  it("says what is going on during an operation", () => {
    const operation: Operation = {
      kind: "switchover",
      step: "intended",
      began: epoch(8),
      target: null,
      by: "kim@ops",
      reason: "patching n2",
      request: "r1",
      insists: false,
    };
    expect(text(healthy, { ballot: ballot({ epoch: epoch(8), operation }) }, failoverHistory()).split("\n")).toEqual([
      "SWITCHING OVER (intended) at epoch 8: kim@ops asked: patching n2",
      "az-a  primary ok 0.3s ago",
      "az-b  primary ok 0.3s ago",
      "az-c  primary ok 0.3s ago",
    ]);
  });

  it("says that a healthy group is paused, and would not be helped", () => {
    const control = {
      mode: "paused",
      by: "kim@ops",
      reason: "update",
      until: ago(-600_000),
      attempt: attemptId("p"),
    } as const;
    expect(
      text(healthy, { ballot: ballot({ control }) })
        .split("\n")
        .slice(0, 2),
    ).toEqual(["PAUSED", "  paused by kim@ops for another 10m (update): nothing would be done"]);
  });

  it("says that no voter is heard, or that the record is held still", () => {
    const silent = VOTERS.map((voter) => slot(voter, view(), { heartbeatAt: ago(180_000) }));
    expect(text(silent).split("\n")[0]).toBe(
      "NOTHING IS DONE: no voter has been heard for 3m: look at the functions' logs and schedules",
    );
    expect(text([]).split("\n")[0]).toBe(
      "NOTHING IS DONE: no voter has ever been heard: are the functions deployed and their schedules enabled?",
    );
    expect(text(healthy, { ballot: null, unreadable: "the ballot has schema 2" }).split("\n")[0]).toBe(
      "HELD STILL: the ballot has schema 2",
    );
  });

  it("says why a group is not adopted", () => {
    const refused: Rejection = {
      reason: "adoption-refused",
      detail: "n1, n2 claim to be primary",
      ends: "one is made a replica of the other, or a person decides",
      check: "valkeeper groups recover",
    };
    const seen = view({ n3: { class: "silent" } }, { rejection: rejection(refused, 19_700) });
    expect(text([slot(A, seen)], { ballot: ballot({ primary: null, epoch: epoch(0) }) })).toBe(
      [
        "NOT ADOPTED for 20s: adoption-refused",
        "az-a  n2 is primary, 2 of 3 nodes answer  n1, n2 claim to be primary",
        "ends when one is made a replica of the other, or a person decides",
        "check: valkeeper groups recover (az-a)",
      ].join("\n"),
    );
  });

  it("shows each voter's verdict on the primary of a group that is only observed", () => {
    const observed: Rejection = {
      reason: "not-adopted",
      detail: "the group is only observed",
      ends: "mode act is set",
      check: null,
    };
    const seen = (sinceMs: number) =>
      view({ n2: { class: "silent", sinceMs } }, { rejection: rejection(observed, 60_000) });
    const voters = [
      slot(A, seen(5_000)),
      slot(B, seen(4_900)),
      slot(C, view({}, { rejection: rejection(observed, 60_000) })),
    ];
    expect(
      text(voters, { ballot: ballot({ primary: null, epoch: epoch(0) }) })
        .split("\n")
        .slice(1, 4),
    ).toEqual([
      "az-a  n2 was primary, silent 5.3s (down: longer than 5.0s), 2 of 3 nodes answer  the group is only observed",
      "az-b  n2 was primary, silent 5.2s, 2 of 3 nodes answer                           same",
      "az-c  n2 is primary, 3 of 3 nodes answer                                         same",
    ]);
  });
});
