// Who could be primary by what the nodes hold: for each answer of the oracle a group that is so, and the same group with one
// thing otherwise, which is not.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { NodeId, NodeReading, Role } from "../../lib/core/types.ts";
import { type GroupData, isLost, lacksNodes, mayBegin, missing, unexplained, whyForPerson } from "./oracle-data.ts";

type Config = GroupData["config"];
type Shown = Partial<Omit<NodeReading, "runId" | "replicationId">> & { readonly runId?: string; readonly id?: string };

const FENCE = { host: "127.0.0.1", port: 1 };
const OTHER = { host: "10.0.1.10", port: 6_379 };

/** Says of itself: a replica of the known history at offset 100, in the process on record. */
const says = (node: string, { id = "known", runId = `run of ${node}`, ...shown }: Shown = {}): NodeReading => {
  const usual = { role: "replica" as Role, offset: 100, keyCount: 5, follows: OTHER, linkUp: false, replicas: [] };
  const none = { secondReplicationId: null, secondReplicationOffset: null, loading: false, syncInProgress: false };
  return { ...usual, ...none, replicationId: id, runId, ...shown } as unknown as NodeReading;
};

/** It came back: another process, which was restarted with the history that it had. */
const reborn = (node: string, shown: Shown = {}): NodeReading => says(node, { runId: `new run of ${node}`, ...shown });

const REFUSES: Config = { onPossibleLoss: "refuse", waitK: 1, coldStart: "best" };
const PROMOTES: Config = { onPossibleLoss: "promote", waitK: 0, coldStart: "best" };
const waits = (config: Config): Config => ({ ...config, coldStart: "wait" });

interface Made {
  /** Null: it does not answer. */
  readonly n1?: NodeReading | null;
  readonly n2?: NodeReading | null;
  readonly n3?: NodeReading | null;
  readonly never?: readonly string[];
  readonly inSync?: number;
  readonly intents?: readonly { epoch: number; node: string; replicationId: string; runId: string; offset: number }[];
  readonly config?: Config;
  readonly hasPrimary?: boolean;
}

/** n1 is the primary on record, of epoch 3; an older history, of n2, is on record as well. */
function view({
  never = [],
  inSync = 3,
  intents = [],
  config = REFUSES,
  hasPrimary = true,
  ...shown
}: Made): GroupData {
  const readings = { n1: null, n2: says("n2"), n3: says("n3"), ...shown };
  const names = Object.keys(readings) as (keyof typeof readings)[];
  const members = names.map((id) => [id, { runId: `run of ${id}`, inSyncEpoch: inSync, address: null, goneAt: null }]);
  const ballot = {
    primary: hasPrimary ? { node: "n1", epoch: 3, runId: "run of n1", replicationId: "known" } : null,
    members: { version: 1, nodes: Object.fromEntries(members) },
    lineage: {
      histories: [
        { epoch: 2, node: "n2", replicationId: "older", forkOffset: 0 },
        { epoch: 3, node: "n1", replicationId: "known", forkOffset: 50 },
      ],
      intents,
    },
  } as unknown as Ballot;
  const held = names.map((id) => ({ id: id as NodeId, reading: readings[id], mayWin: !never.includes(id) }));
  return { ballot, config, held };
}

const ALL_REBORN = { n1: reborn("n1"), n2: reborn("n2"), n3: reborn("n3") };
/** What a primary that restarted with its snapshot made of the known history, from offset 90 on. */
const FORKED = { id: "forked", secondReplicationId: "known", secondReplicationOffset: 91 } as Shown;

describe("the primary on record is lost", () => {
  it.each<[what: string, n1: NodeReading | null, lost: boolean]>([
    ["serves", says("n1", { role: "primary" }), false],
    ["does not answer", null, true],
    ["is another process", reborn("n1", { role: "primary" }), true],
    ["is a replica", says("n1"), true],
  ])("%s", (_, n1, lost) => {
    expect(isLost(view({ n1 }))).toBe(lost);
  });
});

describe("what a lost primary is left to a person for", () => {
  it.each<[what: string, made: Made, why: ReturnType<typeof whyForPerson>]>([
    ["all have restarted, and a cold start waits", { ...ALL_REBORN, config: waits(REFUSES) }, "cold-start-waiting"],
    ["the same where loss is accepted", { ...ALL_REBORN, config: waits(PROMOTES) }, "cold-start-waiting"],
    ["all have restarted, and a cold start takes the best", ALL_REBORN, null],
    ["nobody was ever in sync", { ...ALL_REBORN, inSync: 0, config: waits(REFUSES) }, "cold-start-waiting"],
    ["one does not answer", { ...ALL_REBORN, n3: null, config: waits(REFUSES) }, null],
    ["enough are as they were", { n1: reborn("n1"), config: waits(REFUSES) }, null],
    ["one alone is as it was", { n1: reborn("n1"), n3: reborn("n3"), config: waits(REFUSES) }, "cold-start-waiting"],
    ["one alone, where loss is accepted", { n1: reborn("n1"), n3: reborn("n3"), config: waits(PROMOTES) }, null],
    [
      "one alone, that never wins",
      { n1: reborn("n1"), n3: reborn("n3"), never: ["n2"], config: waits(PROMOTES) },
      "cold-start-waiting",
    ],
    [
      "who never wins has more than the others",
      { n1: reborn("n1"), n2: says("n2", { offset: 101 }), never: ["n2"], config: waits(REFUSES) },
      "cold-start-waiting",
    ],
    [
      "who never wins has no more",
      { n1: reborn("n1"), n2: says("n2", { offset: 100 }), never: ["n2"], config: waits(REFUSES) },
      null,
    ],
    [
      "one is being synchronized",
      { n1: reborn("n1"), n3: says("n3", { syncInProgress: true }), config: waits(REFUSES) },
      "cold-start-waiting",
    ],
    [
      "what counts has missed what a restarted one has kept",
      { n1: reborn("n1"), n2: says("n2", { id: "older" }), n3: reborn("n3"), config: waits({ ...REFUSES, waitK: 2 }) },
      "cold-start-waiting",
    ],
    [
      "what counts has missed what the restarted primary has kept, beside data that does not compare",
      {
        n1: reborn("n1", { role: "primary" }),
        n2: says("n2", { id: "older" }),
        n3: reborn("n3", { id: "new" }),
        never: ["n1"],
        config: waits({ ...REFUSES, waitK: 2 }),
      },
      "cold-start-waiting",
    ],
    [
      "the restarted primary may win, and all that count never do",
      { n1: reborn("n1"), never: ["n2", "n3"], config: waits(REFUSES) },
      "cold-start-waiting",
    ],
    [
      "the restarted primary has more than all that count, and never wins",
      { n1: reborn("n1", { offset: 101 }), never: ["n1"], config: waits(REFUSES) },
      "cold-start-waiting",
    ],
    [
      "the same where loss is accepted and a cold start waits",
      { n1: reborn("n1", { offset: 101 }), never: ["n1"], config: waits(PROMOTES) },
      null,
    ],
    [
      "the same where loss is accepted",
      { n1: reborn("n1"), n2: says("n2", { id: "older" }), n3: reborn("n3"), config: waits(PROMOTES) },
      null,
    ],
    ["the process on record was silenced", { ...ALL_REBORN, n1: says("n1"), config: waits(REFUSES) }, null],
    [
      "everybody follows the restarted one",
      {
        n1: reborn("n1", { role: "primary", id: "new" }),
        n2: reborn("n2", { id: "new" }),
        n3: reborn("n3", { id: "new" }),
      },
      null,
    ],
    [
      "one follows the restarted one, and one does not",
      { n1: reborn("n1", { role: "primary", id: "new" }), n2: reborn("n2", { id: "new" }), n3: reborn("n3") },
      "unknown-history",
    ],
    ["data of no history on record", { ...ALL_REBORN, n2: reborn("n2", { id: "new" }) }, "unknown-history"],
    ["no data, of no history on record", { ...ALL_REBORN, n2: reborn("n2", { id: "new", keyCount: 0 }) }, null],
    [
      "no data anywhere",
      {
        n1: reborn("n1", { id: "a", keyCount: 0 }),
        n2: reborn("n2", { id: "b", keyCount: 0 }),
        n3: reborn("n3", { id: "c", keyCount: 0 }),
      },
      "unknown-history",
    ],
    ["all that have it never win", { ...ALL_REBORN, never: ["n1", "n2", "n3"] }, "unknown-history"],
    [
      "all are being synchronized",
      {
        n1: reborn("n1", { syncInProgress: true }),
        n2: reborn("n2", { syncInProgress: true }),
        n3: reborn("n3", { syncInProgress: true }),
      },
      "unknown-history",
    ],
    [
      "who never wins has more, where loss is refused",
      { ...ALL_REBORN, n2: reborn("n2", { offset: 101 }), never: ["n2"] },
      "unknown-history",
    ],
    [
      "the same where it is accepted",
      { ...ALL_REBORN, n2: reborn("n2", { offset: 101 }), never: ["n2"], config: PROMOTES },
      null,
    ],
    [
      "a primary that came back with its snapshot, and who went along",
      { n1: reborn("n1", FORKED), n2: reborn("n2", FORKED), n3: reborn("n3", { offset: 90 }) },
      null,
    ],
    [
      "the same, and somebody holds more of what was before",
      { n1: reborn("n1", FORKED), n2: reborn("n2", FORKED), n3: reborn("n3", { offset: 91 }) },
      "unknown-history",
    ],
    [
      "who was flushed for it",
      { n1: reborn("n1", FORKED), n2: reborn("n2", { id: "forked" }), n3: reborn("n3", { offset: 90 }) },
      "unknown-history",
    ],
  ])("%s", (_, made, why) => {
    expect(whyForPerson(view(made))).toBe(why);
  });

  it("is nothing while it serves", () => {
    expect(whyForPerson(view({ ...ALL_REBORN, n1: says("n1", { role: "primary" }) }))).toBeNull();
  });

  it("knows what an intent made by its every word", () => {
    const promoted = { id: "forked", secondReplicationId: "known", secondReplicationOffset: 91 } as Shown;
    const intent = { epoch: 4, node: "n2", replicationId: "known", runId: "new run of n2", offset: 90 };
    const made = (changes: object): Made => ({
      ...ALL_REBORN,
      n2: reborn("n2", promoted),
      intents: [{ ...intent, ...changes }],
    });
    expect(whyForPerson(view(made({})))).toBeNull();
    for (const changes of [{ runId: "run of n2" }, { replicationId: "older" }, { offset: 91 }])
      expect(whyForPerson(view(made(changes)))).toBe("unknown-history");
  });
});

describe("too few are there to count", () => {
  it.each<[what: string, made: Made, lacks: boolean]>([
    ["one of two, and loss is refused", { n3: null }, true],
    ["two of two, with the primary alone missing", {}, false],
    ["one, where loss is accepted", { n3: null, config: PROMOTES }, false],
    ["none at all", { n2: null, n3: null }, false],
    ["all answer", { n1: reborn("n1"), n3: reborn("n3") }, false],
    ["the primary serves", { n1: says("n1", { role: "primary" }), n3: null }, false],
  ])("%s", (_, made, lacks) => {
    expect(lacksNodes(view(made))).toBe(lacks);
  });

  it("says who does not answer", () => {
    expect(missing(view({ n3: null }))).toEqual(["n1", "n3"]);
  });
});

describe("a primary that no record explains", () => {
  const serves = says("n1", { role: "primary" });
  const claims = (shown: Shown) => says("n2", { role: "primary", ...shown });
  const came = (shown: Shown) => reborn("n2", { role: "primary", id: "new", ...shown });
  const followed = { replicas: [{ address: OTHER, state: "online", offset: 1, lagSeconds: 0 }] };
  it.each<[what: string, made: Made, found: readonly string[]]>([
    ["there is none", { n1: serves }, []],
    ["of a history that is on record nowhere", { n1: serves, n2: claims({ id: "new" }) }, ["n2"]],
    ["of the history of now", { n1: serves, n2: claims({}) }, ["n2"]],
    ["of an older one on record", { n1: serves, n2: claims({ id: "older" }) }, []],
    ["a former primary that came back by itself", { n1: serves, n2: came({}) }, []],
    ["with a snapshot", { n1: serves, n2: came({ secondReplicationId: "older" as never }) }, []],
    ["with one of a history that is nowhere", { n1: serves, n2: came({ secondReplicationId: "x" as never }) }, ["n2"]],
    ["and somebody follows it", { n1: serves, n2: came(followed as Shown) }, ["n2"]],
    ["and nobody serves beside it", { n2: came({}) }, ["n2"]],
    ["one that was no primary before", { n1: serves, n3: reborn("n3", { role: "primary", id: "new" }) }, ["n3"]],
    ["the process on record itself", { n1: says("n1", { role: "primary", id: "new" }) }, []],
    ["a replica of such a history", { n1: serves, n2: says("n2", { id: "new" }) }, []],
  ])("%s", (_, made, found) => {
    expect(unexplained(view(made))).toEqual(found);
  });
});

describe("a group that is taken into care", () => {
  const serves = says("n1", { role: "primary" });
  const follows = (node: string, shown: Shown = {}) => says(node, { linkUp: true, ...shown });
  const blank = (node: string, shown: Shown = {}) => says(node, { follows: FENCE, keyCount: 0, ...shown });
  it.each<[what: string, made: Made, may: boolean]>([
    ["all follow the one that serves", { n1: serves, n2: follows("n2"), n3: follows("n3") }, true],
    ["one does not answer", { n1: serves, n2: follows("n2"), n3: null }, true],
    ["one has no link", { n1: serves, n2: follows("n2"), n3: says("n3") }, false],
    ["one has another history", { n1: serves, n2: follows("n2"), n3: follows("n3", { id: "older" }) }, false],
    ["two serve", { n1: serves, n2: says("n2", { role: "primary" }), n3: follows("n3") }, false],
    ["all are new", { n1: blank("n1"), n2: blank("n2"), n3: blank("n3") }, true],
    ["one is new and not there", { n1: blank("n1"), n2: blank("n2"), n3: null }, false],
    ["one has data", { n1: blank("n1"), n2: blank("n2"), n3: blank("n3", { keyCount: 1 }) }, false],
    ["one follows another", { n1: blank("n1"), n2: blank("n2"), n3: blank("n3", { follows: OTHER }) }, false],
  ])("%s", (_, made, may) => {
    expect(mayBegin(view({ ...made, hasPrimary: false }))).toBe(may);
  });
});
