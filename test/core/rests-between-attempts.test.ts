// Schedules that a review of attempts that come to nothing found: each rests before the next, and each has an end (L3, L4).

import { describe, expect, it } from "vitest";
import { conclude } from "../../lib/core/conclude.ts";
import { factsOf, newRun } from "../../lib/core/operation.ts";
import { abandon } from "../../lib/core/operation-record.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { tokenAddress } from "../../lib/core/token.ts";
import { epoch, instant } from "../../lib/core/types.ts";
import {
  ballot,
  connection,
  lease,
  N1,
  N2,
  N3,
  operation,
  primaryReading,
  reading,
  run,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";
import { QUICK, World } from "./scripted-world.ts";

const granted = (world: World): readonly string[] => world.done.filter((what) => what.startsWith("grant@"));

describe("L3: a replica that no repair brings in line", () => {
  it("takes fewer and fewer epochs", () => {
    const world = new World(QUICK).watched();
    // It says yes to REPLICAOF, and something on its host points it away again.
    const node = world.node(N3);
    const pointAway = (each: World): boolean => {
      if (node.follows?.host === each.node(N1).address.host) node.follow({ host: "10.9.9.9", port: 6379 });
      return false;
    };
    world.run(pointAway, 60_000);
    expect(granted(world).length).toBeGreaterThan(2);
    expect(granted(world).length).toBeLessThan(30);
    const resting = [...world.voters.values()].map((voter) => voter.state.rejection?.rejection.reason);
    expect(resting).toContain("backing-off");
  });

  it("is left alone while it loads, which it refuses REPLICAOF in", () => {
    const world = new World(QUICK).watched();
    world.node(N3).restart({ keepsData: true, fenced: true });
    const read = world.node(N3).read.bind(world.node(N3));
    let isLoading = true;
    world.node(N3).read = () => ({ ...read(), loading: isLoading });
    world.wait(5_000);
    expect(granted(world)).toEqual([]);
    isLoading = false;
    expect(world.run((each) => each.isSettled(), 5_000)).toBe(true);
    expect(granted(world)).toHaveLength(1);
  });
});

describe("giving up while the old primary is gone", () => {
  const record = ballot({ epoch: epoch(2), lease: lease(), operation: operation() });
  const frozen = { ...reading(), follows: tokenAddress(epoch(2)), linkUp: false };
  const facts = { frozen: { node: N2, before: reading(), after: frozen, connection: connection(2) } };

  function givenUp(state: GroupState) {
    const times = { at: instant(0), leaseUntil: instant(4_500), renewDueAt: instant(1_600) };
    const fresh = newRun({ ballot: record, takenOver: false, ...times });
    const held = { ...fresh, facts: { [N2]: { ...factsOf(fresh, N2), ...facts } } };
    const turn = turnAt(withNode({ ...state, operation: held }, N2, { reading: frozen }), 10);
    abandon(turn, "nobody counts");
    const repointed = turn.commands.flatMap((each) => (each.kind === "command-node" ? [each.node] : []));
    return { repointed, written: turn.state.storeBusy?.pending?.write.name ?? null };
  }

  it("leaves the replicas frozen: what starts at its address next may be empty", () => {
    const gone = withNode(watching(record), N1, { heard: "refused", class: "refused", connection: null });
    expect(givenUp(gone)).toEqual({ repointed: [], written: "finish" });
    const reborn = withNode(watching(record), N1, { class: "reborn", reading: primaryReading({ runId: run(9) }) });
    expect(givenUp(reborn)).toEqual({ repointed: [], written: "finish" });
  });

  it("points them back first when it serves", () => {
    expect(givenUp(watching(record))).toEqual({ repointed: [N2], written: null });
  });
});

describe("L4, R20: an attempt that gives the primary back its place", () => {
  it("is one that promoted nobody, and says so", () => {
    const world = new World({ ...QUICK, leaseMs: 3_000 }).watched();
    for (const node of [N2, N3]) world.node(node).kill();
    world.wait(1_000);
    world.node(N1).follow({ host: "127.0.0.1", port: 1 });
    expect(world.run((each) => each.node(N1).role === "primary" && each.ballot.operation === null, 10_000)).toBe(true);
    expect(world.ballot.budget.map((each) => each.promoted)).toEqual([false]);
  });

  it("is told as one that was given up when the primary had only been silent", () => {
    const record = ballot({ epoch: epoch(2), lease: lease(), operation: operation({ step: "committed" }) });
    const times = { at: instant(0), leaseUntil: instant(4_500), renewDueAt: instant(1_600) };
    const held = { ...newRun({ ballot: record, takenOver: false, ...times }), tablePublished: true };
    const turn = turnAt(watching(record, { operation: held }), 10);
    conclude(turn);
    expect(turn.events.map((each) => each.event)).toEqual(["primary.restored"]);
    expect(turn.state.storeBusy?.pending?.events.map((each) => each.event)).toEqual(["failover.abandoned"]);
  });

  it("tells of no primary when a replica was brought in line", () => {
    const world = new World(QUICK).watched();
    world.node(N3).restart({ keepsData: true, fenced: true });
    expect(world.run((each) => each.events.some((event) => event.event === "repair.completed"), 10_000)).toBe(true);
    expect(world.events.filter((each) => each.event.startsWith("primary."))).toEqual([]);
  });
});
