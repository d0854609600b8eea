// The stopper put together. A stop takes tens of seconds: it is a function of its own, so that nobody's publication waits
// for it, and what is wished by several groups is done side by side.

import { randomUUID } from "node:crypto";
import { createAwsClients } from "../../lib/adapters/aws/clients.ts";
import { SystemClock } from "../../lib/adapters/clock/system-clock.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { groupsToStop, type StreamRecord } from "../../lib/adapters/dynamodb/stream-event.ts";
import { createHosts } from "../../lib/adapters/hosts/hosts.ts";
import { ConsoleJournal } from "../../lib/adapters/journal/console-journal.ts";
import { messageOf } from "../../lib/core/errors.ts";
import { epoch } from "../../lib/core/types.ts";
import type { StopperEnvironment } from "../../lib/runtime/environment.ts";
import { STOPPER, type StopResult, stopHostOf } from "../../lib/runtime/stopper-loop.ts";

export interface StopperEvent {
  readonly Records?: readonly StreamRecord[];
}

export interface StopperResult {
  /** How each group's wish ended. */
  readonly groups: Readonly<Record<string, StopResult>>;
  /** From the first of these on the stream is read again. */
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export function makeStopper(
  environment: StopperEnvironment,
  print?: (line: string) => void,
): (event: StopperEvent) => Promise<StopperResult> {
  const clock = new SystemClock();
  const journal = new ConsoleJournal(clock, print);
  return async ({ Records = [] }) => {
    const asked = groupsToStop(Records);
    if (asked.size === 0) return { groups: {}, batchItemFailures: [] };
    const clients = createAwsClients({ region: environment.region });
    const { ec2, ecs, dynamodb } = clients;
    const store = createDynamodbStore({ client: dynamodb, table: environment.table });
    const hosts = createHosts({ ec2, ecs, clusters: environment.clusters });
    const ports = { store, hosts, clock, journal, invocation: randomUUID() };
    try {
      const groups: Record<string, StopResult> = {};
      const batchItemFailures: { readonly itemIdentifier: string }[] = [];
      const work = [...asked].map(async ([group, itemIdentifier]) => {
        try {
          groups[group] = await stopHostOf(ports, group);
        } catch (error) {
          // Nothing was recorded: the stream brings it again, and the log says why.
          batchItemFailures.push({ itemIdentifier });
          const detail = { reason: messageOf(error) };
          const line = { event: "group.failed", group, epoch: epoch(0), node: null, detail } as const;
          journal.write({ ...line, voter: STOPPER, generation: 0, tick: 0 });
        }
      });
      await Promise.all(work);
      return { groups, batchItemFailures };
    } finally {
      clients.destroy();
    }
  };
}
