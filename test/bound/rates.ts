// How often do enough voters call a node down at the same time that serves all the while? Their paths fail independently
// here; what they have in common is a term of its own (`common.ts`).

import { type Silence, sum } from "./silence.ts";

export const SECONDS_PER_YEAR = 365.25 * 86_400;

export interface Electorate {
  readonly voters: number;
  readonly quorum: number;
}

/** How two verdicts that overlap become a count: see each field. */
export interface Meeting {
  /** A vote stands for so long after the answer that ends its verdict: its tombstone has to be written. */
  readonly retractMs: number;
  /** Two votes have to stand together for so long: one voter must hear of the other's, and write the grant. */
  readonly togetherMs: number;
}

/**
 * Quorums per second: one voter's verdict begins while quorum - 1 of the others stand. An upper bound by as much as two
 * quorums of one moment are counted twice.
 */
export function quorumsPerSecond(silence: Silence, { voters, quorum }: Electorate, meeting: Meeting): number {
  const { retractMs, togetherMs } = meeting;
  const beginning = sum(
    silence.dwells.filter(({ ms }) => ms + retractMs > togetherMs).map(({ perSecond }) => perSecond),
  );
  const standing = sum(
    silence.dwells.map(({ ms, perSecond }) => (perSecond * Math.max(0, ms + retractMs - togetherMs)) / 1_000),
  );
  if (quorum === 1) return voters * beginning;
  return voters * beginning * combinations(voters - 1, quorum - 1) * standing ** (quorum - 1);
}

function combinations(of: number, chosen: number): number {
  let count = 1;
  for (let k = 1; k <= chosen; k += 1) count = (count * (of - chosen + k)) / k;
  return count;
}

/** Two-sided limits of a Poisson mean with `count` seen, by bisection: the exact ones, at any count. */
export function poissonLimits(count: number, outside: number): { readonly low: number; readonly high: number } {
  // In logarithms: at a mean of a thousand, the first term alone is nothing.
  const atMost = (mean: number, most: number): number => {
    let exponent = -mean;
    let total = Math.exp(exponent);
    for (let k = 1; k <= most; k += 1) {
      exponent += Math.log(mean / k);
      total += Math.exp(exponent);
    }
    return total;
  };
  const solve = (isAbove: (mean: number) => boolean): number => {
    let [low, high] = [0, count + 20 + 20 * Math.sqrt(count + 1)];
    for (let round = 0; round < 100; round += 1) {
      const middle = (low + high) / 2;
      if (isAbove(middle)) high = middle;
      else low = middle;
    }
    return high;
  };
  return {
    low: count === 0 ? 0 : solve((mean) => 1 - atMost(mean, count - 1) > outside / 2),
    high: solve((mean) => atMost(mean, count) < outside / 2),
  };
}
