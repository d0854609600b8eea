// What only the holder of a lease writes: under its own epoch and lease, each renewing it, so that a holder that wakes
// after it was replaced changes nothing. (S1, S2, S11, R12, R24)

import type { Ballot, History, Intent, Lease, Member, Operation, OperationStep, Primary, StopWish } from "./ballot.ts";
import type { BallotWrite, Change, Condition } from "./ballot-write.ts";
import { voteAttribute } from "./ballot-write.ts";
import { keysOf } from "./entries.ts";
import { invariant } from "./invariant.ts";
import { withHistory, withIntent } from "./lineage.ts";
import type { AttemptId, NodeId } from "./types.ts";
import { all, equals, sameLease, set, type Writer, write } from "./write-words.ts";

/** Everything the holder writes: only under its own epoch and lease, and each such write renews it. */
function underLease(name: string, held: Held, changes: readonly Change[]): BallotWrite {
  const { ballot, attempt } = held;
  const { lease } = ballot;
  invariant(lease !== null, "S11", `${name} without a lease`);
  const renewed: Lease = { ...lease, version: lease.version + 1, attempt };
  return write(name, ballot, attempt, stillHeld(held), [set(["lease"], renewed), ...changes]);
}

const stillHeld = ({ ballot, writer }: Held): Condition =>
  all(
    // A stalled holder wakes after its lease was taken over: the epoch has moved, and nothing of its plan is written (S2, S11).
    equals(["epoch"], ballot.epoch),
    equals(["lease", "holder"], writer.voter),
    equals(["lease", "generation"], writer.generation),
    // A write given up as unknown, or the copy of one that was sent again, arrives late: since then the holder has written
    // something else under the same epoch, and a commit must not come over the roll back that followed it.
    sameLease(ballot),
  );

export interface Held {
  readonly ballot: Ballot;
  readonly writer: Writer;
  readonly attempt: AttemptId;
}

export const renew = (held: Held): BallotWrite => underLease("renew", held, []);

/** R12: recorded before any NO ONE is sent, so that whatever is found later can be explained. */
export function recordIntent(held: Held, intent: Intent, step: OperationStep): BallotWrite {
  invariant(intent.epoch === held.ballot.epoch, "R12", `intent of ${intent.epoch} under ${held.ballot.epoch}`);
  return underLease("record-intent", held, [
    set(["lineage"], withIntent(held.ballot.lineage, intent)),
    set(["operation", "step"], step),
  ]);
}

/** The old primary's host is to be stopped: the stopper reads it, and writes into it how that ended. */
export function askStop(held: Held, node: NodeId): BallotWrite {
  const wish: StopWish = { node, epoch: held.ballot.epoch, outcome: null };
  return underLease("ask-stop", held, [set(["operation", "stop"], wish)]);
}

/** The linearization point of a new primary. */
export function commit(held: Held, primary: Primary, history: History): BallotWrite {
  const { ballot } = held;
  invariant(primary.epoch === ballot.epoch, "S1", `commit of ${primary.epoch} under ${ballot.epoch}`);
  // The same process un-frozen is an attempt that promoted nobody: the next one rests before it (L4, R20).
  const promoted = primary.runId !== ballot.primary?.runId;
  const before = ballot.members.nodes[primary.node];
  const member: Member = {
    ...before,
    runId: primary.runId,
    inSyncEpoch: primary.epoch,
    address: before?.address ?? null,
    goneAt: null,
  };
  return underLease("commit", held, [
    set(["primary"], primary),
    set(["lineage"], withHistory(ballot.lineage, history)),
    set(["operation", "step"], "committed"),
    set(["members"], {
      ...ballot.members,
      version: ballot.members.version + 1,
      nodes: { ...ballot.members.nodes, [primary.node]: member },
    }),
    set(["revision"], 0),
    set(["armed"], true),
    set(
      ["budget"],
      ballot.budget.map((each) => (each.epoch >= (ballot.operation?.began ?? 0) ? { ...each, promoted } : each)),
    ),
  ]);
}

/** The primary began another history by itself while others are pointed at it: what they carry next has to be explained (R25). */
export const enterOwnHistory = (held: Held, history: History): BallotWrite =>
  underLease("enter-replication-id", held, [
    set(["primary", "replicationId"], history.replicationId),
    set(["lineage"], withHistory(held.ballot.lineage, history)),
  ]);

/** Roll back, record (d): the primary stayed what it was and no older command can reach it any more. */
export const recordRestored = (held: Held): BallotWrite =>
  underLease("record-restored", held, [set(["operation", "step"], "committed")]);

/** Changes what an operation is: a failover tried as a switchover, a switchover whose primary died. */
export const changeKind = (held: Held, operation: Operation): BallotWrite =>
  underLease("change-kind", held, [set(["operation"], operation)]);

/** The end: no lease, no operation; votes of the past become tombstones, so that none is counted again. */
export function finish(held: Held): BallotWrite {
  const { ballot, attempt } = held;
  const cleared = keysOf(ballot.votes).map((voter) => set([voteAttribute(voter), "level"], "clear"));
  // As for every write of the holder: a successor's lease must not be released by us.
  return write("finish", ballot, attempt, stillHeld(held), [
    set(["lease"], null),
    set(["operation"], null),
    ...cleared,
  ]);
}
