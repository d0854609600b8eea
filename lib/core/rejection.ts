// Why is nothing done (S12)? Every inaction while something is wrong is one of these, with words a person can act on.

import type { NodeId } from "./types.ts";

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

/** Names, and the verb that one of them or several take: "n1 follows", "n1, n2 and n3 follow". */
export function named(ids: readonly NodeId[], one: string, several: string): string {
  const [others, last] = [ids.slice(0, -1), ids.at(-1)];
  return others.length === 0 ? `${last} ${one}` : `${others.join(", ")} and ${last} ${several}`;
}
