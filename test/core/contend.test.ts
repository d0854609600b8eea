// R3, R4, R11, R13, R21: one step of a failover at a time, by what is recorded and what the nodes showed.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { BallotWrite } from "../../lib/core/ballot-write.ts";
import { contend } from "../../lib/core/contend.ts";
import { abandon, commitPrimary, writeIntent, writeRestored } from "../../lib/core/operation-record.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { BOOT_FENCE, tokenAddress } from "../../lib/core/token.ts";
import { instant, type NodeReading, nodeId } from "../../lib/core/types.ts";
import {
  ballot,
  history,
  intent,
  lease,
  N1,
  N2,
  N3,
  newborn,
  ofEpoch,
  operation,
  primary,
  primaryReading,
  reading,
  recorded,
  run,
  withNode,
} from "./builders.ts";
import { both, frozen, holding, outcomeOf, type Situation, said } from "./holding.ts";

const begun = (values: Partial<Parameters<typeof operation>[0]> = {}, of: Partial<Ballot> = {}): Ballot =>
  ballot({ epoch: ofEpoch(2), lease: lease(), operation: operation(values), ...of });
const intends = (values: Parameters<typeof intent>[0] = {}): Partial<Ballot> => ({
  lineage: { histories: [recorded()], intents: [intent(values)] },
});
const lost = (state: GroupState) =>
  withNode(state, N1, { class: "silent", heard: "silent", connection: null, lostAt: instant(-5_000) });
const gathered = { gatheringSince: instant(0) };
const promoted: Partial<NodeReading> = {
  role: "primary",
  replicationId: history(2),
  secondReplicationId: history(1),
  secondReplicationOffset: 101,
  follows: null,
};

const stepped = (given: Partial<Situation> = {}) => {
  const turn = holding({ of: begun(), change: lost, ...given });
  contend(turn);
  return { ...outcomeOf(turn), turn };
};

describe("gathering", () => {
  it("freezes every replica that answers, and waits for the answers", () => {
    const { sent, written, run: after, wakeAt } = stepped();
    expect([sent, written, after?.gatheringSince]).toEqual([["freeze n2", "freeze n3"], [], 10]);
    expect(wakeAt).toBeLessThanOrEqual(160);
  });

  it("chooses when all have answered, or when the wait is over", () => {
    const all = { [N2]: frozen(N2), [N3]: frozen(N3) };
    expect(stepped({ facts: all, run: {} }).run?.gatheringSince).toBe(null);
    const some = { [N2]: frozen(N2), [N3]: { busy: {} as never } };
    const at = (ms: number) => {
      const facts = { ...holding({ of: begun(), facts: some }).state.operation!.facts };
      return stepped({ run: { ...gathered, facts }, at: ms }).written;
    };
    expect([at(149), at(150)]).toEqual([[], ["record-intent"]]);
  });

  it("tells who was selected, who was not, and what may be lost", () => {
    const facts = { [N2]: frozen(N2, { offset: 90 }), [N3]: frozen(N3) };
    const all = holding({ of: begun(), facts }).state.operation!.facts;
    const { written, turn } = stepped({
      run: { ...gathered, facts: all },
      change: both(said(N1, { offset: 130 }), lost),
    });
    expect(written).toEqual(["record-intent"]);
    expect(turn.events.filter(({ event }) => /candidate|loss/.test(event))).toMatchObject([
      {
        event: "candidate.selected",
        node: N3,
        detail: { offset: 100, counted: 2, notChosen: "n2: another has more data or precedes it" },
      },
      { event: "loss.possible", node: N3, detail: { atLeastBytes: 30, primaryLastReadMs: 10 } },
    ]);
    const again = stepped({ run: { ...gathered, facts: all, told: ["selected n3"] } });
    expect(again.told).toEqual(["intent.recorded"]);
  });

  it("tells of no loss where the primary had no more, or was another process by then", () => {
    const all = holding({ of: begun(), facts: { [N2]: frozen(N2), [N3]: frozen(N3) } }).state.operation!.facts;
    const toldOf = (values: Partial<NodeReading>) =>
      stepped({ run: { ...gathered, facts: all }, change: both(said(N1, values), lost) }).told;
    expect(toldOf({ offset: 100 })).not.toContain("loss.possible");
    expect(toldOf({ offset: 130, runId: run(11) })).not.toContain("loss.possible");
    expect(toldOf({ offset: 101 })).toContain("loss.possible");
  });

  it("S9: refuses with fewer nodes than the promise needs, and says why", () => {
    const refuse = { onPossibleLoss: "refuse", waitK: 1, coldStart: "wait" } as const;
    const facts = holding({ of: begun(), facts: { [N2]: frozen(N2) } }).state.operation!.facts;
    const alone = both(lost, (state) => withNode(state, N3, { heard: "silent" }));
    const { told, turn, written } = stepped({ run: { ...gathered, facts }, change: alone, at: 200, settings: refuse });
    expect([told, written]).toEqual([["candidate.none"], []]);
    expect(turn.events[0]?.detail).toEqual({
      reason: "1 nodes count and onPossibleLoss refuse needs more",
      notChosen: "",
    });
    // A person who named the node has decided.
    const named = begun({ kind: "recover", target: N2, insists: true });
    expect(
      stepped({ of: named, run: { ...gathered, facts }, change: alone, at: 200, settings: refuse }).written,
    ).toEqual(["record-intent"]);
  });

  it("says once that nobody can be promoted, and ends when it has lasted for a step's time", () => {
    const facts = holding({ of: begun(), facts: { [N2]: frozen(N2, { priority: 0 }) } }).state.operation!.facts;
    const alone = both(lost, (state) => withNode(state, N3, { heard: "silent" }));
    const none = (at: number, told: readonly string[] = []) =>
      stepped({ run: { ...gathered, facts, told }, change: alone, at, settings: { stepTimeoutMs: 1_000 } });
    const reason = "no node that counts may be promoted";
    expect(none(200)).toMatchObject({ told: ["candidate.none"], written: [], reasons: [reason] });
    expect(none(200, [`none ${reason}`]).told).toEqual([]);
    expect(none(200).turn.events[0]?.detail["notChosen"]).toBe("n2: its priority is 0");
    expect(none(999).written).toEqual([]);
    expect(none(1_000)).toMatchObject({ written: ["finish"], run: { failure: reason } });
  });

  it("leaves out a node on which NO ONE has failed three times", () => {
    const facts = holding({
      of: begun(),
      facts: { [N2]: { ...frozen(N2, { offset: 900 }), promotionsFailed: 3 }, [N3]: frozen(N3) },
    }).state.operation!.facts;
    const { turn } = stepped({ run: { ...gathered, facts } });
    expect(turn.events.find(({ event }) => event === "candidate.selected")).toMatchObject({
      node: N3,
      detail: { notChosen: "n2: promoting it has failed" },
    });
  });
});

describe("a recorded intent", () => {
  const of = begun({ step: "intended" }, intends());

  it("R6: is carried out over the connection of the freeze", () => {
    const { turn, sent } = stepped({ of, facts: { [N2]: frozen(N2) } });
    expect(sent).toEqual(["promote n2"]);
    expect(turn.commands[0]).toMatchObject({
      command: { connection: 7, expect: { runId: run(2), replicationId: history(1), offset: 100 } },
    });
  });

  it("is committed by the answer, and waited for", () => {
    const answer = primaryReading({ runId: run(2), replicationId: history(2) });
    expect(stepped({ of, facts: { [N2]: { promoted: answer } } }).written).toEqual(["commit"]);
    expect(stepped({ of, facts: { [N2]: { busy: {} as never } } })).toMatchObject({ sent: [], written: [] });
  });

  it("R24: that is found carried out is confirmed by a transaction first, and committed by that", () => {
    const found = both(lost, said(N2, promoted));
    expect(stepped({ of, change: found })).toMatchObject({ sent: ["settle n2"], written: [] });
    const settled = reading({ ...promoted, runId: run(2) });
    expect(stepped({ of, change: found, facts: { [N2]: { settled } } }).written).toEqual(["commit"]);
    const replica = reading({ ...promoted, role: "replica", runId: run(2) });
    expect(stepped({ of, change: found, facts: { [N2]: { settled: replica } } }).sent).toEqual(["settle n2"]);
    expect(stepped({ of, change: found, facts: { [N2]: { settled: primaryReading() } } }).sent).toEqual(["settle n2"]);
  });

  it("whose node stays away is waited for a second, and the others contend without it then", () => {
    const away = both(lost, (state) => withNode(state, N2, { heard: "silent", connection: null }));
    const at = (ms: number, facts: Situation["facts"] = {}) => stepped({ of, change: away, at: ms, facts });
    expect([at(999).sent, at(999).wakeAt]).toEqual([[], 1_000]);
    expect(at(1_000).sent).toEqual(["freeze n3"]);
    expect(at(1_000, { [N2]: frozen(N2) }).run?.facts[N2]?.frozen).toBe(null);
    expect(at(1_000, { [N2]: { promotionFailedAt: instant(500) } }).sent).toEqual([]);
    expect(at(1_400, { [N2]: { promotionFailedAt: instant(400) } }).sent).toEqual(["freeze n3"]);
  });

  it("S6: whose promotion failed just now is read and frozen anew first, however long the attempt has lasted", () => {
    const waited = { gatheringSince: instant(0) };
    const at = (ms: number, more: Partial<Situation> = {}) =>
      stepped({
        of,
        run: waited,
        facts: { [N2]: { promotionFailedAt: instant(5_000), promotionsFailed: 1, failures: 1 }, [N3]: frozen(N3) },
        at: ms,
        change: both(lost, (state) => withNode(state, N2, { readAt: instant(ms) })),
        ...more,
      });
    const now = at(5_010);
    expect([now.sent, now.written, now.wakeAt]).toEqual([["settle n2"], [], 6_000]);
    // By then it has had its time: whoever is frozen is meant.
    expect(at(6_000)).toMatchObject({ sent: ["settle n2"], written: ["record-intent"] });
    const ofBefore = begun({ step: "intended" }, { ...intends(), epoch: ofEpoch(3) });
    expect(at(5_010, { of: ofBefore }).written).toEqual(["record-intent"]);
  });

  it.each(["record-intent", "record-restored", "change-kind", "take-over", "commit", "finish"])(
    "R12: is not carried out while a %s is under way, or its answer was lost",
    (name) => {
      const pending = { write: { name } as BallotWrite, sentAt: instant(0), events: [] };
      const facts = { [N2]: frozen(N2) };
      const during = (storeBusy: GroupState["storeBusy"], unresolved: GroupState["unresolved"]) =>
        stepped({ of, facts, change: (state) => ({ ...lost(state), storeBusy, unresolved }) }).sent;
      expect(during({ sentAt: instant(0), pending }, null)).toEqual([]);
      expect(during(null, pending)).toEqual([]);
      const renewing = { ...pending, write: { name: "renew" } as BallotWrite };
      expect(during({ sentAt: instant(0), pending: renewing }, null)).toEqual(["promote n2"]);
      expect(during({ sentAt: instant(0), pending: null }, null)).toEqual(["promote n2"]);
    },
  );

  it("whose node restarted counts no more", () => {
    const restarted = both(lost, said(N2, { runId: run(22) }));
    const { run: after, sent } = stepped({ of, change: restarted, facts: { [N2]: frozen(N2) } });
    expect(after?.facts[N2]?.frozen).toBe(null);
    expect(sent).toContain("freeze n3");
    const anew = stepped({ of, change: restarted, facts: { [N2]: frozen(N2, { runId: run(22) }) } });
    expect(anew.run?.facts[N2]?.frozen).not.toBe(null);
  });

  it("on which NO ONE has failed three times, or of an earlier epoch, is meant anew", () => {
    const failed = { [N2]: { ...frozen(N2), promotionsFailed: 3 } };
    expect(stepped({ of, facts: failed }).sent).toEqual(["freeze n3"]);
    const earlier = begun({ step: "intended" }, { ...intends(), epoch: ofEpoch(3) });
    expect(stepped({ of: earlier }).sent).toEqual(["freeze n2", "freeze n3"]);
  });

  it("is none of a failover's that was not frozen, and is a beginning's", () => {
    expect(stepped({ of }).sent).toEqual(["freeze n2", "freeze n3"]);
    const beginning = { ...of, operation: operation({ kind: "initialise", step: "intended" }) };
    const { turn } = stepped({ of: beginning });
    expect(turn.commands[0]).toMatchObject({ command: { kind: "promote", expect: { tokenHost: BOOT_FENCE.host } } });
  });
});

describe("R21: the voted-down primary that answers", () => {
  const serving = (state: GroupState) => state;
  const restoring = begun({ step: "restoring" }, intends({ node: N1, runId: run(1) }));

  it("is meant again, settled, and recorded as what it was", () => {
    expect(stepped({ change: serving })).toMatchObject({ sent: [], written: ["record-intent"] });
    expect(stepped({ of: restoring, change: serving })).toMatchObject({ sent: ["settle n1"], written: [] });
    const settled = primaryReading();
    expect(stepped({ of: restoring, change: serving, facts: { [N1]: { settled } } }).written).toEqual([
      "record-restored",
    ]);
    const other = primaryReading({ replicationId: history(9) });
    expect(stepped({ of: restoring, change: serving, facts: { [N1]: { settled: other } } })).toMatchObject({
      sent: [],
      written: [],
    });
    expect(stepped({ of: restoring, change: serving, facts: { [N1]: { settled: reading() } } }).written).toEqual([]);
  });

  it("is settled anew under another epoch, for its freezes may be behind what was settled", () => {
    const earlier = begun({ step: "restoring" }, { ...intends({ node: N1, runId: run(1) }), epoch: ofEpoch(3) });
    const { written, run: after } = stepped({
      of: earlier,
      change: serving,
      facts: { [N1]: { settled: primaryReading() } },
    });
    expect([written, after?.facts[N1]?.settled]).toEqual([["record-intent"], null]);
  });

  it.each<[string, Partial<Situation>]>([
    ["it is another process", { change: said(N1, { runId: run(11) }) }],
    ["it has another history", { change: said(N1, { replicationId: history(9) }) }],
    ["it is no primary", { change: said(N1, { role: "replica", follows: tokenAddress(ofEpoch(2)) }) }],
    ["it was not read", { change: (state) => withNode(state, N1, { reading: null }) }],
    ["the operation insists on another", { of: begun({ insists: true }), change: serving }],
    ["nobody lists it", { of: begun({}, { primary: primary({ node: nodeId("n9") }) }), change: serving }],
  ])("has no place to be given back when %s", (_, given) => {
    expect(stepped(given).written).toEqual([]);
    expect(stepped(given).sent).toContain("freeze n2");
  });

  it("waits until the node of an open intent was frozen and is known never to have been promoted", () => {
    const of = begun({ step: "intended" }, { ...intends(), epoch: ofEpoch(3) });
    expect(stepped({ of, change: serving }).sent).toEqual(["freeze n1", "freeze n2", "freeze n3"]);
    expect(stepped({ of, change: serving, facts: { [N2]: frozen(N2) } }).written).toEqual(["record-intent"]);
    const other = { [N2]: frozen(N2, { replicationId: history(2) }) };
    expect(stepped({ of, change: serving, facts: other }).written).toEqual([]);
  });
});

describe("R21: a failover that gives the old primary back its place", () => {
  const of = begun({ target: N1 });
  const asReplica = said(N1, { role: "replica", follows: tokenAddress(ofEpoch(2)) });
  const ahead = { [N2]: frozen(N2, { offset: 900 }), [N3]: frozen(N3) };
  const given = (facts: Situation["facts"]) => {
    const all = holding({ of, facts: facts ?? {} }).state.operation!.facts;
    return stepped({ of, run: { ...gathered, facts: all }, change: asReplica, at: 200 });
  };

  it("means it, whatever the others have more, and tells of nobody who could not be chosen", () => {
    const { turn, written, told } = given({ ...ahead, [N1]: frozen(N1) });
    expect([written, told]).toEqual([["record-intent"], ["intent.recorded"]]);
    expect(turn.state.storeBusy?.pending?.events).toMatchObject([{ node: N1 }]);
  });

  it("means nobody else where it cannot, and says so", () => {
    const { written, reasons } = given({ ...ahead, [N1]: { ...frozen(N1), promotionsFailed: 3 } });
    expect([written, reasons]).toEqual([[], ["n1 cannot be given back its place"]]);
  });
});

describe("R13: a reborn primary that everybody has followed", () => {
  const its = { replicationId: history(9), offset: 3 };
  const followed = both(said(N1, { ...its, runId: run(11) }, { class: "reborn" }), said(N2, its), said(N3, its));

  it("is settled, and committed anew; that something was lost is told once", () => {
    expect(stepped({ change: followed })).toMatchObject({ sent: ["settle n1"], written: [], told: [] });
    const settled = primaryReading({ ...its, runId: run(11), keyCount: 4 });
    const after = stepped({ change: followed, facts: { [N1]: { settled } } });
    expect(after.written).toEqual(["commit"]);
    expect(after.turn.events).toMatchObject([
      {
        event: "loss.possible",
        node: N1,
        detail: {
          reason: "it restarted without a boot fence and was followed before anybody could freeze the replicas",
          keyCount: 4,
        },
      },
    ]);
    expect(stepped({ change: followed, facts: { [N1]: { settled } }, run: { told: ["reborn"] } }).told).toEqual([]);
    const replica = { ...settled, role: "replica" } as const;
    expect(stepped({ change: followed, facts: { [N1]: { settled: replica } } }).written).toEqual([]);
  });

  it("is not, once a freeze was sent, or by another kind of operation", () => {
    expect(stepped({ change: followed, run: gathered }).sent).not.toContain("settle n1");
    expect(stepped({ of: begun({ kind: "cold-start" }), change: followed }).sent).not.toContain("settle n1");
  });
});

describe("what the holder writes down", () => {
  const turnOf = (given: Partial<Situation> = {}) => holding({ of: begun(), change: lost, ...given });

  it("R3: no intent while another node may have been promoted by this epoch: that epoch is left behind", () => {
    const written = (facts: Situation["facts"]) => {
      const turn = turnOf({ facts: facts ?? {} });
      const result = writeIntent(turn, N2, reading({ runId: run(2) }), "intended");
      return [result, outcomeOf(turn).written];
    };
    expect(written({ [N3]: { unknownSince: instant(5) } })).toEqual([false, ["take-over"]]);
    expect(written({ [N2]: { unknownSince: instant(5) } })).toEqual([true, ["record-intent"]]);
    expect(written({ [N3]: {} })).toEqual([true, ["record-intent"]]);
  });

  it("waits for another write", () => {
    const busy = (state: GroupState) => ({ ...state, storeBusy: { sentAt: instant(0), pending: null } });
    const turn = turnOf({ change: busy });
    expect(writeIntent(turn, N2, reading(), "intended")).toBe(false);
    commitPrimary(turn, intent(), primaryReading());
    writeRestored(turn);
    abandon(turn, "over");
    expect(turn.commands).toEqual([]);
  });

  it("R24: a commit of what answered as a primary, forked where that says or after all that it has", () => {
    const fork = (values: Partial<NodeReading>) => {
      const turn = turnOf();
      commitPrimary(turn, intent(), primaryReading({ runId: run(2), replicationId: history(2), ...values }));
      const [write] = turn.commands as unknown as { write: { changes: { path: string[]; value: never }[] } }[];
      const value = write?.write.changes.find(({ path }) => path[0] === "lineage")
        ?.value as unknown as Ballot["lineage"];
      return value.histories.at(-1);
    };
    const entered = { epoch: 2, node: N2, replicationId: history(2) };
    expect(fork({ secondReplicationOffset: 51 })).toEqual({ ...entered, forkOffset: 50 });
    expect(fork({ secondReplicationOffset: null, offset: 120 })).toEqual({ ...entered, forkOffset: 120 });
    expect(() => commitPrimary(turnOf(), intent(), reading())).toThrow("R24: n2 answered as replica");
  });

  it("an end in words, when nothing is left to undo", () => {
    const ended = (given: Partial<Situation> = {}) => {
      const turn = turnOf(given);
      abandon(turn, "over");
      return outcomeOf(turn);
    };
    expect(ended()).toMatchObject({ written: ["finish"], told: ["failover.abandoned"], reasons: ["over"] });
    expect(ended({ of: begun({ kind: "switchover" }) }).told).toEqual(["switchover.abandoned"]);
    const facts = { [N2]: frozen(N2), [N3]: { ...frozen(N3), repointed: true } };
    const serving = ended({ change: (state) => state, facts });
    expect([serving.sent, serving.written]).toEqual([["repoint n2"], []]);
    expect(ended({ facts }).written).toEqual(["finish"]);
    expect(ended({ change: (state) => state, facts: { [N2]: { ...frozen(N2), failures: 3 } } }).written).toEqual([
      "finish",
    ]);
    expect(ended({ change: (state) => withNode(state, N2, { heard: "silent" }), facts }).written).toEqual(["finish"]);
    expect(ended({ of: begun({}, { primary: null }), facts }).written).toEqual(["finish"]);
    const standing = (state: GroupState) => withNode(state, N1, { class: "wrong-role" });
    expect(ended({ change: standing, facts })).toMatchObject({ sent: [], written: ["finish"] });
    const own = { [N1]: frozen(N1) };
    expect(ended({ change: (state) => state, facts: own })).toMatchObject({ sent: [], written: ["finish"] });
    expect(ended({ of: { ...newborn(), lease: lease(), operation: operation() }, facts: {} }).written).toEqual([
      "finish",
    ]);
  });

  it("whoever is pointed at the old primary again keeps its clients", () => {
    const turn = turnOf({ change: (state) => state, facts: { [N2]: frozen(N2) } });
    abandon(turn, "over");
    const to = { host: "10.0.0.1", port: 6379 };
    const command = { kind: "repoint", epoch: 2, connection: 1, to, dropClients: false };
    expect(turn.commands).toMatchObject([{ kind: "command-node", node: N2, command }]);
  });

  it("R21: no end while a node may have been promoted and cannot be read, and that is told once", () => {
    const of = begun({ step: "intended" }, intends());
    const open = { [N2]: { promotionsOpen: 1 } };
    const held = (given: Partial<Situation> = {}) => {
      const turn = turnOf({ of, facts: open, ...given });
      abandon(turn, "over");
      return outcomeOf(turn);
    };
    const why = "n2 may have been promoted and cannot be read";
    expect(held()).toMatchObject({ written: [], told: ["group.held"], reasons: [why], run: { held: why } });
    expect(held({ run: { told: ["held"] } })).toMatchObject({ told: [], run: { held: why } });
    expect(held({ facts: { [N2]: frozen(N2) } }).written).toEqual(["finish"]);
    const gone = { [N2]: frozen(N2, { replicationId: history(2), secondReplicationId: history(1) }) };
    expect(held({ facts: gone })).toMatchObject({
      told: ["group.held"],
      reasons: ["n2 may have been promoted and has another history now"],
    });
    const since = intends({ node: N1, runId: run(1) }).lineage?.intents ?? [];
    const lineage = { histories: [recorded()], intents: [intent(), ...since] };
    expect(held({ of: begun({ step: "restoring" }, { lineage }) }).written).toEqual(["finish"]);
  });

  it("R21: an end where NO ONE of this epoch was refused or not sent, or the node was settled since an earlier one", () => {
    const ended = (of: Ballot, facts: Situation["facts"] = {}) => {
      const turn = turnOf({ of, facts });
      abandon(turn, "over");
      return outcomeOf(turn).written;
    };
    const own = begun({ step: "intended" }, intends());
    expect(ended(own)).toEqual(["finish"]);
    expect(ended(own, { [N2]: { promotionsOpen: 1, settled: reading({ runId: run(2) }) } })).toEqual([]);
    const earlier = begun({ step: "intended" }, { ...intends(), epoch: ofEpoch(3) });
    const settled = (values: Partial<NodeReading>) => ({ [N2]: { settled: reading({ runId: run(2), ...values }) } });
    expect(ended(earlier)).toEqual([]);
    expect(ended(earlier, settled({}))).toEqual(["finish"]);
    expect(ended(earlier, settled({ replicationId: history(2) }))).toEqual([]);
  });
});
