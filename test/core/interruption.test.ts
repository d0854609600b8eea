// Every operation, cut after every single action of its holder: a command that was not sent, one that was carried out and
// whose answer was lost, a write that stands and nobody heard of. Others with a fresh state take the lapsed lease and must
// end with one committed primary that everybody follows, no lease, and nothing lost that was acknowledged by a second
// node. The world checks S1, S2, S4, R12, R21 and R24 on the way.

import { describe, expect, it } from "vitest";
import { A, N1, N2, N3, request, VOTERS } from "./builders.ts";
import { type InFlight, QUICK, World } from "./scripted-world.ts";

interface Scenario {
  readonly name: string;
  /** A world in which the operation is about to begin. */
  readonly prepare: () => World;
  /** Brings about what the operation is for; null: it has happened in `prepare`. */
  readonly trigger: (world: World) => void;
  readonly kind: string;
}

const healthy = (): World => new World().watched();

const SCENARIOS: readonly Scenario[] = [
  { name: "failover", kind: "failover", prepare: healthy, trigger: (world) => world.node(N1).kill() },
  {
    name: "failover of a primary that hangs and comes back",
    kind: "failover",
    prepare: healthy,
    trigger: (world) => {
      world.node(N1).isHung = true;
      world.at(world.now + 1_200, () => world.wake(N1));
    },
  },
  {
    name: "switchover",
    kind: "switchover",
    prepare: healthy,
    trigger: (world) => {
      world.request = request({ target: N3 });
    },
  },
  {
    name: "switchover to a target that never catches up",
    kind: "switchover",
    prepare: healthy,
    trigger: (world) => {
      world.request = request({ target: N3 });
      // Behind by what is written right after the pause was decided on.
      world.on("pause n1", () => {
        world.node(N3).isLagging = true;
        world.node(N1).log = [...world.node(N1).log, "heartbeat"];
      });
    },
  },
  {
    name: "switchover whose target falls behind at the last moment",
    kind: "switchover",
    prepare: healthy,
    trigger: (world) => {
      world.request = request({ target: N3 });
      world.on("pause n1", () =>
        world.at(world.now + 2, () => {
          world.node(N3).isLagging = true;
          world.node(N1).log = [...world.node(N1).log, "heartbeat"];
        }),
      );
    },
  },
  {
    name: "cold start",
    kind: "cold-start",
    prepare: healthy,
    trigger: (world) => {
      for (const node of world.nodes.values()) node.restart({ keepsData: true, fenced: true });
    },
  },
  {
    name: "failover whose primary answers again when it has begun",
    kind: "failover",
    prepare: healthy,
    trigger: (world) => {
      world.node(N1).isHung = true;
      world.node(N1).connections.clear();
      world.on("grant@2", () => world.wake(N1));
    },
  },
  {
    name: "failover whose primary answers again when others are frozen",
    kind: "failover",
    prepare: healthy,
    trigger: (world) => {
      world.node(N1).isHung = true;
      world.on("freeze n2@2", () => world.wake(N1));
      world.at(world.now + 3_000, () => world.wake(N1));
    },
  },
  {
    name: "failover that waits until the old primary's host has stopped",
    kind: "failover",
    prepare: () => new World({ ...QUICK, stopInstance: "required" }).watched(),
    trigger: (world) => {
      world.node(N1).isHung = true;
      world.on("ask-stop@2", () => world.at(world.now + 700, () => world.endStop("stopped")));
      world.on("ask-stop@3", () => world.at(world.now + 700, () => world.endStop("stopped")));
    },
  },
  {
    name: "recovery by a person's choice",
    kind: "recover",
    prepare: healthy,
    trigger: (world) => {
      world.node(N1).kill();
      world.request = request({ kind: "recover", target: N3, acceptDataLoss: true });
    },
  },
  {
    name: "failover by a person's order",
    kind: "switchover",
    prepare: healthy,
    trigger: (world) => {
      world.request = request({ kind: "failover", acceptDataLoss: true });
    },
  },
  {
    name: "initialise",
    kind: "initialise",
    prepare: () => {
      const world = new World();
      for (const voter of VOTERS) world.start(voter);
      return world;
    },
    trigger: () => {},
  },
  {
    name: "repair",
    kind: "repair",
    prepare: healthy,
    trigger: (world) => world.node(N2).restart({ keepsData: true, fenced: true }),
  },
];

/** Runs until the operation has been granted; its holder. */
function begun(scenario: Scenario): World {
  const world = scenario.prepare();
  scenario.trigger(world);
  const isBegun = world.run(() => world.item !== null && world.ballot.operation?.kind === scenario.kind, 5_000);
  expect(isBegun, `${scenario.name} begins`).toBe(true);
  return world;
}

/** Which of the holder's actions until the operation has ended there are, and which of them change or tell something. */
function actionsOf(scenario: Scenario): { readonly count: number; readonly telling: readonly number[] } {
  const world = begun(scenario);
  const holder = world.ballot.lease?.holder;
  const telling: number[] = [];
  let count = 0;
  while (world.ballot.operation !== null && count < 2_000) {
    const next = world.next();
    if (next?.voter === holder) {
      const kind = next?.kind === "deliver" ? next.fact.kind : next?.command.kind;
      if (kind !== "probe" && kind !== "probe-ended" && kind !== "publish") telling.push(count);
      count += 1;
    }
    world.advance();
  }
  expect(world.ballot.operation).toBe(null);
  return { count, telling };
}

/** The same world, cut before the holder's `cut`th action; what it had sent and not seen arrive is in flight. */
function cutAt(scenario: Scenario, cut: number): { readonly world: World; readonly inFlight: readonly InFlight[] } {
  const world = begun(scenario);
  const holder = world.ballot.lease?.holder;
  let actions = 0;
  while (actions < cut) {
    if (world.next()?.voter === holder) actions += 1;
    world.advance();
  }
  const inFlight = holder === undefined ? [] : world.kill(holder);
  for (const voter of VOTERS) if (voter !== holder) world.start(voter);
  return { world, inFlight };
}

/** Lets `inFlight` arrive after `after` more things have taken effect; false when all was over before. */
function landAfter(world: World, inFlight: readonly InFlight[], after: number): boolean {
  const from = world.done.length;
  world.run((each) => each.done.length >= from + after || each.isSettled(), 15_000);
  for (const each of inFlight) world.land(each);
  return world.done.length >= from + after;
}

function expectEnded(world: World, what: string): void {
  const isSettled = world.run((each) => each.isSettled(), 15_000);
  const { primary, operation, lease, lineage } = world.ballot;
  const story = world.done.join("; ");
  expect({ what, isSettled, violations: world.violations, lost: world.lost(), story }).toEqual({
    what,
    isSettled: true,
    violations: [],
    lost: [],
    story,
  });
  expect({ operation, lease }).toEqual({ operation: null, lease: null });
  expect(lineage.histories.some((each) => each.epoch === primary?.epoch)).toBe(true);
}

describe.each(SCENARIOS)("S11: $name", (scenario) => {
  it("ends when nothing happens to its holder", () => {
    const world = begun(scenario);
    expectEnded(world, "uncut");
  });

  it("is finished or rolled back by another voter, wherever its holder is cut", () => {
    const { count, telling } = actionsOf(scenario);
    expect(count).toBeGreaterThan(5);
    // Where a node is polled for a second, its answers are all alike: then only what changes or tells something is cut.
    const cuts = count > 60 ? telling : Array.from({ length: count + 1 }, (_, cut) => cut);
    for (const cut of cuts) {
      const { world } = cutAt(scenario, cut);
      world.write();
      expectEnded(world, `cut before action ${cut} of ${count}`);
    }
  });

  it("S4: is ended by another voter although what its holder had sent arrives at any later moment", () => {
    const { telling } = actionsOf(scenario);
    let landings = 0;
    for (const cut of telling) {
      const { inFlight } = cutAt(scenario, cut);
      let isGoingOn = inFlight.length > 0;
      for (let after = 0; isGoingOn; after += 1) {
        const { world, inFlight: sent } = cutAt(scenario, cut);
        isGoingOn = landAfter(world, sent, after);
        landings += 1;
        world.write();
        expectEnded(world, `cut before action ${cut}, what it sent arrives after ${after} more`);
      }
    }
    expect(landings).toBeGreaterThan(0);
  });

  it.each([2_000])("ends although its holder stalls for %i ms at any moment", (ms) => {
    const { telling } = actionsOf(scenario);
    expect(telling.length).toBeGreaterThan(0);
    for (const cut of telling) {
      const world = begun(scenario);
      const holder = world.ballot.lease?.holder ?? A;
      for (let done = 0; done < cut; world.advance()) if (world.next()?.voter === holder) done += 1;
      world.stall(holder, ms);
      world.wait(ms);
      world.write();
      expectEnded(world, `stalled for ${ms} ms before action ${cut}`);
    }
  });
});
