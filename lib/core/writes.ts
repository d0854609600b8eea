// The conditional writes of the ballot that any voter may try, each with the race that its condition closes; those that
// only a lease's holder makes are in `holder-writes.ts`. Which of two writers wins is decided in these two and nowhere else: whoever adds a write adds a row to docs/protocol.md. (S1, S2, S3, S7, S11, R10, R12)

import type {
  Attempt,
  Ballot,
  Control,
  History,
  Lease,
  Member,
  Operation,
  Primary,
  StopOutcome,
  Vote,
} from "./ballot.ts";
import { encodeBallot } from "./ballot-format.ts";
import type { BallotWrite } from "./ballot-write.ts";
import { voteAttribute } from "./ballot-write.ts";
import { invariant } from "./invariant.ts";
import { withHistory } from "./lineage.ts";
import { MAX_EPOCH } from "./token.ts";
import type { AttemptId, Epoch, NodeId, VoterId } from "./types.ts";
import { absent, all, any, equals, not, sameLease, samePrimary, set, type Writer, write } from "./write-words.ts";

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
  if (operation.request !== null)
    changes.push(set(["lastRequest"], operation.request), set(["lastRequestBegan"], next));
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
    set(["members"], { ...ballot.members, version: ballot.members.version + 1, nodes: options.members }),
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
  const members = { ...ballot.members, version: ballot.members.version + 1, nodes: options.nodes };
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

/** The stopper's word, and the only one: how the wish of the operation that stands has ended. */
export function recordStop(ballot: Ballot, outcome: StopOutcome): BallotWrite {
  const wish = ballot.operation?.stop;
  invariant(wish !== undefined, "S5", "nothing is to be stopped");
  return {
    name: "record-stop",
    group: ballot.group,
    attempt: { path: ["operation", "stop", "outcome", "attempt"], id: outcome.attempt },
    // A stopper that was held up comes after the operation has ended, and another asks for another stop (S5); of two that
    // were started for one wish, the first word stays.
    condition: all(
      equals(["operation", "stop", "epoch"], wish.epoch),
      equals(["operation", "stop", "node"], wish.node),
      absent("operation", "stop", "outcome"),
    ),
    changes: [set(["operation", "stop", "outcome"], outcome)],
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
