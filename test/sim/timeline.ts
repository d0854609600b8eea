// Everything that happened in a world, as records in the order in which it happened: what the text (timeline-text.ts) and
// the picture (picture.ts) of a seed are made of. Keeping it changes nothing of what happens.

import { type BallotWrite, valueAt } from "../../lib/core/ballot-write.ts";
import type { Publication } from "../../lib/core/records.ts";
import type { Address } from "../../lib/core/types.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import type { Fault } from "./plan.ts";
import type { Copy } from "./publication.ts";
import type { BallotChange } from "./table.ts";
import type { NodeFact } from "./valkey-words.ts";

export type Happening =
  /** `hits`: the nodes, voters and records that it was done to, by their names in the picture. */
  | { readonly kind: "fault"; readonly fault: Fault; readonly hits: readonly string[] }
  | { readonly kind: "fault-ended"; readonly fault: Fault }
  | { readonly kind: "healed" }
  | { readonly kind: "node"; readonly fact: NodeFact }
  | { readonly kind: "told"; readonly entry: JournalEntry }
  | { readonly kind: "ballot"; readonly change: BallotChange }
  | { readonly kind: "published"; readonly publication: Publication; readonly by: string }
  /** `node`: what the address in it belongs to; null: it names nobody. */
  | {
      readonly kind: "copy";
      readonly copy: Copy;
      readonly epoch: number | null;
      readonly node: string | null;
      readonly by: string;
    }
  | { readonly kind: "invocation"; readonly voter: string; readonly name: string; readonly how: "begins" | "ends" }
  | { readonly kind: "violation"; readonly id: string; readonly detail: string };

export type TimelineEntry = { readonly at: number; readonly why?: string } & Happening;

export class Timeline {
  readonly entries: TimelineEntry[] = [];
  /** The node at an address; null: nobody's. */
  readonly nodeAt: (address: Address) => string | null;
  readonly #now: () => number;

  constructor(now: () => number, nodeAt: (address: Address) => string | null) {
    this.#now = now;
    this.nodeAt = nodeAt;
  }

  add(happening: Happening, why?: string): void {
    this.entries.push({ at: this.#now(), ...happening, ...(why === undefined ? {} : { why }) });
  }

  /** Votes that only re-affirm, and renewals, are left out. */
  ballot(change: BallotChange): void {
    if (change.write.name === "renew" || isReaffirmation(change)) return;
    this.add({ kind: "ballot", change });
  }
}

function isReaffirmation({ write, before, after }: BallotChange): boolean {
  const attribute = votedAttribute(write);
  if (attribute === null || before === null) return false;
  return valueAt(before, [attribute, "level"]) === valueAt(after, [attribute, "level"]);
}

/** The attribute of the vote that the write casts; null: it casts none. */
export function votedAttribute(write: BallotWrite): string | null {
  return write.name === "cast-vote" ? write.attempt.path[0] : null;
}
