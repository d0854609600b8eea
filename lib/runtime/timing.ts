// The times of a function's life, in one place, because constructs deploy them and handlers live by them: a loop that
// outlives its function's timeout would end as an error in the middle of an operation.

/** One voter function is invoked this often; its invocations overlap, the older one leaves when the newer is seen. */
export const SCHEDULE_PERIOD_MS = 60_000;
/** Two whole periods and a margin: a gap in a voter's watch takes two invocations in a row that never came. */
export const VOTER_TIMEOUT_MS = 180_000;
/** An invocation ends by itself this long before the function's timeout, so that closing connections is never cut off. */
export const LEAVE_MARGIN_MS = 10_000;
/** An event that waited longer is dropped: after an outage of the scheduler, hundreds would start at once. */
export const EVENT_AGE_LIMIT_MS = 90_000;
/** The shortest that EventBridge Scheduler and Lambda's asynchronous queue allow. */
export const DELIVERY_AGE_LIMIT_MS = 60_000;
/** The publisher begins no group so shortly before its end: the bounds of a group's copies are longer than that. */
export const PUBLISHER_MARGIN_MS = 25_000;
export const REGISTRAR_TIMEOUT_MS = 60_000;
export const NOTIFIER_TIMEOUT_MS = 60_000;
/** Longer than a stop is waited for (stopper-loop.ts), with the calls around it. */
export const STOPPER_TIMEOUT_MS = 120_000;
/** Longer than an evacuation is waited for (evacuation.ts), with the calls around it. */
export const EVACUATOR_TIMEOUT_MS = 120_000;

const PUBLISHER_TIME_MS = 35_000;
const PUBLISHER_GROUPS = 50;
const PUBLISHER_GROUP_MS = 100;

/**
 * Of a publisher that compares the copies of so many groups. The next comparison starts a minute later, whether or not this one
 * has ended: they do each other no harm, each reads before it writes, but they share what Systems Manager and Route 53
 * serve an account. So a slow one has no more time than it needs at the smallest memory, and few run side by side.
 */
export function publisherTimeoutMs(groups: number): number {
  const more = PUBLISHER_GROUP_MS * Math.max(0, groups - PUBLISHER_GROUPS);
  // Lambda's timeouts are whole seconds.
  return PUBLISHER_MARGIN_MS + PUBLISHER_TIME_MS + Math.ceil(more / 1_000) * 1_000;
}
