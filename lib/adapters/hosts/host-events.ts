// What AWS says of a host that goes, as EventBridge delivers it: each of the documented events becomes a departure, and
// nothing else is read of it. An event of a kind that is not known here is an error: a rule sends what nobody handles.

import { ValkeeperError } from "../../core/errors.ts";
import { type Fitting, fields, fitting, map, nullable, text } from "../../core/shape.ts";
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
const hostEvent = fields({ id: text, "detail-type": text, time: nullable(text), detail: map(() => null) });

type Detail = Fitting<typeof hostEvent>["detail"];

export class HostEventError extends ValkeeperError {
  readonly code = "HostEventError";
}

type Read = { readonly hosts: readonly LeavingHost[]; readonly action?: LifecycleAction; readonly about?: string };

/** Throws `HostEventError` for what is not one of the documented events. */
export function departureOf(event: unknown): Departure {
  const {
    id,
    "detail-type": notice,
    time,
    detail,
  } = fitting(event, hostEvent, "event", (mismatch) => {
    return new HostEventError(`this is no event of EventBridge, which has id, detail-type and detail: ${mismatch}`);
  });
  const { hosts, action = null, about } = read(notice, detail);
  return { id, notice: about === undefined ? notice : `${notice}: ${about}`, at: timeOf(time), hosts, action };
}

function read(notice: string, detail: Detail): Read {
  switch (notice) {
    case NOTICES.spot:
    case NOTICES.rebalance:
      return { hosts: [{ kind: "instance", id: textOf(notice, detail, "instance-id") }] };
    case NOTICES.health:
      return readHealth(notice, detail);
    case NOTICES.lifecycle:
      return readLifecycle(notice, detail);
    case NOTICES.task:
      return {
        hosts: detail["desiredStatus"] === "STOPPED" ? [{ kind: "task", id: textOf(notice, detail, "taskArn") }] : [],
      };
    case NOTICES.containerInstance:
      return { hosts: detail["status"] === "DRAINING" ? drained(notice, detail) : [] };
    default:
      throw new HostEventError(`${JSON.stringify(notice)} is no event that is handled here`);
  }
}

/**
 * The tasks that it runs, each at an address of its own, and its own addresses, which are those of tasks in the network modes `bridge`
 * and `host`. A machine outside of EC2 has an id of Systems Manager there, by which nobody finds an address.
 */
function drained(notice: string, detail: Detail): readonly LeavingHost[] {
  const instance = detail["ec2InstanceId"];
  const id = textOf(notice, detail, "containerInstanceArn");
  return [
    { kind: "container-instance", id, cluster: textOf(notice, detail, "clusterArn") },
    ...(typeof instance === "string" && /^i-[0-9a-f]+$/.test(instance)
      ? [{ kind: "instance", id: instance } as const]
      : []),
  ];
}

/** A change that is planned for instances; one that is over, or concerns other resources, moves nobody. */
function readHealth(notice: string, detail: Detail): Read {
  const about = textOf(notice, detail, "eventTypeCode");
  const isAhead = detail["eventTypeCategory"] === "scheduledChange" && detail["statusCode"] !== "closed";
  const entities: readonly unknown[] = Array.isArray(detail["affectedEntities"]) ? detail["affectedEntities"] : [];
  const ids = entities.flatMap((entity) => {
    if (typeof entity !== "object" || entity === null || !("entityValue" in entity)) return [];
    return /(?:^|:instance\/)(i-[0-9a-f]+)$/.exec(String(entity.entityValue))?.[1] ?? [];
  });
  return { about, hosts: isAhead ? [...new Set(ids)].map((id) => ({ kind: "instance", id })) : [] };
}

function readLifecycle(notice: string, detail: Detail): Read {
  const instance = textOf(notice, detail, "EC2InstanceId");
  return {
    hosts: [{ kind: "instance", id: instance }],
    action: {
      autoScalingGroup: textOf(notice, detail, "AutoScalingGroupName"),
      hook: textOf(notice, detail, "LifecycleHookName"),
      token: textOf(notice, detail, "LifecycleActionToken"),
      instance,
    },
  };
}

function textOf(notice: string, detail: Detail, name: string): string {
  const value = detail[name];
  if (typeof value === "string" && value !== "") return value;
  throw new HostEventError(`this ${notice} has no ${name}`);
}

/** One that says no time is taken for new: it is then waited for a little longer than it should be. */
function timeOf(time: string | null | undefined): WallTime {
  const at = Date.parse(time ?? "");
  return wallTime(Number.isNaN(at) ? Date.now() : at);
}
