// Which letter stands for what in the picture of a timeline. A kind of entry has a mark, or null and the reason why it needs
// none; the types do not let one be forgotten.

import type { EventName } from "../../lib/core/events.ts";
import { tokenOf } from "../../lib/core/token.ts";
import type { TimelineEntry } from "./timeline.ts";
import type { NodeFact } from "./valkey-words.ts";

/** What each letter says in the legend, in its order. */
export const MEANINGS = {
  s: "suspects the primary",
  D: "finds the primary down",
  U: "hears the primary again",
  Q: "sees a quorum of votes",
  G: "grant: a voter wins",
  T: "takes a lapsed lease over",
  L: "loses the lease",
  F: "freezes / is frozen",
  K: "parks a freeze on a hung node",
  W: "holds writes",
  "=": "target has caught up",
  S: "selects the candidate",
  "0": "nobody can be promoted",
  "?": "a loss is possible",
  o: "the host of the old primary is to be stopped",
  O: "how the stop of the host ended",
  I: "intent is recorded",
  P: "promotes / is promoted",
  p: "promotion failed",
  C: "primary is committed",
  B: "old primary gets its place back",
  V: "becomes another kind of operation",
  R: "re-points / follows a node",
  r: "could not re-point",
  c: "connections closed (settle)",
  E: "operation ends",
  X: "attempt is given up",
  H: "held, or a reason that a person ends",
  A: "adopted or initialised",
  a: "armed",
  M: "control mode",
  N: "request refused",
  Y: "request done",
  d: "node does not answer / has ended",
  u: "node answers / has started",
  f: "full synchronization",
  l: "link lost",
  k: "link is up",
  z: "voter was stalled",
  t: "table not reachable, or not readable",
  w: "published or written",
  x: "publication failed",
} as const;

export type Mark = keyof typeof MEANINGS;

/** By whom a voter tells it: marks of the voters' lanes. */
export const OF_EVENT: Readonly<Record<EventName, Mark | null>> = {
  // What the table shows at the same moment, as the write of the ballot: said once, there.
  "group.adopted": null,
  "group.initialised": null,
  "group.armed": null,
  "control.changed": null,
  "lease.acquired": null,
  "lease.taken-over": null,
  "operation.begun": null,
  "intent.recorded": null,
  "stop.asked": null,
  "stop.refused": null,
  "node.stopped": null,
  "primary.committed": null,
  "primary.restored": null,
  "failover.completed": null,
  "switchover.completed": null,
  "repair.completed": null,
  // Upkeep of the list of members: the nodes' lanes show what it was about.
  "member.discovered": null,
  "member.in-sync": null,
  "member.reborn": null,
  "member.gone": null,
  "member.back": null,
  "member.removed": null,
  "replica.set-aside": null,
  "replica.readmitted": null,
  "primary.replication-id-changed": null,
  // The lanes of the publications show each write.
  "publication.committed": null,
  "group.held": "H",
  // Every version of the simulation knows the same settings.
  "setting.left-out": null,
  "group.failed": "H",
  "node.down": "d",
  "node.up": "u",
  "node.misconfigured": "H",
  "primary.suspected": "s",
  "primary.subjectively-down": "D",
  "primary.subjectively-up": "U",
  "primary.objectively-down": "Q",
  "writes.held": "W",
  "lease.lost": "L",
  "node.frozen": "F",
  "node.fenced": "F",
  "fence.parked": "K",
  "candidate.selected": "S",
  "candidate.none": "0",
  "loss.possible": "?",
  "promotion.applied": "P",
  "promotion.failed": "p",
  "replica.repointed": "R",
  "replica.not-repointed": "r",
  "node.demoted": "R",
  "switchover.paused": "W",
  "switchover.caught-up": "=",
  "publication.failed": "x",
  // The notifier's, which is not simulated.
  "notification.failed": null,
  // The evacuator's, likewise.
  "evacuation.ended": null,
  "condition.began": null,
  "condition.ended": null,
  "request.refused": "N",
  "request.done": "Y",
  "failover.abandoned": "X",
  "switchover.abandoned": "X",
  "deciding.suspended": "z",
  "store.unreachable": "t",
  "store.reachable": "u",
  "record.unreadable": "t",
};

export const OF_WRITE: Readonly<Record<string, Mark | null>> = {
  adopt: "A",
  arm: "a",
  grant: "G",
  "take-over": "T",
  "ask-stop": "o",
  "record-stop": "O",
  "record-intent": "I",
  "record-restored": "B",
  commit: "C",
  "change-kind": "V",
  finish: "E",
  "set-control": "M",
  // An empty record; the bar begins with what follows.
  create: null,
  // Each voter's own lane shows its verdict.
  "cast-vote": null,
  // Upkeep.
  "update-members": null,
  "enter-replication-id": null,
  look: null,
};

/** By kind; a `followed` to a token is a freeze, and an `executed` is shown only where nothing else shows it. */
export const OF_FACT: Readonly<Record<NodeFact["kind"], Mark | null>> = {
  started: "u",
  ended: "d",
  // The fault's hatching says it.
  hung: null,
  woke: null,
  loaded: null,
  promoted: "P",
  followed: "R",
  executed: "c",
  "killed-connections": null,
  paused: "W",
  "link-up": "k",
  "link-down": "l",
  flushed: "f",
  // It comes with a promotion or a restart.
  "id-changed": null,
};

/** Shown by its own fact: `promoted`, or `followed`. */
const SHOWN_BY_A_FACT: readonly string[] = ["promote", "freeze", "repoint"];

export function markOf(entry: TimelineEntry): Mark | null {
  switch (entry.kind) {
    case "told":
      return OF_EVENT[entry.entry.event];
    case "ballot":
      return OF_WRITE[entry.change.write.name] ?? null;
    case "node":
      return markOfFact(entry.fact);
    case "published":
    case "copy":
      return "w";
    // Bars and spans.
    case "fault":
    case "fault-ended":
    case "healed":
    case "invocation":
    case "violation":
      return null;
  }
}

function markOfFact(fact: NodeFact): Mark | null {
  if (fact.kind === "followed" && tokenOf(fact.address) !== null) return "F";
  if (fact.kind === "executed" && SHOWN_BY_A_FACT.includes(fact.label) && fact.effective) return null;
  return OF_FACT[fact.kind];
}
