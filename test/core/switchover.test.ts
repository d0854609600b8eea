// R11, R21: one step of a switchover at a time, by what is recorded and what the nodes showed.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { NodeFacts } from "../../lib/core/operation.ts";
import type { GroupState, PendingWrite } from "../../lib/core/state.ts";
import { switchOver, targetOf } from "../../lib/core/switchover.ts";
import { tokenAddress } from "../../lib/core/token.ts";
import { instant, type NodeReading, nodeId } from "../../lib/core/types.ts";
import {
  ballot,
  connection,
  history,
  intent,
  lease,
  N1,
  N3,
  ofEpoch,
  operation,
  primaryReading,
  reading,
  recorded,
  run,
  withNode,
} from "./builders.ts";
import { both, type Change, holding, outcomeOf, type Situation, said } from "./holding.ts";

const begun = (values: Partial<Parameters<typeof operation>[0]> = {}, of: Partial<Ballot> = {}): Ballot =>
  ballot({
    epoch: ofEpoch(2),
    lease: lease(),
    operation: operation({ kind: "switchover", target: N3, reason: "upgrade", ...values }),
    ...of,
  });
const intended = (node = N3, epoch = 2): Partial<Ballot> => ({
  lineage: {
    histories: [recorded()],
    intents: [intent({ node, epoch: ofEpoch(epoch), runId: run(node === N1 ? 1 : 3) })],
  },
});

const stepped = (given: Partial<Situation> = {}) => {
  const turn = holding({ of: begun(), ...given });
  switchOver(turn);
  return { ...outcomeOf(turn), turn };
};
/** Why the switchover becomes a failover; undefined when it does not. */
const becauseOf = ({ turn }: ReturnType<typeof stepped>): unknown =>
  turn.commands
    .flatMap((each) => (each.kind === "write-ballot" && each.write.name === "change-kind" ? each.write.changes : []))
    .map((change) => ("value" in change ? (change.value as { reason?: string }).reason : undefined))
    .find((reason) => reason !== undefined);
const unread = (id: typeof N1) => (state: GroupState) => withNode(state, id, { reading: null });
const silent = (id: typeof N1) => (state: GroupState) => withNode(state, id, { heard: "silent", connection: null });
const stands = said(N1, { role: "replica", follows: tokenAddress(ofEpoch(2)), linkUp: false });
const frozenFact = (values: Partial<NodeReading> = {}, node = N1): NonNullable<NodeFacts["frozen"]> =>
  ({
    node,
    before: primaryReading(),
    after: reading({ runId: run(node === N1 ? 1 : 3), ...values }),
    connection: connection(1),
  }) as NonNullable<NodeFacts["frozen"]>;

describe("before the primary is frozen", () => {
  it("its writes are paused, for two seconds at most and never beyond the lease", () => {
    const { sent, told, turn } = stepped();
    expect([sent, told]).toEqual([["pause n1"], ["switchover.paused"]]);
    expect(turn.commands[0]).toMatchObject({ command: { durationMs: 2_000, connection: 1 } });
    expect(turn.events[0]).toMatchObject({ node: N1, detail: { pauseMs: 2_000 } });
    const short = (leaseUntil: number) => stepped({ run: { leaseUntil: instant(leaseUntil) } });
    expect(short(1_010.9).turn.commands[0]).toMatchObject({ command: { durationMs: 1_000 } });
    expect(short(511).sent).toEqual(["pause n1"]);
    expect(short(510)).toMatchObject({ sent: [], reasons: ["what is left of the lease is too short for a pause"] });
  });

  it("nothing is told of a pause that could not be sent", () => {
    expect(stepped({ facts: { [N1]: { retryAt: instant(50) } } })).toMatchObject({ sent: [], told: [], wakeAt: 50 });
  });

  it("is nothing without its primary or its target", () => {
    const why = ["the primary or the target is no member any more"];
    expect(stepped({ of: begun({ target: nodeId("n9") }) })).toMatchObject({ written: ["finish"], reasons: why });
    expect(stepped({ of: begun({ target: null }) })).toMatchObject({ written: ["finish"], reasons: why });
    expect(stepped({ of: begun({}, { primary: null }) })).toMatchObject({ written: ["finish"], reasons: why });
  });

  it("it waits a second for a primary that does not answer, and is a failover then", () => {
    const at = (ms: number) => stepped({ change: silent(N1), at: ms });
    expect([at(999).written, at(999).wakeAt]).toEqual([[], 1_000]);
    const { written, turn } = at(1_000);
    expect(written).toEqual(["change-kind"]);
    expect(turn.commands.find((each) => each.kind === "write-ballot")).toMatchObject({
      write: { changes: expect.arrayContaining([expect.objectContaining({ path: ["operation"] })]) },
    });
    const value = (turn.commands as { write?: { changes: { path: string[]; value: unknown }[] } }[])
      .flatMap((each) => each.write?.changes ?? [])
      .find(({ path }) => path[0] === "operation")?.value;
    expect(value).toMatchObject({ kind: "failover", target: N3, reason: "upgrade; the primary no longer answers" });
  });

  it("is nothing without an operation on record", () => {
    expect(targetOf(holding({ of: begun({}, { operation: null }) }))).toBe(null);
  });

  it("R21: a primary of which nothing was read is frozen like one that stands", () => {
    expect(stepped({ change: unread(N1) }).sent).toEqual(["freeze n1"]);
  });

  it("R22: it ends as it is where the primary is not what the record says", () => {
    const restarted = both(said(N1, { runId: run(11) }), said(N3, { linkUp: false }));
    expect(stepped({ change: restarted })).toMatchObject({ sent: [], written: ["finish"] });
  });

  it("R21: a primary that stands frozen already is frozen by this epoch, and read", () => {
    expect(stepped({ change: stands }).sent).toEqual(["freeze n1"]);
  });

  it("it ends where its holder was lost, with the primary as it is", () => {
    const { told, reasons, written, run: after } = stepped({ run: { takenOver: true } });
    expect(told).toContain("switchover.abandoned");
    expect(reasons).toEqual(["its holder was lost before the primary was frozen"]);
    expect([written, after?.failure]).toEqual([["record-intent"], "its holder was lost before the primary was frozen"]);
  });

  it("it ends with the reason of the target, or else with what the primary refused", () => {
    const lag = said(N3, { linkUp: false });
    expect(stepped({ change: lag }).reasons).toEqual(["n3 has no link to the primary"]);
    expect(stepped({ facts: { [N1]: { failure: "NOPERM" } } }).reasons).toEqual(["NOPERM"]);
    expect(stepped({ change: lag, facts: { [N1]: { failure: "NOPERM" } } }).reasons).toEqual([
      "n3 has no link to the primary",
    ]);
  });

  it("one that insists is a failover instead of an end", () => {
    expect(stepped({ of: begun({ insists: true }), change: said(N3, { linkUp: false }) })).toMatchObject({
      written: ["change-kind"],
      told: [],
    });
  });

  it("its failure is told once, and the first reason stays", () => {
    const again = stepped({ change: said(N3, { linkUp: false }), run: { told: ["abandoning"], failure: "it lagged" } });
    expect([again.told.includes("switchover.abandoned"), again.run?.failure]).toEqual([false, "it lagged"]);
  });
});

describe("under the pause", () => {
  const paused = { [N1]: { pausedAt: instant(1), pausedUntil: instant(1_000) } };
  const readAt = (n1: number | null, n3: number | null, offsets: readonly [number, number] = [200, 200]) =>
    both(
      said(N1, { offset: offsets[0] }, { readSentAt: n1 === null ? null : instant(n1), probeDueAt: instant(900) }),
      said(N3, { offset: offsets[1] }, { readSentAt: n3 === null ? null : instant(n3), probeDueAt: instant(900) }),
    );

  it("the primary is frozen when the target shows what it showed, both asked after the pause began", () => {
    const { sent, told, turn } = stepped({ facts: paused, change: readAt(1, 1) });
    expect([sent, told]).toEqual([["freeze n1"], ["switchover.caught-up"]]);
    expect(turn.events[0]).toMatchObject({ node: N3, detail: { offset: 200 } });
    const again = stepped({ facts: paused, change: readAt(1, 1), run: { told: ["caught up"] } });
    expect([again.sent, again.told]).toEqual([["freeze n1"], []]);
  });

  it.each<[string, (state: GroupState) => GroupState, readonly number[]]>([
    ["the primary was read before the pause", readAt(0, 1), [10, 10]],
    ["the primary was not read", readAt(null, 1), [10, 10]],
    ["the target was read before the pause", readAt(1, 0), [900, 10]],
    ["the target lacks something", readAt(1, 1, [200, 199]), [900, 10]],
    ["the target has another history", both(readAt(1, 1), said(N3, { replicationId: history(9) })), [900, 10]],
    ["the target showed nothing", both(readAt(1, 1), unread(N3)), [900, 10]],
    ["the target is no replica", both(readAt(1, 1), said(N3, { role: "primary" })), [900, 10]],
  ])("is not frozen while %s: they are asked at once", (_, change, due) => {
    const { sent, turn } = stepped({ facts: paused, change });
    expect(sent).toEqual([]);
    expect([turn.state.nodes[N1]?.probeDueAt, turn.state.nodes[N3]?.probeDueAt]).toEqual(due);
  });

  it("is not frozen by what was read before anybody knew of the pause", () => {
    const unknown = { [N1]: { pausedAt: null, pausedUntil: instant(1_000) } };
    expect(stepped({ facts: unknown, change: readAt(5, 5) }).sent).toEqual([]);
    const atOnce = { [N1]: { pausedAt: instant(0), pausedUntil: instant(1_000) } };
    expect(stepped({ facts: atOnce, change: readAt(5, null) }).sent).toEqual([]);
    expect(stepped({ facts: atOnce, change: readAt(0, 0) }).sent).toEqual(["freeze n1"]);
  });

  it("more than the primary showed is enough", () => {
    expect(stepped({ facts: paused, change: readAt(1, 1, [200, 201]) }).sent).toEqual(["freeze n1"]);
  });

  it("it ends while there is still time to, by the pause's own end", () => {
    const at = (ms: number) => stepped({ facts: paused, change: readAt(1, 1, [200, 100]), at: ms });
    expect([at(499).reasons, at(499).wakeAt]).toEqual([[], 500]);
    expect(at(500).reasons).toEqual(["n3 did not catch up under the pause"]);
  });
});

describe("once the primary is frozen", () => {
  const facts = { [N1]: { frozen: frozenFact({ offset: 200 }) } };
  const shows = (values: Partial<NodeReading>, rest: object = {}) =>
    both(stands, said(N3, { offset: 200, ...values }, { probeDueAt: instant(900), ...rest }));

  it("R11: the target is intended when it shows exactly the offset of the freeze", () => {
    const { written, told, turn } = stepped({ facts, change: shows({}) });
    expect([written, told]).toEqual([["record-intent"], ["intent.recorded"]]);
    expect(turn.state.storeBusy?.pending?.events).toMatchObject([
      { node: N3, detail: { offset: 200, replicationId: history(1), step: "intended" } },
    ]);
  });

  it.each<[string, (state: GroupState) => GroupState]>([
    ["less", shows({ offset: 199 })],
    ["more", shows({ offset: 201 })],
    ["another history", shows({ replicationId: history(9) })],
    ["nothing now", shows({}, { heard: "silent" })],
    ["nothing at all", both(stands, (state) => withNode(state, N3, { reading: null, probeDueAt: instant(900) }))],
  ])("is asked again at once while it shows %s", (_, change) => {
    const { written, turn } = stepped({ facts, change });
    expect([written, turn.state.nodes[N3]?.probeDueAt]).toEqual([[], 10]);
  });

  it("R21: the primary has its place back when the target does not come in time", () => {
    const late = (at: number, settings = {}) => stepped({ facts, change: shows({ offset: 100 }), at, settings });
    expect(late(1_499).told).toEqual([]);
    const { told, reasons, written } = late(1_750);
    expect([told[0], reasons[0], written]).toEqual([
      "switchover.abandoned",
      "n3 did not reach offset 200",
      ["record-intent"],
    ]);
    expect(late(1_749).told).toEqual([]);
  });

  it("R4: not as another process than the one that was committed: that is a failover", () => {
    const restarted = both(shows({ offset: 100 }), said(N1, { runId: run(11) }));
    expect(becauseOf(stepped({ facts, change: restarted, at: 1_900 }))).toBe("upgrade; the primary restarted");
  });
});

describe("with the target intended", () => {
  const of = begun({ step: "intended" }, intended());
  const promotedSaid: Partial<NodeReading> = {
    role: "primary",
    replicationId: history(2),
    secondReplicationId: history(1),
    secondReplicationOffset: 101,
    follows: null,
  };

  it("R12: it is promoted, and committed by its own answer", () => {
    expect(stepped({ of, change: stands }).sent).toEqual(["promote n3"]);
    const finish = { write: { name: "finish" }, sentAt: instant(0), events: [] } as unknown as PendingWrite;
    const ending = both(stands, (state) => ({ ...state, unresolved: finish }));
    expect(stepped({ of, change: ending }).sent).toEqual([]);
    const promoted = primaryReading({ runId: run(3), replicationId: history(2) });
    expect(stepped({ of, change: stands, facts: { [N3]: { promoted } } }).written).toEqual(["commit"]);
    expect(stepped({ of, facts: { [N3]: { busy: {} as never } } })).toMatchObject({ sent: [], written: [] });
  });

  it("R24: found promoted, it is confirmed by a transaction of its own first", () => {
    expect(stepped({ of, change: both(stands, said(N3, promotedSaid)) }).sent).toEqual(["settle n3"]);
  });

  it("promoted and frozen since, it contends like the others", () => {
    const frozenSince = said(N3, { ...promotedSaid, role: "replica", follows: tokenAddress(ofEpoch(2)) });
    const since = "upgrade; n3 was promoted and frozen since";
    expect(becauseOf(stepped({ of, change: both(stands, frozenSince) }))).toBe(since);
  });

  it.each<[string, Partial<Situation>]>([
    ["it was frozen", { facts: { [N3]: { frozen: frozenFact({}, N3) } } }],
    ["it restarted", { change: both(stands, said(N3, { runId: run(33) })) }],
    ["it failed three times", { facts: { [N3]: { failures: 3 } } }],
    [
      "the intent is an earlier epoch's",
      { of: begun({ step: "intended", began: ofEpoch(2) }, { epoch: ofEpoch(3), ...intended() }) },
    ],
  ])("it is not promoted when %s", (_, given) => {
    const { sent } = stepped({ of, change: stands, ...given });
    expect(sent).not.toContain("promote n3");
    expect(sent.length + stepped({ of, change: stands, ...given }).written.length).toBeGreaterThan(0);
  });

  it("an order ends where it began when the target refuses or was meant by a lost holder, and says which", () => {
    const refused = { failures: 3, failure: "NOPERM", promotionsFailed: 3 };
    const ended = (facts: Partial<NodeFacts>, insists = false) =>
      stepped({
        of: begun({ step: "intended", insists }, intended()),
        change: stands,
        facts: { [N1]: { frozen: frozenFact() }, [N3]: facts },
      });
    const unwilling = "n3 refused to be promoted: NOPERM";
    const told = ["switchover.abandoned", "intent.recorded"];
    expect(ended(refused)).toMatchObject({ written: ["record-intent"], told, reasons: [unwilling] });
    const unknown = { failures: 3, failure: "frozen by another" };
    const orphaned = { written: ["record-intent"], told, reasons: ["its holder was lost with n3 meant"] };
    expect(ended(unknown)).toMatchObject(orphaned);
    expect(ended(unknown, true)).toMatchObject(orphaned);
    expect(ended(refused, true)).toMatchObject({ written: ["change-kind"], told: [] });
    expect(becauseOf(ended(refused, true))).toBe(`upgrade; ${unwilling}`);
  });

  it("it is waited for while a command to it is under way, however long that takes", () => {
    const busy = { [N3]: { busy: {} as never } };
    expect(stepped({ of, facts: busy, change: silent(N3), at: 1_900 })).toMatchObject({ sent: [], written: [] });
  });

  it.each<[string, Change]>([
    ["nothing was read of it", both(stands, silent(N1), unread(N3))],
    ["it restarted, and the primary does not answer", both(stands, silent(N1), said(N3, { runId: run(33) }))],
    ["both restarted", both(stands, said(N1, { runId: run(11) }), said(N3, { runId: run(33) }))],
    ["it restarted, and nothing was read of the primary", both(unread(N1), said(N3, { runId: run(33) }))],
  ])("it is waited for when %s: then it is a failover", (_, change) => {
    expect(stepped({ of, change })).toMatchObject({ sent: [], written: [], wakeAt: 1_750 });
    const why = "upgrade; n3 was about to be promoted and does not answer";
    expect(becauseOf(stepped({ of, change, at: 1_750 }))).toBe(why);
  });

  it("it is waited for, and is a failover when neither of the two can be had", () => {
    const gone = (at: number) => stepped({ of, change: both(stands, silent(N3)), at });
    expect([gone(1_749).written, gone(1_749).wakeAt, gone(1_750).written]).toEqual([[], 1_750, ["change-kind"]]);
    const brief = { leaseMs: 1_700 };
    expect(stepped({ of, change: both(stands, silent(N3)), at: 1_450, settings: brief }).written).toEqual([
      "change-kind",
    ]);
  });
});

describe("with the old primary intended again", () => {
  const of = begun({ step: "restoring" }, intended(N1));
  const unfrozen: Partial<NodeReading> = {
    replicationId: history(2),
    secondReplicationId: history(1),
    secondReplicationOffset: 101,
  };

  it("it is committed when it was un-frozen, and waited for while it is busy", () => {
    const promoted = primaryReading({ replicationId: history(2) });
    expect(stepped({ of, facts: { [N1]: { promoted } } }).written).toEqual(["commit"]);
    expect(stepped({ of, facts: { [N1]: { busy: {} as never } } })).toMatchObject({ sent: [], written: [] });
  });

  it("R21: it is settled where it serves, and un-frozen where it stands", () => {
    expect(stepped({ of }).sent).toEqual(["settle n1"]);
    const facts = { [N1]: { frozen: frozenFact() } };
    expect(stepped({ of, change: stands, facts }).sent).toEqual(["promote n1"]);
  });

  it("it is a failover when it does not answer any more", () => {
    const gone = (at: number, change = silent(N1)) => becauseOf(stepped({ of, change, at }));
    const why = "upgrade; the primary no longer answers";
    expect([gone(1_749), gone(1_750)]).toEqual([undefined, why]);
    expect(gone(1_750, both(said(N1, unfrozen), silent(N1)))).toBe(why);
    const busy = { [N1]: { busy: {} as never } };
    expect(stepped({ of, facts: busy, change: silent(N1), at: 1_900 }).written).toEqual([]);
  });

  it("R24: it is settled where it is found un-frozen, and recorded where it was settled", () => {
    expect(stepped({ of, change: said(N1, unfrozen) }).sent).toEqual(["settle n1"]);
    const facts = { [N1]: { settled: primaryReading() } };
    expect(stepped({ of, facts })).toMatchObject({ sent: [], written: ["record-restored"] });
  });

  it("it is frozen, and read so, where nothing was read of it", () => {
    expect(stepped({ of, change: unread(N1) }).sent).toEqual(["freeze n1"]);
  });

  it("waits for a write that is under way before it changes what it is", () => {
    const busy = both(silent(N1), (state) => ({ ...state, storeBusy: { sentAt: instant(0), pending: null } }));
    expect(stepped({ of, change: busy, at: 1_900 })).toMatchObject({ written: [], wakeAt: 2_150 });
  });
});
