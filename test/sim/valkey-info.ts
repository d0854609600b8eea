// INFO and CONFIG GET of a simulated process, as the real adapter reads them.

import type { NodeReading, NodeSettings } from "../../lib/core/types.ts";
import type { ValkeyProcess } from "./valkey-process.ts";
import type { NodeOptions } from "./valkey-words.ts";

/** `last` where it says the same: who compares two readings need not go through them. */
export function readingAgain(process: ValkeyProcess, last: NodeReading | null): NodeReading {
  const reading = readingOf(process);
  return last !== null && isSame(last, reading) ? last : reading;
}

function isSame(left: NodeReading, right: NodeReading): boolean {
  for (const key in left) {
    const field = key as keyof NodeReading;
    if (left[field] !== right[field] && field !== "replicas") return false;
  }
  return (
    left.replicas.length === right.replicas.length &&
    left.replicas.every((each, index) => {
      const other = right.replicas[index] as NodeReading["replicas"][number];
      return (
        each.address === other.address &&
        each.state === other.state &&
        each.offset === other.offset &&
        each.lagSeconds === other.lagSeconds
      );
    })
  );
}

function readingOf(process: ValkeyProcess): NodeReading {
  const { replication, queue, node, stream, secondId } = process;
  const isReplica = process.follows !== null;
  const starting = process.idWhileStarting !== null;
  return {
    runId: process.runId,
    product: "valkey",
    version: "8.0.1",
    mode: "standalone",
    uptimeSeconds: Math.floor((queue.now - process.startedAt) / 1_000),
    role: process.role,
    replicationId: process.idWhileStarting ?? stream.id,
    secondReplicationId: starting ? null : (secondId?.id ?? null),
    secondReplicationOffset: starting ? null : (secondId?.offset ?? null),
    offset: starting ? 0 : process.offset,
    follows: process.follows,
    linkUp: isReplica && replication.linkUp,
    linkDownSeconds: isReplica ? replication.linkDownSeconds : null,
    syncInProgress: isReplica && replication.syncInProgress,
    lastIoSeconds: isReplica && replication.linkUp ? replication.lastIoSeconds : null,
    priority: isReplica ? node.options.priority : 100,
    replicas: replication.followers.map((each) => ({
      address: each.process.node.address,
      state: each.state,
      offset: each.acknowledged,
      lagSeconds: Math.floor((queue.now - each.acknowledgedAt) / 1_000),
    })),
    loading: process.loading,
    failoverState: process.failingOver ? "waiting-for-sync" : "no-failover",
    keyCount: process.loading ? 0 : stream.keysAt(process.offset),
    lastBgsaveOk: !process.writeDead,
    lastAofWriteOk: true,
  };
}

export const settingsOf = (options: NodeOptions): NodeSettings => ({
  primaryAuthSet: options.primaryAuthSet,
  requiresAuth: options.requiresAuth,
  savesSnapshots: options.savesSnapshots,
  stopWritesOnBgsaveError: options.stopWritesOnBgsaveError,
  minReplicasToWrite: options.minReplicasToWrite,
  minReplicasMaxLagSeconds: options.minReplicasMaxLagSeconds,
  pingReplicaPeriodSeconds: options.pingReplicaPeriodSeconds,
  disklessSyncDelaySeconds: options.disklessSyncDelaySeconds,
  watchedBySentinel: options.watchedBySentinel,
});
