// How often is a node that serves not heard for as long as a verdict takes, and for how long is it then called down? Exact
// for one asker and one path: attempts at known distances, each lost or not by the state that the path is in when it is
// sent. What is computed is the renewal process of gaps between two answers: a gap of k lost attempts and an answer.

/** A path of two states (Gilbert and Elliott). With equal rates of loss every attempt is lost independently. */
export interface LossyPath {
  readonly goodLoss: number;
  readonly badLoss: number;
  /** Where the attempts of one gap are not lost alike, whatever the state: of the k-th. */
  readonly lossOf?: (k: number) => number;
  /** Mean stays. */
  readonly goodMs: number;
  readonly badMs: number;
}

export const independentLoss = (rate: number): LossyPath => ({ goodLoss: rate, badLoss: rate, goodMs: 1, badMs: 1 });

/** All is lost in a burst, and nothing between two but `loss`. */
export const burstsOf = (badMs: number, everyMs: number, loss = 0): LossyPath => ({
  goodLoss: loss,
  badLoss: 1,
  goodMs: everyMs - badMs,
  badMs,
});

/** When somebody who has an answer asks again, and when it has waited long enough. */
export interface Timetable {
  /** From an answered attempt to the next. */
  readonly nextMs: number;
  /** From a lost attempt to the next. */
  readonly retryMs: number;
  /** No answer for so long is a verdict. */
  readonly boundMs: number;
  /** From where silence counts: the first lost attempt, or the last answer. */
  readonly since: "answer" | "lost-attempt";
  /** A timer fires on average so much late. */
  readonly lateMs: number;
}

/** One way to be down: how long, and how often per second. */
export interface Dwell {
  readonly ms: number;
  readonly perSecond: number;
}

export interface Silence {
  /** Lost attempts that make a verdict. */
  readonly attempts: number;
  readonly perSecond: number;
  readonly dwells: readonly Dwell[];
  /** How long one answer is behind the other. */
  readonly meanGapMs: number;
}

type Two = readonly [number, number];

/** Gaps of more lost attempts than this are not looked at: what is left has to be nothing. */
const MOST_ATTEMPTS = 5_000;
const NEGLIGIBLE = 1e-14;

/** The k-th lost attempt of a gap is sent so long after the answered one. */
export const sentAfterMs = ({ nextMs, retryMs, lateMs }: Timetable, k: number): number =>
  nextMs + lateMs + k * (retryMs + lateMs);

export const verdictAfterMs = (timetable: Timetable): number =>
  timetable.boundMs + timetable.lateMs + (timetable.since === "answer" ? 0 : sentAfterMs(timetable, 0));

/** Attempts whose answer comes before the verdict. One at the same instant does not: after a loss it has to dial first. */
export function attemptsOf(timetable: Timetable): number {
  let count = 0;
  while (sentAfterMs(timetable, count) < verdictAfterMs(timetable)) count += 1;
  return count;
}

export function silenceOf(path: LossyPath, timetable: Timetable): Silence {
  const attempts = attemptsOf(timetable);
  const gaps = gapsOf(path, timetable, attempts);
  let meanGapMs = 0;
  for (const [k, probability] of gaps.entries()) meanGapMs += probability * sentAfterMs(timetable, k);
  const dwells = gaps.slice(attempts).map((probability, over) => ({
    ms: sentAfterMs(timetable, attempts + over) - verdictAfterMs(timetable),
    perSecond: (probability / meanGapMs) * 1_000,
  }));
  return { attempts, perSecond: sum(dwells.map((each) => each.perSecond)), dwells, meanGapMs };
}

/** Probability of each number of lost attempts between two answers, with the path as it is when an answer was had. */
function gapsOf(path: LossyPath, timetable: Timetable, attempts: number): readonly number[] {
  let atAnswer: Two = [1, 0];
  for (let round = 0; ; round += 1) {
    const { gaps, ends } = gapsFrom(atAnswer, path, timetable, attempts);
    const settled = Math.abs(ends[0] - atAnswer[0]) <= NEGLIGIBLE * ends[0] && isClose(ends[1], atAnswer[1]);
    atAnswer = ends;
    if (settled) return gaps;
    if (round > MOST_ATTEMPTS) throw new Error("the path does not settle");
  }
}

const isClose = (left: number, right: number): boolean => Math.abs(left - right) <= 1e-9 * Math.max(left, right);

function gapsFrom(start: Two, path: LossyPath, timetable: Timetable, attempts: number) {
  const gaps: number[] = [];
  let states = passed(start, path, timetable.nextMs + timetable.lateMs);
  let ends: Two = [0, 0];
  for (let k = 0; k < MOST_ATTEMPTS; k += 1) {
    const goodLoss = path.lossOf?.(k) ?? path.goodLoss;
    const badLoss = path.lossOf?.(k) ?? path.badLoss;
    const answered: Two = [states[0] * (1 - goodLoss), states[1] * (1 - badLoss)];
    gaps.push(answered[0] + answered[1]);
    ends = [ends[0] + answered[0], ends[1] + answered[1]];
    const lost: Two = [states[0] * goodLoss, states[1] * badLoss];
    // What is still to come is compared with the rare part, the gaps that are verdicts: nothing of those may be missing.
    if (k >= attempts && lost[0] + lost[1] <= NEGLIGIBLE * sum(gaps.slice(attempts))) return { gaps, ends };
    states = passed(lost, path, timetable.retryMs + timetable.lateMs);
  }
  throw new Error("a burst outlasts every attempt that is looked at");
}

/** The weights of both states after so long. */
export function passed([good, bad]: Two, { goodMs, badMs }: LossyPath, ms: number): Two {
  const badShare = badMs / (goodMs + badMs);
  // 1 - e^-x keeps its digits for a burst that is rare.
  const mixed = -Math.expm1(-ms * (1 / goodMs + 1 / badMs));
  const toBad = badShare * mixed;
  const toGood = (1 - badShare) * mixed;
  return [good * (1 - toBad) + bad * toGood, good * toBad + bad * (1 - toGood)];
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
