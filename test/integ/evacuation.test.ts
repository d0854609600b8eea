// The evacuator with real nodes, voters and table, and EC2 and Auto Scaling as the emulator has them: its instances are records,
// which carry the nodes by address and tag; its hooks hold nobody back, so that what is asked of AWS is recorded and held
// against what AWS documents.

import { CreateAutoScalingGroupCommand, PutLifecycleHookCommand } from "@aws-sdk/client-auto-scaling";
import { RunInstancesCommand } from "@aws-sdk/client-ec2";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type EvacuatorResult, makeEvacuator } from "../../functions/evacuator/evacuator.ts";
import { clientsFor, localCloudForFile } from "../contract/group-store-endpoints.ts";
import { RequestRecorder } from "../support/aws-requests.ts";
import { scheduledChange, spotWarning, terminateAction } from "../support/host-events.ts";
import { LiveGroup, type LiveGroupOptions } from "../support/live-group.ts";
import { useProcessGroup } from "../support/local-group.ts";
import { Writer } from "../support/writer.ts";

const endpoint = localCloudForFile();
const group = useProcessGroup();
const before = { ...process.env };
const asg = { group: "nodes", hook: "valkeeper" };
let live: LiveGroup;
let instances: Map<string, string>;
let lines: Record<string, unknown>[];
let recorder: RequestRecorder;

beforeAll(() => {
  const credentials = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  Object.assign(process.env, { AWS_ENDPOINT_URL: endpoint(), ...credentials });
});
afterAll(() => {
  process.env = before;
});
afterEach(async (context) => {
  if (context.task.result?.state === "fail") live?.print();
  recorder?.restore();
  live?.close();
  for (const node of live?.nodes ?? []) await node.kill();
});

async function start(options: Partial<LiveGroupOptions> = {}): Promise<void> {
  live = await LiveGroup.create({ group, endpoint: endpoint(), ...options });
  lines = [];
  recorder = new RequestRecorder();
  live.startVoters();
  const clients = clientsFor(endpoint());
  instances = new Map();
  for (const { id } of live.nodes) {
    const tags = { "valkeeper:group": live.name, "valkeeper:node": id };
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const started = await clients.ec2.send(
      new RunInstancesCommand({
        ...{ ImageId: "ami-00000000", MinCount: 1, MaxCount: 1, PrivateIpAddress: "127.0.0.1" },
        TagSpecifications: [{ ResourceType: "instance", Tags }],
      }),
    );
    instances.set(id, started.Instances?.[0]?.InstanceId ?? "");
  }
  clients.destroy();
  await live.healthy();
}

const primaryNow = async (): Promise<string> => (await live.primary()).id;
const instanceOf = (node: string): string => instances.get(node) ?? "";
const otherThan = (node: string): string => live.nodes.find(({ id }) => id !== node)?.id ?? "";
function deliver(event: object): Promise<EvacuatorResult> {
  const environment = { region: "eu-west-1", table: live.table, economy: false };
  const evacuator = makeEvacuator(environment, (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  return recorder.as("evacuator", () => evacuator(event));
}
const completed = () =>
  recorder.sent.filter(({ command }) => command.constructor.name === "CompleteLifecycleActionCommand");

describe("a host that is going", () => {
  it("Spot interruption: the primary moves, nothing that was acknowledged is lost, and a second delivery changes nothing", async () => {
    await start();
    const old = await primaryNow();
    let at = await live.primary();
    const writer = new Writer(() => at);
    const event = spotWarning(instanceOf(old));
    const [first, second] = await Promise.all([deliver(event), deliver(event)]);
    at = await live.primary();
    expect(at.id).not.toBe(old);
    for (const { evacuated } of [first, second]) expect(evacuated).toMatchObject([{ group: live.name, kind: "moved" }]);
    await live.healthy();
    await writer.stop();
    const held = new Set(String(await at.ask("KEYS", "key-*")).split(/[\s,]+/));
    expect(writer.acknowledged.length).toBeGreaterThan(10);
    expect(writer.acknowledged.filter((key) => !held.has(key))).toEqual([]);
    expect(live.log.filter((each) => each.event === "switchover.completed")).toHaveLength(1);
    expect(await live.store.readRequest(live.name)).toMatchObject({
      ...{ id: event.id, kind: "drain", target: old },
      by: "evacuation: EC2 Spot Instance Interruption Warning",
    });
    expect(lines).toMatchObject([{ outcome: "moved" }, { outcome: "moved" }]);
  });

  it("scheduled change of a replica's instance: nobody is asked for anything", async () => {
    await start();
    const old = await primaryNow();
    expect((await deliver(scheduledChange(instanceOf(otherThan(old))))).evacuated).toMatchObject([
      { kind: "no-primary" },
    ]);
    expect((await deliver(spotWarning("i-0aaaaaaaaaaaaaaaa"))).evacuated).toEqual([]);
    expect(await primaryNow()).toBe(old);
    expect(await live.store.readRequest(live.name)).toBeNull();
    expect(lines).toMatchObject([{ outcome: "no-primary" }, { outcome: "no-node" }]);
  });
});

describe("an instance that an Auto Scaling group terminates", () => {
  beforeAll(async () => {
    const clients = clientsFor(endpoint());
    const name = { AutoScalingGroupName: asg.group };
    await clients.autoScaling.send(
      new CreateAutoScalingGroupCommand({ ...name, MinSize: 0, MaxSize: 0, AvailabilityZones: ["eu-west-1a"] }),
    );
    await clients.autoScaling.send(
      new PutLifecycleHookCommand({
        ...{ ...name, LifecycleHookName: asg.hook, HeartbeatTimeout: 60 },
        LifecycleTransition: "autoscaling:EC2_INSTANCE_TERMINATING",
      }),
    );
    clients.destroy();
  });
  const completion = (node: string) => ({
    AutoScalingGroupName: asg.group,
    LifecycleHookName: asg.hook,
    LifecycleActionToken: "87654321-4321-4321-4321-210987654321",
    InstanceId: instanceOf(node),
    LifecycleActionResult: "CONTINUE",
  });

  it("goes when the primary has moved", async () => {
    await start();
    const old = await primaryNow();
    const { evacuated } = await deliver(terminateAction(instanceOf(old), asg));
    expect(evacuated).toMatchObject([{ kind: "moved" }]);
    expect(await primaryNow()).not.toBe(old);
    expect(completed().map(({ command }) => command.input)).toEqual([completion(old)]);
  });

  it("goes all the same when nobody can take over, and the failure is thrown", async () => {
    await start();
    const old = await primaryNow();
    for (const node of live.nodes) if (node.id !== old) await node.kill();
    await expect(deliver(terminateAction(instanceOf(old), asg))).rejects.toThrow(/^mymaster: refused: refused: /);
    expect(completed().map(({ command }) => command.input)).toEqual([completion(old)]);
    expect(await primaryNow()).toBe(old);
    expect(lines).toMatchObject([{ outcome: "refused" }]);
  });

  it("goes at once when it carries no node", async () => {
    await start();
    await deliver(terminateAction("i-0aaaaaaaaaaaaaaaa", asg));
    expect(completed()).toHaveLength(1);
  });
});
