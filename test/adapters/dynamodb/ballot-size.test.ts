// How large does a ballot get? It is read every second and written several times a second while something is wrong. Reads
// are paid by begun 4 KB, writes by begun 1 KB.

import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { marshalItem } from "../../../lib/adapters/dynamodb/attribute-value.ts";
import { ballotKey } from "../../../lib/adapters/dynamodb/keys.ts";
import { type Ballot, emptyBallot, type Vote } from "../../../lib/core/ballot.ts";
import { encodeBallot } from "../../../lib/core/ballot-format.ts";
import { withHistory, withIntent } from "../../../lib/core/lineage.ts";
import {
  attemptId,
  epoch,
  groupName,
  nodeId,
  type ReplicationId,
  type RunId,
  replicationId,
  runId,
  voterId,
  wallTime,
} from "../../../lib/core/types.ts";

const hex = (n: number): string => n.toString(16).padStart(2, "0").repeat(20);
const run = (n: number): RunId => runId(hex(n));
const replication = (n: number): ReplicationId => replicationId(hex(100 + n));
/** Years of writes, hundreds of failovers. */
const OFFSET = 123_456_789_012;
const EPOCH = epoch(1_234);
const attempt = (n: number) => attemptId(`eu-west-1a.0123456789ab.${100 + n}`);

/** In the middle of a failover that every voter called for, after so many before it. */
function busyBallot(nodes: number, failovers: number): Ballot {
  const group = groupName("orders-session-store");
  const control = {
    mode: "act",
    by: "arn:aws:sts::123456789012:assumed-role/sre/alice",
    reason: "maintenance is over",
    until: null,
    attempt: attempt(1),
  } as const;
  let lineage: Ballot["lineage"] = { histories: [], intents: [] };
  for (let n = 0; n < failovers; n += 1) {
    const of = { epoch: epoch(1_214 + n), node: nodeId(`n${(n % nodes) + 1}`), replicationId: replication(n) };
    lineage = withIntent(lineage, { ...of, runId: run(n), offset: OFFSET + n });
    lineage = withHistory(lineage, { ...of, forkOffset: OFFSET + n });
  }
  const member = (n: number) =>
    [nodeId(`n${n + 1}`), { runId: run(n), inSyncEpoch: EPOCH, address: null, goneAt: null }] as const;
  const vote = (letter: string): readonly [string, Vote] => [
    voterId(`eu-west-1${letter}`),
    {
      level: "down",
      node: nodeId("n1"),
      epoch: EPOCH,
      generation: 123_456,
      seq: 42,
      silentMs: 5_012,
      attempt: attempt(2),
    },
  ];
  return {
    ...emptyBallot({ group, table: "ecdada99-d775-4987-b1f9-f9736e105906", control, attempt: attempt(3) }),
    epoch: epoch(EPOCH + 1),
    primary: { node: nodeId("n1"), epoch: EPOCH, runId: run(0), replicationId: replication(failovers - 1) },
    armed: true,
    members: { version: 45, nodes: Object.fromEntries(Array.from({ length: nodes }, (_, n) => member(n))) },
    votes: Object.fromEntries(["a", "b", "c"].map(vote)),
    lease: {
      holder: voterId("eu-west-1a"),
      generation: 123_456,
      version: 1_240,
      durationMs: 5_000,
      attempt: attempt(4),
    },
    operation: {
      kind: "failover",
      step: "intended",
      began: epoch(EPOCH + 1),
      target: null,
      by: "automatic",
      reason: "n1 silent for 5012 ms, 3 of 3 votes",
      request: null,
      insists: false,
    },
    lineage,
    budget: [1, 2, 3].map((n) => ({ epoch: epoch(EPOCH - n), at: wallTime(1_795_363_200_000 + n), promoted: true })),
    revision: 3,
    lookUntil: wallTime(1_795_363_230_000),
  };
}

/** As DynamoDB counts: names and texts in UTF-8, two digits of a number to a byte, one byte for each element of a map or list. */
function sizeOf(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return 1 + Math.ceil(value.N.replace(/[-.]|0+$/g, "").length / 2);
  if (value.L !== undefined) return 3 + value.L.reduce((sum, each) => sum + 1 + sizeOf(each), 0);
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemSize(value.M);
  return 1;
}
const itemSize = (item: Readonly<Record<string, AttributeValue>>): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOf(value), 0);
const ballotSize = (ballot: Ballot): number =>
  itemSize(marshalItem({ ...encodeBallot(ballot), ...ballotKey(ballot.group) }));

describe("the size of a ballot", () => {
  it("is below 2 KB for three nodes with a failover or two behind them, in the middle of the next", () => {
    expect(ballotSize(busyBallot(3, 2))).toBeLessThan(2_048);
  });

  it.each([
    [3, 2_800],
    [9, 3_200],
  ])("stays within one read unit with %i nodes and a full lineage", (nodes, bytes) => {
    expect(ballotSize(busyBallot(nodes, 20))).toBeLessThan(bytes);
    expect(bytes).toBeLessThan(4_096);
  });
});
