// What is worth a line? Every step that changed something, none otherwise. Core returns events as data; the journal
// writes them and the runtime appends those marked as history to the table. The names are a closed union, mapped to
// Sentinel's where it has one.

import type { Epoch, NodeId } from "./types.ts";

export const EVENTS = {
  "group.adopted": { history: true, sentinel: "+monitor" },
  "group.initialised": { history: true, sentinel: "+monitor" },
  "group.armed": { history: true, sentinel: null },
  "group.held": { history: true, sentinel: null },
  "group.failed": { history: false, sentinel: null },
  "setting.left-out": { history: false, sentinel: null },
  "control.changed": { history: true, sentinel: null },
  "member.discovered": { history: true, sentinel: "+slave" },
  "member.in-sync": { history: true, sentinel: null },
  "member.reborn": { history: true, sentinel: "+reboot" },
  "member.gone": { history: true, sentinel: null },
  "member.back": { history: true, sentinel: null },
  "replica.set-aside": { history: true, sentinel: null },
  "replica.readmitted": { history: true, sentinel: null },
  "member.removed": { history: true, sentinel: null },
  "node.down": { history: false, sentinel: "+sdown" },
  "node.up": { history: false, sentinel: "-sdown" },
  "node.misconfigured": { history: false, sentinel: null },
  "primary.suspected": { history: false, sentinel: null },
  "primary.subjectively-down": { history: true, sentinel: "+sdown" },
  "primary.subjectively-up": { history: true, sentinel: "-sdown" },
  "primary.objectively-down": { history: true, sentinel: "+odown" },
  "primary.replication-id-changed": { history: true, sentinel: null },
  "writes.held": { history: true, sentinel: null },
  "lease.acquired": { history: true, sentinel: "+elected-leader" },
  "lease.taken-over": { history: true, sentinel: "+elected-leader" },
  "lease.lost": { history: true, sentinel: null },
  "operation.begun": { history: true, sentinel: "+try-failover" },
  "node.frozen": { history: true, sentinel: null },
  "node.fenced": { history: true, sentinel: null },
  "fence.parked": { history: true, sentinel: null },
  "stop.asked": { history: true, sentinel: null },
  "stop.refused": { history: true, sentinel: null },
  "node.stopped": { history: true, sentinel: null },
  "candidate.selected": { history: true, sentinel: "+selected-slave" },
  "candidate.none": { history: true, sentinel: "-failover-abort-no-good-slave" },
  "loss.possible": { history: true, sentinel: null },
  "intent.recorded": { history: true, sentinel: "+failover-state-send-slaveof-noone" },
  "promotion.applied": { history: true, sentinel: "+promoted-slave" },
  "promotion.failed": { history: true, sentinel: null },
  "primary.committed": { history: true, sentinel: "+switch-master" },
  "primary.restored": { history: true, sentinel: null },
  "replica.repointed": { history: true, sentinel: "+slave-reconf-sent" },
  "replica.not-repointed": { history: true, sentinel: null },
  "node.demoted": { history: true, sentinel: "+convert-to-slave" },
  "switchover.paused": { history: true, sentinel: null },
  "switchover.caught-up": { history: true, sentinel: null },
  "publication.committed": { history: true, sentinel: null },
  "publication.failed": { history: true, sentinel: null },
  "notification.failed": { history: false, sentinel: null },
  "evacuation.ended": { history: false, sentinel: null },
  "condition.began": { history: false, sentinel: null },
  "condition.ended": { history: false, sentinel: null },
  "request.refused": { history: true, sentinel: null },
  "request.done": { history: true, sentinel: null },
  "failover.completed": { history: true, sentinel: "+failover-end" },
  "failover.abandoned": { history: true, sentinel: "-failover-abort-x" },
  "switchover.completed": { history: true, sentinel: "+failover-end" },
  "switchover.abandoned": { history: true, sentinel: "-failover-abort-x" },
  "repair.completed": { history: true, sentinel: null },
  "deciding.suspended": { history: false, sentinel: "+tilt" },
  "store.unreachable": { history: false, sentinel: null },
  "store.reachable": { history: false, sentinel: null },
  "record.unreadable": { history: false, sentinel: null },
} as const satisfies Readonly<Record<string, { readonly history: boolean; readonly sentinel: string | null }>>;

export type EventName = keyof typeof EVENTS;

export interface CoreEvent {
  readonly event: EventName;
  readonly epoch: Epoch;
  readonly node: NodeId | null;
  /** Flat facts, units last. */
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}
