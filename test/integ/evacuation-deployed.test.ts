// The evacuator as the CDK deploys it, in economy mode: rule, function, order, wake-up, voters. AWS alone may put events of
// the source `aws.ec2` on a bus, and the emulator refuses them as AWS does (asserted below): whether a rule matches is asked
// of `TestEventPattern` with the very event, and the rule's target is then called with it, as EventBridge calls it. The
// wake-up is delivered by the emulator's bus.

import { RunInstancesCommand } from "@aws-sdk/client-ec2";
import {
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  TestEventPatternCommand,
} from "@aws-sdk/client-eventbridge";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { groupName } from "../../lib/core/types.ts";
import { clientsOf, type Deployed, deployStack, invokeNow } from "../../lib/local/deploy.ts";
import { type LocalCloud, startLocalCloud } from "../../lib/local/local-cloud.ts";
import { ProcessGroup } from "../../lib/local/process-group.ts";
import { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { PATIENT } from "../contract/group-store-endpoints.ts";
import {
  containerInstanceDraining,
  rebalanceRecommendation,
  scheduledChange,
  spotWarning,
  taskStateChange,
  terminateAction,
} from "../support/host-events.ts";
import { isHealthy } from "../support/live-group.ts";
import { eventually } from "../support/local-group.ts";

const group = new ProcessGroup();
const name = groupName("mymaster");
const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
let cloud: LocalCloud;
let clients: AwsClients;
let nodes: readonly ValkeyProcess[];
let deployed: Deployed;
let store: OperatorStore;
const instances = new Map<string, string>();

const settings = () => ({
  vpc: {
    vpcId: "vpc-0123456789abcdef0",
    zones,
    subnetIds: zones.map((_, index) => `subnet-0123456789abcdef${index}`),
  },
  economy: true,
  nodesRunOn: { ec2: true, autoScalingHooks: ["valkeeper"], ecsClusters: ["prod"] },
  groups: [
    {
      name,
      nodes: zones.map((zone, index) => ({
        ...{ id: `n${index + 1}`, zone },
        ...{ host: nodes[index]?.host, port: nodes[index]?.port },
      })),
      armAfterMs: 1_000,
    },
  ],
});

beforeAll(async () => {
  const startNode = (_: string, index: number) => ValkeyProcess.start({ group, id: `n${index + 1}`, boot: "fenced" });
  [cloud, nodes] = await Promise.all([startLocalCloud({ group }), Promise.all(zones.map(startNode))]);
  clients = clientsOf(cloud);
  deployed = await deployStack({ group, cloud, settings: settings() });
  store = createDynamodbStore({ client: clients.dynamodb, table: deployed.table, limits: PATIENT });
  for (const { id } of nodes) {
    const tags = { "valkeeper:group": name, "valkeeper:node": id };
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const command = new RunInstancesCommand({
      ...{ ImageId: "ami-00000000", MinCount: 1, MaxCount: 1, PrivateIpAddress: "127.0.0.1" },
      TagSpecifications: [{ ResourceType: "instance", Tags }],
    });
    instances.set(id, (await clients.ec2.send(command)).Instances?.[0]?.InstanceId ?? "");
  }
}, 120_000);
afterAll(async () => {
  clients?.destroy();
  await group.close();
});

/** Ids of the functions that rules of the deployment call for this event. */
async function calledFor(event: object): Promise<readonly string[]> {
  const { Rules = [] } = await clients.eventbridge.send(new ListRulesCommand({}));
  const called: string[] = [];
  for (const { Name, EventPattern } of Rules) {
    const tested = new TestEventPatternCommand({ EventPattern, Event: JSON.stringify(event) });
    if ((await clients.eventbridge.send(tested)).Result !== true) continue;
    const { Targets = [] } = await clients.eventbridge.send(new ListTargetsByRuleCommand({ Rule: Name }));
    called.push(...Targets.map(({ Arn = "" }) => Arn.split(":").at(-1) ?? ""));
  }
  return called;
}

const isEvacuator = expect.stringContaining("Evacuat") as string;
const inCluster = (event: { readonly detail: object }, changes: object = {}) => {
  const clusterArn = `arn:aws:ecs:${cloud.region}:${cloud.accountId}:cluster/prod`;
  return { ...event, detail: { ...event.detail, clusterArn, ...changes } };
};

describe("the deployed rules", () => {
  it("call the evacuator for the documented events, each once", async () => {
    const instance = "i-1234567890abcdef0";
    for (const event of [
      spotWarning(),
      scheduledChange(),
      terminateAction(instance, { hook: "valkeeper" }),
      inCluster(taskStateChange()),
      inCluster(containerInstanceDraining()),
    ]) {
      expect(await calledFor(event), JSON.stringify(event)).toEqual([isEvacuator]);
    }
  });

  it("call nobody for another hook or cluster, what is over, or what was not asked for", async () => {
    for (const event of [
      terminateAction(),
      taskStateChange(),
      inCluster(taskStateChange(), { desiredStatus: "RUNNING" }),
      inCluster(taskStateChange(), { lastStatus: "STOPPED" }),
      inCluster(containerInstanceDraining(), { status: "ACTIVE" }),
      scheduledChange("i-1", { service: "RDS" }),
      rebalanceRecommendation(),
    ]) {
      expect(await calledFor(event), JSON.stringify(event)).toEqual([]);
    }
  });

  it("are fed by AWS alone: nobody else puts events of its source on a bus", async () => {
    const { detail, source, "detail-type": DetailType } = spotWarning();
    const entry = { Source: source, DetailType, Detail: JSON.stringify(detail) };
    const put = await clients.eventbridge.send(new PutEventsCommand({ Entries: [entry] }));
    expect(put.Entries).toMatchObject([{ ErrorCode: "NotAuthorizedForSourceException" }]);
  });
});

describe("a Spot interruption of the primary's instance, while all voters rest", () => {
  const primary = async () => (await store.readBallot(name))?.primary?.node ?? "";
  const areResting = async (): Promise<boolean> => {
    const slots = await store.listSlots();
    return slots.length === zones.length && slots.every(({ restsMs }) => restsMs !== null);
  };

  it("wakes them, and the primary moves before a round is due", async () => {
    for (const voter of deployed.voters) await invokeNow(cloud, voter);
    const isWell = async (): Promise<boolean> => {
      const ballot = await store.readBallot(name);
      return ballot !== null && isHealthy(ballot, nodes.length) && (await areResting());
    };
    await eventually("the group is well and its voters rest", isWell, 90_000);
    const old = await primary();
    const generations = async () => (await store.listSlots()).map(({ generation }) => generation);
    const before = await generations();
    const event = spotWarning(instances.get(old));
    const [evacuator = ""] = await calledFor(event);
    const since = Date.now();
    await invokeNow(cloud, evacuator, event);
    await eventually("the primary has moved", async () => (await primary()) !== old, 30_000);
    process.stdout.write(`moved ${Date.now() - since} ms after the event\n`);
    expect(await store.readRequest(name)).toMatchObject({
      ...{ id: event.id, kind: "drain", target: old },
      by: "evacuation: EC2 Spot Instance Interruption Warning",
    });
    await eventually("it is answered", async () => (await store.readRequest(name))?.result?.kind === "done", 20_000);
    expect((await generations()).some((generation, index) => generation > (before[index] ?? 0))).toBe(true);
  }, 150_000);
});
