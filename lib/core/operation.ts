// What does the holder of a lease know of its own operation? Facts that this epoch's commands brought back, node by node;
// everything else is in the ballot, so that another voter can go on from the record alone (S11). This file keeps the
// facts and sends commands under the connection rule (R9): a command goes only over a connection whose AUTH was answered
// before a look at the ballot that showed the command's own epoch. What the commands brought back is folded in by
// `operation-outcome.ts`.

import type { Ballot, OperationKind } from "./ballot.ts";
import type { FrozenNode } from "./candidate.ts";
import { FRESH_ATTEMPT_MS } from "./config.ts";
import { isBackByItself } from "./former-primary.ts";
import { invariant } from "./invariant.ts";
import { belonging } from "./lineage.ts";
import type { NodeState } from "./state.ts";
import { tokenOf } from "./token.ts";
import type { Turn } from "./turn.ts";
import { emit, isDue, patch, probeSoon } from "./turn.ts";
import type { AttemptId, ConnectionRef, Epoch, Instant, NodeCommand, NodeId, NodeReading } from "./types.ts";
import { after } from "./types.ts";

export interface NodeFacts {
  /** Reply of this epoch's freeze, and the connection it came over. */
  readonly frozen: (FrozenNode & { readonly connection: ConnectionRef }) | null;
  /** Reply of this epoch's settling, or of its promotion: nothing older can reach the node any more. */
  readonly settled: NodeReading | null;
  readonly promoted: NodeReading | null;
  /** NO ONE went out and no answer came, since then: it may have been carried out. */
  readonly unknownSince: Instant | null;
  /** How many NO ONE of this epoch went out that no reply, and no freeze since, has shown not to have been carried out. */
  readonly promotionsOpen: number;
  readonly repointed: boolean;
  /** Its writes are paused: since when the reply is known, and until when they surely are. */
  readonly pausedAt: Instant | null;
  readonly pausedUntil: Instant | null;
  readonly parkedOn: number | null;
  readonly busy: NodeCommand | null;
  readonly retryAt: Instant | null;
  readonly failures: number;
  readonly failure: string | null;
  /** How often NO ONE was refused or not answered; kept when the holder takes its own lease over. */
  readonly promotionsFailed: number;
  /** When it last was. */
  readonly promotionFailedAt: Instant | null;
}

export interface OperationRun {
  readonly epoch: Epoch;
  /** The kind that it had when this run began: a failover that began as a switchover starts its facts anew. */
  readonly kind: OperationKind;
  readonly takenOver: boolean;
  readonly startedAt: Instant;
  /** Nothing is begun after this. */
  readonly leaseUntil: Instant;
  readonly renewDueAt: Instant;
  readonly facts: Readonly<Record<NodeId, NodeFacts>>;
  /** First freeze of the gathering was sent. */
  readonly gatheringSince: Instant | null;
  /** `again`: somebody came back after it was over or `interrupted`, when nobody answered; the others may follow. */
  readonly gathering: "first" | "interrupted" | "again";
  /** What was told once: so that a retried step does not repeat its event. */
  readonly told: readonly string[];
  /** Since when the stop of the old primary's host is waited for; null: it was not. */
  readonly stopAwaitedSince: Instant | null;
  readonly committedAt: Instant | null;
  readonly tablePublished: boolean;
  /** Why it could not do what it was begun for: what its request is answered with. */
  readonly failure: string | null;
  /** Why it can neither go on nor end now; null: it can. */
  readonly held: string | null;
}

const NO_FACTS: NodeFacts = {
  frozen: null,
  settled: null,
  promoted: null,
  unknownSince: null,
  promotionsOpen: 0,
  repointed: false,
  pausedAt: null,
  pausedUntil: null,
  parkedOn: null,
  busy: null,
  retryAt: null,
  failures: 0,
  failure: null,
  promotionsFailed: 0,
  promotionFailedAt: null,
};

/** A node that NO ONE was tried on this often is left out: another candidate, or a person, comes before one more try. */
const PROMOTION_TRIES = 3;

export function newRun(options: {
  readonly ballot: Ballot;
  readonly takenOver: boolean;
  readonly at: Instant;
  readonly leaseUntil: Instant;
  readonly renewDueAt: Instant;
}): OperationRun {
  return {
    epoch: options.ballot.epoch,
    kind: options.ballot.operation?.kind ?? "repair",
    takenOver: options.takenOver,
    startedAt: options.at,
    leaseUntil: options.leaseUntil,
    renewDueAt: options.renewDueAt,
    facts: {},
    gatheringSince: null,
    gathering: "first",
    told: [],
    stopAwaitedSince: null,
    committedAt: null,
    tablePublished: false,
    failure: null,
    held: null,
  };
}

/** The run of the same holder under its next epoch: what was tried is remembered, what was found has to be found anew. */
export function continued(run: OperationRun, before: OperationRun | null): OperationRun {
  if (before === null) return run;
  const facts = Object.entries(before.facts).map(([node, { promotionsFailed, promotionFailedAt }]) => [
    node,
    { ...NO_FACTS, promotionsFailed, promotionFailedAt },
  ]);
  const { startedAt, failure } = before;
  const gathering = before.gatheringSince === null ? before.gathering : "again";
  return { ...run, startedAt, failure, gathering, facts: Object.fromEntries(facts) };
}

export const isBarred = (run: OperationRun, node: NodeId): boolean =>
  factsOf(run, node).promotionsFailed >= PROMOTION_TRIES;

export const factsOf = (run: OperationRun, node: NodeId): NodeFacts => run.facts[node] ?? NO_FACTS;

/** The run of this turn; only called while there is one. */
export function runOf(turn: Turn): OperationRun {
  const run = turn.state.operation;
  invariant(run !== null, "S4", "no operation is held");
  return run;
}

/** The ballot as last looked at, under which the run acts. */
export function ballotOf(turn: Turn): Ballot {
  const look = turn.state.look;
  invariant(look !== null, "R9", "nothing is done before a look at the ballot");
  return look.ballot;
}

export function patchRun(turn: Turn, changes: Partial<OperationRun>): void {
  patch(turn, { operation: { ...runOf(turn), ...changes } });
}

export function patchFacts(turn: Turn, node: NodeId, changes: Partial<NodeFacts>): void {
  const run = runOf(turn);
  patchRun(turn, { facts: { ...run.facts, [node]: { ...factsOf(run, node), ...changes } } });
}

/** True the first time it is asked for `key` in this run. */
export function firstTime(turn: Turn, key: string): boolean {
  const run = runOf(turn);
  if (run.told.includes(key)) return false;
  patchRun(turn, { told: [...run.told, key] });
  return true;
}

/** `master_failover_state` of a node that is not handing over by itself. */
export const IDLE = "no-failover";
/** How long a node may take over one transaction before its outcome is unknown. */
const COMMAND_MS = 500;

/**
 * The connection that a command of the ballot's epoch may use on `node` now, or null after asking for what is missing:
 * a new connection, or a look at the ballot that is younger than it (R9).
 */
export function reach(turn: Turn, node: NodeId): ConnectionRef | null {
  const known = turn.state.nodes[node];
  const look = turn.state.look;
  if (known === undefined || look === null) return null;
  if (known.connection === null) {
    probeSoon(turn, node);
    return null;
  }
  if (known.connection.authenticatedAt <= look.sentAt) return known.connection;
  turn.lookWanted = true;
  return null;
}

/** S4: a newer epoch has touched it, or its data is a newer epoch's. Such a node is not ours to change. */
export function isBeyond(turn: Turn, reading: NodeReading, epoch: Epoch): boolean {
  const belongs = belonging(reading, ballotOf(turn).lineage);
  return (tokenOf(reading.follows) ?? 0) > epoch || (belongs.kind !== "unknown" && belongs.epoch > epoch);
}

/**
 * R22: somebody made it a primary, and no record says why. An operation that began before it was seen neither freezes it
 * nor points it elsewhere; only who names the data that counts does (`recover`), and the restarted process of the voted-down
 * primary is no such node.
 */
export function isSpared(turn: Turn, node: NodeState): boolean {
  const { primary, operation, lineage } = ballotOf(turn);
  if (node.reading?.role !== "primary" || node.id === primary?.node || operation?.kind === "recover") return false;
  return belonging(node.reading, lineage).kind === "unknown" && !isBackByItself(turn, ballotOf(turn), node);
}

/** Sends `make(connection)` to `node` when it is free, reachable under R9 and not resting after a failure. */
export function send(turn: Turn, node: NodeId, make: (connection: ConnectionRef) => NodeCommand): boolean {
  const facts = factsOf(runOf(turn), node);
  if (facts.busy !== null || (facts.retryAt !== null && !isDue(turn, facts.retryAt))) return false;
  const connection = reach(turn, node);
  const known = turn.state.nodes[node];
  if (connection === null || known === undefined) return false;
  if (known.reading !== null && isBeyond(turn, known.reading, runOf(turn).epoch)) {
    patchFacts(turn, node, { failure: "a newer epoch has touched it", retryAt: after(turn.at, FRESH_ATTEMPT_MS) });
    return false;
  }
  const wanted = make(connection);
  const isRefused = "epoch" in wanted && wanted.kind !== "settle" && (known.reading?.failoverState ?? IDLE) !== IDLE;
  // A node in the middle of its own FAILOVER refuses REPLICAOF (N12), for as long as its target stays away.
  command(turn, known, isRefused ? { kind: "abort-failover", connection: connection.id } : wanted);
  return true;
}

function command(turn: Turn, { id: node, address }: NodeState, nodeCommand: NodeCommand): void {
  const latest = runOf(turn).leaseUntil;
  const deadline = after(turn.at, COMMAND_MS);
  const { promotionsOpen } = factsOf(runOf(turn), node);
  patchFacts(turn, node, {
    busy: nodeCommand,
    promotionsOpen: promotionsOpen + (nodeCommand.kind === "promote" ? 1 : 0),
  });
  turn.commands.push({
    kind: "command-node",
    node,
    address,
    command: nodeCommand,
    deadline: deadline < latest ? deadline : latest,
  });
}

/** Parks a freeze on the hung connection of `node`, once per connection, when R9 allows it. */
export function park(turn: Turn, node: NodeId): void {
  const known = turn.state.nodes[node];
  const look = turn.state.look;
  if (known?.parkable == null || look === null) return;
  const { parkable } = known;
  const run = runOf(turn);
  if (factsOf(run, node).parkedOn === parkable.id || parkable.authenticatedAt > look.sentAt) return;
  patchFacts(turn, node, { parkedOn: parkable.id });
  turn.commands.push({
    kind: "command-node",
    node,
    address: known.address,
    command: { kind: "freeze", epoch: run.epoch, connection: parkable.id, parked: true },
    deadline: run.leaseUntil,
  });
  emit(turn, "fence.parked", { node });
}

/** Attempt id and writer for what the holder writes. */
export const held = (turn: Turn, attempt: AttemptId) => ({
  ballot: ballotOf(turn),
  writer: turn.context.self,
  attempt,
});

export const freeze =
  (epoch: Epoch) =>
  (connection: ConnectionRef): NodeCommand => ({ kind: "freeze", epoch, connection: connection.id, parked: false });
