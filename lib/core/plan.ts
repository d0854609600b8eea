// When is what looked at next? Nodes are probed every interval, quickly while something is wrong; the ballot is read
// consistently when something waits for it and at every tick while this voter sees anything irregular, so that an
// isolated voter learns of a new epoch within a tick. After ten minutes of the same trouble both become rarer.

import { IRREGULAR_INTERVAL_MS } from "./config.ts";
import type { NodeState } from "./state.ts";
import { NEVER } from "./state.ts";
import type { Turn } from "./turn.ts";
import { isDue, isDueIn, mayUseStore, nodesOf, patch, putNode, readBallot } from "./turn.ts";
import { after, elapsedMs, type Instant, instant } from "./types.ts";
import { isAstray, isIrregular } from "./view.ts";

const LONG_MS = 600_000;
const LEAST_GAP_MS = 2;

/** Asks for the next consistent read of the ballot when it is due. */
export function planLook(turn: Turn): void {
  noteIrregular(turn);
  const { look, unresolved, missing, staleLook, storeFailedSince } = turn.state;
  if (!mayUseStore(turn)) return;
  // A store that failed is asked until it answers, also in a quiet group: nothing else would find out that it is back.
  const isOwed = unresolved !== null || storeFailedSince !== null || (look === null && !missing);
  if (isOwed || turn.lookWanted || staleLook) return readBallot(turn);
  const last = look?.sentAt ?? turn.state.lastAt;
  const everyMs = intervalOfLooks(turn);
  if (everyMs !== null && isDueIn(turn, last, everyMs)) readBallot(turn);
}

function intervalOfLooks(turn: Turn): number | null {
  const { probeIntervalMs } = turn.context.config;
  if (turn.state.look === null) return probeIntervalMs;
  // The holder's own writes are its looks, and its plan does not wait for others' news.
  if (turn.state.operation !== null) return null;
  if (isIrregular(turn.state)) return rareAfterLong(turn, IRREGULAR_INTERVAL_MS);
  return nodesOf(turn.state).some((node) => isAstray(turn.state, node))
    ? Math.max(probeIntervalMs, IRREGULAR_INTERVAL_MS)
    : null;
}

function noteIrregular(turn: Turn): void {
  const isTroubled = isIrregular(turn.state) || nodesOf(turn.state).some((node) => isAstray(turn.state, node));
  if (!isTroubled && turn.state.irregularSince !== null) patch(turn, { irregularSince: null });
  if (isTroubled && turn.state.irregularSince === null) patch(turn, { irregularSince: turn.at });
}

/** `quickMs`, or the ordinary interval once the same trouble has lasted ten minutes without a lease. */
export function rareAfterLong(turn: Turn, quickMs: number): number {
  const { irregularSince, look } = turn.state;
  const isLong = irregularSince !== null && elapsedMs(irregularSince, turn.at) > LONG_MS;
  return isLong && look?.ballot.lease === null ? Math.max(quickMs, turn.context.config.probeIntervalMs) : quickMs;
}

/** Starts the probes that are due, and asks to be called for the next. */
export function planProbes(turn: Turn): void {
  const isTroubled = isIrregular(turn.state);
  for (const node of nodesOf(turn.state)) planProbe(turn, node, isTroubled);
}

/** Asked for at once means after a breath: a node that refuses at once must not be asked in a busy loop. */
const nextProbeAt = ({ probeDueAt }: NodeState, probedAt: Instant, everyMs: number): Instant =>
  instant(Math.min(after(probedAt, everyMs), Math.max(probeDueAt, after(probedAt, LEAST_GAP_MS))));

function planProbe(turn: Turn, node: NodeState, isTroubled: boolean): void {
  if (node.probing !== null) return;
  const { probeIntervalMs, probeTimeoutMs } = turn.context.config;
  const isQuick = isTroubled || isAstray(turn.state, node);
  const everyMs = isQuick ? Math.min(probeIntervalMs, rareAfterLong(turn, IRREGULAR_INTERVAL_MS)) : probeIntervalMs;
  if (node.probedAt !== null && !isDue(turn, nextProbeAt(node, node.probedAt, everyMs))) return;
  putNode(turn, { ...node, probing: turn.at, probedAt: turn.at, probeDueAt: NEVER });
  turn.commands.push({
    kind: "probe",
    node: node.id,
    address: node.address,
    deadline: after(turn.at, probeTimeoutMs),
    fresh: false,
  });
}
