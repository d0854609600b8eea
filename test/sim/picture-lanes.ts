// What each lane shows between two moments: who lives, who is primary under which epoch, who is frozen, who has the lease,
// what is published. Folded over the timeline; a bar ends where the next one of its lane begins.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { Item } from "../../lib/core/ballot-write.ts";
import { tokenOf } from "../../lib/core/token.ts";
import { readable } from "./table.ts";
import type { Timeline, TimelineEntry } from "./timeline.ts";
import type { NodeFact } from "./valkey-words.ts";

export type BarStyle = "primary" | "replica" | "frozen" | "down" | "held" | "idle";

export interface Look {
  readonly style: BarStyle;
  readonly epoch: number;
  readonly label: string;
}

export interface Bar extends Look {
  readonly lane: string;
  readonly from: number;
  readonly to: number;
}

/** From when to when an invocation ran. */
export interface Run {
  readonly voter: string;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Why it ended; null: it goes on. */
  readonly how: string | null;
}

interface NodeState {
  readonly alive: boolean;
  readonly role: "primary" | "replica" | "frozen";
  /** Of a replica. */
  readonly follows: string | null;
  /** Of the token, of the promotion, or of the commit that made it primary. */
  readonly epoch: number;
}

const DEAD: NodeState = { alive: false, role: "frozen", follows: null, epoch: 0 };

/** Marks' positions are given: `xs[i]` is where `entries[i]` is. */
export class Lanes {
  readonly bars: Bar[] = [];
  readonly runs: Run[] = [];
  readonly #nodes = new Map<string, NodeState>();
  readonly #voters: readonly string[];
  readonly #nodeAt: Timeline["nodeAt"];
  readonly #open = new Map<string, Look & { readonly from: number }>();
  readonly #running = new Map<string, { readonly voter: string; readonly from: number }>();
  readonly #published = new Map<string, Look>();
  #ballot: Ballot | null = null;

  constructor(nodes: readonly string[], voters: readonly string[], nodeAt: Timeline["nodeAt"]) {
    for (const node of nodes) this.#nodes.set(node, DEAD);
    this.#voters = voters;
    this.#nodeAt = nodeAt;
  }

  take(entry: TimelineEntry, x: number): void {
    if (entry.kind === "node") this.#fact(entry.fact);
    else if (entry.kind === "ballot") this.#change(entry.change.after);
    else if (entry.kind === "invocation") this.#invocation(entry, x);
    else if (entry.kind === "published") {
      const { epoch, primary } = entry.publication;
      this.#published.set("published", { style: "primary", epoch, label: primary.node });
    } else if (entry.kind === "copy") {
      const label = entry.node ?? "?";
      this.#published.set(entry.copy, {
        style: entry.by === "hand" ? "frozen" : "primary",
        epoch: entry.epoch ?? 0,
        label,
      });
    }
    for (const [lane, look] of this.#looks()) this.#show(lane, look, x);
  }

  end(x: number): void {
    for (const lane of [...this.#open.keys()]) this.#show(lane, null, x);
    for (const [name, { voter, from }] of this.#running) this.runs.push({ voter, name, from, to: x, how: null });
  }

  #show(lane: string, look: Look | null, x: number): void {
    const open = this.#open.get(lane);
    if (open !== undefined) {
      const { from, style, epoch, label } = open;
      if (look?.style === style && look.epoch === epoch && look.label === label) return;
      if (x > from) this.bars.push({ lane, from, to: x, style, epoch, label });
    }
    if (look === null) this.#open.delete(lane);
    else this.#open.set(lane, { ...look, from: x });
  }

  /** A damaged record shows what it showed before. */
  #change(item: Item): void {
    const ballot = readable(item);
    if (ballot !== null) this.#record(ballot);
  }

  #invocation({ voter, name, how, why }: Extract<TimelineEntry, { kind: "invocation" }>, x: number): void {
    const run = this.#running.get(name);
    if (how === "begins") this.#running.set(name, { voter, from: x });
    if (how === "begins" || run === undefined) return;
    this.#running.delete(name);
    this.runs.push({ ...run, name, to: x, how: why ?? "" });
  }

  #fact(fact: NodeFact): void {
    const now = this.#nodes.get(fact.node) ?? DEAD;
    const next = (state: Partial<NodeState>) => this.#nodes.set(fact.node, { ...now, ...state });
    switch (fact.kind) {
      case "started":
        return void next({
          alive: true,
          role: fact.role === "primary" ? "primary" : "frozen",
          follows: null,
          epoch: 0,
        });
      case "ended":
        return void next({ alive: false });
      case "promoted":
        return void next({ role: "primary", follows: null, epoch: fact.epoch ?? 0 });
      case "followed": {
        const token = tokenOf(fact.address);
        if (token === null) return void next({ role: "replica", follows: this.#nodeAt(fact.address) });
        return void next({ role: "frozen", follows: null, epoch: token });
      }
      case "link-up":
        return void next({ role: "replica", follows: fact.from });
      default:
        return;
    }
  }

  #looks(): readonly (readonly [string, Look | null])[] {
    return [
      ...[...this.#nodes].map(([node, state]) => [node, this.#lookOfNode(state)] as const),
      ...this.#voters.map((voter) => [voter, this.#lookOfVoter(voter)] as const),
      ["table", this.#lookOfTable()] as const,
      ...this.#published,
    ];
  }

  #lookOfNode(state: NodeState): Look {
    if (!state.alive) return { style: "down", epoch: 0, label: "" };
    const label = state.role === "primary" ? "primary" : state.role === "frozen" ? "frozen" : (state.follows ?? "");
    return { style: state.role, epoch: this.#epochOf(state), label };
  }

  /** Of a replica, its primary's. */
  #epochOf({ role, follows, epoch }: NodeState): number {
    return role === "replica" ? (this.#nodes.get(follows ?? "")?.epoch ?? 0) : epoch;
  }

  #record(ballot: Ballot): void {
    this.#ballot = ballot;
    const { primary } = ballot;
    const state = primary === null ? undefined : this.#nodes.get(primary.node);
    if (primary === null || state?.role !== "primary") return;
    this.#nodes.set(primary.node, { ...state, epoch: primary.epoch });
  }

  #lookOfVoter(voter: string): Look | null {
    const ballot = this.#ballot;
    if (ballot?.lease?.holder !== voter) return null;
    return { style: "held", epoch: ballot.epoch, label: "" };
  }

  #lookOfTable(): Look | null {
    const ballot = this.#ballot;
    if (ballot === null) return null;
    const { epoch, operation, lease, control } = ballot;
    const mode = control.mode === "act" ? "" : ` ${control.mode}`;
    const doing = operation === null ? "" : ` ${operation.kind} ${operation.step}`;
    return { style: lease === null ? "idle" : "held", epoch, label: `epoch ${epoch}${doing}${mode}` };
  }
}
