// Whom a host that goes carries, asked of EC2 and ECS, and the hook of an Auto Scaling group that holds it back.

import {
  type AutoScalingClient,
  CompleteLifecycleActionCommand,
  DescribeLifecycleHooksCommand,
} from "@aws-sdk/client-auto-scaling";
import type { EC2Client } from "@aws-sdk/client-ec2";
import type { ECSClient } from "@aws-sdk/client-ecs";
import { messageOf } from "../../core/errors.ts";
import type { Departures, LeavingHost, LifecycleAction } from "../../ports/departures.ts";
import type { Host, NodePlace } from "../../ports/hosts.ts";
import { call, isNamed } from "../aws/call.ts";
import { HOST_LIMITS, Instances, orThrow } from "./instances.ts";
import { nodeOn } from "./matching.ts";
import { Tasks } from "./tasks.ts";

export interface DeparturesOptions {
  readonly ec2: EC2Client;
  readonly ecs: ECSClient;
  readonly autoScaling: AutoScalingClient;
}

export function createDepartures({ ec2, ecs, autoScaling }: DeparturesOptions): Departures {
  const instances = new Instances(ec2);
  const tasks = new Tasks(ecs, []);
  const hostsOf = async (leaving: LeavingHost): Promise<readonly Host[]> => {
    if (leaving.kind === "container-instance") return tasks.on(leaving.cluster, leaving.id);
    const host = await (leaving.kind === "task" ? tasks : instances).look(leaving.id);
    return host === null ? [] : [host];
  };
  return {
    async placesOn(leaving, places) {
      const hosts = (await Promise.all(leaving.map(hostsOf))).flat();
      return places.filter((place) => hosts.some((host) => carries(host, place)));
    },
    async heartbeatMs({ autoScalingGroup: AutoScalingGroupName, hook }) {
      const command = new DescribeLifecycleHooksCommand({ AutoScalingGroupName, LifecycleHookNames: [hook] });
      const answer = await call((abortSignal) => autoScaling.send(command, { abortSignal }), HOST_LIMITS);
      const { LifecycleHooks: hooks = [] } = orThrow("DescribeLifecycleHooks", answer);
      const found = hooks.find(({ LifecycleHookName }) => LifecycleHookName === hook);
      return found?.HeartbeatTimeout === undefined ? null : found.HeartbeatTimeout * 1_000;
    },
    complete: (action) => complete(autoScaling, action),
  };
}

/** The tags speak of their own group only; another group's node is known by its address. */
function carries(host: Host, place: NodePlace): boolean {
  const seen = host.group === place.group ? host : { ...host, node: null };
  return nodeOn(seen, [{ id: place.node, host: place.host }]) !== null;
}

async function complete(autoScaling: AutoScalingClient, action: LifecycleAction): Promise<void> {
  const command = new CompleteLifecycleActionCommand({
    AutoScalingGroupName: action.autoScalingGroup,
    LifecycleHookName: action.hook,
    LifecycleActionToken: action.token,
    InstanceId: action.instance,
    LifecycleActionResult: "CONTINUE",
  });
  const answer = await call((abortSignal) => autoScaling.send(command, { abortSignal }), HOST_LIMITS);
  if (answer.kind === "failed" && isOver(answer.failure.error)) return;
  orThrow("CompleteLifecycleAction", answer);
}

/** Completed before, by an earlier try or somebody else, or its heartbeat has ended: nothing is held back. */
const isOver = (error: unknown): boolean =>
  isNamed(error, "ValidationError") && messageOf(error).includes("No active Lifecycle Action found");
