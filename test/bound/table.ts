// The bound itself: needless failovers a year by loss and setting, and whether it meets the goal.

import { DEFAULTS } from "../../lib/core/config.ts";
import { majority } from "../../lib/core/config-defaults.ts";
import { type Meeting, quorumsPerSecond, SECONDS_PER_YEAR } from "./rates.ts";
import { electorateOf, sentinelTimetable, shippedConfig, voterTimetables } from "./rules.ts";
import { burstsOf, independentLoss, type LossyPath, type Silence, silenceOf, sum, type Timetable } from "./silence.ts";
import { probesOverTcp } from "./tcp.ts";

export const LOSS = 0.001;
/** Every path of a voter to the primary has these, each path on its own; `LOSS` goes on between them. */
export const BURSTS = [
  { name: "0.2 s, hourly", path: burstsOf(200, 3_600_000, LOSS) },
  { name: "1 s, daily", path: burstsOf(1_000, 86_400_000, LOSS) },
  { name: "5 s, weekly", path: burstsOf(5_000, 7 * 86_400_000, LOSS) },
] as const;

/** Such as meet a quorum of voters, or all of them, at once, and neither replicas nor clients. */
export const COMMON = { meanMs: 1_000, perYear: 52 } as const;

export const GOAL_YEARS = 100;
export const DOWN_AFTER_MS = [500, 1_000, DEFAULTS.downAfterMs, 30_000] as const;
export const VOTERS = [2, 3] as const;

/** A tombstone takes one write at least; this is ten. Nothing is taken off for a grant that comes too late. */
const SAFE: Meeting = { retractMs: 100, togetherMs: 0 };
/** Invocations that watch for one voter: two at each hand-over. The simulation measures 1.02, and 1.1 at losses that nobody has. */
const WATCHERS = 1.1;

export interface Row {
  readonly downAfterMs: number;
  readonly voters: number;
  readonly attempts: number;
  /** One voter's false verdicts. */
  readonly verdictsPerYear: number;
  /** Needless failovers a year: by lost probes, by lost packets, by each kind of burst, and by all at once. */
  readonly probes: number;
  readonly packets: number;
  readonly bursts: readonly number[];
  readonly together: number;
  readonly sentinelProbes: number;
  readonly sentinelTogether: number;
}

export function rows(): readonly Row[] {
  return DOWN_AFTER_MS.flatMap((downAfterMs) => VOTERS.map((voters) => rowOf(downAfterMs, voters)));
}

export function rowOf(downAfterMs: number, voters: number): Row {
  const config = shippedConfig({ downAfterMs }, voters);
  const electorate = electorateOf(config, voters);
  const timetables = voterTimetables(config, 0);
  const perYear = (silences: readonly Silence[]): number =>
    Math.max(...silences.map((each) => quorumsPerSecond(each, electorate, SAFE))) *
    WATCHERS ** electorate.quorum *
    SECONDS_PER_YEAR;
  const by = (path: (timetable: Timetable) => LossyPath) => timetables.map((each) => silenceOf(path(each), each));
  const independent = by(() => independentLoss(LOSS));
  const sentinel = sentinelTimetable(downAfterMs);
  const sentinelElectorate = { voters, quorum: majority(voters) };
  const sentinelPerYear = (silence: Silence): number =>
    quorumsPerSecond(silence, sentinelElectorate, SAFE) * SECONDS_PER_YEAR;
  return {
    downAfterMs,
    voters,
    attempts: Math.min(...independent.map(({ attempts }) => attempts)),
    verdictsPerYear: Math.max(...independent.map(({ perSecond }) => perSecond)) * SECONDS_PER_YEAR,
    probes: perYear(independent),
    packets: perYear(by((timetable) => probesOverTcp(LOSS, timetable))),
    bursts: BURSTS.map(({ path }) => perYear(by(() => path))),
    together: perYear(timetables.map(together)),
    sentinelProbes: sentinelPerYear(silenceOf(independentLoss(LOSS), sentinel)),
    sentinelTogether: sentinelPerYear(together(sentinel)),
  };
}

/** Verdicts of all causes, whichever meets whichever: those of the loss that is always there, and what each kind of burst adds. */
function together(timetable: Timetable): Silence {
  const always = silenceOf(independentLoss(LOSS), timetable);
  const added = BURSTS.flatMap(({ path }) =>
    silenceOf(path, timetable).dwells.map(({ ms, perSecond }, index) => ({
      ms,
      perSecond: Math.max(0, perSecond - (always.dwells[index]?.perSecond ?? 0)),
    })),
  );
  const dwells = [...always.dwells, ...added];
  return { ...always, dwells, perSecond: sum(dwells.map((each) => each.perSecond)) };
}

/** Needless failovers a year by what the voters' ways share: without a witness a quorum is enough, with one it takes all for longer. */
export function commonPerYear(hasWitness: boolean): number {
  const { downAfterMs, unreachableAfterMs, probeIntervalMs, probeTimeoutMs } = shippedConfig({}, 3);
  const boundMs = hasWitness ? unreachableAfterMs : downAfterMs;
  return COMMON.perYear * Math.exp(-(boundMs - probeIntervalMs - probeTimeoutMs) / COMMON.meanMs);
}

/** The shipped defaults, three zones: independent loss and every kind of burst, and what is shared. */
export const needlessPerYear = (hasWitness: boolean): number =>
  rowOf(DEFAULTS.downAfterMs, 3).together + commonPerYear(hasWitness);

/** Where a witness speaks: without one the goal is missed. */
export const meetsGoal = (): boolean => needlessPerYear(true) < 1 / GOAL_YEARS;
