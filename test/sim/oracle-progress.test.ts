// What must come, each with a made-up world in which it does not, and one beside it in which it does.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { Item, Json } from "../../lib/core/ballot-write.ts";
import { epoch, nodeId } from "../../lib/core/types.ts";
import { CALM_MS, type NodeLife, ProgressOracle, type ProgressView, type VoterLife } from "./oracle-progress.ts";
import { Findings } from "./oracle-view.ts";
import type { BallotChange } from "./table.ts";

const n1 = nodeId("n1");
const n2 = nodeId("n2");

interface MadeUp extends ProgressView {
  time: number;
  record: Record<string, unknown>;
  lives: NodeLife[];
  seats: VoterLife[];
  quiet: number;
  done: number;
  isSettled: boolean;
  published: number;
  reason: string | null;
  /** What anybody could say truly; null: whatever is said is true. */
  truths: string[] | null;
  settings: ReturnType<ProgressView["config"]>;
  lost: number;
  order: string | null;
  misnamed: boolean;
  publishes: boolean;
  doubt: boolean;
  /** In SSM. */
  parameter: number | null;
  words: { detail: string; ends: string; check: string | null };
}

const life = (id: typeof n1, changes: Partial<NodeLife> = {}): NodeLife => ({
  id,
  runId: `run of ${id}`,
  serves: id === n1,
  silenced: false,
  mayWin: true,
  ...changes,
});

const healthy = {
  epoch: 1,
  primary: { node: n1, epoch: 1, runId: "run of n1", replicationId: "id" },
  armed: true,
  lease: null,
  operation: null,
  control: { mode: "act" },
  members: { version: 1, nodes: { n2: { runId: "run of n2", inSyncEpoch: 1, address: null } } },
  budget: [],
};

function made() {
  const view: MadeUp = {
    time: 0,
    record: { ...healthy },
    lives: [life(n1), life(n2)],
    seats: ["az-a", "az-b", "az-c"].map((id) => ({ id, able: true })),
    quiet: 60_000,
    done: 0,
    isSettled: true,
    published: 1,
    reason: null,
    truths: null,
    lost: 0,
    order: null,
    misnamed: false,
    publishes: true,
    doubt: false,
    parameter: null,
    words: { detail: "seen", ends: "this ends it", check: null },
    now: () => view.time,
    ballot: () => view.record as unknown as Ballot,
    settings: {
      quorum: 2,
      downAfterMs: 5_000,
      leaseMs: 5_000,
      stepTimeoutMs: 10_000,
      stopInstance: "off",
      failoverBudget: 0,
      onPossibleLoss: "promote",
    },
    config: () => view.settings,
    nodes: () => view.lives,
    voters: () => view.seats,
    quietMs: () => view.quiet,
    disturbances: () => view.done,
    votersLost: () => view.lost,
    settled: () => view.isSettled,
    standingOrder: () => view.order,
    isMisnamed: () => view.misnamed,
    mayRepairCopies: () => view.publishes,
    isInDoubt: () => view.doubt,
    publishedEpoch: () => view.published,
    parameterEpoch: () => view.parameter,
    trueReasons: () => view.truths ?? [`${view.reason}`],
    reasons: () => [{ voter: "az-a", reason: view.reason, ...view.words, ageMs: 1_000 }],
  };
  const findings = new Findings(() => view.time);
  const oracle = new ProgressOracle(view, findings);
  return {
    view,
    oracle,
    ids: () => findings.all.map(({ id }) => id),
    /** Goes on for so long, looking twice a second. */
    pass: (ms: number) => {
      const until = view.time + ms;
      for (; view.time < until; view.time += 500) oracle.check();
    },
    /** A write of the ballot. */
    write: (changes: Readonly<Record<string, Json>>) => {
      const before = view.record as unknown as Item;
      view.record = { ...view.record, ...changes };
      oracle.onBallot({ before, after: view.record } as unknown as BallotChange);
    },
  };
}

const lease = (attempt: string): Json => ({ holder: "az-a", generation: 1, version: 1, durationMs: 5_000, attempt });
const failover = (began: number): Json => ({ kind: "failover", by: "automatic", began, step: "begun" });

describe("the operations", () => {
  it("S11: a lease that nobody renews, and nobody takes over", () => {
    const world = made();
    world.view.record = { ...healthy, lease: lease("x") };
    world.pass(10_000);
    expect(world.ids()).toEqual([]);
    world.pass(3_000);
    expect(world.ids()).toEqual(["S11"]);
  });

  it("S11: nothing is expected of a holder that renews, nor of voters that cannot", () => {
    const renewed = made();
    for (let turn = 0; turn < 20; turn++) {
      renewed.view.record = { ...healthy, lease: lease(`${turn}`) };
      renewed.pass(2_000);
    }
    const alone = made();
    alone.view.record = { ...healthy, lease: lease("x") };
    alone.view.seats = alone.view.seats.map(({ id }) => ({ id, able: id === "az-a" }));
    alone.pass(60_000);
    expect([...renewed.ids(), ...alone.ids()]).toEqual([]);
  });

  it("S11, S12: what is only told of a primary that is lost is ended all the same, and why nothing follows is said", () => {
    for (const reason of [null, "unknown-history"]) {
      const world = made();
      world.view.record = {
        ...healthy,
        lease: lease("x"),
        operation: { kind: "failover", step: "committed", began: 1 },
      };
      world.view.lives = [life(n1, { serves: false }), life(n2)];
      world.view.reason = reason;
      world.pass(30_000);
      expect(world.ids().includes("S11")).toBe(true);
      expect(world.ids().includes("S12")).toBe(reason === null);
    }
  });

  it("S12: a primary that does not serve, and nobody says why nothing goes on", () => {
    for (const reason of [null, "quorum-pending"]) {
      const world = made();
      world.view.lives = [life(n1, { serves: false }), life(n2)];
      world.view.reason = reason;
      world.pass(18_000);
      expect(world.ids()).toEqual([]);
      world.pass(4_000);
      expect(world.ids().includes("S12")).toBe(reason === null);
    }
  });

  it("S12: a reason that is not true of the world is none; one that was a moment ago is", () => {
    const lost = () => {
      const world = made();
      world.view.lives = [life(n1, { serves: false }), life(n2)];
      world.view.reason = "quorum-pending";
      return world;
    };
    const untrue = lost();
    untrue.view.truths = ["loading"];
    untrue.pass(22_000);
    expect(untrue.ids()).toContain("S12");
    const late = lost();
    late.pass(15_000);
    late.view.truths = [];
    late.pass(11_500);
    expect(late.ids()).toEqual([]);
    late.pass(2_000);
    expect(late.ids()).toContain("S12");
  });
});

describe("an order", () => {
  it("is answered or begun, once nothing goes on and a voter could", () => {
    const world = made();
    world.view.order = "request-1";
    world.pass(12_500);
    expect([world.ids(), world.oracle.asked.order]).toEqual([[], 1]);
    world.pass(500);
    expect(world.ids()).toEqual(["orders"]);
  });

  it("is waited for beside an operation, without a voter, and anew when another follows it", () => {
    const beside = made();
    beside.view.record = { ...healthy, operation: failover(2) };
    const alone = made();
    alone.view.seats = alone.view.seats.map(({ id }) => ({ id, able: false }));
    const followed = made();
    for (const [nth, world] of [beside, alone, followed, followed].entries()) {
      world.view.order = `request-${nth}`;
      world.pass(12_000);
    }
    for (const world of [beside, alone]) world.pass(60_000);
    expect([beside, alone, followed].flatMap((world) => world.ids())).toEqual([]);
  });
});

describe("a parameter that somebody wrote over", () => {
  const forged = () => {
    const world = made();
    world.view.misnamed = true;
    world.oracle.onCopy("ssm", "hand");
    return world;
  };

  it("L1: is put back by the publisher's next round", () => {
    const world = forged();
    world.pass(70_500);
    expect(world.ids()).toEqual([]);
    world.pass(500);
    expect(world.ids()).toEqual(["L1"]);
  });

  it("L1: is waited for while the publisher may not or cannot, and anew when it is put back or says the truth", () => {
    const [kept, back, true_] = [forged(), forged(), forged()];
    kept.view.publishes = false;
    for (const world of [kept, back, true_]) world.pass(60_000);
    back.oracle.onCopy("ssm", "publisher");
    true_.view.misnamed = false;
    for (const world of [kept, back, true_]) world.pass(100_000);
    expect([kept, back, true_].map((world) => [world.ids(), world.oracle.asked.copy])).toEqual([
      [[], 0],
      [[], 1],
      [[], 0],
    ]);
  });

  it("L1: is the parameter alone, and only what a hand wrote", () => {
    const world = made();
    world.view.misnamed = true;
    world.oracle.onCopy("dns", "hand");
    world.oracle.onCopy("ssm", "voter:az-a");
    world.pass(100_000);
    expect(world.ids()).toEqual([]);
  });
});

describe("a reason", () => {
  it("S12: says what is seen, what would end it, and what to look at where there is something", () => {
    for (const words of [{ detail: "" }, { ends: "" }, { check: "" }, {}]) {
      const world = made();
      world.view.reason = "quorum-pending";
      world.view.words = { ...world.view.words, ...words };
      world.oracle.check();
      expect(world.ids()).toEqual(Object.keys(words).length > 0 ? ["S12"] : []);
    }
  });
});

describe("what is left alone, by the looks now and then", () => {
  it("S12: begins anew with each epoch, also with one that came and went between two looks", () => {
    const world = made();
    world.view.lives = [life(n1, { serves: false }), life(n2)];
    world.pass(18_000);
    world.write({ epoch: 2 });
    world.pass(18_000);
    expect(world.ids()).toEqual([]);
    world.pass(4_000);
    expect(new Set(world.ids())).toEqual(new Set(["S12"]));
  });
});

describe("the replacement of a primary", () => {
  function lost(changes: Partial<MadeUp> = {}) {
    const world = made();
    Object.assign(world.view, changes);
    world.pass(1_000);
    const [, ...others] = world.view.lives;
    world.view.lives = [life(n1, { runId: null, serves: false }), ...others];
    world.oracle.onNode({ kind: "ended", node: n1, how: "killed" });
    return world;
  }

  it("L2: takes longer than down-after and about a second", () => {
    const world = lost();
    world.pass(6_500);
    expect(world.ids()).toEqual([]);
    world.pass(1_000);
    expect(world.ids()).toEqual(["L2"]);
    const replaced = lost();
    replaced.pass(6_000);
    replaced.view.published = 2;
    replaced.pass(1_000);
    expect([replaced.ids(), replaced.oracle.asked.replaced]).toEqual([[], 1]);
  });

  it("L2: is not told of in SSM, where the voters reach it", () => {
    for (const parameter of [1, 2]) {
      const world = lost({ parameter: 1 });
      world.pass(6_000);
      Object.assign(world.view, { published: 2, parameter });
      world.pass(2_000);
      expect(world.ids()).toEqual(parameter === 1 ? ["L2"] : []);
    }
  });

  it("L2: takes a lease longer when the winner dies, and no more", () => {
    const world = lost();
    world.pass(5_500);
    Object.assign(world.view, { done: 1, lost: 1 });
    world.view.seats = world.view.seats.map(({ id }) => ({ id, able: id !== "az-a" }));
    world.view.reason = "said";
    world.pass(7_000);
    expect(world.ids()).toEqual([]);
    world.pass(2_000);
    expect(world.ids()).toEqual(["L2"]);
  });

  it("L2: is timed where somebody may win, and nobody else stands in the way, and there is budget for it", () => {
    const third = nodeId("n3");
    const nodes = { ...healthy.members.nodes, n3: { runId: "run of n3", inSyncEpoch: 1, address: null } };
    const attempt = { epoch: 1, at: 0, promoted: true };
    const record = { ...healthy, members: { version: 1, nodes }, budget: [attempt] };
    const { settings } = made().view;
    for (const [others, changes, ids] of [
      [[false, false], {}, []],
      [[false, true], {}, ["L2"]],
      [[false, true], { onPossibleLoss: "refuse" }, []],
      [[true, true], { onPossibleLoss: "refuse" }, ["L2"]],
      [[true, true], { failoverBudget: 1 }, []],
      [[true, true], { failoverBudget: 2 }, ["L2"]],
    ] as const) {
      const lives = [life(n1), life(n2, { mayWin: others[0] }), life(third, { mayWin: others[1] })];
      const world = lost({ record, lives, settings: { ...settings, ...changes }, reason: "said" });
      world.pass(8_000);
      expect(world.ids()).toEqual(ids);
    }
  });

  it("L2: is not timed for one that comes back without a boot fence and serves what it has", () => {
    for (const role of ["primary", "replica"]) {
      const world = lost();
      world.oracle.onNode({ kind: "started", node: n1, data: "rdb", role });
      world.pass(8_000);
      expect(world.ids()).toEqual(role === "primary" ? [] : ["L2"]);
    }
  });

  it("L2: is not timed where something else went wrong, or the record stood against it", () => {
    const disturbed = lost();
    disturbed.view.done += 1;
    const unquiet = lost({ quiet: CALM_MS - 1 });
    const unarmed = lost({ record: { ...healthy, armed: false } });
    const alone = lost({ seats: [{ id: "az-a", able: true }] });
    const behind = lost({
      record: { ...healthy, members: { version: 1, nodes: { n2: { runId: "another", inSyncEpoch: 1 } } } },
    });
    for (const world of [disturbed, unquiet, unarmed, alone, behind]) {
      world.view.reason = "said";
      world.pass(20_000);
      expect(world.ids()).toEqual([]);
    }
  });
});

describe("rest", () => {
  it("L3: a quiet group that takes a lease", () => {
    const world = made();
    world.pass(1_000);
    world.write({ operation: { kind: "repair", by: "automatic", began: 2 } });
    expect(world.ids()).toEqual(["L3"]);
    for (const changes of [{ isSettled: false }, { quiet: 0 }]) {
      const other = made();
      Object.assign(other.view, changes);
      other.pass(1_000);
      other.write({ operation: { kind: "repair", by: "automatic", began: 2 } });
      expect(other.ids()).toEqual([]);
    }
  });

  it("L3: what an order does that arrives late has to be repaired, however quiet it was", () => {
    for (const effective of [true, false]) {
      const world = made();
      world.pass(1_000);
      world.oracle.onNode({
        kind: "executed",
        node: n2,
        by: "voter:az-a",
        epoch: epoch(1),
        label: "freeze",
        effective,
      });
      world.write({ operation: { kind: "repair", by: "automatic", began: 2 } });
      expect(world.ids()).toEqual(effective ? [] : ["L3"]);
    }
  });

  it("L4: a primary that lives and was left frozen", () => {
    const world = made();
    world.view.lives = [life(n1, { serves: false, silenced: true }), life(n2)];
    world.view.reason = "too-few-nodes";
    world.pass(19_000);
    expect(world.ids()).toEqual([]);
    world.pass(3_000);
    expect(world.ids()).toEqual(["L4"]);
  });

  it("L4: a spent budget, and a reason that a new invocation has only to find again, excuse as much as they promise", () => {
    for (const [reason, ids] of [
      ["budget-spent", ["L4"]],
      ["unexplained-primary", []],
    ] as const) {
      const world = made();
      world.view.lives = [life(n1, { serves: false, silenced: true }), life(n2)];
      for (let turn = 0; turn < 5; turn++) {
        world.view.reason = reason;
        world.pass(5_000);
        world.view.reason = "waiting-for-down-after";
        world.pass(5_000);
      }
      expect([...new Set(world.ids())]).toEqual(ids);
    }
  });

  it("L4: one that is held, as long as who was meant may have been promoted", () => {
    const world = made();
    world.view.lives = [life(n1, { serves: false, silenced: true }), life(n2)];
    world.view.reason = "operation-going-on";
    world.view.doubt = true;
    world.pass(120_000);
    expect(world.ids()).toEqual([]);
    world.view.doubt = false;
    world.pass(60_000);
    expect(world.ids()).toEqual(["L4"]);
  });

  it("L4: attempt after attempt, none of which gives it back its place", () => {
    const world = made();
    world.view.isSettled = false;
    world.view.lives = [life(n1, { serves: false, silenced: true }), life(n2)];
    world.view.reason = "backing-off";
    let began = 2;
    const attempt = () => {
      world.write({ lease: lease(`${began}`), operation: failover(began) });
      world.pass(8_000);
      world.write({ lease: null, operation: null, epoch: began });
      world.pass(Math.min(30_000, 2_000 * 2 ** (began - 2)) + 1_000);
      began += 1;
    };
    for (let turn = 0; turn < 2; turn++) attempt();
    expect(world.ids()).toEqual([]);
    for (let turn = 0; turn < 6; turn++) attempt();
    expect(new Set(world.ids())).toEqual(new Set(["L4"]));
  });

  it("L4: attempts that promoted nobody and follow each other in haste", () => {
    const world = made();
    world.view.isSettled = false;
    const attempt = (began: number) => {
      world.write({ operation: failover(began) });
      world.view.time += 1_000;
      // Given its place back: the same process under a new epoch.
      world.write({ operation: null, primary: { ...healthy.primary, epoch: began } });
    };
    attempt(2);
    world.view.time += 2_000;
    attempt(3);
    world.view.time += 4_000;
    attempt(4);
    expect([world.ids(), world.oracle.asked.rest]).toEqual([[], 2]);
    world.view.time += 7_000;
    attempt(5);
    expect(world.ids()).toEqual(["L4"]);
  });

  it("L4: an attempt that promoted somebody owes no rest", () => {
    const world = made();
    world.view.isSettled = false;
    world.write({ operation: failover(2) });
    world.write({ operation: null, primary: { ...healthy.primary, node: n2, runId: "run of n2", epoch: 2 } });
    world.write({ operation: failover(3) });
    expect([world.ids(), world.oracle.asked.rest]).toEqual([[], 0]);
  });
});
