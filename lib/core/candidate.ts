// Who may be promoted, in what order, and why not the others? From what the freeze replies showed: the candidate is the
// best of the nodes that count, by (history epoch, offset); priority and zone break ties inside the tolerance only (S6).
// Whether the set is large enough to promise that nothing acknowledged by WAIT is lost is `isEnough` (S9, R2, R4).

import type { Ballot, Primary } from "./ballot.ts";
import type { GroupConfig } from "./config.ts";
import { type Belonging, belonging } from "./lineage.ts";
import type { Epoch, NodeId, NodeReading, ReplicationId } from "./types.ts";

/** What one frozen node showed. */
export interface FrozenNode {
  readonly node: NodeId;
  /** INFO before the freeze: only it tells of a synchronization that was going on (N6). */
  readonly before: NodeReading;
  readonly after: NodeReading;
}

interface Standing {
  readonly node: NodeId;
  /** 0: unknown, and older than every recorded one. */
  readonly history: Epoch;
  readonly offset: number;
  readonly priority: number;
  /** The voted-down primary's zone. */
  readonly sameZone: boolean;
  /** It was not being replaced or loaded. */
  readonly isWhole: boolean;
  /** Why it does not count, or null. */
  readonly discounted: string | null;
  /** Why it may not win although it counts, or null. */
  readonly excluded: string | null;
}

export type Selection =
  | {
      readonly kind: "selected";
      readonly node: NodeId;
      readonly counted: readonly NodeId[];
      /** Bytes that a counted node has and the candidate lacks: lost if it is promoted. */
      readonly lossBytes: number;
      readonly notChosen: Readonly<Record<NodeId, string>>;
    }
  | { readonly kind: "none"; readonly reason: string; readonly notChosen: Readonly<Record<NodeId, string>> };

export interface SelectionOptions {
  readonly frozen: readonly FrozenNode[];
  readonly ballot: Ballot;
  readonly config: GroupConfig;
  /** Everything is frozen and read: what restarted counts as well, because nobody can have more. */
  readonly coldStart: boolean;
  /** The committed primary is to be replaced although it answers. Otherwise, frozen and read, it may be restored to itself. */
  readonly insists: boolean;
  /** A person named it; only it may win, and what would be lost is recorded. */
  readonly only: NodeId | null;
  /** Promoting them was tried, and failed too often. */
  readonly barred?: readonly NodeId[];
}

/** The candidate among the frozen nodes, or why there is none. */
export function select(options: SelectionOptions): Selection {
  const standings = options.frozen.map((each) => standingOf(each, options));
  const counted = standings.filter((each) => each.discounted === null);
  const notChosen = reasons(standings);
  const unexplained = options.coldStart && options.only === null ? options.frozen.filter(isUnexplained(options)) : [];
  if (unexplained.length > 0) {
    // "With all nodes read nobody can have more" holds only of histories that compare: this one may be the newest.
    const reason = `${unexplained.map((each) => each.node).join(", ")} holds data of a history that no record explains`;
    return { kind: "none", reason, notChosen };
  }
  if (counted.length === 0) return { kind: "none", reason: "no node that answered counts", notChosen };
  const known = [...counted, ...newerThan(counted, standings)];
  const wins = known.filter((each) => each.excluded === null);
  if (wins.length === 0) return { kind: "none", reason: "no node that counts may be promoted", notChosen };
  const { config } = options;
  const chosen = best(wins, config.offsetToleranceBytes);
  if (chosen.discounted !== null && config.onPossibleLoss === "refuse") {
    const reason = `${chosen.node} restarted, and what counts is of an older history than it holds`;
    return { kind: "none", reason, notChosen };
  }
  const ahead = known.filter((each) => compareData(each, chosen) < 0);
  const newest = Math.max(...known.filter((each) => each.history === maxHistory(known)).map((each) => each.offset));
  const lossBytes = ahead.length === 0 ? 0 : Math.max(1, newest - chosen.offset);
  if (lossBytes > 0 && config.onPossibleLoss === "refuse" && options.only === null) {
    const reason = `${ahead.map((each) => each.node).join(", ")} may not be promoted and holds writes that ${chosen.node} lacks`;
    return { kind: "none", reason, notChosen };
  }
  const { [chosen.node]: _, ...others } = notChosen;
  return {
    kind: "selected",
    node: chosen.node,
    counted: counted.map((each) => each.node),
    lossBytes,
    notChosen: others,
  };
}

/**
 * Nobody who is missing can have more than `reading`: each was lost before the primary had what this one shows, of the same
 * history. Seen from outside, so not for a promise: under `refuse` every node has to be read.
 */
export function surpasses(
  reading: NodeReading,
  missing: readonly NodeId[],
  ballot: Ballot,
  config: GroupConfig,
): boolean {
  const belongs = belonging(reading, ballot.lineage);
  if (config.onPossibleLoss === "refuse" || belongs.kind === "unknown" || belongs.epoch !== ballot.primary?.epoch)
    return false;
  return missing.every((id) => {
    const goneAt = ballot.members.nodes[id]?.goneAt ?? null;
    return goneAt !== null && reading.offset >= goneAt;
  });
}

/** R2: every write that WAIT k acknowledged is on at least one of these. Under `promote` one counted node is enough. */
export function isEnough(counted: number, ballot: Ballot, config: GroupConfig): boolean {
  return counted >= enoughOf(ballot, config);
}

export function enoughOf(ballot: Ballot, config: GroupConfig): number {
  if (config.onPossibleLoss === "promote") return 1;
  return Math.max(1, Object.keys(ballot.members.nodes).length - config.waitK);
}

/** The declared priority, else the node's own; 0 is "never" on either side. Discovered nodes have 0. */
export function priorityOf(node: NodeId, reading: NodeReading, config: GroupConfig): number {
  const configured = config.nodes.find((each) => each.id === node);
  if (configured === undefined || reading.priority === 0) return 0;
  return configured.priority ?? reading.priority;
}

function standingOf(frozen: FrozenNode, options: SelectionOptions): Standing {
  const { ballot, config } = options;
  const { node, after: reading } = frozen;
  const belongs = placed(reading, options);
  const zoneOf = (id: NodeId) => config.nodes.find((each) => each.id === id)?.zone;
  return {
    node,
    history: belongs.kind === "unknown" ? (0 as Epoch) : belongs.epoch,
    offset: reading.offset,
    priority: priorityOf(node, reading, config),
    sameZone: ballot.primary !== null && zoneOf(node) === zoneOf(ballot.primary.node),
    isWhole: !frozen.before.syncInProgress && !frozen.before.loading && !reading.loading,
    discounted: whyDiscounted(frozen, options),
    excluded: whyExcluded(frozen, options),
  };
}

function whyDiscounted(frozen: FrozenNode, options: SelectionOptions): string | null {
  const { ballot } = options;
  const { node, before, after: reading } = frozen;
  const member = ballot.members.nodes[node];
  const isNamed = options.only === node;
  if (!isNamed && placed(reading, options).kind === "unknown") return "its replication id is in no recorded history";
  if (before.syncInProgress) return "it was in the middle of a full synchronization";
  if (before.loading || reading.loading) return "it is loading";
  if (options.coldStart || options.only !== null || areAllRead(options)) return null;
  if (member === undefined || member.runId === null) return "it was never seen in sync";
  if (member.runId !== reading.runId) return "it restarted since it was last in sync";
  if (member.inSyncEpoch === 0) return "it was never seen in sync";
  return null;
}

/**
 * Every member is frozen and read: nobody else can have more, so what restarted counts by the history that it kept. Else an
 * old process that missed everything would win over restarted ones that hold it all. Only of histories that compare: one
 * that holds data which no record explains may have more than all of them (R25).
 */
const areAllRead = (options: SelectionOptions): boolean =>
  Object.keys(options.ballot.members.nodes).every((id) => options.frozen.some((each) => each.node === id)) &&
  !options.frozen.some(isUnexplained(options));

/**
 * Restarted nodes that kept a newer history than all that count: a process that missed a whole failover must not win over
 * what was acknowledged since. Of the same history they stay out, for what they had acknowledged they may have lost (R4).
 */
const newerThan = (counted: readonly Standing[], standings: readonly Standing[]): readonly Standing[] =>
  standings.filter((each) => each.isWhole && each.history > maxHistory(counted));

function whyExcluded(frozen: FrozenNode, options: SelectionOptions): string | null {
  const { ballot, config, only } = options;
  const { node, before, after: reading } = frozen;
  if (options.barred?.includes(node) === true) return "promoting it has failed";
  if (only !== null) return only === node ? null : `${only} was named`;
  if (priorityOf(node, reading, config) === 0) return "its priority is 0";
  if (options.coldStart) return null;
  if (options.insists && ballot.primary?.node === node) return "it is the primary that is to be replaced";
  const down = before.linkDownSeconds;
  if (config.maxLinkDownMs !== null && down !== null && down * 1_000 > config.maxLinkDownMs) {
    return `its link had been down for ${down} s`;
  }
  return null;
}

/** R25: a node without any key has nothing that could be missed. */
const isUnexplained =
  (options: SelectionOptions) =>
  ({ after: reading }: FrozenNode): boolean =>
    reading.keyCount > 0 && placed(reading, options).kind === "unknown";

/** Where the data belongs among what was frozen: in the record, or in what the committed primary itself made of it. */
function placed(reading: NodeReading, options: SelectionOptions): Belonging {
  const { ballot } = options;
  const belongs = belonging(reading, ballot.lineage);
  const { primary } = ballot;
  if (belongs.kind !== "unknown" || primary === null) return belongs;
  if (reading.replicationId !== continuationOf(options.frozen, primary)) return belongs;
  // What was flushed and loaded anew no longer names the history before: it may have been ahead, and lost that (R4).
  const isContinued = reading.secondReplicationId === primary.replicationId;
  return isContinued ? { kind: "recorded", epoch: primary.epoch } : belongs;
}

/**
 * A plain primary that restarts with its snapshot goes on under a new id, forked from the committed history where its
 * snapshot ends; replicas that come back to it before it is frozen go along. As long as nobody holds more of the old id
 * than that fork, its data is the old history's, and more of it. Where somebody does, the two have parted (R25).
 */
function continuationOf(frozen: readonly FrozenNode[], primary: Primary): ReplicationId | null {
  const own = frozen.find((each) => each.node === primary.node)?.after;
  if (own?.secondReplicationId !== primary.replicationId) return null;
  const fork = own.secondReplicationOffset ?? 0;
  const isLeftBehind = frozen.some(
    ({ after }) => after.replicationId === primary.replicationId && after.offset >= fork,
  );
  return isLeftBehind ? null : own.replicationId;
}

/** Negative: `a` has data that `b` lacks. */
const compareData = (a: Standing, b: Standing): number => b.history - a.history || b.offset - a.offset;

const maxHistory = (standings: readonly Standing[]): number => Math.max(...standings.map((each) => each.history));

/** Most data first; among those of the same history within the tolerance: priority, another zone, name. */
function best(wins: readonly Standing[], toleranceBytes: number): Standing {
  const most = first(wins, compareData);
  const near = wins.filter((each) => each.history === most.history && most.offset - each.offset <= toleranceBytes);
  const order = (a: Standing, b: Standing) =>
    a.priority - b.priority ||
    Number(a.sameZone) - Number(b.sameZone) ||
    compareData(a, b) ||
    (a.node < b.node ? -1 : 1);
  return first(near, order);
}

/** Of at least one. */
const first = (standings: readonly Standing[], order: (a: Standing, b: Standing) => number): Standing =>
  standings.reduce((best, each) => (order(each, best) < 0 ? each : best));

function reasons(standings: readonly Standing[]): Record<NodeId, string> {
  const why = (each: Standing) => each.discounted ?? each.excluded ?? "another has more data or precedes it";
  return Object.fromEntries(standings.map((each) => [each.node, why(each)]));
}
