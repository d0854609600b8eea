// What the publication tests share: a group's configuration, publications in order, and a publisher before an endpoint.

import { createPublisher } from "../../lib/adapters/publication/publisher.ts";
import type { GroupConfig, PublicationConfig } from "../../lib/core/config.ts";
import { completeConfig } from "../../lib/core/config-defaults.ts";
import type { Publication } from "../../lib/core/records.ts";
import { epoch, type GroupName, nodeId, wallTime } from "../../lib/core/types.ts";
import type { Publisher } from "../../lib/ports/publisher.ts";
import type { EndpointStore } from "./group-store-endpoints.ts";

export function configOf(group: GroupName, publication: PublicationConfig): GroupConfig {
  const node = (id: string, host: string) => ({
    id: nodeId(id),
    host,
    port: 6379,
    zone: "a",
    priority: null,
    announce: null,
  });
  return completeConfig({ name: group, nodes: [node("n1", "10.0.0.1"), node("n2", "10.0.0.2")], publication });
}

/** The primary is the node of that number, `n<epoch>` at 10.0.0.<epoch>, unless a host is given; no replicas. */
export function publicationAt(
  group: GroupName,
  order: {
    readonly epoch: number;
    readonly revision?: number;
    readonly host?: string;
    readonly replicas?: readonly string[];
  },
): Publication {
  const host = order.host ?? `10.0.0.${order.epoch}`;
  return {
    schema: 1,
    group,
    table: "table-1",
    epoch: epoch(order.epoch),
    revision: order.revision ?? 0,
    primary: { node: nodeId(`n${order.epoch}`), address: { host, port: 6379 } },
    replicas: (order.replicas ?? []).map((replica, index) => ({
      node: nodeId(`r${index + 1}`),
      address: { host: replica, port: 6379 },
    })),
    at: wallTime(1_700_000_000_000),
  };
}

export const wallClock = { wallTime: () => wallTime(1_700_000_000_123) };

export function publisherAt({ store, clients }: Pick<EndpointStore, "store" | "clients">): Publisher {
  return createPublisher({ store, ssm: clients.ssm, route53: clients.route53, clock: wallClock });
}
