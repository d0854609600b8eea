import { describe, expect, it } from "vitest";
import type { Ballot, Operation } from "../../lib/core/ballot.ts";
import type { GroupConfig } from "../../lib/core/config.ts";
import { stopBefore, whyAwaited } from "../../lib/core/host-stop.ts";
import type { OperationRun } from "../../lib/core/operation.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { attemptId, instant } from "../../lib/core/types.ts";
import { ballot, lease, N1, N2, N3, ofEpoch, operation, request, turnAt, watching } from "./builders.ts";
import { frozen, holding, outcomeOf, type Situation } from "./holding.ts";
import { QUICK, World } from "./scripted-world.ts";

type Policy = GroupConfig["stopInstance"];

/** n1 hangs: nobody can say whether it will write again. */
function hung(stopInstance: Policy): World {
  const world = new World({ ...QUICK, stopInstance }).watched();
  world.node(N1).isHung = true;
  return world;
}

const isCommitted = (world: World): boolean => world.done.some((each) => each.startsWith("commit@"));
const isAsked = (world: World): boolean => world.ballot.operation?.stop !== undefined;
const told = (world: World, event: string) => world.events.filter((each) => each.event === event);
const reasons = (world: World) =>
  [...world.voters.values()].map(({ state }) => state.rejection?.rejection.reason ?? null);

describe("S5: the old primary's host", () => {
  it("is not asked for while stopInstance is off", () => {
    const world = hung("off");
    expect(world.run(isCommitted)).toBe(true);
    expect(world.done.filter((each) => each.startsWith("ask-stop"))).toEqual([]);
  });

  it("is stopped before anybody is meant, whoever holds the lease by then", () => {
    const world = hung("required");
    expect(world.run(isAsked)).toBe(true);
    expect(world.ballot.operation?.stop).toEqual({ node: N1, epoch: 2, outcome: null });
    world.wait(6_000);
    expect(world.done.filter((each) => /promote|record-intent/.test(each))).toEqual([]);
    expect(world.ballot.lineage.intents).toEqual([]);
    expect(reasons(world)).toContain("stop-awaited");
    const holder = world.ballot.lease?.holder;
    if (holder !== undefined) world.kill(holder);
    expect(world.run(({ done }) => done.includes("take-over@3"))).toBe(true);
    world.wait(2_000);
    expect(isCommitted(world)).toBe(false);
    world.endStop("stopped");
    expect(world.run((each) => each.isSettled())).toBe(true);
    expect(world.done.filter((each) => each.startsWith("ask-stop"))).toEqual(["ask-stop@2"]);
    expect(told(world, "node.stopped").map(({ node, detail }) => [node, detail])).toEqual([[N1, { host: "i-1" }]]);
    expect([world.ballot.primary?.node, world.violations]).toEqual([N2, []]);
  });

  it("need not be stopped when the old primary is frozen under this epoch", () => {
    const world = new World({ ...QUICK, stopInstance: "required" }).watched();
    world.node(N1).restart({ keepsData: true, fenced: true });
    expect(world.run(isCommitted)).toBe(true);
    expect(world.done.filter((each) => each.startsWith("ask-stop"))).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  it("is not asked for by a switchover", () => {
    const world = new World({ ...QUICK, stopInstance: "required" }).watched();
    world.request = request({ target: N3 });
    expect(world.run(isCommitted)).toBe(true);
    expect(world.done.filter((each) => each.startsWith("ask-stop"))).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  it("required: nobody is promoted when it cannot be stopped, and the reason is told", () => {
    const world = hung("required");
    world.run(isAsked);
    world.endStop("refused");
    expect(world.run(({ events }) => events.some(({ event }) => event === "failover.abandoned"))).toBe(true);
    expect(told(world, "stop.refused")[0]?.detail).toEqual({ reason: "stop protection" });
    expect(told(world, "failover.abandoned")[0]?.detail).toEqual({
      reason: "the host of n1 is not stopped: stop protection",
    });
    expect(isCommitted(world)).toBe(false);
    // The next attempt asks anew, and this time it has been stopped.
    expect(world.run((each) => each.ballot.operation?.stop?.epoch === 3, 10_000)).toBe(true);
    world.endStop("stopped");
    expect(world.run((each) => each.isSettled())).toBe(true);
    expect(world.violations).toEqual([]);
  });

  it("required: gives up when nothing is heard of the stop", () => {
    const world = hung("required");
    expect(world.run(({ events }) => events.some(({ event }) => event === "failover.abandoned"), 140_000)).toBe(true);
    expect(told(world, "failover.abandoned")[0]?.detail["reason"]).toBe(
      "nothing was heard of the stop of n1's host for 120 s",
    );
    expect(isCommitted(world)).toBe(false);
  });

  it("best-effort: goes on when it cannot be stopped, or nothing is heard, and tells so", () => {
    const refused = hung("best-effort");
    refused.run(isAsked);
    refused.endStop("refused");
    expect(refused.run(isCommitted, 2_000)).toBe(true);
    expect(told(refused, "stop.refused")).toHaveLength(1);
    const unheard = hung("best-effort");
    unheard.run(isAsked);
    const since = unheard.now;
    expect(unheard.run(isCommitted, 17_000)).toBe(true);
    expect(unheard.now - since).toBeGreaterThanOrEqual(15_000);
    expect(told(unheard, "stop.refused")[0]?.detail["reason"]).toBe(
      "nothing was heard of the stop of n1's host for 15 s",
    );
  });

  it("required: is waited for by an order that accepts loss, and not by a recovery", () => {
    const ordered = hung("required");
    ordered.request = request({ kind: "failover", acceptDataLoss: true });
    expect(ordered.run(isAsked)).toBe(true);
    ordered.wait(3_000);
    expect(isCommitted(ordered)).toBe(false);
    const recovered = new World({ ...QUICK, stopInstance: "required" }).watched();
    recovered.node(N1).isHung = true;
    recovered.request = request({ kind: "recover", target: N3, acceptDataLoss: true });
    expect(recovered.run(isCommitted, 8_000)).toBe(true);
    expect(recovered.ballot.primary?.node).toBe(N3);
  });

  it("gives the old primary its place back when that answers first", () => {
    const world = hung("required");
    world.node(N1).connections.clear();
    world.run(isAsked);
    world.wake(N1);
    expect(world.run((each) => each.isSettled())).toBe(true);
    expect([world.ballot.primary?.node, world.violations]).toEqual([N1, []]);
  });

  it("is not written into an operation that followed", () => {
    const world = hung("required");
    world.run(isAsked);
    const late = world.ballot;
    world.node(N1).isHung = false;
    world.run((each) => each.isSettled());
    expect(world.landStop(late, "stopped")).toBe(false);
  });
});

describe("one step before the intent", () => {
  type Wish = NonNullable<Operation["stop"]>;
  const wished = (outcome: Wish["outcome"], values: Partial<Operation> = {}): Ballot =>
    ballot({
      epoch: ofEpoch(2),
      lease: lease(),
      operation: operation({ stop: { node: N1, epoch: ofEpoch(2), outcome }, ...values }),
    });
  const ended = (kind: "stopped" | "refused", detail: string) => ({ kind, detail, attempt: attemptId("stopper") });
  const unasked = (values: Partial<Ballot> = {}): Ballot =>
    ballot({ epoch: ofEpoch(2), lease: lease(), operation: operation(), ...values });
  const taken = (of: Ballot, stopInstance: Policy, given: Partial<Situation> = {}) => {
    const turn = holding({ of, settings: { stopInstance }, ...given });
    const result = stopBefore(turn);
    const told = [...turn.events, ...(turn.state.storeBusy?.pending?.events ?? [])];
    return { ...outcomeOf(turn), result, told: told.map(({ event, node }) => [event, node]), turn };
  };
  const none = { result: { kind: "none-needed" }, written: [], told: [] };

  it("asks for the stop, of the old primary and once", () => {
    for (const kind of ["failover", "cold-start"] as const) {
      const asked = taken(unasked({ operation: operation({ kind }) }), "required");
      expect(asked).toMatchObject({
        result: { kind: "awaited" },
        written: ["ask-stop"],
        told: [["stop.asked", N1]],
      });
    }
    const busy = (state: GroupState) => ({ ...state, storeBusy: { sentAt: instant(0), pending: null } });
    expect(taken(unasked(), "required", { change: busy })).toMatchObject({ result: { kind: "awaited" }, written: [] });
  });

  it.each<[string, Ballot, Policy, Partial<Situation>]>([
    ["stopInstance is off", unasked(), "off", {}],
    ["the old primary is frozen by this epoch", unasked(), "required", { facts: { [N1]: frozen(N1) } }],
    ["a person has named who counts", unasked({ operation: operation({ kind: "recover" }) }), "required", {}],
    ["no primary is committed", unasked({ primary: null }), "required", {}],
    ["the operation is no more", unasked({ operation: null }), "required", {}],
  ])("needs none while %s", (_, of, policy, given) => {
    expect(taken(of, policy, given)).toMatchObject(none);
  });

  it("goes on when the host is stopped, which is told once", () => {
    const of = wished(ended("stopped", "i-1"));
    expect(taken(of, "required")).toMatchObject({ result: { kind: "none-needed" }, told: [["node.stopped", N1]] });
    expect(taken(of, "required", { run: { told: ["stop 2"] } })).toMatchObject(none);
  });

  it("goes on under best-effort when it is refused, and does not under required", () => {
    const of = wished(ended("refused", "stop protection"));
    const told = [["stop.refused", N1]];
    expect(taken(of, "best-effort")).toMatchObject({ result: { kind: "none-needed" }, told });
    expect(taken(of, "required")).toMatchObject({
      result: { kind: "failed", reason: "the host of n1 is not stopped: stop protection" },
      told,
    });
  });

  it("waits from the first step on, and looks at the record twice a second", () => {
    const first = taken(wished(null), "required");
    expect(first).toMatchObject({ result: { kind: "awaited" }, wakeAt: 500, run: { stopAwaitedSince: 10 } });
    expect(first.turn.lookWanted).toBe(false);
    const of = wished(null);
    const looked = (state: GroupState) => ({ ...state, look: { ballot: of, sentAt: instant(20), at: instant(30) } });
    const later = (at: number) => taken(of, "required", { run: { stopAwaitedSince: instant(10) }, change: looked, at });
    expect(later(520)).toMatchObject({ result: { kind: "awaited" }, run: { stopAwaitedSince: 10 } });
    expect([later(519).turn.lookWanted, later(520).turn.lookWanted]).toEqual([false, true]);
  });

  it.each<[Policy, number, object]>([
    ["best-effort", 15_000, { kind: "none-needed" }],
    ["required", 120_000, { kind: "failed", reason: "nothing was heard of the stop of n1's host for 120 s" }],
  ])("%s: waits %i ms for an answer", (policy, ms, result) => {
    const run = { stopAwaitedSince: instant(0) };
    expect(taken(wished(null), policy, { run, at: ms - 1 }).result).toEqual({ kind: "awaited" });
    expect(taken(wished(null), policy, { run, at: ms })).toMatchObject({ result, told: [["stop.refused", N1]] });
    const told = ["unanswered stop 2"];
    expect(taken(wished(null), policy, { run: { ...run, told }, at: ms })).toMatchObject({ result, told: [] });
  });

  it("says what is awaited while it is", () => {
    const why = (of: Ballot, run: Partial<OperationRun> = { stopAwaitedSince: instant(0) }) =>
      whyAwaited(holding({ of, run, at: 7_400 }), of);
    expect(why(wished(null))).toEqual({
      reason: "stop-awaited",
      detail: "the host of n1 is to be stopped first, for 7 s now",
      ends: "the stopper records that it has stopped, or why it cannot be",
      check: "the instance or task, and the stopper's log",
    });
    const others = [
      why(unasked()),
      why(unasked({ operation: null })),
      why(wished(ended("stopped", "i-1"))),
      why(wished(null), {}),
      why(wished(null, { step: "committed" })),
      whyAwaited(turnAt(watching(wished(null)), 10), wished(null)),
    ];
    expect(others).toEqual(others.map(() => null));
  });
});
