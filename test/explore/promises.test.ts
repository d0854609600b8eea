// For each promise a made-up world that breaks it, and one beside it that does not.

import { describe, expect, it } from "vitest";
import type { Vote } from "../../lib/core/ballot.ts";
import { decodeBallot, encodeBallot } from "../../lib/core/ballot-format.ts";
import { recordIntent } from "../../lib/core/holder-writes.ts";
import type { RejectionReason } from "../../lib/core/rejection.ts";
import type { NodeCommand, NodeId, VoterId } from "../../lib/core/types.ts";
import { attemptId, epoch, instant } from "../../lib/core/types.ts";
import {
  A,
  addressOf,
  B,
  ballot,
  control,
  history,
  intent,
  lease,
  N1,
  N2,
  N3,
  operation,
  primary,
  recorded,
  run,
  vote,
  watching,
} from "../core/builders.ts";
import { Group } from "./beginning.ts";
import { acknowledgedBy, newNodeRecord } from "./node.ts";
import {
  brokenByCommand,
  brokenByIntending,
  brokenByPublishing,
  brokenByPutting,
  brokenByResting,
  brokenBySending,
  brokenByWrite,
  isHealthy,
  type RestingConfig,
} from "./promises.ts";
import type { NodeRecord, Table } from "./world.ts";

const nodes = [N1, N2, N3].map((id, index) => newNodeRecord(id, index + 1));
const node = (id: string, values: Partial<NodeRecord>): NodeRecord => ({
  ...(nodes.find((each) => each.id === id) as NodeRecord),
  ...values,
});
const table = (values: Partial<Table> = {}): Table => ({
  item: encodeBallot(ballot()),
  published: { epoch: 1, revision: 0, node: N1 },
  publisher: null,
  primaries: { 1: "n1" },
  granted: { 2: "az-a" },
  request: null,
  acknowledged: [],
  ...values,
});
const failover = (values: Parameters<typeof ballot>[0] = {}) =>
  encodeBallot(ballot({ epoch: epoch(2), lease: lease(), operation: operation(), ...values }));
const written = (name: string, before: Table, after: Table["item"], of: readonly NodeRecord[] = nodes) =>
  brokenByWrite({ name, voter: A, before, after, nodes: of });
const freeze = (value: number): NodeCommand => ({ kind: "freeze", epoch: epoch(value), connection: 1, parked: false });
const settle = (value: number): NodeCommand => ({ kind: "settle", epoch: epoch(value), connection: 1 });
const promote: NodeCommand = {
  kind: "promote",
  epoch: epoch(2),
  connection: 1,
  expect: { runId: run(2), replicationId: nodes[1]?.replicationId as never, offset: 1, tokenHost: "127.0.0.2" },
};
const WAITS: RestingConfig = { onPossibleLoss: "refuse", waitK: 1, coldStart: "wait" };

/** How a world rests, where it is not as it was at first. */
interface Resting {
  readonly nodes?: readonly NodeRecord[];
  readonly control?: string;
  readonly coldStart?: RestingConfig["coldStart"];
}

const meant = failover({ lineage: { histories: [], intents: [intent({ offset: 1 })] } });

describe("the explorer's promises", () => {
  it("S1: two primaries of one epoch", () => {
    const second = encodeBallot(ballot({ primary: primary({ node: N2 }) }));
    expect(written("commit", table(), second, [node(N2, { touchedBy: 1 })])).toEqual([
      "S1: epoch 1 has the primaries n1 and n2",
    ]);
    expect(written("update-members", table(), encodeBallot(ballot()))).toEqual([]);
  });

  it("S1: a publication of another node than was committed, at whatever epoch", () => {
    expect(brokenByPublishing(table(), { epoch: 1, revision: 0, node: N2 })).toEqual([
      "S1: n2 was published for epoch 1, whose primary is n1",
    ]);
    expect(brokenByPublishing(table(), { epoch: 2, revision: 0, node: N2 })).toEqual([
      "S1: n2 was published for epoch 2, whose primary is nobody",
    ]);
    const later = encodeBallot(ballot({ primary: primary({ node: N2, epoch: epoch(2) }) }));
    const both = table({ item: later, primaries: { 1: "n1", 2: "n2" } });
    expect(brokenByPublishing(both, { epoch: 1, revision: 0, node: N2 })).toHaveLength(1);
    expect(brokenByPublishing(both, { epoch: 1, revision: 7, node: N1 })).toEqual([]);
  });

  it("S2: a publication that runs ahead of the record, and one over a newer one", () => {
    expect(brokenByPublishing(table(), { epoch: 1, revision: 1, node: N1 })).toEqual([
      "S2: n1 of epoch 1, revision 1 was published, and the record has come to 0",
    ]);
    expect(brokenByPublishing(table(), { epoch: 1, revision: 0, node: N1 })).toEqual([]);
    const item = encodeBallot(ballot({ primary: primary({ node: N2, epoch: epoch(2) }), revision: 1 }));
    const before = table({ item, primaries: { 1: "n1", 2: "n2" }, published: { epoch: 2, revision: 0, node: N2 } });
    expect(brokenByPutting(before, { epoch: 1, revision: 3, node: N1 })).toEqual([
      "S2: n1 of epoch 1, revision 3 was published over n2 of epoch 2, revision 0",
    ]);
    expect(brokenByPutting(before, { epoch: 2, revision: 0, node: N2 })).toHaveLength(1);
    expect(brokenByPutting(before, { epoch: 2, revision: 1, node: N2 })).toEqual([]);
    expect(brokenByPutting({ ...before, published: null }, { epoch: 1, revision: 0, node: N1 })).toEqual([]);
  });

  it("S2: an epoch that falls", () => {
    const higher = encodeBallot(ballot({ epoch: epoch(3) }));
    expect(written("finish", table({ item: higher }), encodeBallot(ballot({ epoch: epoch(2) })))).toEqual([
      "S2: the epoch 3 became 2",
    ]);
  });

  it("S3: a failover that one vote began", () => {
    const one = table({ item: encodeBallot(ballot({ votes: { [A]: vote() } })) });
    const two = table({ item: encodeBallot(ballot({ votes: { [A]: vote(), [B]: vote() } })) });
    const past = table({ item: encodeBallot(ballot({ votes: { [A]: vote(), [B]: vote({ epoch: epoch(0) }) } })) });
    expect(written("grant", one, failover())).toEqual(["S3: failover of epoch 2 began with 1 votes"]);
    expect(written("grant", past, failover())).toHaveLength(1);
    expect(written("grant", two, failover())).toEqual([]);
  });

  it("S4: an older epoch's command behind a newer one's", () => {
    const effect = { nodes, item: failover(), before: node(N2, { touchedBy: 3 }) };
    expect(brokenByCommand({ ...effect, command: freeze(2) })).toHaveLength(1);
    expect(brokenByCommand({ ...effect, command: freeze(3) })).toEqual([]);
  });

  it("S5: a committed primary that is silenced beside no operation, and two that serve for ever", () => {
    const effect = { nodes, before: node(N1, {}), command: freeze(2) };
    expect(brokenByCommand({ ...effect, item: encodeBallot(ballot()) })).toHaveLength(1);
    expect(brokenByCommand({ ...effect, item: failover() })).toEqual([]);
    const world = new Group({}).firstWorld();
    const both = [node(N1, {}), node(N2, { role: "primary", follows: null }), node(N3, {})];
    const reason = { reason: "paused", detail: "", ends: "", check: null } as const;
    const voters = world.voters.map((each) => ({
      ...each,
      state: watching(ballot(), { rejection: { rejection: reason, since: instant(0) } }),
    }));
    const item = encodeBallot(ballot({ control: control({ mode: "paused" }) }));
    const twice = table({ primaries: { 1: "n1", 2: "n2" }, item });
    expect(brokenByResting({ voters, nodes: both, table: twice }, WAITS)).toEqual([
      "S5: n1 and n2 go on serving side by side",
    ]);
    expect(brokenByResting({ voters, nodes, table: twice }, WAITS)).toEqual([]);
  });

  it("S6: a candidate that has less than another that is known to be frozen", () => {
    const by = { frozenBy: 2, touchedBy: 2 };
    const chosen = node(N2, by);
    const better = node(N3, { ...by, log: "w1" });
    const intending = (other: NodeRecord, frozen = [N2, N3], item = meant) => {
      const lineage = { histories: [], intents: [intent({ offset: 1 })] };
      const write = recordIntent(
        { ballot: decodeBallot(item), writer: { voter: A, generation: 1 }, attempt: attemptId("x") },
        lineage.intents[0] as never,
        "intended",
      );
      return brokenByIntending({ write, frozen, nodes: [chosen, other], item });
    };
    expect(intending(better)).toEqual(["S6: n2 was meant although n3, frozen as well, has more"]);
    expect(intending(better, [N2])).toEqual([]);
    expect(intending(node(N3, { ...by, log: "w1", runId: run(9) }))).toEqual([]);
    expect(intending(node(N3, by))).toEqual([]);
  });

  it("S6: a promotion that comes behind a later decision for an older history", () => {
    const lineage = { histories: [recorded()], intents: [intent({ offset: 1 })] };
    const decided = failover({ epoch: epoch(3), primary: primary({ epoch: epoch(3) }), lineage });
    const effect = { command: promote, before: node(N2, {}), nodes };
    expect(brokenByCommand({ ...effect, item: decided })).toEqual([
      "S6: n2 was promoted by epoch 2 behind the decision of epoch 3 for an older history",
    ]);
    expect(brokenByCommand({ ...effect, item: failover({ lineage }) })).toEqual([]);
  });

  it("S7, R23: a vote that replaces a newer one, and one that weakens", () => {
    const at = (values: Partial<Vote>) => encodeBallot(ballot({ votes: { [A]: vote(values) } }));
    const before = table({ item: at({ generation: 2, seq: 5 }) });
    expect(written("cast-vote", before, at({ generation: 1, seq: 9 }))).toEqual([
      "S7: a vote of az-a replaced a newer one",
    ]);
    expect(written("cast-vote", before, at({ generation: 2, seq: 5 }))).toHaveLength(1);
    expect(written("cast-vote", before, at({ generation: 2, seq: 6 }))).toEqual([]);
    expect(written("cast-vote", before, at({ generation: 3, seq: 1, level: "suspect" }))).toEqual([
      "R23: az-a weakened a vote from down to suspect",
    ]);
  });

  it("S8: an operation that begins while the group is paused", () => {
    const votes = { [A]: vote(), [B]: vote() };
    const paused = table({ item: encodeBallot(ballot({ votes, control: control({ mode: "paused" }) })) });
    expect(written("grant", paused, failover())).toEqual(["S8: grant of failover under epoch 2 while paused"]);
    const adopted = encodeBallot(ballot({ epoch: epoch(2) }));
    expect(written("adopt", paused, adopted)).toEqual(["S8: adopt of nothing under epoch 2 while paused"]);
    const begun = table({ item: failover({ control: control({ mode: "paused" }) }) });
    const over = failover({ epoch: epoch(3), operation: operation({ began: epoch(3) }) });
    expect(written("grant", begun, over)).toContain("S8: grant of failover under epoch 3 while paused");
    expect(written("take-over", begun, failover({ epoch: epoch(3) }))).toEqual([]);
  });

  it("S8: a command of a voter that knows of a pause, and of no operation that it belongs to", () => {
    const pause: NodeCommand = { kind: "pause", connection: 1, durationMs: 300 };
    const sending = (voter: VoterId, command: NodeCommand, shown: Parameters<typeof ballot>[0]) =>
      brokenBySending({ voter, command, table: table(), shown: ballot(shown) });
    for (const mode of ["paused", "observe"] as const) {
      const idle = { control: control({ mode }) };
      const busy = { ...idle, lease: lease(), operation: operation() };
      expect(sending(B, pause, idle)).toEqual([`S8: az-b sends pause and knows that the group is ${mode}`]);
      expect(sending(B, freeze(2), idle)).toHaveLength(1);
      expect(sending(B, pause, busy)).toHaveLength(1);
      expect(sending(B, freeze(2), busy)).toEqual([]);
      expect(sending(A, pause, busy)).toEqual([]);
    }
    expect(sending(B, pause, {})).toEqual([]);
  });

  it("S9: a primary that lacks what was acknowledged, unless a person allowed it", () => {
    const before = table({ acknowledged: ["w1"] });
    const after = failover({ primary: primary({ node: N2, epoch: epoch(2), runId: run(2) }) });
    expect(written("commit", before, after, [node(N2, { touchedBy: 2 })])).toEqual([
      'S9: n2 with "w" is made primary, and "w1" was acknowledged',
    ]);
    expect(written("commit", before, after, [node(N2, { touchedBy: 2, log: "w12" })])).toEqual([]);
    expect(written("commit", before, after, [node(N2, { touchedBy: 2, runId: run(9) })])).toEqual([]);
    const insists = failover({
      primary: primary({ node: N2, epoch: epoch(2), runId: run(2) }),
      operation: operation({ insists: true }),
    });
    expect(written("commit", before, insists, [node(N2, { touchedBy: 2 })])).toEqual([]);
  });

  it("S9: what is acknowledged is what a follower has, however far its primary is", () => {
    const ahead = [node(N1, { log: "w11" }), node(N2, { log: "w1" }), node(N3, {})];
    expect(acknowledgedBy(ahead, ["w"])).toEqual(["w1"]);
    expect(acknowledgedBy(ahead, ["w11"])).toEqual(["w11"]);
    expect(acknowledgedBy([node(N1, { log: "w11", isUp: false }), ...ahead.slice(1)], ["w"])).toEqual(["w"]);
  });

  it("R11: a switchover to a target that lacks a write", () => {
    const item = failover({
      operation: operation({ kind: "switchover" }),
      lineage: { histories: [], intents: [intent({ offset: 1 })] },
    });
    const effect = { command: promote, before: node(N2, {}), item };
    expect(brokenByCommand({ ...effect, nodes: [node(N1, { log: "w1" }), node(N2, {})] })).toEqual([
      'R11: n2 with "w" took over by a switchover from n1 with "w1"',
    ]);
    expect(brokenByCommand({ ...effect, nodes })).toEqual([]);
  });

  it("S10: a command of an epoch that the table granted to nobody, or to another", () => {
    const sending = (voter: VoterId, command: NodeCommand) =>
      brokenBySending({ voter, command, table: table(), shown: ballot() });
    expect(sending(A, freeze(3))).toHaveLength(1);
    expect(sending(B, settle(2))).toHaveLength(1);
    expect(sending(B, freeze(2))).toEqual([]);
    expect(sending(A, settle(2))).toEqual([]);
  });

  it("S11, S12: a group that rests unhealthy, with nobody saying why", () => {
    const world = new Group({}).firstWorld();
    expect(isHealthy(world)).toBe(true);
    const stuck = { ...world, table: table({ item: failover() }) };
    expect(isHealthy(stuck)).toBe(false);
    const silent = ["az-a", "az-b", "az-c"].map((id) => `${id} gives no reason`).join(", ");
    expect(brokenByResting(stuck, WAITS)).toEqual([`S11, S12: no way back to health, and ${silent}`]);
    expect(isHealthy({ ...world, nodes: [node(N1, { isUp: false }), node(N2, {}), node(N3, {})] })).toBe(false);
    expect(
      isHealthy({
        ...world,
        nodes: [node(N1, {}), node(N2, { follows: addressOf(N3), isLinked: false }), node(N3, {})],
      }),
    ).toBe(false);
  });

  const back = (id: NodeId, changes: Partial<NodeRecord> = {}) =>
    node(id, { runId: run(9), role: "replica", ...changes });
  const reborn = [back(N1), back(N2), back(N3)];
  it.each<[reason: RejectionReason, what: string, changes: Resting, holds: boolean]>([
    ["paused", "it is paused", { control: "paused" }, true],
    ["paused", "it is not", {}, false],
    ["too-few-nodes", "a node is down", { nodes: [node(N1, { isUp: false }), node(N2, {}), node(N3, {})] }, true],
    [
      "possible-loss-refused",
      "a node hangs",
      { nodes: [node(N1, { isHung: true }), node(N2, {}), node(N3, {})] },
      true,
    ],
    ["too-few-nodes", "all are up", {}, false],
    ["possible-loss-refused", "all are up", {}, false],
    ["cold-start-waiting", "all have restarted", { nodes: reborn }, true],
    ["cold-start-waiting", "a cold start is no person's", { nodes: reborn, coldStart: "best" }, false],
    ["cold-start-waiting", "enough are as they were", { nodes: [back(N1), node(N2, {}), node(N3, {})] }, false],
    ["cold-start-waiting", "one is down", { nodes: [back(N1, { isUp: false }), back(N2), back(N3)] }, false],
    ["cold-start-waiting", "the primary serves", {}, false],
    [
      "unknown-history",
      "one holds what no record explains",
      { nodes: [back(N1, { replicationId: history(9) }), back(N2), back(N3)] },
      true,
    ],
    ["unknown-history", "nobody does", { nodes: reborn }, false],
    ["backing-off", "time ends it", { nodes: reborn }, false],
    ["operation-going-on", "nobody ends it", { nodes: reborn }, false],
  ])(
    "S12: %s is a reason to rest for when %s",
    (reason, _, { nodes: held, control = "act", coldStart = "wait" }, holds) => {
      const world = new Group({}).firstWorld();
      const rejection = { rejection: { reason, detail: "", ends: "", check: null }, since: instant(0) };
      const voters = world.voters.map((each) => ({ ...each, state: each.state && { ...each.state, rejection } }));
      const item = { ...world.table.item, control: { mode: control } };
      const resting = { voters, nodes: held ?? world.nodes, table: { ...world.table, item } };
      expect(brokenByResting(resting, { ...WAITS, coldStart })).toHaveLength(holds ? 0 : 1);
    },
  );

  it("L1: a group that rests, and tells its followers something else or nothing, whatever reasons are given", () => {
    const world = new Group({}).firstWorld();
    const telling = (published: Table["published"]) => ({ ...world, table: { ...world.table, published } });
    for (const published of [
      null,
      { epoch: 1, revision: 0, node: N2 },
      { epoch: 0, revision: 0, node: N1 },
      { epoch: 1, revision: 1, node: N1 },
    ])
      expect(isHealthy(telling(published))).toBe(false);
    expect(brokenByResting(telling({ epoch: 1, revision: 1, node: N1 }), WAITS)).toEqual([
      "L1: n1 of epoch 1, revision 1 is published, and the record says otherwise",
    ]);
    expect(brokenByResting(telling(null), WAITS)).toEqual(["L1: nothing is published, and the record says otherwise"]);
  });

  it("R12, R24: a promotion without its intent, and a commit that rests on an older epoch's reply", () => {
    expect(brokenByCommand({ command: promote, before: node(N2, {}), nodes, item: failover() })).toHaveLength(1);
    expect(brokenByCommand({ command: promote, before: node(N2, {}), nodes, item: meant })).toEqual([]);
    const committed = failover({ primary: primary({ node: N2, epoch: epoch(2) }) });
    expect(written("commit", table(), committed, [node(N2, { touchedBy: 1 })])).toHaveLength(1);
    expect(written("commit", table(), committed, [node(N2, { touchedBy: 2 })])).toEqual([]);
  });
});
