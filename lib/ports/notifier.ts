// Telling people and programs outside of the steps of history, and of conditions that begin and end. The format is public: docs/notification.schema.json
// describes it, and what is there is never renamed or taken away within one `schema`.

import type { EventName } from "../core/events.ts";
import type { HistoryRecord, NotedCondition } from "../core/records.ts";
import type { Epoch, GroupName, VoterId, WallTime } from "../core/types.ts";

export interface Notification {
  readonly schema: 1;
  /** The same each time this is told: a notification may come more than once. */
  readonly id: string;
  /** The table of the deployment that looks after the group. */
  readonly deployment: string;
  readonly group: GroupName;
  readonly event: EventName;
  /** What Valkey Sentinel calls the event; null: it has none like it. */
  readonly sentinel: string | null;
  readonly epoch: Epoch;
  /** When, by the voter's clock: ISO 8601, UTC, with milliseconds. */
  readonly at: string;
  readonly voter: VoterId;
  /** Facts of the event, flat, in the units their names end with; `node` is the node that it is about. */
  readonly detail: HistoryRecord["detail"];
}

/** What an alarm over all groups rings for, of one of them. */
export interface ConditionChange {
  readonly group: GroupName;
  /** As its alarm is called. */
  readonly name: string;
  readonly kind: "began" | "ended";
  readonly condition: NotedCondition;
  /** When, by the publisher's clock. */
  readonly at: WallTime;
}

export interface Notifier {
  /** Of each notification, in order: null when it was taken, or why it was not. Never rejects. */
  send(notifications: readonly Notification[]): Promise<readonly (string | null)[]>;
}
