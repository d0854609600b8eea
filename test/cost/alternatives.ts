// What does it cost to do the same otherwise? Sentinels on hosts of their own or on the data nodes, and ElastiCache, which
// is nodes and failover in one: to be compared with it, what the nodes cost is added to the others.

import { ASSUMED, HEADER_BYTES, SENTINEL } from "./measured.ts";
import { HOURS_PER_MONTH, MINUTES_PER_MONTH, PRICES } from "./prices.ts";
import { NODES_PER_GROUP } from "./traffic.ts";

const SENTINEL_HOSTS = 3;
const BYTES_PER_GB = 1e9;

/** Of an own host, its disk included. */
const hostUsd = (hourUsd: number): number => hourUsd * HOURS_PER_MONTH + ASSUMED.diskGbPerHost * PRICES.diskGbMonth.usd;

/** PING, PUBLISH and INFO of three sentinels: with one in each zone, a third of it stays in its zone. */
export function sentinelProbes(groups: number): number {
  const { nodeBytesPerSecond, nodeCommandsPerSecond } = SENTINEL;
  const nodeBytes = nodeBytesPerSecond + nodeCommandsPerSecond * HEADER_BYTES;
  const across = (SENTINEL_HOSTS - 1) / SENTINEL_HOSTS;
  const bytes = groups * NODES_PER_GROUP * nodeBytes * across * 60 * MINUTES_PER_MONTH;
  return (2 * bytes * PRICES.zoneGb.usd) / BYTES_PER_GB;
}

/** Three hosts, whatever the number of groups: kind to Sentinel, whose processor time grows with them too. */
export const sentinelHosts = (host: "t4gNanoHour" | "t4gMicroHour"): number =>
  SENTINEL_HOSTS * hostUsd(PRICES[host].usd);

export const NODE_SIZES = {
  micro: { title: "t4g.micro nodes", own: PRICES.t4gMicroHour, cache: PRICES.cacheMicroHour },
  large: { title: "r7g.large nodes", own: PRICES.r7gLargeHour, cache: PRICES.cacheLargeHour },
} as const;

export type NodeSize = keyof typeof NODE_SIZES;

/** Three EC2 nodes for each group. */
export const ownNodes = (size: NodeSize, groups: number): number =>
  groups * NODES_PER_GROUP * hostUsd(NODE_SIZES[size].own.usd);

/** The same number of nodes of the same size from ElastiCache, failover included. */
export const elastiCache = (size: NodeSize, groups: number): number =>
  groups * NODES_PER_GROUP * NODE_SIZES[size].cache.usd * HOURS_PER_MONTH;
