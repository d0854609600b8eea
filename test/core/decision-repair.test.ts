import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { instant, type NodeId } from "../../lib/core/types.ts";
import {
  ballot,
  control,
  history,
  member,
  N1,
  N2,
  N3,
  ofEpoch,
  primaryReading,
  reading,
  recorded,
  run,
  watching,
  withNode,
} from "./builders.ts";
import { decided, up, valueAt } from "./deciding.ts";

describe("a repair", () => {
  const stray = (of: Ballot, values: object) => withNode(watching(of), N2, { reading: reading(values) });

  it("begins for a node that follows another address, and does not count against the budget", () => {
    const of = ballot();
    const { writes } = decided(of, { state: stray(of, { follows: { host: "10.9.9.9", port: 6379 } }), verdict: up });
    expect(valueAt(writes[0], "operation")).toMatchObject({ kind: "repair", reason: "n2 follows another address" });
    expect(valueAt(writes[0], "budget")).toBe(undefined);
  });

  it("L3: begins for nobody while every node is as recorded", () => {
    expect(decided(ballot(), { state: watching(), verdict: up })).toMatchObject({ rejection: null, writes: [] });
  });

  it("R22: spares a primary that no record explains, and says so", () => {
    const of = ballot();
    const state = withNode(watching(of), N2, { reading: primaryReading({ runId: run(2), replicationId: history(9) }) });
    expect(decided(of, { state, verdict: up })).toMatchObject({ reason: "unexplained-primary", writes: [] });
  });

  it("R18: takes the primary under another name for nobody else", () => {
    const of = ballot();
    const twice = withNode(watching(of), N2, { reading: primaryReading({ follows: null }) });
    expect(decided(of, { state: twice, verdict: up })).toMatchObject({ rejection: null, writes: [] });
  });

  it("demotes at once what claims to be primary with an older recorded history", () => {
    const of = ballot({
      epoch: ofEpoch(2),
      primary: { node: N1, epoch: ofEpoch(2), runId: run(1), replicationId: history(2) },
      lineage: {
        histories: [recorded({ node: N2 }), recorded({ epoch: ofEpoch(2), replicationId: history(2) })],
        intents: [],
      },
      members: { version: 1, nodes: { [N1]: member(1), [N2]: member(2) } },
    });
    const state = withNode(withNode(watching(of), N1, { reading: primaryReading({ replicationId: history(2) }) }), N2, {
      reading: primaryReading({ runId: run(2) }),
    });
    expect(valueAt(decided(of, { state, verdict: up }).writes[0], "operation")).toMatchObject({
      kind: "repair",
      reason: expect.stringContaining("n2 claims to be primary"),
    });
  });

  describe("beside a former primary whose process is another and whose history is new", () => {
    const of = ballot({
      epoch: ofEpoch(2),
      primary: { node: N1, epoch: ofEpoch(2), runId: run(1), replicationId: history(2) },
      lineage: {
        histories: [recorded({ node: N2 }), recorded({ epoch: ofEpoch(2), replicationId: history(2) })],
        intents: [],
      },
      members: { version: 1, nodes: { [N1]: member(1), [N2]: member(2), [N3]: member(3) } },
    });
    const serving = withNode(watching(of), N1, { reading: primaryReading({ replicationId: history(2) }) });
    const back = { runId: run(9), replicationId: history(9), secondReplicationId: null };
    const beside = (id: NodeId, values: object) => withNode(serving, id, { reading: primaryReading(values) });

    it("demotes it: a restart without persistence makes such a history, a promotion by hand does not", () => {
      expect(valueAt(decided(of, { state: beside(N2, back), verdict: up }).writes[0], "operation")).toMatchObject({
        kind: "repair",
        reason: "n2 claims to be primary",
      });
    });

    it.each([
      ["R22: spares one that forked from what nobody recorded", N2, { ...back, secondReplicationId: history(77) }],
      ["R22: spares one whose process is the recorded member", N2, { ...back, runId: run(2) }],
      ["R22: spares one that never was a primary", N3, back],
    ] as const)("%s", (_, id, values) => {
      const decision = decided(of, { state: beside(id, values), verdict: up });
      expect(decision).toMatchObject({ reason: "unexplained-primary", writes: [] });
    });
  });

  it.each([
    [0, 10],
    [1, 250],
    [2, 500],
    [9, 30_000],
  ])("L4: rests after %i repairs that did not help for %i ms", (repairs, restMs) => {
    const of = ballot();
    const state = { ...stray(of, { follows: { host: "10.9.9.9", port: 6379 } }), repairs };
    const at = (ms: number) =>
      decided(of, {
        state: withNode(withNode(state, N2, { readAt: instant(ms) }), N1, { readAt: instant(ms) }),
        verdict: up,
        at: ms,
      });
    if (repairs > 0) expect(at(restMs - 1)).toMatchObject({ reason: "backing-off", writes: [] });
    expect(at(restMs).writes).toHaveLength(1);
  });

  it("is not begun by a voter whose verdict is withheld, and its reason is what is told", () => {
    const of = ballot();
    const withheld = { reason: "suspended", detail: "d", ends: "e", check: null } as const;
    const state = stray(of, { follows: { host: "10.9.9.9", port: 6379 } });
    expect(decided(of, { state, verdict: { ...up, withheld } })).toMatchObject({ rejection: withheld, writes: [] });
  });

  it("names every node that is to be brought in line, in one grant", () => {
    const of = ballot();
    const elsewhere = { follows: { host: "10.9.9.9", port: 6379 } };
    const state = withNode(stray(of, elsewhere), N3, { reading: reading({ runId: run(3), ...elsewhere }) });
    expect(valueAt(decided(of, { state, verdict: up }).writes[0], "operation")).toMatchObject({
      reason: "n2 follows another address, n3 follows another address",
      by: "automatic",
      insists: false,
    });
  });

  it.each(["observe", "paused"] as const)("S8: begins nothing in %s", (mode) => {
    const of = ballot({ control: control({ mode }) });
    expect(decided(of, { state: stray(of, { follows: null }), verdict: up }).writes).toEqual([]);
  });

  it("is not begun on the strength of a reading from before the record was quiet", () => {
    const of = ballot();
    const state = { ...stray(of, { follows: { host: "10.9.9.9", port: 1_234 } }), quietSince: instant(5) };
    expect(decided(of, { state, verdict: up }).writes).toEqual([]);
  });
});
