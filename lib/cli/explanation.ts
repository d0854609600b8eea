// Why is nothing done, or why was it done? From a snapshot and the history to one answer: a headline, a line per voter,
// the votes, what would end it and what to look at. `why` prints it, `why --json` is it.

import type { ControlMode } from "../core/ballot.ts";
import { modeAt } from "../core/control.ts";
import type { HistoryRecord, VoterGroupView } from "../core/records.ts";
import type { Rejection } from "../core/rejection.ts";
import type { NodeId, VoterId, WallTime } from "../core/types.ts";
import { assess, isSeenServing, latestView, nodesOf, OPERATION_WORD, unservedReason, viewsOf } from "./assessment.ts";
import { type LastOperation, lastOperation, textOf } from "./last-operation.ts";
import type { GroupSnapshot, VoterSnapshot } from "./snapshot.ts";
import { votersAt } from "./status-text.ts";
import { duration } from "./units.ts";

export interface VoterExplanation {
  readonly voter: VoterId;
  readonly isAlive: boolean;
  /** `primary silent 43s`, `primary ok 0.3s ago`. */
  readonly sees: string;
  /** What it does about it; null when there is nothing to do. */
  readonly does: string | null;
}

export interface Explanation {
  readonly group: string;
  readonly headline: string;
  /** The reason most voters give, null when nothing is withheld. */
  readonly reason: string | null;
  readonly sinceMs: number | null;
  readonly mode: ControlMode | null;
  /** Null: there is none yet. */
  readonly primaryServes: boolean | null;
  readonly voters: readonly VoterExplanation[];
  readonly votes: { readonly down: readonly string[]; readonly suspect: readonly string[]; readonly needed: number };
  readonly ends: readonly string[];
  readonly checks: readonly { readonly what: string; readonly voters: readonly VoterId[] }[];
  /** Clauses that are true besides. */
  readonly notes: readonly string[];
  /** The last change of the primary; null while something is wrong, or when there was none. */
  readonly last: LastOperation | null;
  readonly at: WallTime;
}

/** `history`: newest entries, oldest first. */
export function explain(snapshot: GroupSnapshot, history: readonly HistoryRecord[]): Explanation {
  const withheld = withheldBy(snapshot);
  const main = dominant(withheld);
  const reasons = assess(snapshot).reasons;
  const primary = snapshot.ballot?.primary ?? null;
  const isQuiet = main === null && snapshot.ballot?.operation == null;
  return {
    group: snapshot.spec.group,
    headline: headlineOf(snapshot, main),
    reason: main?.rejection.reason ?? null,
    sinceMs: main?.sinceMs ?? null,
    primaryServes: primary === null ? null : isSeenServing(snapshot, primary.node),
    mode: snapshot.ballot === null ? null : modeAt(snapshot.ballot, snapshot.at),
    voters: snapshot.voters.map((voter, index) =>
      explainVoter(snapshot, voter, { main, before: snapshot.voters[index - 1] }),
    ),
    votes: { down: votersAt(snapshot, "down"), suspect: votersAt(snapshot, "suspect"), needed: snapshot.config.quorum },
    ends: distinct(withheld.map(({ rejection }) => rejection.ends)),
    checks: distinct(withheld.flatMap(({ rejection }) => rejection.check ?? [])).map((what) => ({
      what,
      voters: withheld.filter(({ rejection }) => rejection.check === what).map(({ voter }) => voter),
    })),
    // What the headline and the voters' lines say already is not said again.
    notes: [
      ...controlNotes(snapshot, main),
      ...(isQuiet ? [...reasons, ...heartbeatNotes(snapshot)] : stopNotes(snapshot, history)),
    ],
    last: isQuiet ? lastOperation(history) : null,
    at: snapshot.at,
  };
}

/** Why the last attempt to replace this primary ended: that the next one rests, or a person is asked, does not say it. */
function stopNotes({ ballot }: GroupSnapshot, history: readonly HistoryRecord[]): readonly string[] {
  const refused = history.findLast(({ event }) => event === "stop.refused" || event === "node.stopped");
  if (refused?.event !== "stop.refused" || refused.epoch <= (ballot?.primary?.epoch ?? 0)) return [];
  return [`the host of ${textOf(refused, "node")} was not stopped: ${textOf(refused, "reason")}`];
}

interface Withheld {
  readonly voter: VoterId;
  readonly rejection: Rejection;
  /** Until now. */
  readonly sinceMs: number;
}

const withheldBy = (snapshot: GroupSnapshot): readonly Withheld[] =>
  viewsOf(snapshot).flatMap(({ voter, view, viewAgeMs }) =>
    view.rejection === null
      ? []
      : [{ voter, rejection: view.rejection, sinceMs: view.rejection.sinceMs + (viewAgeMs ?? 0) }],
  );

/** The reason of most voters; of equally many, the one that lasts longest. */
function dominant(withheld: readonly Withheld[]): Withheld | null {
  const count = (one: Withheld): number =>
    withheld.filter((each) => each.rejection.reason === one.rejection.reason).length;
  return withheld.toSorted((a, b) => count(b) - count(a) || b.sinceMs - a.sinceMs)[0] ?? null;
}

function headlineOf(snapshot: GroupSnapshot, main: Withheld | null): string {
  const { ballot, unreadable, voters } = snapshot;
  if (unreadable !== null) return `HELD STILL: ${unreadable}`;
  if (!voters.some((voter) => voter.isAlive)) {
    return `NOTHING IS DONE: ${unservedReason(snapshot) ?? silenceOf(voters)}`;
  }
  const operation = ballot?.operation ?? null;
  if (operation !== null) {
    const by = operation.by === "automatic" ? operation.reason : `${operation.by} asked: ${operation.reason}`;
    return `${OPERATION_WORD[operation.kind]} (${operation.step}) at epoch ${ballot?.epoch}: ${by}`;
  }
  const primary = ballot?.primary ?? null;
  const forTime = main === null ? "" : ` for ${duration(main.sinceMs)}: ${main.rejection.reason}`;
  if (primary === null) return `NOT ADOPTED${forTime || ": no voter has looked at it yet"}`;
  if (!isSeenServing(snapshot, primary.node)) return `NO FAILOVER${forTime || ": the voters are still deciding"}`;
  if (main !== null) return `NOTHING IS DONE${forTime}`;
  const { words, exit } = assess(snapshot);
  return exit === 0 ? "OK: nothing is wrong" : words.join(", ");
}

function silenceOf(voters: readonly VoterSnapshot[]): string {
  const last = voters.toSorted((a, b) => a.heartbeatAgeMs - b.heartbeatAgeMs)[0];
  return last === undefined
    ? "no voter has ever been heard: are the functions deployed and their schedules enabled?"
    : `no voter has been heard for ${duration(last.heartbeatAgeMs)}: look at the functions' logs and schedules`;
}

function explainVoter(
  snapshot: GroupSnapshot,
  voter: VoterSnapshot,
  about: { readonly main: Withheld | null; readonly before: VoterSnapshot | undefined },
): VoterExplanation {
  const { isAlive, view } = voter;
  const name = voter.voter;
  if (!isAlive) return { voter: name, isAlive, sees: `not heard for ${duration(voter.heartbeatAgeMs)}`, does: null };
  if (view === null) return { voter: name, isAlive, sees: "has not said yet what it sees", does: null };
  return {
    voter: name,
    isAlive,
    sees: seesText(snapshot, view, voter.viewAgeMs ?? 0),
    does: doesText(snapshot, view, about),
  };
}

function seesText(snapshot: GroupSnapshot, view: VoterGroupView, ageMs: number): string {
  const primary = snapshot.ballot?.primary?.node;
  if (primary === undefined) return nodesText(snapshot, view, ageMs);
  const node = view.nodes[primary];
  if (node === undefined) return "has not looked at the primary yet";
  if (node.class === "serving") return `primary ok ${duration(ageMs)} ago`;
  return `primary ${node.class} ${duration(node.sinceMs + ageMs)}`;
}

/** Before a primary is ours: who is or was one, as a Sentinel beside would judge it, and how many nodes answer. */
function nodesText(snapshot: GroupSnapshot, view: VoterGroupView, ageMs: number): string {
  const { downAfterMs } = snapshot.config;
  const nodes = Object.entries(view.nodes);
  const answering = nodes.filter(([, node]) => node.class === "serving").length;
  const primaries = nodes
    .filter(([, { role }]) => role === "primary")
    .map(([id, node]) => {
      if (node.class === "serving") return `${id} is primary`;
      const isSilence = node.class === "silent" || node.class === "refused";
      const isDown = isSilence && node.sinceMs >= downAfterMs;
      const verdict = isDown ? ` (down: longer than ${duration(downAfterMs)})` : "";
      return `${id} was primary, ${node.class} ${duration(node.sinceMs + ageMs)}${verdict}`;
    });
  return [...primaries, `${answering} of ${nodes.length} nodes answer`].join(", ");
}

function doesText(
  snapshot: GroupSnapshot,
  view: VoterGroupView,
  about: { readonly main: Withheld | null; readonly before: VoterSnapshot | undefined },
): string | null {
  const { rejection } = view;
  // Before there is a primary there is nothing to vote on.
  const isServing = (primaryClass(snapshot, view) ?? "serving") === "serving";
  const lead =
    view.vote === "down" ? "votes down" : view.vote === "suspect" ? "suspects it" : isServing ? null : "vote withheld";
  if (rejection === null) return view.vote === "none" ? null : lead;
  const before = about.before?.isAlive === true ? about.before.view?.rejection : null;
  const isSame = before != null && before.reason === rejection.reason && before.detail === rejection.detail;
  const isOther = about.main !== null && rejection.reason !== about.main.rejection.reason;
  const clause = isSame ? "same" : `${isOther ? `${rejection.reason}: ` : ""}${rejection.detail}`;
  return lead === null ? clause : `${lead}: ${clause}`;
}

const primaryClass = (snapshot: GroupSnapshot, view: VoterGroupView): string | undefined => {
  const primary: NodeId | undefined = snapshot.ballot?.primary?.node;
  return primary === undefined ? undefined : view.nodes[primary]?.class;
};

function controlNotes({ ballot, at }: GroupSnapshot, main: Withheld | null): readonly string[] {
  if (ballot === null) return [];
  const mode = modeAt(ballot, at);
  const notes: string[] = [];
  if (mode === "paused" && main?.rejection.reason !== "paused") {
    const { by, reason, until } = ballot.control;
    notes.push(
      `paused by ${by}${until === null ? "" : ` for another ${duration(until - at)}`} (${reason}): nothing would be done`,
    );
  }
  if (mode === "observe" && main?.rejection.reason !== "observing") notes.push("only observed: nothing would be done");
  if (ballot.primary !== null && !ballot.armed && main?.rejection.reason !== "not-armed") {
    notes.push("not armed: nothing would be done before the group was once seen healthy");
  }
  return notes;
}

/** With a longer period an idle primary's replicas cannot tell a lost path from a lost primary most of the time. */
const WITNESS_HEARTBEAT_SECONDS = 1;

function heartbeatNotes(snapshot: GroupSnapshot): readonly string[] {
  const rare = nodesOf(snapshot).flatMap(({ id }) => {
    const seconds = latestView(snapshot, id)?.heartbeatSeconds ?? WITNESS_HEARTBEAT_SECONDS;
    return seconds > WITNESS_HEARTBEAT_SECONDS ? [`${id} has ${seconds}`] : [];
  });
  if (rare.length === 0) return [];
  return [
    `repl-ping-replica-period should be ${WITNESS_HEARTBEAT_SECONDS}, and ${rare.join(", ")}: an idle primary has no witness between heartbeats, so that a fault of the voters' network alone may replace it`,
  ];
}

const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)];
