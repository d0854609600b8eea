// Instances and tasks behind one port: a node's host is looked for among both, and found only once.

import { lookup } from "node:dns/promises";
import type { EC2Client } from "@aws-sdk/client-ec2";
import type { ECSClient } from "@aws-sdk/client-ecs";
import type { Host, HostSearch, Hosts, NodePlace, StopAnswer } from "../../ports/hosts.ts";
import { Instances } from "./instances.ts";
import { matchHost, type Resolve } from "./matching.ts";
import { Tasks } from "./tasks.ts";

export interface HostsOptions {
  readonly ec2: EC2Client;
  readonly ecs: ECSClient;
  /** ECS clusters in which tasks are looked for, by name or ARN. None: no call to ECS is made for a search. */
  readonly clusters: readonly string[];
  /** @default the system's resolver */
  readonly resolve?: Resolve;
}

export function createHosts({ ec2, ecs, clusters, resolve = resolveByName }: HostsOptions): Hosts {
  const instances = new Instances(ec2);
  const tasks = new Tasks(ecs, clusters);
  const of = ({ kind }: Pick<Host, "kind">) => (kind === "task" ? tasks : instances);
  return {
    async find(place: NodePlace): Promise<HostSearch> {
      const [onInstances, inTasks] = await Promise.all([
        instances.taggedFor(place.group),
        tasks.taggedFor(place.group),
      ]);
      return matchHost(place, [...inTasks, ...onInstances], resolve);
    },
    look: (id: string): Promise<Host | null> => of({ kind: id.startsWith("arn:") ? "task" : "instance" }).look(id),
    stop: (host: Host): Promise<StopAnswer> => of(host).stop(host),
  };
}

/** A name of a private zone leads nowhere outside of its network. */
async function resolveByName(name: string): Promise<readonly string[] | null> {
  try {
    const found = await lookup(name, { all: true, verbatim: true });
    return found.length === 0 ? null : found.map(({ address }) => address);
  } catch {
    // Not known here: the caller goes by the tag alone.
    return null;
  }
}
