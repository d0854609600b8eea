import { describe, expect, it } from "vitest";
import { assist, foldAssistance } from "../../lib/core/assist.ts";
import type { Ballot } from "../../lib/core/ballot.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { tokenAddress } from "../../lib/core/token.ts";
import {
  type ConnectionRef,
  instant,
  type NodeCommand,
  type NodeOutcome,
  type NodeReading,
} from "../../lib/core/types.ts";
import {
  B,
  ballot,
  connection,
  history,
  intent,
  lease,
  N1,
  N2,
  N3,
  ofEpoch,
  operation,
  primary,
  primaryReading,
  reading,
  recorded,
  run,
  stepAt,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";

/** az-b is about to promote n2 in a failover from n1. */
const contended = (values: Partial<Ballot> = {}): Ballot =>
  ballot({
    epoch: ofEpoch(2),
    lease: lease({ holder: B }),
    operation: operation({ step: "intended" }),
    lineage: { histories: [recorded()], intents: [intent()] },
    ...values,
  });

/** n2 was committed at epoch 2, and n1 still says that it is primary. */
const committed = (values: Partial<Ballot> = {}): Ballot =>
  ballot({
    epoch: ofEpoch(2),
    primary: primary({ node: N2, epoch: ofEpoch(2), runId: run(2), replicationId: history(2) }),
    lineage: {
      histories: [recorded(), recorded({ epoch: ofEpoch(2), node: N2, replicationId: history(2) })],
      intents: [intent()],
    },
    ...values,
  });

function assisted(look: Ballot, change: (state: GroupState) => GroupState = (state) => state, at = 10) {
  const turn = turnAt(change(watching(look)), at);
  assist(turn);
  return turn;
}

const sent = (turn: { commands: readonly unknown[] }) => turn.commands;
const freezeOf = (epoch: number, over: ConnectionRef, parked = false) => ({
  kind: "command-node",
  node: N1,
  address: { host: "10.0.0.1", port: 6379 },
  command: { kind: "freeze", epoch, connection: over.id, parked },
  deadline: 510,
});
const hanging = (state: GroupState): GroupState =>
  withNode(state, N1, {
    heard: "silent",
    class: "silent",
    connection: null,
    parkable: connection(7),
    lostAt: instant(0),
  });

const frozenBy = (epoch: number): NodeReading => reading({ runId: run(1), follows: tokenAddress(ofEpoch(epoch)) });

describe("R16: a voter without the lease silences", () => {
  it("the primary of an uncommitted intent of a failover that names another", () => {
    expect(sent(assisted(contended()))).toEqual([freezeOf(2, connection(1))]);
  });

  it("a node that still claims to be primary after another was committed", () => {
    expect(sent(assisted(committed()))).toEqual([freezeOf(2, connection(1))]);
  });

  it("a hanging one by a freeze that waits in its socket, once for each connection", () => {
    const turn = assisted(contended(), hanging);
    expect(sent(turn)).toEqual([freezeOf(2, connection(7), true)]);
    expect(turn.events).toEqual([{ event: "fence.parked", epoch: 2, node: N1, detail: { assisted: true } }]);
    const again = turnAt(turn.state, 500);
    assist(again);
    expect(sent(again)).toEqual([]);
  });

  it("under the ballot's epoch, tried again every 100 ms until it was carried out", () => {
    const first = assisted(contended());
    const early = turnAt(first.state, 109);
    const late = turnAt(first.state, 110);
    for (const turn of [early, late]) assist(turn);
    expect([early.commands.length, late.commands.length]).toEqual([0, 1]);
  });
});

describe("R16: and leaves alone", () => {
  it.each<[string, Ballot]>([
    ["the primary of a switchover", contended({ operation: operation({ kind: "switchover", step: "intended" }) })],
    ["a primary nobody is meant instead of yet", contended({ lineage: { histories: [recorded()], intents: [] } })],
    [
      "one that is about to be restored",
      contended({ lineage: { histories: [recorded()], intents: [intent(), intent({ node: N1 })] } }),
    ],
    ["one whose restoration is recorded", contended({ operation: operation({ step: "committed" }) })],
    ["what another table's record says", contended({ table: "table-2" })],
    ["the committed primary of a quiet group", ballot()],
    ["every node while the first primary is chosen", contended({ primary: null })],
    [
      "one that a later intent names",
      committed({ lineage: { ...committed().lineage, intents: [intent(), intent({ node: N1, epoch: ofEpoch(3) })] } }),
    ],
    [
      "one whose history no record explains (R22)",
      committed({ lineage: { histories: [recorded({ replicationId: history(2), epoch: ofEpoch(2) })], intents: [] } }),
    ],
  ])("%s", (_, look) => {
    expect(sent(assisted(look))).toEqual([]);
  });

  it.each<[string, (state: GroupState) => GroupState]>([
    ["one that follows somebody by now", (state) => withNode(state, N1, { reading: reading({ runId: run(1) }) })],
    [
      "one that is not heard and has no connection",
      (state) => withNode(hanging(state), N1, { parkable: null, reading: null }),
    ],
  ])("after a commit, %s", (_, change) => {
    expect(sent(assisted(committed(), change))).toEqual([]);
  });

  it("every node before there is a record", () => {
    expect(sent(assisted(contended(), (state) => ({ ...state, look: null })))).toEqual([]);
  });

  it("one that carries this operation's token already", () => {
    const frozen = (state: GroupState) =>
      withNode(state, N1, { reading: reading({ follows: tokenAddress(ofEpoch(2)) }) });
    expect(sent(assisted(contended(), frozen))).toEqual([]);
  });
});

describe("R16: whom the record means", () => {
  const meaning = (...intents: Ballot["lineage"]["intents"]): Partial<Ballot> => ({
    lineage: { ...committed().lineage, intents },
  });
  const one = [freezeOf(2, connection(1))];

  it("is silenced after a commit whoever else is meant since, and whatever it was meant for before", () => {
    expect(sent(assisted(committed(meaning(intent({ node: N3, epoch: ofEpoch(3) })))))).toEqual(one);
    expect(sent(assisted(committed(meaning(intent({ node: N1 })))))).toEqual(one);
    const onto = operation({ step: "intended" });
    expect(sent(assisted(committed({ operation: onto, ...meaning(intent({ node: N3 })) })))).toContainEqual(one[0]);
    expect(sent(assisted(committed({ operation: onto, ...meaning(intent({ node: N1 })) })))).not.toContainEqual(one[0]);
  });

  it("is no node whose data is the committed one's, or of a promotion that was not recorded", () => {
    const says = (values: Partial<NodeReading>) => (state: GroupState) =>
      withNode(state, N1, { reading: primaryReading(values) });
    expect(sent(assisted(committed(), says({ replicationId: history(2) })))).toEqual([]);
    const forked = { replicationId: history(7), secondReplicationId: history(1), secondReplicationOffset: 101 };
    const meant = intent({ node: N1, epoch: ofEpoch(1), runId: run(1) });
    expect(sent(assisted(committed(meaning(meant)), says(forked)))).toEqual([]);
  });

  it("is a node that claims it by what was last heard, as long as a freeze can wait on its connection", () => {
    expect(sent(assisted(committed(), hanging))).toEqual([freezeOf(2, connection(7), true)]);
    const unheard = (state: GroupState) => withNode(state, N1, { heard: "silent" });
    expect(sent(assisted(committed(), unheard))).toEqual([]);
  });

  it.each<[string, (state: GroupState) => GroupState]>([
    ["carries an earlier token", (state) => withNode(state, N1, { reading: frozenBy(1) })],
    ["was not read", (state) => withNode(state, N1, { reading: null })],
  ])("is the old primary that %s", (_, change) => {
    expect(sent(assisted(contended(), change))).toEqual(one);
  });

  it("is the old primary that hangs, whatever it showed before: it may have been un-frozen", () => {
    const hung = (state: GroupState) => withNode(hanging(state), N1, { reading: frozenBy(2) });
    expect(sent(assisted(contended(), hung))).toEqual([freezeOf(2, connection(7), true)]);
  });

  it("is sent a freeze over each connection that hangs", () => {
    const parked = assisted(contended(), hanging);
    const next = turnAt(withNode(parked.state, N1, { parkable: connection(8) }), 10);
    assist(next);
    expect(sent(next)).toEqual([freezeOf(2, connection(8), true)]);
  });
});

describe("what an assistant's freeze came to", () => {
  const applied = {
    kind: "applied",
    before: primaryReading(),
    after: frozenBy(2),
    rewriteError: null,
    connection: connection(1),
  } as const;
  const freeze = { kind: "freeze", epoch: ofEpoch(2), connection: 1, parked: false } as const;
  const folded = (
    command: NodeCommand = freeze,
    outcome: NodeOutcome = applied,
    from = assisted(contended()).state,
  ) => {
    const turn = turnAt(withNode(from, N1, { probeDueAt: instant(900) }), 200);
    foldAssistance(turn, N1, command, outcome);
    return turn;
  };

  it("is told with how it got there, ends the assistance, and has the node probed", () => {
    const turn = folded();
    expect(turn.events).toEqual([
      { event: "node.fenced", epoch: 2, node: N1, detail: { rung: "assisted", offset: 100, wasRole: "primary" } },
    ]);
    expect(turn.state.nodes[N1]?.probeDueAt).toBe(200);
    assist(turn);
    expect(turn.commands).toEqual([]);
    expect(folded({ ...freeze, parked: true }).events).toMatchObject([{ detail: { rung: "parked" } }]);
  });

  it("is a probe only, when the freeze was not carried out", () => {
    const turn = folded(freeze, { kind: "unknown", detail: "no answer in time" });
    expect([turn.events, turn.state.nodes[N1]?.probeDueAt]).toEqual([[], 200]);
    assist(turn);
    expect(turn.commands).toHaveLength(1);
  });

  it.each<[string, () => ReturnType<typeof folded>]>([
    ["a node that was not assisted", () => folded(freeze, applied, watching(contended()))],
    ["another epoch's freeze", () => folded({ ...freeze, epoch: ofEpoch(1) })],
    ["another command", () => folded({ kind: "settle", epoch: ofEpoch(2), connection: 1 })],
  ])("is nothing for %s", (_, fold) => {
    const turn = fold();
    expect([turn.events, turn.state.nodes[N1]?.probeDueAt]).toEqual([[], 900]);
    expect(turn.state.assistance[N1]?.done ?? false).toBe(false);
  });
});

describe("R9: an assistant's freeze", () => {
  it.each([
    ["an open connection", (state: GroupState) => withNode(state, N1, { connection: connection(1, 5) }), true],
    [
      "a hanging connection",
      (state: GroupState) => withNode(hanging(state), N1, { parkable: connection(7, 5) }),
      false,
    ],
  ])("never goes over %s that is younger than the look", (_, change, asksForLook) => {
    const turn = assisted(contended(), change);
    expect([turn.commands, turn.lookWanted]).toEqual([[], asksForLook]);
  });

  it("is told, and ends, when it was carried out", () => {
    const turn = assisted(contended());
    const after = reading({ follows: tokenAddress(ofEpoch(2)), runId: run(1) });
    const command = { kind: "freeze", epoch: ofEpoch(2), connection: 1, parked: false } as const;
    const outcome = {
      kind: "applied",
      before: primaryReading(),
      after,
      rewriteError: null,
      connection: connection(1),
    } as const;
    const { state, events } = stepAt(turn.state, 12, {
      kind: "command-ended",
      node: N1,
      command,
      outcome,
      late: false,
    });
    expect(events).toMatchObject([
      { event: "node.fenced", epoch: 2, node: N1, detail: { rung: "assisted", wasRole: "primary" } },
    ]);
    expect(state.assistance[N1]).toMatchObject({ done: true });
  });
});
