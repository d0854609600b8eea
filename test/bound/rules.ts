// The detection rules as timetables, from the shipped configuration alone: when each voter asks, and when it gives up.
// Valkeeper's is docs/protocol.md, section 5; Sentinel's is that of its source (PING every second or down-after, twice as
// often while one is unanswered; down when the oldest unanswered one is older than down-after).

import { type DeclaredConfig, type GroupConfig, IRREGULAR_INTERVAL_MS } from "../../lib/core/config.ts";
import { checkConfig } from "../../lib/core/config-check.ts";
import { groupName, nodeId, type VoterId, voterId } from "../../lib/core/types.ts";
import type { Electorate } from "./rates.ts";
import type { Timetable } from "./silence.ts";

const ZONES = ["az-a", "az-b", "az-c", "az-d", "az-e"];

export const votersOf = (count: number): readonly VoterId[] => ZONES.slice(0, count).map(voterId);

/** As somebody gets it who declares nothing but these settings. */
export function shippedConfig(settings: Partial<DeclaredConfig>, voters: number): GroupConfig {
  const nodes = ["n1", "n2", "n3"].map((id, index) => ({
    id: nodeId(id),
    host: `${id}.example`,
    port: 6379,
    zone: ZONES[index % voters] as string,
    priority: null,
    announce: null,
  }));
  const declared: DeclaredConfig = { name: groupName("main"), nodes, ...settings };
  return checkConfig(declared, { voters: votersOf(voters) });
}

/**
 * A voter asks every `probeIntervalMs` while the group is quiet, and every 100 ms while anybody votes; a probe without an
 * answer is waited for to its time-out, and the next goes out at once.
 */
export function voterTimetables(
  config: GroupConfig,
  lateMs: number,
): readonly [quiet: Timetable, irregular: Timetable] {
  const { probeIntervalMs, probeTimeoutMs, downAfterMs } = config;
  const timetable = (nextMs: number): Timetable => ({
    nextMs,
    retryMs: probeTimeoutMs,
    boundMs: downAfterMs,
    since: "answer",
    lateMs,
  });
  return [timetable(probeIntervalMs), timetable(Math.min(probeIntervalMs, IRREGULAR_INTERVAL_MS))];
}

const SENTINEL_PING_MS = 1_000;

export function sentinelTimetable(downAfterMs: number): Timetable {
  const periodMs = Math.min(SENTINEL_PING_MS, downAfterMs);
  return { nextMs: periodMs, retryMs: periodMs / 2, boundMs: downAfterMs, since: "lost-attempt", lateMs: 0 };
}

export const electorateOf = (config: GroupConfig, voters: number): Electorate => ({ voters, quorum: config.quorum });
