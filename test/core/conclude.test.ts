import { describe, expect, it } from "vitest";
import type { Ballot, Operation } from "../../lib/core/ballot.ts";
import { conclude } from "../../lib/core/conclude.ts";
import type { DeclaredConfig } from "../../lib/core/config.ts";
import { FRESH_ATTEMPT_MS } from "../../lib/core/config.ts";
import { factsOf, type NodeFacts, newRun, type OperationRun } from "../../lib/core/operation.ts";
import type { GroupState } from "../../lib/core/state.ts";
import { tokenAddress } from "../../lib/core/token.ts";
import { instant, type NodeId } from "../../lib/core/types.ts";
import {
  addressOf,
  ballot,
  connection,
  context,
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
  request,
  run,
  turnAt,
  watching,
  withNode,
} from "./builders.ts";

const decided = (values: Partial<Operation> = {}, of: Partial<Ballot> = {}): Ballot =>
  ballot({
    epoch: ofEpoch(2),
    lease: lease(),
    operation: operation({ step: "committed", ...values }),
    primary: primary({ epoch: ofEpoch(2) }),
    ...of,
  });

interface Situation {
  readonly of?: Ballot;
  readonly run?: Partial<OperationRun>;
  readonly change?: (state: GroupState) => GroupState;
  readonly at?: number;
  readonly settings?: Partial<DeclaredConfig>;
}

function concluded({ of = decided(), run: values = {}, change = (state) => state, at = 10, settings = {} }: Situation) {
  const begun = newRun({
    ballot: of,
    takenOver: false,
    at: instant(0),
    leaseUntil: instant(99_000),
    renewDueAt: instant(99_000),
  });
  const turn = turnAt(change(watching(of, { operation: { ...begun, ...values } })), at, context(settings));
  conclude(turn);
  const written = turn.commands.flatMap((each) => (each.kind === "write-ballot" ? [each.write.name] : []));
  const published = turn.commands.flatMap((each) => (each.kind === "publish" ? [each.target] : []));
  const sent = turn.commands.flatMap((each) => (each.kind === "command-node" ? [each] : []));
  return { turn, written, published, sent, told: turn.state.storeBusy?.pending?.events ?? [] };
}

const done = { tablePublished: true, committedAt: instant(0) };
const fenced =
  (id: NodeId, values: object = {}) =>
  (state: GroupState) =>
    withNode(state, id, {
      reading: reading({ runId: run(2), follows: tokenAddress(ofEpoch(2)), linkUp: false, ...values }),
    });
const both =
  (values: object = {}) =>
  (state: GroupState) =>
    fenced(N3, values)(fenced(N2, values)(state));
const facts = (values: Partial<NodeFacts>, ...ids: readonly NodeId[]): Partial<OperationRun> => ({
  facts: Object.fromEntries(ids.map((id) => [id, { ...factsOf({ facts: {} } as never, id), ...values }])),
});

describe("once a primary is decided", () => {
  it("is it told, once, and the table is published to first", () => {
    const { turn, published, written } = concluded({});
    expect(turn.events).toEqual([{ event: "primary.committed", node: N1, epoch: 2, detail: { primaryEpoch: 2 } }]);
    expect(turn.state.operation?.committedAt).toBe(10);
    expect([published, written]).toEqual([["table"], []]);
    expect(turn.wakeAt).toBe(110);
    const again = concluded({ run: { committedAt: instant(10), told: ["published table"] } });
    expect([again.turn.events, again.published]).toEqual([[], []]);
  });

  it("is one that has its place back told as such, and a repair not at all", () => {
    const back = decided({ began: ofEpoch(2) }, { primary: primary() });
    expect(concluded({ of: back }).turn.events).toMatchObject([
      { event: "primary.restored", detail: { primaryEpoch: 1 } },
    ]);
    expect(concluded({ of: decided({ kind: "repair" }) }).turn.events).toEqual([]);
    expect(concluded({ of: { ...decided(), operation: null } }).turn.events).toEqual([]);
  });

  it("are the copies published to when the table was, or 100 ms later", () => {
    expect(concluded({ run: { committedAt: instant(0) }, at: 99 }).published).toEqual(["table"]);
    expect(concluded({ run: { committedAt: instant(0) }, at: 100 }).published).toEqual(["table", "ssm", "dns"]);
    expect(concluded({ run: { committedAt: instant(5) }, at: 104 }).published).toEqual(["table"]);
    expect(concluded({ run: { committedAt: instant(5) }, at: 105 }).published).toEqual(["table", "ssm", "dns"]);
    expect(concluded({ run: { tablePublished: true } }).published).toEqual(["table", "ssm", "dns"]);
  });

  it("is the end waited for until the table is published, two seconds at most", () => {
    expect(concluded({ run: { committedAt: instant(0) }, at: 1_499 }).written).toEqual([]);
    const late = (at: number) =>
      concluded({
        run: { committedAt: instant(0) },
        at,
        change: (state) => [N1, N2, N3].reduce((all, id) => withNode(all, id, { readAt: instant(at) }), state),
      }).written;
    expect([late(1_999), late(2_000)]).toEqual([[], ["finish"]]);
    expect(concluded({ run: done }).written).toEqual(["finish"]);
  });

  it("is whoever asked told when it is published, not when the last replica follows", () => {
    const asked = (state: GroupState) => fenced(N2)({ ...state, request: request() });
    const lineage = { histories: [recorded({ node: N2 })], intents: [] };
    const of = decided({ kind: "switchover", request: "request-1" }, { lastRequest: "request-1", lineage });
    const answers = (values: Partial<OperationRun>) =>
      concluded({ of, run: values, change: asked }).turn.commands.filter(({ kind }) => kind === "resolve-request");
    expect(answers({ committedAt: instant(0) })).toEqual([]);
    expect(answers(done)).toMatchObject([{ result: { kind: "done", detail: "n1 is primary since epoch 2" } }]);
  });

  it("is nothing published where the primary's address is not known", () => {
    const of = decided({}, { primary: primary({ node: "n9" as never, epoch: ofEpoch(2) }) });
    expect(concluded({ of }).published).toEqual([]);
  });

  it("is it a bug to conclude without a primary", () => {
    expect(() => concluded({ of: { ...newborn(), lease: lease(), operation: operation() } })).toThrow(
      "S1: concluded without a primary",
    );
  });
});

describe("the others are pointed at the primary", () => {
  const sentTo = (given: Situation) => concluded({ run: done, ...given }).sent.map(({ node }) => node);

  it("by this epoch, where the primary is reached, and a replica keeps its clients", () => {
    const { sent, written, turn } = concluded({ run: done, change: fenced(N2) });
    expect(sent).toMatchObject([
      { node: N2, command: { kind: "repoint", epoch: 2, connection: 1, to: addressOf(N1), dropClients: false } },
    ]);
    expect(written).toEqual([]);
    expect(turn.wakeAt).toBeGreaterThan(10 + FRESH_ATTEMPT_MS);
  });

  it("R18: never the primary at itself, under the name by which it was discovered", () => {
    const twice = (state: GroupState) => withNode(fenced(N2)(state), N2, { reading: primaryReading() });
    expect(sentTo({ change: twice })).toEqual([]);
    expect(
      sentTo({ change: (state) => withNode(twice(state), N2, { reading: primaryReading({ runId: run(9) }) }) }),
    ).toEqual([N2]);
  });

  it("at most parallelSyncs at a time, a former primary first, then by name", () => {
    const one = { parallelSyncs: 1 };
    expect(sentTo({ change: both(), settings: one })).toEqual([N2]);
    expect(sentTo({ change: both(), settings: { parallelSyncs: 2 } })).toEqual([N2, N3]);
    const frozen = { node: N3, before: primaryReading(), after: reading(), connection: connection(1) };
    const former = { ...done, ...facts({ frozen }, N3) };
    expect(sentTo({ change: both(), settings: one, run: former })).toEqual([N3]);
    const { sent } = concluded({ change: both(), run: former, settings: { parallelSyncs: 2 } });
    expect(sent.map(({ command }) => command)).toMatchObject([{ dropClients: true }, { dropClients: false }]);
  });

  it("in the order of their names, however they are listed", () => {
    const reversed = (state: GroupState): GroupState => {
      const fromBehind = Object.entries(both()(state).nodes).reverse();
      return { ...state, nodes: Object.fromEntries(fromBehind) };
    };
    expect(sentTo({ change: reversed, settings: { parallelSyncs: 2 } })).toEqual([N2, N3]);
  });

  it("without waiting for one that was pointed there and follows, or does not follow yet", () => {
    const one = { parallelSyncs: 1 };
    const run2 = { ...done, ...facts({ repointed: true }, N2) };
    expect(sentTo({ change: fenced(N3), run: run2, settings: one })).toEqual([N3]);
    expect(sentTo({ change: both(), run: run2, settings: one })).toEqual([N2]);
  });

  it("and one of which nothing was read, or that a newer epoch has touched, is not waited for", () => {
    const unread = (state: GroupState) => withNode(fenced(N3)(state), N2, { reading: null });
    const run2 = { ...done, ...facts({ repointed: true }, N2) };
    expect(sentTo({ change: unread, run: run2, settings: { parallelSyncs: 1 } })).toEqual([N3]);
    const touched = fenced(N2, { follows: tokenAddress(ofEpoch(3)) });
    expect(concluded({ run: done, change: touched }).written).toEqual(["finish"]);
  });

  it("looks at one that synchronizes 20 ms after its last answer", () => {
    const syncing = (state: GroupState) =>
      withNode(state, N2, {
        reading: reading({ runId: run(2), linkUp: false }),
        readAt: instant(4),
        probeDueAt: instant(900),
      });
    const at = (ms: number) => {
      const run2 = { ...done, ...facts({ repointed: true }, N2) };
      return concluded({
        change: (state) => syncing(fenced(N3)(state)),
        run: run2,
        at: ms,
        settings: { parallelSyncs: 1 },
      }).turn;
    };
    expect([at(23).wakeAt, at(23).state.nodes[N2]?.probeDueAt]).toEqual([24, 900]);
    expect(at(24).state.nodes[N2]?.probeDueAt).toBe(24);
  });

  it("waits with the next while one synchronizes that it has pointed there, and looks at that again soon", () => {
    const syncing = (state: GroupState) =>
      withNode(fenced(N3)(state), N2, { reading: reading({ runId: run(2), linkUp: false }) });
    const run2 = { ...done, ...facts({ repointed: true }, N2) };
    const waiting = concluded({ change: syncing, run: run2, settings: { parallelSyncs: 1 } });
    expect([waiting.sent, waiting.written, waiting.turn.wakeAt]).toEqual([[], [], 20]);
    expect(waiting.turn.state.nodes[N2]?.probeDueAt).not.toBe(10);
    const later = concluded({ change: syncing, run: run2, settings: { parallelSyncs: 1 }, at: 20 });
    expect(later.turn.state.nodes[N2]?.probeDueAt).toBeLessThanOrEqual(20);
    expect(sentTo({ change: syncing, run: run2, settings: { parallelSyncs: 2 } })).toEqual([N3]);
    // Not pointed there by this operation: its link is its own matter.
    expect(sentTo({ change: syncing, settings: { parallelSyncs: 1 } })).toEqual([N3]);
  });

  it.each<[string, object, readonly string[]]>([
    ["follows another host", { follows: { host: "10.9.9.9", port: 6379 } }, [N2]],
    ["follows another port", { follows: { host: "10.0.0.1", port: 1_234 } }, [N2]],
    ["follows it already", { follows: addressOf(N1) }, []],
    ["S4: carries a newer epoch's token", { follows: tokenAddress(ofEpoch(3)) }, []],
  ])("unless there is no need or no right: one that %s", (_, values, nodes) => {
    expect(sentTo({ change: fenced(N2, values) })).toEqual(nodes);
  });

  it("but not one that claims to be primary with a history that nobody recorded, and one of a recorded history first", () => {
    const claims = (id: 1 | 9) => (state: GroupState) =>
      withNode(fenced(N3)(state), N2, { reading: primaryReading({ runId: run(2), replicationId: history(id) }) });
    expect(sentTo({ change: claims(9) })).toEqual([N3]);
    const { sent } = concluded({ run: done, change: claims(1), settings: { parallelSyncs: 2 } });
    expect(sent).toMatchObject([{ node: N2, command: { dropClients: true } }, { node: N3 }]);
  });

  it("R13: nobody is pointed at a primary that has died since, and the end does not wait", () => {
    const gone = (values: object) => (state: GroupState) => withNode(both()(state), N1, values);
    expect(concluded({ run: done, change: gone({ class: "silent" }) })).toMatchObject({
      sent: [],
      written: ["finish"],
    });
    expect(concluded({ run: done, change: gone({ heard: "silent" }) })).toMatchObject({
      sent: [],
      written: ["finish"],
    });
  });

  it("is tried again soon where it could not be sent", () => {
    const unreached = (state: GroupState) => withNode(fenced(N2)(state), N2, { connection: null });
    const { sent, turn, written } = concluded({ run: done, change: unreached });
    expect([sent, written, turn.wakeAt]).toEqual([[], [], 10 + FRESH_ATTEMPT_MS]);
  });

  it("is left to repair after five failures, or when it takes too long, and that is told once", () => {
    const failed = (failures: number, ...ids: readonly NodeId[]) =>
      concluded({ run: { ...done, ...facts({ failures, failure: "NOPERM" }, ...ids) }, change: both() });
    expect(failed(4, N2, N3).written).toEqual([]);
    expect(failed(5, N2).written).toEqual([]);
    const hopeless = failed(5, N2, N3);
    expect(hopeless.written).toEqual(["finish"]);
    const event = "replica.not-repointed";
    expect(hopeless.turn.events).toMatchObject([
      { event, node: N2, detail: { reason: "NOPERM" } },
      { event, node: N3, detail: { reason: "NOPERM" } },
    ]);
    const late = (at: number, told: readonly string[] = []) =>
      concluded({
        run: { ...done, told },
        at,
        settings: { stepTimeoutMs: 1_200 },
        change: fenced(N2),
      });
    expect(late(1_199).written).toEqual([]);
    expect(late(1_200).written).toEqual(["finish"]);
    expect(late(1_200).turn.events).toMatchObject([
      { event, node: N2, detail: { reason: "it did not take the command in time" } },
    ]);
    expect(late(1_200, ["left n2"]).turn.events).toEqual([]);
  });
});

describe("the end is told as what was begun", () => {
  const toldOf = (values: Partial<Operation>, given: Partial<OperationRun> = {}, of: Partial<Ballot> = {}) =>
    concluded({ of: decided(values, of), run: { ...done, committedAt: instant(12.4), ...given }, at: 30.4 }).told;
  const took = (kind: string) => ({ tookMs: 12, kind });

  it.each(["failover", "cold-start", "recover"] as const)("%s", (kind) => {
    expect(toldOf({ kind })).toEqual([{ event: "failover.completed", epoch: 2, node: null, detail: took(kind) }]);
  });

  it("by how long it took since it was begun here", () => {
    expect(toldOf({}, { startedAt: instant(2.4) })).toMatchObject([{ detail: { tookMs: 10 } }]);
  });

  it("a failover's, where the record no longer says what it was", () => {
    const gone = concluded({ of: { ...decided(), operation: null }, run: done, at: 12.4 }).told;
    expect(gone).toEqual([{ event: "failover.completed", epoch: 2, node: null, detail: { ...took(""), tookMs: 0 } }]);
  });

  it("repair, initialise, switchover", () => {
    expect(toldOf({ kind: "repair" })).toMatchObject([
      { event: "repair.completed", detail: { ...took("repair"), tookMs: 30 } },
    ]);
    expect(toldOf({ kind: "initialise" })).toMatchObject([
      { event: "group.initialised", node: N1, detail: took("initialise") },
    ]);
    const lineage = { histories: [recorded({ node: N2 })], intents: [] };
    for (const by of ["automatic", "kim@laptop"]) {
      expect(toldOf({ kind: "switchover", by }, {}, { lineage })).toMatchObject([
        { event: "switchover.completed", detail: { ...took("switchover"), by } },
      ]);
    }
    expect(toldOf({ kind: "switchover" })).toMatchObject([
      { event: "switchover.abandoned", detail: { ...took("switchover"), reason: "n1 has its place back" } },
    ]);
  });

  it("a switchover that could not be done has said so before", () => {
    expect(toldOf({ kind: "switchover" }, { failure: "n3 did not catch up" })).toEqual([]);
  });

  it("a failover whose primary answers again came to nothing", () => {
    expect(toldOf({ began: ofEpoch(2) }, {}, { primary: primary() })).toMatchObject([
      { event: "failover.abandoned", detail: { ...took("failover"), reason: "n1 answers again" } },
    ]);
  });

  it("waits for a write that is under way", () => {
    const busy = (state: GroupState) => ({ ...state, storeBusy: { sentAt: instant(0), pending: null } });
    expect(concluded({ run: done, change: busy }).written).toEqual([]);
  });
});
