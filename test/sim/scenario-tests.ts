// How the named scenarios say what they expect: the same scenario under a few seeds, and how it ends in one record.

import { expect, it } from "vitest";
import type { NodeId } from "../../lib/core/types.ts";
import { GROUP } from "./group.ts";
import type { Fault, PlannedFault } from "./plan.ts";
import { Scenario, type ScenarioOptions } from "./scenario.ts";

const SEEDS = ["1", "2", "3"];

/** What it must keep in every seed is checked here: no broken promise, and every fault begun. A failure tells the whole story. */
export function each(what: string, options: ScenarioOptions, then: (scenario: Scenario) => void, seeds = SEEDS): void {
  it.each(seeds)(`${what} (seed %s)`, (seed) => {
    const scenario = new Scenario(seed, options);
    try {
      then(scenario);
      expect(scenario.oracle.violations).toEqual([]);
      // A fault whose occasion never came makes another scenario of it.
      expect(scenario.world.faults.waiting).toEqual([]);
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${scenario.story()}`, {
        cause: error,
      });
    }
  });
}

export const at = (ms: number, fault: Fault): PlannedFault => ({ at: ms, fault });

export const kill = (afterMs: number | null, data: "rdb" | "aof" | "empty" = "rdb"): Fault => ({
  kind: "kill-node",
  node: "n1",
  restart: afterMs === null ? null : { afterMs, data },
});

export interface End {
  /** The committed primary, and the epoch of its commit. */
  readonly primary: string;
  readonly epoch: number;
  /** What table, SSM and DNS say, as `epoch node`; one of them where all say the same. */
  readonly published: string;
  /** Lease, operation and standing votes; empty: the record is at rest. */
  readonly goesOn: readonly string[];
  /** Nodes and publications that are not as they should be. */
  readonly unsettled: readonly string[];
  /** Why nothing is done, by the voters' own account in their slots (S12). */
  readonly reasons: readonly string[];
}

export function endOf(scenario: Scenario): End {
  const { world } = scenario;
  const ballot = world.ballot();
  if (ballot?.primary == null) throw new Error("there is no primary on record");
  const { node, epoch } = ballot.primary;
  const nodeAt = (host: string): NodeId | string =>
    [...world.fleet.nodes.values()].find(({ address }) => address.host === host)?.id ?? host;
  const table = world.table.publications.get(GROUP);
  const said = [
    table === undefined ? "nothing" : `${table.epoch} ${table.primary.node}`,
    ...(["ssm", "dns"] as const).map((copy) => {
      const standing = world.copies.read(copy, GROUP);
      return standing === null ? "nothing" : `${standing.epoch} ${nodeAt(standing.primary.host)}`;
    }),
  ];
  const votes = Object.entries(ballot.votes).filter(([, { level }]) => level !== "clear");
  const reasons = [...world.table.slots.values()].flatMap(({ groups }) => groups[GROUP]?.rejection?.reason ?? []);
  return {
    primary: node,
    epoch,
    published: new Set(said).size === 1 ? (said[0] as string) : said.join(", "),
    goesOn: [
      ...(ballot.lease === null ? [] : [`lease of ${ballot.lease.holder}`]),
      ...(ballot.operation === null ? [] : [`${ballot.operation.kind} ${ballot.operation.step}`]),
      ...votes.map(([voter, { level, node: on }]) => `${voter} says ${on} ${level}`),
    ],
    unsettled: scenario.unsettled(),
    reasons: [...new Set(reasons)].sort(),
  };
}

/** At rest, healthy, and everybody is told so. */
export const healthy = (primary: string, epoch: number): End => ({
  primary,
  epoch,
  published: `${epoch} ${primary}`,
  goesOn: [],
  unsettled: [],
  reasons: [],
});
