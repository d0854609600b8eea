// NO ONE is sent in two ways only, and both check on the spot, over the very connection, that the node is what the intent
// says: the same process, the same history, the same offset, the same token (R6, R11, R12).

import type { Intent } from "./ballot.ts";
import { runOf, send } from "./operation.ts";
import { tokenAddress } from "./token.ts";
import type { Turn } from "./turn.ts";
import type { ConnectionRef } from "./types.ts";

/** R6: over the connection that froze, which is gone if the node restarted or somebody newer has been there. */
export function promoteFrozen(turn: Turn, intent: Intent, frozenOver: ConnectionRef): void {
  const { epoch } = runOf(turn);
  send(turn, intent.node, () => ({
    kind: "promote",
    epoch,
    connection: frozenOver.id,
    expect: {
      runId: intent.runId,
      replicationId: intent.replicationId,
      offset: intent.offset,
      tokenHost: tokenAddress(epoch).host,
    },
  }));
}

/** A node that this epoch did not freeze: a switchover's target, or the first primary of a boot-fenced group. */
export function promoteUnfrozen(turn: Turn, intent: Intent, tokenHost: string | null): void {
  const { epoch } = runOf(turn);
  const { runId, replicationId, offset } = intent;
  send(turn, intent.node, (connection) => ({
    kind: "promote",
    epoch,
    connection: connection.id,
    expect: { runId, replicationId, offset, tokenHost },
  }));
}
