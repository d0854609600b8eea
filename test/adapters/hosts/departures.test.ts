// What no emulator answers: a container instance with tasks, and a hook that holds nobody back any more.

import type { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import type { EC2Client } from "@aws-sdk/client-ec2";
import type { ECSClient } from "@aws-sdk/client-ecs";
import { describe, expect, it } from "vitest";
import { createDepartures } from "../../../lib/adapters/hosts/departures.ts";
import { departureOf } from "../../../lib/adapters/hosts/host-events.ts";
import { groupName, nodeId } from "../../../lib/core/types.ts";
import { containerInstanceDraining, INSTANCE } from "../../support/host-events.ts";

type Answer = (command: { readonly input: object }) => Promise<unknown>;
const asked: object[] = [];
function departures(answer: Answer) {
  asked.length = 0;
  const send: Answer = (command) => {
    asked.push({ name: command.constructor.name, ...command.input });
    return answer(command);
  };
  const client = { send } as unknown;
  return createDepartures({
    ...{ ec2: client as EC2Client, ecs: client as ECSClient, autoScaling: client as AutoScalingClient },
  });
}

const [cluster, id] = ["arn:aws:ecs:eu-west-1:123456789012:cluster/prod", "container-instance-1"];
const action = { autoScalingGroup: "asg", hook: "hook", token: "token", instance: "i-1" };
const failure = (name: string, message: string, status = 400) =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });

describe("a container instance that is drained", () => {
  it("carries the nodes of the tasks that run on it, at their own addresses", async () => {
    const details = [{ name: "privateIPv4Address", value: "10.0.0.7" }];
    const task = {
      taskArn: "arn:aws:ecs:eu-west-1:123456789012:task/prod/1",
      lastStatus: "RUNNING",
      attachments: [{ details }],
    };
    const found = departures((command) =>
      Promise.resolve(
        command.constructor.name === "ListTasksCommand" ? { taskArns: [task.taskArn] } : { tasks: [task] },
      ),
    );
    const places = ["10.0.0.7", "10.0.0.8"].map((host) => ({ group: groupName("g"), node: nodeId(host), host }));
    expect(await found.placesOn([{ kind: "container-instance", id, cluster }], places)).toEqual([places[0]]);
    expect(asked[0]).toMatchObject({
      name: "ListTasksCommand",
      cluster,
      containerInstance: id,
      desiredStatus: "RUNNING",
    });
  });

  it("carries the nodes of tasks that have its address, whoever's tag it has", async () => {
    const drained = departureOf(containerInstanceDraining());
    const instance = { InstanceId: INSTANCE, PrivateIpAddress: "10.0.0.5", Tags: [] };
    const found = departures((command) =>
      Promise.resolve(
        command.constructor.name === "DescribeInstancesCommand"
          ? { Reservations: [{ Instances: [instance] }] }
          : { taskArns: [], tasks: [] },
      ),
    );
    const places = ["10.0.0.5", "10.0.0.6"].map((host) => ({ group: groupName("g"), node: nodeId(host), host }));
    expect(await found.placesOn(drained.hosts, places)).toEqual([places[0]]);
    expect(asked).toContainEqual(expect.objectContaining({ InstanceIds: [INSTANCE] }));
  });

  it.each([
    ["a cluster that is not known, for good", failure("ClusterNotFoundException", "Cluster not found."), true],
    ["a call that is not allowed, for good", failure("AccessDeniedException", "no", 403), true],
    ["no answer, for now", failure("ServerException", "Service Unavailable", 503), false],
  ])("says of %s", async (_, error, isFinal) => {
    const found = departures(() => Promise.reject(error)).placesOn([{ kind: "container-instance", id, cluster }], []);
    await expect(found).rejects.toMatchObject({
      code: "PortError",
      isFinal,
      message: expect.stringContaining(error.name),
    });
  });
});

describe("a hook", () => {
  it("that holds nobody back any more is completed", async () => {
    const over = failure("ValidationError", "No active Lifecycle Action found with instance ID i-1");
    await departures(() => Promise.reject(over)).complete(action);
    expect(asked).toMatchObject([
      { LifecycleActionResult: "CONTINUE", LifecycleActionToken: "token", InstanceId: "i-1" },
    ]);
  });

  it.each([
    ["is not there", failure("ValidationError", "Lifecycle hook not found")],
    ["may not be completed", failure("AccessDenied", "not authorized", 403)],
  ])("that %s is an error", async (_, error) => {
    await expect(departures(() => Promise.reject(error)).complete(action)).rejects.toMatchObject({ code: "PortError" });
  });
});
