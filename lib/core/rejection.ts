// Why is nothing done (S12)? Every inaction while something is wrong is one of these, with words a person can act on.

export type RejectionReason =
  | "not-adopted"
  | "adoption-refused"
  | "not-armed"
  | "observing"
  | "paused"
  | "suspended"
  | "store-unreachable"
  | "record-unreadable"
  | "foreign-table"
  | "waiting-for-down-after"
  | "witness-veto"
  | "cut-off"
  | "busy"
  | "loading"
  | "misconfigured"
  | "write-dead-by-policy"
  | "quorum-pending"
  | "too-few-nodes"
  | "possible-loss-refused"
  | "cold-start-waiting"
  | "unexplained-primary"
  | "unknown-history"
  | "budget-spent"
  | "backing-off"
  | "operation-going-on"
  | "stop-awaited";

export interface Rejection {
  readonly reason: RejectionReason;
  /** What is seen, one clause. */
  readonly detail: string;
  /** What would end it. */
  readonly ends: string;
  /** What a person should look at, or null. */
  readonly check: string | null;
}
