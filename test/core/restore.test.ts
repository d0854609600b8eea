// R21: the old primary gets its place back, one step at a time.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { NodeFacts } from "../../lib/core/operation.ts";
import { freezeOrSettle } from "../../lib/core/operation-record.ts";
import { mayRestore, restore, restoreFrozen } from "../../lib/core/restore.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { type NodeId, nodeId } from "../../lib/core/types.ts";
import {
  ballot,
  history,
  intent,
  lease,
  N1,
  N2,
  N3,
  ofEpoch,
  operation,
  primary,
  reading,
  recorded,
  run,
  withNode,
} from "./builders.ts";
import { frozen, holding, outcomeOf, type Situation, said } from "./holding.ts";

const begun = (of: Partial<Ballot> = {}): Ballot =>
  ballot({
    epoch: ofEpoch(2),
    lease: lease(),
    operation: operation({ kind: "switchover", step: "intended", target: N2 }),
    ...of,
  });
const intends = (values: Parameters<typeof intent>[0] = {}): Partial<Ballot> => ({
  lineage: { histories: [recorded()], intents: [intent(values)] },
});
const own = { node: N1, runId: run(1) };
const unread = (state: GroupState): GroupState => withNode(state, N1, { reading: null });

const back = (given: Partial<Situation> = {}) => {
  const turn = holding({ of: begun(), ...given });
  const isOnItsWay = restoreFrozen(turn);
  const { sent, written } = outcomeOf(turn);
  const step = turn.state.storeBusy?.pending?.events[0]?.detail["step"];
  return { isOnItsWay, sent, written, ...(step === undefined ? {} : { step }) };
};
const freezes = (...sent: readonly string[]) => ({ isOnItsWay: true, sent, written: [] });
const records = { isOnItsWay: true, sent: [], written: ["record-intent"], step: "restoring" };
const cannot = { isOnItsWay: false, sent: [], written: [] };

describe("R21: the way back from a switchover", () => {
  it("is to freeze the primary by this epoch, to mean it, and to un-freeze it where the freeze found it", () => {
    expect(back()).toEqual(freezes("freeze n1"));
    expect(back({ change: unread })).toEqual(freezes("freeze n1"));
    const facts = { [N1]: frozen(N1) };
    expect(back({ facts })).toEqual(records);
    expect(back({ facts, of: begun(intends(own)) })).toEqual(freezes("promote n1"));
  });

  it("means it anew when the intent is of an earlier epoch or of another offset", () => {
    const facts = { [N1]: frozen(N1) };
    expect(back({ facts, of: begun({ epoch: ofEpoch(3), ...intends(own) }) })).toEqual(records);
    expect(back({ facts, of: begun(intends({ ...own, offset: 99 })) })).toEqual(records);
  });

  it("begins with the node that was meant instead: frozen, and known never to have been promoted", () => {
    const of = begun(intends());
    const open = { promotionsOpen: 1 };
    expect(back({ of, facts: { [N1]: frozen(N1), [N2]: open } })).toEqual(freezes("freeze n2"));
    expect(back({ of, facts: { [N1]: frozen(N1), [N2]: { ...open, failures: 1 } } })).toEqual(freezes("settle n2"));
    // Only a node that is meant and refuses is read without being frozen, and once.
    const freezing = (node: NodeId, facts: Partial<NodeFacts>) => {
      const turn = holding({ of, facts: { [node]: facts } });
      freezeOrSettle(turn, node);
      return outcomeOf(turn).sent;
    };
    expect(freezing(N3, { failures: 1 })).toEqual(["freeze n3"]);
    expect(freezing(N2, { failures: 1, settled: reading() })).toEqual(["freeze n2"]);
    expect(back({ of, facts: { [N1]: frozen(N1) } })).toEqual(records);
    expect(back({ of, facts: { [N2]: frozen(N2) } })).toEqual(freezes("freeze n1"));
    expect(back({ of, facts: { [N1]: frozen(N1), [N2]: frozen(N2) } })).toEqual(records);
    expect(back({ of, facts: { [N1]: frozen(N1), [N2]: { ...open, settled: reading() } } })).toEqual(cannot);
    const other = frozen(N2, { replicationId: history(2) });
    expect(back({ of, facts: { [N1]: frozen(N1), [N2]: other } })).toEqual(cannot);
  });

  it.each<[string, Partial<Situation>]>([
    ["there is no primary on record", { of: begun({ primary: null }) }],
    ["nobody lists it", { of: begun({ primary: primary({ node: nodeId("n9") }) }) }],
    ["it answers as another process", { change: said(N1, { runId: run(11) }), facts: { [N1]: frozen(N1) } }],
    ["it was frozen as another process", { facts: { [N1]: frozen(N1, { runId: run(11) }) } }],
  ])("is none when %s", (_, given) => {
    expect(back(given)).toEqual(cannot);
  });
});

describe("R21: a primary that serves", () => {
  const restored = (given: Partial<Situation> = {}) => {
    const turn = holding({ of: begun(), ...given });
    restore(turn);
    return outcomeOf(turn);
  };

  it("is meant in the place of whoever was meant before", () => {
    expect(restored({ of: begun(intends()) })).toMatchObject({ sent: [], written: ["record-intent"] });
  });

  it("is left alone where it is not on record or was not read", () => {
    for (const given of [{ of: begun({ primary: null }) }, { change: unread }])
      expect(restored(given)).toMatchObject({ sent: [], written: [] });
  });

  it("has nothing against it when no operation stands", () => {
    expect(mayRestore(holding({ of: begun({ operation: null }) }))).toBe(true);
  });
});
