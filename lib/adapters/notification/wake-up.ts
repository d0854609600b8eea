// Voters that rest are started by an event on the account's default bus, for which the deployment has a rule: whoever wakes
// them needs no right to call a function, and nobody waits for their end.

import { type EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { PortError } from "../../core/errors.ts";
import type { Waker } from "../../ports/departures.ts";
import { call } from "../aws/call.ts";
import { NOTIFY_LIMITS } from "./batches.ts";

export interface WakeUpOptions {
  readonly client: EventBridgeClient;
  readonly source: string;
  readonly detailType: string;
  /** Of the deployment: two in one account wake their own. */
  readonly table: string;
}

export function createWaker({ client, source, detailType, table }: WakeUpOptions): Waker {
  return {
    async wake() {
      const entry = { EventBusName: "default", Source: source, DetailType: detailType };
      const command = new PutEventsCommand({ Entries: [{ ...entry, Detail: JSON.stringify({ table }) }] });
      const answer = await call((abortSignal) => client.send(command, { abortSignal }), NOTIFY_LIMITS);
      if (answer.kind === "failed")
        throw new PortError("waker", "PutEvents", answer.failure.detail, answer.failure.error);
      const { ErrorCode, ErrorMessage = "" } = answer.value.Entries?.[0] ?? { ErrorCode: "no answer for this event" };
      if (ErrorCode !== undefined) throw new PortError("waker", "PutEvents", `${ErrorCode} ${ErrorMessage}`, null);
    },
  };
}
