// The figures that docs/cost.md is calculated from, against voters that run: ten simulated minutes of the shipped loop in
// which nothing happens, every call of its ports counted.

import { beforeAll, describe, expect, it } from "vitest";
import { marshalItem } from "../../lib/adapters/dynamodb/attribute-value.ts";
import {
  ballotKey,
  copiesKey,
  generationKey,
  type Key,
  publicationKey,
  slotKey,
  specKey,
} from "../../lib/adapters/dynamodb/keys.ts";
import type { Item } from "../../lib/core/ballot-write.ts";
import { DEFAULTS } from "../../lib/core/config.ts";
import { voterId } from "../../lib/core/types.ts";
import { VoterLoop } from "../../lib/runtime/voter-loop.ts";
import { infoText } from "../adapters/valkey/info-texts.ts";
import { GROUP } from "../sim/group.ts";
import { World } from "../sim/world.ts";
import { itemBytes, readUnits, writeUnits } from "./capacity.ts";
import { ITEM_BYTES, PROBE_BYTES, slotBytes } from "./measured.ts";
import {
  economyMinute,
  economyProbesPerMinute,
  INVOCATION_MS,
  type Operation,
  probesPerMinute,
  sumOf,
  VOTERS,
  voterMinute,
  type WatchSettings,
} from "./traffic.ts";

const SETTLED_MS = 180_000;
const MINUTES = 10;

/** The table's requests behind each call of the store's port, as lib/adapters/dynamodb makes them. */
const REQUESTS: Readonly<Record<string, readonly Operation[]>> = {
  tableId: [],
  takeSlot: ["GetItem", "PutItem", "UpdateItem"],
  listSpecs: ["Query"],
  readBallot: ["GetItem"],
  glance: ["BatchGetItem"],
  readSlot: ["GetItem"],
  writeSlot: ["PutItem"],
};

/** `target`, with every call of a method told before it is made. */
const told = <T extends object>(target: T, tell: (method: string) => void): T =>
  new Proxy(target, {
    get: (_target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...given: unknown[]) => {
        tell(String(name));
        return Reflect.apply(member, target, given);
      };
    },
  });

/** Of one voter in one minute: calls by name, and how long its invocations ran. */
function quietMinutes(config: Partial<WatchSettings>, economy = false) {
  const calls = new Map<string, number>();
  let runningMs = 0;
  let isCounting = false;
  const count = (name: string): void => {
    if (isCounting) calls.set(name, (calls.get(name) ?? 0) + 1 / VOTERS / MINUTES);
  };
  const world: World = new World({
    ...{ seed: "a quiet hour", plan: [], clients: [], timeline: false, config, economy },
    startVoter: (options, done) => {
      const startedAt = world.queue.now;
      const store = told(options.store, count);
      const openNodes: typeof options.openNodes = (group) => {
        const nodes = options.openNodes(group);
        return { open: (address) => told(nodes.open(address), count) };
      };
      new VoterLoop({ ...options, store, openNodes }, (summary) => {
        if (isCounting) runningMs += world.queue.now - startedAt;
        done(summary);
      }).start();
    },
  });
  world.start();
  world.run(SETTLED_MS);
  isCounting = true;
  world.run(MINUTES * 60_000);
  return { world, calls, invocationMs: runningMs / VOTERS / MINUTES };
}

const byOperation = (calls: ReadonlyMap<string, number>): ReadonlyMap<Operation, number> => {
  const sums = new Map<Operation, number>();
  for (const [name, count] of calls) {
    for (const operation of REQUESTS[name] ?? []) sums.set(operation, (sums.get(operation) ?? 0) + count);
  }
  return sums;
};

describe.each<[string, Partial<WatchSettings>]>([
  ["by default", {}],
  ["looked at less often", { watchIntervalMs: 10_000, heartbeatMs: 15_000 }],
])("a quiet minute of one voter, %s", (_title, changed) => {
  const settings: WatchSettings = { ...DEFAULTS, ...changed };
  const expected = voterMinute({ groups: 1, settings });
  let measured: ReturnType<typeof quietMinutes>;
  beforeAll(() => {
    measured = quietMinutes(changed);
  });

  it("asks of the table what is calculated, and nothing else", () => {
    const others = [...measured.calls.keys()].filter((name) => REQUESTS[name] === undefined);
    // Of a node.
    expect(others.filter((name) => !["probe", "onLateOutcome", "onCut", "close"].includes(name))).toEqual([]);
    const operations = byOperation(measured.calls);
    for (const operation of new Set(expected.map((each) => each.operation))) {
      const calculated = sumOf(
        expected.filter((each) => each.operation === operation),
        "requests",
      );
      const counted = operations.get(operation) ?? 0;
      // A round more or less in an invocation, by the moment at which it ends.
      const bound = Math.max(0.5, 0.02 * calculated);
      expect(Math.abs(counted - calculated), `${operation}: ${counted}, not ${calculated}`).toBeLessThan(bound);
    }
  });

  it("asks every node as often as is calculated", () => {
    const ratio = (measured.calls.get("probe") ?? 0) / probesPerMinute({ groups: 1, settings });
    expect(ratio).toBeGreaterThan(0.98);
    expect(ratio).toBeLessThan(1.02);
  });

  it("runs as long as is calculated", () => {
    expect(Math.abs(measured.invocationMs - INVOCATION_MS)).toBeLessThan(500);
  });

  it("has records of about the size that is calculated with, and of the same units", () => {
    const { table } = measured.world;
    const zone = voterId("az-a");
    const sizes: readonly [number, Key, unknown][] = [
      [ITEM_BYTES.ballot, ballotKey(GROUP), table.ballot(GROUP)],
      [ITEM_BYTES.spec, specKey(GROUP), table.specs.get(GROUP)],
      [ITEM_BYTES.publication, publicationKey(GROUP), table.publications.get(GROUP)],
      [ITEM_BYTES.copies, copiesKey(GROUP), table.copies.get(GROUP)],
      [ITEM_BYTES.generation, generationKey(zone), { schema: 1, generation: 12_345 }],
      [slotBytes(1), slotKey(zone, 0), table.slots.get("az-a#0")],
    ];
    for (const [calculated, key, record] of sizes) {
      const bytes = itemBytes(marshalItem({ ...key, ...(record as Item) }));
      expect(bytes / calculated, `${key.sk}: ${bytes} bytes`).toBeGreaterThan(0.7);
      expect(bytes / calculated, `${key.sk}: ${bytes} bytes`).toBeLessThan(1.1);
      expect([readUnits(bytes, true), writeUnits(bytes)]).toEqual([
        readUnits(calculated, true),
        writeUnits(calculated),
      ]);
    }
  });
});

describe("a quiet minute of one voter in economy mode", () => {
  let measured: ReturnType<typeof quietMinutes>;
  beforeAll(() => {
    measured = quietMinutes({}, true);
  });

  it("asks of the table what is calculated, and nothing else", () => {
    const expected = new Map<Operation, number>();
    for (const { operation, requests } of economyMinute(1)) {
      expected.set(operation, (expected.get(operation) ?? 0) + requests);
    }
    const counted = byOperation(measured.calls);
    expect(Object.fromEntries([...counted].map(([name, count]) => [name, Number(count.toFixed(6))]))).toEqual(
      Object.fromEntries(expected),
    );
  });

  it("asks every node once", () => {
    expect(measured.calls.get("probe")).toBeCloseTo(economyProbesPerMinute(1), 6);
  });
});

describe("a probe", () => {
  it("is about as many bytes as is calculated with", () => {
    const request =
      "*5\r\n$4\r\nINFO\r\n$6\r\nserver\r\n$11\r\nreplication\r\n$11\r\npersistence\r\n$8\r\nkeyspace\r\n";
    const answer = infoText("valkey-8.0.1-replica");
    const bytes = request.length + `$${answer.length}\r\n${answer}\r\n`.length;
    expect(Math.abs(bytes - PROBE_BYTES)).toBeLessThan(20);
  });
});
