// What a lost packet costs where TCP sends it again: a probe is lost only if it is not through within its time-out. Both
// ends send again after a time-out that doubles, and a connection's first packets wait five times as long.

import { HANDSHAKE_RETRANSMISSION_MS, RETRANSMISSION_MS } from "../sim/network.ts";
import { attemptsOf, type LossyPath, sentAfterMs, type Timetable, verdictAfterMs } from "./silence.ts";

/** AUTH and INFO, and an answer to each. */
const DIALLED_PACKETS = 2;

/**
 * The probes of a voter whose packets are each lost with `rate`: the first of a gap over the kept connection, the others
 * over new ones. The last before a verdict has only what is left of the bound.
 */
export function probesOverTcp(rate: number, timetable: Timetable): LossyPath {
  const once = delays(rate, RETRANSMISSION_MS, 1);
  const handshake = delays(rate, HANDSHAKE_RETRANSMISSION_MS, 1);
  const asked = delays(rate, RETRANSMISSION_MS, DIALLED_PACKETS);
  const lossOf = (k: number): number => {
    const left = verdictAfterMs(timetable) - sentAfterMs(timetable, k);
    const withinMs = left > 0 ? Math.min(timetable.retryMs, left) : timetable.retryMs;
    return 1 - throughWithin(withinMs, k === 0 ? [once, once] : [handshake, handshake, asked, asked]);
  };
  const later = lossOf(attemptsOf(timetable));
  return { goodLoss: later, badLoss: later, lossOf, goodMs: 1, badMs: 1 };
}

interface Delay {
  readonly ms: number;
  readonly probability: number;
}

const MOST_REPEATS = 12;

/** Of the slowest of `packets` that are sent together. */
function delays(rate: number, timeoutMs: number, packets: number): readonly Delay[] {
  return Array.from({ length: MOST_REPEATS }, (_, repeats) => ({
    ms: timeoutMs * (2 ** repeats - 1),
    probability: (1 - rate ** (repeats + 1)) ** packets - (1 - rate ** repeats) ** packets,
  }));
}

function throughWithin(ms: number, [first, ...others]: readonly (readonly Delay[])[]): number {
  if (first === undefined) return 1;
  let total = 0;
  for (const delay of first) if (delay.ms < ms) total += delay.probability * throughWithin(ms - delay.ms, others);
  return total;
}
