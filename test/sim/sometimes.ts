// What the swarm must sometimes meet: a bug that needs a rare situation is found only if that situation comes. Each is
// named and counted here from what the world shows (the record, the nodes, the copies, what voters told); it shares no
// code with the engine. A situation that no seed of a run meets any more fails the run.

import type { Publication, SlotRecord } from "../../lib/core/records.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import { GROUP } from "./group.ts";
import { NODE_SITUATIONS, NodeSituations } from "./sometimes-nodes.ts";
import { RECORD_SITUATIONS, RecordSituations } from "./sometimes-record.ts";
import type { BallotChange, BallotRefusal } from "./table.ts";
import type { NodeFact } from "./valkey-words.ts";
import type { Observer, World } from "./world.ts";

/** What voters told of. */
const TOLD = {
  "deciding.suspended": "a voter wakes from a stall",
  "lease.lost": "a holder finds its lease lost",
  "promotion.failed": "a promotion fails",
  "candidate.none": "nobody can be promoted",
  "primary.restored": "the old primary is given back its place",
  "replica.not-repointed": "a replica is left to repair",
  "publication.failed": "a publication fails",
  "request.refused": "an order is refused",
  "failover.abandoned": "a failover is given up",
  "switchover.abandoned": "a switchover is given up",
  "loss.possible": "a loss is recorded",
  "fence.parked": "a freeze is parked on a node that hangs",
  "node.demoted": "a former primary is demoted",
  "node.misconfigured": "a node turns a voter away",
  "stop.asked": "the host of an old primary is to be stopped",
  "stop.refused": "a host is not stopped",
  "node.stopped": "a host has stopped before another node is meant",
} as const satisfies Partial<Record<JournalEntry["event"], string>>;

/** What voters gave as the reason why nothing is done, in their slots. */
const REASONS = [
  "possible-loss-refused",
  "quorum-pending",
  "witness-veto",
  "cut-off",
  "too-few-nodes",
  "unknown-history",
  "unexplained-primary",
  "cold-start-waiting",
  "backing-off",
  "budget-spent",
  "paused",
  "observing",
  "store-unreachable",
  "busy",
  "waiting-for-down-after",
  "operation-going-on",
  "stop-awaited",
  "foreign-table",
  "record-unreadable",
] as const;

const WORLD_SITUATIONS = [
  "a voter wakes two epochs later",
  "a copy goes back to an older epoch",
  "a copy is written by two under one epoch",
  "a copy that somebody forged is repaired",
  "the publisher function is the first to publish",
  "a table is restored to an earlier state",
  "a record is deleted by hand",
  "a record is set back by hand",
  "a group whose record was deleted is adopted anew",
  "a restored record is taken over by a person's order",
  "a version is rolled back",
  "a declaration changes in the middle of an operation",
  "a node is taken out of the declaration",
  "an order to change the members is refused",
  "an order that has its answer is glanced as one that waits",
  "a voter rests: all is well",
  "a round finds the primary gone",
] as const;

const reasonOf = (reason: (typeof REASONS)[number]) => `reason: ${reason}` as const;

export const SITUATIONS = [
  ...RECORD_SITUATIONS,
  ...NODE_SITUATIONS,
  ...WORLD_SITUATIONS,
  ...Object.values(TOLD),
  ...REASONS.map(reasonOf),
] as const;

export type Situation = (typeof SITUATIONS)[number];

/** Met by fewer than one seed in eighty: not to be expected of a few hundred or thousand. */
export const RARE: readonly Situation[] = ["a copy goes back to an older epoch"];

const CHECK_EVERY_MS = 500;

export class Sometimes implements Observer {
  readonly counts = new Map<Situation, number>();
  readonly #world: World;
  readonly #record: RecordSituations;
  readonly #nodes: NodeSituations;
  readonly #lastReasons = new Map<string, string>();
  readonly #lastCopies = new Map<string, { readonly epoch: number; readonly by: string }>();
  readonly #published = new Set<number>();
  /** Of each voter, the last generation that ended because all was well. */
  readonly #rested = new Map<string, number>();
  #isDeleted = false;
  #spec: number | undefined;

  constructor(world: World) {
    this.#world = world;
    const met = (situation: Situation) => this.#met(situation);
    this.#record = new RecordSituations(world, met);
    this.#nodes = new NodeSituations(world, met);
  }

  static of(world: World): Sometimes {
    const sometimes = new Sometimes(world);
    world.observers.push(sometimes);
    const check = () => {
      sometimes.#lookAtReasons();
      sometimes.#lookAtDeclaration();
      world.queue.after(CHECK_EVERY_MS, check);
    };
    world.queue.after(CHECK_EVERY_MS, check);
    return sometimes;
  }

  onBallot(change: BallotChange): void {
    this.#record.onBallot(change);
    const { write, before, after } = change;
    if (write.name === "adopt" && this.#isDeleted) {
      this.#isDeleted = false;
      this.#met("a group whose record was deleted is adopted anew");
    }
    if (before !== null && before["table"] !== after["table"] && write.name === "grant")
      this.#met("a restored record is taken over by a person's order");
  }

  onReplaced(how: "restored" | "deleted"): void {
    this.#isDeleted = how === "deleted";
    this.#met(how === "deleted" ? "a record is deleted by hand" : "a table is restored to an earlier state");
  }

  onSetBack(): void {
    this.#met("a record is set back by hand");
  }

  onStaleOrder(): void {
    this.#met("an order that has its answer is glanced as one that waits");
  }

  onRolledBack(): void {
    this.#met("a version is rolled back");
  }

  onMembersChanged(): void {
    this.#met("a node is taken out of the declaration");
  }

  onRefusal(refusal: BallotRefusal): void {
    this.#record.onRefusal(refusal);
  }

  onNode(fact: NodeFact): void {
    this.#nodes.onNode(fact);
    this.#record.onNode(fact);
  }

  onJournal(entry: JournalEntry): void {
    const situation = (TOLD as Partial<Record<string, Situation>>)[entry.event];
    if (situation !== undefined) this.#met(situation);
    if (entry.event === "request.refused" && entry.detail["request"] === "set-members")
      this.#met("an order to change the members is refused");
    this.#nodes.onJournal(entry);
    const epoch = this.#world.ballot()?.epoch ?? 0;
    if (entry.event === "primary.subjectively-down" && this.#rested.get(entry.voter) === entry.generation - 1)
      this.#met("a round finds the primary gone");
    if (entry.event === "deciding.suspended" && epoch >= entry.epoch + 2) this.#met("a voter wakes two epochs later");
  }

  onPublication({ epoch }: Publication, by: string): void {
    if (!this.#published.has(epoch) && by === "publisher") this.#met("the publisher function is the first to publish");
    this.#published.add(epoch);
  }

  onCopy(copy: string, epoch: number, by: string): void {
    const before = this.#lastCopies.get(copy);
    this.#lastCopies.set(copy, { epoch, by });
    if (before === undefined) return;
    if (before.by === "hand" && by !== "hand") this.#met("a copy that somebody forged is repaired");
    if (epoch < before.epoch) this.#met("a copy goes back to an older epoch");
    if (epoch === before.epoch && by !== before.by) this.#met("a copy is written by two under one epoch");
  }

  #lookAtDeclaration(): void {
    const version = this.#world.table.specs.get(GROUP)?.version;
    if (this.#spec !== undefined && version !== this.#spec && this.#world.ballot()?.operation != null)
      this.#met("a declaration changes in the middle of an operation");
    this.#spec = version;
  }

  /** Each time a voter's reason changes. */
  #lookAtReasons(): void {
    for (const slot of this.#world.table.slots.values()) {
      this.#lookAtRest(slot);
      const reason = slot.groups[GROUP]?.rejection?.reason ?? "";
      if (this.#lastReasons.get(slot.voter) === reason) continue;
      this.#lastReasons.set(slot.voter, reason);
      const known = REASONS.find((each) => each === reason);
      if (known !== undefined) this.#met(reasonOf(known));
    }
  }

  #lookAtRest({ voter, generation, restsMs }: SlotRecord): void {
    if (restsMs === null || this.#rested.get(voter) === generation) return;
    this.#rested.set(voter, generation);
    this.#met("a voter rests: all is well");
  }

  #met(situation: Situation): void {
    this.counts.set(situation, (this.counts.get(situation) ?? 0) + 1);
  }
}
