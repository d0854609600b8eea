// Which replicas may applications read from? The members in sync under the present primary, but for those that were set
// aside: not receiving, loading, busy, behind or silent for the whole of `downAfterMs`. Who was set aside is let in again
// when it was fit for `READER_BACK_MS` on end: one that comes and goes costs a revision now and then, not each second.
//
// A voter that does not hear a replica goes by what the primary says of it: another voter hears the same primary, so that
// two that see different things do not take turns in the record. (docs/protocol.md, sections 10 and 11)

import type { Ballot, Member, Primary } from "./ballot.ts";
import { READER_BACK_MS } from "./config.ts";
import { keysOf } from "./entries.ts";
import type { CoreEvent } from "./events.ts";
import { answersNow } from "./observation.ts";
import { type NodeState, primaryNodeOf } from "./state.ts";
import type { Turn } from "./turn.ts";
import { eventOf, isDueIn, nodesOf, patch } from "./turn.ts";
import type { Instant, NodeId, NodeReading } from "./types.ts";

/** The record calls a member something else than what this voter has seen since then, at every look. */
export interface Doubt {
  readonly isFit: boolean;
  readonly since: Instant;
}

export type Doubts = Readonly<Record<NodeId, Doubt>>;

/** A replica acknowledges once a second: what the primary shows of one that has stopped is older than this. */
const ACKNOWLEDGED_WITHIN_SECONDS = 2;

type Fitness =
  | { readonly kind: "fit" }
  | { readonly kind: "unfit"; readonly reason: string }
  /** This voter cannot tell. */
  | { readonly kind: "unknown" };

const FIT: Fitness = { kind: "fit" };
const UNKNOWN: Fitness = { kind: "unknown" };
const unfit = (reason: string): Fitness => ({ kind: "unfit", reason });

/** Keeps since when this voter has seen members differ from what the record says of them as readers. */
export function noteReaders(turn: Turn, ballot: Ballot): void {
  const known = turn.state.doubts;
  let next = known;
  for (const id of keysOf(ballot.members.nodes)) {
    const isFit = contradiction(turn, ballot, id);
    if (isFit === (next[id]?.isFit ?? null)) continue;
    const { [id]: _past, ...others } = next;
    next = isFit === null ? others : { ...others, [id]: { isFit, since: turn.at } };
  }
  for (const id of keysOf(next)) {
    if (ballot.members.nodes[id] !== undefined) continue;
    const { [id]: _removed, ...others } = next;
    next = others;
  }
  if (next !== known) patch(turn, { doubts: next });
}

/** What the member seems to be, where the record says otherwise; null: it says the same, or says nothing, or nobody knows. */
function contradiction(turn: Turn, ballot: Ballot, id: NodeId): boolean | null {
  const member = ballot.members.nodes[id];
  const node = turn.state.nodes[id];
  if (member === undefined || node === undefined || ballot.primary === null || id === ballot.primary.node) return null;
  if (member.inSyncEpoch !== ballot.primary.epoch) return null;
  const { kind } = fitnessOf(turn, ballot, node);
  if (kind === "unknown") return null;
  const isFit = kind === "fit";
  return isFit === (member.aside !== true) ? null : isFit;
}

/** `now` follows `before`: set aside, or let in again, by what was seen for long enough. */
export function readerNow(
  turn: Turn,
  primary: Primary,
  id: NodeId,
  { before, now }: { readonly before: Member; readonly now: Member },
): Member {
  if (now.inSyncEpoch !== primary.epoch) return now;
  // What it was under an earlier primary says nothing: who has just been seen in sync may be read from.
  if (before.inSyncEpoch !== now.inSyncEpoch) return letIn(now);
  // As gone as can be, and back only as everybody else.
  if (before.goneAt === null && now.goneAt !== null) return { ...now, aside: true };
  const doubt = turn.state.doubts[id];
  const afterMs = doubt?.isFit === true ? READER_BACK_MS : turn.context.config.downAfterMs;
  if (doubt === undefined || !isDueIn(turn, doubt.since, afterMs)) return now;
  return doubt.isFit ? letIn(now) : { ...now, aside: true };
}

function letIn(member: Member): Member {
  const { aside: _aside, ...rest } = member;
  return rest;
}

/** What is told of the change, if it is one; a new primary epoch is told by `member.in-sync` alone. */
export function readerTold(
  turn: Turn,
  ballot: Ballot,
  id: NodeId,
  { before, now }: { readonly before: Member | undefined; readonly now: Member },
): readonly CoreEvent[] {
  const node = turn.state.nodes[id];
  if (node === undefined || before === undefined || before.inSyncEpoch !== now.inSyncEpoch) return [];
  if (before.aside === now.aside) return [];
  if (now.aside !== true) return [eventOf(turn, "replica.readmitted", { node: id })];
  const fitness = fitnessOf(turn, ballot, node);
  const reason = fitness.kind === "unfit" ? fitness.reason : "it was lost";
  return [eventOf(turn, "replica.set-aside", { node: id, detail: { reason } })];
}

/** By the last answers; while the primary does not serve nobody is in sync with it, and nobody is set aside for that. */
function fitnessOf(turn: Turn, ballot: Ballot, node: NodeState): Fitness {
  const primary = primaryNodeOf(turn.state, ballot);
  if (primary?.reading == null || primary.class !== "serving" || !answersNow(turn, primary)) return UNKNOWN;
  switch (node.heard) {
    case "answered":
      return answersNow(turn, node) ? fitnessOfReading(ballot, primary, node) : UNKNOWN;
    case "loading":
    case "busy":
      return unfit(`it is ${node.heard}`);
    case "refused":
    case "silent":
      return mayBeAcknowledging(turn, primary.reading, node) ? UNKNOWN : unfit(`it is ${node.heard}`);
    // It does not let this voter in, which says nothing of its data.
    case "misconfigured":
    case null:
      return UNKNOWN;
  }
}

function fitnessOfReading(ballot: Ballot, primary: NodeState, node: NodeState): Fitness {
  const { reading } = node;
  if (reading === null) return UNKNOWN;
  if (reading.role !== "replica") return unfit("it is no replica");
  if (reading.loading) return unfit("it is loading");
  if (reading.syncInProgress) return unfit("it is being synchronized");
  if (!reading.linkUp) return unfit("its link is down");
  if (reading.replicationId !== ballot.primary?.replicationId) return unfit("it has another history");
  const least = offsetBefore(primary, node);
  return least === null || reading.offset >= least ? FIT : unfit("it is behind the primary");
}

/**
 * The primary shows a replica that acknowledges, and this may be the one: at its address, or, where nobody can compare
 * addresses (declared by name, or behind a translation), one more of them than nodes that are known to be linked.
 */
function mayBeAcknowledging(turn: Turn, primary: NodeReading, node: NodeState): boolean {
  const announced = turn.context.config.nodes.find((each) => each.id === node.id)?.announce ?? null;
  const listed = primary.replicas.filter(({ address: { host, port } }) =>
    [node.address, announced].some((own) => own?.host === host && own.port === port),
  );
  const isAcknowledging = ({ state, lagSeconds }: NodeReading["replicas"][number]): boolean =>
    state === "online" && lagSeconds <= ACKNOWLEDGED_WITHIN_SECONDS;
  if (listed.length > 0) return listed.some(isAcknowledging);
  const linked = nodesOf(turn.state).filter((each) => answersNow(turn, each) && each.reading?.linkUp === true);
  return primary.replicas.filter(isAcknowledging).length > linked.length;
}

/**
 * What the primary had when it was last read before `node` was asked. Both are asked at the same moment, and where the
 * primary is always the first to answer its newest reading never is from before that: then the one before it tells.
 */
export function offsetBefore(primary: NodeState, { readSentAt }: NodeState): number | null {
  if (readSentAt === null) return null;
  if (primary.reading !== null && primary.readAt !== null && primary.readAt <= readSentAt)
    return primary.reading.offset;
  const { earlier } = primary;
  return earlier !== null && earlier.readAt <= readSentAt ? earlier.reading.offset : null;
}
