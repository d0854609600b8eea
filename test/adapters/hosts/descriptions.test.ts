import { describe, expect, it } from "vitest";
import { hostOf, Instances, whySpotStays } from "../../../lib/adapters/hosts/instances.ts";
import { clusterOf, taskHost } from "../../../lib/adapters/hosts/tasks.ts";

const ARN = "arn:aws:ecs:eu-west-1:000000000000:task/prod/0123456789abcdef0123456789abcdef";

describe("an instance's description", () => {
  it("gives tags and every private address", () => {
    const host = hostOf({
      InstanceId: "i-1",
      State: { Name: "running" },
      Placement: { AvailabilityZone: "eu-west-1a" },
      PrivateIpAddress: "10.0.0.1",
      PrivateDnsName: "ip-10-0-0-1.eu-west-1.compute.internal",
      NetworkInterfaces: [
        {
          PrivateIpAddress: "10.0.0.1",
          PrivateIpAddresses: [{ PrivateIpAddress: "10.0.0.1" }, { PrivateIpAddress: "10.0.0.11" }],
          Ipv6Addresses: [{ Ipv6Address: "2001:db8::1" }],
          PrivateDnsName: "ip-10-0-0-1.eu-west-1.compute.internal",
        },
        { PrivateDnsName: "ip-10-0-0-12.eu-west-1.compute.internal" },
      ],
      Tags: [
        { Key: "valkeeper:group", Value: "orders" },
        { Key: "valkeeper:node", Value: "a" },
      ],
    });
    expect(host).toEqual({
      ...{ kind: "instance", id: "i-1", state: "running", zone: "eu-west-1a", group: "orders", node: "a" },
      addresses: ["10.0.0.1", "10.0.0.11", "2001:db8::1"],
      names: ["ip-10-0-0-1.eu-west-1.compute.internal", "ip-10-0-0-12.eu-west-1.compute.internal"],
      ...{ keeper: null, unstoppable: null, resumable: null },
    });
  });

  it.each([
    ["pending", "starting"],
    ["running", "running"],
    ["stopping", "stopping"],
    ["shutting-down", "stopping"],
    ["stopped", "stopped"],
    ["terminated", "stopped"],
    ["a-new-word", "running"],
  ] as const)("%s counts as %s", (name, state) => {
    expect(hostOf({ State: { Name: name as "running" } }).state).toBe(state);
  });

  it.each([
    ["running", true],
    ["stopped", true],
    ["shutting-down", false],
    ["terminated", false],
  ] as const)("may resume what ran there when it may hibernate and is %s: %s", (Name, isResumable) => {
    const instance = { InstanceId: "i-1", State: { Name } };
    expect(hostOf({ ...instance, HibernationOptions: { Configured: true } }).resumable).toBe(
      isResumable ? "i-1 may hibernate: a stopped one resumes the same process" : null,
    );
    expect(hostOf({ ...instance, HibernationOptions: { Configured: false } }).resumable).toBeNull();
  });

  it("is told to stop by nobody when it may hibernate", async () => {
    const host = hostOf({ InstanceId: "i-1", HibernationOptions: { Configured: true } });
    // A client without an answer: EC2 is asked nothing.
    expect(await new Instances({} as never).stop(host)).toEqual({ kind: "refused", reason: host.resumable });
  });

  it("says what is in the way of a stop", () => {
    const scaled = { InstanceId: "i-1", Tags: [{ Key: "aws:autoscaling:groupName", Value: "web" }] };
    expect(hostOf(scaled)).toMatchObject({
      keeper: "web",
      unstoppable: "i-1 is in the Auto Scaling group web, which would replace it",
    });
    expect(hostOf({ InstanceId: "i-1", RootDeviceType: "instance-store" }).unstoppable).toBe(
      "i-1 has an instance store as its root, and can only be terminated",
    );
    expect(whySpotStays("i-1", "one-time")).toBe(
      "i-1 is a Spot instance of a one-time request, which cannot be stopped",
    );
    expect(whySpotStays("i-1", undefined)).toMatch(/a lost request/);
    expect(whySpotStays("i-1", "persistent")).toBeNull();
  });
});

describe("a task's description", () => {
  const task = {
    taskArn: ARN,
    lastStatus: "RUNNING",
    group: "service:valkey-a",
    availabilityZone: "eu-west-1b",
    tags: [{ key: "valkeeper:group", value: "orders" }],
    attachments: [
      {
        type: "ElasticNetworkInterface",
        details: [
          { name: "subnetId", value: "subnet-1" },
          { name: "privateIPv4Address", value: "10.0.0.4" },
          { name: "privateIPv6Address", value: "2001:db8::4" },
          { name: "privateDnsName", value: "ip-10-0-0-4.eu-west-1.compute.internal" },
        ],
      },
    ],
  };

  it("gives tags, addresses of its own network interface, and its service", () => {
    expect(taskHost(task)).toEqual({
      ...{ kind: "task", id: ARN, state: "running", zone: "eu-west-1b", group: "orders", node: null },
      addresses: ["10.0.0.4", "2001:db8::4"],
      names: ["ip-10-0-0-4.eu-west-1.compute.internal"],
      ...{ keeper: "valkey-a", unstoppable: null, resumable: null },
    });
  });

  it("has no address any more when it has stopped: the next task may have it", () => {
    expect(taskHost({ ...task, lastStatus: "STOPPED" })).toMatchObject({ state: "stopped", addresses: [] });
    expect(taskHost({ ...task, lastStatus: "STOPPING" })).toMatchObject({ state: "stopping" });
  });

  it("names its cluster", () => {
    expect(clusterOf(ARN)).toBe("prod");
    expect(clusterOf("arn:aws:ecs:eu-west-1:000000000000:task/0123456789abcdef0123456789abcdef")).toBe("default");
  });
});
