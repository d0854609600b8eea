// What does a safety decision rest on? One item per group, below 4 KB, changed only by single-item conditional writes.
// This file is its shape. `ballot-write.ts` is the small language in which conditions and changes are said, `writes.ts`
// are the writes themselves with the race that each condition closes, `ballot-format.ts` decodes what a store returns.

import type { Address, AttemptId, Epoch, GroupName, NodeId, ReplicationId, RunId, VoterId, WallTime } from "./types.ts";

export const BALLOT_SCHEMA = 1;

/** `clear` is a tombstone: the voter hears the primary again (a vote is never deleted, or a delayed one could come back). */
export type VoteLevel = "clear" | "suspect" | "down";

export interface Vote {
  readonly level: VoteLevel;
  /** The primary voted on, and the epoch of its commit: a vote on an earlier primary counts for nothing. */
  readonly node: NodeId;
  readonly epoch: Epoch;
  /** (generation, seq) only grow: which invocation wrote it, and its how-manieth vote. */
  readonly generation: number;
  readonly seq: number;
  /** How long this voter had heard nothing when it wrote, by its own clock: a duration, so no clocks are compared. */
  readonly silentMs: number;
  readonly attempt: AttemptId;
}

export interface Primary {
  readonly node: NodeId;
  /** The epoch of the commit that made it primary; orders publications. */
  readonly epoch: Epoch;
  readonly runId: RunId;
  readonly replicationId: ReplicationId;
}

export interface Member {
  /** The process known at this node; null before it was seen. */
  readonly runId: RunId | null;
  /** `primary.epoch` under which that process was last seen in sync; 0 when never. */
  readonly inSyncEpoch: Epoch;
  /** Set for a discovered node, which the spec does not name. */
  readonly address: Address | null;
  /** The primary's offset, read when this member had been lost and the primary had no link to it; null: not lost. */
  readonly goneAt: number | null;
  /** In sync once, and unfit to be read from since (readers.ts). @default false */
  readonly aside?: true;
}

export interface Members {
  /** Grows with every change; a grant is conditional on it, because N decides how many nodes are enough (R2, R18). */
  readonly version: number;
  readonly nodes: Readonly<Record<NodeId, Member>>;
}

/** Never a deadline: others call it lapsed when they saw the same version for the whole duration on their own clock. */
export interface Lease {
  readonly holder: VoterId;
  readonly generation: number;
  readonly version: number;
  readonly durationMs: number;
  readonly attempt: AttemptId;
}

/** About to be promoted or un-frozen under `epoch` (R12). Kept in the lineage for ever. */
export interface Intent {
  readonly epoch: Epoch;
  readonly node: NodeId;
  readonly runId: RunId;
  readonly replicationId: ReplicationId;
  readonly offset: number;
}

export type OperationKind = "failover" | "switchover" | "cold-start" | "recover" | "repair" | "initialise";

/** `committed`: the primary of this epoch is decided, only publishing and re-pointing are left. */
export type OperationStep = "begun" | "intended" | "restoring" | "committed";

/** How the wish to have a host stopped ended. Only the stopper writes it, once. */
export interface StopOutcome {
  readonly kind: "stopped" | "refused";
  /** Which host has stopped, or why it has not. */
  readonly detail: string;
  readonly attempt: AttemptId;
}

/** The host of a voted-down primary is to be stopped before another node is promoted. */
export interface StopWish {
  readonly node: NodeId;
  /** The epoch under which it was written; take-overs keep the wish and raise the ballot's. */
  readonly epoch: Epoch;
  /** Null: not known yet. */
  readonly outcome: StopOutcome | null;
}

export interface Operation {
  readonly kind: OperationKind;
  readonly step: OperationStep;
  /** Epoch of the grant that began it; take-overs keep it and raise the ballot's. */
  readonly began: Epoch;
  /** A switchover's target, or the node a person named; null where the operation chooses. */
  readonly target: NodeId | null;
  /** `automatic`, or who asked. */
  readonly by: string;
  readonly reason: string;
  /** Id of the request that it carries out; null for an automatic one. */
  readonly request: string | null;
  /** The old primary is to be replaced although it answers (write-dead, a person's order): it is never simply restored. */
  readonly insists: boolean;
  /** Absent: nothing is to be stopped. */
  readonly stop?: StopWish;
}

/** One history of writes: began at `epoch` on `node` as `replicationId`, after byte `forkOffset` of its parent. */
export interface History {
  readonly epoch: Epoch;
  readonly node: NodeId;
  readonly replicationId: ReplicationId;
  readonly forkOffset: number;
}

export interface Lineage {
  readonly histories: readonly History[];
  readonly intents: readonly Intent[];
}

export type ControlMode = "act" | "observe" | "paused";

export interface Control {
  readonly mode: ControlMode;
  readonly by: string;
  readonly reason: string;
  /** Wall time at which `paused` ends by itself; null for the other modes. */
  readonly until: WallTime | null;
  /** The mode that a pause interrupts and its expiry brings back. @default "act" */
  readonly returnsTo?: ControlMode;
  readonly attempt: AttemptId;
}

/** One automatic operation that was begun; `ended` tells whether it promoted. */
export interface Attempt {
  readonly epoch: Epoch;
  readonly at: WallTime;
  readonly promoted: boolean;
}

export interface Ballot {
  readonly schema: number;
  readonly group: GroupName;
  /** The table that it was written for: a copy restored elsewhere is only observed until `groups recover`. */
  readonly table: string;
  readonly epoch: Epoch;
  /** Attempt of the last write other than a vote's or a control's: tells whether a write without an answer was done. */
  readonly attempt: AttemptId;
  /** Null until the group was adopted or initialised. */
  readonly primary: Primary | null;
  /** Seen healthy for `armAfterMs` once: nothing automatic begins before. */
  readonly armed: boolean;
  readonly members: Members;
  readonly votes: Readonly<Record<VoterId, Vote>>;
  readonly lease: Lease | null;
  readonly operation: Operation | null;
  readonly lineage: Lineage;
  readonly control: Control;
  /** Automatic operations of the last ten minutes, newest last. */
  readonly budget: readonly Attempt[];
  /** Counts changes of the published replicas under one primary epoch. */
  readonly revision: number;
  /** The last request that an operation was begun for: it is never begun twice. */
  readonly lastRequest: string | null;
  /** Epoch of that operation's grant: tells what it came to when it is over. Null: none was, or by a version that did not write it. */
  readonly lastRequestBegan: Epoch | null;
  /** Somebody looks at this group until then: voters write what they see with the next tick. */
  readonly lookUntil: WallTime;
}

/** A new group's ballot: no primary, epoch 0. */
export function emptyBallot(options: {
  readonly group: GroupName;
  readonly table: string;
  readonly control: Control;
  readonly attempt: AttemptId;
}): Ballot {
  const { group, table, control, attempt } = options;
  return {
    schema: BALLOT_SCHEMA,
    group,
    table,
    epoch: 0 as Epoch,
    attempt,
    primary: null,
    armed: false,
    members: { version: 0, nodes: {} },
    votes: {},
    lease: null,
    operation: null,
    lineage: { histories: [], intents: [] },
    control,
    budget: [],
    revision: 0,
    lastRequest: null,
    lastRequestBegan: null,
    lookUntil: 0 as WallTime,
  };
}
