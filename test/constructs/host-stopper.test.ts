import { describe, expect, it } from "vitest";
import { GROUP_TAG } from "../../lib/ports/hosts.ts";
import { actionsOf, group, issuesOf, statementsOf, synthesize } from "./failover-stack.ts";

const isStopper = (resource: Readonly<Record<string, { readonly Description?: unknown }>>): boolean =>
  String(resource["Properties"]?.Description).startsWith("Valkeeper stopper");
const stoppers = (template: ReturnType<typeof synthesize>["template"]) =>
  Object.values(template.findResources("AWS::Lambda::Function")).filter(isStopper);
const asking = { ...group, stopInstance: "required" };

describe("the stopper", () => {
  const { template } = synthesize(() => ({ hostStopping: {}, groups: [asking] }));

  it("is not there unless it is asked for, and then no group may ask for a stop", () => {
    expect(stoppers(synthesize().template)).toEqual([]);
    for (const stopInstance of ["required", "best-effort"]) {
      expect(issuesOf(() => ({ groups: [{ ...group, stopInstance }] }))).toEqual([
        `group mymaster: stopInstance "${stopInstance}" needs something that stops hosts, and this deployment has none: give it hostStopping, or use "off"`,
      ]);
    }
    expect(issuesOf(() => ({ hostStopping: {}, groups: [asking] }))).toEqual([]);
  });

  it("is woken by ballots with a wish alone, several groups at a time, and leaves what it cannot do in the queue", () => {
    template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
      StartingPosition: "TRIM_HORIZON",
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 5,
      MaximumRecordAgeInSeconds: 180,
      ParallelizationFactor: 10,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      FilterCriteria: {
        Filters: [
          {
            Pattern: JSON.stringify({
              eventName: ["MODIFY"],
              dynamodb: {
                Keys: { pk: { S: [{ prefix: "group#" }] }, sk: { S: ["ballot"] } },
                NewImage: { operation: { M: { stop: { M: { node: { S: [{ exists: true }] } } } } } },
              },
            }),
          },
        ],
      },
      DestinationConfig: { OnFailure: { Destination: {} } },
    });
  });

  it("lives longer than it waits for a stop, and is told of clusters only when there are some", () => {
    expect(stoppers(template)).toMatchObject([{ Properties: { Timeout: 120, MemorySize: 256 } }]);
    expect(stoppers(template)[0]?.["Properties"].Environment.Variables).not.toHaveProperty("VALKEEPER_ECS_CLUSTERS");
    const { template: other } = synthesize(() => ({ hostStopping: { ecsClusters: ["prod", "test"] } }));
    expect(stoppers(other)[0]?.["Properties"].Environment.Variables).toMatchObject({
      VALKEEPER_ECS_CLUSTERS: "prod,test",
    });
  });

  it("may do nothing in ECS without clusters", () => {
    const own = actionsOf(statementsOf(template, "StopperRole"));
    expect(own.filter((action) => /^(ec2|ecs):/.test(action))).toEqual([
      "ec2:DescribeInstanceAttribute",
      "ec2:DescribeInstances",
      "ec2:DescribeSpotInstanceRequests",
      "ec2:StopInstances",
    ]);
  });

  it("may stop what carries the tag by which hosts are found", () => {
    const stops = statementsOf(template, "StopperRole").find(({ Action }) =>
      [Action].flat().includes("ec2:StopInstances"),
    );
    expect(stops?.Condition).toEqual({ StringLike: { [`aws:ResourceTag/${GROUP_TAG}`]: "?*" } });
  });

  it("is known to the registrar, which checks the groups again", () => {
    const registrar = (of: typeof template) =>
      Object.values(of.findResources("AWS::Lambda::Function")).find(({ Properties }) =>
        String(Properties.Description).startsWith("Valkeeper registrar"),
      )?.["Properties"].Environment.Variables;
    expect(registrar(template)).toMatchObject({ VALKEEPER_STOPPER: "true" });
    expect(registrar(synthesize().template)).not.toHaveProperty("VALKEEPER_STOPPER");
  });

  it("is watched like every function", () => {
    const { failover } = synthesize(() => ({ hostStopping: {}, alarms: {} }));
    const errors = failover.alarms?.alarmsOf("invocation-errors") ?? [];
    expect(errors).toHaveLength(7);
  });

  it("refuses clusters whose names are more than a function's environment holds", () => {
    const named = (count: number) => ({
      hostStopping: { ecsClusters: Array.from({ length: count }, (_, index) => `${"c".repeat(97)}${100 + index}`) },
    });
    expect(issuesOf(() => named(34))).toEqual([]);
    expect(issuesOf(() => named(35))).toEqual([
      "hostStopping.ecsClusters has names of 3534 characters in all, and a function's environment has room for 3500",
    ]);
    const { Variables } = stoppers(synthesize(() => named(34)).template)[0]?.["Properties"].Environment ?? {};
    // Its table's name is 255 characters at most.
    expect(JSON.stringify(Variables).length + 255).toBeLessThan(4_096);
  });
});
