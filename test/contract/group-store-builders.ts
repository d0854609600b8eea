// Records for the store's contract suite. A builder takes what a test is about and makes up the rest.

import type { Ballot, Vote } from "../../lib/core/ballot.ts";
import { emptyBallot } from "../../lib/core/ballot.ts";
import { encodeBallot } from "../../lib/core/ballot-format.ts";
import type { BallotWrite, Change, Condition, Item } from "../../lib/core/ballot-write.ts";
import { voteAttribute } from "../../lib/core/ballot-write.ts";
import type { HistoryRecord, Publication, RequestRecord, SlotRecord, SpecRecord } from "../../lib/core/records.ts";
import {
  type AttemptId,
  attemptId,
  epoch,
  type GroupName,
  groupName,
  nodeId,
  replicationId,
  runId,
  type VoterId,
  voterId,
  wallTime,
} from "../../lib/core/types.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { testPrefix } from "../support/cloud-under-test.ts";

/** A store of its own for one run of the suite; groups in it are named apart by `freshGroup`. */
export interface StoreUnderTest {
  readonly store: OperatorStore;
  /** Puts this in place of the group's spec, without a condition, as somebody would who edits the table. */
  putSpec(group: GroupName, item: Item): PromiseLike<void> | void;
  close(): PromiseLike<void> | void;
}

export type MakeStore = () => PromiseLike<StoreUnderTest>;

export const az = (letter: string): VoterId => voterId(`az-${letter}`);
export const n1 = nodeId("n1");
export const n2 = nodeId("n2");
const n3 = nodeId("n3");

let groups = 0;
export function freshGroup(): GroupName {
  groups += 1;
  return groupName(`${testPrefix()}-${groups}`);
}

let attempts = 0;
export function freshAttempt(): AttemptId {
  attempts += 1;
  return attemptId(`attempt-${attempts}`);
}

/** 40 hex digits. */
export const hex = (digit: string): string => digit.repeat(40).slice(0, 40);

export function ballotOf(group: GroupName, changes: Partial<Ballot> = {}): Ballot {
  const declared = attemptId("declared");
  const control = { mode: "act", by: "cdk", reason: "declared", until: null, attempt: declared } as const;
  return {
    ...emptyBallot({ group, table: "table-1", control, attempt: attemptId("created") }),
    epoch: epoch(4),
    primary: { node: n1, epoch: epoch(4), runId: runId(hex("1")), replicationId: replicationId(hex("a")) },
    armed: true,
    members: {
      version: 1,
      nodes: {
        [n1]: { runId: runId(hex("1")), inSyncEpoch: epoch(4), address: null, goneAt: null },
        [n2]: { runId: runId(hex("2")), inSyncEpoch: epoch(4), address: null, goneAt: null },
        [n3]: { runId: null, inSyncEpoch: epoch(0), address: { host: "10.0.0.3", port: 6379 }, goneAt: 512 },
      },
    },
    lineage: {
      histories: [{ epoch: epoch(4), node: n1, replicationId: replicationId(hex("a")), forkOffset: 17 }],
      intents: [],
    },
    ...changes,
  };
}

/** The write of a whole new ballot, as the first voter does it. */
export function createWrite(ballot: Ballot): BallotWrite {
  return {
    name: "create",
    group: ballot.group,
    attempt: { path: ["attempt"], id: ballot.attempt },
    condition: { kind: "absent", path: ["schema"] },
    changes: Object.entries(encodeBallot(ballot)).map(([name, value]): Change => ({ path: [name], value })),
  };
}

export async function createBallot(store: OperatorStore, ballot: Ballot): Promise<Ballot> {
  const outcome = await store.writeBallot(createWrite(ballot));
  if (outcome.kind !== "applied") throw new Error(`the ballot was not created: ${JSON.stringify(outcome)}`);
  return outcome.ballot;
}

/** The next epoch, as one of many voters that try at the same time. */
export function claimWrite(ballot: Ballot, voter: VoterId, attempt: AttemptId): BallotWrite {
  return {
    name: "claim",
    group: ballot.group,
    attempt: { path: ["attempt"], id: attempt },
    condition: {
      kind: "all",
      of: [
        { kind: "equals", path: ["epoch"], value: ballot.epoch },
        { kind: "absent", path: ["lease"] },
      ],
    },
    changes: [
      { path: ["epoch"], value: ballot.epoch + 1 },
      { path: ["lease"], value: { holder: voter, generation: 1, version: 1, durationMs: 5_000, attempt } },
      { path: ["attempt"], value: attempt },
    ],
  };
}

export function voteOf(changes: Partial<Vote> = {}): Vote {
  const vote = {
    level: "down",
    node: n1,
    epoch: epoch(4),
    generation: 1,
    seq: 1,
    silentMs: 5_000,
    attempt: freshAttempt(),
  } as const;
  return { ...vote, ...changes };
}

export function voteWrite(group: GroupName, voter: VoterId, vote: Vote): BallotWrite {
  const attribute = voteAttribute(voter);
  const condition: Condition = {
    kind: "any",
    of: [
      { kind: "absent", path: [attribute] },
      { kind: "less", path: [attribute, "generation"], than: vote.generation },
      {
        kind: "all",
        of: [
          { kind: "equals", path: [attribute, "generation"], value: vote.generation },
          { kind: "less", path: [attribute, "seq"], than: vote.seq },
        ],
      },
    ],
  };
  return {
    name: "vote",
    group,
    attempt: { path: [attribute, "attempt"], id: vote.attempt },
    condition,
    changes: [{ path: [attribute], value: { ...vote } }],
  };
}

export function specOf(group: GroupName, changes: Partial<SpecRecord> = {}): SpecRecord {
  const node = (id: string, host: string) => ({
    id: nodeId(id),
    host,
    port: 6379,
    zone: "a",
    priority: null,
    announce: null,
  });
  return {
    schema: 1,
    group,
    version: 1,
    owner: "cdk",
    declared: {
      name: group,
      nodes: [node("n1", "10.0.0.1"), node("n2", "10.0.0.2"), node("n3", "2001:db8::3")],
      maxLinkDownMs: null,
      publication: { parameterPrefix: null, dns: null },
    },
    overrides: {},
    shard: 0,
    ...changes,
  };
}

export function requestOf(id: string, changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    schema: 1,
    id,
    kind: "switchover",
    target: null,
    by: "alice",
    reason: "maintenance",
    acceptDataLoss: false,
    askedAt: wallTime(1_000),
    expiresAt: wallTime(61_000),
    result: null,
    ...changes,
  };
}

/** `n` is both the epoch and the time of the entry. */
export function historyOf(group: GroupName, n: number, changes: Partial<HistoryRecord> = {}): HistoryRecord {
  const id = `event#${String(n).padStart(8, "0")}#${String(n).padStart(14, "0")}#az-a#0001`;
  return {
    schema: 1,
    id,
    group,
    epoch: epoch(n),
    at: wallTime(n),
    voter: az("a"),
    generation: 3,
    event: "primary.committed",
    detail: { node: "n2", lostBytes: 0, forced: false, reason: null },
    ...changes,
  };
}

export function publicationAt(
  group: GroupName,
  order: { readonly epoch: number; readonly revision: number },
): Publication {
  return {
    schema: 1,
    table: "table-1",
    group,
    epoch: epoch(order.epoch),
    revision: order.revision,
    primary: { node: n1, address: { host: "10.0.0.1", port: 6379 } },
    replicas: [{ node: n2, address: { host: "2001:db8::2", port: 6380 } }],
    at: wallTime(order.epoch * 1_000 + order.revision),
  };
}

export function slotOf(voter: VoterId, generation: number, changes: Partial<SlotRecord> = {}): SlotRecord {
  const group = groupName("mymaster");
  const view = {
    at: wallTime(5_000),
    epoch: epoch(4),
    operation: null,
    vote: "none",
    rejection: null,
    nodes: {
      [n1]: {
        address: { host: "10.0.0.1", port: 6379 },
        zone: "a",
        class: "serving",
        sinceMs: 12_000,
        detail: "",
        latencyMs: 0.7,
        role: "primary",
        follows: null,
        linkUp: null,
        offset: 9_007_199_254_740_991,
        lagBytes: null,
        priority: 100,
        version: "8.0.1",
      },
    },
    candidate: n2,
    notCandidates: { [n3]: "not in sync" },
  } as const;
  return {
    schema: 1,
    voter,
    shard: 0,
    groupsPerVoter: 50,
    generation,
    owner: `owner-${generation}`,
    heartbeatAt: wallTime(5_000),
    regular: true,
    restsMs: null,
    groups: { [group]: view },
    ...changes,
  };
}
