// What is each node, by its last answers? Folds the ends of probes into the state and names the class of each node
// (design 4.3): classes are facts about replies; whether the primary is down is `verdict.ts`.

import type { Ballot } from "./ballot.ts";
import { WITNESS_DRAIN_MS } from "./config.ts";
import type { NodeClass } from "./records.ts";
import { type GroupState, type NodeState, primaryNodeOf } from "./state.ts";
import type { Turn } from "./turn.ts";
import { emit, nodesOf, patch, patchNode, putNode } from "./turn.ts";
import type { Instant, NodeId, NodeReading, Observation } from "./types.ts";
import { after, elapsedMs } from "./types.ts";

type Answered = Extract<Observation, { kind: "answered" }>;

/** Folds the end of one probe in. */
export function observe(turn: Turn, node: NodeId, sentAt: Instant, observation: Observation): void {
  const known = turn.state.nodes[node];
  if (known === undefined) return;
  if (observation.kind === "answered") answered(turn, known, sentAt, observation);
  else unanswered(turn, known, sentAt, observation);
  reclassify(turn);
}

function answered(turn: Turn, known: NodeState, sentAt: Instant, observation: Answered): void {
  const { reading, settings, connection } = observation;
  putNode(turn, {
    ...known,
    probing: null,
    heard: "answered",
    detail: "",
    reading,
    readSentAt: sentAt,
    readAt: turn.at,
    earlier: known.reading === null || known.readAt === null ? null : { reading: known.reading, readAt: known.readAt },
    settings: settings ?? known.settings,
    latencyMs: elapsedMs(sentAt, turn.at),
    connection,
    parkable: null,
    answeredAt: turn.at,
    lostAt: null,
    firstRefusedAt: null,
    refusals: 0,
    advancedAt: witnessed(turn.state, known, reading) ? turn.at : known.advancedAt,
  });
}

function unanswered(turn: Turn, known: NodeState, sentAt: Instant, observation: Exclude<Observation, Answered>): void {
  const detail = observation.detail;
  patchNode(turn, known.id, { probing: null, heard: observation.kind });
  switch (observation.kind) {
    case "refused":
      patchNode(turn, known.id, {
        detail,
        connection: null,
        parkable: null,
        lostAt: known.lostAt ?? sentAt,
        firstRefusedAt: known.firstRefusedAt ?? turn.at,
        refusals: known.refusals + 1,
      });
      return;
    case "silent":
      patchNode(turn, known.id, {
        detail,
        connection: null,
        parkable: observation.parkable,
        lostAt: known.lostAt ?? sentAt,
        firstRefusedAt: null,
        refusals: 0,
      });
      return;
    case "loading":
    case "busy":
    case "misconfigured":
      // It answered, so its silence ends; but what it is cannot be read, and nothing may be sent to it.
      patchNode(turn, known.id, {
        detail: observation.kind === "misconfigured" ? `${observation.reason}: ${detail}` : detail,
        connection: null,
        parkable: null,
        answeredAt: turn.at,
        lostAt: null,
        firstRefusedAt: null,
        refusals: 0,
      });
  }
}

/**
 * A replica's offset advanced between two answers that both came after this voter had lost the primary and the bytes
 * under way had drained: the primary lives, this voter only does not reach it.
 */
function witnessed(state: GroupState, known: NodeState, reading: NodeReading): boolean {
  const primary = state.look?.ballot.primary;
  if (primary === undefined || primary === null || primary.node === known.id) return false;
  const lost = state.nodes[primary.node];
  const lostAt = lost?.lostAt ?? null;
  const before = known.reading;
  if (lostAt === null || before === null || known.readSentAt === null) return false;
  // Who follows somebody that a person has promoted advances, too, and by a history of that one's own.
  const isOfPrimary = [primary.replicationId, lost?.reading?.replicationId].includes(reading.replicationId);
  return (
    isOfPrimary &&
    known.readSentAt >= after(lostAt, WITNESS_DRAIN_MS) &&
    before.replicationId === reading.replicationId &&
    before.runId === reading.runId &&
    reading.linkUp &&
    reading.offset > before.offset
  );
}

/** Names every node's class anew: after a probe, and after a look, because what is expected of a node may have changed. */
export function reclassify(turn: Turn): void {
  const ballot = turn.state.look?.ballot ?? null;
  for (const node of nodesOf(turn.state)) {
    const next = classOf(node, ballot);
    if (next === node.class) continue;
    const wasUp = isReachable(node.class);
    patchNode(turn, node.id, { class: next, classSince: turn.at });
    if (next === "misconfigured") emit(turn, "node.misconfigured", { node: node.id, detail: { reason: node.detail } });
    else if (wasUp && isSilence(next))
      emit(turn, "node.down", { node: node.id, detail: { class: next, reason: node.detail } });
    else if (isSilence(node.class) && isReachable(next))
      emit(turn, "node.up", { node: node.id, detail: { class: next } });
  }
}

const isSilence = (value: NodeClass): boolean => value === "silent" || value === "refused";
const isReachable = (value: NodeClass): boolean =>
  !isSilence(value) && value !== "unknown" && value !== "misconfigured";

function classOf(node: NodeState, ballot: Ballot | null): NodeClass {
  switch (node.heard) {
    case null:
      return "unknown";
    case "answered":
      return classOfReading(node, node.reading as NodeReading, ballot);
    case "refused":
    case "silent":
    case "loading":
    case "busy":
    case "misconfigured":
      return node.heard;
  }
}

function classOfReading(node: NodeState, reading: NodeReading, ballot: Ballot | null): NodeClass {
  const primary = ballot?.primary ?? null;
  if (primary === null) return reading.loading ? "loading" : "serving";
  if (primary.node === node.id) {
    // Whatever data it brought: the replicas hold the newest, and they must not follow it before somebody looked (R13).
    if (reading.runId !== primary.runId) return "reborn";
    if (reading.loading) return "loading";
    if (reading.role !== "primary") return "wrong-role";
    return isWriteDead(node, reading) ? "write-dead" : "serving";
  }
  if (reading.loading) return "loading";
  return reading.role === "primary" ? "wrong-role" : "serving";
}

/** Valkey refuses writes (MISCONF) after a failed append, or after a failed snapshot when it is told to. */
function isWriteDead(node: NodeState, reading: NodeReading): boolean {
  if (!reading.lastAofWriteOk) return true;
  const refusesAfterSnapshot = node.settings?.stopWritesOnBgsaveError === true && node.settings.savesSnapshots;
  return !reading.lastBgsaveOk && refusesAfterSnapshot;
}

/** Its INFO was read within the last two rounds of probes: fresh enough to decide what to try, never to promote by. */
export function answersNow(turn: Turn, node: NodeState): boolean {
  if (node.heard !== "answered" || node.readAt === null) return false;
  return (
    elapsedMs(node.readAt, turn.at) <= 2 * turn.context.config.probeIntervalMs + turn.context.config.probeTimeoutMs
  );
}

/** One node, or one process under two names (R18): listed by the primary at another address than the declared one. */
export const isSameNode = (a: NodeState, b: NodeState): boolean =>
  a.id === b.id || (a.reading !== null && a.reading.runId === b.reading?.runId);

/** Read since the record became quiet: before that, somebody else was bringing it in line. */
export const isOfNow = (turn: Turn, node: NodeState): boolean =>
  turn.state.quietSince !== null && node.readSentAt !== null && node.readSentAt >= turn.state.quietSince;

/** A stall makes every silence untrustworthy: all clocks of silence start again. */
export function forgetSilences(turn: Turn): void {
  for (const node of nodesOf(turn.state)) {
    const restart = node.answeredAt === null ? null : turn.at;
    patchNode(turn, node.id, {
      answeredAt: restart,
      classSince: turn.at,
      lostAt: null,
      firstRefusedAt: null,
      refusals: 0,
      advancedAt: null,
    });
  }
  patch(turn, { startedAt: turn.at });
}

/** Without a boot fence the replicas may have followed the restarted primary before anybody looked: it is what there is. */
export function isFollowedReborn(turn: Turn, ballot: Ballot): boolean {
  const node = primaryNodeOf(turn.state, ballot);
  if (node?.class !== "reborn" || node.reading?.role !== "primary") return false;
  const id = node.reading.replicationId;
  const others = Object.values(turn.state.nodes).filter((each) => each.id !== node.id && each.heard === "answered");
  return others.length > 0 && others.every((each) => each.reading?.replicationId === id);
}
