// Time as the machine keeps it. Node's timers are relative and may fire early by the fraction that their clock is coarser
// than `performance.now`, so a wake is armed again until its instant has come.

import { performance } from "node:perf_hooks";
import { elapsedMs, type Instant, instant, type WallTime, wallTime } from "../../core/types.ts";
import type { Clock } from "../../ports/clock.ts";

// Above this Node fires at once: its delays are 32-bit.
const LONGEST_DELAY_MS = 2_147_483_647;

export class SystemClock implements Clock {
  now(): Instant {
    return instant(performance.now());
  }

  wallTime(): WallTime {
    return wallTime(Date.now());
  }

  wakeAt(at: Instant, callback: () => void): () => void {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const delayMs = Math.ceil(Math.max(0, elapsedMs(this.now(), at)));
      timer = setTimeout(() => (this.now() < at ? arm() : callback()), Math.min(delayMs, LONGEST_DELAY_MS));
    };
    arm();
    return () => clearTimeout(timer);
  }
}
