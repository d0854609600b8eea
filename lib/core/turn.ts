// The work sheet of one step: state so far, commands and events so far, and when to be called again. It is made and
// dropped inside one call of `step`, so the whole stays a pure function; states themselves are never changed in place.

import type { BallotWrite } from "./ballot-write.ts";
import type { Command, Moment } from "./commands.ts";
import type { CoreEvent, EventName } from "./events.ts";
import type { Context, GroupState, NodeState } from "./state.ts";
import { NEVER } from "./state.ts";
import type { AttemptId, Epoch, Instant, NodeId, WallTime } from "./types.ts";
import { after, attemptId } from "./types.ts";

export interface Turn {
  readonly at: Instant;
  readonly wall: WallTime;
  readonly entropy: string;
  readonly context: Context;
  state: GroupState;
  readonly commands: Command[];
  readonly events: CoreEvent[];
  wakeAt: Instant;
  /** A consistent look is wanted before something can go on. */
  lookWanted: boolean;
  attempts: number;
}

export const newTurn = (state: GroupState, moment: Moment, context: Context): Turn => ({
  at: moment.at,
  wall: moment.wall,
  entropy: moment.entropy,
  context,
  state,
  commands: [],
  events: [],
  wakeAt: NEVER,
  lookWanted: false,
  attempts: 0,
});

export function newAttempt(turn: Turn): AttemptId {
  turn.attempts += 1;
  return attemptId(`${turn.context.self.voter}.${turn.entropy}.${turn.attempts}`);
}

interface Telling {
  readonly node?: NodeId;
  /** @default the ballot's, as last looked at */
  readonly epoch?: Epoch;
  readonly detail?: CoreEvent["detail"];
}

export function eventOf(turn: Turn, event: EventName, options: Telling = {}): CoreEvent {
  const epoch = options.epoch ?? turn.state.look?.ballot.epoch ?? (0 as Epoch);
  return { event, epoch, node: options.node ?? null, detail: options.detail ?? {} };
}

export function emit(turn: Turn, event: EventName, options: Telling = {}): void {
  turn.events.push(eventOf(turn, event, options));
}

/** Asks to be called at `at` or earlier. */
export function wakeBy(turn: Turn, at: Instant): void {
  if (at < turn.wakeAt) turn.wakeAt = at;
}

/** True when `at` has come, else asks to be called then. */
export function isDue(turn: Turn, at: Instant): boolean {
  if (at <= turn.at) return true;
  wakeBy(turn, at);
  return false;
}

export const isDueIn = (turn: Turn, start: Instant, ms: number): boolean => isDue(turn, after(start, ms));

export function patch(turn: Turn, changes: Partial<GroupState>): void {
  turn.state = Object.assign({ ...turn.state }, changes);
}

export function patchNode(turn: Turn, id: NodeId, changes: Partial<NodeState>): void {
  const node = turn.state.nodes[id];
  if (node !== undefined) putNode(turn, Object.assign({ ...node }, changes));
}

/** In the place of what was known of it. */
export function putNode(turn: Turn, node: NodeState): void {
  const nodes: Record<NodeId, NodeState> = { ...turn.state.nodes };
  nodes[node.id] = node;
  turn.state = { ...turn.state, nodes };
}

export const nodesOf = (state: GroupState): readonly NodeState[] => Object.values(state.nodes);

/** Writes of the ballot never overlap, wait for an unknown one to be resolved, and pause after a failure of the store. */
export function mayUseStore(turn: Turn): boolean {
  const { state } = turn;
  if (state.storeBusy !== null) return false;
  return state.storeRetryAt === null || isDue(turn, state.storeRetryAt);
}

export const mayWrite = (turn: Turn): boolean =>
  mayUseStore(turn) && turn.state.unresolved === null && turn.state.look?.ballot.table === turn.context.self.table;

/** Writes the ballot; `events` are told when the write stands in the record. */
export function write(turn: Turn, ballotWrite: BallotWrite, events: readonly CoreEvent[] = []): void {
  const pending = { write: ballotWrite, sentAt: turn.at, events };
  patch(turn, { storeBusy: { sentAt: turn.at, pending } });
  turn.commands.push({ kind: "write-ballot", write: ballotWrite });
}

export function readBallot(turn: Turn): void {
  patch(turn, { storeBusy: { sentAt: turn.at, pending: null } });
  turn.commands.push({ kind: "read-ballot" });
}

/** Probes `node` with the next plan, not before its running probe ended. */
export function probeSoon(turn: Turn, id: NodeId): void {
  const node = turn.state.nodes[id];
  if (node !== undefined && node.probeDueAt > turn.at) patchNode(turn, id, { probeDueAt: turn.at });
}
