import { describe, expect, it } from "vitest";
import type { Ballot, Intent } from "../../lib/core/ballot.ts";
import { FRESH_ATTEMPT_MS } from "../../lib/core/config.ts";
import { factsOf, type NodeFacts, newRun, runOf } from "../../lib/core/operation.ts";
import { foldOutcome } from "../../lib/core/operation-outcome.ts";
import {
  instant,
  type NodeCommand,
  type NodeId,
  type NodeOutcome,
  type NodeReading,
  nodeId,
} from "../../lib/core/types.ts";
import {
  addressOf,
  ballot,
  connection,
  history,
  intent,
  lease,
  N1,
  N2,
  N3,
  nodeState,
  ofEpoch,
  operation,
  primaryReading,
  reading,
  recorded,
  run,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";

const mine = ballot({ epoch: ofEpoch(2), lease: lease(), operation: operation() });
const terms = { takenOver: false, at: instant(0), leaseUntil: instant(4_000), renewDueAt: instant(1_500) };

/** `command` to n2 ended with `outcome` at 100, after what is said of the node's facts. */
function folded(command: NodeCommand, outcome: NodeOutcome, facts: Partial<NodeFacts> = {}, of: Ballot = mine) {
  const begun = newRun({ ballot: of, ...terms });
  const known = { ...factsOf(begun, N2), busy: command, ...facts };
  const turn = turnAt(watching(of, { operation: { ...begun, facts: { [N2]: known } } }), 100);
  foldOutcome(turn, N2, command, outcome);
  return { turn, facts: factsOf(runOf(turn), N2), node: turn.state.nodes[N2], events: turn.events };
}

const epoch = ofEpoch(2);
const freeze: NodeCommand = { kind: "freeze", epoch, connection: 1, parked: false };
const parked: NodeCommand = { ...freeze, parked: true };
const promote: NodeCommand = { kind: "promote", epoch, connection: 1, token: "127.0.0.2" } as never;
const settle: NodeCommand = { kind: "settle", epoch, connection: 1 };
const repoint: NodeCommand = { kind: "repoint", epoch, connection: 1, to: addressOf(N1), dropClients: false };
const pause: NodeCommand = { kind: "pause", connection: 1, durationMs: 700 };
const abort: NodeCommand = { kind: "abort-failover", connection: 1 };

const applied = (after: NodeReading, before: NodeReading = reading()): NodeOutcome =>
  ({ kind: "applied", before, after, connection: connection(3), rewriteError: null }) as NodeOutcome;
const refused: NodeOutcome = { kind: "refused", detail: "NOPERM", reading: null };
const unknown: NodeOutcome = { kind: "unknown", detail: "timed out" };

const failing = { failures: 2, failure: "NOPERM", retryAt: instant(50) };

describe("a command that was carried out", () => {
  it("frees the node, ends its failures, and brings what it showed and the connection it came over", () => {
    const after = reading({ offset: 120 });
    const { facts, node } = folded(settle, applied(after), failing);
    expect(facts).toMatchObject({ busy: null, failures: 0, failure: null, retryAt: null, settled: after });
    expect(node).toMatchObject({ reading: after, readAt: 100, connection: connection(3) });
  });

  it("freeze: is what is chosen by, and nothing from before it is", () => {
    const after = reading({ offset: 120 });
    const before = reading({ offset: 110 });
    const earlier = { settled: after, promoted: after, repointed: true, unknownSince: instant(9) };
    const { facts, events } = folded(freeze, applied(after, before), earlier);
    expect(facts).toMatchObject({
      frozen: { node: N2, before, after, connection: connection(3) },
      settled: null,
      promoted: null,
      repointed: false,
      unknownSince: null,
    });
    const detail = { offset: 120, replicationId: history(1), wasRole: "replica", rung: "frozen", rewriteError: null };
    expect(events).toEqual([{ event: "node.frozen", node: N2, epoch: 2, detail }]);
  });

  it("freeze: of a primary is a fence, and a parked one says so and leaves the node busy with the other command", () => {
    const { facts, events } = folded(parked, applied(reading(), primaryReading()), { busy: settle });
    expect(events).toMatchObject([{ event: "node.fenced", detail: { wasRole: "primary", rung: "parked" } }]);
    expect(facts).toMatchObject({ busy: settle, frozen: { node: N2 } });
  });

  it("R3: freeze: goes on doubting a promotion without an answer that it finds carried out, and no other", () => {
    const found = reading({ replicationId: history(2), secondReplicationId: history(1), secondReplicationOffset: 101 });
    const since = (lineage: Ballot["lineage"], said = found) =>
      folded(freeze, applied(said), { unknownSince: instant(9) }, { ...mine, lineage }).facts.unknownSince;
    const histories = [recorded()];
    expect(since({ histories, intents: [intent()] })).toBe(9);
    expect(since({ histories, intents: [intent({ node: N1 })] })).toBe(null);
    expect(since({ histories, intents: [intent({ epoch: ofEpoch(1) })] })).toBe(null);
    expect(since({ histories, intents: [intent()] }, reading())).toBe(null);
    expect(since({ histories, intents: [intent({ node: N1 }), intent()] })).toBe(9);
  });

  it("promote: is a primary by this epoch's own reply, and what the freeze showed holds no longer", () => {
    const after = primaryReading({ runId: run(2), replicationId: history(2), offset: 121 });
    const frozen = { node: N2, before: reading(), after: reading(), connection: connection(1) };
    const { facts, events } = folded(promote, applied(after), { frozen, unknownSince: instant(9) });
    expect(facts).toMatchObject({ promoted: after, settled: after, unknownSince: null, frozen: null });
    expect(events).toEqual([
      { event: "promotion.applied", node: N2, epoch: 2, detail: { replicationId: history(2), offset: 121 } },
    ]);
  });

  it("repoint: is told as what it was to the node, and where it follows now", () => {
    const of = (before: NodeReading) => folded(repoint, applied(reading(), before));
    const detail = { to: "10.0.0.1:6379", rewriteError: null };
    expect(of(reading()).facts.repointed).toBe(true);
    expect(of(reading()).events).toEqual([{ event: "replica.repointed", node: N2, epoch: 2, detail }]);
    expect(of(primaryReading()).events).toEqual([{ event: "node.demoted", node: N2, epoch: 2, detail }]);
  });

  it("settle: is told by nobody", () => {
    expect(folded(settle, applied(reading())).events).toEqual([]);
  });

  it("pause: lasts from when it was answered", () => {
    expect(folded(pause, { kind: "done" }).facts).toMatchObject({ busy: null, pausedAt: 100, pausedUntil: 800 });
    expect(folded(abort, { kind: "done" }).facts).toMatchObject({ busy: null, pausedAt: null, pausedUntil: null });
  });

  it("abort-failover: leaves the node as one that no longer hands over, if it was ever read", () => {
    const begun = newRun({ ballot: mine, ...terms });
    const handing = nodeState(N2, reading({ failoverState: "waiting-for-sync" }));
    const left = (said: typeof handing) => {
      const state = watching(mine, { operation: begun });
      const turn = turnAt({ ...state, nodes: { ...state.nodes, [N2]: said } }, 100);
      foldOutcome(turn, N2, abort, { kind: "done" });
      return turn.state.nodes[N2]?.reading;
    };
    expect(left(handing)).toEqual(reading());
    expect(left({ ...handing, reading: null })).toBe(null);
    expect(folded(pause, { kind: "done" }).node?.reading?.failoverState).toBe("no-failover");
  });
});

describe("a command that was refused", () => {
  it("is tried again at once after the node was looked at, and rests after the second time", () => {
    const first = folded(settle, refused);
    expect(first.facts).toMatchObject({ busy: null, failures: 1, failure: "NOPERM", retryAt: 100 });
    expect(first.node).toMatchObject({ probeDueAt: 100, connection: connection(1) });
    const second = folded(settle, refused, { failures: 1 });
    expect(second.facts).toMatchObject({ failures: 2, retryAt: 100 + FRESH_ATTEMPT_MS });
    expect(second.turn.wakeAt).toBe(100 + FRESH_ATTEMPT_MS);
    expect([first.events, second.events]).toEqual([[], []]);
  });

  it("promote: is told with its reason, counts, and has the node frozen and read anew", () => {
    const frozen = { node: N2, before: reading(), after: reading(), connection: connection(1) };
    const { facts, node, events } = folded(promote, refused, { frozen, promotionsFailed: 1 });
    expect(facts).toMatchObject({ frozen: null, unknownSince: null, promotionsFailed: 2, failure: "NOPERM" });
    expect(node?.readAt).toBe(null);
    expect(events).toEqual([{ event: "promotion.failed", node: N2, epoch: 2, detail: { reason: "NOPERM" } }]);
  });

  it("R3: promote: says nothing of an earlier one without an answer", () => {
    expect(folded(promote, refused, { unknownSince: instant(9) }).facts.unknownSince).toBe(9);
  });
});

describe("a command without an answer", () => {
  it("R9: takes its connection with it, for that may still carry it", () => {
    const { facts, node, events } = folded(settle, unknown);
    expect(facts).toMatchObject({ busy: null, failures: 1, failure: "timed out" });
    expect([node?.connection, events]).toEqual([null, []]);
  });

  it("freeze: when it was parked it is no failure, and the node stays as it is", () => {
    const { facts, node, events } = folded(parked, unknown, { busy: settle });
    expect(facts).toMatchObject({ busy: settle, failures: 0, failure: null });
    expect([node?.connection, events]).toEqual([connection(1), []]);
  });

  it("R3: promote: may have been carried out, since its first time", () => {
    const first = folded(promote, unknown);
    expect(first.facts).toMatchObject({ unknownSince: 100, promotionsFailed: 1, frozen: null });
    expect(first.events).toMatchObject([{ event: "promotion.failed", detail: { reason: "no answer: timed out" } }]);
    expect(folded(promote, unknown, { unknownSince: instant(9) }).facts.unknownSince).toBe(9);
  });
});

describe("R21: the count of NO ONE that may have been carried out", () => {
  const meant = (...intents: readonly Intent[]): Ballot => ({
    ...mine,
    lineage: { histories: [recorded()], intents },
  });
  const other = intent({ node: N3, runId: run(3) });

  it.each<[string, number, Partial<NodeReading>, readonly Intent[]]>([
    ["is nothing when the node is what the intent found", 0, {}, [intent()]],
    ["stays when its history is another", 2, { replicationId: history(2) }, [intent()]],
    ["stays when its process is another", 2, { runId: run(22) }, [intent()]],
    ["stays whatever else was meant", 2, { replicationId: history(2) }, [intent(), other]],
    ["is nothing when another node was meant", 0, {}, [other]],
    [
      "is nothing when an earlier epoch meant it as another process",
      0,
      {},
      [intent({ epoch: ofEpoch(1), runId: run(9) })],
    ],
  ])("%s (%i)", (_, open, values, intents) => {
    for (const command of [freeze, settle]) {
      const said = applied(reading({ runId: run(2), ...values }));
      expect(folded(command, said, { promotionsOpen: 2 }, meant(...intents)).facts.promotionsOpen).toBe(open);
    }
  });

  it("is one less after a refusal, and the same without an answer", () => {
    expect(folded(promote, refused, { promotionsOpen: 2 }).facts.promotionsOpen).toBe(1);
    expect(folded(promote, unknown, { promotionsOpen: 2 }).facts.promotionsOpen).toBe(2);
  });
});

describe("the end of a command", () => {
  const ended = (node: NodeId, command: NodeCommand) => {
    const handing = reading({ runId: run(2), failoverState: "waiting-for-sync" });
    const operation = newRun({ ballot: mine, ...terms });
    const turn = turnAt(withNode(watching(mine, { operation }), N2, { reading: handing }), 100);
    foldOutcome(turn, node, command, { kind: "done" });
    return turn.state.nodes;
  };

  it("pause: says nothing of a FAILOVER that the node is in the middle of", () => {
    expect(ended(N2, pause)[N2]?.reading?.failoverState).toBe("waiting-for-sync");
    expect(ended(N2, abort)[N2]?.reading?.failoverState).toBe("no-failover");
  });

  it("to a node that is no member any more is nobody's", () => {
    expect(Object.keys(ended(nodeId("n9"), abort))).toEqual(["n1", "n2", "n3"]);
  });
});

describe("S4: the end of a command of another epoch, or of none that goes on", () => {
  it("says nothing", () => {
    const other = folded({ ...settle, epoch: ofEpoch(1) }, applied(reading({ offset: 999 })));
    expect(other.facts).toMatchObject({ busy: { epoch: 1 }, settled: null });
    expect(other.node?.reading?.offset).toBe(100);
    const turn = turnAt(watching(), 100);
    foldOutcome(turn, N2, settle, applied(reading({ offset: 999 })));
    expect(turn.state).toEqual(watching());
  });
});
