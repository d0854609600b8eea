// What a holder may send to a node, and to whom it sends nothing: R9, S4, N12, R22; and what a repair takes for astray.

import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { FRESH_ATTEMPT_MS } from "../../lib/core/config.ts";
import {
  ballotOf,
  continued,
  firstTime,
  isBarred,
  isBeyond,
  isSpared,
  newRun,
  type OperationRun,
  park,
  runOf,
  send,
} from "../../lib/core/operation.ts";
import { astray, isInLine, repair, unexplained } from "../../lib/core/repair.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { tokenAddress } from "../../lib/core/token.ts";
import { instant, type NodeCommand, type NodeReading, nodeId } from "../../lib/core/types.ts";
import {
  ballot,
  connection,
  history,
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
  turnAt,
  watching,
  withNode,
} from "./builders.ts";
import { holding, outcomeOf, type Situation } from "./holding.ts";

const of = ballot({ epoch: ofEpoch(2), lease: lease(), operation: operation() });
const settle = ({ id }: { id: number }): NodeCommand => ({ kind: "settle", epoch: ofEpoch(2), connection: id });
const freeze = ({ id }: { id: number }): NodeCommand => ({
  kind: "freeze",
  epoch: ofEpoch(2),
  connection: id,
  parked: false,
});
const pause = ({ id }: { id: number }): NodeCommand => ({ kind: "pause", connection: id, durationMs: 1 });

const promotion: Extract<NodeCommand, { kind: "promote" }> = {
  kind: "promote",
  epoch: ofEpoch(2),
  connection: 1,
  expect: { runId: run(2), replicationId: history(1), offset: 100, tokenHost: null },
};

describe("a command to a node", () => {
  const sent = (given: Partial<Situation> = {}, make = settle) => {
    const turn = holding({ of, ...given });
    const result = send(turn, N2, make);
    return { result, ...outcomeOf(turn), turn };
  };
  const node = (values: object) => ({ change: (state: GroupState) => withNode(state, N2, values) });

  it("goes over its connection, ends in half a second, and keeps the node busy", () => {
    const { result, turn, run: after } = sent();
    expect(result).toBe(true);
    expect(turn.commands).toEqual([
      {
        kind: "command-node",
        node: N2,
        address: { host: "10.0.0.2", port: 6379 },
        command: { kind: "settle", epoch: 2, connection: 1 },
        deadline: 510,
      },
    ]);
    expect(after?.facts[N2]?.busy).toEqual({ kind: "settle", epoch: 2, connection: 1 });
  });

  it("ends with the lease at the latest", () => {
    const ends = (leaseUntil: number) => sent({ run: { leaseUntil: instant(leaseUntil) } }).turn.commands[0];
    expect(ends(300)).toMatchObject({ deadline: 300 });
    expect(ends(600)).toMatchObject({ deadline: 510 });
  });

  it("waits while the node is busy, or rests after a failure", () => {
    expect(sent({ facts: { [N2]: { busy: {} as never } } })).toMatchObject({ result: false, sent: [] });
    expect(sent({ facts: { [N2]: { retryAt: instant(11) } } })).toMatchObject({ result: false, sent: [], wakeAt: 11 });
    expect(sent({ facts: { [N2]: { retryAt: instant(10) } } }).result).toBe(true);
  });

  it("R9: asks for a connection first, and for a look that is younger than it", () => {
    const without = sent(node({ connection: null, probeDueAt: instant(900) }));
    expect([without.result, without.turn.state.nodes[N2]?.probeDueAt]).toEqual([false, 10]);
    const young = sent(node({ connection: connection(4, 1) }));
    expect([young.result, young.turn.lookWanted]).toEqual([false, true]);
    expect(sent(node({ connection: connection(4, 0) })).result).toBe(true);
  });

  it("S4: does not go to a node that a newer epoch has touched, which is looked at again later", () => {
    const touched = sent(node({ reading: reading({ follows: tokenAddress(ofEpoch(3)) }) }));
    expect(touched).toMatchObject({ result: false, sent: [] });
    expect(touched.run?.facts[N2]).toMatchObject({
      failure: "a newer epoch has touched it",
      retryAt: 10 + FRESH_ATTEMPT_MS,
      busy: null,
    });
    expect(sent(node({ reading: null })).result).toBe(true);
  });

  it("N12: ends the node's own FAILOVER first, unless it only reads or pauses", () => {
    const handing = node({ reading: reading({ failoverState: "waiting-for-sync" }) });
    expect(sent(handing, freeze).sent).toEqual(["abort-failover n2"]);
    expect(sent(handing, freeze).turn.commands[0]).toMatchObject({ command: { connection: 1 } });
    expect([sent(handing, settle).sent, sent(handing, pause).sent]).toEqual([["settle n2"], ["pause n2"]]);
    expect(sent({}, freeze).sent).toEqual(["freeze n2"]);
    expect(sent(node({ reading: null }), freeze).sent).toEqual(["freeze n2"]);
  });

  it("R21: counts the NO ONE that may be carried out, and nothing else", () => {
    const promote = ({ id }: { id: number }): NodeCommand => ({ ...promotion, connection: id });
    const open = (make: typeof settle, before = 0) =>
      sent({ facts: { [N2]: { promotionsOpen: before } } }, make).run?.facts[N2]?.promotionsOpen;
    expect([open(promote), open(promote, 1), open(settle), open(freeze, 1)]).toEqual([1, 2, 0, 1]);
  });

  it("goes to nobody that is not known", () => {
    const turn = holding({ of });
    expect(send(turn, nodeId("n9"), settle)).toBe(false);
  });
});

describe("a freeze that waits on a hanging connection", () => {
  const parked = (values: object, facts: Situation["facts"] = {}) => {
    const turn = holding({ of, facts, change: (state) => withNode(state, N2, values) });
    park(turn, N2);
    return { ...outcomeOf(turn), turn };
  };
  const hanging = { parkable: connection(8, 0) };

  it("is parked once per connection, until the lease ends, and told", () => {
    const { turn, told, run: after } = parked(hanging);
    expect(turn.commands).toMatchObject([
      { node: N2, deadline: 90_000, command: { kind: "freeze", epoch: 2, connection: 8, parked: true } },
    ]);
    expect([told, turn.events[0]?.node, after?.facts[N2]?.parkedOn]).toEqual([["fence.parked"], N2, 8]);
    expect(parked(hanging, { [N2]: { parkedOn: 8 } }).sent).toEqual([]);
    expect(parked(hanging, { [N2]: { parkedOn: 7 } }).sent).toEqual(["freeze n2"]);
  });

  it("is not, without such a connection, or with one that is younger than the look (R9)", () => {
    expect(parked({ parkable: null }).sent).toEqual([]);
    expect(parked({ parkable: connection(8, 1) }).sent).toEqual([]);
    const turn = holding({ of });
    park(turn, nodeId("n9"));
    expect(turn.commands).toEqual([]);
  });
});

describe("S4: a node is beyond an operation", () => {
  const beyond = (values: Partial<NodeReading>, epoch = 2) => {
    const histories = [recorded(), recorded({ epoch: ofEpoch(3), node: N2, replicationId: history(3) })];
    const turn = holding({ of: { ...of, lineage: { histories, intents: [] } } });
    return isBeyond(turn, reading(values), ofEpoch(epoch));
  };

  it("by a newer epoch's token, or by a newer epoch's data", () => {
    expect([beyond({ follows: tokenAddress(ofEpoch(3)) }), beyond({ follows: tokenAddress(ofEpoch(2)) })]).toEqual([
      true,
      false,
    ]);
    expect([beyond({ replicationId: history(3) }), beyond({ replicationId: history(3) }, 3)]).toEqual([true, false]);
    expect([beyond({}), beyond({ follows: null }), beyond({ replicationId: history(9) })]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe("R22: a primary that no record explains", () => {
  const spared = (values: Partial<NodeReading>, id = N2, look: Ballot = of) => {
    const turn = holding({ of: look, change: (state) => withNode(state, id, { reading: primaryReading(values) }) });
    return isSpared(turn, turn.state.nodes[id]!);
  };
  const stranger = { runId: run(2), replicationId: history(9) };

  it("is spared, unless a person has named the data that counts", () => {
    expect(spared(stranger)).toBe(true);
    expect(spared(stranger, N2, { ...of, operation: operation({ kind: "recover" }) })).toBe(false);
    expect(spared(stranger, N2, { ...of, operation: null })).toBe(true);
  });

  it("is neither a recorded one, nor a replica, nor the committed one", () => {
    expect(spared({ runId: run(2) })).toBe(false);
    expect(spared({ ...stranger, role: "replica" })).toBe(false);
    expect(spared({ ...stranger, runId: run(1) }, N1)).toBe(false);
    expect(spared(stranger, N2, { ...of, primary: null })).toBe(true);
    const turn = holding({ of, change: (state) => withNode(state, N2, { reading: null }) });
    expect(isSpared(turn, turn.state.nodes[N2]!)).toBe(false);
  });
});

describe("the run of an operation", () => {
  it("bars a node on which NO ONE has failed three times", () => {
    const barred = (promotionsFailed: number) =>
      isBarred(runOf(holding({ of, facts: { [N2]: { promotionsFailed } } })), N2);
    expect([barred(2), barred(3)]).toEqual([false, true]);
  });

  it("remembers under the next epoch what was tried, and finds anew what was found", () => {
    const before = runOf(
      holding({
        of,
        at: 0,
        run: { startedAt: instant(-50), failure: "NOPERM", told: ["a"] },
        facts: { [N2]: { promotionsFailed: 2, failures: 1, settled: reading() } },
      }),
    );
    const next = { ballot: { ...of, epoch: ofEpoch(3) }, takenOver: true, at: instant(9) };
    const fresh = newRun({ ...next, leaseUntil: instant(90), renewDueAt: instant(80) });
    const after = continued(fresh, before);
    expect(after).toMatchObject({ epoch: 3, startedAt: -50, failure: "NOPERM", gathering: "first", told: [] });
    expect(after.facts[N2]).toMatchObject({ promotionsFailed: 2, failures: 0, settled: null });
    const gathered = (values: Partial<OperationRun>) => continued(fresh, { ...before, ...values }).gathering;
    expect(gathered({ gatheringSince: instant(1) })).toBe("again");
    expect(gathered({ gathering: "interrupted" })).toBe("interrupted");
    expect(continued(fresh, null)).toBe(fresh);
  });

  it("tells each thing once", () => {
    const turn = holding({ of });
    expect([firstTime(turn, "a"), firstTime(turn, "a"), firstTime(turn, "b")]).toEqual([true, false, true]);
    expect(runOf(turn).told).toEqual(["a", "b"]);
  });

  it("is only asked for while there is one, and the record while there is a look", () => {
    expect(() => runOf(turnAt(watching(), 10))).toThrow("S4: no operation is held");
    expect(() => ballotOf(turnAt(watching(null), 10))).toThrow("R9: nothing is done before a look at the ballot");
  });
});

describe("a repair", () => {
  const repairing = ballot({ epoch: ofEpoch(2), lease: lease(), operation: operation({ kind: "repair" }) });

  it("goes on while the primary serves, and ends in words when it does not", () => {
    const stepped = (values: object) => {
      const turn = holding({
        of: repairing,
        change: (state) => withNode(state, N1, values),
        run: { tablePublished: true },
      });
      repair(turn);
      return outcomeOf(turn);
    };
    expect(stepped({})).toMatchObject({ written: ["finish"], told: ["repair.completed"] });
    expect(stepped({ class: "silent" })).toMatchObject({
      written: ["finish"],
      told: ["failover.abandoned"],
      reasons: ["the primary stopped serving"],
    });
  });
});

describe("a node is astray", () => {
  const later = ballot({
    epoch: ofEpoch(3),
    primary: primary({ epoch: ofEpoch(2), replicationId: history(2) }),
    lineage: {
      histories: [
        recorded({ node: N2 }),
        recorded({ epoch: ofEpoch(2), replicationId: history(2) }),
        recorded({ epoch: ofEpoch(3), node: N3, replicationId: history(3) }),
      ],
      intents: [],
    },
  });
  const elsewhere = { follows: { host: "10.9.9.9", port: 6379 }, replicationId: history(2) };
  const found = (values: Partial<NodeReading>, rest: object = {}, look: Ballot = later) => {
    const state = withNode(watching(look), N3, { reading: null });
    const turn = turnAt(withNode(state, N2, { reading: reading({ runId: run(2), ...values }), ...rest }), 10);
    return astray(turn, look).map(({ id }) => id);
  };

  it.each<[string, Partial<NodeReading>, object?]>([
    ["follows another host", elsewhere],
    ["follows another port", { ...elsewhere, follows: { host: "10.0.0.1", port: 1 } }],
    ["follows nobody", { ...elsewhere, follows: null }],
    ["carries this epoch's token", { ...elsewhere, follows: tokenAddress(ofEpoch(3)) }],
    ["claims to be primary with an older history", { role: "primary", follows: null }],
  ])("that %s", (_, values) => {
    expect(found(values)).toEqual([N2]);
  });

  it.each<[string, Partial<NodeReading>, object?, Ballot?]>([
    ["follows the primary", { follows: { host: "10.0.0.1", port: 6379 } }],
    ["is loading", { ...elsewhere, loading: true }],
    ["carries a newer epoch's token", { ...elsewhere, follows: tokenAddress(ofEpoch(4)) }],
    ["has newer data than the primary", { ...elsewhere, replicationId: history(3) }],
    ["claims to be primary with the same history", { role: "primary", follows: null, replicationId: history(2) }],
    ["claims to be primary with nobody's history", { role: "primary", follows: null, replicationId: history(9) }],
    ["does not answer", elsewhere, { heard: "silent" }],
    ["was read before the group was quiet", elsewhere, { readSentAt: instant(-1) }],
    ["stands beside no primary", elsewhere, {}, { ...later, primary: null }],
    [
      "stands beside a primary at an unknown place",
      elsewhere,
      {},
      { ...later, primary: primary({ node: nodeId("n9") }) },
    ],
  ])("but not one that %s", (_, values, rest = {}, look = later) => {
    expect(found(values, rest, look)).toEqual([]);
  });

  it("and the group is in line when none is, as far as it was read since", () => {
    const inLine = (values: object) => {
      const turn = turnAt(withNode(watching(), N2, values), 10);
      return isInLine(turn, ballot());
    };
    expect(inLine({})).toBe(true);
    expect(inLine({ reading: reading(elsewhere) })).toBe(false);
    expect(inLine({ readSentAt: instant(-1) })).toBe(false);
    expect(inLine({ readSentAt: instant(-1), heard: "silent" })).toBe(true);
  });

  it("or unexplained, when it claims to be primary with a history of nobody, or of this epoch or later", () => {
    const claims = (values: Partial<NodeReading>, look: Ballot = later, rest: object = {}) => {
      const said = primaryReading({ runId: run(2), ...values });
      return unexplained(turnAt(withNode(watching(look), N2, { reading: said, ...rest }), 10), look).length;
    };
    expect([claims({ replicationId: history(9) }), claims({ replicationId: history(2) }), claims({})]).toEqual([
      1, 1, 0,
    ]);
    expect(claims({ replicationId: history(9), role: "replica" })).toBe(0);
    expect(claims({ replicationId: history(9) }, later, { heard: "silent" })).toBe(0);
    expect(claims({ replicationId: history(9) }, newborn())).toBe(2);
    expect(claims({}, { ...later, primary: null })).toBe(0);
  });
});
