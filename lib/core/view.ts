// What does this voter see, for people? `status` and `why` show it from the voter's slot; nothing decides by it.

import type { Ballot, Primary, Vote } from "./ballot.ts";
import { belonging } from "./lineage.ts";
import { answersNow } from "./observation.ts";
import { foreseen } from "./preflight.ts";
import type { NodeView, VoterGroupView } from "./records.ts";
import { type Context, type GroupState, type NodeState, primaryNodeOf } from "./state.ts";
import { newTurn, nodesOf } from "./turn.ts";
import type { Epoch, Instant, VoterId, WallTime } from "./types.ts";
import { elapsedMs } from "./types.ts";

/** The record (or that there is none) and each node were seen once: what is shown before would only be the beginning. */
export const hasLooked = (state: GroupState): boolean =>
  (state.look !== null || state.missing || state.storeFailedSince !== null) &&
  nodesOf(state).every((node) => node.heard !== null);

/** The view of `state` at this moment. */
export function viewOf(state: GroupState, context: Context, at: Instant, wall: WallTime): VoterGroupView {
  const ballot = state.look?.ballot ?? null;
  const turn = newTurn(state, { at, wall, entropy: "" }, context);
  const vote = ballot === null ? null : standingVote(ballot, context.self.voter);
  const selection = ballot === null ? null : foreseen(turn, ballot, { coldStart: false, insists: true });
  const nodes = nodesOf(state).map((node) => [node.id, nodeView(state, context, node, at)] as const);
  return {
    at: wall,
    epoch: ballot?.epoch ?? (0 as Epoch),
    operation: ballot?.operation == null ? null : { kind: ballot.operation.kind, step: ballot.operation.step },
    vote: vote?.level ?? "none",
    rejection:
      state.rejection === null
        ? null
        : { ...state.rejection.rejection, sinceMs: Math.round(elapsedMs(state.rejection.since, at)) },
    nodes: Object.fromEntries(nodes),
    candidate: selection?.kind === "selected" ? selection.node : null,
    notCandidates: selection?.notChosen ?? {},
  };
}

function nodeView(state: GroupState, context: Context, node: NodeState, at: Instant): NodeView {
  const { reading } = node;
  const silence = node.class === "silent" || node.class === "refused";
  const since = silence ? (node.answeredAt ?? state.startedAt) : node.classSince;
  return {
    address: node.address,
    zone: context.config.nodes.find((each) => each.id === node.id)?.zone ?? "",
    class: node.class,
    sinceMs: Math.round(elapsedMs(since, at)),
    detail: node.detail,
    latencyMs: node.latencyMs === null ? null : Math.round(node.latencyMs * 10) / 10,
    role: reading?.role ?? null,
    follows: reading?.follows ?? null,
    linkUp: reading === null ? null : reading.linkUp,
    offset: reading?.offset ?? null,
    lagBytes: lagOf(state, node),
    priority: reading?.priority ?? null,
    version: reading?.version ?? null,
    ...(node.settings === null ? {} : { heartbeatSeconds: node.settings.pingReplicaPeriodSeconds }),
  };
}

function lagOf(state: GroupState, node: NodeState): number | null {
  const primary = state.look?.ballot.primary;
  const ahead = primary == null ? null : (state.nodes[primary.node]?.reading ?? null);
  if (ahead === null || node.reading === null || node.id === primary?.node) return null;
  return node.reading.replicationId === ahead.replicationId ? Math.max(0, ahead.offset - node.reading.offset) : null;
}

/**
 * Nothing is under way that this invocation alone has watched to its end: its successor may take over (R14). A node that
 * has been gone for long is no such thing; a down-after that runs, a vote that this voter's newest invocation has not cast
 * itself, a lease or a parked freeze is.
 */
export function isRegular(state: GroupState, context: Context, at: Instant): boolean {
  const { self } = context;
  const ballot = state.look?.ballot;
  if (ballot === undefined) return state.unreadable !== null || state.storeFailedSince !== null;
  if (state.operation !== null || state.hold !== null || state.unresolved !== null) return false;
  if (ballot.lease?.holder === self.voter) return false;
  if (Object.values(state.assistance).some((each) => !each.done && each.epoch === ballot.epoch)) return false;
  const vote = standingVote(ballot, self.voter);
  // A successor that says down as well has watched the loss to its end itself, and votes alone from then on.
  if (vote !== null) return vote.level === "down" && vote.generation > self.generation;
  if (ballot.primary === null) return state.rejection !== null;
  return isWatched(state, ballot, { context, at });
}

/** What its predecessor has watched, this invocation has too: it calls the group regular, or has itself found its primary down (R14). */
export function hasCaughtUp(state: GroupState, context: Context, at: Instant): boolean {
  const { voter, generation } = context.self;
  const ballot = state.look?.ballot;
  const vote = ballot === undefined ? null : standingVote(ballot, voter);
  return (vote?.level === "down" && vote.generation === generation) || isRegular(state, context, at);
}

/** The voter's vote against the present primary. */
function standingVote({ votes, primary }: Ballot, voter: VoterId): (Vote & { level: "suspect" | "down" }) | null {
  const vote = votes[voter];
  if (vote === undefined || vote.node !== primary?.node || vote.epoch !== primary.epoch) return null;
  const { level } = vote;
  return level === "clear" ? null : { ...vote, level };
}

/**
 * Nothing of the group is unfinished or wrong, as one round of probes and one look at the record show it: in economy mode
 * nobody need stay. Stricter than `isRegular`, for no successor goes on: whatever a longer watch would write, do or tell
 * is waited for, so also a node's return into the record and what an alarm is to ring for.
 */
export function mayRest(state: GroupState, context: Context, at: Instant): boolean {
  const ballot = state.look?.ballot;
  if (ballot?.primary == null || !ballot.armed || ballot.table !== context.self.table) return false;
  if (state.storeBusy !== null || state.storeFailedSince !== null || state.rejection !== null) return false;
  // A replica that may be about to be set aside, or let in again: the time that takes is kept by this invocation alone.
  if (Object.keys(state.doubts).length > 0) return false;
  if (!hasLooked(state) || isIrregular(state) || !isRegular(state, context, at)) return false;
  const record = { members: ballot.members, primary: ballot.primary };
  if (!nodesOf(state).every((node) => !isAstray(state, node) && isAsRecorded(state, record, node))) return false;
  const turn = newTurn(state, { at, wall: 0 as WallTime, entropy: "" }, context);
  return foreseen(turn, ballot, { coldStart: false, insists: true }).kind === "selected";
}

type Committed = Pick<Ballot, "members"> & { readonly primary: Primary };

/** The node is what the record says, and the record what it shows: the history, the process, in sync, whom it follows. */
function isAsRecorded(state: GroupState, { members, primary }: Committed, { id, reading }: NodeState): boolean {
  if (reading === null) return false;
  if (id === primary.node) return reading.replicationId === primary.replicationId;
  const to = state.nodes[primary.node]?.address;
  const member = members.nodes[id];
  // No repair goes by the first answers, which may be of before the record was read: it waits for the next ones.
  const isInLine = to !== undefined && reading.follows?.host === to.host && reading.follows.port === to.port;
  return isInLine && member?.runId === reading.runId && member.inSyncEpoch === primary.epoch;
}

/** The primary serves and was heard within its bound: a down-after that runs is not handed over. */
function isWatched(state: GroupState, ballot: Ballot, { context, at }: { context: Context; at: Instant }): boolean {
  const node = primaryNodeOf(state, ballot);
  return (
    node?.class === "serving" &&
    node.lostAt === null &&
    answersNow(newTurn(state, { at, wall: 0 as WallTime, entropy: "" }, context), node)
  );
}

/** Anything that wants quick probes and consistent looks: a primary that is not heard, a lease, a vote, a request. */
export function isIrregular(state: GroupState): boolean {
  const ballot = state.look?.ballot;
  if (ballot === undefined) return true;
  const { primary } = ballot;
  if (primary === null || ballot.lease !== null || ballot.operation !== null) return true;
  if (state.operation !== null || state.hold !== null) return true;
  if (state.request !== null && state.request.result === null && state.resolved !== state.request.id) return true;
  const node = state.nodes[primary.node];
  if (node === undefined || node.class !== "serving" || node.lostAt !== null) return true;
  return Object.values(ballot.votes).some(
    (vote) => vote.level !== "clear" && vote.epoch === primary.epoch && vote.node === primary.node,
  );
}

/** A node that is not what the record says: probed quickly while the rest of the group is quiet. */
export function isAstray(state: GroupState, node: NodeState): boolean {
  const ballot = state.look?.ballot;
  if (ballot?.primary == null || node.heard === null) return false;
  if (node.class !== "serving" || node.lostAt !== null) return true;
  if (node.id === ballot.primary.node || node.reading === null) return false;
  return !node.reading.linkUp || belonging(node.reading, ballot.lineage).kind === "unknown";
}
