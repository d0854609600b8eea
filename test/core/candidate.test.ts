import { describe, expect, it } from "vitest";
import type { Ballot, Primary } from "../../lib/core/ballot.ts";
import { enoughOf, type FrozenNode, isEnough, priorityOf, select, surpasses } from "../../lib/core/candidate.ts";
import type { NodeId, NodeReading } from "../../lib/core/types.ts";
import {
  ballot,
  config,
  history,
  intent,
  member,
  N1,
  N2,
  N3,
  node,
  ofEpoch,
  primaryReading,
  reading,
  recorded,
  run,
} from "./builders.ts";

/** Frozen with this reading; `before` differs from it only where said. */
const frozen = (id: NodeId, values: Partial<NodeReading> = {}, before: Partial<NodeReading> = {}): FrozenNode => {
  const after = reading({ runId: run(Number(id.slice(1))), ...values });
  return { node: id, before: { ...after, ...before }, after };
};

const choose = (nodes: readonly FrozenNode[], options: Partial<Parameters<typeof select>[0]> = {}) =>
  select({
    frozen: nodes,
    ballot: ballot(),
    config: config(),
    coldStart: false,
    insists: false,
    only: null,
    ...options,
  });

const two = [frozen(N2), frozen(N3)];

describe("the order of candidates (S6)", () => {
  it("R3: is by history first, and only then by offset", () => {
    const lineage = {
      histories: [recorded(), recorded({ epoch: ofEpoch(2), node: N2, replicationId: history(2) })],
      intents: [],
    };
    const chosen = choose([frozen(N2, { replicationId: history(2), offset: 10 }), frozen(N3, { offset: 900 })], {
      ballot: ballot({ lineage }),
    });
    expect(chosen).toMatchObject({ kind: "selected", node: N2, lossBytes: 0 });
  });

  it("places a promotion that nobody recorded by its intent", () => {
    const lineage = { histories: [recorded()], intents: [intent()] };
    const promoted = {
      replicationId: history(2),
      secondReplicationId: history(1),
      secondReplicationOffset: 101,
      offset: 100,
    };
    expect(choose([frozen(N2, promoted), frozen(N3, { offset: 900 })], { ballot: ballot({ lineage }) })).toMatchObject({
      node: N2,
    });
  });

  it("is by offset inside one history", () => {
    expect(choose([frozen(N2, { offset: 100 }), frozen(N3, { offset: 101 })])).toMatchObject({ node: N3 });
  });

  it.each([
    ["priority", { priority: 100 }, { priority: 10 }],
    ["the declared one, whatever the node says", { priority: 1 }, {}],
  ])("breaks ties by %s inside the tolerance only", (_, n2, n3) => {
    const declared = {
      nodes: [node("n1"), node("n2", { priority: 50 }), node("n3", { priority: 10 })],
      offsetToleranceBytes: 5,
    };
    expect(
      choose([frozen(N2, { offset: 105, ...n2 }), frozen(N3, { offset: 100, ...n3 })], { config: config(declared) }),
    ).toMatchObject({
      node: N3,
      lossBytes: 5,
    });
    expect(
      choose([frozen(N2, { offset: 106, ...n2 }), frozen(N3, { offset: 100, ...n3 })], { config: config(declared) }),
    ).toMatchObject({
      node: N2,
      lossBytes: 0,
    });
  });

  it("prefers another zone than the lost primary's, then the name", () => {
    const declared = config({
      nodes: [node("n1", { zone: "a" }), node("n2", { zone: "a" }), node("n3", { zone: "b" })],
    });
    expect(choose(two, { config: declared })).toMatchObject({ node: N3 });
    expect(choose([frozen(N3), frozen(N2)])).toMatchObject({ node: N2 });
  });

  it("does not depend on the order in which they answered", () => {
    expect(choose([frozen(N3), frozen(N2)])).toMatchObject({
      node: N2,
      notChosen: { n3: "another has more data or precedes it" },
    });
  });
});

describe("R4: a node does not count", () => {
  const members = ballot().members.nodes;
  it.each<[string, FrozenNode, Parameters<typeof choose>[1]]>([
    ["its replication id is in no recorded history", frozen(N3, { replicationId: history(9) }), {}],
    ["it was in the middle of a full synchronization", frozen(N3, {}, { syncInProgress: true }), {}],
    ["it is loading", frozen(N3, {}, { loading: true }), {}],
    ["it is loading", frozen(N3, { loading: true }), {}],
    [
      "it was never seen in sync",
      frozen(N3),
      { ballot: ballot({ members: { version: 1, nodes: { [N1]: member(1), [N2]: member(2) } } }) },
    ],
    [
      "it was never seen in sync",
      frozen(N3),
      { ballot: ballot({ members: { version: 1, nodes: { ...members, [N3]: member(3, { runId: null }) } } }) },
    ],
    [
      "it was never seen in sync",
      frozen(N3),
      {
        ballot: ballot({
          members: { version: 1, nodes: { ...members, [N3]: member(3, { inSyncEpoch: ofEpoch(0) }) } },
        }),
      },
    ],
    ["it restarted since it was last in sync", frozen(N3, { runId: run(33) }), {}],
  ])("when %s", (why, candidate, options) => {
    expect(choose([frozen(N2), { ...candidate, after: { ...candidate.after, offset: 900 } }], options)).toMatchObject({
      kind: "selected",
      node: N2,
      counted: [N2],
      lossBytes: 0,
      notChosen: { n3: why },
    });
  });
});

describe("a node that counts may not win", () => {
  const never = config({ nodes: [node("n1"), node("n2"), node("n3", { priority: 0 })] });
  it.each<[string, FrozenNode, Parameters<typeof choose>[1]]>([
    ["its priority is 0", frozen(N3, { priority: 0 }), {}],
    ["its priority is 0", frozen(N3), { config: never }],
    [
      "its link had been down for 61 s",
      frozen(N3, {}, { linkDownSeconds: 61 }),
      { config: config({ maxLinkDownMs: 60_000 }) },
    ],
  ])("when %s", (why, candidate, options) => {
    expect(choose([frozen(N2), candidate], options)).toMatchObject({
      node: N2,
      counted: [N2, N3],
      notChosen: { n3: why },
    });
    expect(choose([candidate], options)).toMatchObject({ kind: "none", reason: "no node that counts may be promoted" });
  });

  it("but may when its link had been down for as long as is allowed", () => {
    const at = frozen(N3, { offset: 101 }, { linkDownSeconds: 60 });
    expect(choose([frozen(N2), at], { config: config({ maxLinkDownMs: 60_000 }) })).toMatchObject({ node: N3 });
  });

  it("and what it has more is a loss under promote, and forbids it under refuse", () => {
    const ahead = [frozen(N2, { offset: 90 }), frozen(N3, { offset: 100, priority: 0 })];
    expect(choose(ahead)).toMatchObject({ node: N2, lossBytes: 10 });
    expect(choose(ahead, { config: config({ onPossibleLoss: "refuse" }) })).toMatchObject({
      kind: "none",
      reason: "n3 may not be promoted and holds writes that n2 lacks",
    });
    const old = { node: N1, before: primaryReading(), after: reading({ runId: run(1), priority: 0 }) };
    expect(choose([old, ...ahead], { config: config({ onPossibleLoss: "refuse" }) })).toMatchObject({
      reason: "n1, n3 may not be promoted and holds writes that n2 lacks",
    });
  });

  it("and what it has more is counted in the newest history, where alone offsets compare (R3)", () => {
    const lineage = {
      histories: [recorded(), recorded({ epoch: ofEpoch(2), node: N2, replicationId: history(2) })],
      intents: [],
    };
    const ahead = frozen(N2, { replicationId: history(2), offset: 100, priority: 0 });
    const best = frozen(N3, { replicationId: history(2), offset: 90 });
    expect(choose([frozen(N1, { offset: 900 }), ahead, best], { ballot: ballot({ lineage }) })).toMatchObject({
      node: N3,
      counted: [N1, N2, N3],
      lossBytes: 10,
    });
  });

  it("R13: when it is the primary that is to be replaced; otherwise it may be restored to itself", () => {
    const old = { node: N1, before: primaryReading({ offset: 120 }), after: reading({ runId: run(1), offset: 120 }) };
    expect(choose([old, ...two])).toMatchObject({ node: N1 });
    expect(choose([old, ...two], { insists: true })).toMatchObject({
      node: N2,
      lossBytes: 20,
      notChosen: { n1: "it is the primary that is to be replaced" },
    });
    const reborn = { ...old, after: { ...old.after, runId: run(11) } };
    expect(choose([reborn, frozen(N2)])).toMatchObject({ node: N2, lossBytes: 0 });
  });

  it("unless all are read: an old process that missed a whole history does not win over restarted ones that kept it", () => {
    const lineage = {
      histories: [recorded(), recorded({ epoch: ofEpoch(2), node: N2, replicationId: history(2) })],
      intents: [],
    };
    const stale = frozen(N1, { offset: 900 });
    const kept = { replicationId: history(2), offset: 110 };
    const restarted = [frozen(N2, { ...kept, runId: run(22) }), frozen(N3, { ...kept, runId: run(33) })];
    const of = ballot({ lineage, primary: { ...(ballot().primary as Primary), node: N2, epoch: ofEpoch(2) } });
    expect(choose([stale, ...restarted], { ballot: of })).toMatchObject({
      node: N3,
      lossBytes: 0,
      counted: [N1, N2, N3],
    });
    const [first] = restarted as [FrozenNode];
    expect(choose([stale, first], { ballot: of, config: config({ onPossibleLoss: "refuse" }) })).toMatchObject({
      kind: "none",
      reason: "n2 restarted, and what counts is of an older history than it holds",
    });
  });
});

describe("a cold start", () => {
  const restarted = [N1, N2, N3].map((id, index) => frozen(id, { runId: run(20 + index), offset: 100 + index }));
  it("counts what restarted, the old primary too, but never one in the middle of a synchronization", () => {
    expect(choose(restarted, { coldStart: true })).toMatchObject({ node: N3 });
    const syncing = frozen(N3, { runId: run(22), offset: 102 }, { syncInProgress: true });
    expect(choose([...restarted.slice(0, 2), syncing], { coldStart: true })).toMatchObject({ node: N2 });
  });

  it("takes one whose link was down for long as well: the primary that it lost is among those that were read", () => {
    const lost = frozen(N3, { runId: run(22), offset: 102 }, { linkDownSeconds: 61 });
    const allowed = config({ maxLinkDownMs: 60_000 });
    expect(choose([...restarted.slice(0, 2), lost], { coldStart: true, config: allowed })).toMatchObject({ node: N3 });
  });

  it("R25: promotes nobody over data of a history that no record explains, but overlooks an empty node", () => {
    const [, n2, n3] = restarted as [FrozenNode, FrozenNode, FrozenNode];
    const strange = (keyCount: number) => frozen(N1, { runId: run(20), replicationId: history(9), keyCount });
    expect(choose([strange(1), n2, n3], { coldStart: true })).toMatchObject({
      kind: "none",
      reason: expect.stringContaining("n1 holds data"),
    });
    expect(choose([strange(0), n2, n3], { coldStart: true })).toMatchObject({ node: N3 });
    expect(choose([strange(1), n2, n3], { coldStart: true, only: N2 })).toMatchObject({ kind: "selected", node: N2 });
  });
});

describe("a recovery", () => {
  it("takes the node that the person named, whatever it holds, and says what the others have more", () => {
    const strange = frozen(N3, { replicationId: history(9), priority: 0, offset: 90 });
    const chosen = choose([frozen(N2), strange], { only: N3, config: config({ onPossibleLoss: "refuse" }) });
    expect(chosen).toMatchObject({ kind: "selected", node: N3, lossBytes: 10, notChosen: { n2: "n3 was named" } });
  });

  it("counts who restarted among those who have more", () => {
    const restarted = frozen(N2, { runId: run(22), offset: 120 });
    expect(choose([restarted, frozen(N3)], { only: N3 })).toMatchObject({ counted: [N2, N3], lossBytes: 20 });
  });
});

describe("R2: enough nodes", () => {
  it.each([
    ["promote", 0, 1],
    ["promote", 2, 1],
    ["refuse", 0, 3],
    ["refuse", 1, 2],
    ["refuse", 2, 1],
    ["refuse", 5, 1],
  ] as const)("under %s with WAIT %i are %i", (onPossibleLoss, waitK, needed) => {
    const of = config({ onPossibleLoss, waitK });
    expect(enoughOf(ballot(), of)).toBe(needed);
    expect([isEnough(needed - 1, ballot(), of), isEnough(needed, ballot(), of)]).toEqual([false, true]);
  });

  it("grow at once with a member that was discovered (R18)", () => {
    const nodes = { ...ballot().members.nodes, [node("n4").id]: member(4) };
    expect(enoughOf(ballot({ members: { version: 2, nodes } }), config({ onPossibleLoss: "refuse", waitK: 1 }))).toBe(
      3,
    );
  });
});

describe("what was lost before it could have more", () => {
  const gone = (n2: number | null, n3: number | null): Ballot =>
    ballot({
      members: {
        version: 1,
        nodes: { [N1]: member(1), [N2]: member(2, { goneAt: n2 }), [N3]: member(3, { goneAt: n3 }) },
      },
    });
  const [shown, both] = [reading({ offset: 100 }), [N2, N3]];

  it("is surpassed by the best of the others, where loss is accepted", () => {
    expect(surpasses(shown, both, gone(100, 90), config())).toBe(true);
    expect(surpasses(shown, both, gone(100, 90), config({ onPossibleLoss: "refuse" }))).toBe(false);
  });

  it("is not when one of them may have more, or was never seen to be gone", () => {
    expect(surpasses(shown, both, gone(100, 101), config())).toBe(false);
    expect(surpasses(shown, both, gone(100, null), config())).toBe(false);
    expect(surpasses(shown, [node("n9").id], gone(1, 1), config())).toBe(false);
  });

  it("is not by an older history than the committed one, by one of nobody, nor without a committed one", () => {
    const later = { ...gone(1, 1), primary: { ...(ballot().primary as Primary), epoch: ofEpoch(2) } };
    expect(surpasses(shown, both, later, config())).toBe(false);
    const strange = reading({ offset: 100, replicationId: history(9) });
    expect(surpasses(strange, both, gone(1, 1), config())).toBe(false);
    expect(surpasses(strange, both, { ...gone(1, 1), primary: null }, config())).toBe(false);
    expect(surpasses(shown, both, { ...gone(1, 1), primary: null }, config())).toBe(false);
  });
});

describe("priorityOf", () => {
  it("is the declared one, else the node's own; 0 on either side is never, and so is a node nobody declared", () => {
    const declared = config({ nodes: [node("n1", { priority: 5 }), node("n2"), node("n3", { priority: 0 })] });
    const of = (id: string, own: number) => priorityOf(node(id).id, reading({ priority: own }), declared);
    expect([of("n1", 100), of("n2", 70), of("n3", 70), of("n1", 0), of("n9", 10)]).toEqual([5, 70, 0, 0, 0]);
  });
});

it("nobody counts among none", () => {
  expect(choose([])).toEqual({ kind: "none", reason: "no node that answered counts", notChosen: {} });
});

describe("R4, R25: a plain primary that restarted with its snapshot and went on", () => {
  const fork = { secondReplicationId: history(1), secondReplicationOffset: 101 };
  const own = frozen(N1, { runId: run(11), replicationId: history(9), offset: 120, ...fork });
  const along = frozen(N2, { replicationId: history(9), offset: 120, ...fork });
  const behind = (offset: number) => frozen(N3, { offset });

  it("has its data counted as the committed history's, and more of it, with who came back to it in time", () => {
    expect(choose([own, along, behind(100)])).toMatchObject({ kind: "selected", node: N2, counted: [N1, N2, N3] });
    expect(choose([own, along])).toMatchObject({ kind: "selected", node: N2, counted: [N2] });
  });

  it("has it counted as the newest history, before more of an older one", () => {
    const since = { secondReplicationId: history(2), secondReplicationOffset: 101 };
    const lineage = {
      histories: [recorded(), recorded({ epoch: ofEpoch(2), replicationId: history(2) })],
      intents: [],
    };
    const later = { ...(ballot().primary as Primary), epoch: ofEpoch(2), replicationId: history(2) };
    const renewed = [own, along].map((each) => ({ ...each, after: { ...each.after, ...since } }));
    expect(choose([...renewed, behind(900)], { ballot: ballot({ lineage, primary: later }) })).toMatchObject({
      kind: "selected",
      node: N2,
      counted: [N1, N2, N3],
    });
  });

  it("not where somebody holds more of the old history than the fork: the two have parted", () => {
    expect(choose([own, along, behind(101)])).toMatchObject({ kind: "selected", node: N3, counted: [N3] });
  });

  it("nor with one that was flushed for it, which may have been ahead", () => {
    const flushed = frozen(N2, { replicationId: history(9), offset: 120 });
    expect(choose([own, flushed, behind(100)])).toMatchObject({ kind: "selected", node: N3, counted: [N3] });
  });

  it("nor by the word of anybody but the committed primary", () => {
    expect(choose([along, behind(100)])).toMatchObject({ kind: "selected", node: N3, counted: [N3] });
    const foreign = frozen(N1, { runId: run(11), replicationId: history(9), offset: 120 });
    expect(choose([foreign, along, behind(100)])).toMatchObject({ node: N3, counted: [N3] });
    expect(choose([foreign, along])).toMatchObject({ kind: "none", reason: "no node that answered counts" });
  });
});
