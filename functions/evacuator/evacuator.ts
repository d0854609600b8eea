// The evacuator put together. It waits for the voters up to a minute and a half, so it is a function of its own; whatever did
// not end well is thrown, after the hook was completed, so that the dead-letter queue tells a person of it.

import { createAwsClients } from "../../lib/adapters/aws/clients.ts";
import { SystemClock } from "../../lib/adapters/clock/system-clock.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { createDepartures } from "../../lib/adapters/hosts/departures.ts";
import { departureOf } from "../../lib/adapters/hosts/host-events.ts";
import { ConsoleJournal } from "../../lib/adapters/journal/console-journal.ts";
import { createWaker } from "../../lib/adapters/notification/wake-up.ts";
import { type EvacuatorEnvironment, WAKE_UP } from "../../lib/runtime/environment.ts";
import { type Evacuated, evacuate } from "../../lib/runtime/evacuation.ts";

export interface EvacuatorResult {
  readonly evacuated: readonly Evacuated[];
}

export function makeEvacuator(
  environment: EvacuatorEnvironment,
  print?: (line: string) => void,
): (event: unknown) => Promise<EvacuatorResult> {
  const clock = new SystemClock();
  const journal = new ConsoleJournal(clock, print);
  const { region, table, economy } = environment;
  return async (event) => {
    const departure = departureOf(event);
    const clients = createAwsClients({ region });
    const { ec2, ecs, autoScaling } = clients;
    try {
      const store = createDynamodbStore({ client: clients.dynamodb, table });
      const departures = createDepartures({ ec2, ecs, autoScaling });
      const waker = economy ? createWaker({ client: clients.eventbridge, ...WAKE_UP, table }) : null;
      const evacuated = await evacuate({ store, departures, waker, clock, journal }, departure);
      const left = evacuated.filter(({ kind }) => kind === "refused" || kind === "late");
      if (left.length > 0)
        throw new Error(left.map(({ group, kind, detail }) => `${group}: ${kind}: ${detail}`).join("; "));
      return { evacuated };
    } finally {
      clients.destroy();
    }
  };
}
