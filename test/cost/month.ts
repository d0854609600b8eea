// What does a month cost? Quantities first, of the whole account, because what is free is free once; then their prices.

import { DEFAULTS } from "../../lib/core/config.ts";
import { SCHEDULE_PERIOD_MS } from "../../lib/runtime/timing.ts";
import type { Inventory } from "./inventory.ts";
import { ASSUMED, HEADER_BYTES, PROBE_BYTES } from "./measured.ts";
import { FREE, HOURS_PER_MONTH, MINUTES_PER_MONTH, PRICES } from "./prices.ts";
import {
  economyMinute,
  economyProbesPerMinute,
  INVOCATION_MS,
  NODES_PER_GROUP,
  probesPerMinute,
  publisherMinute,
  sumOf,
  type Traffic,
  VOTERS,
  voterMinute,
  type WatchSettings,
} from "./traffic.ts";

/**
 * Groups that one shard of voters is given: the more groups they watch the bigger is what they write about them. Beyond this
 * another deployment is made, or this one has another shard.
 */
export const GROUPS_PER_VOTER = 50;

const BYTES_PER_GB = 1e9;

export interface Installation {
  readonly groups: number;
  readonly inventory: Inventory;
  /** NAT gateways that are there for the voters alone. @default 0 */
  readonly natGateways?: number;
  /** Of the voters. @default as deployed */
  readonly memoryMegabytes?: number;
  /** @default the defaults */
  readonly settings?: Partial<WatchSettings>;
  /** All groups in one deployment, of as many shards as they need. @default false: deployments of one shard */
  readonly isSharded?: boolean;
  /** @default "continuous" */
  readonly mode?: "continuous" | "economy";
}

export interface Line {
  readonly id: LineId;
  readonly usd: number;
}

export const LINES = {
  compute: "voters' computing time",
  reads: "table reads",
  writes: "table writes",
  zones: "probes between zones",
  egress: "egress",
  alarms: "alarms, metrics, dashboards",
  secret: "secret and key",
  small: "publisher, calls, logs",
} as const;

export type LineId = keyof typeof LINES;

interface Quantities {
  readonly voterGbSeconds: number;
  readonly publisherGbSeconds: number;
  readonly invocations: number;
  readonly schedulerCalls: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly zoneGb: number;
  readonly endpointHours: number;
  readonly natHours: number;
  readonly alarmMetrics: number;
  readonly metrics: number;
  readonly dashboards: number;
  readonly logsGb: number;
  readonly secrets: number;
  readonly keys: number;
}

/** Groups of each shard: full ones, and the rest. */
export function shardsOf(groups: number): readonly number[] {
  const full = Math.floor(groups / GROUPS_PER_VOTER);
  const rest = groups % GROUPS_PER_VOTER;
  return [...Array.from({ length: full }, () => GROUPS_PER_VOTER), ...(rest === 0 ? [] : [rest])];
}

function quantitiesOf(installation: Installation): Quantities {
  const { groups, inventory, natGateways = 0, isSharded = false } = installation;
  const shards = shardsOf(groups);
  const deployments = isSharded ? [groups] : shards;
  // Beside what a deployment of one shard has: each voter of another one has a schedule and a figure of its own.
  const moreVoters = VOTERS * (shards.length - deployments.length);
  const sum = (of: (groups: number) => number, some = deployments): number =>
    some.reduce((total, each) => total + of(each), 0);
  const units = (name: "readUnits" | "writeUnits"): number => {
    const ofVoters = (each: number): number =>
      VOTERS * sumOf(voterTraffic(installation, { groups: each, declared: isSharded ? groups : each }), name);
    return MINUTES_PER_MONTH * (sum(ofVoters, shards) + sum((each) => sumOf(publisherMinute(each), name)));
  };
  const invocations = (MINUTES_PER_MONTH * 60_000) / SCHEDULE_PERIOD_MS;
  const calls = (deployments.length * inventory.schedules + moreVoters) * invocations;
  return {
    voterGbSeconds: shards.length * voterGbSeconds(installation),
    publisherGbSeconds: sum((each) => gbSeconds(inventory.publisher.memoryMegabytes, ASSUMED.publisherMs(each))),
    invocations: calls,
    schedulerCalls: calls,
    readUnits: units("readUnits"),
    writeUnits: units("writeUnits"),
    zoneGb: sum((each) => zoneGb(installation, each), shards),
    // Of a VPC, whatever number of deployments use it.
    endpointHours: inventory.interfaceEndpoints * VOTERS * HOURS_PER_MONTH,
    natHours: natGateways * HOURS_PER_MONTH,
    alarmMetrics: deployments.length * inventory.alarmMetrics,
    metrics: deployments.length * inventory.steadyMetrics + moreVoters,
    dashboards: deployments.length * inventory.dashboards,
    logsGb: (calls * ASSUMED.logBytesPerInvocation) / BYTES_PER_GB,
    secrets: 1,
    keys: inventory.isSecretPlaced ? 1 : 0,
  };
}

/** Of a function that runs so long once a minute. */
const gbSeconds = (memoryMegabytes: number, msPerMinute: number): number =>
  (MINUTES_PER_MONTH * (memoryMegabytes / 1_024) * msPerMinute) / 1_000;

const msPerMinute = ({ mode }: Installation): number =>
  mode === "economy" ? ASSUMED.economyMs : (INVOCATION_MS * 60_000) / SCHEDULE_PERIOD_MS;

const voterGbSeconds = (installation: Installation): number =>
  installation.inventory.voters.reduce(
    (sum, each) => sum + gbSeconds(installation.memoryMegabytes ?? each.memoryMegabytes, msPerMinute(installation)),
    0,
  );

const voterTraffic = (
  { mode, settings }: Installation,
  of: { readonly groups: number; readonly declared: number },
): readonly Traffic[] =>
  mode === "economy"
    ? economyMinute(of.groups, of.declared)
    : voterMinute({ ...of, settings: { ...DEFAULTS, ...settings } });

/** Every voter asks the nodes of the two other zones; with one node in each, one in three probes stays in its zone. */
function zoneGb({ mode, settings }: Installation, groups: number): number {
  const watch = { groups, settings: { ...DEFAULTS, ...settings } };
  const probes = mode === "economy" ? economyProbesPerMinute(groups) : probesPerMinute(watch);
  const across = (NODES_PER_GROUP - 1) / NODES_PER_GROUP;
  return (MINUTES_PER_MONTH * VOTERS * probes * across * (PROBE_BYTES + HEADER_BYTES)) / BYTES_PER_GB;
}

/** Lines in the order of `LINES`. `isFreeTierLeft`: nothing else in the account uses what is free. */
export function monthOf(installation: Installation, { isFreeTierLeft }: { readonly isFreeTierLeft: boolean }): Line[] {
  const of = quantitiesOf(installation);
  const free = (amount: number): number => (isFreeTierLeft ? amount : 0);
  const beyond = (quantity: number, amount: number): number => Math.max(0, quantity - free(amount));
  const usd: Readonly<Record<LineId, number>> = {
    compute: beyond(of.voterGbSeconds, FREE.gbSeconds) * PRICES.lambdaGbSecond.usd,
    reads: of.readUnits * PRICES.readUnit.usd,
    writes: of.writeUnits * PRICES.writeUnit.usd,
    // Who sends and who receives pay both.
    zones: 2 * of.zoneGb * PRICES.zoneGb.usd,
    egress: of.endpointHours * PRICES.endpointHour.usd + of.natHours * PRICES.natHour.usd,
    alarms:
      beyond(of.alarmMetrics, FREE.alarms) * PRICES.alarmMonth.usd +
      beyond(of.metrics, FREE.metrics) * PRICES.metricMonth.usd +
      beyond(of.dashboards, FREE.dashboards) * PRICES.dashboardMonth.usd,
    secret: of.secrets * PRICES.secretMonth.usd + of.keys * PRICES.keyMonth.usd,
    small:
      // What is free is used up by the voters.
      of.publisherGbSeconds * PRICES.lambdaGbSecond.usd +
      beyond(of.invocations, FREE.invocations) * PRICES.lambdaRequest.usd +
      beyond(of.schedulerCalls, FREE.schedulerCalls) * PRICES.schedulerCall.usd +
      beyond(of.logsGb, FREE.logsGb) * PRICES.logsGb.usd,
  };
  return (Object.keys(LINES) as LineId[]).map((id) => ({ id, usd: usd[id] }));
}

export const totalOf = (lines: readonly Line[]): number => lines.reduce((sum, { usd }) => sum + usd, 0);
