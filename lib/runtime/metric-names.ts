// What the functions measure, by the names under which CloudWatch keeps it: shared by the meters that count and the
// constructs that alarm. Alarms are per condition over all groups of a deployment, so the table is the one dimension that
// every metric has; which group it is stands in the log line that carried the figure.

export const METRIC_NAMESPACE = "Valkeeper";

export const DIMENSIONS = {
  /** The deployment, by the name of its table: two in one account are told apart. */
  deployment: "Table",
  /** Only of what is asked about one voter function: every combination is a metric that is paid for. */
  voter: "Voter",
  /** Only where per-group metrics were asked for. */
  group: "Group",
} as const;

/** Of the function of a zone and shard, by the value of its dimension: a silent one must not be lost in its zone's sum. */
export const voterFunctionName = (zone: string, shard: number): string =>
  shard === 0 ? zone : `${zone}-shard-${shard}`;

export const METRICS = {
  /** Per voter function: slots written, so heard by the others. Missing means silent. */
  voterHeartbeats: "VoterHeartbeats",
  /** Groups, the most in a minute. */
  groupsNotReady: "GroupsNotReady",
  groupsBlocked: "GroupsBlocked",
  groupsMisconfigured: "GroupsMisconfigured",
  groupsBootFenced: "GroupsBootFenced",
  groupsChurning: "GroupsChurning",
  publicationsBehind: "PublicationsBehind",
  /** Occurrences. */
  failovers: "Failovers",
  failoversAbandoned: "FailoversAbandoned",
  switchovers: "Switchovers",
  groupFailures: "GroupFailures",
  voterSuspensions: "VoterSuspensions",
  storeFailures: "StoreFailures",
  throttles: "Throttles",
  unreadableRecords: "UnreadableRecords",
} as const;

export type MetricName = (typeof METRICS)[keyof typeof METRICS];
