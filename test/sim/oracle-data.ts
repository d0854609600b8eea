// What do the nodes hold, and who of them may be primary by that? docs/protocol.md, sections 9 and 10, written down a second
// time: a reason why only a person can go on is judged by it, so the engine's own comparing must not be asked.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { NodeId, NodeReading } from "../../lib/core/types.ts";
import { epochSpelledBy, type OracleConfig } from "./oracle-config.ts";

/** One node, and what it says of itself. */
export interface Held {
  readonly id: NodeId;
  /** Null: it does not answer, or loads. */
  readonly reading: NodeReading | null;
  /** Its priority is not 0. */
  readonly mayWin: boolean;
}

export interface GroupData {
  readonly ballot: Pick<Ballot, "primary" | "members" | "lineage">;
  readonly config: Pick<OracleConfig, "onPossibleLoss" | "waitK" | "coldStart">;
  /** Every declared node, and every member of the record. */
  readonly held: readonly Held[];
}

interface Known {
  readonly id: NodeId;
  readonly reading: NodeReading;
  readonly mayWin: boolean;
  /** Epoch of its history; null: unknown. */
  readonly history: number | null;
}

/** The process on record is gone, or is no primary, or says nothing. */
export function isLost({ ballot: { primary }, held }: GroupData): boolean {
  const reading = held.find(({ id }) => id === primary?.node)?.reading ?? null;
  return reading === null || reading.runId !== primary?.runId || reading.role !== "primary";
}

/** Members that do not answer. */
export const missing = ({ ballot, held }: GroupData): readonly NodeId[] =>
  held.filter(({ id, reading }) => reading === null && ballot.members.nodes[id] !== undefined).map(({ id }) => id);

/** What a lost primary is left to a person for; null: its replacement needs none, or waits for a node. */
export function whyForPerson(view: GroupData): "cold-start-waiting" | "unknown-history" | null {
  if (!isLost(view) || missing(view).length > 0 || isGivenBack(view) || isFollowedReborn(view)) return null;
  if (hasHeir(view)) return null;
  if (view.config.coldStart === "wait") return "cold-start-waiting";
  return hasColdHeir(view) ? null : "unknown-history";
}

/** Some of the members that answer count, and under `refuse` too few of them (R2). */
export function lacksNodes(view: GroupData): boolean {
  const counted = countedOf(view).length;
  return isLost(view) && missing(view).length > 0 && counted > 0 && counted < enough(view);
}

/** Beside the committed primary: claims to be one, with a history that no record explains or that is not older (R22). */
export function unexplained(view: GroupData): readonly NodeId[] {
  const { primary } = view.ballot;
  return view.held.flatMap(({ id, reading }) => {
    if (reading === null || reading.role !== "primary" || id === primary?.node) return [];
    if (isBackByItself(view, id, reading)) return [];
    const history = historyOf(reading, view);
    return history === null || (primary !== null && history >= primary.epoch) ? [id] : [];
  });
}

/**
 * A group without a primary is taken into care: one primary serves and all that answer follow it, or all are there, boot-fenced
 * and empty.
 */
export function mayBegin({ held }: GroupData): boolean {
  const answering = held.flatMap(({ reading }) => reading ?? []);
  const [only, ...more] = answering.filter(({ role }) => role === "primary");
  if (only !== undefined && more.length === 0)
    return answering.every((each) => each === only || (each.linkUp && each.replicationId === only.replicationId));
  const isBlank = ({ follows, keyCount }: NodeReading): boolean => epochSpelledBy(follows) === 1 && keyCount === 0;
  return only === undefined && answering.length === held.length && answering.every(isBlank);
}

/** The committed process lives, as a replica: it is given back its place, whoever else counts (L4). */
function isGivenBack({ ballot: { primary }, held }: GroupData): boolean {
  const reading = held.find(({ id }) => id === primary?.node)?.reading ?? null;
  return reading !== null && reading.runId === primary?.runId && reading.role === "replica";
}

/** The restarted primary serves, and everybody has its history by now. */
function isFollowedReborn({ ballot: { primary }, held }: GroupData): boolean {
  const own = held.find(({ id }) => id === primary?.node)?.reading ?? null;
  if (own === null || own.runId === primary?.runId || own.role !== "primary") return false;
  const others = held.filter(({ id, reading }) => id !== primary?.node && reading !== null);
  return others.length > 0 && others.every(({ reading }) => reading?.replicationId === own.replicationId);
}

/** Somebody may be promoted by a failover: enough of the others count, and under `refuse` nobody has more. All are read. */
function hasHeir(view: GroupData): boolean {
  const counted = countedOf(view);
  if (counted.length < enough(view)) return false;
  // A restarted one with a newer history than all that count precedes them, and wins only where loss is accepted.
  const newest = Math.max(...counted.map(({ history }) => history as number));
  const isNewer = ({ history }: Known): boolean => (history as number) > newest;
  const known = knownOf(view).filter(({ history, reading }) => history !== null && !reading.syncInProgress);
  const newer = othersOf(view, known).filter(isNewer);
  if (view.config.onPossibleLoss === "promote") return [...counted, ...newer].some(({ mayWin }) => mayWin);
  if (newer.length > 0 || !hasBest(counted)) return false;
  // With the restarted primary all are read, and whatever restarted counts: but where there is data that does not compare (R25).
  return holdsUnknown(view) ? !known.some(isNewer) : hasBest(known);
}

/** Data that does not compare with the others'. */
const holdsUnknown = (view: GroupData): boolean =>
  knownOf(view).some(({ reading, history }) => history === null && reading.keyCount > 0);

/** Somebody may be promoted by a cold start: all were read, no data is of an unknown history, and under `refuse` nobody has more. */
function hasColdHeir(view: GroupData): boolean {
  if (holdsUnknown(view)) return false;
  const counted = knownOf(view).filter(({ reading, history }) => history !== null && !reading.syncInProgress);
  return view.config.onPossibleLoss === "promote" ? counted.some(({ mayWin }) => mayWin) : hasBest(counted);
}

/** One that may win has as much as each of them. */
const hasBest = (counted: readonly Known[]): boolean =>
  counted.some((one) => one.mayWin && counted.every((other) => !hasMore(other, one)));

function hasMore(one: Known, other: Known): boolean {
  const [history, than] = [one.history ?? 0, other.history ?? 0];
  return history > than || (history === than && one.reading.offset > other.reading.offset);
}

/** R2: under `refuse` all but k of the members. */
const enough = ({ ballot, config }: GroupData): number =>
  config.onPossibleLoss === "promote" ? 1 : Math.max(1, Object.keys(ballot.members.nodes).length - config.waitK);

/** R4: the process that was last seen in sync, with a known history, and not in the middle of a synchronization. */
const countedOf = (view: GroupData): readonly Known[] =>
  othersOf(view, knownOf(view)).filter(({ id, reading, history }) => {
    const member = view.ballot.members.nodes[id];
    const isSame = member?.runId === reading.runId && member.inSyncEpoch > 0;
    return isSame && history !== null && !reading.syncInProgress;
  });

/** Beside the voted-down primary. */
const othersOf = ({ ballot }: GroupData, known: readonly Known[]): readonly Known[] =>
  known.filter(({ id }) => id !== ballot.primary?.node);

const knownOf = (view: GroupData): readonly Known[] =>
  view.held.flatMap(({ id, reading, mayWin }) =>
    reading === null ? [] : [{ id, reading, mayWin, history: historyOf(reading, view) ?? continued(reading, view) }],
  );

/** Epoch of the record's newest entry for this history: a recorded id, or an intent that was carried out to the letter (R25). */
function historyOf(reading: NodeReading, { ballot: { lineage } }: GroupData): number | null {
  const recorded = lineage.histories.findLast(({ replicationId }) => replicationId === reading.replicationId);
  if (recorded !== undefined) return recorded.epoch;
  const { runId, secondReplicationId: second, secondReplicationOffset: fork } = reading;
  const isOf = (intent: Ballot["lineage"]["intents"][number]): boolean =>
    intent.runId === runId && intent.replicationId === second && intent.offset + 1 === fork;
  return lineage.intents.findLast(isOf)?.epoch ?? null;
}

/**
 * What a primary that restarted with its snapshot made of its history, and who came along by a partial synchronization: as
 * long as nobody holds more of the old history than where it forked.
 */
function continued(reading: NodeReading, { ballot: { primary }, held }: GroupData): number | null {
  const own = held.find(({ id }) => id === primary?.node)?.reading ?? null;
  if (primary === null || own === null || own.secondReplicationId !== primary.replicationId) return null;
  const fork = own.secondReplicationOffset ?? 0;
  const isLeft = held.some(
    (each) => each.reading?.replicationId === primary.replicationId && each.reading.offset >= fork,
  );
  const isAlong = reading.replicationId === own.replicationId && reading.secondReplicationId === primary.replicationId;
  return isAlong && !isLeft ? primary.epoch : null;
}

/** A former primary that came back as another process beside one that serves, followed by nobody, with data that nobody forked by hand. */
function isBackByItself(view: GroupData, id: NodeId, reading: NodeReading): boolean {
  const { primary, members, lineage } = view.ballot;
  const runId = members.nodes[id]?.runId ?? null;
  const fork = reading.secondReplicationId;
  return (
    !isLost(view) &&
    primary !== null &&
    runId !== null &&
    runId !== reading.runId &&
    reading.replicas.length === 0 &&
    (fork === null || lineage.histories.some(({ replicationId }) => replicationId === fork)) &&
    historyOf(reading, view) === null &&
    lineage.histories.some((each) => each.node === id && each.epoch < primary.epoch)
  );
}
