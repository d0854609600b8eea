// The notifier put together. It only passes on what is in the history and in the notes of the groups' conditions: nothing
// waits for it, and what it does not get rid of now the stream brings again.

import { createAwsClients } from "../../lib/adapters/aws/clients.ts";
import { SystemClock } from "../../lib/adapters/clock/system-clock.ts";
import { conditionChanges, newSteps, type StreamRecord } from "../../lib/adapters/dynamodb/stream-event.ts";
import { ConsoleJournal } from "../../lib/adapters/journal/console-journal.ts";
import { EventBusNotifier } from "../../lib/adapters/notification/event-bus.ts";
import { notificationOf, notificationOfChange } from "../../lib/adapters/notification/notification.ts";
import { TopicNotifier } from "../../lib/adapters/notification/topic.ts";
import { epoch, type GroupName, groupName, voterId } from "../../lib/core/types.ts";
import type { Notification, Notifier } from "../../lib/ports/notifier.ts";
import { NOTIFICATION_SOURCE, type NotifierEnvironment } from "../../lib/runtime/environment.ts";
import { isFailoverEnd } from "../../lib/runtime/group-conditions.ts";

export interface NotifierEvent {
  readonly Records?: readonly StreamRecord[];
}

export interface NotifierResult {
  /** Steps and conditions of this batch that everybody has taken who was to hear them. */
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
    const failed = new Set<string>();
    const giveBack = ({ sequenceNumber, group }: Pick<Telling, "sequenceNumber" | "group">, reason: string): void => {
      failed.add(sequenceNumber);
      fail(group, reason);
    };
    const unread = (trouble: Unread): void => giveBack({ ...trouble, group: groupName("") }, trouble.trouble);
    const tellings = [...stepsIn(Records, environment.table, unread), ...changesIn(Records, environment.table, unread)];
    const clients = createAwsClients({ region: environment.region });
    try {
      const receivers = receiversOf(environment, clients);
      await Promise.all(
        receivers.map(async ({ notifier, hears }) => {
          const heard = tellings.filter(hears);
          const outcomes = await notifier.send(heard.map(({ notification }) => notification));
          for (const [index, telling] of heard.entries()) {
            const reason = outcomes[index] ?? null;
            if (reason !== null) giveBack(telling, `${telling.name}: ${reason}`);
          }
        }),
      );
    } finally {
      clients.destroy();
    }
    return {
      told: tellings.filter(({ sequenceNumber }) => !failed.has(sequenceNumber)).length,
      batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })),
    };
  };
}

interface Telling {
  /** An alarm rings for it, and does not say which group it is. */
  readonly isAlarmed: boolean;
  readonly group: GroupName;
  /** For the log. */
  readonly name: string;
  readonly notification: Notification;
  readonly sequenceNumber: string;
}

interface Unread {
  readonly sequenceNumber: string;
  readonly trouble: string;
}

function stepsIn(records: readonly StreamRecord[], table: string, unread: (trouble: Unread) => void): Telling[] {
  return newSteps(records).flatMap(({ step, sequenceNumber, trouble }): Telling[] => {
    if (step === null) {
      unread({ sequenceNumber, trouble });
      return [];
    }
    const notification = notificationOf(step, table);
    const isAlarmed = isFailoverEnd(step.event, step.detail);
    return [{ isAlarmed, group: step.group, name: step.id, notification, sequenceNumber }];
  });
}

function changesIn(records: readonly StreamRecord[], table: string, unread: (trouble: Unread) => void): Telling[] {
  return conditionChanges(records).flatMap(({ changes, sequenceNumber, trouble }): Telling[] => {
    if (trouble !== "") unread({ sequenceNumber, trouble });
    return changes.map((change) => {
      const name = `${change.name} ${change.kind}`;
      const notification = notificationOfChange(change, table);
      return { isAlarmed: true, group: change.group, name, notification, sequenceNumber };
    });
  });
}

interface Receiver {
  readonly notifier: Notifier;
  readonly hears: (telling: Telling) => boolean;
}

function receiversOf(
  { topicArn, eventBus, conditionTopicArn }: NotifierEnvironment,
  clients: ReturnType<typeof createAwsClients>,
): readonly Receiver[] {
  const all = (notifier: Notifier): Receiver => ({ notifier, hears: () => true });
  const alarmed = (notifier: Notifier): Receiver => ({ notifier, hears: ({ isAlarmed }) => isAlarmed });
  return [
    ...(topicArn === null ? [] : [all(new TopicNotifier(clients.sns, topicArn))]),
    ...(eventBus === null ? [] : [all(new EventBusNotifier(clients.eventbridge, eventBus, NOTIFICATION_SOURCE))]),
    // One topic for both is told of everything once.
    ...(conditionTopicArn === null || conditionTopicArn === topicArn
      ? []
      : [alarmed(new TopicNotifier(clients.sns, conditionTopicArn))]),
  ];
}
