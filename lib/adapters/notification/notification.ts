// A step of history, and the beginning or end of a condition, as they are told outside.

import { EVENTS } from "../../core/events.ts";
import type { HistoryRecord } from "../../core/records.ts";
import { voterId } from "../../core/types.ts";
import type { ConditionChange, Notification } from "../../ports/notifier.ts";

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

/** Who notes conditions; it is no voter. */
const PUBLISHER = voterId("publisher");

export function notificationOfChange(change: ConditionChange, deployment: string): Notification {
  const { group, name, kind, condition, at } = change;
  const { epoch, since, reason } = condition;
  const order = `${String(epoch).padStart(8, "0")}#${String(since).padStart(14, "0")}`;
  return {
    schema: 1,
    id: `${deployment}/${group}/event#${order}#${PUBLISHER}#${name}#${kind}`,
    ...{ deployment, group, event: `condition.${kind}`, sentinel: null, epoch },
    at: new Date(at).toISOString(),
    voter: PUBLISHER,
    detail: { condition: name, reason, ...(kind === "ended" ? { lastedMs: at - since } : {}) },
  };
}
