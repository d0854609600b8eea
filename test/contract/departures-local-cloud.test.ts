// What a host that goes carries, asked of the emulator: its instances and tasks are records, a task has no address, and a node
// that is declared by a name is taken by the tag. It knows no container instances; which tasks are asked for is held in
// test/adapters/hosts.

import { CreateAutoScalingGroupCommand, PutLifecycleHookCommand } from "@aws-sdk/client-auto-scaling";
import { RunInstancesCommand } from "@aws-sdk/client-ec2";
import { CreateClusterCommand, RegisterTaskDefinitionCommand, RunTaskCommand } from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { createDepartures } from "../../lib/adapters/hosts/departures.ts";
import { type GroupName, groupName, nodeId } from "../../lib/core/types.ts";
import type { Departures } from "../../lib/ports/departures.ts";
import type { NodePlace } from "../../lib/ports/hosts.ts";
import { freshGroup } from "./group-store-builders.ts";
import { clientsFor, localCloudForFile } from "./group-store-endpoints.ts";

const endpoint = localCloudForFile();
let clients: AwsClients;
let departures: Departures;
let group: GroupName;

beforeAll(() => {
  clients = clientsFor(endpoint());
  departures = createDepartures(clients);
});
afterAll(() => clients?.destroy());
beforeEach(() => {
  group = freshGroup();
});

const place = (node: string, host: string, of = group): NodePlace => ({ group: of, node: nodeId(node), host });

describe("what a host carries", () => {
  it("instance: nodes at its address, of other groups too, and none that its tag contradicts", async () => {
    const Tags = Object.entries({ "valkeeper:group": group, "valkeeper:node": "a" }).map(([Key, Value]) => ({
      Key,
      Value,
    }));
    const command = new RunInstancesCommand({
      ...{ ImageId: "ami-00000000", MinCount: 1, MaxCount: 1, PrivateIpAddress: "10.7.0.1" },
      TagSpecifications: [{ ResourceType: "instance", Tags }],
    });
    const id = (await clients.ec2.send(command)).Instances?.[0]?.InstanceId ?? "";
    const other = groupName("another");
    const [here, beside, named] = [place("a", "10.7.0.1"), place("z", "10.7.0.1", other), place("a", "a.internal")];
    const places = [
      here,
      beside,
      named,
      place("b", "10.7.0.1"),
      place("c", "10.7.0.2"),
      place("a", "a.internal", other),
    ];
    expect(await departures.placesOn([{ kind: "instance", id }], places)).toEqual([here, beside, named]);
    expect(await departures.placesOn([{ kind: "instance", id: "i-0aaaaaaaaaaaaaaaa" }], places)).toEqual([]);
  });

  it("task: the node of its tag", async () => {
    await clients.ecs.send(new CreateClusterCommand({ clusterName: "prod" }));
    const containerDefinitions = [{ name: "valkey", image: "valkey/valkey:8.0" }];
    await clients.ecs.send(
      new RegisterTaskDefinitionCommand({
        family: "valkey",
        networkMode: "awsvpc",
        cpu: "256",
        memory: "512",
        containerDefinitions,
      }),
    );
    const tags = Object.entries({ "valkeeper:group": group, "valkeeper:node": "a" }).map(([key, value]) => ({
      key,
      value,
    }));
    const run = await clients.ecs.send(new RunTaskCommand({ cluster: "prod", taskDefinition: "valkey", tags }));
    const id = run.tasks?.[0]?.taskArn ?? "";
    const places = [place("a", "a.internal"), place("b", "b.internal")];
    expect(await departures.placesOn([{ kind: "task", id }], places)).toEqual([places[0]]);
  });
});

describe("a hook", () => {
  it("says how long it holds an instance back, and is completed", async () => {
    const names = { AutoScalingGroupName: "nodes", LifecycleHookName: "valkeeper" };
    await clients.autoScaling.send(
      new CreateAutoScalingGroupCommand({ ...names, MinSize: 0, MaxSize: 0, AvailabilityZones: ["eu-west-1a"] }),
    );
    const LifecycleTransition = "autoscaling:EC2_INSTANCE_TERMINATING";
    await clients.autoScaling.send(
      new PutLifecycleHookCommand({ ...names, LifecycleTransition, HeartbeatTimeout: 45 }),
    );
    const action = { autoScalingGroup: "nodes", hook: "valkeeper", token: "token", instance: "i-1" };
    expect(await departures.heartbeatMs(action)).toBe(45_000);
    expect(await departures.heartbeatMs({ ...action, hook: "none" })).toBeNull();
    await departures.complete(action);
  });
});
