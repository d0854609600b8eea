// Notifications on an EventBridge bus. `detail-type` is the event's name, so that a rule can pick events by it.

import { type EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import type { Notification, Notifier } from "../../ports/notifier.ts";
import { call } from "../aws/call.ts";
import { inBatches, NOTIFY_LIMITS } from "./batches.ts";

export class EventBusNotifier implements Notifier {
  readonly #client: EventBridgeClient;
  readonly #eventBus: string;
  readonly #source: string;

  /** `eventBus`: name or ARN. */
  constructor(client: EventBridgeClient, eventBus: string, source: string) {
    this.#client = client;
    this.#eventBus = eventBus;
    this.#source = source;
  }

  send(notifications: readonly Notification[]): Promise<readonly (string | null)[]> {
    return inBatches(notifications, (batch) => this.#sendBatch(batch));
  }

  async #sendBatch(batch: readonly Notification[]): Promise<readonly (string | null)[]> {
    const command = new PutEventsCommand({
      Entries: batch.map((notification) => ({
        EventBusName: this.#eventBus,
        Source: this.#source,
        DetailType: notification.event,
        Detail: JSON.stringify(notification),
        Time: new Date(notification.at),
      })),
    });
    const answer = await call((abortSignal) => this.#client.send(command, { abortSignal }), NOTIFY_LIMITS);
    if (answer.kind === "failed") return batch.map(() => answer.failure.detail);
    // In the order of the request; one that was taken has an id instead of an error.
    return batch.map((_, index) => {
      const { ErrorCode, ErrorMessage } = answer.value.Entries?.[index] ?? { ErrorCode: "no answer for this event" };
      return ErrorCode === undefined
        ? null
        : [ErrorCode, ...(ErrorMessage === undefined ? [] : [ErrorMessage])].join(": ");
    });
  }
}
