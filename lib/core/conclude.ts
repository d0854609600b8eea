// The primary is decided: what is left is telling everybody. Publish, answer whoever asked, and meanwhile re-point the others
// (`parallelSyncs` at a time, a former primary first), then release the lease (design 4.5, steps 8 and 9). Whatever does
// not answer now is left to repair: the end never waits for a dead node.

import type { Ballot, Operation, Primary } from "./ballot.ts";
import { FRESH_ATTEMPT_MS } from "./config.ts";
import type { CoreEvent } from "./events.ts";
import { enterOwnHistory, finish } from "./holder-writes.ts";
import { invariant } from "./invariant.ts";
import { answersNow, isSameNode } from "./observation.ts";
import { ballotOf, factsOf, firstTime, held, isBeyond, isSpared, patchRun, runOf, send } from "./operation.ts";
import { newOwnHistory } from "./own-history.ts";
import { publicationOf } from "./publication.ts";
import type { PublicationTarget } from "./records.ts";
import { answerBegun, isAsBefore } from "./request-answers.ts";
import { byName, type NodeState } from "./state.ts";
import type { Turn } from "./turn.ts";
import { emit, eventOf, isDueIn, mayWrite, newAttempt, nodesOf, probeSoon, wakeBy, write } from "./turn.ts";
import type { Address, Epoch } from "./types.ts";
import { after } from "./types.ts";

/** The ordered publication is waited for this long: the publisher function completes it otherwise. */
const PUBLISH_WAIT_MS = 2_000;
/** SSM and Route 53 wait this long for it at most: they are what is left when the table does not answer. */
const COPIES_WAIT_MS = 100;

/** One step after the commit (or the record of a restoration). */
export function conclude(turn: Turn): void {
  const ballot = ballotOf(turn);
  const { primary } = ballot;
  invariant(primary !== null, "S1", "concluded without a primary");
  if (runOf(turn).committedAt === null) {
    patchRun(turn, { committedAt: turn.at });
    tellPrimary(turn, ballot, primary);
  }
  enterReplicationId(turn, ballot);
  publish(turn, ballot, ["table"]);
  const isPublished = runOf(turn).tablePublished || hasConcludedFor(turn, PUBLISH_WAIT_MS);
  if (isPublished) answerBegun(turn, runOf(turn), ballot);
  // Copies follow the ordered one: who waits for that is not kept waiting by what it takes to reach the others.
  if (isPublished || hasConcludedFor(turn, COPIES_WAIT_MS)) publish(turn, ballot, ["ssm", "dns"]);
  const isDone = repointOthers(turn, primary.node);
  if (isDone && isPublished && mayWrite(turn)) end(turn, primary);
}

/** The first who is pointed at a primary without a backlog gives it a new id, long before the last one is. */
function enterReplicationId(turn: Turn, ballot: Ballot): void {
  const own = newOwnHistory(turn, ballot, runOf(turn).committedAt);
  if (own !== null && mayWrite(turn))
    write(turn, enterOwnHistory(held(turn, newAttempt(turn)), own.history), [own.told]);
}

/** What the operation came to; a repair changes no primary, and whoever takes over says what its predecessor may not have. */
function tellPrimary(turn: Turn, { operation }: Ballot, { node, epoch }: Primary): void {
  if (operation === null || operation.kind === "repair") return;
  const event = isRestored(operation, epoch) ? "primary.restored" : "primary.committed";
  emit(turn, event, { node, detail: { primaryEpoch: epoch } });
}

const isRestored = ({ began }: Operation, primaryEpoch: Epoch): boolean => primaryEpoch < began;

const hasConcludedFor = (turn: Turn, ms: number): boolean => isDueIn(turn, runOf(turn).committedAt ?? turn.at, ms);

function publish(turn: Turn, ballot: Ballot, targets: readonly PublicationTarget[]): void {
  if (!firstTime(turn, `published ${targets.join()}`)) return;
  const publication = publicationOf(ballot, turn.context.config, turn.wall);
  if (publication === null) return;
  for (const target of targets) turn.commands.push({ kind: "publish", target, publication });
}

/**
 * True when every node that answers follows the primary, or could not be made to. Nobody is pointed at one that has died
 * since: what starts there next may be empty, and the others hold what was acknowledged (R13).
 */
function repointOthers(turn: Turn, primary: NodeState["id"]): boolean {
  const committed = turn.state.nodes[primary];
  if (committed?.class !== "serving" || !answersNow(turn, committed)) return true;
  const to = committed.address;
  const others = nodesOf(turn.state).filter((node) => !isSameNode(node, committed) && answersNow(turn, node));
  const astray = others.filter((node) => !follows(turn, node, to));
  const syncing = others.filter(
    (node) => follows(turn, node, to) && node.reading?.linkUp === false && factsOf(runOf(turn), node.id).repointed,
  );
  const order = (a: NodeState, b: NodeState) =>
    Number(wasPrimary(turn, b)) - Number(wasPrimary(turn, a)) || byName(a, b);
  const allowed = Math.max(0, turn.context.config.parallelSyncs - syncing.length);
  for (const node of astray.toSorted(order).slice(0, allowed)) repoint(turn, node, to);
  for (const node of syncing) probeSoonAfter(turn, node);
  const isLate = hasConcludedFor(turn, turn.context.config.stepTimeoutMs);
  const hopeless = astray.filter((node) => factsOf(runOf(turn), node.id).failures >= 5);
  if (isLate || astray.length === hopeless.length) {
    for (const node of astray) tellLeft(turn, node);
    return true;
  }
  return false;
}

function probeSoonAfter(turn: Turn, node: NodeState): void {
  const next = after(node.readAt ?? turn.at, 20);
  if (next <= turn.at) probeSoon(turn, node.id);
  else wakeBy(turn, next);
}

function repoint(turn: Turn, node: NodeState, to: Address): void {
  const isSent = send(turn, node.id, (connection) => ({
    kind: "repoint",
    epoch: runOf(turn).epoch,
    connection: connection.id,
    to,
    dropClients: wasPrimary(turn, node),
  }));
  if (!isSent) wakeBy(turn, after(turn.at, FRESH_ATTEMPT_MS));
}

const wasPrimary = (turn: Turn, node: NodeState): boolean => {
  const { frozen } = factsOf(runOf(turn), node.id);
  return frozen?.before.role === "primary" || node.reading?.role === "primary";
};

/** It follows `to` already, which neither a primary nor a frozen node does, or is not ours to change. */
export function follows(turn: Turn, node: NodeState, to: Address): boolean {
  const { reading } = node;
  if (reading === null || isBeyond(turn, reading, runOf(turn).epoch) || isSpared(turn, node)) return true;
  return reading.follows?.host === to.host && reading.follows.port === to.port;
}

function tellLeft(turn: Turn, node: NodeState): void {
  const reason = factsOf(runOf(turn), node.id).failure ?? "it did not take the command in time";
  if (firstTime(turn, `left ${node.id}`)) emit(turn, "replica.not-repointed", { node: node.id, detail: { reason } });
}

function end(turn: Turn, primary: Primary): void {
  const told = completion(turn, primary);
  write(turn, finish(held(turn, newAttempt(turn))), told === null ? [] : [told]);
}

function completion(turn: Turn, primary: Primary): CoreEvent | null {
  const { operation } = ballotOf(turn);
  const run = runOf(turn);
  // Until the new primary stood in the record: pointing the last replica at it may take as long again, and nobody waits for that.
  const until = operation?.kind === "repair" ? turn.at : (run.committedAt ?? turn.at);
  const detail = { tookMs: Math.round(until - run.startedAt), kind: operation?.kind ?? "" };
  switch (operation?.kind) {
    case "repair":
      return eventOf(turn, "repair.completed", { detail });
    case "initialise":
      return eventOf(turn, "group.initialised", { node: primary.node, detail });
    case "switchover":
      // One that went back has said so when it turned, unless another voter took it over to do that.
      if (run.failure !== null) return null;
      return isAsBefore(ballotOf(turn))
        ? eventOf(turn, "switchover.abandoned", {
            detail: { ...detail, reason: `${primary.node} has its place back` },
          })
        : eventOf(turn, "switchover.completed", { detail: { ...detail, by: operation.by } });
    default:
      return operation !== null && isRestored(operation, primary.epoch)
        ? eventOf(turn, "failover.abandoned", { detail: { ...detail, reason: `${primary.node} answers again` } })
        : eventOf(turn, "failover.completed", { detail });
  }
}
