// Notifications on an SNS topic: JSON for programs, a few lines for people who have subscribed with an address of theirs.
// `group`, `event` and `sentinel` are attributes too, by which a subscription filters.

import { PublishBatchCommand, type PublishBatchRequestEntry, type SNSClient } from "@aws-sdk/client-sns";
import type { Notification, Notifier } from "../../ports/notifier.ts";
import { call } from "../aws/call.ts";
import { inBatches, NOTIFY_LIMITS } from "./batches.ts";

/** SNS refuses longer ones, and any that holds more than printable ASCII. */
const SUBJECT_LENGTH = 99;

export class TopicNotifier implements Notifier {
  readonly #client: SNSClient;
  readonly #topicArn: string;

  constructor(client: SNSClient, topicArn: string) {
    this.#client = client;
    this.#topicArn = topicArn;
  }

  send(notifications: readonly Notification[]): Promise<readonly (string | null)[]> {
    return inBatches(notifications, (batch) => this.#sendBatch(batch));
  }

  async #sendBatch(batch: readonly Notification[]): Promise<readonly (string | null)[]> {
    const command = new PublishBatchCommand({
      TopicArn: this.#topicArn,
      PublishBatchRequestEntries: batch.map(entryOf),
    });
    const answer = await call((abortSignal) => this.#client.send(command, { abortSignal }), NOTIFY_LIMITS);
    if (answer.kind === "failed") return batch.map(() => answer.failure.detail);
    const refused = new Map(
      (answer.value.Failed ?? []).map((each) => [each.Id, `${each.Code}: ${each.Message ?? ""}`]),
    );
    return batch.map((_, index) => refused.get(String(index)) ?? null);
  }
}

function entryOf(notification: Notification, index: number): PublishBatchRequestEntry {
  const { group, event, sentinel } = notification;
  const text = (value: string) => ({ DataType: "String", StringValue: value });
  return {
    // Within the batch; the notification's own id holds characters that are not allowed here.
    Id: String(index),
    Subject: subjectOf(notification),
    MessageStructure: "json",
    Message: JSON.stringify({ default: JSON.stringify(notification), email: linesOf(notification) }),
    MessageAttributes: {
      group: text(group),
      event: text(event),
      ...(sentinel === null ? {} : { sentinel: text(sentinel) }),
    },
  };
}

/** A condition is what whoever is paged looks for. */
const whatOf = ({ event, detail }: Notification): string =>
  typeof detail["condition"] === "string" ? `${detail["condition"]}, ${event}` : event;

const subjectOf = (notification: Notification): string =>
  `Valkeeper: ${notification.group}: ${whatOf(notification)} (epoch ${notification.epoch})`
    .replaceAll(/[^ -~]/g, "?")
    .slice(0, SUBJECT_LENGTH);

function linesOf({ group, event, sentinel, epoch, at, voter, detail, deployment }: Notification): string {
  const facts = Object.entries(detail).filter(([, value]) => value !== null && value !== "");
  return [
    `group       ${group}`,
    `event       ${event}${sentinel === null ? "" : ` (${sentinel} in Sentinel's words)`}`,
    `epoch       ${epoch}`,
    `at          ${at}, by the clock of ${voter}`,
    ...facts.map(([name, value]) => `${name.padEnd(11)} ${value}`),
    "",
    `valkeeper why ${group} says what is wrong now, valkeeper history ${group} every step; the deployment's table is ${deployment}.`,
  ].join("\n");
}
