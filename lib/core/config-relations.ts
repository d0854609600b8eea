// Which settings belong together, and what breaks when they do not fit? Each relation names both figures and the
// reason. A relation is looked at only when every setting in it is valid by itself: one mistake gives one issue.

import { isIpAddress } from "./address-format.ts";
import type { GroupConfig } from "./config.ts";
import { announced, IRREGULAR_INTERVAL_MS, LEASE_MARGIN_MS, STALL_LIMIT_MS } from "./config.ts";
import { majority } from "./config-defaults.ts";
import type { VoterId } from "./types.ts";

export interface RelationContext {
  readonly voters: readonly VoterId[];
  /** Undefined: not known here. */
  readonly hasStopper?: boolean;
  /** `leaseMs 5000`, with ` (default)` behind it when nobody gave it. */
  readonly say: (name: keyof GroupConfig) => string;
  /** As in `CheckContext`. */
  readonly isUnresolved: (text: string) => boolean;
}

export interface Relation {
  readonly of: readonly (keyof GroupConfig)[];
  /** What is wrong, or null. */
  readonly issue: (config: GroupConfig, context: RelationContext) => string | null;
}

const QUORUM: readonly Relation[] = [
  {
    of: ["quorum"],
    issue: ({ quorum }, { voters, say }) =>
      quorum < majority(voters.length)
        ? `${say("quorum")} is below ${majority(voters.length)}, the majority of the ${votersInWords(voters)}: two halves that cannot reach each other could both act`
        : null,
  },
  {
    of: ["quorum"],
    issue: ({ quorum }, { voters, say }) =>
      quorum > voters.length
        ? `${say("quorum")} is above ${voters.length}, the number of voters (${voters.join(", ")}): no failover could ever begin`
        : null,
  },
];

const votersInWords = (voters: readonly VoterId[]): string =>
  `${voters.length} ${voters.length === 1 ? "voter" : "voters"} (${voters.join(", ")})`;

const DETECTION: readonly Relation[] = [
  {
    of: ["probeIntervalMs", "downAfterMs"],
    issue: (config, { say }) =>
      config.probeIntervalMs >= config.downAfterMs
        ? `${say("probeIntervalMs")} should be below ${say("downAfterMs")}: the node must be asked again before it may be called down`
        : null,
  },
  {
    of: ["probeTimeoutMs", "downAfterMs"],
    issue: (config, { say }) =>
      config.probeTimeoutMs > config.downAfterMs
        ? `${say("probeTimeoutMs")} should be at most ${say("downAfterMs")}: an answer that comes later is too late to count`
        : null,
  },
  offOrBelowDownAfter("refusedAfterMs", "the fast path would be the slow one"),
  offOrBelowDownAfter("writeHoldAfterMs", "writes would be held only after they were lost"),
  {
    of: ["writeHoldAfterMs", "probeIntervalMs"],
    issue: (config, { say }) =>
      config.writeHoldAfterMs !== 0 && config.writeHoldAfterMs <= config.probeIntervalMs
        ? `${say("writeHoldAfterMs")} should be 0 (off) or above ${say("probeIntervalMs")}: a healthy primary would be suspected between two probes`
        : null,
  },
  {
    of: ["unreachableAfterMs", "downAfterMs"],
    issue: (config, { say }) =>
      config.unreachableAfterMs <= config.downAfterMs
        ? `${say("unreachableAfterMs")} should be above ${say("downAfterMs")}: a witness that still hears the primary could never object`
        : null,
  },
  {
    of: ["voteWindowMs", "probeIntervalMs"],
    issue: (config, { say }) => {
      const tick = Math.max(config.probeIntervalMs, IRREGULAR_INTERVAL_MS);
      return config.voteWindowMs < 2 * tick
        ? `${say("voteWindowMs")} should be at least ${2 * tick}, twice the tick (${say("probeIntervalMs")}, at least ${IRREGULAR_INTERVAL_MS}): votes would look stale between two affirmations`
        : null;
    },
  },
];

function offOrBelowDownAfter(name: "refusedAfterMs" | "writeHoldAfterMs", why: string): Relation {
  return {
    of: [name, "downAfterMs"],
    issue: (config, { say }) =>
      config[name] >= config.downAfterMs && config[name] !== 0
        ? `${say(name)} should be 0 (off) or below ${say("downAfterMs")}: ${why}`
        : null,
  };
}

const OPERATION: readonly Relation[] = [
  {
    of: ["leaseMs", "freezeWaitMs"],
    issue: (config, { say }) => {
      const least = LEASE_MARGIN_MS + STALL_LIMIT_MS + config.freezeWaitMs;
      return config.leaseMs < least
        ? `${say("leaseMs")} should be at least ${least}: the holder stops ${LEASE_MARGIN_MS} before the end, may stall for ${STALL_LIMIT_MS} and waits for ${say("freezeWaitMs")} in one go`
        : null;
    },
  },
  {
    of: ["stepTimeoutMs", "freezeWaitMs", "probeTimeoutMs"],
    issue: (config, { say }) => {
      const least = config.freezeWaitMs + config.probeTimeoutMs;
      return config.stepTimeoutMs <= least
        ? `${say("stepTimeoutMs")} should be above ${least}, ${say("freezeWaitMs")} and ${say("probeTimeoutMs")} together: a step needs one of each`
        : null;
    },
  },
];

const LOSS: readonly Relation[] = [
  {
    of: ["onPossibleLoss", "waitK"],
    issue: (config, { say }) =>
      config.onPossibleLoss === "refuse" && config.waitK < 1
        ? `onPossibleLoss refuse needs waitK of at least 1 and has ${say("waitK")}: give the k of the WAIT k that the clients use, it decides how many nodes must be read`
        : null,
  },
  {
    of: ["onPossibleLoss", "offsetToleranceBytes"],
    issue: (config, { say }) =>
      config.onPossibleLoss === "refuse" && config.offsetToleranceBytes !== 0
        ? `onPossibleLoss refuse needs offsetToleranceBytes 0 and has ${say("offsetToleranceBytes")}: within a tolerance, acknowledged bytes could be passed over`
        : null,
  },
  belowNodes("waitK", "WAIT with more replicas than there are never succeeds"),
  belowNodes("minReplicasToWrite", "the primary would refuse every write"),
];

function belowNodes(name: "waitK" | "minReplicasToWrite", why: string): Relation {
  return {
    of: [name, "nodes"],
    issue: (config, { say }) =>
      config[name] > config.nodes.length - 1
        ? `${say(name)} is above ${config.nodes.length - 1}, the number of replicas of ${config.nodes.length} ${config.nodes.length === 1 ? "node" : "nodes"}: ${why}`
        : null,
  };
}

const TOPOLOGY: readonly Relation[] = [
  {
    of: ["stopInstance"],
    // Silently not keeping a promise of safety would be worse than refusing to give it.
    issue: ({ stopInstance }, { hasStopper, say }) =>
      stopInstance !== "off" && hasStopper === false
        ? `${say("stopInstance")} needs something that stops hosts, and this deployment has none: give it hostStopping, or use "off"`
        : null,
  },
  {
    of: ["primary", "nodes"],
    issue: (config) =>
      config.primary !== null && config.nodes.every((node) => node.id !== config.primary)
        ? `primary ${JSON.stringify(config.primary)} is none of the nodes (${config.nodes.map((node) => node.id).join(", ")})`
        : null,
  },
  {
    of: ["tls"],
    issue: ({ tls }) =>
      !tls.enabled && (tls.ca !== null || tls.serverName !== null)
        ? `tls.${tls.ca === null ? "serverName" : "ca"} is given and tls.enabled is false: enable TLS or leave it out`
        : null,
  },
  recordIsNoHost("name"),
  recordIsNoHost("readersName"),
  {
    of: ["publication"],
    issue: ({ publication: { dns } }) =>
      dns?.readersName !== undefined && bareHost(dns.readersName) === bareHost(dns.name)
        ? `publication.dns.readersName ${dns.readersName} is also publication.dns.name: the primary and the readers need a name each`
        : null,
  },
  {
    of: ["publication", "nodes"],
    issue: ({ publication: { dns }, nodes }, { isUnresolved }) => {
      if (dns?.readersName === undefined) return null;
      const named = nodes.find((node) => !isUnresolved(announced(node).host) && !isIpAddress(announced(node).host));
      return named === undefined
        ? null
        : `publication.dns.readersName ${dns.readersName} needs the nodes' IP addresses and node ${named.id} is ${announced(named).host}: a record of names (CNAME) cannot have several; give the address as the node's host or announce.host, or leave readersName out and let applications read the parameter <prefix>/<group>/readers`;
    },
  },
];

function recordIsNoHost(name: "name" | "readersName"): Relation {
  return {
    of: ["publication", "nodes"],
    issue: ({ publication: { dns }, nodes }) => {
      const record = dns?.[name];
      const own = nodes.find((node) => record !== undefined && bareHost(announced(node).host) === bareHost(record));
      return own === undefined
        ? null
        : `publication.dns.${name} ${record} is also the host of node ${own.id}: the record would point at itself`;
    },
  };
}

const bareHost = (name: string): string => name.replace(/\.$/, "").toLowerCase();

export const RELATIONS: readonly Relation[] = [...QUORUM, ...DETECTION, ...OPERATION, ...LOSS, ...TOPOLOGY];
