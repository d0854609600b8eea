// L4, R3, R4, R21: whom a failover waits for, what a cold start needs, and when the old primary gets its place back.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { confirmPromotion, contend } from "../../lib/core/contend.ts";
import { isSilencedPrimary } from "../../lib/core/preflight.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { tokenAddress } from "../../lib/core/token.ts";
import { instant, type NodeId, type NodeReading, nodeId } from "../../lib/core/types.ts";
import {
  ballot,
  history,
  intent,
  lease,
  member,
  N1,
  N2,
  N3,
  ofEpoch,
  operation,
  primary,
  primaryReading,
  recorded,
  run,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";
import { both, type Change, frozen, holding, outcomeOf, type Situation, said } from "./holding.ts";

const begun = (values: Parameters<typeof operation>[0] = {}, of: Partial<Ballot> = {}): Ballot =>
  ballot({ epoch: ofEpoch(2), lease: lease(), operation: operation(values), ...of });
const intends = (...intents: Ballot["lineage"]["intents"]): Partial<Ballot> => ({
  lineage: { histories: [recorded()], intents },
});
const silent =
  (...ids: readonly NodeId[]): Change =>
  (state) =>
    ids.reduce((all, id) => withNode(all, id, { class: "silent", heard: "silent", connection: null }), state);
const unread = (id: NodeId) => (state: GroupState) => withNode(state, id, { reading: null });
const stands = said(N1, { role: "replica", follows: tokenAddress(ofEpoch(2)), linkUp: false });
const gathered = { gatheringSince: instant(5) };
const promoted: Partial<NodeReading> = {
  role: "primary",
  replicationId: history(2),
  secondReplicationId: history(1),
  secondReplicationOffset: 101,
  follows: null,
};
const refuse = { onPossibleLoss: "refuse", waitK: 1, coldStart: "wait" } as const;

const stepped = (given: Partial<Situation> = {}) => {
  const turn = holding({ of: begun(), change: silent(N1), ...given });
  contend(turn);
  const pending = turn.state.storeBusy?.pending?.events ?? [];
  const meant = pending.map(({ node, detail }) => `${detail["step"]} ${node}`);
  return { ...outcomeOf(turn), meant, turn };
};
const detailOf = ({ turn }: ReturnType<typeof stepped>, wanted: string) =>
  turn.events.find(({ event }) => event === wanted)?.detail;

describe("who answers", () => {
  const nobody = silent(N1, N2, N3);

  it("is nobody: that is said, what was frozen stays so, and it is looked again after the wait for freezes", () => {
    const { told, reasons, sent, written, run: after, wakeAt } = stepped({ change: nobody });
    expect([told, reasons, sent, written]).toEqual([["candidate.none"], ["no node answers"], [], []]);
    expect([after?.gathering, wakeAt]).toEqual(["first", 160]);
    const frozenAll = { [N2]: frozen(N2), [N3]: frozen(N3) };
    const gone = stepped({ change: nobody, facts: frozenAll, run: gathered, at: 300 });
    expect([gone.reasons, gone.written, gone.run?.gathering]).toEqual([["no node answers"], [], "interrupted"]);
    expect(gone.run?.facts[N2]?.frozen).not.toBe(null);
  });

  it("is nobody as long as no freeze could be sent", () => {
    const unconnected = both(silent(N1), (state) =>
      [N2, N3].reduce((all, id) => withNode(all, id, { connection: null }), state),
    );
    expect(stepped({ change: unconnected })).toMatchObject({ sent: [], reasons: ["no node answers"] });
  });

  it("is asked without a primary on record as well", () => {
    const of = begun({ kind: "initialise" }, { primary: null });
    expect(stepped({ of }).sent).toEqual(["freeze n2", "freeze n3"]);
  });
});

describe("a freeze that comes late", () => {
  const late = (at: number, facts: object = {}, values: object = {}) =>
    stepped({ facts: { [N2]: frozen(N2), [N3]: facts }, run: { ...gathered, ...values }, at });

  it("begins the gathering anew when the wait for freezes is over", () => {
    expect(late(154)).toMatchObject({ sent: ["freeze n3"], run: { gatheringSince: 5, gathering: "first" } });
    expect(late(155)).toMatchObject({ sent: ["freeze n3"], written: [], run: { gatheringSince: 155 } });
    expect(late(155).run?.gathering).toBe("again");
  });

  it("does not where it is only tried again: a node that never can be frozen would keep the others waiting", () => {
    const tried = late(155, { failures: 1 });
    expect([tried.sent, tried.run?.gatheringSince, tried.run?.gathering]).toEqual([["freeze n3"], 5, "first"]);
  });

  it("begins it anew at once after nobody had answered", () => {
    const after = late(20, { failures: 1 }, { gathering: "interrupted" });
    expect(after).toMatchObject({ sent: ["freeze n3"], run: { gatheringSince: 20, gathering: "again" } });
  });

  it("makes the others awaited until their lost probes were asked anew", () => {
    const again = (at: number, facts: Situation["facts"], change = silent(N1, N3), of = begun()) =>
      stepped({
        of,
        change,
        facts: facts ?? {},
        run: { ...gathered, gathering: "again" },
        at,
        settings: { probeTimeoutMs: 400 },
      });
    const some = { [N2]: frozen(N2) };
    expect([again(554, some).written, again(554, some).wakeAt]).toEqual([[], 555]);
    expect(again(555, some).written).toEqual(["record-intent"]);
    const all = { [N2]: frozen(N2), [N3]: frozen(N3) };
    expect(again(20, all).written).toEqual(["record-intent"]);
    const none = begun({ kind: "initialise" }, { primary: null });
    expect(again(20, { ...all, [N1]: frozen(N1) }, silent(N1, N3), none).written).toEqual(["record-intent"]);
    expect(again(20, all, silent(N1, N3), none).written).toEqual([]);
  });
});

describe("a recorded intent", () => {
  const of = begun({ step: "intended" }, intends(intent()));
  const restoring = begun({ step: "restoring" }, intends(intent({ node: N1, runId: run(1) })));
  const serving: Change = (state) => state;

  it("for a node that nobody lists any more is waited for like one that stays away", () => {
    const unlisted = begun({ step: "intended" }, intends(intent({ node: nodeId("n9") })));
    expect(stepped({ of: unlisted, at: 999 }).sent).toEqual([]);
    expect(stepped({ of: unlisted, at: 1_000 }).sent).toEqual(["freeze n2", "freeze n3"]);
  });

  it("R21: for the old primary, which serves again although it was frozen, is settled and not promoted", () => {
    expect(stepped({ of: restoring, change: serving, facts: { [N1]: frozen(N1) } }).sent).toEqual(["settle n1"]);
  });

  it("R24: for the old primary, which is found un-frozen, is settled", () => {
    expect(stepped({ of: restoring, change: said(N1, promoted) }).sent).toEqual(["settle n1"]);
  });

  it("R6: for another node is sent over the connection of its freeze, whatever it showed since", () => {
    const claims = both(silent(N1), said(N2, { role: "primary", follows: null }));
    expect(stepped({ of, change: claims, facts: { [N2]: frozen(N2) } }).sent).toEqual(["promote n2"]);
  });

  it("for a node of which nothing was read is neither carried out nor confirmed", () => {
    expect(stepped({ of: restoring, change: unread(N1) }).sent).toEqual(["freeze n1", "freeze n2", "freeze n3"]);
    const turn = holding({ of, change: silent(N1) });
    expect(confirmPromotion(turn, intent(), { ...turn.state.nodes[N2]!, reading: null })).toBe(false);
    expect(turn.commands).toEqual([]);
  });

  it("for a node that restarted before it was frozen is none: it is frozen like the others", () => {
    const restarted = both(silent(N1), said(N2, { runId: run(22) }));
    expect(stepped({ of, change: restarted }).sent).toEqual(["freeze n2", "freeze n3"]);
  });

  it("of a beginning is promoted without a freeze under its own epoch only", () => {
    const beginning = { ...of, operation: operation({ kind: "initialise", step: "intended" }) };
    expect(stepped({ of: beginning }).sent).toEqual(["promote n2"]);
    expect(stepped({ of: { ...beginning, epoch: ofEpoch(3) } }).sent).toEqual(["freeze n2", "freeze n3"]);
  });
});

describe("R13: a reborn primary that is committed anew", () => {
  it("is recorded as the process and the history that it is now", () => {
    const its = { replicationId: history(9), offset: 3 };
    const change = both(said(N1, { ...its, runId: run(11) }, { class: "reborn" }), said(N2, its), said(N3, its));
    const settled = primaryReading({ ...its, runId: run(11) });
    const { turn } = stepped({ change, facts: { [N1]: { settled } } });
    const changes = turn.commands.flatMap((each) => (each.kind === "write-ballot" ? each.write.changes : []));
    expect(changes).toContainEqual(
      expect.objectContaining({
        path: ["primary"],
        value: { node: N1, epoch: 2, runId: run(11), replicationId: history(9) },
      }),
    );
  });
});

describe("a cold start", () => {
  const of = begun({ kind: "cold-start" });
  const facts = { [N2]: frozen(N2), [N3]: frozen(N3) };
  const cold = (given: Partial<Situation> = {}) => stepped({ of, facts, run: gathered, at: 200, ...given });

  it("waits for every node, and names whom it has not read", () => {
    expect(cold()).toMatchObject({ written: [], reasons: ["a cold start needs every node, and n1 is not read"] });
    const two = cold({ facts: { [N2]: frozen(N2) }, change: silent(N1, N3) });
    expect(two.reasons).toEqual(["a cold start needs every node, and n1, n3 is not read"]);
  });

  it("chooses when all are read, also where loss is refused", () => {
    const all = { ...facts, [N1]: frozen(N1) };
    expect(cold({ facts: all, change: stands }).written).toEqual(["record-intent"]);
    expect(cold({ facts: all, change: stands, settings: refuse }).written).toEqual(["record-intent"]);
  });

  it("chooses without a node that was lost before it could have more", () => {
    const goneAt = (offset: number) => {
      const nodes = { [N1]: member(1, { goneAt: offset }), [N2]: member(2), [N3]: member(3) };
      return begun({ kind: "cold-start" }, { members: { version: 1, nodes } });
    };
    expect([cold({ of: goneAt(100) }).written, cold({ of: goneAt(101) }).written]).toEqual([["record-intent"], []]);
  });
});

describe("what is chosen", () => {
  const choose = (given: Partial<Situation> = {}) => stepped({ run: gathered, at: 200, ...given });

  it("is the best also where a switchover that it began as had named another", () => {
    const facts = { [N2]: frozen(N2, { offset: 150 }), [N3]: frozen(N3) };
    expect(choose({ of: begun({ target: N3 }), facts }).meant).toEqual(["intended n2"]);
  });

  it("is not the primary that is to be replaced, whatever it has", () => {
    const facts = { [N1]: frozen(N1, { offset: 900 }), [N2]: frozen(N2), [N3]: frozen(N3) };
    expect(choose({ of: begun({ insists: true }), facts, change: stands }).meant).toEqual(["intended n2"]);
  });

  it("is told with everybody who was not", () => {
    const facts = { [N1]: frozen(N1), [N2]: frozen(N2), [N3]: frozen(N3, { offset: 120 }) };
    const why = "another has more data or precedes it";
    expect(detailOf(choose({ facts, change: stands }), "candidate.selected")?.["notChosen"]).toBe(
      `n1: ${why}; n2: ${why}`,
    );
    const barred = { [N2]: frozen(N2, { priority: 0 }), [N3]: frozen(N3, { priority: 0 }) };
    expect(detailOf(choose({ facts: barred }), "candidate.none")?.["notChosen"]).toBe(
      "n2: its priority is 0; n3: its priority is 0",
    );
  });

  it("costs what was meant before in this operation, and is lost since", () => {
    const toldOf = (values: Parameters<typeof intent>[0], change: Change = said(N1, {}, { readAt: instant(4) })) => {
      const of = begun({ step: "intended" }, intends(intent({ node: N3, runId: run(3), offset: 150, ...values })));
      const all = both(change, silent(N1, N3));
      return detailOf(choose({ of, facts: { [N2]: frozen(N2) }, change: all, at: 1_200 }), "loss.possible");
    };
    expect(toldOf({})).toEqual({ atLeastBytes: 50, primaryLastReadMs: 1_196 });
    const never: Change = (state) => withNode(state, N1, { reading: null, readAt: null });
    expect(toldOf({}, never)).toEqual({ atLeastBytes: 50, primaryLastReadMs: null });
    expect(toldOf({ replicationId: history(9) })).toBe(undefined);
    expect(toldOf({ epoch: ofEpoch(1) })).toBe(undefined);
    expect(toldOf({ offset: 100 })).toBe(undefined);
  });

  it("is compared with no old primary where there is none", () => {
    const of = begun({ kind: "initialise" }, { primary: null });
    const facts = { [N2]: frozen(N2), [N3]: frozen(N3, { offset: 150, priority: 0 }) };
    expect(detailOf(choose({ of, facts }), "loss.possible")).toEqual({ atLeastBytes: 50, primaryLastReadMs: null });
  });
});

describe("R21: the old primary that stands frozen, when nobody can be promoted", () => {
  const own = { [N1]: frozen(N1, { priority: 0 }) };
  const alone = both(stands, silent(N2, N3));
  const open = begun({ step: "intended" }, intends(intent()));
  const nobody = (given: Partial<Situation> = {}) =>
    stepped({ facts: own, run: gathered, change: alone, at: 1_200, ...given });
  const refused = { written: [], told: ["candidate.none"] };

  it("gets its place back, and nobody has to be counted for that", () => {
    expect(nobody()).toMatchObject({ meant: ["restoring n1"], told: ["intent.recorded"] });
    expect(nobody({ facts: { [N1]: frozen(N1) }, settings: refuse })).toMatchObject({
      meant: ["restoring n1"],
      told: ["intent.recorded"],
    });
  });

  it("L4: gets it only after a step's time where it was to be replaced", () => {
    const of = begun({ insists: true });
    const at = (ms: number) => nobody({ of, at: ms, settings: { stepTimeoutMs: 1_300 } });
    expect(at(1_299)).toMatchObject(refused);
    expect(at(1_300).meant).toEqual(["restoring n1"]);
  });

  it("does not where loss is refused and a candidate that was meant may still be promoted", () => {
    const sent = { ...own, [N2]: { promotionsOpen: 1 } };
    expect(nobody({ of: open, settings: refuse, facts: sent })).toMatchObject(refused);
    expect(nobody({ of: open, settings: refuse }).meant).toEqual(["restoring n1"]);
    expect(nobody({ of: open }).meant).toEqual(["restoring n1"]);
    expect(nobody({ of: open, facts: sent }).meant).toEqual(["restoring n1"]);
    const failed = { ...own, [N2]: { ...frozen(N2), promotionsFailed: 3 } };
    const all = { ...refuse, waitK: 0 };
    const given = { facts: failed, change: both(stands, silent(N3)), settings: all };
    expect(nobody({ ...given, of: open }).meant).toEqual(["restoring n1"]);
    const two = begun({ step: "intended" }, intends(intent({ node: N3, runId: run(3) }), intent()));
    expect(nobody({ ...given, of: two, facts: { ...failed, [N3]: { promotionsOpen: 1 } } })).toMatchObject(refused);
  });

  it("is said not to get it where nothing else was begun and un-freezing it has failed", () => {
    const failed = { [N1]: { ...frozen(N1), promotionsFailed: 3 } };
    expect(nobody({ of: begun({ target: N1 }), facts: failed })).toMatchObject(refused);
  });

  it("is none that was never read", () => {
    const unknown = watching();
    expect(isSilencedPrimary(turnAt(withNode(unknown, N1, { reading: null }), 10), ballot())).toBe(false);
  });

  it.each<[string, Partial<Situation>]>([
    ["it came back as another process", { facts: { [N1]: frozen(N1, { priority: 0, runId: run(11) }) } }],
    ["it restarted since it was frozen", { change: both(alone, said(N1, { runId: run(11) })) }],
    [
      "it is another process in every way",
      {
        facts: { [N1]: frozen(N1, { priority: 0, runId: run(11) }) },
        change: both(alone, said(N1, { runId: run(11) })),
      },
    ],
    ["nothing is read of it", { change: both(alone, unread(N1)) }],
    ["un-freezing it has failed three times", { facts: { [N1]: { ...own[N1], promotionsFailed: 3 } } }],
    [
      "it does not answer any more",
      {
        facts: { ...own, [N2]: frozen(N2, { priority: 0 }) },
        change: both(stands, silent(N1, N3)),
      },
    ],
    [
      "it was not frozen",
      { facts: { [N2]: frozen(N2, { priority: 0 }), [N1]: { busy: {} as never } }, change: both(stands, silent(N3)) },
    ],
    [
      "there is none",
      { of: begun({}, { primary: null }), facts: { [N2]: frozen(N2, { priority: 0 }) }, change: silent(N1, N3) },
    ],
    ["nobody lists it", { of: begun({}, { primary: primary({ node: nodeId("n9") }) }) }],
    [
      "nobody lists it, and loss is refused",
      { of: begun({}, { primary: primary({ node: nodeId("n9") }) }), settings: refuse },
    ],
  ])("does not when %s", (_, given) => {
    expect(nobody(given)).toMatchObject(refused);
  });
});
