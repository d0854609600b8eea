// The evacuator with real nodes, voters and table, called with the events that AWS documents, as a rule calls it: the emulator's
// bus takes no event of an AWS source (evacuation-deployed.test.ts asserts it, and asks the deployed rules). Its instances and tasks
// are records, found by tag and address; its hooks hold nobody back, so that what is asked of AWS is recorded and held against
// what AWS documents. A task's address and what a container instance runs are put into its answers.

import { randomUUID } from "node:crypto";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type EvacuatorResult, makeEvacuator } from "../../functions/evacuator/evacuator.ts";
import { parseEvacuatorEnvironment, VARIABLES } from "../../lib/runtime/environment.ts";
import { clientsFor, localCloudForFile } from "../contract/group-store-endpoints.ts";
import { RequestRecorder } from "../support/aws-requests.ts";
import {
  CLUSTER_ARN,
  completeTasks,
  makeTerminationHook,
  nodeTags,
  type RunningTask,
  runInstance,
  runTask,
} from "../support/cloud-hosts.ts";
import {
  CONTAINER_INSTANCE,
  containerInstanceDraining,
  scheduledChange,
  spotWarning,
  taskStateChange,
  terminateAction,
} from "../support/host-events.ts";
import { LiveGroup, type LiveGroupOptions } from "../support/live-group.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";
import { Writer } from "../support/writer.ts";

const endpoint = localCloudForFile();
const group = useProcessGroup();
const before = { ...process.env };
const inCluster = { clusterArn: CLUSTER_ARN };
const asg = { group: "nodes", hook: "valkeeper" };
let live: LiveGroup;
let writer: Writer | undefined;
/** Of each node; either may be what goes. */
let hosts: Map<string, { readonly instance: string; readonly task: RunningTask }>;
let lines: Record<string, unknown>[];
let recorder: RequestRecorder;

beforeAll(async () => {
  const credentials = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  Object.assign(process.env, { AWS_ENDPOINT_URL: endpoint(), AWS_REGION: "eu-west-1", ...credentials });
  const clients = clientsFor(endpoint());
  await makeTerminationHook(clients, asg);
  clients.destroy();
});
afterAll(() => {
  process.env = before;
});
afterEach(async (context) => {
  if (context.task.result?.state === "fail") live?.print();
  await writer?.stop();
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
  const tasks = new Map<RunningTask, string>();
  hosts = new Map();
  for (const { id, host } of live.nodes) {
    const tags = nodeTags(live.name, id);
    const task = await runTask(clients, tags);
    tasks.set(task, host);
    hosts.set(id, { instance: await runInstance(clients, host, tags), task });
  }
  completeTasks(recorder, tasks);
  clients.destroy();
  await live.healthy();
}

const primaryNow = async (): Promise<string> => (await live.primary()).id;
const hostOf = (node: string) => {
  const host = hosts.get(node);
  if (host === undefined) throw new Error(`${node} is on no host`);
  return host;
};
const instanceOf = (node: string): string => hostOf(node).instance;
const taskOf = (node: string): RunningTask => hostOf(node).task;
async function parameter(): Promise<string | undefined> {
  const clients = clientsFor(endpoint());
  try {
    const command = new GetParameterCommand({ Name: `/test/${live.table}/${live.name}/primary` });
    return (await clients.ssm.send(command)).Parameter?.Value;
  } finally {
    clients.destroy();
  }
}
const otherThan = (node: string): string => live.nodes.find(({ id }) => id !== node)?.id ?? "";
function deliver(event: object): Promise<EvacuatorResult> {
  // As its handler does.
  const environment = parseEvacuatorEnvironment({ ...process.env, [VARIABLES.table]: live.table });
  const evacuator = makeEvacuator(environment, (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  return recorder.as("evacuator", () => evacuator(event));
}
const completion = (node: string) => ({
  AutoScalingGroupName: asg.group,
  LifecycleHookName: asg.hook,
  LifecycleActionToken: "87654321-4321-4321-4321-210987654321",
  InstanceId: instanceOf(node),
  LifecycleActionResult: "CONTINUE",
});
const completed = () =>
  recorder.sent.filter(({ command }) => command.constructor.name === "CompleteLifecycleActionCommand");

interface Notice {
  readonly id: string;
  readonly "detail-type": string;
}
const notices: readonly (readonly [what: string, of: (node: string) => Notice])[] = [
  ["a Spot interruption", (node) => spotWarning(instanceOf(node), randomUUID())],
  ["a scheduled change", (node) => scheduledChange(instanceOf(node), {}, randomUUID())],
  ["a termination hook", (node) => terminateAction(instanceOf(node), asg, randomUUID())],
  ["a task that is told to stop", (node) => taskStateChange(taskOf(node).task, inCluster, randomUUID())],
  [
    "a drained container instance",
    (node) => containerInstanceDraining(taskOf(node).containerInstance, inCluster, randomUUID()),
  ],
  [
    "a drained container instance whose address is the node's, as in network mode host",
    (node) => {
      const itself = { ...inCluster, ec2InstanceId: instanceOf(node) };
      return containerInstanceDraining(CONTAINER_INSTANCE, itself, randomUUID());
    },
  ],
];

describe("a host that is going", () => {
  it.each(notices)(
    "%s: the primary moves and no acknowledged write is lost, however often it is told",
    async (what, of) => {
      await start();
      const old = await primaryNow();
      const before = await live.store.readPublication(live.name);
      let at = live.node(old);
      writer = new Writer(() => at);
      const event = of(old);
      const told = await Promise.all([deliver(event), deliver(event)]);
      for (const { evacuated } of told) expect(evacuated).toMatchObject([{ group: live.name, kind: "moved" }]);
      at = await live.primary();
      expect(at.id).not.toBe(old);
      await eventually("it is published", async () => (await parameter()) === `${at.host}:${at.port}`, 15_000);
      const published = await live.store.readPublication(live.name);
      expect(published?.primary.node).toBe(at.id);
      expect(published?.epoch).toBeGreaterThan(before?.epoch ?? Number.POSITIVE_INFINITY);
      // Without a save, as hosts go.
      await live.node(old).kill();
      const { acknowledged } = writer;
      const count = acknowledged.length;
      await eventually("writes go on", () => acknowledged.length > count + 10);
      await writer.stop();
      expect(count).toBeGreaterThan(10);
      expect(await writer.missingFrom(at)).toEqual([]);
      // The order is answered before the switchover is over.
      await live.event("switchover.completed", 0);
      expect(live.log.filter((each) => each.event === "switchover.completed")).toHaveLength(1);
      expect(live.log.filter((each) => each.event.startsWith("failover."))).toEqual([]);
      expect(await live.store.readRequest(live.name)).toMatchObject({
        ...{ id: event.id, kind: "drain", target: old, result: { kind: "done" } },
        by: expect.stringMatching(`^evacuation: ${event["detail-type"]}`) as string,
      });
      expect(lines).toMatchObject([{ outcome: "moved" }, { outcome: "moved" }]);
      const each = what.includes("hook") ? [completion(old), completion(old)] : [];
      expect(completed().map(({ command }) => command.input)).toEqual(each);
    },
  );

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
