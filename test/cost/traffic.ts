// What does a quiet minute ask of the table? Derived from the constants that the loops run by, so that a change of one
// of them changes docs/cost.md. Counted against voters that really run by test/cost/traffic.test.ts.

import { DEFAULTS, type GroupConfig } from "../../lib/core/config.ts";
import { SCHEDULE_PERIOD_MS } from "../../lib/runtime/timing.ts";
import { SPECS_EVERY_MS } from "../../lib/runtime/voter-loop.ts";
import { readUnits, writeUnits } from "./capacity.ts";
import { HAND_OVER_MS, ITEM_BYTES, slotBytes } from "./measured.ts";

export const VOTERS = 3;
export const NODES_PER_GROUP = 3;

export type WatchSettings = Pick<GroupConfig, "probeIntervalMs" | "watchIntervalMs" | "heartbeatMs">;

export interface Watch {
  /** Of one shard. */
  readonly groups: number;
  /** Of all shards: a voter reads what is declared of every group. @default `groups` */
  readonly declared?: number;
  /** Of every group. */
  readonly settings: WatchSettings;
}

export type Operation = "GetItem" | "BatchGetItem" | "Query" | "PutItem" | "UpdateItem";

/** Requests of one kind in one minute. */
export interface Traffic {
  readonly what: string;
  readonly operation: Operation;
  readonly requests: number;
  readonly readUnits: number;
  readonly writeUnits: number;
}

/** An invocation ends when its successor, a period later, is seen. */
export const INVOCATION_MS = SCHEDULE_PERIOD_MS + HAND_OVER_MS;
const INVOCATIONS_PER_MINUTE = 60_000 / SCHEDULE_PERIOD_MS;
const KEYS_PER_BATCH = 100;

/** At once, and then again and again while the invocation lasts. */
const timesPerMinute = (everyMs: number): number => INVOCATIONS_PER_MINUTE * (1 + Math.floor(INVOCATION_MS / everyMs));

const reads = (what: string, operation: Operation, requests: number, each: number): Traffic => ({
  ...{ what, operation, requests },
  readUnits: requests * each,
  writeUnits: 0,
});

const writes = (what: string, operation: Operation, requests: number, each: number): Traffic => ({
  ...{ what, operation, requests },
  readUnits: 0,
  writeUnits: requests * each,
});

/** How often in a minute. */
interface Rounds {
  readonly glances: number;
  readonly slotReads: number;
  readonly specLists: number;
  readonly heartbeats: number;
}

/** Of one voter, in one minute in which nothing happens. */
export const voterMinute = ({ groups, declared = groups, settings }: Watch): readonly Traffic[] =>
  voterTraffic(
    { groups, declared },
    {
      glances: timesPerMinute(settings.watchIntervalMs),
      slotReads: timesPerMinute(Math.min(settings.watchIntervalMs, DEFAULTS.watchIntervalMs)),
      specLists: timesPerMinute(SPECS_EVERY_MS),
      heartbeats: timesPerMinute(settings.heartbeatMs),
    },
  );

/** In economy mode: one round of everything a minute. */
export const economyMinute = (groups: number, declared = groups): readonly Traffic[] =>
  voterTraffic({ groups, declared }, { glances: 1, slotReads: 1, specLists: 1, heartbeats: 1 });

function voterTraffic(
  { groups, declared }: Omit<Required<Watch>, "settings">,
  { glances, slotReads, specLists, heartbeats }: Rounds,
): readonly Traffic[] {
  const slot = slotBytes(groups);
  const started = INVOCATIONS_PER_MINUTE;
  const batches = Math.ceil((2 * groups) / KEYS_PER_BATCH);
  // A ballot and a request each, of which the request is usually not there.
  const glance = groups * (readUnits(ITEM_BYTES.ballot, false) + readUnits(0, false));
  const specs = readUnits(declared * ITEM_BYTES.spec, true);
  return [
    {
      ...reads("every ballot and request, at a glance", "BatchGetItem", glances * batches, 0),
      readUnits: glances * glance,
    },
    reads("the own slot: is a successor there?", "GetItem", slotReads, readUnits(slot, true)),
    reads("what is declared, of all groups", "Query", specLists, specs),
    writes("the own slot: the heartbeat", "PutItem", heartbeats, writeUnits(slot)),
    reads("at the start: the slot", "GetItem", started, readUnits(slot, true)),
    writes("at the start: a generation is taken", "PutItem", started, writeUnits(ITEM_BYTES.generation)),
    writes("at the start: the slot is taken", "UpdateItem", started, writeUnits(slot)),
    reads("at the start: each ballot", "GetItem", started * groups, readUnits(ITEM_BYTES.ballot, true)),
  ];
}

/** Of the publisher, which compares every copy once a minute. */
export function publisherMinute(groups: number): readonly Traffic[] {
  const runs = INVOCATIONS_PER_MINUTE;
  return [
    reads("what is declared, of all groups", "Query", runs, readUnits(groups * ITEM_BYTES.spec, true)),
    reads("which slots there are", "Query", runs, readUnits(VOTERS * ITEM_BYTES.slotEntry, true)),
    { ...reads("the slots", "BatchGetItem", runs, 0), readUnits: runs * VOTERS * readUnits(slotBytes(groups), false) },
    reads("each ballot", "GetItem", runs * groups, readUnits(ITEM_BYTES.ballot, true)),
    reads("each publication", "GetItem", runs * groups, readUnits(ITEM_BYTES.publication, true)),
    reads("what was confirmed of its copies", "GetItem", runs * groups, readUnits(ITEM_BYTES.copies, true)),
    // Refused, since it stands there; billed all the same.
    writes("each publication, if it is a newer one", "PutItem", runs * groups, writeUnits(ITEM_BYTES.publication)),
  ];
}

/** In economy mode, of one voter in one minute. */
export const economyProbesPerMinute = (groups: number): number => groups * NODES_PER_GROUP * INVOCATIONS_PER_MINUTE;

/** Of one voter in one minute: every node of every group, at once and then every interval. */
export const probesPerMinute = ({ groups, settings }: Watch): number =>
  groups * NODES_PER_GROUP * timesPerMinute(settings.probeIntervalMs);

export const sumOf = (traffic: readonly Traffic[], name: "requests" | "readUnits" | "writeUnits"): number =>
  traffic.reduce((sum, each) => sum + each[name], 0);
