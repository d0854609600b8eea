// A step of history as it is told outside.

import { EVENTS } from "../../core/events.ts";
import type { HistoryRecord } from "../../core/records.ts";
import type { Notification } from "../../ports/notifier.ts";

/** `deployment`: the table's name. */
export function notificationOf(record: HistoryRecord, deployment: string): Notification {
  const { group, event, epoch, voter, detail } = record;
  // During an update a newer voter may tell of what this version has no name for yet.
  const known: { readonly sentinel: string | null } | undefined = EVENTS[event];
  return {
    schema: 1,
    id: `${deployment}/${group}/${record.id}`,
    deployment,
    group,
    event,
    sentinel: known?.sentinel ?? null,
    epoch,
    at: new Date(record.at).toISOString(),
    voter,
    detail,
  };
}
