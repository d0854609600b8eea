// For tests that await: runs the events of a simulated world while the test waits, as fast as they come.

import type { EventQueue } from "./event-queue.ts";

/** Returns what stops it. */
export function pump(queue: EventQueue): () => void {
  let running = true;
  const turn = () => {
    if (!running) return;
    queue.step(Number.POSITIVE_INFINITY);
    setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    running = false;
  };
}
