// Time. The only source of it for runtime and core: virtual in the simulator.

import type { Instant, WallTime } from "../core/types.ts";

export interface Clock {
  /** Monotonic. */
  now(): Instant;
  /** For expiry of requests and control modes, the budget, and people. */
  wallTime(): WallTime;
  /** Calls back once, not before `at`; the returned function cancels. */
  wakeAt(at: Instant, callback: () => void): () => void;
}
