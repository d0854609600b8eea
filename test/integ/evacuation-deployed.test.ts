// The evacuator as the CDK deploys it, in economy mode: rule, function, order, wake-up, voters, publisher. AWS alone may put
// events of its sources on a bus, and the emulator refuses them as AWS does (asserted below): whether a rule matches is
// asked of `TestEventPattern` with the very event, and the rule's target is then called with it, as EventBridge calls it. The
// wake-up is delivered by the emulator's bus, and an event that nothing came of by its queue.

import { randomUUID } from "node:crypto";
import { PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { invokeNow } from "../../lib/local/deploy.ts";
import { CLUSTER_ARN } from "../support/cloud-hosts.ts";
import {
  containerInstanceDraining,
  rebalanceRecommendation,
  scheduledChange,
  spotWarning,
  taskStateChange,
  terminateAction,
} from "../support/host-events.ts";
import { Inbox } from "../support/inbox.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";
import { Writer } from "../support/writer.ts";
import { EvacuatedDeployment, SCALING } from "./evacuated-deployment.ts";

const group = useProcessGroup();
const stack = new EvacuatedDeployment();
let inbox: Inbox;

beforeAll(async () => {
  await stack.start(group);
  inbox = new Inbox(stack.cloud.endpoint);
  await inbox.follow("wake-ups", { eventBus: "default", pattern: { source: ["valkeeper.evacuator"] } });
  await inbox.open("DeadLetters");
  // Their schedules would call them a minute after they were made.
  for (const voter of stack.deployed.voters) await invokeNow(stack.cloud, voter);
}, 120_000);
afterAll(async () => {
  inbox?.close();
  await stack.close();
});

const inCluster = { clusterArn: CLUSTER_ARN };
const isEvacuator = expect.stringContaining("Evacuat") as string;

describe("the deployed rules", () => {
  it("call the evacuator for the documented events, each once", async () => {
    const instance = "i-1234567890abcdef0";
    for (const event of [
      spotWarning(),
      scheduledChange(),
      terminateAction(instance, SCALING),
      taskStateChange(undefined, inCluster),
      containerInstanceDraining(undefined, inCluster),
    ]) {
      expect(await stack.calledFor(event), JSON.stringify(event)).toEqual([isEvacuator]);
    }
  });

  it("call nobody for another hook or cluster, what is over, or what was not asked for", async () => {
    for (const event of [
      terminateAction(),
      taskStateChange(),
      taskStateChange(undefined, { ...inCluster, desiredStatus: "RUNNING" }),
      taskStateChange(undefined, { ...inCluster, lastStatus: "STOPPED" }),
      containerInstanceDraining(undefined, { ...inCluster, status: "ACTIVE" }),
      scheduledChange("i-1", { service: "RDS" }),
      rebalanceRecommendation(),
    ]) {
      expect(await stack.calledFor(event), JSON.stringify(event)).toEqual([]);
    }
  });

  it("are fed by AWS alone: nobody else puts events of its sources on a bus", async () => {
    for (const { detail, source, "detail-type": DetailType } of [
      spotWarning(),
      scheduledChange(),
      terminateAction(),
      taskStateChange(),
    ]) {
      const entry = { Source: source, DetailType, Detail: JSON.stringify(detail) };
      const put = await stack.clients.eventbridge.send(new PutEventsCommand({ Entries: [entry] }));
      expect(put.Entries).toMatchObject([{ ErrorCode: "NotAuthorizedForSourceException" }]);
    }
  });
});

const completion = (instance: string) => ({
  AutoScalingGroupName: SCALING.group,
  LifecycleHookName: SCALING.hook,
  LifecycleActionToken: "87654321-4321-4321-4321-210987654321",
  InstanceId: instance,
  LifecycleActionResult: "CONTINUE",
});
/** What Lambda writes of an event that failed. */
interface Letter {
  readonly requestPayload?: { readonly id?: string };
  readonly responsePayload?: unknown;
}

describe("the host of the primary goes, while all voters rest", () => {
  let writer: Writer | undefined;
  // One that goes on would take the machine from every test that follows.
  afterEach(() => writer?.stop());

  it("Spot interruption: they are woken, another primary is published, and no acknowledged write is lost", async () => {
    const old = await stack.rests();
    const before = await stack.published();
    let at = stack.node(old);
    writer = new Writer(() => at);
    const event = spotWarning(stack.instanceOf(old), randomUUID());
    const since = Date.now();
    await stack.tell(event);
    const now = await stack.publishedOtherThan(old);
    process.stdout.write(`published ${Date.now() - since} ms after the event\n`);
    at = stack.node(now.node);
    expect(now.epoch).toBeGreaterThan(before?.epoch ?? Number.POSITIVE_INFINITY);
    const isAnswered = async () => (await stack.store.readRequest(stack.name))?.result != null;
    await eventually("the order is answered", isAnswered, 60_000);
    expect(await stack.store.readRequest(stack.name)).toMatchObject({
      ...{ id: event.id, kind: "drain", target: old, result: { kind: "done" } },
      by: "evacuation: EC2 Spot Instance Interruption Warning",
    });
    expect(await inbox.received("wake-ups", 1, 20_000)).toHaveLength(1);
    await writer.stop();
    expect(writer.acknowledged.length).toBeGreaterThan(10);
    expect(await writer.missingFrom(at)).toEqual([]);
  }, 300_000);

  it("a termination hook with nobody to take over: it is completed all the same, and a person gets the event", async () => {
    const old = await stack.isWell();
    const before = await stack.published();
    for (const node of stack.nodes) if (node.id !== old) await node.kill();
    const event = terminateAction(stack.instanceOf(old), SCALING, randomUUID());
    stack.completed.length = 0;
    await stack.tell(event);
    const idIn = (letter: Letter): string => letter.requestPayload?.id ?? "";
    const letters: readonly Letter[] = await inbox.receivedAll("DeadLetters", [event.id], idIn, 120_000);
    const letter = letters.find((each) => idIn(each) === event.id);
    expect(letter?.requestPayload).toEqual(event);
    expect(JSON.stringify(letter?.responsePayload)).toContain(`${stack.name}: refused: refused: `);
    expect(stack.completed).toMatchObject([completion(stack.instanceOf(old))]);
    expect(await stack.published()).toEqual(before);
    expect(await stack.node(old).ask("SET", "after", "the refusal")).toBe("OK");
  }, 300_000);
});
