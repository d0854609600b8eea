import { describe, expect, it } from "vitest";
import { departureOf } from "../../../lib/adapters/hosts/host-events.ts";
import {
  CONTAINER_INSTANCE,
  containerInstanceDraining,
  INSTANCE,
  rebalanceRecommendation,
  scheduledChange,
  spotWarning,
  TASK,
  taskStateChange,
  terminateAction,
} from "../../support/host-events.ts";

const instance = [{ kind: "instance", id: INSTANCE }];

describe("a documented event", () => {
  it.each([
    ["Spot interruption", spotWarning(), instance, "EC2 Spot Instance Interruption Warning"],
    ["rebalance recommendation", rebalanceRecommendation(), instance, "EC2 Instance Rebalance Recommendation"],
    ["scheduled change", scheduledChange(), instance, "AWS Health Event: AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED"],
    ["ECS task that is told to stop", taskStateChange(), [{ kind: "task", id: TASK }], "ECS Task State Change"],
    [
      "ECS container instance that is drained",
      containerInstanceDraining(),
      [
        {
          kind: "container-instance",
          id: CONTAINER_INSTANCE,
          cluster: "arn:aws:ecs:eu-west-1:123456789012:cluster/prod",
        },
        ...instance,
      ],
      "ECS Container Instance State Change",
    ],
  ])("%s: names what goes, and holds nobody back", (_, event, hosts, notice) => {
    expect(departureOf(event)).toEqual({ id: event.id, notice, at: Date.parse(event.time), hosts, action: null });
  });

  it.each([
    ["none", undefined],
    ["one of a machine outside of EC2", "mi-1234567890abcdef0"],
  ])("of a drained container instance names the tasks alone where its instance is %s", (_, ec2InstanceId) => {
    const { hosts } = departureOf(containerInstanceDraining(CONTAINER_INSTANCE, { ec2InstanceId }));
    expect(hosts.map(({ kind }) => kind)).toEqual(["container-instance"]);
  });

  it("of an Auto Scaling group's hook says what is to be completed", () => {
    expect(departureOf(terminateAction())).toMatchObject({
      hosts: instance,
      action: {
        autoScalingGroup: "my-asg",
        hook: "my-lifecycle-hook",
        token: "87654321-4321-4321-4321-210987654321",
        instance: INSTANCE,
      },
    });
  });

  it.each([
    ["a task that is to run", taskStateChange(TASK, { desiredStatus: "RUNNING" })],
    ["a container instance that is active", containerInstanceDraining(CONTAINER_INSTANCE, { status: "ACTIVE" })],
    ["a change that is over", scheduledChange(INSTANCE, { statusCode: "closed" })],
    ["an issue, which is no change", scheduledChange(INSTANCE, { eventTypeCategory: "issue" })],
    ["a dedicated host", scheduledChange("h-0123456789abcdef0")],
    ["a change without resources", scheduledChange(INSTANCE, { affectedEntities: undefined })],
  ])("of %s moves nobody", (_, event) => {
    expect(departureOf(event).hosts).toEqual([]);
  });

  it("of a scheduled change names every instance, each once, also by its ARN", () => {
    const entities = [INSTANCE, "arn:aws:ec2:eu-west-1:123456789012:instance/i-00000002", INSTANCE, "vol-1"];
    const affectedEntities = entities.map((entityValue) => ({ entityValue }));
    expect(departureOf(scheduledChange(INSTANCE, { affectedEntities })).hosts.map(({ id }) => id)).toEqual([
      INSTANCE,
      "i-00000002",
    ]);
  });

  it.each([
    ["of another kind", { ...spotWarning(), "detail-type": "EC2 Instance State-change Notification" }, /no event that/],
    ["without its instance", { ...spotWarning(), detail: {} }, /has no instance-id/],
    ["that is none", {}, /no event of EventBridge/],
    ["that is nothing", null, /no event of EventBridge/],
  ])("%s is an error", (_, event, message) => {
    expect(() => departureOf(event)).toThrow(message);
  });
});
