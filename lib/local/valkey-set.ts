// A primary and its replicas, in step: what most tests and the bench begin with.

import { LocalError } from "./errors.ts";
import { type ValkeyOptions, ValkeyProcess } from "./valkey-process.ts";

export interface ReplicatedNodes {
  readonly primary: ValkeyProcess;
  readonly replicas: readonly ValkeyProcess[];
  /** The primary first. */
  readonly all: readonly ValkeyProcess[];
}

export interface ReplicatedNodesOptions extends ValkeyOptions {
  /** One entry per node, the primary first: what differs from the shared options. */
  readonly nodes: readonly Partial<ValkeyOptions>[];
  /** @default 10,000 */
  readonly inStepWithinMs?: number;
}

/** Starts the nodes, makes the others follow the first, and waits until every link is up. Boot-fenced nodes are un-fenced by hand. */
export async function startReplicatedNodes(options: ReplicatedNodesOptions): Promise<ReplicatedNodes> {
  const { nodes, inStepWithinMs = 10_000, ...shared } = options;
  const all = await Promise.all(
    nodes.map((own, index) => ValkeyProcess.start({ ...shared, id: `n${index + 1}`, ...own })),
  );
  const [primary, ...replicas] = all;
  if (primary === undefined) {
    throw new LocalError("command-failed", "a group needs at least one node");
  }
  await primary.ask("REPLICAOF", "NO", "ONE");
  await Promise.all(replicas.map((replica) => follow(replica, primary)));
  await Promise.all(replicas.map((replica) => waitForLink(replica, inStepWithinMs)));
  return { primary, replicas, all };
}

export async function follow(replica: ValkeyProcess, primary: ValkeyProcess): Promise<void> {
  await replica.ask("REPLICAOF", primary.host, primary.port);
}

export async function waitForLink(replica: ValkeyProcess, withinMs = 10_000): Promise<void> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    const info = await replica.info("replication");
    if (info.get("master_link_status") === "up") {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new LocalError(
    "not-ready",
    `${replica.id} was not in step with its primary within ${withinMs} ms:\n${replica.log.slice(-1_500)}`,
  );
}
