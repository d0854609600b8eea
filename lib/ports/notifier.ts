// Telling people and programs outside of the steps of history. The format is public: docs/notification.schema.json
// describes it, and what is there is never renamed or taken away within one `schema`.

import type { EventName } from "../core/events.ts";
import type { HistoryRecord } from "../core/records.ts";
import type { Epoch, GroupName, VoterId } from "../core/types.ts";

export interface Notification {
  readonly schema: 1;
  /** The same each time this step is told: a notification may come more than once. */
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

export interface Notifier {
  /** Of each notification, in order: null when it was taken, or why it was not. Never rejects. */
  send(notifications: readonly Notification[]): Promise<readonly (string | null)[]>;
}
