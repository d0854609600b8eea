// What AWS says of a host that goes, as EventBridge delivers it: each of the documented events becomes a departure, and
// nothing else is read of it. An event of a kind that is not known here is an error: a rule sends what nobody handles.

import { ValkeeperError } from "../../core/errors.ts";
import { type WallTime, wallTime } from "../../core/types.ts";
import type { Departure, LeavingHost, LifecycleAction } from "../../ports/departures.ts";

export const NOTICES = {
  spot: "EC2 Spot Instance Interruption Warning",
  rebalance: "EC2 Instance Rebalance Recommendation",
  health: "AWS Health Event",
  lifecycle: "EC2 Instance-terminate Lifecycle Action",
  task: "ECS Task State Change",
  containerInstance: "ECS Container Instance State Change",
} as const;

/** As EventBridge calls a function. */
export interface HostEvent {
  readonly id: string;
  readonly "detail-type": string;
  readonly time: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export class HostEventError extends ValkeeperError {
  readonly code = "HostEventError";
}

type Read = { readonly hosts: readonly LeavingHost[]; readonly action?: LifecycleAction; readonly about?: string };

/** Throws `HostEventError` for what is not one of the documented events. */
export function departureOf(event: unknown): Departure {
  const { id, "detail-type": notice, time, detail } = (event ?? {}) as Partial<HostEvent>;
  if (typeof id !== "string" || typeof notice !== "string" || typeof detail !== "object" || detail === null) {
    throw new HostEventError("this is no event of EventBridge: it needs id, detail-type and detail");
  }
  const { hosts, action = null, about } = read(notice, detail);
  return { id, notice: about === undefined ? notice : `${notice}: ${about}`, at: timeOf(time), hosts, action };
}

function read(notice: string, detail: HostEvent["detail"]): Read {
  switch (notice) {
    case NOTICES.spot:
    case NOTICES.rebalance:
      return { hosts: [{ kind: "instance", id: text(notice, detail, "instance-id") }] };
    case NOTICES.health:
      return readHealth(notice, detail);
    case NOTICES.lifecycle:
      return readLifecycle(notice, detail);
    case NOTICES.task:
      return {
        hosts: detail["desiredStatus"] === "STOPPED" ? [{ kind: "task", id: text(notice, detail, "taskArn") }] : [],
      };
    case NOTICES.containerInstance:
      return {
        hosts:
          detail["status"] === "DRAINING"
            ? [
                {
                  kind: "container-instance",
                  id: text(notice, detail, "containerInstanceArn"),
                  cluster: text(notice, detail, "clusterArn"),
                },
              ]
            : [],
      };
    default:
      throw new HostEventError(`${JSON.stringify(notice)} is no event that is handled here`);
  }
}

/** A change that is planned for instances; one that is over, or concerns other resources, moves nobody. */
function readHealth(notice: string, detail: HostEvent["detail"]): Read {
  const about = text(notice, detail, "eventTypeCode");
  const isAhead = detail["eventTypeCategory"] === "scheduledChange" && detail["statusCode"] !== "closed";
  const entities = Array.isArray(detail["affectedEntities"]) ? (detail["affectedEntities"] as unknown[]) : [];
  const ids = entities.flatMap((entity) => {
    const value = (entity as { readonly entityValue?: unknown } | null)?.entityValue;
    return typeof value === "string" ? (/(?:^|:instance\/)(i-[0-9a-f]+)$/.exec(value)?.[1] ?? []) : [];
  });
  return { about, hosts: isAhead ? [...new Set(ids)].map((id) => ({ kind: "instance", id })) : [] };
}

function readLifecycle(notice: string, detail: HostEvent["detail"]): Read {
  const instance = text(notice, detail, "EC2InstanceId");
  return {
    hosts: [{ kind: "instance", id: instance }],
    action: {
      autoScalingGroup: text(notice, detail, "AutoScalingGroupName"),
      hook: text(notice, detail, "LifecycleHookName"),
      token: text(notice, detail, "LifecycleActionToken"),
      instance,
    },
  };
}

function text(notice: string, detail: HostEvent["detail"], name: string): string {
  const value = detail[name];
  if (typeof value === "string" && value !== "") return value;
  throw new HostEventError(`this ${notice} has no ${name}`);
}

/** One that says no time is taken for new: it is then waited for a little longer than it should be. */
function timeOf(time: string | undefined): WallTime {
  const at = Date.parse(time ?? "");
  return wallTime(Number.isNaN(at) ? Date.now() : at);
}
