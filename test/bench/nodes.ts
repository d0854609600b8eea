// The servers of one run: a primary and two replicas with a password and without persistence, everything else as Valkey
// delivers it, except that a full copy begins at once (Sentinel was measured so before, and both sides gain by it).

import { COORDINATOR_USER, coordinatorAclLine } from "../../lib/core/acl.ts";
import type { ProcessGroup } from "../../lib/local/process-group.ts";
import type { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { startReplicatedNodes } from "../../lib/local/valkey-set.ts";
import { PASSWORD, type ZonePlace } from "./side.ts";

export const COORDINATOR_PASSWORD = "bench-coordinator-secret";

export interface NodesOptions {
  readonly group: ProcessGroup;
  readonly boot: "plain" | "fenced";
  readonly zones?: readonly ZonePlace[];
}

export async function startNodes({ group, boot, zones }: NodesOptions): Promise<readonly ValkeyProcess[]> {
  const acl = coordinatorAclLine({ user: COORDINATOR_USER, password: COORDINATOR_PASSWORD });
  const set = await startReplicatedNodes({
    group,
    boot,
    access: { password: PASSWORD },
    unprepared: true,
    // A user of its own beside the one that Sentinel, replicas and clients share; Sentinel does not mind it.
    settings: { "repl-diskless-sync-delay": "0", user: acl.replace(/^user /, "") },
    nodes: [0, 1, 2].map((index) => {
      const zone = zones?.[index];
      return zone === undefined ? {} : { host: zone.host, port: 6_379, exec: zone.exec };
    }),
  });
  return set.all;
}
