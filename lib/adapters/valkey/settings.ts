// What CONFIG GET says of a node, and whether a Sentinel watches it. Asked apart from the probes, because only preflight,
// adoption and the write-dead class look at it. One command a name: CONFIG GET takes several names only since version 7,
// and the older spelling of each is the one that every version knows.

import type { NodeSettings } from "../../core/types.ts";
import type { Words } from "./connection.ts";
import type { Reply } from "./resp.ts";

const NAMES = [
  "masterauth",
  "save",
  "stop-writes-on-bgsave-error",
  "min-replicas-to-write",
  "min-replicas-max-lag",
  "repl-ping-replica-period",
  "repl-diskless-sync-delay",
] as const;

/**
 * Every Sentinel subscribes to a channel of every node it watches, over a connection that it names `sentinel-<id>-pubsub`. The
 * list is limited to subscribers, because the whole list of a busy node is megabytes, made on its main thread.
 */
export const SETTINGS_COMMANDS: readonly Words[] = [
  ...NAMES.map((name) => ["CONFIG", "GET", name]),
  ["CLIENT", "LIST", "TYPE", "pubsub"],
];

const SENTINEL_CONNECTION = /(^|\s)name=sentinel-[0-9a-f]{8}-(cmd|pubsub)(\s|$)/m;

/** Null when the node refused any of it, or answered something else. */
export function readSettings(replies: readonly Reply[], demandsPassword: boolean): NodeSettings | null {
  const clients = replies.at(-1);
  const values = new Map<string, string>();
  for (const reply of replies.slice(0, -1)) {
    const [name, value] = reply.kind === "array" ? reply.items : [];
    if (name?.kind !== "bulk" || value?.kind !== "bulk") return null;
    values.set(name.bytes.toString("latin1"), value.bytes.toString("latin1"));
  }
  if (clients?.kind !== "bulk") return null;
  const text = (name: (typeof NAMES)[number]): string => values.get(name) ?? "";
  const number = (name: (typeof NAMES)[number]): number => Number(text(name));
  return {
    primaryAuthSet: text("masterauth") !== "",
    requiresAuth: demandsPassword,
    savesSnapshots: text("save") !== "",
    stopWritesOnBgsaveError: text("stop-writes-on-bgsave-error") === "yes",
    minReplicasToWrite: number("min-replicas-to-write"),
    minReplicasMaxLagSeconds: number("min-replicas-max-lag"),
    pingReplicaPeriodSeconds: number("repl-ping-replica-period"),
    disklessSyncDelaySeconds: number("repl-diskless-sync-delay"),
    watchedBySentinel: SENTINEL_CONNECTION.test(clients.bytes.toString("latin1")),
  };
}
