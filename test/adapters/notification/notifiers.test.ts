// What no endpoint here produces: a service that takes one event of a batch and refuses another.

import { EventBridgeClient, type PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { type PublishBatchCommand, SNSClient } from "@aws-sdk/client-sns";
import { describe, expect, it } from "vitest";
import { EventBusNotifier } from "../../../lib/adapters/notification/event-bus.ts";
import { TopicNotifier } from "../../../lib/adapters/notification/topic.ts";
import { epoch, groupName, type VoterId } from "../../../lib/core/types.ts";
import type { Notification } from "../../../lib/ports/notifier.ts";

const notification = (n: number, more: Partial<Notification> = {}): Notification => ({
  schema: 1,
  id: `table/mymaster/event#7#${n}`,
  deployment: "table",
  group: groupName("mymaster"),
  event: "node.frozen",
  sentinel: null,
  epoch: epoch(7),
  at: "2026-11-22T10:00:00.000Z",
  voter: "az-a" as VoterId,
  detail: { node: "n2", wasPrimary: true, tookMs: 3, reason: "", candidate: null },
  ...more,
});
const three = [notification(0), notification(1), notification(2)];

/** A client that answers by itself; what it was sent is kept. */
function answering<Client extends { send: unknown }>(client: Client, answer: (input: never) => unknown) {
  const sent: unknown[] = [];
  const send = ({ input }: { readonly input: never }) => {
    sent.push(input);
    return Promise.resolve(answer(input));
  };
  return { client: Object.assign(client, { send }) as Client, sent };
}

describe("the topic's notifier", () => {
  it("tells which ones were refused, and why", async () => {
    const Failed = [{ Id: "1", Code: "InternalFailure", Message: "try again", SenderFault: false }];
    const { client } = answering(new SNSClient({ region: "eu-west-1" }), () => ({ Failed }));
    const outcomes = await new TopicNotifier(client, "arn:aws:sns:eu-west-1:1:t").send(three);
    expect(outcomes).toEqual([null, "InternalFailure: try again", null]);
  });

  it("has lines for people, with the facts that say something, and a subject that SNS takes", async () => {
    const { client, sent } = answering(new SNSClient({ region: "eu-west-1" }), () => ({}));
    const group = groupName(`größe-${"x".repeat(120)}`);
    const lines = notification(0, { group, event: "primary.committed", sentinel: "+switch-master" });
    await new TopicNotifier(client, "arn:aws:sns:eu-west-1:1:t").send([lines]);
    const [entry] = (sent as PublishBatchCommand["input"][])[0]?.PublishBatchRequestEntries ?? [];
    expect(entry?.Subject).toMatch(/^Valkeeper: gr\?\?e-x+$/);
    expect(entry?.Subject).toHaveLength(99);
    const { email } = JSON.parse(entry?.Message ?? "") as { readonly email: string };
    expect(email.split("\n").slice(1)).toEqual([
      "event       primary.committed (+switch-master in Sentinel's words)",
      "epoch       7",
      "at          2026-11-22T10:00:00.000Z, by the clock of az-a",
      "node        n2",
      "wasPrimary  true",
      "tookMs      3",
      "",
      `valkeeper why ${group} says what is wrong now, valkeeper history ${group} every step; the deployment's table is table.`,
    ]);
  });

  it("has the condition in the subject, by which whoever is paged knows the alarm", async () => {
    const { client, sent } = answering(new SNSClient({ region: "eu-west-1" }), () => ({}));
    const detail = { condition: "group-not-ready", reason: "n2 link down" };
    const began = notification(0, { event: "condition.began", voter: "publisher" as VoterId, detail });
    await new TopicNotifier(client, "arn:aws:sns:eu-west-1:1:t").send([began]);
    const [entry] = (sent as PublishBatchCommand["input"][])[0]?.PublishBatchRequestEntries ?? [];
    expect(entry?.Subject).toBe("Valkeeper: mymaster: group-not-ready, condition.began (epoch 7)");
    const { email } = JSON.parse(entry?.Message ?? "") as { readonly email: string };
    expect(email).toContain("\nreason      n2 link down\n");
  });
});

describe("the bus's notifier", () => {
  it("tells which ones were refused, and why", async () => {
    const Entries = [
      { EventId: "1" },
      { ErrorCode: "ThrottlingException", ErrorMessage: "slow down" },
      { EventId: "3" },
    ];
    const { client } = answering(new EventBridgeClient({ region: "eu-west-1" }), () => ({ Entries }));
    const outcomes = await new EventBusNotifier(client, "default", "valkeeper").send(three);
    expect(outcomes).toEqual([null, "ThrottlingException: slow down", null]);
  });

  it("takes an answer that is too short for one that did not come", async () => {
    const { client } = answering(new EventBridgeClient({ region: "eu-west-1" }), () => ({
      Entries: [{ EventId: "1" }],
    }));
    const outcomes = await new EventBusNotifier(client, "default", "valkeeper").send(three.slice(0, 2));
    expect(outcomes).toEqual([null, "no answer for this event"]);
  });

  it("sends ten at a time, in order", async () => {
    const { client, sent } = answering(new EventBridgeClient({ region: "eu-west-1" }), (input) => ({
      Entries: (input as PutEventsCommand["input"]).Entries?.map(() => ({ EventId: "1" })),
    }));
    const many = Array.from({ length: 23 }, (_, index) => notification(index));
    const outcomes = await new EventBusNotifier(client, "default", "valkeeper").send(many);
    expect(outcomes).toEqual(many.map(() => null));
    const batches = (sent as PutEventsCommand["input"][]).map(({ Entries = [] }) => Entries);
    expect(batches.map(({ length }) => length)).toEqual([10, 10, 3]);
    expect(batches.flat().map(({ Detail }) => JSON.parse(Detail ?? "").id)).toEqual(many.map(({ id }) => id));
  });
});
