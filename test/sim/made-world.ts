// A world of a few fields for the oracle's own tests: each test makes up what its promise looks at, and nothing else.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { Item, Json } from "../../lib/core/ballot-write.ts";
import { attemptId, groupName, type NodeId, nodeId, type ReplicationId } from "../../lib/core/types.ts";
import { WriteLog } from "./client.ts";
import { Oracle } from "./oracle.ts";
import type { NodeTruth, OracleView, Order } from "./oracle-view.ts";
import { type Position, Stream } from "./stream.ts";
import type { BallotChange } from "./table.ts";

export const n1 = nodeId("n1");
export const n2 = nodeId("n2");
export const n3 = nodeId("n3");

export interface Made {
  readonly oracle: Oracle;
  readonly view: MadeView;
  /** One applied write of the ballot. */
  write(by: string, name: string, changes: Readonly<Record<string, Json>>): void;
  /** Another record in its place: a table was restored. */
  restore(item: Item): void;
  ids(): readonly string[];
}

export interface MadeView extends OracleView {
  time: number;
  truths: NodeTruth[];
  table: string;
  /** Ms by which the wall clock at a place is ahead. */
  ahead: Record<string, number>;
  record: Ballot | null;
  lastOrder: Order | null;
  settings: ReturnType<OracleView["config"]>;
  acceptsDataLoss: OracleView["acceptsDataLoss"];
}

export function made(): Made {
  const view: MadeView = {
    time: 0,
    truths: [],
    table: "table-1",
    ahead: {},
    record: null,
    lastOrder: null,
    settings: {
      quorum: 2,
      voteWindowMs: 1_500,
      onPossibleLoss: "refuse",
      waitK: 1,
      offsetToleranceBytes: 0,
      stopInstance: "off",
    },
    now: () => view.time,
    wallOf: (by) => 1_000 + (view.ahead[by] ?? 0),
    tableId: () => view.table,
    ballot: () => view.record,
    config: () => view.settings,
    nodes: () => view.truths,
    order: () => view.lastOrder,
    acceptsDataLoss: (id) => id === "accepts loss",
    log: new WriteLog(),
  };
  const oracle = new Oracle(view);
  let item: Item | null = null;
  return {
    oracle,
    view,
    write: (by, name, changes) => {
      const before = item;
      item = { ...item, ...changes };
      const write = { name, group: groupName("main"), attempt: { path: ["attempt"], id: attemptId("x") }, changes: [] };
      oracle.onBallot({ before, after: item, by, write } as unknown as BallotChange);
    },
    restore: (to) => {
      item = to;
      oracle.onReplaced("restored");
    },
    ids: () => oracle.violations.map(({ id }) => id),
  };
}

export const primary = (node: NodeId, at: number): Json => ({ node, epoch: at, runId: "r", replicationId: "id" });
export const vote = (level: string, changes: Readonly<Record<string, Json>> = {}): Json => ({
  level,
  node: n1,
  epoch: 1,
  generation: 1,
  seq: 1,
  ...changes,
});
export const begins = (kind: string, began: number): Json => ({
  kind,
  began,
  by: "automatic",
  step: "begun",
});

export const position = (stream: Stream, offset: number): Position => ({ stream, offset });
export const stream = (id: string): Stream => new Stream(id.repeat(40).slice(0, 40) as ReplicationId, null, 0, 0);
export const truth = (id: NodeId, at: Position | null, changes: Partial<NodeTruth> = {}): NodeTruth => ({
  id,
  position: at,
  runId: `run of ${id}`,
  acceptsWrites: false,
  isPrimary: false,
  priority: 100,
  linkedTo: null,
  reachedBy: () => ["az-a/1"],
  ...changes,
});
