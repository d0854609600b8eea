// A situation of the nodes is counted at the fact that it names, and at nothing beside it.

import { describe, expect, it } from "vitest";
import { tokenAddress } from "../../lib/core/token.ts";
import { epoch, nodeId, voterId } from "../../lib/core/types.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import { NODE_SITUATIONS, NodeSituations } from "./sometimes-nodes.ts";
import type { NodeFact } from "./valkey-words.ts";
import type { World } from "./world.ts";

const n1 = nodeId("n1");
const n2 = nodeId("n2");
const DOWN_AFTER_MS = 5_000;

interface MadeNode {
  id: typeof n1;
  process: { follows: object | null; acceptsWrites: boolean } | null;
}

interface MadeBallot {
  primary: { node: typeof n1 } | null;
  operation: { kind: string; step: string } | null;
  lease: { holder: string } | null;
  lineage: { intents: readonly { node: typeof n1 }[] };
}

/** n1 is on record as the primary and serves, n2 follows; the holder is az-a. */
function made() {
  const ballot: MadeBallot = {
    primary: { node: n1 },
    operation: null,
    lease: { holder: "az-a" },
    lineage: { intents: [] },
  };
  const nodes = new Map<string, MadeNode>([
    [n1, { id: n1, process: { follows: null, acceptsWrites: true } }],
    [n2, { id: n2, process: { follows: { host: "n1", port: 6_379 }, acceptsWrites: false } }],
  ]);
  const queue = { now: 0 };
  const spec = { declared: { nodes: [], downAfterMs: DOWN_AFTER_MS }, overrides: {} };
  const world = {
    queue,
    table: { specs: new Map([["main", spec]]) },
    fleet: { nodes, node: (id: string) => nodes.get(id) },
    ballot: () => ballot,
  } as unknown as World;
  const met: string[] = [];
  const situations = new NodeSituations(world, (situation) => met.push(situation));
  return {
    ballot,
    nodes,
    queue,
    met,
    tell: (fact: NodeFact) => situations.onNode(fact),
    parks: (voter: string, of: number, assisted: boolean) =>
      situations.onJournal({
        event: "fence.parked",
        node: n1,
        epoch: epoch(of),
        voter: voterId(voter),
        detail: assisted ? { assisted } : {},
      } as unknown as JournalEntry),
  };
}

type Made = ReturnType<typeof made>;

const frozen = (node: typeof n1, at: number): NodeFact => ({
  kind: "followed",
  node,
  address: tokenAddress(epoch(at)),
  wasPrimary: false,
  by: "voter:az-a",
  epoch: epoch(at),
});
const follows = (node: typeof n1, by = "voter:az-a"): NodeFact => ({
  kind: "followed",
  node,
  address: { host: "n1", port: 6_379 },
  wasPrimary: false,
  by,
  epoch: null,
});
const promoted = (node: typeof n1, by = "voter:az-a"): NodeFact => ({ kind: "promoted", node, by, epoch: null });
const started = (node: typeof n1, data: "rdb" | "empty"): NodeFact => ({
  kind: "started",
  node,
  data,
  role: "primary",
});
const ended = (node: typeof n1): NodeFact => ({ kind: "ended", node, how: "killed" });
const executed = (node: typeof n1, label: string, by = "voter:az-a", at = 2): NodeFact => ({
  kind: "executed",
  node,
  by,
  epoch: epoch(at),
  label,
  effective: true,
});

/** What happens, and what is counted for it; null: nothing. */
type Row = readonly [what: string, happens: (world: Made) => void, met: string | null];

const ROWS: readonly Row[] = [
  [
    "frozen by 2 and then by 3",
    ({ tell }) => {
      tell(frozen(n2, 2));
      tell(frozen(n2, 3));
    },
    "a node is frozen by one epoch after another",
  ],
  [
    "frozen by 2 twice, and n1 by 3",
    ({ tell }) => {
      tell(frozen(n2, 2));
      tell(frozen(n2, 2));
      tell(frozen(n1, 3));
    },
    null,
  ],
  [
    "frozen, pointed at the primary, and frozen later",
    ({ tell }) => {
      tell(frozen(n2, 2));
      tell(follows(n2));
      tell(frozen(n2, 3));
    },
    null,
  ],
  ["a freeze by the holder", ({ tell }) => tell(executed(n1, "freeze")), null],
  ["a freeze by another", ({ tell }) => tell(executed(n1, "freeze", "voter:az-b")), "an assistant freezes"],
  ["a promotion by another", ({ tell }) => tell(executed(n1, "promote", "voter:az-b")), null],
  [
    "a freeze in the moment of waking",
    ({ tell, queue }) => {
      queue.now = 7;
      tell({ kind: "woke", node: n1 });
      tell(executed(n1, "freeze"));
    },
    "a parked freeze is what a woken node reads",
  ],
  [
    "a freeze a moment after waking",
    ({ tell, queue }) => {
      tell({ kind: "woke", node: n1 });
      queue.now = 7;
      tell(executed(n1, "freeze"));
    },
    null,
  ],
  [
    "a freeze that the holder and an assistant have parked",
    ({ tell, parks }) => {
      parks("az-a", 2, false);
      parks("az-b", 2, true);
      tell(executed(n1, "freeze"));
    },
    "an assisted fence races the holder",
  ],
  [
    "a freeze that the holder has parked, and under the next epoch an assistant",
    ({ tell, parks }) => {
      parks("az-a", 2, false);
      parks("az-b", 3, true);
      tell(executed(n1, "freeze", "voter:az-a", 3));
    },
    null,
  ],
  [
    "a woken primary that is on record no more",
    ({ tell, ballot }) => {
      ballot.primary = { node: n2 };
      tell({ kind: "woke", node: n1 });
    },
    "a former primary wakes as one",
  ],
  ["a woken primary that is on record", ({ tell }) => tell({ kind: "woke", node: n1 }), null],
  ["a woken replica", ({ tell }) => tell({ kind: "woke", node: n2 }), null],
  ["a promotion beside a primary that serves", ({ tell }) => tell(promoted(n2)), "two nodes accept writes"],
  ["a promotion of the only one that serves", ({ tell }) => tell(promoted(n1)), null],
  [
    "connections that are closed",
    ({ tell }) => tell({ kind: "killed-connections", node: n1, count: 1 }),
    "a change closes what another coordinator has open",
  ],
  [
    "a pause in no operation",
    ({ tell }) => tell({ kind: "paused", node: n1, by: "voter:az-a", untilMs: 9 }),
    "writes are held",
  ],
  [
    "a pause in an operation",
    ({ tell, ballot }) => {
      ballot.operation = { kind: "switchover", step: "begun" };
      tell({ kind: "paused", node: n1, by: "voter:az-a", untilMs: 9 });
    },
    "a primary is paused for a switchover",
  ],
  ["the primary, empty", ({ tell }) => tell(started(n1, "empty")), "a primary comes back without its data"],
  ["the primary, with its data", ({ tell }) => tell(started(n1, "rdb")), null],
  ["a replica, empty", ({ tell }) => tell(started(n2, "empty")), null],
  ...(
    [
      [DOWN_AFTER_MS - 1, null, "a primary comes back before it is voted down"],
      [DOWN_AFTER_MS, null, null],
      [1, { kind: "failover", step: "begun" }, null],
    ] as const
  ).map(
    ([afterMs, operation, met]): Row => [
      `the primary after ${afterMs} ms, ${operation === null ? "in no operation" : "in a failover"}`,
      ({ tell, ballot, queue }) => {
        tell(ended(n1));
        ballot.operation = operation;
        queue.now = afterMs;
        tell(started(n1, "rdb"));
      },
      met,
    ],
  ),
  ...(
    [
      [n1, "repair", "begun", "a primary is lost in a repair"],
      [n2, "repair", "begun", null],
      [n1, "failover", "begun", null],
      [n1, "failover", "committed", "a new primary is lost before it is told of"],
      [n1, "repair", "committed", "a primary is lost in a repair"],
      [n2, "failover", "committed", null],
      [n2, "failover", "intended", "a candidate is lost after the intent"],
    ] as const
  ).map(
    ([node, kind, step, met]): Row => [
      `${node} ends in a ${kind} that is ${step}, in which n2 is meant`,
      ({ tell, ballot }) => {
        ballot.operation = { kind, step };
        ballot.lineage.intents = [{ node: n2 }];
        tell(ended(node));
      },
      met,
    ],
  ),
  [
    "n2 ends in a failover that means another",
    ({ tell, ballot }) => {
      ballot.operation = { kind: "failover", step: "intended" };
      ballot.lineage.intents = [{ node: n2 }, { node: n1 }];
      tell(ended(n2));
    },
    null,
  ],
  ...[true, false].map(
    (isFrozen): Row => [
      `n2 ends in a failover that means nobody yet, ${isFrozen ? "" : "not "}frozen`,
      ({ tell, ballot }) => {
        ballot.operation = { kind: "failover", step: "begun" };
        tell(isFrozen ? frozen(n2, 2) : follows(n2));
        tell(ended(n2));
      },
      isFrozen ? "a candidate is lost after its freeze" : null,
    ],
  ),
  [
    "all processes are gone",
    ({ tell, nodes }) => {
      for (const node of nodes.values()) node.process = null;
      tell(ended(n2));
    },
    "all nodes are lost at once",
  ],
  ["one process of two ends", ({ tell }) => tell(ended(n2)), null],
  [
    "a node takes another's data",
    ({ tell }) => tell({ kind: "flushed", node: n2, from: n1 }),
    "a node is synchronized in full",
  ],
  ["a node keeps its own", ({ tell }) => tell({ kind: "link-up", node: n2, from: n1, how: "partial" }), null],
  ["a promotion by hand", ({ tell }) => tell(promoted(n1, "hand")), "a person makes a node primary"],
  [
    "a node that a person points elsewhere",
    ({ tell }) => tell(follows(n2, "hand")),
    "a person points a node elsewhere",
  ],
  ["a node that a voter points elsewhere", ({ tell }) => tell(follows(n2)), null],
];

describe("what is counted of the nodes", () => {
  it.each(ROWS)("%s", (_, happens, met) => {
    const world = made();
    happens(world);
    expect(world.met).toEqual(met === null ? [] : [met]);
  });

  it("is every situation of theirs", () => {
    expect(new Set(ROWS.flatMap(([, , met]) => met ?? []))).toEqual(new Set(NODE_SITUATIONS));
  });
});
