// The notifier put together. It only passes on what is in the history: nothing waits for it, and what it does not get rid
// of now the stream brings again.

import { createAwsClients } from "../../lib/adapters/aws/clients.ts";
import { SystemClock } from "../../lib/adapters/clock/system-clock.ts";
import { newSteps, type StreamRecord } from "../../lib/adapters/dynamodb/stream-event.ts";
import { ConsoleJournal } from "../../lib/adapters/journal/console-journal.ts";
import { EventBusNotifier } from "../../lib/adapters/notification/event-bus.ts";
import { notificationOf } from "../../lib/adapters/notification/notification.ts";
import { TopicNotifier } from "../../lib/adapters/notification/topic.ts";
import { epoch, type GroupName, groupName, voterId } from "../../lib/core/types.ts";
import type { Notifier } from "../../lib/ports/notifier.ts";
import { NOTIFICATION_SOURCE, type NotifierEnvironment } from "../../lib/runtime/environment.ts";

export interface NotifierEvent {
  readonly Records?: readonly StreamRecord[];
}

export interface NotifierResult {
  /** Steps of this batch that both have taken. */
  readonly told: number;
  /** From the first of these on the stream is read again. */
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** As journal lines name it; it is no voter. */
const NOTIFIER = voterId("notifier");

export function makeNotifier(
  environment: NotifierEnvironment,
  print?: (line: string) => void,
): (event: NotifierEvent) => Promise<NotifierResult> {
  const journal = new ConsoleJournal(new SystemClock(), print);
  const fail = (group: GroupName, reason: string): void => {
    const line = {
      event: "notification.failed",
      group,
      epoch: epoch(0),
      node: null,
      detail: { detail: reason },
    } as const;
    journal.write({ ...line, voter: NOTIFIER, generation: 0, tick: 0 });
  };
  return async ({ Records = [] }) => {
    const steps = newSteps(Records);
    const failed = new Set<string>();
    for (const { step, sequenceNumber, trouble } of steps) {
      if (step !== null) continue;
      failed.add(sequenceNumber);
      fail(groupName(""), trouble);
    }
    const good = steps.flatMap(({ step, sequenceNumber }) => (step === null ? [] : [{ step, sequenceNumber }]));
    const notifications = good.map(({ step }) => notificationOf(step, environment.table));
    const clients = createAwsClients({ region: environment.region });
    try {
      const outcomes = await Promise.all(notifiersOf(environment, clients).map((each) => each.send(notifications)));
      for (const [index, { step, sequenceNumber }] of good.entries()) {
        for (const reason of outcomes.map((each) => each[index] ?? null)) {
          if (reason === null) continue;
          failed.add(sequenceNumber);
          fail(step.group, `${step.id}: ${reason}`);
        }
      }
    } finally {
      clients.destroy();
    }
    return {
      told: steps.length - failed.size,
      batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })),
    };
  };
}

function notifiersOf(
  { topicArn, eventBus }: NotifierEnvironment,
  clients: ReturnType<typeof createAwsClients>,
): readonly Notifier[] {
  return [
    ...(topicArn === null ? [] : [new TopicNotifier(clients.sns, topicArn)]),
    ...(eventBus === null ? [] : [new EventBusNotifier(clients.eventbridge, eventBus, NOTIFICATION_SOURCE)]),
  ];
}
