// What the oracle may look at: the world's own truth, nothing that the engine says of itself. A made-up world for the
// oracle's own tests is a few fields.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { RequestKind } from "../../lib/core/records.ts";
import type { NodeId } from "../../lib/core/types.ts";
import type { WriteLog } from "./client.ts";
import type { OracleConfig } from "./oracle-config.ts";
import type { Position } from "./stream.ts";

export interface NodeTruth {
  readonly id: NodeId;
  /** Null while it has no process. */
  readonly position: Position | null;
  readonly runId: string | null;
  readonly acceptsWrites: boolean;
  /** It lives and follows nobody: it may accept writes, if not now then when it wakes. */
  readonly isPrimary: boolean;
  readonly priority: number;
  /** The run id of the process that it receives from, which may have ended without its having noticed; null: none. */
  readonly linkedTo: string | null;
  /** Invocations that run, use the table and reach it, while it is awake, declared, and lets itself be frozen. */
  reachedBy(): readonly string[];
}

export interface Order {
  readonly id: string;
  readonly kind: RequestKind;
  /** Null: it stands. */
  readonly result: string | null;
}

export interface OracleView {
  now(): number;
  /** Of the table as it is: a record that was written for another is only looked at. */
  tableId(): string;
  /** By the wall clock of who is at this place, as far ahead as it ever was. */
  wallOf(by: string): number;
  ballot(): Ballot | null;
  config(): Pick<
    OracleConfig,
    "quorum" | "voteWindowMs" | "onPossibleLoss" | "waitK" | "offsetToleranceBytes" | "stopInstance"
  >;
  nodes(): readonly NodeTruth[];
  /** The last one that a person gave. */
  order(): Order | null;
  /** Whether the order of this id, which stands, is `groups recover` or a failover with `--accept-data-loss`. */
  acceptsDataLoss(request: string): boolean;
  readonly log: WriteLog;
}

export interface Violation {
  readonly id: string;
  readonly at: number;
  readonly detail: string;
}

export class Findings {
  readonly all: Violation[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  report(id: string, detail: string): void {
    this.all.push({ id, at: this.#now(), detail });
  }
}
