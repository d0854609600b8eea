// Publishing: the ordered item first, then its copies. The same code runs in the winning voter, when its subnet reaches
// SSM and Route 53, and in the publisher function, which completes and repairs.

import type { GroupConfig } from "../core/config.ts";
import type { Publication, PublicationTarget } from "../core/records.ts";
import type { Epoch } from "../core/types.ts";

export type PublishOutcome =
  /** This publication stands there, by our hand or already. */
  | { readonly kind: "applied"; readonly changed: boolean }
  /** A newer one stands there. */
  | { readonly kind: "superseded"; readonly detail: string }
  /** Not tried from here (no path, not configured, left to the publisher). */
  | { readonly kind: "skipped"; readonly detail: string }
  | { readonly kind: "failed"; readonly detail: string };

/** What is published of a group before anything is done for it. */
export interface Standing {
  /** The highest that any publication names, 0 when there is none: adopting begins above it (R19). */
  readonly epoch: Epoch;
  /** Whose the parameters are, by their own word; null: nobody's, or they are not reached from here. */
  readonly table: string | null;
}

export interface Publisher {
  /** Brings `target` to `publication`, or finds a newer one there. Never rejects. */
  publish(target: PublicationTarget, publication: Publication, config: GroupConfig): PromiseLike<PublishOutcome>;
  /** Rejects when something that is reached cannot be read. */
  standing(config: GroupConfig): PromiseLike<Standing>;
}
