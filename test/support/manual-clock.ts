// Time that passes when a test says so.

import { type Instant, instant, wallTime } from "../../lib/core/types.ts";
import type { Clock } from "../../lib/ports/clock.ts";

export class ManualClock implements Clock {
  #at = 0;
  #waiting: { readonly at: number; readonly callback: () => void }[] = [];

  now = (): Instant => instant(this.#at);
  wallTime = () => wallTime(this.#at);

  wakeAt(at: Instant, callback: () => void): () => void {
    const entry = { at, callback };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((each) => each !== entry);
    };
  }

  /** Calls what is due in that time, in its order, and lets promises settle after each. */
  async pass(ms: number): Promise<void> {
    const until = this.#at + ms;
    await new Promise(setImmediate);
    for (;;) {
      const next = this.#waiting.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > until) break;
      this.#waiting = this.#waiting.filter((each) => each !== next);
      this.#at = Math.max(this.#at, next.at);
      next.callback();
      await new Promise(setImmediate);
    }
    this.#at = until;
  }
}
