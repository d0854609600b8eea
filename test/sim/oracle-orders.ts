// What becomes of a person's orders (protocol.md, section 10): each begins at most one operation, and one to change the
// members begins none and is never called done. That each is answered in time is asked in oracle-progress.ts.

import type { RequestKind } from "../../lib/core/records.ts";
import { numberAt, textAt } from "./item.ts";
import type { Findings, OracleView } from "./oracle-view.ts";
import type { BallotChange } from "./table.ts";

export class OrdersOracle {
  readonly #view: Pick<OracleView, "order">;
  readonly #findings: Findings;
  readonly #kinds = new Map<string, RequestKind>();
  /** By order: the epoch under which it was begun. */
  readonly #begun = new Map<string, number>();

  constructor(view: Pick<OracleView, "order">, findings: Findings) {
    this.#view = view;
    this.#findings = findings;
  }

  /** What a person ordered by this id; null: nothing that anybody ever did. */
  kindOf(id: string): RequestKind | null {
    this.#learn();
    return this.#kinds.get(id) ?? null;
  }

  onBallot({ before, after, by }: BallotChange): void {
    const began = numberAt(after, "operation", "began");
    const id = textAt(after, "operation", "request");
    if (id === null || began === numberAt(before, "operation", "began")) return;
    this.#learn();
    const earlier = this.#begun.get(id);
    if (earlier !== undefined) this.#report(`${id} was begun under epoch ${earlier} and by ${by} under ${began} again`);
    else if (this.#kinds.get(id) === "set-members") this.#report(`${id} is to change the members, and ${by} began it`);
    this.#begun.set(id, began);
  }

  /** Which order was begun stands in the record alone. */
  onReplaced(): void {
    this.#begun.clear();
  }

  /** Called now and then. */
  check(): void {
    this.#learn();
    const order = this.#view.order();
    if (order?.kind !== "set-members" || order.result !== "done") return;
    this.#report(`${order.id} is to change the members, and is called done`);
  }

  #learn(): void {
    const order = this.#view.order();
    if (order !== null) this.#kinds.set(order.id, order.kind);
  }

  #report(detail: string): void {
    this.#findings.report("orders", detail);
  }
}
