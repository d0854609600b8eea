// May the old primary still accept writes where nobody reaches it? Under `stopInstance` a new primary is only meant when it
// cannot: it is frozen by this epoch, or its host is recorded as stopped. Otherwise the wish is written into the ballot,
// the stopper (a function of its own, fed by the table's stream) has the host stopped and writes into the wish how that
// ended, and the holder waits under its lease. `required` waits or gives up; `best-effort` waits a while and goes on. A
// person's choice (`recover`) waits for nobody: it is the way out where a host can never be stopped. (S5)

import type { Ballot, StopWish } from "./ballot.ts";
import { askStop } from "./holder-writes.ts";
import { ballotOf, factsOf, firstTime, held, patchRun, runOf } from "./operation.ts";
import type { Rejection } from "./rejection.ts";
import type { Turn } from "./turn.ts";
import { emit, eventOf, isDueIn, mayWrite, newAttempt, write } from "./turn.ts";
import { elapsedMs, type Instant, type NodeId } from "./types.ts";

/** The stopper itself gives up before: what is not answered by then has no stopper. */
const REQUIRED_WAIT_MS = 120_000;
const BEST_EFFORT_WAIT_MS = 15_000;
/** The holder's own writes are its looks, and rarer than this. */
const LOOK_MS = 500;

export type HostStop =
  | { readonly kind: "none-needed" }
  | { readonly kind: "awaited" }
  /** Nobody may be promoted by this attempt. */
  | { readonly kind: "failed"; readonly reason: string };

/** What stands between the choice of a frozen node and its intent; asks for the stop, and tells how it ended. */
export function stopBefore(turn: Turn): HostStop {
  const ballot = ballotOf(turn);
  const { stopInstance } = turn.context.config;
  const node = inDoubt(turn, ballot);
  if (stopInstance === "off" || node === null) return { kind: "none-needed" };
  const wish = ballot.operation?.stop;
  if (wish?.node !== node) {
    if (mayWrite(turn))
      write(turn, askStop(held(turn, newAttempt(turn)), node), [eventOf(turn, "stop.asked", { node })]);
    return { kind: "awaited" };
  }
  if (wish.outcome === null) return wait(turn, wish, stopInstance);
  if (firstTime(turn, `stop ${wish.epoch}`)) {
    const detail = wish.outcome.kind === "stopped" ? { host: wish.outcome.detail } : { reason: wish.outcome.detail };
    emit(turn, wish.outcome.kind === "stopped" ? "node.stopped" : "stop.refused", { node, detail });
  }
  if (wish.outcome.kind === "stopped" || stopInstance === "best-effort") return { kind: "none-needed" };
  return { kind: "failed", reason: `the host of ${node} is not stopped: ${wish.outcome.detail}` };
}

/** The old primary, unless it is frozen by this epoch, as the chosen one is, or a person has decided. */
function inDoubt(turn: Turn, { primary, operation }: Ballot): NodeId | null {
  const kind = operation?.kind;
  if (primary === null || (kind !== "failover" && kind !== "cold-start")) return null;
  return factsOf(runOf(turn), primary.node).frozen === null ? primary.node : null;
}

function wait(turn: Turn, { node, epoch }: StopWish, policy: "best-effort" | "required"): HostStop {
  const since = runOf(turn).stopAwaitedSince ?? turn.at;
  patchRun(turn, { stopAwaitedSince: since });
  const bound = policy === "required" ? REQUIRED_WAIT_MS : BEST_EFFORT_WAIT_MS;
  if (!isDueIn(turn, since, bound)) {
    lookInTurn(turn);
    return { kind: "awaited" };
  }
  const reason = `nothing was heard of the stop of ${node}'s host for ${bound / 1_000} s`;
  if (firstTime(turn, `unanswered stop ${epoch}`)) emit(turn, "stop.refused", { node, detail: { reason } });
  return policy === "required" ? { kind: "failed", reason } : { kind: "none-needed" };
}

/** Consistently, because nothing else would show what the stopper has written. */
function lookInTurn(turn: Turn): void {
  const last: Instant = turn.state.look?.sentAt ?? turn.at;
  if (isDueIn(turn, last, LOOK_MS)) turn.lookWanted = true;
}

/** What is said while the holder waits; null: it does not. */
export function whyAwaited(turn: Turn, { operation }: Ballot): Rejection | null {
  const wish = operation?.stop;
  const since = turn.state.operation?.stopAwaitedSince ?? null;
  if (wish === undefined || wish.outcome !== null || since === null || operation?.step === "committed") return null;
  return {
    reason: "stop-awaited",
    detail: `the host of ${wish.node} is to be stopped first, for ${Math.round(elapsedMs(since, turn.at) / 1_000)} s now`,
    ends: "the stopper records that it has stopped, or why it cannot be",
    check: "the instance or task, and the stopper's log",
  };
}
