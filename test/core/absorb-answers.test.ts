// What an answer changes in what a voter knows, taken by itself: no decision follows inside `absorb`.

import { describe, expect, it } from "vitest";
import { absorb } from "../../lib/core/absorb.ts";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { BallotWrite } from "../../lib/core/ballot-write.ts";
import type { Fact } from "../../lib/core/commands.ts";
import { LEASE_MARGIN_MS } from "../../lib/core/config.ts";
import { factsOf, type NodeFacts, newRun } from "../../lib/core/operation.ts";
import type { GroupState, PendingWrite } from "../../lib/core/state.ts";
import { attemptId, instant, type NodeCommand, type NodeOutcome } from "../../lib/core/types.ts";
import {
  A,
  addressOf,
  attempt,
  B,
  ballot,
  connection,
  lease,
  N1,
  N2,
  ofEpoch,
  operation,
  primary,
  primaryReading,
  reading,
  request,
  run,
  turnAt,
  vote,
  watching,
  withNode,
} from "./builders.ts";

function absorbed(state: GroupState, fact: Fact, at = 100) {
  const turn = turnAt(state, at);
  absorb(turn, fact);
  return { turn, state: turn.state, events: turn.events };
}

const written = (name: string): BallotWrite => ({
  name,
  group: "g" as never,
  attempt: { path: ["attempt"], id: attemptId("mine") },
  condition: { kind: "all", of: [] },
  changes: [],
});
const pendingOf = (name: string): PendingWrite => ({ write: written(name), sentAt: instant(50), events: [] });
const busyWith = (name: string, state: GroupState): GroupState => ({
  ...state,
  storeBusy: { sentAt: instant(50), pending: pendingOf(name) },
});
const ended = (name: string, outcome: Extract<Fact, { kind: "write-ended" }>["outcome"], sentAt = 50): Fact => ({
  kind: "write-ended",
  sentAt: instant(sentAt),
  write: written(name),
  outcome,
});

const begun = ballot({
  epoch: ofEpoch(2),
  lease: lease({ durationMs: 6_000 }),
  operation: operation({ kind: "switchover", target: N2, by: "alice", reason: "upgrade", step: "begun" }),
});
const runOfMine = newRun({
  ballot: begun,
  takenOver: false,
  at: instant(0),
  leaseUntil: instant(1),
  renewDueAt: instant(1),
});

describe("a lease that was given", () => {
  const stood = (name: string, state = watching()) =>
    absorbed(busyWith(name, state), ended(name, { kind: "applied", ballot: begun }));
  const detail = { kind: "switchover", by: "alice", reason: "upgrade", step: "begun" };

  it("begins an operation, whose lease counts from when it was asked for, and that is told", () => {
    const hold = { since: instant(0), lastPauseAt: instant(0) };
    const { state, events } = stood("grant", watching(ballot(), { hold }));
    expect(state).toMatchObject({
      hold: null,
      storeBusy: null,
      operation: {
        epoch: 2,
        kind: "switchover",
        takenOver: false,
        startedAt: 100,
        leaseUntil: 6_050 - LEASE_MARGIN_MS,
        renewDueAt: 2_050,
      },
    });
    expect(events).toEqual([
      { event: "lease.acquired", epoch: 2, node: null, detail },
      { event: "operation.begun", epoch: 2, node: null, detail: { ...detail, target: N2 } },
    ]);
  });

  it("takes an operation over, and begins none", () => {
    const { state, events } = stood("take-over");
    expect(state.operation).toMatchObject({ takenOver: true, startedAt: 100 });
    expect(events).toEqual([{ event: "lease.taken-over", epoch: 2, node: null, detail }]);
  });

  it("says nothing of an operation where the record names none", () => {
    const idle = { ...begun, operation: null };
    const toldOf = (name: string) =>
      absorbed(busyWith(name, watching()), ended(name, { kind: "applied", ballot: idle })).events;
    const none = { kind: "", by: "", reason: "", step: "" };
    expect(toldOf("take-over")).toMatchObject([{ event: "lease.taken-over", detail: none }]);
    expect(toldOf("grant")).toMatchObject([
      { event: "lease.acquired", detail: none },
      { event: "operation.begun", detail: { ...none, target: null } },
    ]);
  });

  it("remembers what was tried when the holder takes its own over, and what was found no more", () => {
    const facts = { ...factsOf(runOfMine, N2), promotionsFailed: 2, failures: 4, repointed: true };
    const operation = { ...runOfMine, startedAt: instant(7), failure: "it lags", facts: { [N2]: facts } };
    const { state } = stood("take-over", watching(ballot(), { operation }));
    expect(state.operation).toMatchObject({
      startedAt: 7,
      failure: "it lags",
      takenOver: true,
      facts: { [N2]: { ...factsOf(runOfMine, N2), promotionsFailed: 2 } },
    });
  });

  it.each(["renew", "ask-stop", "record-intent", "commit", "record-restored", "change-kind"])(
    "is renewed by %s",
    (name) => {
      const { state, events } = stood(name, watching(ballot(), { operation: runOfMine }));
      expect(state.operation).toMatchObject({ leaseUntil: 6_050 - LEASE_MARGIN_MS, renewDueAt: 2_050 });
      expect(events).toEqual([]);
    },
  );

  it.each(["cast-vote", "set-control"])("is not renewed by %s, which is no writing of the holder", (name) => {
    const { state } = stood(name, watching(ballot(), { operation: runOfMine }));
    expect(state.operation).toMatchObject({ leaseUntil: 1, renewDueAt: 1 });
  });

  it("is none without an operation of ours", () => {
    expect(stood("renew").state.operation).toBe(null);
    expect(stood("finish").state.operation).toBe(null);
  });

  it("ends with its release, and whoever asked is told then at the latest", () => {
    const of = ballot({ epoch: ofEpoch(2), lastRequest: "request-1" });
    const state = watching(of, { operation: runOfMine, request: request({ kind: "failover" }) });
    const { turn } = absorbed(busyWith("finish", state), ended("finish", { kind: "applied", ballot: of }));
    expect(turn.state.operation).toBe(null);
    expect(turn.commands).toMatchObject([{ kind: "resolve-request", id: "request-1", result: { kind: "done" } }]);
  });
});

describe("a write that found no record", () => {
  it("ends what was held, and the record is missing", () => {
    const state = busyWith("renew", watching(begun, { operation: runOfMine }));
    const { state: next } = absorbed(state, ended("renew", { kind: "refused", ballot: null }));
    expect(next).toMatchObject({ look: null, missing: true, operation: null, storeBusy: null });
  });

  it("is not this one, when it was sent before, or nothing is waited for", () => {
    const state = busyWith("renew", watching(begun, { operation: runOfMine }));
    const outcome = { kind: "refused", ballot: null } as const;
    expect(absorbed(state, ended("renew", outcome, 49)).state).toEqual(state);
    const idle = watching(begun, { operation: runOfMine });
    expect(absorbed(idle, ended("renew", outcome)).state).toEqual(idle);
    const readingIt = { ...idle, storeBusy: { sentAt: instant(50), pending: null } };
    expect(absorbed(readingIt, ended("renew", outcome)).state).toEqual(readingIt);
  });
});

describe("a look", () => {
  const reads = (of: Ballot | null, state: GroupState = watching(), at = 100) =>
    absorbed(
      { ...state, storeBusy: { sentAt: instant(50), pending: null } },
      { kind: "ballot-read", sentAt: instant(50), ballot: of },
      at,
    );

  it("keeps since when the group has been quiet, from the end of the last operation on", () => {
    expect(reads(ballot()).state.quietSince).toBe(0);
    expect(reads(begun).state.quietSince).toBe(null);
    expect(reads({ ...begun, operation: null }).state.quietSince).toBe(null);
    expect(reads({ ...begun, lease: null }).state.quietSince).toBe(null);
    expect(reads(ballot(), watching(begun)).state.quietSince).toBe(100);
    // Another operation began and ended between two looks.
    expect(reads(ballot({ epoch: ofEpoch(2) })).state.quietSince).toBe(100);
    expect(reads(ballot(), watching(null)).state.quietSince).toBe(100);
    expect(reads(ballot({ epoch: ofEpoch(2) }), watching(begun)).state.quietSince).toBe(100);
  });

  it("keeps since when the last attempt, which promoted nobody, is over (R20)", () => {
    const failed = attempt({ epoch: ofEpoch(3), promoted: false });
    const of = (more: Partial<Ballot>) => ballot({ epoch: ofEpoch(4), budget: [failed], ...more });
    const known = (more: Partial<Ballot>, seen = watching()) => reads(of(more), seen).state.failedAttempt;
    const over = { epoch: 3, overSince: 100 };
    expect(known({})).toEqual(over);
    // A repair came behind it: that is no rest's beginning.
    expect(known({ lease: lease(), operation: operation({ kind: "repair", began: ofEpoch(4) }) })).toEqual(over);
    expect(known({}, watching(null, { failedAttempt: { epoch: ofEpoch(3), overSince: instant(7) } }))).toEqual({
      epoch: 3,
      overSince: 7,
    });
    expect(known({}, watching(null, { failedAttempt: { epoch: ofEpoch(2), overSince: instant(7) } }))).toEqual(over);
    const standing = { lease: lease(), operation: operation({ began: ofEpoch(3) }) };
    expect(known(standing)).toBe(null);
    // The primary has its place back, and only telling is left: the next attempt would not wait for that.
    const told = { lease: lease(), operation: operation({ began: ofEpoch(3), step: "committed" }) };
    expect(known({ ...told, primary: primary({ epoch: ofEpoch(3) }) })).toEqual(over);
    expect(known({ budget: [] })).toBe(null);
    expect(known({ budget: [failed, attempt({ epoch: ofEpoch(4), promoted: true })] })).toBe(null);
  });

  it("counts the repairs that have ended, and nothing else", () => {
    const repairing = { ...begun, operation: operation({ kind: "repair" }) };
    const stood = (of: Ballot, seen: Ballot | null) => reads(of, watching(seen, { repairs: 1 })).state.repairs;
    expect(stood(ballot(), repairing)).toBe(2);
    expect([
      stood(repairing, repairing),
      stood(ballot(), begun),
      stood(ballot(), ballot()),
      stood(ballot(), null),
    ]).toEqual([1, 1, 1, 1]);
  });

  it("says nothing of the last primary's verdict by a new one's", () => {
    const announced = { level: "down", objectively: true } as const;
    const known = watching(ballot(), { announced });
    expect(reads(ballot(), known).state.announced).toEqual(announced);
    const next = ballot({ primary: primary({ node: N2, epoch: ofEpoch(2) }) });
    expect(reads(next, known).state.announced).toEqual({ level: "up", objectively: false });
  });

  it("remembers the last five requests that have ended", () => {
    const seen = (last: string | null, before: string | null, pastRequests: readonly string[] = []) =>
      reads(ballot({ lastRequest: last }), watching(ballot({ lastRequest: before }), { pastRequests })).state
        .pastRequests;
    expect(seen("b", "a")).toEqual(["a"]);
    expect([seen("a", "a"), seen("a", null)]).toEqual([[], []]);
    expect(seen("b", "a", ["a"])).toEqual(["a"]);
    expect(seen("g", "f", ["a", "b", "c", "d", "e"])).toEqual(["b", "c", "d", "e", "f"]);
  });

  it("tells that the store answers again, and forgets its failure", () => {
    const away = { storeFailedSince: instant(1), storeRetryAt: instant(200), storeDetail: "ECONNREFUSED" };
    const { state, events } = reads(ballot(), watching(ballot(), away));
    expect(state).toMatchObject({ storeFailedSince: null, storeRetryAt: null, storeDetail: "", staleLook: false });
    expect(events.map(({ event }) => event)).toEqual(["store.reachable"]);
    expect(reads(ballot()).events).toEqual([]);
    expect(reads(null, watching(ballot(), away)).events.map(({ event }) => event)).toEqual(["store.reachable"]);
  });

  it("at a record means that it is missing no more", () => {
    expect(reads(ballot(), watching(null, { missing: true })).state).toMatchObject({ missing: false });
  });

  it("that nobody waits for shows nothing", () => {
    const idle = watching();
    expect(absorbed(idle, { kind: "ballot-read", sentAt: instant(50), ballot: begun }).state).toEqual(idle);
    expect(absorbed(idle, { kind: "store-failed", detail: "reset", unreadable: false }).state).toEqual(idle);
  });

  it("tells once that the store is away", () => {
    const fails = (state: GroupState) =>
      absorbed(
        { ...state, storeBusy: { sentAt: instant(50), pending: null } },
        { kind: "store-failed", detail: "reset", unreadable: false },
      ).events.map(({ event }) => event);
    expect(fails(watching())).toEqual(["store.unreachable"]);
    expect(fails(watching(ballot(), { storeFailedSince: instant(1) }))).toEqual([]);
  });

  it("S11: finds a release of ours only under our epoch, and only where nothing stands any more", () => {
    const stood = (name: string, of: Ballot) =>
      reads(of, watching(begun, { operation: runOfMine, unresolved: pendingOf(name) })).state.operation === null;
    const quiet = ballot({ epoch: ofEpoch(2), attempt: attemptId("another's") });
    expect(stood("finish", quiet)).toBe(true);
    expect(stood("renew", quiet)).toBe(false);
    const renewing = watching(begun, { operation: runOfMine, unresolved: pendingOf("renew") });
    expect(reads(quiet, renewing).state.operation).toEqual(runOfMine);
    const dropped = watching(begun, { operation: null, unresolved: pendingOf("finish") });
    expect(reads(quiet, dropped).state).toMatchObject({ operation: null, unresolved: null });
    expect(stood("finish", { ...quiet, epoch: ofEpoch(3) })).toBe(false);
    expect(stood("finish", { ...quiet, lease: lease() })).toBe(false);
    expect(stood("finish", { ...quiet, operation: operation() })).toBe(false);
  });
});

describe("an order that was read", () => {
  const result = { kind: "done", detail: "", epoch: ofEpoch(1), at: 0 as never } as const;
  /** The record named `before` as the last one begun when the order was read, and names `now` at the next look. */
  const isOld = (asked: ReturnType<typeof request> | null, before: string | null, now: string | null) => {
    const state = watching(ballot({ lastRequest: before }), { request: asked });
    const busy = { ...state, storeBusy: { sentAt: instant(50), pending: null } };
    const look = ballot({ lastRequest: now });
    return absorbed(busy, { kind: "ballot-read", sentAt: instant(60), ballot: look }).state.isRequestOld;
  };

  it("is old once the record names another as the last one begun, and not before", () => {
    expect(isOld(request(), "request-0", "request-2")).toBe(true);
    expect(isOld(request(), null, "request-2")).toBe(true);
    expect(isOld(request(), "request-0", "request-0")).toBe(false);
  });

  it("is not old when it is the one that was begun, or was answered, nor is one that nobody gave", () => {
    expect(isOld(request(), "request-0", "request-1")).toBe(false);
    expect(isOld(request({ result }), "request-0", "request-2")).toBe(false);
    expect(isOld(null, "request-0", "request-2")).toBe(false);
  });
});

describe("a glance", () => {
  const glance = (of: Ballot | null, state: GroupState = watching(), asked = request()) =>
    absorbed(state, { kind: "glanced", ballot: of, request: asked, readBehind: null }).state;

  it("at no ballot where one was is a reason to look; before a look, none", () => {
    expect(glance(null).staleLook).toBe(true);
    expect(glance(null, watching(null)).staleLook).toBe(false);
    expect(glance(ballot(), watching(null)).staleLook).toBe(false);
  });

  it("sees a vote that was not there as something new", () => {
    expect(glance(ballot({ votes: { [A]: vote() } }), watching(ballot({ votes: { [B]: vote() } }))).staleLook).toBe(
      true,
    );
  });

  it("takes a request that has ended for one of the past, and no older sight of it for one that waits", () => {
    const result = { kind: "done", detail: "", epoch: ofEpoch(1), at: 0 as never } as const;
    const over = glance(ballot(), watching(), request({ result }));
    expect(over).toMatchObject({ pastRequests: ["request-1"], request: { result } });
    expect(glance(ballot(), over, request()).request).toMatchObject({ result });
    expect(glance(ballot(), watching(), request()).pastRequests).toEqual([]);
    expect(glance(ballot(), over, request({ id: "request-2" })).request?.id).toBe("request-2");
    const past = watching(ballot(), { pastRequests: ["request-1"] });
    expect(glance(ballot(), past, request({ result })).request).toMatchObject({ result });
  });
});

describe("the end of a command", () => {
  const epoch = ofEpoch(2);
  const freeze: NodeCommand = { kind: "freeze", epoch, connection: 1, parked: false };
  const applied = (after = reading({ offset: 150 })): NodeOutcome =>
    ({ kind: "applied", before: reading(), after, connection: connection(1), rewriteError: null }) as NodeOutcome;
  const over = (command: NodeCommand, late: boolean, facts: Partial<NodeFacts> = {}, node = N2) => {
    const operation = { ...runOfMine, facts: { [node]: { ...factsOf(runOfMine, node), ...facts } } };
    const state = withNode(watching(begun, { operation }), node, { probeDueAt: instant(900) });
    const { state: next } = absorbed(state, { kind: "command-ended", node, command, outcome: applied(), late });
    return { facts: next.operation?.facts[node], node: next.nodes[node] };
  };

  it("in time is taken for what it is", () => {
    expect(over(freeze, false).facts?.frozen).toMatchObject({ after: { offset: 150 } });
  });

  it("that was given up before is looked into instead", () => {
    expect(over(freeze, true)).toMatchObject({ facts: { frozen: null }, node: { probeDueAt: 100 } });
  });

  it("of a parked freeze may come late, unless something was done to the node since", () => {
    const parked = { ...freeze, parked: true };
    expect(over(parked, true).facts?.frozen).not.toBe(null);
    for (const since of [{ settled: reading() }, { promoted: primaryReading() }]) {
      expect(over(parked, true, since)).toMatchObject({ facts: { frozen: null }, node: { probeDueAt: 100 } });
    }
  });

  it("S4: of another epoch changes nothing of this operation", () => {
    expect(over({ ...freeze, epoch: ofEpoch(1) }, false).facts?.frozen).toBe(null);
    const repoint = {
      kind: "repoint",
      epoch: ofEpoch(1),
      connection: 1,
      to: addressOf(N1),
      dropClients: false,
    } as const;
    expect(over(repoint, false)).toMatchObject({ facts: { repointed: false }, node: { reading: { offset: 100 } } });
  });

  it("of an epoch in which this voter only helped is told as that, also when it holds another by now", () => {
    const assistance = { [N2]: { epoch: ofEpoch(1), done: false } } as unknown as GroupState["assistance"];
    const state = watching(begun, { operation: runOfMine, assistance });
    const command = { ...freeze, epoch: ofEpoch(1) };
    const { state: next, events } = absorbed(state, {
      kind: "command-ended",
      node: N2,
      command,
      outcome: applied(),
      late: false,
    });
    expect(events).toMatchObject([{ event: "node.fenced", node: N2, epoch: 1 }]);
    expect(next.assistance[N2]?.done).toBe(true);
    expect(next.operation?.facts[N2]).toBe(undefined);
  });

  it("names the node's class anew by what the command showed", () => {
    const state = watching(begun, { operation: runOfMine });
    const outcome = applied(primaryReading({ runId: run(2) }));
    const { state: next } = absorbed(state, { kind: "command-ended", node: N2, command: freeze, outcome, late: false });
    expect(next.nodes[N2]?.class).toBe("wrong-role");
  });
});

describe("the end of a publication", () => {
  const publication = {
    schema: 1,
    group: "g",
    table: "t",
    epoch: 2,
    revision: 3,
    primary: { node: N1, address: addressOf(N1) },
    replicas: [],
    at: 0,
  } as never;
  const published = (target: "table" | "ssm", result: "written" | "failed" | "skipped") =>
    absorbed(watching(begun, { operation: runOfMine }), {
      kind: "publish-ended",
      target,
      publication,
      result,
      detail: "throttled",
    } as Fact);

  it("is told with what was published where, and what came of it", () => {
    const detail = { target: "ssm", revision: 3, primary: N1, reason: "throttled" };
    expect(published("ssm", "written").events).toEqual([
      { event: "publication.committed", node: N1, epoch: 2, detail: { ...detail, result: "written" } },
    ]);
    expect(published("ssm", "failed").events).toEqual([
      { event: "publication.failed", node: N1, epoch: 2, detail: { ...detail, result: "failed" } },
    ]);
    expect(published("ssm", "skipped").events).toEqual([]);
  });

  it("to the table is what the operation waits for", () => {
    const isPublished = (...given: Parameters<typeof published>) => published(...given).state.operation?.tablePublished;
    expect([isPublished("table", "written"), isPublished("table", "skipped"), isPublished("ssm", "written")]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe("a connection that was cut", () => {
  it("has its node looked at at once", () => {
    const state = withNode(watching(), N2, { probeDueAt: instant(900) });
    const { state: next } = absorbed(state, { kind: "connection-cut", node: N2 } as Fact);
    expect(next.nodes[N2]?.probeDueAt).toBe(100);
  });
});
