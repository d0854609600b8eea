// Situations that show on the nodes: what was frozen, promoted, woken or lost, and in whose middle.

import type { NodeId } from "../../lib/core/types.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import { configOf, epochSpelledBy } from "./oracle-config.ts";
import type { NodeFact } from "./valkey-words.ts";
import type { World } from "./world.ts";

export const NODE_SITUATIONS = [
  "a node is frozen by one epoch after another",
  "an assistant freezes",
  "an assisted fence races the holder",
  "a parked freeze is what a woken node reads",
  "a former primary wakes as one",
  "two nodes accept writes",
  "a change closes what another coordinator has open",
  "writes are held",
  "a primary is paused for a switchover",
  "a primary comes back without its data",
  "a primary comes back before it is voted down",
  "a primary is lost in a repair",
  "a candidate is lost after its freeze",
  "a candidate is lost after the intent",
  "a new primary is lost before it is told of",
  "all nodes are lost at once",
  "a node is synchronized in full",
  "a person makes a node primary",
  "a person points a node elsewhere",
] as const;

export type NodeSituation = (typeof NODE_SITUATIONS)[number];

/** Freezes of one epoch that lie on a node which hangs, by voter: the first that it reads closes the others. */
interface Parked {
  readonly epoch: number;
  readonly holders: Set<string>;
  readonly assistants: Set<string>;
}

export class NodeSituations {
  readonly #world: World;
  readonly #met: (situation: NodeSituation) => void;
  readonly #tokens = new Map<NodeId, number>();
  readonly #parked = new Map<NodeId, Parked>();
  readonly #wokeAt = new Map<NodeId, number>();
  readonly #lostAt = new Map<NodeId, number>();

  constructor(world: World, met: (situation: NodeSituation) => void) {
    this.#world = world;
    this.#met = met;
  }

  onNode(fact: NodeFact): void {
    switch (fact.kind) {
      case "followed":
        return this.#followed(fact);
      case "executed":
        return this.#executed(fact);
      case "promoted":
        return this.#promoted(fact);
      case "woke":
        return this.#woke(fact.node);
      case "started":
        return this.#started(fact);
      case "ended":
        return this.#ended(fact.node);
      case "paused":
        return this.#met(this.#operation() === null ? "writes are held" : "a primary is paused for a switchover");
      case "flushed":
        return this.#met("a node is synchronized in full");
      case "killed-connections":
        return this.#met("a change closes what another coordinator has open");
    }
  }

  onJournal({ event, node, epoch, voter, detail }: JournalEntry): void {
    if (event !== "fence.parked" || node === null) return;
    const known = this.#parked.get(node);
    const parked =
      known?.epoch === epoch ? known : { epoch, holders: new Set<string>(), assistants: new Set<string>() };
    (detail["assisted"] === true ? parked.assistants : parked.holders).add(voter);
    this.#parked.set(node, parked);
  }

  #operation() {
    return this.#world.ballot()?.operation ?? null;
  }

  #followed({ node, address, by }: Extract<NodeFact, { kind: "followed" }>): void {
    if (by === "hand") this.#met("a person points a node elsewhere");
    const token = epochSpelledBy(address);
    const before = this.#tokens.get(node) ?? 0;
    if (token !== null && before > 0 && token > before) this.#met("a node is frozen by one epoch after another");
    this.#tokens.set(node, token ?? 0);
  }

  #executed({ node, by, epoch, label }: Extract<NodeFact, { kind: "executed" }>): void {
    const { now } = this.#world.queue;
    if (label !== "freeze") return;
    if (this.#wokeAt.get(node) === now) this.#met("a parked freeze is what a woken node reads");
    const holder = this.#world.ballot()?.lease?.holder;
    if (holder !== undefined && by !== `voter:${holder}`) this.#met("an assistant freezes");
    const parked = this.#parked.get(node);
    if (parked?.epoch === epoch && parked.holders.size > 0 && parked.assistants.size > 0)
      this.#met("an assisted fence races the holder");
    this.#parked.delete(node);
  }

  #promoted({ node, by }: Extract<NodeFact, { kind: "promoted" }>): void {
    this.#tokens.delete(node);
    if (by === "hand") this.#met("a person makes a node primary");
    const others = [...this.#world.fleet.nodes.values()].filter(({ id }) => id !== node);
    if (others.some(({ process }) => process?.acceptsWrites === true)) this.#met("two nodes accept writes");
  }

  #woke(node: NodeId): void {
    this.#wokeAt.set(node, this.#world.queue.now);
    const isFormer = this.#world.ballot()?.primary?.node !== node;
    if (isFormer && this.#world.fleet.node(node).process?.follows === null) this.#met("a former primary wakes as one");
  }

  #started({ node, data }: Extract<NodeFact, { kind: "started" }>): void {
    const { queue } = this.#world;
    const ballot = this.#world.ballot();
    this.#tokens.delete(node);
    if (ballot?.primary?.node !== node) return;
    if (data === "empty") this.#met("a primary comes back without its data");
    const lostAt = this.#lostAt.get(node);
    const isQuick = lostAt !== undefined && queue.now - lostAt < configOf(this.#world).downAfterMs;
    if (isQuick && ballot.operation === null) this.#met("a primary comes back before it is voted down");
  }

  #ended(node: NodeId): void {
    this.#lostAt.set(node, this.#world.queue.now);
    const nodes = [...this.#world.fleet.nodes.values()];
    if (nodes.every(({ process }) => process === null)) this.#met("all nodes are lost at once");
    const ballot = this.#world.ballot();
    const operation = ballot?.operation ?? null;
    if (ballot === null || operation === null) return;
    const isPrimary = ballot.primary?.node === node;
    if (isPrimary && operation.kind === "repair") this.#met("a primary is lost in a repair");
    if (isPrimary && operation.step === "committed" && operation.kind !== "repair")
      this.#met("a new primary is lost before it is told of");
    if (isPrimary) return;
    const isMeant = ballot.lineage.intents.at(-1)?.node === node;
    if (operation.step === "intended" && isMeant) this.#met("a candidate is lost after the intent");
    else if (operation.step === "begun" && (this.#tokens.get(node) ?? 0) > 0)
      this.#met("a candidate is lost after its freeze");
  }
}
