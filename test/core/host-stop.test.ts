import { describe, expect, it } from "vitest";
import type { GroupConfig } from "../../lib/core/config.ts";
import { stopBefore } from "../../lib/core/host-stop.ts";
import { instant } from "../../lib/core/types.ts";
import { ballot, lease, N1, N2, N3, ofEpoch, operation, request } from "./builders.ts";
import { holding } from "./holding.ts";
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

describe("a stop that nothing is heard of", () => {
  const of = ballot({
    epoch: ofEpoch(2),
    lease: lease(),
    operation: operation({ stop: { node: N1, epoch: ofEpoch(2), outcome: null } }),
  });
  const toldOf = (stopInstance: "best-effort" | "required", told: readonly string[]) => {
    const run = { stopAwaitedSince: instant(0), told };
    const turn = holding({ of, run, at: 600_000, settings: { stopInstance } });
    stopBefore(turn, N2);
    return turn.events.map(({ event }) => event);
  };

  it.each(["best-effort", "required"] as const)("%s: is told once in an operation", (policy) => {
    expect(toldOf(policy, [])).toEqual(["stop.refused"]);
    expect(toldOf(policy, ["unanswered stop 2"])).toEqual([]);
  });
});
