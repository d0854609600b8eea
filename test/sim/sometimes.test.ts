// A situation is counted at the event that it names, and at nothing that only looks like it.

import { describe, expect, it } from "vitest";
import type { Item, Json } from "../../lib/core/ballot-write.ts";
import { nodeId } from "../../lib/core/types.ts";
import { RECORD_SITUATIONS, RecordSituations } from "./sometimes-record.ts";
import type { BallotChange, BallotRefusal } from "./table.ts";
import type { World } from "./world.ts";

const n1 = nodeId("n1");
const n2 = nodeId("n2");

/** The voter az-a holds the lease as its first generation; its invocations that live, by name. */
function made(living: readonly string[] = [], zones: readonly string[] = ["az-a", "az-b", "az-c"]) {
  const slot = { voter: "az-a", generation: 1, owner: "az-a/1" };
  const invocations = living.map((name) => ({ name, sandbox: { alive: true } }));
  const world = {
    zones,
    table: { slots: new Map([["az-a", slot]]) },
    voters: new Map([["az-a", { invocations }]]),
  } as unknown as World;
  const met: string[] = [];
  const situations = new RecordSituations(world, (situation) => met.push(situation));
  let item: Item = { epoch: 1, primary: { node: n1, epoch: 1, runId: "run of n1" } };
  const write = (name: string, by: string, changes: Readonly<Record<string, Json>>, attempt = "attempt") => {
    const before = item;
    item = { ...item, ...changes };
    const of = { name, attempt: { path: [attempt], id: "x" }, changes: [] };
    situations.onBallot({ write: of, before, after: item, by: `voter:${by}` } as unknown as BallotChange);
  };
  const refused = (name: string, by: string, path: string, value: Json, kind = "refused") => {
    const of = { name, attempt: { path: [path], id: "y" }, changes: [{ path: [path], value }] };
    const refusal = { kind, write: of, before: item, by: `voter:${by}` };
    situations.onRefusal(refusal as unknown as BallotRefusal);
  };
  const lease = { holder: "az-a", generation: 1, version: 1, durationMs: 5_000, attempt: "x" };
  const operation = { kind: "failover", step: "begun", by: "automatic", began: 2 };
  write("grant", "az-a", { epoch: 2, lease, operation });
  met.length = 0;
  return { met, situations, write, refused, operation };
}

/** What happens to the record of a failover that az-a has begun at epoch 2, and what is counted; null: nothing. */
type Row = readonly [what: string, happens: (world: ReturnType<typeof made>) => void, met: string | null];

const NOW_PRIMARY = { node: n2, epoch: 3, runId: "run of n2" };
const vote = (level: string, generation: number): Json => ({ level, node: n1, epoch: 1, generation, seq: 1 });
const members = (...aside: readonly string[]): Json => ({
  nodes: Object.fromEntries(["n2", "n3"].map((id) => [id, { aside: aside.includes(id) }])),
});

const lapses = (
  [
    ["begun", "the lease lapses before an intent"],
    ["intended", "the lease lapses mid-promote"],
    ["restoring", "the lease lapses mid-roll-back"],
    ["committed", "the lease lapses while telling"],
    ["telling of nothing", null],
  ] as const
).map(
  ([step, met]): Row => [
    `a take-over of an operation that is ${step}`,
    ({ write, operation }) => {
      write("renew", "az-a", { operation: { ...operation, step } });
      write("take-over", "az-b", { epoch: 3 });
    },
    met,
  ],
);

const begun = (
  [
    ["repair", "automatic", "begun", "failover", "a repair"],
    ["cold-start", "automatic", "begun", "failover", "a cold start"],
    ["switchover", "automatic", "begun", "failover", "a primary that cannot write is switched away from"],
    ["switchover", "operator", "begun", "failover", "an order is begun"],
    ["failover", "automatic", "begun", "repair", "a failover over a repair"],
    ["failover", "automatic", "committed", "failover", "a failover while the one before is still telling"],
    ["failover", "automatic", "begun", "switchover", null],
  ] as const
).map(
  ([kind, by, step, over, met]): Row => [
    `a ${kind}, ${by}, over a ${over} that is ${step}`,
    ({ write, met: all }) => {
      // By a person's order, so that no attempt of a voter's own has come to nothing.
      write("grant", "az-a", { primary: NOW_PRIMARY, operation: { kind: over, by: "operator", step, began: 5 } });
      all.length = 0;
      write("grant", "az-a", { epoch: 9, operation: { kind, by, step: "begun", began: 9 } });
    },
    met,
  ],
);

const ROWS: readonly Row[] = [
  ...lapses,
  ...begun,
  [
    "two intents under one epoch",
    ({ write }) => {
      write("record-intent", "az-a", {});
      write("record-intent", "az-a", {});
    },
    "a second intent in one operation",
  ],
  ["one intent", ({ write }) => write("record-intent", "az-a", {}), null],
  [
    "two intents under two epochs",
    ({ write }) => {
      write("record-intent", "az-a", {});
      write("renew", "az-a", { epoch: 3 });
      write("record-intent", "az-a", {});
    },
    "an intent under each of two epochs of one operation",
  ],
  [
    "an intent in each of two operations",
    ({ write, operation, met }) => {
      write("record-intent", "az-a", {});
      write("commit", "az-a", { primary: NOW_PRIMARY });
      write("grant", "az-a", { epoch: 9, operation: { ...operation, began: 9 } });
      write("record-intent", "az-a", {});
      expect(met).toEqual([]);
    },
    null,
  ],
  [
    "an intent to give the old primary its place back",
    ({ write, operation }) => write("record-intent", "az-a", { operation: { ...operation, step: "restoring" } }),
    "a roll back is begun",
  ],
  [
    "an attempt that is over, n1 still the primary",
    ({ write }) => write("finish", "az-a", { operation: null }),
    "an attempt ends without a commit",
  ],
  [
    "an attempt that is over, n2 the primary",
    ({ write }) => {
      write("commit", "az-a", { primary: NOW_PRIMARY });
      write("finish", "az-a", { operation: null });
    },
    null,
  ],
  ["another kind", ({ write }) => write("change-kind", "az-a", {}), "a switchover becomes a failover"],
  ["another history", ({ write }) => write("enter-replication-id", "az-a", {}), "a primary changes its replication id"],
  ["a pause in an operation", ({ write }) => write("set-control", "az-a", {}), "paused in the middle of an operation"],
  [
    "a pause at rest",
    ({ write, met }) => {
      write("finish", "az-a", { operation: null });
      met.length = 0;
      write("set-control", "az-a", {});
    },
    null,
  ],
  [
    "a replica aside",
    ({ write }) => write("update-members", "az-a", { members: members("n2") }),
    "a replica is set aside",
  ],
  [
    "a replica that stays aside",
    ({ write, met }) => {
      write("update-members", "az-a", { members: members("n2") });
      met.length = 0;
      write("update-members", "az-a", { members: members("n2") });
    },
    null,
  ],
  [
    "a replica aside no more",
    ({ write, met }) => {
      write("update-members", "az-a", { members: members("n2") });
      met.length = 0;
      write("update-members", "az-a", { members: members() });
    },
    "a replica is let in again",
  ],
  ...(
    [
      [vote("down", 1), vote("clear", 1), "a vote is retracted"],
      [vote("down", 1), vote("suspect", 2), "two invocations of one voter vote"],
      [vote("clear", 1), vote("down", 2), null],
      [vote("suspect", 1), vote("down", 1), null],
      [null, vote("clear", 1), null],
    ] as const
  ).map(
    ([was, is, met]): Row => [
      `a vote over another: ${JSON.stringify([was, is])}`,
      ({ write }) => {
        write("record", "az-b", { "vote_az-b": was });
        write("cast-vote", "az-b", { "vote_az-b": is }, "vote_az-b");
      },
      met,
    ],
  ),
];

/** Each has a test of its own. */
const ALONE = [
  "two holders alive",
  "a promoted candidate is committed by another voter",
  "a roll back is taken to its end",
  "a failover by order",
  "a failover on three of five votes",
  "two voters contend for a grant",
  "two voters contend for a take-over",
  "a stale holder's write is refused",
  "a vote that came late is refused",
  "an own write is met again",
  "an attempt after one that promoted nobody",
  "an attempt after two that promoted nobody",
] as const;

describe("what is counted of the record", () => {
  it.each(ROWS)("%s", (_, happens, met) => {
    const world = made();
    happens(world);
    expect(world.met).toEqual(met === null ? [] : [met]);
  });

  it("is every situation of it", () => {
    const here = ROWS.flatMap(([, , met]) => met ?? []);
    expect(new Set([...here, ...ALONE])).toEqual(new Set(RECORD_SITUATIONS));
  });

  it("as a roll back that is taken to its end: the same process as before is recorded", () => {
    for (const [name, changes, isMet] of [
      ["record-restored", {}, true],
      ["commit", { primary: NOW_PRIMARY }, false],
    ] as const) {
      const { write, operation, met } = made();
      write("record-restored", "az-a", {});
      expect(met).toEqual([]);
      write("record-intent", "az-a", { operation: { ...operation, step: "restoring" } });
      write(name, "az-a", changes);
      expect(met.includes("a roll back is taken to its end")).toBe(isMet);
    }
  });

  it("as a failover by order: an order that is one", () => {
    for (const [kind, by, isMet] of [
      ["failover", "operator", true],
      ["switchover", "operator", false],
      ["failover", "automatic", false],
    ] as const) {
      const { write, met } = made();
      write("grant", "az-a", { epoch: 9, operation: { kind, by, step: "begun", began: 9 } });
      expect(met.includes("a failover by order")).toBe(isMet);
    }
  });

  it("as an attempt after one or two that promoted nobody: those in a row, by voters, of the same process", () => {
    const [after1, after2] = ["an attempt after one that promoted nobody", "an attempt after two that promoted nobody"];
    for (const [changes, last, found] of [
      [{}, "automatic", [[], [after1], [after1, after2]]],
      [{ primary: NOW_PRIMARY }, "automatic", [[], [], [after1]]],
      [{}, "operator", [[], [after1], []]],
    ] as const) {
      const { write, met, operation } = made();
      const attempts = () => met.splice(0).filter((each) => each.startsWith("an attempt after"));
      const grant = (began: number, by: string) =>
        write("grant", "az-a", { epoch: began, operation: { ...operation, by, began } });
      const seen = [attempts()];
      write("commit", "az-a", changes);
      grant(3, "automatic");
      seen.push(attempts());
      grant(4, last);
      seen.push(attempts());
      expect(seen).toEqual(found);
    }
  });

  it("as voters that contend for a take-over: both wanted the same epoch", () => {
    const world = made();
    world.write("take-over", "az-b", { epoch: 3, lease: { holder: "az-b", generation: 1 } });
    world.met.length = 0;
    for (const [name, by, epoch] of [
      ["take-over", "az-b", 3],
      ["take-over", "az-c", 4],
      ["grant", "az-c", 3],
    ] as const)
      world.refused(name, by, "epoch", epoch);
    expect(world.met).toEqual([]);
    world.refused("take-over", "az-c", "epoch", 3);
    expect(world.met).toEqual(["two voters contend for a take-over"]);
  });

  it("as an own write that is met again: whatever else it would be", () => {
    const world = made();
    world.write("take-over", "az-b", { epoch: 3, lease: { holder: "az-b", generation: 1 } });
    world.met.length = 0;
    world.refused("commit", "az-a", "epoch", 3, "echo");
    expect(world.met).toEqual(["an own write is met again"]);
  });
});

describe("what is counted", () => {
  it("as two holders alive: the invocation that held the lease, and no successor of its voter", () => {
    for (const [name, met] of [
      ["az-a/1", ["the lease lapses before an intent", "two holders alive"]],
      ["az-a/2", ["the lease lapses before an intent"]],
    ] as const) {
      const world = made([name]);
      world.write("take-over", "az-b", { epoch: 3, lease: { holder: "az-b", generation: 1 } });
      expect(world.met).toEqual(met);
    }
  });

  it("as a commit by another voter: the commit, by who did not promote", () => {
    for (const by of ["az-a", "az-b"]) {
      const world = made();
      world.situations.onNode({ kind: "promoted", node: n2, by: "voter:az-a", epoch: null });
      const committed = { ...world.operation, step: "committed" };
      world.write("take-over", by, { epoch: 3 });
      expect(world.met).not.toContain("a promoted candidate is committed by another voter");
      world.write("commit", by, { operation: committed, primary: { node: n2, epoch: 3, runId: "run of n2" } });
      expect(world.met.includes("a promoted candidate is committed by another voter")).toBe(by === "az-b");
    }
  });

  it("as voters that contend: both wanted the same epoch", () => {
    const world = made();
    world.refused("grant", "az-a", "epoch", 2);
    world.refused("grant", "az-b", "epoch", 3);
    world.refused("take-over", "az-b", "epoch", 2);
    expect(world.met).toEqual([]);
    world.refused("grant", "az-b", "epoch", 2);
    expect(world.met).toEqual(["two voters contend for a grant"]);
  });

  it("as three votes of five: those for the primary on record, at the grant of a failover by itself", () => {
    const five = ["az-a", "az-b", "az-c", "az-d", "az-e"];
    const down = { level: "down", node: n1, epoch: 1, generation: 1, seq: 1 };
    const votes = (...of: readonly Json[]) =>
      Object.fromEntries(five.map((zone, index) => [`vote_${zone}`, of[index] ?? null]));
    for (const [zones, standing, by, isMet] of [
      [five, [down, down, { ...down, level: "clear" }, down], "automatic", true],
      [five, [down, down, { ...down, level: "suspect" }, { ...down, epoch: 0 }], "automatic", false],
      [five, [down, down, down, down], "automatic", false],
      [five, [down, down, down], "operator", false],
      [five.slice(0, 3), [down, down, down], "automatic", false],
    ] as const) {
      const world = made([], zones);
      world.write("record", "az-c", votes(...standing));
      world.write("grant", "az-a", { epoch: 3, operation: { ...world.operation, by, began: 3 } });
      expect(world.met.includes("a failover on three of five votes")).toBe(isMet);
    }
  });

  it("as a vote that came late: a larger one of its voter stands", () => {
    const world = made();
    const standing = { level: "down", generation: 2, seq: 5 };
    world.write("record", "az-b", { "vote_az-b": standing });
    world.refused("cast-vote", "az-b", "vote_az-b", { ...standing, seq: 6 });
    expect(world.met).toEqual([]);
    world.refused("cast-vote", "az-b", "vote_az-b", { ...standing, generation: 1, seq: 9 });
    expect(world.met).toEqual(["a vote that came late is refused"]);
  });

  it("as a stale holder's write: another held the lease since", () => {
    const world = made();
    world.refused("commit", "az-a", "epoch", 2);
    expect(world.met).toEqual([]);
    world.write("take-over", "az-b", { epoch: 3, lease: { holder: "az-b", generation: 1 } });
    world.met.length = 0;
    world.refused("commit", "az-a", "epoch", 2);
    expect(world.met).toEqual(["a stale holder's write is refused"]);
  });
});
