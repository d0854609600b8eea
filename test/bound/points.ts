// Where the formula is held against the simulator: at losses so high that it predicts tens to thousands of false alarms in
// an hour or two, and at the stated loss, where it predicts none. What is predicted is a range, because a voter asks more
// often while anybody votes, and because two votes have to stand together long enough for a grant.

import { type QuietGroup, type Tally, watch } from "./quiet-group.ts";
import { poissonLimits, quorumsPerSecond } from "./rates.ts";
import { electorateOf, shippedConfig, voterTimetables } from "./rules.ts";
import { burstsOf, independentLoss, type LossyPath, type Silence, silenceOf, sum, type Timetable } from "./silence.ts";
import { probesOverTcp } from "./tcp.ts";

export interface Point {
  readonly name: string;
  readonly group: QuietGroup;
}

export interface Range {
  readonly low: number;
  readonly high: number;
}

export interface Comparison {
  readonly what: string;
  readonly seen: number;
  readonly predicted: Range;
  /** No mean within the prediction makes what was seen likely enough. */
  readonly isViolated: boolean;
}

export interface Result {
  readonly point: Point;
  readonly tally: Tally;
  readonly comparisons: readonly Comparison[];
}

/** One comparison in so many may be wrong about a prediction that is right. */
export const OUTSIDE = 0.001;
/** A simulated timer is up to a millisecond late. */
const LATE_MS = 0.5;
/** From a vote's writing in the simulated table to the grant that rests on it, least and most; a tombstone takes about as long. */
const GRANT_MS = { least: 0, most: 12 };
const RETRACT_MS = { least: 2, most: 10 };

export const QUIET = { voters: 3, path: independentLoss(0), heartbeatSeconds: null } as const;

const independent = (downAfterMs: number, loss: number, hours: number, voters = 3): Point => ({
  name: `${loss * 100} % of probes, downAfterMs ${downAfterMs}, ${voters} voters`,
  group: {
    ...QUIET,
    seed: `bound ${downAfterMs} ${loss}`,
    voters,
    settings: { downAfterMs },
    path: independentLoss(loss),
    hours,
  },
});

const bursts = (downAfterMs: number, badMs: number, everyMs: number, hours: number): Point => ({
  name: `bursts of ${badMs} ms every ${everyMs / 1_000} s, downAfterMs ${downAfterMs}`,
  group: { ...QUIET, seed: `bound ${badMs}`, settings: { downAfterMs }, path: burstsOf(badMs, everyMs), hours },
});

const packets = (downAfterMs: number, packetLoss: number, hours: number): Point => ({
  name: `${packetLoss * 100} % of packets, sent again by TCP, downAfterMs ${downAfterMs}`,
  group: { ...QUIET, seed: `bound ${packetLoss}`, settings: { downAfterMs }, packetLoss, hours },
});

const common = (voters: number, heartbeatSeconds: number | null, hours: number): Point => ({
  name: `bursts of 10 s every 60 s that ${voters} voters share, ${heartbeatSeconds === null ? "no witness" : "a heartbeat each second"}`,
  group: {
    ...QUIET,
    seed: "bound common",
    settings: {},
    common: { voters, path: burstsOf(10_000, 60_000) },
    heartbeatSeconds,
    hours,
  },
});

/** A voter that dies just after its vote, again and again, beside one that lives. */
export const DYING: QuietGroup = {
  ...QUIET,
  seed: "bound dying",
  voters: 2,
  settings: { downAfterMs: 1_000 },
  path: independentLoss(0.15),
  hours: 0.4,
  dying: { voter: "az-a", afterMs: 100 },
};

export const POINTS: readonly Point[] = [
  independent(500, 0.05, 1),
  independent(500, 0.1, 1),
  independent(500, 0.2, 0.3),
  independent(500, 0.15, 0.5, 2),
  independent(1_000, 0.15, 1),
  independent(5_000, 0.45, 2),
  bursts(500, 400, 20_000, 2),
  bursts(5_000, 4_000, 60_000, 3),
  packets(500, 0.05, 1),
  packets(1_000, 0.1, 1),
  common(2, null, 1.5),
  common(2, 1, 1.5),
  common(3, 1, 1.5),
  { name: "15 % of probes, downAfterMs 1000, 2 voters, one dies with its vote standing", group: DYING },
];

/** Nothing is expected here, in any time that can be simulated. */
export const statedPoints = (hours: number): readonly Point[] => [
  independent(5_000, 0.001, hours),
  independent(1_000, 0.001, hours / 2),
];

export function measure(point: Point): Result {
  const tally = watch(point.group);
  return { point, tally, comparisons: compare(point.group, tally) };
}

export function compare(group: QuietGroup, tally: Tally): readonly Comparison[] {
  if (group.common !== undefined) return [compared("failovers", tally.failovers, commonFailovers(group, tally))];
  const silences = silencesOf(group);
  const verdicts = rangeOf(silences.map((each) => each.perSecond * tally.watchedSeconds));
  const lowest = verdicts.low * (group.packetLoss === undefined ? shareNotCutOff(group) : TCP_LOW);
  const predicted = compared("verdicts", tally.verdicts, { low: lowest, high: verdicts.high });
  if (group.dying !== undefined)
    return [predicted, compared("failovers", tally.failovers, dyingFailovers(group, tally, silences))];
  const quorums = quorumRange(group, tally, silences);
  const low = quorums.low * (lowest / verdicts.low) ** 2;
  return [
    predicted,
    compared("quorums", tally.quorums, { low, high: quorums.high }),
    compared("failovers", tally.failovers, { low, high: quorums.high }),
  ];
}

/** An answer that TCP brought late moves all that follows; the formula leaves that out, and is an upper one. */
const TCP_LOW = 0.6;

function compared(what: string, seen: number, predicted: Range): Comparison {
  const limits = poissonLimits(seen, OUTSIDE);
  return { what, seen, predicted, isViolated: limits.high < predicted.low || limits.low > predicted.high };
}

const rangeOf = (values: readonly number[]): Range => ({ low: Math.min(...values), high: Math.max(...values) });

const configOf = (group: QuietGroup) => shippedConfig(group.settings, group.voters);

const pathOf = ({ path, packetLoss }: QuietGroup, timetable: Timetable): LossyPath =>
  packetLoss === undefined ? path : probesOverTcp(packetLoss, timetable);

/** Quiet throughout, and irregular throughout: what happens lies between. */
const silencesOf = (group: QuietGroup): readonly Silence[] =>
  voterTimetables(configOf(group), LATE_MS).map((timetable) => silenceOf(pathOf(group, timetable), timetable));

/** A voter that has lost both replicas as well abstains; they are lost as often as the primary. */
function shareNotCutOff(group: QuietGroup): number {
  const shares = voterTimetables(configOf(group), LATE_MS).map((timetable) => {
    const lost = silenceOf(group.path, { ...timetable, boundMs: timetable.nextMs + timetable.retryMs });
    return 1 - (sum(lost.dwells.map(({ ms, perSecond }) => ms * perSecond)) / 1_000) ** 2;
  });
  return Math.min(...shares);
}

function quorumRange(group: QuietGroup, tally: Tally, silences: readonly Silence[]): Range {
  const electorate = electorateOf(configOf(group), group.voters);
  // Two invocations of one voter watch for a moment at each hand-over: each has verdicts of its own.
  const watching = (tally.watchedSeconds / tally.seconds / group.voters) ** electorate.quorum * tally.seconds;
  const least = { retractMs: RETRACT_MS.least, togetherMs: GRANT_MS.most };
  const most = { retractMs: RETRACT_MS.most, togetherMs: GRANT_MS.least };
  return rangeOf(
    silences.flatMap((each) => [least, most].map((meeting) => quorumsPerSecond(each, electorate, meeting) * watching)),
  );
}

/** A vote that nobody affirms any more counts for `voteWindowMs`, and not until somebody retracts it. */
function dyingFailovers(group: QuietGroup, tally: Tally, silences: readonly Silence[]): Range {
  const perSecond = rangeOf(silences.map((each) => each.perSecond));
  const freshMs = (group.dying?.afterMs ?? 0) + configOf(group).voteWindowMs + 2 * RETRACT_MS.most;
  const byDeath = (tally.deaths * (group.voters - 1) * perSecond.high * freshMs) / 1_000;
  return { low: 0, high: quorumRange(group, tally, silences).high + byDeath };
}

/** Bursts that last until the attempts of every voter that is needed are lost: some, or with a witness all of them for longer. */
function commonFailovers(group: QuietGroup, tally: Tally): Range {
  const { common, heartbeatSeconds } = group;
  if (common === undefined) return { low: 0, high: 0 };
  if (heartbeatSeconds !== null && common.voters < group.voters) return { low: 0, high: 0 };
  const config = configOf(group);
  const boundMs = heartbeatSeconds === null ? config.downAfterMs : config.unreachableAfterMs;
  const { goodMs, badMs } = common.path;
  const bursts = (tally.seconds * 1_000) / (goodMs + badMs);
  // Seen through to the last attempt before the bound at the earliest, and past it by a probe and the votes at the latest.
  const latestMs = boundMs + config.probeTimeoutMs + 2 * config.probeIntervalMs;
  const earliestMs = boundMs - config.probeIntervalMs - config.probeTimeoutMs;
  return { low: bursts * Math.exp(-latestMs / badMs), high: bursts * Math.exp(-earliestMs / badMs) };
}
