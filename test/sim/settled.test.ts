// What must be so for a world to have settled, with a world that is wrong in each. A world is excused from healing by a
// reason that a person has to end: one that is true of it, and not any that is told.

import { beforeAll, describe, expect, it } from "vitest";
import type { Ballot, Lease, Operation, Primary } from "../../lib/core/ballot.ts";
import type { RejectionReason } from "../../lib/core/rejection.ts";
import { type Epoch, epoch, nodeId, runId, voterId } from "../../lib/core/types.ts";
import { BEGINNING } from "./clock.ts";
import { GROUP } from "./group.ts";
import { budgetEndsAt, factsOf } from "./oracle-reasons.ts";
import { Scenario, type ScenarioOptions } from "./scenario.ts";
import { unsettled, waitsForPerson } from "./settled.ts";
import type { ValkeyProcess } from "./valkey-process.ts";
import type { RestartData } from "./valkey-words.ts";
import type { World } from "./world.ts";

/** The world of `scenario`, whose record says something else. */
const recorded = ({ world }: Scenario, changes: Partial<Ballot>): World =>
  Object.create(world, { ballot: { value: () => ({ ...world.ballot(), ...changes }) } });

const processOf = ({ world }: Scenario, node: string): ValkeyProcess => {
  const { process } = world.node(node);
  if (process === null) throw new Error(`${node} is not running`);
  return process;
};

const primaryOf = ({ world }: Scenario): Primary => {
  const primary = world.ballot()?.primary;
  if (primary == null) throw new Error("there is no primary on record");
  return primary;
};

describe("L1: what is not as it should be", () => {
  const healthy = () => new Scenario("settled", {});

  it("is nothing in a healthy world", () => {
    expect(unsettled(healthy().world)).toEqual([]);
  });

  it.each<{ readonly changes: (scenario: Scenario) => Partial<Ballot>; readonly found: string }>([
    { changes: () => ({ primary: null }), found: "there is no primary on record" },
    { changes: () => ({ table: "another" }), found: "the record is of another table" },
    { changes: () => ({ lease: { holder: voterId("az-b") } as Lease }), found: "az-b holds the lease" },
    { changes: () => ({ operation: { kind: "repair" } as Operation }), found: "repair goes on" },
    {
      changes: (scenario) => ({ primary: { ...primaryOf(scenario), runId: runId("another") } }),
      found: "n1 is on record as another process",
    },
  ])("by the record: $found", ({ changes, found }) => {
    const scenario = healthy();
    expect(unsettled(recorded(scenario, changes(scenario)))).toEqual([found]);
  });

  it("is a record that is gone", () => {
    const { world } = healthy();
    world.table.putBallot(GROUP, null);
    expect(unsettled(world)).toEqual(["there is no primary on record"]);
  });

  it.each<{ readonly what: string; readonly does: (scenario: Scenario) => void; readonly found: readonly string[] }>([
    { what: "was killed", does: ({ world }) => world.node("n2").kill(), found: ["n2 is not running"] },
    {
      what: "follows another",
      does: (scenario) => processOf(scenario, "n2").replicaof(scenario.world.node("n3").address, "hand", null),
      found: ["n2 does not follow n1"],
    },
    {
      what: "has no link",
      does: (scenario) => {
        const { address } = scenario.world.node("n1");
        processOf(scenario, "n2").replicaof(scenario.world.node("n3").address, "hand", null);
        processOf(scenario, "n2").replicaof(address, "hand", null);
        expect(processOf(scenario, "n2").follows).toEqual(address);
      },
      found: ["n2 does not follow n1"],
    },
    {
      what: "is a primary too",
      does: (scenario) => processOf(scenario, "n2").replicaof(null, "hand", null),
      found: ["n2 does not follow n1"],
    },
    {
      what: "hangs",
      does: (scenario) => processOf(scenario, "n1").hang(),
      found: ["n1 accepts no writes"],
    },
  ])("by a node: it $what", ({ does, found }) => {
    const scenario = healthy();
    does(scenario);
    expect(unsettled(scenario.world)).toEqual(found);
  });

  it("is a replica of a replica, whose link is up", () => {
    const scenario = healthy();
    const process = processOf(scenario, "n2");
    process.replicaof(scenario.world.node("n3").address, "hand", null);
    for (let times = 0; times < 100 && !process.replication.linkUp; times += 1) scenario.run(10);
    expect(process.replication.linkUp).toBe(true);
    expect(unsettled(scenario.world)).toContain("n2 does not follow n1");
  });

  it("is a primary on record that follows another", () => {
    const scenario = healthy();
    processOf(scenario, "n1").replicaof(scenario.world.node("n2").address, "hand", null);
    expect(unsettled(scenario.world)).toContain("n1 is on record and no primary");
  });

  it("is a publication of another, of none, or of another epoch", () => {
    const { world } = healthy();
    const { publications } = world.table;
    const published = publications.get(GROUP);
    if (published === undefined) throw new Error("nothing is published");
    const other = { ...published.primary, node: nodeId("n2") };
    for (const changed of [
      { ...published, epoch: 99 as Epoch },
      { ...published, primary: other },
    ]) {
      publications.set(GROUP, changed);
      expect(unsettled(world)).toEqual(["the table publishes another"]);
    }
    publications.delete(GROUP);
    expect(unsettled(world)).toEqual(["the table publishes another"]);
  });

  it.each(["ssm", "dns"] as const)("by a copy: %s", (copy) => {
    const { world } = healthy();
    const standing = world.copies.read(copy, GROUP);
    if (standing === null) throw new Error("there is no copy");
    for (const changes of [{ epoch: 99 as Epoch }, { primary: world.node("n2").address }]) {
      world.copies.overwrite(copy, GROUP, { ...standing, ...changes }, "hand");
      expect(unsettled(world)).toEqual([`${copy} publishes another`]);
    }
  });
});

/** What voters say, whatever they see. */
function said(scenario: Scenario, reason: RejectionReason): readonly string[] {
  const { slots } = scenario.world.table;
  for (const [key, slot] of slots) {
    const view = slot.groups[GROUP];
    if (view === undefined) continue;
    const rejection = { reason, detail: "said", ends: "never", check: null, sinceMs: 0 };
    slots.set(key, { ...slot, groups: { ...slot.groups, [GROUP]: { ...view, rejection } } });
  }
  return waitsForPerson(scenario.world);
}

const REASONS = [
  "not-armed",
  "adoption-refused",
  "misconfigured",
  "possible-loss-refused",
  "cold-start-waiting",
  "unexplained-primary",
  "unknown-history",
  "foreign-table",
] as const;

describe("L1: what excuses a world that does not settle", () => {
  let healthy: Scenario;

  beforeAll(() => {
    healthy = new Scenario("excuses", { config: { onPossibleLoss: "refuse", waitK: 1, coldStart: "wait" } });
  });

  it.each(REASONS)("%s is not believed of a healthy world", (reason) => {
    expect(said(healthy, reason)).toEqual([]);
  });

  /** Each node ends and comes back with this, or not at all. */
  const restarted = (options: ScenarioOptions, data: Readonly<Record<string, RestartData | null>>) => {
    const scenario = new Scenario("excuses", options);
    const { world } = scenario;
    for (const node of Object.keys(data)) world.node(node).kill();
    for (const [node, kept] of Object.entries(data)) if (kept !== null) world.node(node).start(kept);
    scenario.run(100);
    return scenario;
  };
  const REFUSES = { onPossibleLoss: "refuse", waitK: 1 } as const;
  const all = (data: RestartData) => ({ n1: data, n2: data, n3: data });

  it("cold-start-waiting is believed where all have restarted and a cold start is declared to wait", () => {
    const reason = "cold-start-waiting";
    expect(said(restarted({ config: { ...REFUSES, coldStart: "wait" } }, all("rdb")), reason)).toEqual([reason]);
    expect(said(restarted({ config: { ...REFUSES, coldStart: "best" } }, all("rdb")), reason)).toEqual([]);
    expect(said(restarted({ config: { coldStart: "wait" } }, { n1: "rdb" }), reason)).toEqual([]);
    expect(said(restarted({ config: { coldStart: "wait" } }, { ...all("rdb"), n3: null }), reason)).toEqual([]);
  });

  it("possible-loss-refused is believed while a node is missing that would have to count", () => {
    const reason = "possible-loss-refused";
    expect(said(restarted({ config: REFUSES }, { n1: null, n2: null }), reason)).toEqual([reason]);
    expect(said(restarted({ config: REFUSES }, { n1: null }), reason)).toEqual([]);
    expect(said(restarted({ config: REFUSES }, { n1: "rdb", n2: "rdb" }), reason)).toEqual([]);
    expect(said(restarted({}, { n1: null, n2: null }), reason)).toEqual([]);
  });

  it("unknown-history is believed where no record explains what is held", () => {
    const reason = "unknown-history";
    const config = { ...REFUSES, coldStart: "best" } as const;
    expect(said(restarted({ config }, all("aof")), reason)).toEqual([reason]);
    expect(said(restarted({ config }, all("rdb")), reason)).toEqual([]);
    expect(said(restarted({ config }, { n1: "aof" }), reason)).toEqual([]);
  });

  it("not-armed is believed where the primary was lost before the group was ever healthy", () => {
    const reason = "not-armed";
    expect(said(restarted({ config: { armAfterMs: 600_000 } }, { n1: null }), reason)).toEqual([reason]);
    expect(said(restarted({ config: { armAfterMs: 600_000 } }, { n2: null }), reason)).toEqual([]);
    expect(said(restarted({}, { n1: null }), reason)).toEqual([]);
  });

  it("unexplained-primary is believed of a node that a person made one", () => {
    const { world } = healthy;
    world.node("n2").process?.replicaof(null, "hand", null);
    expect(said(healthy, "unexplained-primary")).toEqual(["unexplained-primary"]);
  });

  it("a budget that is spent excuses nothing: time ends it", () => {
    const scenario = restarted({ config: { failoverBudget: 2 } }, { n1: null });
    const spent = (...at: readonly number[]) => {
      const budget = at.map((ms) => ({ epoch: 2, at: BEGINNING + ms, promoted: true }));
      scenario.world.table.putBallot(GROUP, { ...scenario.world.table.ballot(GROUP), budget });
      return budgetEndsAt(factsOf(scenario.world));
    };
    expect(spent()).toBeNull();
    expect(spent(9_000)).toBeNull();
    expect(spent(1_000, 9_000)).toBe(601_000);
    expect(spent(1_000, 9_000, 5_000)).toBe(605_000);
    expect(spent(-600_000, 9_000)).toBeNull();
    expect(said(scenario, "budget-spent")).toEqual([]);
    const { world } = new Scenario("excuses", { config: { failoverBudget: 1 } });
    world.table.putBallot(GROUP, {
      ...world.table.ballot(GROUP),
      budget: [{ epoch: 2, at: BEGINNING, promoted: true }],
    });
    expect(budgetEndsAt(factsOf(world))).toBeNull();
  });

  it("held is believed of an intent whose node cannot be read, or has another history, and of no other", () => {
    const scenario = new Scenario("excuses", {});
    const { world } = scenario;
    const { process } = world.node("n2");
    const replicationId = process?.position.stream.id ?? "";
    const heldBy = (step: string, intents: readonly { node: string; replicationId: string }[]): readonly string[] => {
      const [event] = world.events;
      if (event === undefined) throw new Error("nothing was told");
      world.events.splice(0, 1, { ...event, event: "group.held", epoch: epoch(9) });
      const item = world.table.ballot(GROUP);
      const operation = { kind: "failover", step, began: 9, target: null, by: "automatic", reason: "", request: null };
      const lineage = {
        histories: [],
        intents: intents.map((each) => ({ epoch: 9, runId: "r".repeat(40), offset: 1, ...each })),
      };
      world.table.putBallot(GROUP, { ...item, operation: { ...operation, insists: false }, lineage });
      expect(world.ballot()?.lineage.intents).toHaveLength(intents.length);
      return waitsForPerson(world);
    };
    const other = "f".repeat(40);
    expect(heldBy("intended", [])).toEqual([]);
    expect(heldBy("intended", [{ node: "n2", replicationId }])).toEqual([]);
    expect(heldBy("intended", [{ node: "n2", replicationId: other }])).toEqual(["held"]);
    expect(heldBy("committed", [{ node: "n2", replicationId: other }])).toEqual([]);
    const takenBack = { node: "n1", replicationId };
    expect(heldBy("restoring", [{ node: "n2", replicationId: other }, takenBack])).toEqual([]);
    process?.hang();
    expect(heldBy("intended", [{ node: "n2", replicationId }])).toEqual(["held"]);
  });
});
