// NO ONE is sent in two ways only, and both check on the spot, over the very connection, that the node is what the intent
// says: the same process, the same history, the same offset, the same token (R6, R11). Neither while a write of the
// holder's is under way after which the record may mean another node, or nobody (R12).

import type { Intent } from "./ballot.ts";
import { runOf, send } from "./operation.ts";
import { tokenAddress } from "./token.ts";
import type { Turn } from "./turn.ts";
import type { ConnectionRef } from "./types.ts";

/** Those that change what the operation means to do. */
const TURNS = new Set(["record-intent", "record-restored", "change-kind", "take-over", "commit", "finish"]);

/** Its answer may not have come yet, or may have been lost. */
function isTurning({ state: { storeBusy, unresolved } }: Turn): boolean {
  const pending = [storeBusy?.pending ?? null, unresolved];
  return pending.some((each) => each !== null && TURNS.has(each.write.name));
}

/** R6: over the connection that froze, which is gone if the node restarted or somebody newer has been there. */
export function promoteFrozen(turn: Turn, intent: Intent, frozenOver: ConnectionRef): void {
  if (isTurning(turn)) return;
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
  if (isTurning(turn)) return;
  const { epoch } = runOf(turn);
  const { runId, replicationId, offset } = intent;
  send(turn, intent.node, (connection) => ({
    kind: "promote",
    epoch,
    connection: connection.id,
    expect: { runId, replicationId, offset, tokenHost },
  }));
}
