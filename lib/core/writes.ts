// Every conditional write of the ballot, each with the race that its condition closes. Which of two writers wins is
// decided here and nowhere else: whoever adds a write adds a row to docs/protocol.md. (S1, S2, S3, S7, S11, R10, R12)

import type {
  Attempt,
  Ballot,
  Control,
  History,
  Intent,
  Lease,
  Member,
  Operation,
  OperationStep,
  Primary,
  Vote,
} from "./ballot.ts";
import { encodeBallot, withoutNulls } from "./ballot-format.ts";
import type { BallotWrite, Change, Condition, Json, Path } from "./ballot-write.ts";
import { voteAttribute } from "./ballot-write.ts";
import { invariant } from "./invariant.ts";
import { withHistory, withIntent } from "./lineage.ts";
import { MAX_EPOCH } from "./token.ts";
import type { AttemptId, Epoch, NodeId, VoterId } from "./types.ts";

const equals = (path: Path, value: string | number | boolean): Condition => ({ kind: "equals", path, value });
const absent = (...path: Path): Condition => ({ kind: "absent", path });
const all = (...of: Condition[]): Condition => ({ kind: "all", of });
const any = (...of: Condition[]): Condition => ({ kind: "any", of });
const not = (of: Condition): Condition => ({ kind: "not", of });
const set = (path: Path, value: unknown): Change => ({ path, value: withoutNulls(value as Json) });

/** Who writes: one invocation of one voter. */
export interface Writer {
  readonly voter: VoterId;
  readonly generation: number;
}

const write = (
  name: string,
  ballot: Ballot,
  attempt: AttemptId,
  condition: Condition,
  changes: readonly Change[],
): BallotWrite => ({
  name,
  group: ballot.group,
  attempt: { path: ["attempt"], id: attempt },
  condition,
  changes: [...changes, set(["attempt"], attempt)],
});

/** The first record of a new group. */
export function create(ballot: Ballot): BallotWrite {
  const changes = Object.entries(encodeBallot(ballot)).map(([name, value]) => set([name], value));
  // Three voters find no item at the same time: the first creates it.
  return write("create", ballot, ballot.attempt, absent("schema"), changes);
}

/** This voter's verdict on the current primary. */
export function castVote(ballot: Ballot, voter: VoterId, vote: Vote): BallotWrite {
  const attribute = voteAttribute(voter);
  const newer = any(
    // An overlapping invocation, or a delayed write of this one, must not put an older vote over a newer one (S7).
    absent(attribute),
    { kind: "less", path: [attribute, "generation"], than: vote.generation },
    all(equals([attribute, "generation"], vote.generation), { kind: "less", path: [attribute, "seq"], than: vote.seq }),
  );
  // A successor has not watched as long as its predecessor and must not weaken what that one saw to its end (R23).
  const spares = not(
    all(
      equals([attribute, "level"], "down"),
      equals([attribute, "node"], vote.node),
      equals([attribute, "epoch"], vote.epoch),
    ),
  );
  // A vote on a primary that is no longer the current one says nothing; the refusal brings the new ballot at once.
  const current = all(equals(["primary", "node"], vote.node), equals(["primary", "epoch"], vote.epoch));
  return {
    name: "cast-vote",
    group: ballot.group,
    attempt: { path: [attribute, "attempt"], id: vote.attempt },
    condition: vote.level === "suspect" ? all(newer, current, spares) : all(newer, current),
    changes: [set([attribute], vote)],
  };
}

export interface Grant {
  readonly ballot: Ballot;
  readonly writer: Writer;
  readonly attempt: AttemptId;
  readonly leaseMs: number;
  readonly operation: Operation;
  /** Voters whose *down* was counted; empty for what no vote decides. */
  readonly counted: readonly VoterId[];
  /** The new list, when this grant counts against the budget; its newest entry gets the new epoch. */
  readonly budget: readonly Attempt[] | null;
  /** The new epoch is above this one as well: tokens and publications of a table that was lost or restored. */
  readonly above: Epoch;
  /** The table that the ballot belongs to from now on: changes only when a person recovers a restored one. */
  readonly table: string;
}

/** The next epoch, its lease and operation: the one moment in which a voter wins. */
export function grant(options: Grant): BallotWrite {
  const { ballot, operation, attempt } = options;
  const next = nextEpoch(ballot, options.above);
  const conditions = [
    // Two voters that counted the same quorum both try; the epoch moves once (S1).
    equals(["epoch"], ballot.epoch),
    // A lease that appeared or was renewed since we looked is alive; a lapsed one is the very version we watched lapse.
    sameLease(ballot),
    // What was decided on is still so: who is primary, how many nodes there are (R2), that we may act at all (S8).
    samePrimary(ballot),
    equals(["members", "version"], ballot.members.version),
    equals(["control", "attempt"], ballot.control.attempt),
  ];
  for (const voter of options.counted) {
    const attribute = voteAttribute(voter);
    invariant(ballot.primary !== null, "S3", "votes are counted against a primary");
    // A vote may have been retracted between our look and this write (S3); a suspicion never elects (R10).
    conditions.push(
      equals([attribute, "level"], "down"),
      equals([attribute, "node"], ballot.primary.node),
      equals([attribute, "epoch"], ballot.primary.epoch),
    );
  }
  const changes = [
    set(["epoch"], next),
    set(["lease"], newLease(options)),
    set(["operation"], { ...operation, began: next }),
    set(["table"], options.table),
  ];
  if (operation.request !== null) changes.push(set(["lastRequest"], operation.request));
  if (options.budget !== null) {
    changes.push(
      set(
        ["budget"],
        options.budget.map((each) => (each.epoch === 0 ? { ...each, epoch: next } : each)),
      ),
    );
  }
  return write("grant", ballot, attempt, all(...conditions), changes);
}

/** Another voter's operation, its lease lapsed: goes on under a new epoch, from the record (S11). */
export function takeOver(options: LeaseOptions): BallotWrite {
  const { ballot, attempt } = options;
  // Two voters see the same lapse, or the holder comes back and renews: only the version that was watched is taken.
  const condition = all(equals(["epoch"], ballot.epoch), sameLease(ballot), not(absent("operation")));
  const changes = [set(["epoch"], nextEpoch(ballot, ballot.epoch)), set(["lease"], newLease(options))];
  return write("take-over", ballot, attempt, condition, changes);
}

/** Everything the holder writes: only under its own epoch and lease, and each such write renews it. */
function underLease(name: string, held: Held, changes: readonly Change[]): BallotWrite {
  const { ballot, attempt } = held;
  const lease = ballot.lease as Lease;
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

/** The linearization point of a new primary. */
export function commit(held: Held, primary: Primary, history: History): BallotWrite {
  const { ballot } = held;
  invariant(primary.epoch === ballot.epoch, "S1", `commit of ${primary.epoch} under ${ballot.epoch}`);
  const member: Member = {
    runId: primary.runId,
    inSyncEpoch: primary.epoch,
    address: ballot.members.nodes[primary.node]?.address ?? null,
  };
  return underLease("commit", held, [
    set(["primary"], primary),
    set(["lineage"], withHistory(ballot.lineage, history)),
    set(["operation", "step"], "committed"),
    set(["members"], {
      version: ballot.members.version + 1,
      nodes: { ...ballot.members.nodes, [primary.node]: member },
    }),
    set(["revision"], 0),
    set(["armed"], true),
    set(
      ["budget"],
      ballot.budget.map((each) => (each.epoch >= (ballot.operation?.began ?? 0) ? { ...each, promoted: true } : each)),
    ),
  ]);
}

/** Roll back, record (d): the primary stayed what it was and no older command can reach it any more. */
export const recordRestored = (held: Held): BallotWrite =>
  underLease("record-restored", held, [set(["operation", "step"], "committed")]);

/** Changes what an operation is: a failover tried as a switchover, a switchover whose primary died. */
export const changeKind = (held: Held, operation: Operation): BallotWrite =>
  underLease("change-kind", held, [set(["operation"], operation)]);

/** The end: no lease, no operation; votes of the past become tombstones, so that none is counted again. */
export function finish(held: Held): BallotWrite {
  const { ballot, attempt } = held;
  const cleared = Object.keys(ballot.votes).map((voter) => set([voteAttribute(voter as VoterId), "level"], "clear"));
  // As for every write of the holder: a successor's lease must not be released by us.
  return write("finish", ballot, attempt, stillHeld(held), [
    set(["lease"], null),
    set(["operation"], null),
    ...cleared,
  ]);
}

/** A group that already has a primary becomes ours, with nothing done to any node. */
export function adopt(options: {
  readonly ballot: Ballot;
  readonly attempt: AttemptId;
  readonly primary: Primary;
  readonly members: Readonly<Record<NodeId, Member>>;
  readonly forkOffset: number;
}): BallotWrite {
  const { ballot, primary } = options;
  const history: History = { ...pick(primary), forkOffset: options.forkOffset };
  // Voters that saw different primaries, or an adoption beside an initialising, must not both succeed (S1).
  const condition = all(
    absent("primary"),
    equals(["epoch"], ballot.epoch),
    absent("lease"),
    equals(["control", "attempt"], ballot.control.attempt),
  );
  return write("adopt", ballot, options.attempt, condition, [
    set(["epoch"], primary.epoch),
    set(["primary"], primary),
    set(["members"], { version: ballot.members.version + 1, nodes: options.members }),
    set(["lineage"], withHistory(ballot.lineage, history)),
    set(["revision"], 0),
  ]);
}

/** Seen healthy for long enough: automatic operations may begin. */
export const arm = (ballot: Ballot, attempt: AttemptId): BallotWrite =>
  // The primary that was seen healthy must still be the one, and of several voters that saw it one arms the group.
  write("arm", ballot, attempt, all(samePrimary(ballot), absent("operation"), equals(["armed"], false)), [
    set(["armed"], true),
  ]);

/** Who is a member, which process it is, and under which epoch it was last in sync. */
export function updateMembers(options: {
  readonly ballot: Ballot;
  readonly attempt: AttemptId;
  readonly nodes: Readonly<Record<NodeId, Member>>;
  /** The published replicas change with it. */
  readonly republish: boolean;
}): BallotWrite {
  const { ballot } = options;
  // Beside a grant this would change N or the in-sync set under a decision that rests on it (R2, R18); two voters that
  // saw different things must not overwrite each other's.
  const condition = all(
    samePrimary(ballot),
    equals(["members", "version"], ballot.members.version),
    absent("operation"),
  );
  const members = { version: ballot.members.version + 1, nodes: options.nodes };
  const revision = options.republish ? [set(["revision"], ballot.revision + 1)] : [];
  return write("update-members", ballot, options.attempt, condition, [set(["members"], members), ...revision]);
}

/** The committed primary changed its replication id under the same run id: the lineage must know before anybody votes. */
export function enterReplicationId(ballot: Ballot, attempt: AttemptId, history: History): BallotWrite {
  const known = ballot.primary?.replicationId ?? "";
  // Beside an operation the id may be that of a promotion; only a quiet group's own change is entered. It follows the id
  // that was read: a copy of this write that arrives late must not go back behind the next change.
  const condition = all(
    samePrimary(ballot),
    equals(["epoch"], ballot.epoch),
    equals(["primary", "replicationId"], known),
    absent("operation"),
  );
  return write("enter-replication-id", ballot, attempt, condition, [
    set(["primary", "replicationId"], history.replicationId),
    set(["lineage"], withHistory(ballot.lineage, history)),
  ]);
}

/** An operator's pause, resume or observe. Takes effect with the next grant; an operation going on is finished first. */
export function setControl(ballot: Ballot, control: Control): BallotWrite {
  return {
    name: "set-control",
    group: ballot.group,
    attempt: { path: ["control", "attempt"], id: control.attempt },
    // Two operators at once: the second is told what the first has set.
    condition: equals(["control", "attempt"], ballot.control.attempt),
    changes: [set(["control"], control)],
  };
}

/** Epoch 1 is adopting or initialising, so that no operation's token is the boot fence. */
export function nextEpoch(ballot: Ballot, above: Epoch): Epoch {
  const next = (Math.max(ballot.epoch, above) + 1) as Epoch;
  invariant(next <= MAX_EPOCH, "S2", "the 24 bits of the epoch are used up");
  return next;
}

type LeaseOptions = Pick<Grant, "ballot" | "writer" | "attempt" | "leaseMs">;

function newLease(options: LeaseOptions): Lease {
  const { writer, leaseMs, attempt, ballot } = options;
  return {
    holder: writer.voter,
    generation: writer.generation,
    version: (ballot.lease?.version ?? 0) + 1,
    durationMs: leaseMs,
    attempt,
  };
}

const pick = (primary: Primary) => ({
  epoch: primary.epoch,
  node: primary.node,
  replicationId: primary.replicationId,
});

function sameLease(ballot: Ballot): Condition {
  const { lease } = ballot;
  if (lease === null) return absent("lease");
  return all(equals(["lease", "attempt"], lease.attempt), equals(["lease", "version"], lease.version));
}

function samePrimary(ballot: Ballot): Condition {
  const { primary } = ballot;
  if (primary === null) return absent("primary");
  return all(equals(["primary", "node"], primary.node), equals(["primary", "epoch"], primary.epoch));
}
