// What voters and the publisher really ask of the table while nothing happens, and what DynamoDB would bill for it: real
// nodes, the shipped adapters, every request metered. docs/cost.md is calculated from the same figures.

import { afterEach, describe, expect, it } from "vitest";
import { SystemClock } from "../../lib/adapters/clock/system-clock.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { createPublisher } from "../../lib/adapters/publication/publisher.ts";
import { DEFAULTS } from "../../lib/core/config.ts";
import { after } from "../../lib/core/types.ts";
import { publishGroups } from "../../lib/runtime/publisher-loop.ts";
import { clientsFor, localCloudForFile } from "../contract/group-store-endpoints.ts";
import { ITEM_BYTES, slotBytes } from "../cost/measured.ts";
import { type Metered, type MeteringProxy, startMeteringProxy } from "../cost/metering-proxy.ts";
import { INVOCATION_MS, publisherMinute, sumOf, type Traffic, VOTERS, voterMinute } from "../cost/traffic.ts";
import { LiveGroup } from "../support/live-group.ts";
import { useProcessGroup } from "../support/local-group.ts";

const WATCHED_MS = 20_000;
/** Until what follows an adoption has been written. */
const SETTLED_MS = 2_000;

const endpoint = localCloudForFile();
const group = useProcessGroup();
let live: LiveGroup | undefined;

afterEach(async (context) => {
  if (context.task.result?.state === "fail") live?.print();
  live?.close();
  for (const node of live?.nodes ?? []) await node.kill();
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function meteredDuring(meter: MeteringProxy, act: () => Promise<unknown>): Promise<ReadonlyMap<string, Metered>> {
  const before = meter.metered();
  await act();
  return new Map(
    [...meter.metered()].map(([operation, sum]) => {
      const { requests, readUnits, writeUnits } = before.get(operation) ?? { requests: 0, readUnits: 0, writeUnits: 0 };
      return [
        operation,
        {
          requests: sum.requests - requests,
          readUnits: sum.readUnits - readUnits,
          writeUnits: sum.writeUnits - writeUnits,
        },
      ];
    }),
  );
}

const sums = (traffic: readonly Traffic[], operation: string): Metered => {
  const of = traffic.filter((each) => each.operation === operation);
  return { requests: sumOf(of, "requests"), readUnits: sumOf(of, "readUnits"), writeUnits: sumOf(of, "writeUnits") };
};

describe("the table's traffic while nothing happens", () => {
  it("is what the cost is calculated from: voters", { timeout: 90_000 }, async () => {
    const meter = await startMeteringProxy(group, endpoint());
    live = await LiveGroup.create({ group, endpoint: endpoint(), voterEndpoint: meter.endpoint });
    live.startVoters();
    await live.healthy();
    await pause(SETTLED_MS);
    const metered = await meteredDuring(meter, () => pause(WATCHED_MS));
    // No invocation starts in this time.
    const traffic = voterMinute({ groups: 1, settings: DEFAULTS }).filter(
      ({ what }) => !what.startsWith("at the start"),
    );
    for (const [operation, found] of metered) {
      const expected = sums(traffic, operation);
      const calculated = (expected.requests * VOTERS * WATCHED_MS) / INVOCATION_MS;
      // A loaded machine is late, which makes fewer of them; how many exactly is a matter of the simulated minutes.
      expect(found.requests, `${operation}, calculated ${calculated}`).toBeLessThanOrEqual(VOTERS + 1.05 * calculated);
      expect(found.requests, `${operation}, calculated ${calculated}`).toBeGreaterThan(0.6 * calculated - VOTERS);
      for (const name of ["readUnits", "writeUnits"] as const) {
        expect(found[name] * expected.requests, `${operation}: ${name} of each`).toBe(expected[name] * found.requests);
      }
    }
    for (const [kind, calculated] of [
      ["ballot", ITEM_BYTES.ballot],
      ["spec", ITEM_BYTES.spec],
      ["slot", slotBytes(1)],
    ] as const) {
      const ratio = (meter.itemBytes().get(kind) ?? 0) / calculated;
      expect(Math.abs(ratio - 1), `${kind}: ${ratio} of the bytes calculated with`).toBeLessThan(0.3);
    }
  });

  it("is what the cost is calculated from: the publisher", { timeout: 60_000 }, async () => {
    live = await LiveGroup.create({ group, endpoint: endpoint() });
    live.startVoters();
    await live.healthy();
    const meter = await startMeteringProxy(group, endpoint());
    const clients = clientsFor(meter.endpoint);
    const clock = new SystemClock();
    const store = createDynamodbStore({ client: clients.dynamodb, table: live.table });
    const publisher = createPublisher({ store, ssm: clients.ssm, route53: null, clock });
    const run = () =>
      publishGroups(
        { store, publisher, clock, journal: { write: () => undefined } },
        { only: null, deadline: after(clock.now(), 20_000) },
      );
    // The first one may find something to complete.
    await run();
    const metered = await meteredDuring(meter, run);
    clients.destroy();
    const traffic = publisherMinute(1);
    for (const operation of ["GetItem", "Query", "BatchGetItem", "PutItem", "UpdateItem"]) {
      expect([operation, metered.get(operation) ?? { requests: 0, readUnits: 0, writeUnits: 0 }]).toEqual([
        operation,
        sums(traffic, operation),
      ]);
    }
  });
});
