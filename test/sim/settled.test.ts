// What must be so for a world to have settled, with a world that is wrong in each. A world is excused from healing by a
// reason that a person has to end: one that is true of it, and not any that is told.

import { beforeAll, describe, expect, it } from "vitest";
import type { Ballot, Lease, Operation, Primary } from "../../lib/core/ballot.ts";
import type { RejectionReason } from "../../lib/core/rejection.ts";
import { type Epoch, epoch, nodeId, runId, voterId } from "../../lib/core/types.ts";
import { GROUP } from "./group.ts";
import { Scenario, type ScenarioOptions } from "./scenario.ts";
import { unsettled, waitsForPerson } from "./settled.ts";
import type { ValkeyProcess } from "./valkey-process.ts";
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
  "budget-spent",
] as const;

describe("L1: what excuses a world that does not settle", () => {
  let healthy: Scenario;

  beforeAll(() => {
    healthy = new Scenario("excuses", { config: { onPossibleLoss: "refuse", waitK: 1, coldStart: "wait" } });
  });

  it.each(REASONS)("%s is not believed of a healthy world", (reason) => {
    expect(said(healthy, reason)).toEqual([]);
  });

  const lost = (options: ScenarioOptions) => {
    const scenario = new Scenario("excuses", options);
    scenario.world.node("n1").kill();
    return scenario;
  };

  it.each([
    ["cold-start-waiting", { coldStart: "wait" }, { coldStart: "best" }],
    ["possible-loss-refused", { onPossibleLoss: "refuse", waitK: 1 }, { onPossibleLoss: "promote" }],
  ] as const)("%s is believed where the primary is lost and the group is declared so", (reason, config, other) => {
    expect(said(lost({ config }), reason)).toEqual([reason]);
    expect(said(lost({ config: other }), reason)).toEqual([]);
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

  it("budget-spent is believed of a record that shows it", () => {
    const scenario = lost({ config: { failoverBudget: 1 } });
    expect(said(scenario, "budget-spent")).toEqual([]);
    const item = scenario.world.table.ballot(GROUP);
    const budget = [{ epoch: 2, at: 0, promoted: true }];
    scenario.world.table.putBallot(GROUP, { ...item, budget });
    expect(said(scenario, "budget-spent")).toEqual(["budget-spent"]);
  });
});
