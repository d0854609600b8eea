// The emulator keeps instances and tasks as records: it starts and stops nothing, gives a task no address, and knows neither
// stop protection nor Spot requests. What it cannot show is in test/adapters/hosts.

import { TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { CreateClusterCommand } from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { createHosts } from "../../lib/adapters/hosts/hosts.ts";
import { type GroupName, nodeId } from "../../lib/core/types.ts";
import type { Host, Hosts } from "../../lib/ports/hosts.ts";
import { nodeTags, runInstance, runTask } from "../support/cloud-hosts.ts";
import { freshGroup } from "./group-store-builders.ts";
import { clientsFor, localCloudForFile } from "./group-store-endpoints.ts";

const endpoint = localCloudForFile();
let clients: AwsClients;
let hosts: Hosts;
let group: GroupName;

beforeAll(() => {
  clients = clientsFor(endpoint());
  hosts = createHosts({ ec2: clients.ec2, ecs: clients.ecs, clusters: ["prod"] });
});
afterAll(() => clients?.destroy());
beforeEach(() => {
  group = freshGroup();
});

const find = (node: string, host: string) => hosts.find({ group, node: nodeId(node), host });
async function hostOf(node: string, address: string): Promise<Host> {
  const search = await find(node, address);
  if (search.kind === "none") throw new Error(search.reason);
  return search.host;
}

describe("hosts at the local cloud", () => {
  beforeAll(async () => {
    await clients.ecs.send(new CreateClusterCommand({ clusterName: "prod" }));
  });

  it("finds a node's instance by tag and address, and what it is asked about later by its id", async () => {
    const id = await runInstance(clients, "10.1.0.1", { "valkeeper:group": group });
    await runInstance(clients, "10.1.0.2", { "valkeeper:group": group });
    expect(await hostOf("a", "10.1.0.1")).toMatchObject({ kind: "instance", id, state: "running", group, node: null });
    expect(await hosts.look(id)).toMatchObject({ id, state: "running", addresses: ["10.1.0.1"] });
  });

  it("leaves what is tagged for nobody, or for another group, alone", async () => {
    await runInstance(clients, "10.2.0.1", {});
    await runInstance(clients, "10.2.0.1", { "valkeeper:group": "another" });
    expect(await find("a", "10.2.0.1")).toMatchObject({ kind: "none" });
  });

  it("stops an instance, and sees it stopped", async () => {
    const id = await runInstance(clients, "10.3.0.1", { "valkeeper:group": group });
    expect(await hosts.stop(await hostOf("a", "10.3.0.1"))).toEqual({ kind: "accepted" });
    expect(await hosts.look(id)).toMatchObject({ id, state: "stopped" });
    // Stopped or not, its address stays its own.
    expect(await hostOf("a", "10.3.0.1")).toMatchObject({ id, state: "stopped" });
  });

  it("refuses what an Auto Scaling group would replace, and asks EC2 nothing", async () => {
    const id = await runInstance(clients, "10.4.0.1", { "valkeeper:group": group, "aws:autoscaling:groupName": "web" });
    expect(await hosts.stop(await hostOf("a", "10.4.0.1"))).toMatchObject({ kind: "refused" });
    expect(await hosts.look(id)).toMatchObject({ state: "running" });
  });

  it("says no of an instance that is gone", async () => {
    const id = await runInstance(clients, "10.5.0.1", { "valkeeper:group": group });
    const host = await hostOf("a", "10.5.0.1");
    await clients.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    expect(await hosts.look("i-0123456789abcdef0")).toBeNull();
    expect(await hosts.stop({ ...host, id: "i-0123456789abcdef0" }).catch((error: Error) => error)).toMatchObject({
      message: expect.stringContaining("InvalidInstanceID.NotFound") as string,
    });
  });

  it("finds a group's tasks, stops one and sees it stopped; without an address it is no node's", async () => {
    const { task: arn } = await runTask(clients, nodeTags(group, "a"));
    expect(await find("a", "10.6.0.1")).toMatchObject({ kind: "none" });
    const task = await hosts.look(arn);
    expect(task).toMatchObject({ kind: "task", id: arn, state: "running", group, node: "a" });
    if (task === null) return;
    expect(await hosts.stop(task)).toEqual({ kind: "accepted" });
    expect(await hosts.look(arn)).toMatchObject({ state: "stopped" });
    // Its node's tag, and nothing that has the address now: what ran there has ended.
    expect(await hostOf("a", "10.6.0.1")).toMatchObject({ id: arn, state: "stopped" });
  });
});
