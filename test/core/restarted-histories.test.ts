// Schedules that a review of what restarted nodes bring found: data of an older history wins over none that is newer.

import { describe, expect, it } from "vitest";
import { type FrozenNode, select } from "../../lib/core/candidate.ts";
import type { DeclaredConfig } from "../../lib/core/config.ts";
import { isBeyond, newRun } from "../../lib/core/operation.ts";
import { epoch, instant, type NodeId, type NodeReading } from "../../lib/core/types.ts";
import {
  ballot,
  config,
  history,
  lease,
  N1,
  N2,
  N3,
  operation,
  primary,
  reading,
  recorded,
  run,
  turnAt,
  watching,
} from "./builders.ts";

/** n2 is primary since epoch 2 and n3 has its history; n1 is the same process since epoch 1 and has missed it all. */
const record = ballot({
  epoch: epoch(2),
  primary: primary({ node: N2, epoch: epoch(2), runId: run(2), replicationId: history(2) }),
  lineage: { histories: [recorded(), recorded({ epoch: epoch(2), node: N2, replicationId: history(2) })], intents: [] },
});
const frozen = (node: NodeId, values: Partial<NodeReading>): FrozenNode => ({
  node,
  before: reading(values),
  after: reading(values),
});
const behind = frozen(N1, { runId: run(1), offset: 900 });
const restarted = (values: Partial<NodeReading> = {}) =>
  frozen(N3, { runId: run(33), replicationId: history(2), offset: 120, ...values });
const choose = (nodes: readonly FrozenNode[], settings: Partial<DeclaredConfig> = {}) =>
  select({ frozen: nodes, ballot: record, config: config(settings), coldStart: false, insists: false, only: null });

describe("R3, R4: a process that has missed a whole failover", () => {
  it("does not win over a restarted node that kept what was acknowledged since", () => {
    expect(choose([behind, restarted()])).toMatchObject({ kind: "selected", node: N3, counted: [N1], lossBytes: 0 });
  });

  it("nor does anybody under refuse: the restarted node may have lost some of it", () => {
    expect(choose([behind, restarted()], { onPossibleLoss: "refuse", waitK: 2 })).toMatchObject({ kind: "none" });
  });

  it("wins over one whose data is not whole, or that kept nothing newer", () => {
    const half = { ...restarted(), before: reading({ syncInProgress: true }) };
    for (const other of [half, restarted({ loading: true }), restarted({ replicationId: history(1) })])
      expect(choose([behind, other])).toMatchObject({ kind: "selected", node: N1 });
  });
});

describe("R25: restarted nodes when every member was read", () => {
  const all = (strange: Partial<NodeReading>) => [
    frozen(N1, { runId: run(1), replicationId: history(2), offset: 100 }),
    frozen(N2, { runId: run(22), replicationId: history(9), ...strange }),
    restarted(),
  ];

  it("count only if all histories compare: what no record explains may be the newest", () => {
    const refuse = { onPossibleLoss: "refuse", waitK: 1 } as const;
    expect(choose(all({ keyCount: 0 }), refuse)).toMatchObject({ kind: "selected", counted: [N1, N3] });
    expect(choose(all({ keyCount: 5 }), refuse)).toMatchObject({ kind: "selected", counted: [N1] });
  });
});

describe("R7: data or a token of a newer epoch than one's own", () => {
  const standing = ballot({ ...record, epoch: epoch(3), lease: lease(), operation: operation({ began: epoch(3) }) });
  const times = { at: instant(0), leaseUntil: instant(4_500), renewDueAt: instant(1_600) };
  const turn = turnAt(watching(standing, { operation: newRun({ ballot: standing, takenOver: false, ...times }) }), 10);
  const token = (host: string): NodeReading => reading({ follows: { host, port: 1 } });

  it("makes a node that is not ours to change", () => {
    expect(isBeyond(turn, token("127.0.0.4"), epoch(3))).toBe(true);
    expect(isBeyond(turn, reading({ replicationId: history(2) }), epoch(1))).toBe(true);
  });

  it("is not our own epoch's, nor an older one's, nor an unknown history", () => {
    for (const said of [token("127.0.0.3"), token("127.0.0.1"), reading(), reading({ replicationId: history(9) })])
      expect(isBeyond(turn, said, epoch(3))).toBe(false);
  });
});
