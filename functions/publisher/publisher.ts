// The publisher put together: its loop with the adapters of AWS. The handler calls it in Lambda, in the local cloud and in
// `valkeeper local` alike.

import { createAwsClients } from "../../lib/adapters/aws/clients.ts";
import { SystemClock } from "../../lib/adapters/clock/system-clock.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { groupsToPublish, type StreamRecord } from "../../lib/adapters/dynamodb/stream-event.ts";
import { ConsoleJournal } from "../../lib/adapters/journal/console-journal.ts";
import { EmfMetrics } from "../../lib/adapters/metrics/emf-metrics.ts";
import { watchThrottles } from "../../lib/adapters/metrics/throttles.ts";
import { createPublisher } from "../../lib/adapters/publication/publisher.ts";
import { after, epoch, type GroupName, groupName } from "../../lib/core/types.ts";
import { ConditionBook } from "../../lib/runtime/condition-book.ts";
import type { PublisherEnvironment } from "../../lib/runtime/environment.ts";
import { METRIC_NAMESPACE } from "../../lib/runtime/metric-names.ts";
import { PUBLISHER, type PublisherSummary, publishGroups } from "../../lib/runtime/publisher-loop.ts";
import { PublisherMeter } from "../../lib/runtime/publisher-meter.ts";
import { PUBLISHER_MARGIN_MS } from "../../lib/runtime/timing.ts";

/** The table's stream sends records; the schedule, and whoever calls it by hand, sends none: all groups. */
export interface PublisherEvent {
  readonly Records?: readonly StreamRecord[];
}

/** What is used of Lambda's context. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}

export interface PublisherResult extends PublisherSummary {
  /** From the first of these on the stream is read again. */
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

const NOTHING: PublisherResult = { groups: 0, changed: 0, failed: {}, batchItemFailures: [] };

export function makePublisher(
  environment: PublisherEnvironment,
  print?: (line: string) => void,
): (event: PublisherEvent, at: Invocation) => Promise<PublisherResult> {
  const clock = new SystemClock();
  const plainJournal = new ConsoleJournal(clock, print);
  const metrics = new EmfMetrics({ namespace: METRIC_NAMESPACE, clock, ...(print === undefined ? {} : { print }) });
  const { region, table, shards } = environment;
  const byGroup = environment.metrics === "groups";
  return async (event, invocation) => {
    const asked = event.Records === undefined ? null : groupsToPublish(event.Records);
    if (asked?.size === 0) return NOTHING;
    const deadline = after(clock.now(), invocation.getRemainingTimeInMillis() - PUBLISHER_MARGIN_MS);
    const meter = environment.metrics === "off" ? null : new PublisherMeter({ metrics, clock, table, shards, byGroup });
    const journal = meter?.journal(plainJournal) ?? plainJournal;
    const clients = createAwsClients({ region });
    if (meter !== null) {
      for (const client of [clients.dynamodb, clients.ssm, clients.route53]) {
        watchThrottles(client, () => meter.throttled());
      }
    }
    const store = createDynamodbStore({
      client: clients.dynamodb,
      table,
      onUnreadable: ({ kind, name, detail }) =>
        journal.write({
          ...{ event: "record.unreadable", group: groupName(name), epoch: epoch(0), node: null },
          ...{ voter: PUBLISHER, generation: 0, tick: 0, detail: { kind, detail } },
        }),
    });
    const conditions = new ConditionBook({ store, clock, journal });
    const watched = conditions.watch(store);
    try {
      const publisher = createPublisher({
        ...{ store: watched, ssm: clients.ssm, route53: clients.route53, clock },
        notesFailures: true,
      });
      const only = asked === null ? null : new Set(asked.keys());
      const ports = { store: meter?.store(watched) ?? watched, publisher, clock, journal };
      const summary = await publishGroups(ports, { only, deadline });
      const found = meter?.ended(summary, asked === null);
      // A run of the stream looks at some groups, and comes at any time.
      if (asked === null && found !== undefined) await conditions.note(found, deadline);
      return { ...summary, batchItemFailures: asked === null ? [] : failuresOf(asked, summary) };
    } catch (error) {
      meter?.failed();
      throw error;
    } finally {
      clients.destroy();
    }
  };
}

function failuresOf(asked: ReadonlyMap<GroupName, string>, { failed }: PublisherSummary) {
  return [...asked].filter(([group]) => group in failed).map(([, number]) => ({ itemIdentifier: number }));
}
