// Whose history is this data? Offsets of different histories do not compare (R3), so every reading is first placed in
// the recorded lineage: the histories of committed primaries, and the intents, which explain a promotion whose holder
// died before it could commit. What neither explains is unknown, and unknown means hold (R7, R25): nothing is guessed.

import type { Ballot, Intent, Lineage } from "./ballot.ts";
import type { Epoch, NodeId, NodeReading, ReplicationId } from "./types.ts";

export type Belonging =
  /** Carries the id of a recorded history. */
  | { readonly kind: "recorded"; readonly epoch: Epoch }
  /** Was promoted exactly as this intent says, and not recorded (yet). */
  | { readonly kind: "intended"; readonly epoch: Epoch; readonly intent: Intent }
  | { readonly kind: "unknown" };

const KEPT_HISTORIES = 6;
const KEPT_INTENTS = 6;

/** Where the reading's data belongs; the newest entry wins where one id stands twice. */
export function belonging(reading: NodeReading, lineage: Lineage): Belonging {
  const recorded = epochOfId(reading.replicationId, lineage);
  if (recorded !== null) return { kind: "recorded", epoch: recorded };
  const intent = lineage.intents.findLast((each) => isPromotedBy(reading, each));
  return intent === undefined ? { kind: "unknown" } : { kind: "intended", epoch: intent.epoch, intent };
}

/** Epoch of the recorded history with this id, or null. */
export function epochOfId(id: ReplicationId, lineage: Lineage): Epoch | null {
  const { histories } = lineage;
  for (let index = histories.length - 1; index >= 0; index--) {
    const history = histories[index];
    if (history?.replicationId === id) return history.epoch;
  }
  return null;
}

/** R25: the same process, forked from the intent's history right behind the intent's offset. Anything else is unknown. */
export function isPromotedBy(reading: NodeReading, intent: Intent): boolean {
  return (
    reading.runId === intent.runId &&
    reading.replicationId !== intent.replicationId &&
    reading.secondReplicationId === intent.replicationId &&
    reading.secondReplicationOffset === intent.offset + 1
  );
}

/** The intent that an unfinished operation has recorded last: what may have been done, whoever died since. */
export function standingIntent(ballot: Ballot): Intent | null {
  const { operation, lineage } = ballot;
  if (operation === null || operation.step === "committed") return null;
  return lineage.intents.findLast((each) => each.epoch >= operation.began) ?? null;
}

/**
 * Every intent of the unfinished operation that may have been carried out on another node than `old`: not only the last,
 * because the one before it may have been sent by a holder that died, to a node that nobody reaches. Before an intent
 * that names `old` all earlier ones had been looked at.
 */
export function openIntents(ballot: Ballot, old: NodeId | null): readonly Intent[] {
  const { operation, lineage } = ballot;
  if (operation === null || operation.step === "committed") return [];
  const intents = lineage.intents.filter((each) => each.epoch >= operation.began);
  return intents.slice(intents.findLastIndex((each) => each.node === old) + 1);
}

/**
 * The lineage with one more history. The oldest are dropped to keep the ballot small: data that old is unknown then,
 * which holds instead of guessing.
 */
export function withHistory(lineage: Lineage, history: Lineage["histories"][number]): Lineage {
  return { ...lineage, histories: [...lineage.histories, history].slice(-KEPT_HISTORIES) };
}

/**
 * One that is meant again, for the same node from the same history under the same epoch, was read and not found carried
 * out: its last form stands for it, so that a node that is tried often does not push the others out.
 */
export function withIntent(lineage: Lineage, intent: Intent): Lineage {
  const others = lineage.intents.filter(
    (each) => each.epoch !== intent.epoch || each.node !== intent.node || each.replicationId !== intent.replicationId,
  );
  return { ...lineage, intents: [...others, intent].slice(-KEPT_INTENTS) };
}
