// What does a voter do that does not hold the lease? It silences the old primary from where it stands: the voter beside
// an isolated primary still reaches the table, and nobody else reaches that primary (R16, design 4.5 step 5). Only on
// what a consistent look shows: the uncommitted intent of a failover that names another node, or a commit that names
// another while this one still claims to be primary with an older recorded history.

import type { Ballot } from "./ballot.ts";
import { FRESH_ATTEMPT_MS } from "./config.ts";
import { belonging, standingIntent } from "./lineage.ts";
import { answersNow } from "./observation.ts";
import type { Look, NodeState } from "./state.ts";
import { tokenOf } from "./token.ts";
import type { Turn } from "./turn.ts";
import { emit, isDueIn, nodesOf, patch, probeSoon } from "./turn.ts";
import type { Epoch, NodeCommand, NodeId, NodeOutcome } from "./types.ts";
import { after } from "./types.ts";

const COMMAND_MS = 500;

/** Freezes, or parks the freeze of, every node that the record says must not write any more. */
export function assist(turn: Turn): void {
  const { look } = turn.state;
  if (look === null || look.ballot.table !== turn.context.self.table) return;
  for (const node of nodesOf(turn.state)) {
    if (mustBeSilenced(turn, look.ballot, node)) silence(turn, look, node);
  }
}

function mustBeSilenced(turn: Turn, ballot: Ballot, node: NodeState): boolean {
  const { primary, operation } = ballot;
  if (primary === null) return false;
  const intent = standingIntent(ballot);
  if (node.id === primary.node) {
    if (operation?.kind !== "failover" || intent === null || intent.node === node.id) return false;
    return !isSilenced(node, operation.began);
  }
  // A later intent that names this node is somebody's decision for it.
  if (intent !== null && intent.node === node.id) return false;
  const later = ballot.lineage.intents.some((each) => each.node === node.id && each.epoch > primary.epoch);
  // It answers as a primary now, or did when it was last heard and hangs with a connection that a freeze can wait on.
  if (later || node.reading?.role !== "primary" || (!answersNow(turn, node) && node.parkable === null)) return false;
  const belongs = belonging(node.reading, ballot.lineage);
  return belongs.kind === "recorded" && belongs.epoch < primary.epoch;
}

const isSilenced = (node: NodeState, began: Epoch): boolean =>
  node.heard === "answered" && node.reading?.role === "replica" && (tokenOf(node.reading.follows) ?? 0) >= began;

function silence(turn: Turn, look: Look, node: NodeState): void {
  const { ballot } = look;
  const known = turn.state.assistance[node.id];
  const isSameEpoch = known?.epoch === ballot.epoch;
  if (isSameEpoch && known.done) return;
  if (node.parkable !== null) {
    if (node.parkable.authenticatedAt > look.sentAt || (isSameEpoch && known.parkedOn === node.parkable.id)) return;
    remember(turn, ballot, node, node.parkable.id);
    order(turn, node, { kind: "freeze", epoch: ballot.epoch, connection: node.parkable.id, parked: true });
    emit(turn, "fence.parked", { node: node.id, detail: { assisted: true } });
    return;
  }
  // The group is irregular, so every node is probed quickly by itself: a dead one is not asked in a busy loop for this.
  if (node.connection === null || (isSameEpoch && !isDueIn(turn, known.triedAt, FRESH_ATTEMPT_MS))) return;
  if (node.connection.authenticatedAt > look.sentAt) {
    turn.lookWanted = true;
    return;
  }
  remember(turn, ballot, node, null);
  order(turn, node, { kind: "freeze", epoch: ballot.epoch, connection: node.connection.id, parked: false });
}

function order(turn: Turn, node: NodeState, command: NodeCommand): void {
  turn.commands.push({
    kind: "command-node",
    node: node.id,
    address: node.address,
    command,
    deadline: after(turn.at, COMMAND_MS),
  });
}

function remember(turn: Turn, ballot: Ballot, node: NodeState, parkedOn: number | null): void {
  const assistance = { epoch: ballot.epoch, triedAt: turn.at, parkedOn, done: false };
  patch(turn, { assistance: { ...turn.state.assistance, [node.id]: assistance } });
}

/** Folds the end of a freeze that this voter sent without holding the lease. */
export function foldAssistance(turn: Turn, node: NodeId, command: NodeCommand, outcome: NodeOutcome): void {
  const known = turn.state.assistance[node];
  if (known === undefined || command.kind !== "freeze" || command.epoch !== known.epoch) return;
  if (outcome.kind !== "applied") return probeSoon(turn, node);
  patch(turn, { assistance: { ...turn.state.assistance, [node]: { ...known, done: true } } });
  const rung = command.parked ? "parked" : "assisted";
  emit(turn, "node.fenced", {
    node,
    epoch: command.epoch,
    detail: { rung, offset: outcome.after.offset, wasRole: outcome.before.role },
  });
  probeSoon(turn, node);
}
