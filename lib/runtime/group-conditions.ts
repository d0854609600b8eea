// Which conditions that an operator must act on does one voter's view of one group show? From the view alone, as the
// voter writes it into its slot, so that what rings is what `valkeeper why` explains. What passes by itself within half a
// minute is no condition: a failover takes seconds, and its own waiting is told as a rejection too.

import type { ControlMode } from "../core/ballot.ts";
import type { EventName } from "../core/events.ts";
import type { VoterGroupView } from "../core/records.ts";
import type { RejectionReason } from "../core/rejection.ts";
import { BOOT_FENCE } from "../core/token.ts";
import { METRICS, type MetricName } from "./metric-names.ts";

/** What lasts for less may still end by itself. */
export const CONDITION_AFTER_MS = 30_000;

const { groupsNotReady, groupsBlocked, groupsMisconfigured, groupsBootFenced } = METRICS;

/** Null: passes by itself, or is measured otherwise. */
export const CONDITION_OF: Readonly<Record<RejectionReason, MetricName | null>> = {
  "not-adopted": groupsNotReady,
  "adoption-refused": groupsNotReady,
  "not-armed": groupsNotReady,
  "record-unreadable": groupsNotReady,
  "foreign-table": groupsNotReady,
  // A person decided so, and the primary is down: they should know.
  observing: groupsBlocked,
  paused: groupsBlocked,
  suspended: null,
  "store-unreachable": METRICS.storeFailures,
  "waiting-for-down-after": null,
  "witness-veto": groupsBlocked,
  "cut-off": groupsBlocked,
  busy: groupsBlocked,
  loading: groupsBlocked,
  misconfigured: groupsMisconfigured,
  "write-dead-by-policy": groupsBlocked,
  "quorum-pending": groupsBlocked,
  "too-few-nodes": groupsBlocked,
  "possible-loss-refused": groupsBlocked,
  "cold-start-waiting": groupsBlocked,
  "unexplained-primary": groupsBlocked,
  "unknown-history": groupsBlocked,
  "budget-spent": groupsBlocked,
  "backing-off": groupsBlocked,
  "operation-going-on": groupsBlocked,
  "stop-awaited": groupsBlocked,
};

/** Conditions that begin and end for one group, as their alarms and the runbook's headings are called. */
export const CONDITION_NAMES: Readonly<Partial<Record<MetricName, string>>> = {
  [groupsNotReady]: "group-not-ready",
  [groupsBlocked]: "failover-blocked",
  [groupsMisconfigured]: "credentials-misconfigured",
  [groupsBootFenced]: "boot-fenced-waiting",
  [METRICS.publicationsBehind]: "publication-behind",
  [METRICS.groupsChurning]: "needless-churn",
  [METRICS.unreadableRecords]: "record-unreadable",
};

/**
 * What `failover-happened` rings for. A primary that answers and cannot write is handed over by nobody's order: that is a failover to
 * whoever is woken.
 */
export const isFailoverEnd = (event: EventName, detail: Readonly<Record<string, unknown>>): boolean =>
  event === "failover.completed" || (event === "switchover.completed" && detail["by"] === "automatic");

/** A condition, by its metric, and the reason in the words of the view. */
export type Conditions = ReadonlyMap<MetricName, string>;

/** What the caller knows beside the view. */
export interface ConditionContext {
  /** Null: the ballot was not read yet. */
  readonly mode: ControlMode | null;
  /** How long nobody could have been promoted. */
  readonly withoutCandidateMs: number;
}

export function conditionsOf(view: VoterGroupView, { mode, withoutCandidateMs }: ConditionContext): Conditions {
  const found = new Map<MetricName, string>();
  const { rejection } = view;
  // A group that is only watched has no primary of ours, and is not to have one: nobody waits for it.
  const isWatchedOnly = rejection?.reason === "not-adopted" && (mode === "observe" || mode === "paused");
  if (rejection !== null && rejection.sinceMs >= CONDITION_AFTER_MS && !isWatchedOnly) {
    const condition = CONDITION_OF[rejection.reason];
    const reason = `${rejection.reason}: ${rejection.detail}`;
    if (condition !== null) found.set(condition, reason);
    if (isBootFenceWaiting(view)) found.set(groupsBootFenced, reason);
  }
  const misconfigured = Object.entries(view.nodes).find(
    ([, node]) => node.class === "misconfigured" && node.sinceMs >= CONDITION_AFTER_MS,
  );
  if (misconfigured !== undefined) found.set(groupsMisconfigured, `${misconfigured[0]}: ${misconfigured[1].detail}`);
  // During a pause nobody would be promoted in any case, and a replica may be down on purpose.
  const isExpected = isWatchedOnly || mode === "paused" || found.has(groupsNotReady);
  if (withoutCandidateMs >= CONDITION_AFTER_MS && !isExpected) {
    found.set(groupsNotReady, `nobody could be promoted: ${words(view.notCandidates)}`);
  }
  return found;
}

/** Started, and waiting to be told who is primary: its data is there, and no node of the group serves. */
function isBootFenceWaiting({ nodes }: VoterGroupView): boolean {
  const all = Object.values(nodes);
  const isServed = all.some((node) => node.class === "serving" && node.role === "primary");
  return !isServed && all.some(({ follows }) => follows?.host === BOOT_FENCE.host && follows.port === BOOT_FENCE.port);
}

const words = (reasons: Readonly<Record<string, string>>): string => {
  const all = Object.entries(reasons).map(([node, why]) => `${node} ${why}`);
  return all.length === 0 ? "no other node answers" : all.join("; ");
};
