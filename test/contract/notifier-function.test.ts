// The notifier function as it is deployed, before a real endpoint: a topic and a bus, each with a queue behind it.

import { CreateEventBusCommand } from "@aws-sdk/client-eventbridge";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makeNotifier, type NotifierEvent } from "../../functions/notifier/notifier.ts";
import { marshalItem } from "../../lib/adapters/dynamodb/attribute-value.ts";
import type { StreamRecord } from "../../lib/adapters/dynamodb/stream-event.ts";
import type { HistoryRecord } from "../../lib/core/records.ts";
import { epoch, groupName, type VoterId, type WallTime } from "../../lib/core/types.ts";
import { Inbox } from "../support/inbox.ts";
import { schemaIssues } from "../support/notification-schema.ts";
import { localCloudForFile } from "./group-store-endpoints.ts";

const endpoint = localCloudForFile();
const before = { ...process.env };
const group = groupName("mymaster");
let inbox: Inbox;
let topicArn: string;
let lines: Record<string, unknown>[];
let notify: ReturnType<typeof makeNotifier>;
const environment = { region: "eu-west-1", table: "valkeeper-test", eventBus: "valkeeper", conditionTopicArn: null };

beforeAll(async () => {
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint(),
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  });
  inbox = new Inbox(endpoint());
  topicArn = await inbox.subscribe("topic");
  await inbox.eventbridge.send(new CreateEventBusCommand({ Name: "valkeeper" }));
  const pattern = { source: ["valkeeper"], "detail-type": ["primary.committed"] };
  await inbox.follow("bus", { eventBus: "valkeeper", pattern });
});
afterAll(() => {
  inbox?.close();
  process.env = before;
});
beforeEach(() => {
  lines = [];
  notify = makeNotifier({ ...environment, topicArn }, (line) => lines.push(JSON.parse(line)));
});

const stepOf = (n: number, event: HistoryRecord["event"], facts: HistoryRecord["detail"] = {}): HistoryRecord => ({
  schema: 1,
  id: `event#000007#1764000000000#az-a#${n}`,
  group,
  epoch: epoch(7),
  at: (1_764_000_000_000 + n) as WallTime,
  voter: "az-a" as VoterId,
  generation: 3,
  event,
  detail: { node: "n2", tookMs: 12.5, reason: "primary-down", isPlanned: false, target: null, ...facts },
});
const recordOf = (step: object, sequence: number, eventName = "INSERT"): StreamRecord => ({
  eventName,
  dynamodb: {
    Keys: { pk: { S: `group#${group}` }, sk: { S: (step as HistoryRecord).id } },
    NewImage: { ...marshalItem(step as never), pk: { S: `group#${group}` }, sk: { S: (step as HistoryRecord).id } },
    SequenceNumber: String(sequence),
  },
});
const noteOf = (condition: object): object => ({
  at: 9_000,
  standing: { "failover-blocked": { epoch: 7, reason: "quorum-pending: one of two", ...condition } },
});
/** A change of the item in which a group's conditions are noted. */
const noteRecord = (sequence: number, before: object, after: object): StreamRecord => ({
  eventName: "MODIFY",
  dynamodb: {
    Keys: { pk: { S: `published#${group}` }, sk: { S: "copies" } },
    OldImage: marshalItem(("at" in before ? { conditions: before } : {}) as never),
    NewImage: marshalItem({ conditions: after } as never),
    SequenceNumber: String(sequence),
  },
});
const run = (...Records: readonly StreamRecord[]) => notify({ Records } satisfies NotifierEvent);

describe("the notifier function", () => {
  it("tells the topic of every new step, and the bus, where a rule picks events by name", async () => {
    const steps = [stepOf(1, "lease.acquired"), stepOf(2, "primary.committed"), stepOf(3, "failover.completed")];
    const result = await run(...steps.map((step, index) => recordOf(step, index + 1)));
    expect(result).toEqual({ told: 3, batchItemFailures: [] });
    expect(lines).toEqual([]);
    const messages = await inbox.received("topic", 3);
    const told = messages.map(({ Message }) => JSON.parse(Message as string) as Record<string, unknown>);
    expect(told.map((each) => each["event"]).sort()).toEqual(steps.map(({ event }) => event).sort());
    const committed = {
      schema: 1,
      id: "valkeeper-test/mymaster/event#000007#1764000000000#az-a#2",
      deployment: "valkeeper-test",
      group: "mymaster",
      event: "primary.committed",
      sentinel: "+switch-master",
      epoch: 7,
      at: "2025-11-24T16:00:00.002Z",
      voter: "az-a",
      detail: { node: "n2", tookMs: 12.5, reason: "primary-down", isPlanned: false, target: null },
    };
    expect(told).toContainEqual(committed);
    const attributes = messages.find(({ Message }) => String(Message).includes("+switch-master"))?.[
      "MessageAttributes"
    ];
    expect(attributes).toMatchObject({ event: { Value: "primary.committed" }, sentinel: { Value: "+switch-master" } });
    const [event, ...others] = await inbox.received("bus", 1);
    expect(others).toEqual([]);
    expect(event).toMatchObject({ source: "valkeeper", "detail-type": "primary.committed", detail: committed });
    expect([...told, event?.["detail"]].flatMap(schemaIssues)).toEqual([]);
  });

  it("says nothing of records that are no new steps", async () => {
    const step = stepOf(4, "node.frozen");
    const ballot = { eventName: "INSERT", dynamodb: { Keys: { pk: { S: `group#${group}` }, sk: { S: "ballot" } } } };
    expect(await run(recordOf(step, 1, "MODIFY"), recordOf(step, 2, "REMOVE"), ballot)).toMatchObject({ told: 0 });
  });

  it("tells more than a service takes at once", async () => {
    const steps = Array.from({ length: 25 }, (_, index) => stepOf(100 + index, "node.frozen"));
    expect(await run(...steps.map((step, index) => recordOf(step, index + 1)))).toMatchObject({ told: 25 });
    expect(await inbox.received("topic", 25)).toHaveLength(25);
  });

  it("tells the alarms' topic which group they ring for and what a failover was, and the others as well", async () => {
    const conditionTopicArn = await inbox.subscribe("pager");
    notify = makeNotifier({ ...environment, topicArn, conditionTopicArn }, (line) => lines.push(JSON.parse(line)));
    const began = noteOf({ since: 5_000, isTold: true });
    const records = [
      noteRecord(31, {}, began),
      recordOf(stepOf(8, "lease.acquired"), 32),
      recordOf(stepOf(9, "failover.completed"), 33),
      recordOf(stepOf(11, "switchover.completed", { by: "kim@laptop" }), 36),
      recordOf(stepOf(12, "switchover.completed", { by: "automatic" }), 37),
      noteRecord(34, began, noteOf({ since: 5_000, isTold: true, goneAt: 65_000 })),
      noteRecord(35, noteOf({ since: 5_000, isTold: true, goneAt: 65_000 }), { at: 185_000, standing: {} }),
    ];
    expect(await run(...records)).toEqual({ told: 6, batchItemFailures: [] });
    const [all, paged] = [await inbox.received("topic", 6), await inbox.received("pager", 4)];
    expect(all).toHaveLength(6);
    const told = paged.map(({ Message }) => JSON.parse(String(Message)) as Record<string, unknown>);
    expect(told.map(({ event }) => event).toSorted()).toEqual([
      ...["condition.began", "condition.ended", "failover.completed", "switchover.completed"],
    ]);
    const handedOver = told.find(({ event }) => event === "switchover.completed");
    expect(handedOver).toMatchObject({ detail: { by: "automatic" } });
    expect(told.flatMap(schemaIssues)).toEqual([]);
    const detail = { condition: "failover-blocked", reason: "quorum-pending: one of two" };
    expect(told).toContainEqual(expect.objectContaining({ event: "condition.began", group: "mymaster", detail }));
    const ended = { ...detail, lastedMs: 60_000 };
    expect(told).toContainEqual(expect.objectContaining({ event: "condition.ended", detail: ended }));
    // The attribute by which a subscriber of the alarms alone passes them over.
    expect(paged[0]?.["MessageAttributes"]).toMatchObject({ event: { Value: expect.any(String) } });
  });

  it("tells one topic that is the alarms' and everybody's once", async () => {
    notify = makeNotifier({ ...environment, topicArn, conditionTopicArn: topicArn });
    const note = noteOf({ since: 7_000, isTold: true });
    expect(await run(noteRecord(41, {}, note), recordOf(stepOf(10, "node.frozen"), 42))).toMatchObject({ told: 2 });
    await inbox.received("topic", 2);
    await expect(inbox.received("topic", 1, 1_500)).rejects.toThrow();
  });

  it("gives a damaged step back to the stream, with its reason in the log, and tells the others", async () => {
    const damaged = { ...stepOf(5, "node.frozen"), epoch: "seven" };
    const result = await run(recordOf(damaged, 11), recordOf(stepOf(6, "node.fenced"), 12));
    expect(result).toEqual({ told: 1, batchItemFailures: [{ itemIdentifier: "11" }] });
    expect(lines).toMatchObject([{ event: "notification.failed", voter: "notifier" }]);
    expect(String(lines[0]?.["detail"])).toContain("epoch");
    await inbox.received("topic", 1);
  });

  it("gives a step back that only one of them has taken", async () => {
    const elsewhere = `${topicArn}-that-is-not-there`;
    notify = makeNotifier({ ...environment, topicArn: elsewhere }, (line) => lines.push(JSON.parse(line)));
    const result = await run(recordOf(stepOf(7, "primary.committed"), 21));
    expect(result).toEqual({ told: 0, batchItemFailures: [{ itemIdentifier: "21" }] });
    expect(lines).toMatchObject([{ event: "notification.failed", group: "mymaster" }]);
    expect(String(lines[0]?.["detail"])).toContain("NotFound");
    expect(await inbox.received("bus", 1)).toHaveLength(1);
  });
});
