// What both services have in common: ten at a time, and a bound on each call.

import type { Notification } from "../../ports/notifier.ts";
import type { CallLimits } from "../aws/call.ts";

export const NOTIFY_LIMITS: CallLimits = { attemptTimeoutMs: 3_000, totalMs: 8_000, attempts: 4 };
const BATCH = 10;

/** One after the other, in order: what happened first is told first. */
export async function inBatches(
  notifications: readonly Notification[],
  send: (batch: readonly Notification[]) => Promise<readonly (string | null)[]>,
): Promise<readonly (string | null)[]> {
  const outcomes: (string | null)[] = [];
  for (let from = 0; from < notifications.length; from += BATCH) {
    outcomes.push(...(await send(notifications.slice(from, from + BATCH))));
  }
  return outcomes;
}
