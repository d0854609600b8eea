import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { decodeBallot, encodeBallot } from "../../lib/core/ballot-format.ts";
import { type BallotWrite, interpret } from "../../lib/core/ballot-write.ts";
import type { Fact } from "../../lib/core/commands.ts";
import { finish } from "../../lib/core/holder-writes.ts";
import { newRun } from "../../lib/core/operation.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { attemptId, instant } from "../../lib/core/types.ts";
import {
  A,
  ballot,
  context,
  history,
  lease,
  N1,
  N2,
  newborn,
  ofEpoch,
  operation,
  primaryReading,
  probeEnded,
  refused,
  request,
  stepAt,
  timePassed,
  vote,
  watching,
  withNode,
} from "./builders.ts";

const apply = (of: Ballot, write: BallotWrite): Ballot => decodeBallot(interpret(encodeBallot(of), write).item ?? {});

const writeOf = (commands: readonly { kind: string }[]): BallotWrite => {
  const found = commands.find((each) => each.kind === "write-ballot") as { write: BallotWrite } | undefined;
  if (found === undefined) throw new Error("no write");
  return found.write;
};

const isReading = (commands: readonly { kind: string }[]): boolean =>
  commands.some((each) => each.kind === "read-ballot");

/** A quiet group whose primary has changed its replication id: one write is due. */
const due = (): GroupState =>
  withNode(watching(), N1, { reading: primaryReading({ replicationId: history(2) }), readSentAt: instant(0) });

describe("a write's answer", () => {
  const sent = stepAt(due(), 10, timePassed);
  const write = writeOf(sent.commands);
  const ended = (outcome: Extract<Fact, { kind: "write-ended" }>["outcome"], sentAt = 10): Fact => ({
    kind: "write-ended",
    sentAt: instant(sentAt),
    write,
    outcome,
  });
  const stands = apply(ballot(), write);

  it("tells the write's events when it stands, not before", () => {
    expect(sent.events).toEqual([]);
    const { state, events } = stepAt(sent.state, 15, ended({ kind: "applied", ballot: stands }));
    expect(events.map((each) => each.event)).toEqual(["primary.replication-id-changed"]);
    expect(state).toMatchObject({ storeBusy: null, look: { ballot: stands, sentAt: 10, at: 15 } });
  });

  it("tells nothing of a write that lost its race, and takes the record that won", () => {
    const won = ballot({ epoch: ofEpoch(5) });
    const { state, events } = stepAt(sent.state, 15, ended({ kind: "refused", ballot: won }));
    expect(events).toEqual([]);
    expect(state.look?.ballot).toBe(won);
  });

  it("is resolved by a consistent read when it was lost, before anything else is written", () => {
    const lost = stepAt(sent.state, 15, ended({ kind: "unknown", detail: "time-out" }));
    expect(lost.events.map((each) => each.event)).toEqual(["store.unreachable"]);
    expect(lost.commands.filter((each) => each.kind.endsWith("ballot"))).toEqual([]);
    const asked = stepAt(lost.state, 115, timePassed);
    expect(asked.commands).toContainEqual({ kind: "read-ballot" });
    expect(asked.commands.filter((each) => each.kind === "write-ballot")).toEqual([]);
    const found = stepAt(asked.state, 120, { kind: "ballot-read", sentAt: instant(116), ballot: stands });
    expect(found.events.map((each) => each.event)).toEqual(["store.reachable", "primary.replication-id-changed"]);
    const not = stepAt(asked.state, 120, { kind: "ballot-read", sentAt: instant(116), ballot: ballot() });
    expect(not.events.map((each) => each.event)).toEqual(["store.reachable"]);
    expect(writeOf(not.commands).name).toBe("enter-replication-id");
  });

  it("S11: of a release that was lost is known by the release, also behind another voter's next write", () => {
    const going = ballot({ epoch: ofEpoch(2), lease: lease(), operation: operation({ step: "committed" }) });
    const release = finish({ ballot: going, writer: context().self, attempt: attemptId("release") });
    const completed = { event: "failover.completed", epoch: ofEpoch(2), node: null, detail: {} } as const;
    const run = newRun({
      ballot: going,
      takenOver: false,
      at: instant(0),
      leaseUntil: instant(4_000),
      renewDueAt: instant(1_000),
    });
    const state: GroupState = {
      ...watching(going),
      operation: run,
      storeBusy: { sentAt: instant(20), pending: null },
      unresolved: { write: release, sentAt: instant(10), events: [completed] },
    };
    const now: Ballot = { ...apply(going, release), attempt: attemptId("another's") };
    const { events, state: after } = stepAt(state, 25, { kind: "ballot-read", sentAt: instant(20), ballot: now });
    expect(events.map((each) => each.event)).toEqual(["failover.completed"]);
    expect(after.operation).toBe(null);
  });

  it("is taken once: a copy of it ends no other call's wait and brings no older record back", () => {
    const first = stepAt(sent.state, 15, ended({ kind: "applied", ballot: stands }));
    const later = {
      ...first.state,
      look: { ballot: ballot({ epoch: ofEpoch(9) }), sentAt: instant(20), at: instant(21) },
    };
    const copy = stepAt(later, 30, ended({ kind: "applied", ballot: stands }));
    expect(copy.events).toEqual([]);
    expect(copy.state.look?.ballot.epoch).toBe(9);
    const busy = { ...later, storeBusy: { sentAt: instant(22), pending: null } };
    expect(stepAt(busy, 30, ended({ kind: "applied", ballot: stands })).state.storeBusy).toEqual(busy.storeBusy);
  });

  it.each<[string, Fact]>([
    ["a copy of a read", { kind: "ballot-read", sentAt: instant(0), ballot: ballot() }],
    ["a failure of another call", { kind: "store-failed", detail: "reset", unreadable: false }],
  ])("is still waited for after %s", (_, fact) => {
    const { state, commands } = stepAt(sent.state, 12, fact);
    expect(state.storeBusy).toEqual(sent.state.storeBusy);
    expect(commands.filter((each) => each.kind.endsWith("ballot"))).toEqual([]);
  });
});

describe("a store that fails", () => {
  const reading = (state: GroupState): GroupState => ({ ...state, storeBusy: { sentAt: instant(5), pending: null } });
  const failed: Fact = { kind: "store-failed", detail: "reset", unreadable: false };

  it("is asked again although the group is quiet, until it answers", () => {
    const first = stepAt(reading(watching()), 10, failed);
    expect(first.events).toMatchObject([{ event: "store.unreachable", detail: { reason: "reset" } }]);
    expect(first.state.rejection?.rejection.reason).toBe("store-unreachable");
    expect(isReading(first.commands)).toBe(false);
    expect(first.wakeAt).toBe(110);
    const again = stepAt(first.state, 110, timePassed);
    expect(isReading(again.commands)).toBe(true);
    const back = stepAt(again.state, 112, { kind: "ballot-read", sentAt: instant(110), ballot: ballot() });
    expect(back.events.map((each) => each.event)).toEqual(["store.reachable"]);
    expect(back.state).toMatchObject({ rejection: null, storeFailedSince: null, storeRetryAt: null });
  });

  it.each([
    [0, 100],
    [1_000, 250],
    [20_000, 2_000],
  ])("that has been away for %i ms is asked again in %i ms", (awayMs, retryMs) => {
    const away = { ...reading(watching()), storeFailedSince: instant(10 - awayMs) };
    expect(stepAt(away, 10, failed).state.storeRetryAt).toBe(10 + retryMs);
  });

  it("S10: begins nothing while it is away", () => {
    const votes = { [A]: vote(), ["az-b"]: vote() };
    const state = { ...watching(ballot({ votes })), storeRetryAt: instant(5_000), storeFailedSince: instant(0) };
    const down = withNode(state, N1, {
      class: "silent",
      heard: "silent",
      lostAt: instant(0),
      answeredAt: instant(-9_000),
    });
    const { commands } = stepAt(down, 100, timePassed);
    expect(commands.filter((each) => each.kind !== "probe")).toEqual([]);
  });

  it("holds a record still that it cannot read, also for the holder of a lease, and reads it again", () => {
    const first = stepAt(reading(watching()), 10, { ...failed, unreadable: true, detail: "newer schema" });
    expect(first.events).toMatchObject([{ event: "record.unreadable" }]);
    expect(first.state.rejection?.rejection).toMatchObject({ reason: "record-unreadable", detail: "newer schema" });
    const again = stepAt(first.state, 110, timePassed);
    expect(again.commands).toEqual([{ kind: "read-ballot" }, ...again.commands.slice(1)]);
    const back = stepAt(again.state, 112, { kind: "ballot-read", sentAt: instant(110), ballot: ballot() });
    expect(back.state).toMatchObject({ unreadable: null, rejection: null });
    // Deleted by hand, which is the way out of a damaged one.
    const asking = { ...first.state, storeBusy: { sentAt: instant(200), pending: null } };
    const gone = stepAt(asking, 210, { kind: "ballot-read", sentAt: instant(200), ballot: null });
    expect(gone.state).toMatchObject({ unreadable: null, missing: true });
  });
});

describe("a glance", () => {
  const glanced = (of: Ballot | null): Fact => ({ kind: "glanced", ballot: of, request: null, readBehind: null });

  it("of what is known asks for nothing", () => {
    expect(isReading(stepAt(watching(), 10, glanced(ballot())).commands)).toBe(false);
  });

  it.each([
    ["another writer's record", ballot({ attempt: "another" as never })],
    ["a new vote", ballot({ votes: { [A]: vote({ attempt: "new" as never }) } })],
    ["another control mode", ballot({ control: { ...ballot().control, attempt: "paused" as never } })],
    ["somebody who looks", ballot({ lookUntil: 5 as never })],
  ])("of %s is looked at consistently before anything follows from it", (_, of) => {
    const { state, commands } = stepAt(watching(), 10, glanced(of));
    expect(isReading(commands)).toBe(true);
    expect(state.look?.ballot).toEqual(ballot());
  });

  it("remembers since when a request stands", () => {
    const shown = (asked = request()): Fact => ({
      kind: "glanced",
      ballot: ballot(),
      request: asked,
      readBehind: { lastRequest: null },
    });
    const first = stepAt(watching(), 10, shown());
    const again = stepAt(first.state, 400, shown());
    expect([first.state.requestSince, again.state.requestSince]).toEqual([10, 10]);
    const other = stepAt(again.state, 600, shown(request({ id: "request-2" })));
    expect(other.state.requestSince).toBe(600);
  });
});

describe("the first look", () => {
  it("at nothing creates the record, once", () => {
    const state = { ...watching(null), storeBusy: { sentAt: instant(0), pending: null } };
    const { commands, state: next } = stepAt(state, 10, { kind: "ballot-read", sentAt: instant(1), ballot: null });
    expect(writeOf(commands)).toMatchObject({ name: "create", condition: { kind: "absent", path: ["schema"] } });
    expect(next.rejection?.rejection.reason).toBe("not-adopted");
    expect(writeOf(stepAt({ ...next, storeBusy: null }, 20, timePassed).commands).name).toBe("create");
  });

  it("at another table's record is all that is done about it", () => {
    const foreign = ballot({ table: "table-2", lease: null });
    const state = withNode(watching(foreign), N1, { class: "reborn" });
    const { commands, state: next } = stepAt(state, 10, probeEnded(N2, refused, 5));
    expect(commands.filter((each) => each.kind !== "probe" && each.kind !== "read-ballot")).toEqual([]);
    expect(next.rejection?.rejection.reason).toBe("foreign-table");
  });

  it("at the record's disappearance ends what was held", () => {
    const state = { ...watching(newborn()), storeBusy: { sentAt: instant(0), pending: null } };
    const { state: next } = stepAt(state, 10, { kind: "ballot-read", sentAt: instant(1), ballot: null }, context());
    expect(next).toMatchObject({ look: null, missing: true, operation: null });
  });
});
