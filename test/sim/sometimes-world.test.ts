// A situation that voters tell of, that a slot shows or that is done to the world is counted when it comes, and at nothing
// beside it.

import { describe, expect, it } from "vitest";
import { type Epoch, voterId } from "../../lib/core/types.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import { SITUATIONS, Sometimes } from "./sometimes.ts";
import { NODE_SITUATIONS } from "./sometimes-nodes.ts";
import { RECORD_SITUATIONS } from "./sometimes-record.ts";
import type { BallotChange } from "./table.ts";
import type { World } from "./world.ts";

/** A world that shows one voter's slot, the version of the declaration and the record. */
function made() {
  const slot = { voter: "az-a", generation: 1, restsMs: null as number | null, groups: {} as object };
  const spec = { version: 1 };
  const ballot = { epoch: 5, operation: null as object | null };
  let look = () => {};
  const world = {
    observers: [],
    queue: {
      now: 0,
      after: (_: number, act: () => void) => {
        look = act;
      },
    },
    table: { slots: new Map([["az-a", slot]]), specs: new Map([["main", spec]]) },
    ballot: () => ballot,
  } as unknown as World;
  const sometimes = Sometimes.of(world);
  return {
    sometimes,
    slot,
    spec,
    ballot,
    look: () => look(),
    says: (reason: string | null) => {
      slot.groups = { main: { rejection: reason === null ? null : { reason } } };
      look();
    },
    tells: (event: string, changes: object = {}) =>
      sometimes.onJournal({
        event,
        voter: voterId("az-a"),
        generation: 2,
        epoch: 5,
        node: null,
        detail: {},
        ...changes,
      } as unknown as JournalEntry),
    writes: (name: string, before: object | null, after: object) =>
      sometimes.onBallot({
        write: { name, attempt: { path: ["attempt"], id: "x" }, changes: [] },
        before,
        after,
        by: "voter:az-a",
      } as unknown as BallotChange),
    met: () => Object.fromEntries(sometimes.counts),
  };
}

type Made = ReturnType<typeof made>;

const TOLD = {
  "deciding.suspended": "a voter wakes from a stall",
  "lease.lost": "a holder finds its lease lost",
  "promotion.failed": "a promotion fails",
  "candidate.none": "nobody can be promoted",
  "primary.restored": "the old primary is given back its place",
  "replica.not-repointed": "a replica is left to repair",
  "publication.failed": "a publication fails",
  "request.refused": "an order is refused",
  "failover.abandoned": "a failover is given up",
  "switchover.abandoned": "a switchover is given up",
  "loss.possible": "a loss is recorded",
  "fence.parked": "a freeze is parked on a node that hangs",
  "node.demoted": "a former primary is demoted",
  "node.misconfigured": "a node turns a voter away",
  "stop.asked": "the host of an old primary is to be stopped",
  "stop.refused": "a host is not stopped",
  "node.stopped": "a host has stopped before another node is meant",
} as const;

const reasons = SITUATIONS.filter((each) => each.startsWith("reason: "));

const forged = (by: string) => (world: Made) => {
  world.sometimes.onCopy("ssm", 3, "hand");
  world.sometimes.onCopy("ssm", 3, by);
};

/** What happens, and what is counted for it beside what is told by itself; null: nothing. */
type Row = readonly [what: string, happens: (world: Made) => void, met: string | null];

const ROWS: readonly Row[] = [
  ["wakes at epoch 3 of 5", ({ tells }) => tells("deciding.suspended", { epoch: 3 }), "a voter wakes two epochs later"],
  ["wakes at epoch 4 of 5", ({ tells }) => tells("deciding.suspended", { epoch: 4 }), null],
  [
    "an older epoch over a newer one",
    ({ sometimes }) => {
      sometimes.onCopy("ssm", 3, "a");
      sometimes.onCopy("ssm", 2, "b");
    },
    "a copy goes back to an older epoch",
  ],
  [
    "an older epoch in another copy, and a newer one by another",
    ({ sometimes }) => {
      sometimes.onCopy("ssm", 3, "a");
      sometimes.onCopy("dns", 2, "b");
      sometimes.onCopy("dns", 3, "a");
    },
    null,
  ],
  [
    "one epoch by two",
    ({ sometimes }) => {
      sometimes.onCopy("ssm", 3, "a");
      sometimes.onCopy("ssm", 3, "b");
    },
    "a copy is written by two under one epoch",
  ],
  [
    "one epoch by one, twice",
    ({ sometimes }) => {
      sometimes.onCopy("ssm", 3, "a");
      sometimes.onCopy("ssm", 3, "a");
    },
    null,
  ],
  ["a copy by a person, twice", forged("hand"), null],
  [
    "a copy by a person, and the next epoch over it",
    ({ sometimes }) => {
      sometimes.onCopy("ssm", 3, "hand");
      sometimes.onCopy("ssm", 4, "a");
    },
    "a copy that somebody forged is repaired",
  ],
  [
    "published by the function",
    ({ sometimes }) => sometimes.onPublication({ epoch: 3 as Epoch } as never, "publisher"),
    "the publisher function is the first to publish",
  ],
  [
    "published by a voter, and then by the function",
    ({ sometimes }) => {
      sometimes.onPublication({ epoch: 3 as Epoch } as never, "voter:az-a");
      sometimes.onPublication({ epoch: 3 as Epoch } as never, "publisher");
    },
    null,
  ],
  ["restored", ({ sometimes }) => sometimes.onReplaced("restored"), "a table is restored to an earlier state"],
  ["deleted", ({ sometimes }) => sometimes.onReplaced("deleted"), "a record is deleted by hand"],
  ["set back", ({ sometimes }) => sometimes.onSetBack(), "a record is set back by hand"],
  ["behind", ({ sometimes }) => sometimes.onStaleOrder(), "an order that has its answer is glanced as one that waits"],
  ["rolled back", ({ sometimes }) => sometimes.onRolledBack(), "a version is rolled back"],
  ["taken out", ({ sometimes }) => sometimes.onMembersChanged(), "a node is taken out of the declaration"],
  ["adopted", ({ writes }) => writes("adopt", null, { epoch: 1, table: "one" }), null],
  [
    "granted in another table",
    ({ writes }) => writes("grant", { epoch: 1, table: "one" }, { epoch: 2, table: "two" }),
    "a restored record is taken over by a person's order",
  ],
  [
    "granted in its table",
    ({ writes }) => writes("grant", { epoch: 1, table: "one" }, { epoch: 2, table: "one" }),
    null,
  ],
  [
    "told in another table",
    ({ writes }) =>
      writes("cast-vote", { epoch: 1, table: "one" }, { epoch: 1, table: "two", attempt: { level: "clear" } }),
    null,
  ],
  [
    "declared anew in an operation",
    ({ look, spec, ballot }) => {
      ballot.operation = { kind: "repair" };
      look();
      spec.version = 2;
      look();
    },
    "a declaration changes in the middle of an operation",
  ],
  [
    "declared anew at rest, and the same in an operation",
    ({ look, spec, ballot }) => {
      look();
      spec.version = 2;
      look();
      ballot.operation = { kind: "repair" };
      look();
    },
    null,
  ],
  [
    "a voter that rests, looked at twice",
    ({ look, slot }) => {
      slot.restsMs = 60_000;
      look();
      look();
    },
    "a voter rests: all is well",
  ],
  ["lost by one that did not rest", ({ tells }) => tells("primary.subjectively-down"), null],
];

/** What each of them tells of besides. */
const besides = (counted: Record<string, number>) =>
  Object.keys(counted).filter((each) => each !== TOLD["deciding.suspended"]);

describe("what is counted of the world", () => {
  it.each(ROWS)("%s", (_, happens, met) => {
    const world = made();
    happens(world);
    expect(besides(world.met())).toEqual(met === null ? [] : [met]);
    expect(Object.values(world.met()).every((times) => times === 1)).toBe(true);
  });

  it("as adopted anew: the first adoption behind a deletion", () => {
    for (const [how, times] of [
      ["deleted", 1],
      ["restored", undefined],
    ] as const) {
      const { sometimes, writes, met } = made();
      sometimes.onReplaced(how);
      writes("adopt", null, { epoch: 1, table: "one" });
      writes("adopt", null, { epoch: 1, table: "one" });
      expect(met()["a group whose record was deleted is adopted anew"]).toBe(times);
    }
  });

  it("as a round that finds the primary gone: by the generation behind the one that rested", () => {
    for (const [generation, times] of [
      [1, undefined],
      [2, 1],
      [3, undefined],
    ] as const) {
      const { look, slot, tells, met } = made();
      slot.restsMs = 60_000;
      look();
      tells("primary.subjectively-down", { generation });
      expect(met()["a round finds the primary gone"]).toBe(times);
    }
  });

  it("as a change of the members that is refused: that order, and no other", () => {
    for (const [request, met] of [
      ["set-members", [TOLD["request.refused"], "an order to change the members is refused"]],
      ["switchover", [TOLD["request.refused"]]],
    ] as const) {
      const world = made();
      world.tells("request.refused", { detail: { request } });
      expect(Object.keys(world.met())).toEqual(met);
    }
  });
});

describe("what is counted of what voters tell", () => {
  it.each(Object.entries(TOLD))("%s", (event, met) => {
    const world = made();
    world.tells(event);
    world.tells("lease.acquired");
    world.tells(event);
    expect(world.met()).toEqual({ [met]: 2 });
  });
});

describe("what is counted of the reasons", () => {
  it.each(reasons)("%s: each time that it comes, and not as long as it stays", (situation) => {
    const world = made();
    const reason = situation.slice("reason: ".length);
    for (const said of [reason, reason, null, "lease-held", reason]) world.says(said);
    expect(world.met()).toEqual({ [situation]: 2 });
  });
});

it("every situation has a case that meets it", () => {
  const others = SITUATIONS.filter((each) => !([...RECORD_SITUATIONS, ...NODE_SITUATIONS] as string[]).includes(each));
  const here = [
    ...ROWS.flatMap(([, , met]) => met ?? []),
    ...Object.values(TOLD),
    ...reasons,
    "a group whose record was deleted is adopted anew",
    "a round finds the primary gone",
    "an order to change the members is refused",
  ];
  expect(new Set(here)).toEqual(new Set(others));
});
