// What a writer is told and what it tells, one JSON line each.

import type { LookupOptions, Place } from "./lookup.ts";

export type WriterKind = "follow" | "sticky" | "stay";

export interface WriterOptions {
  /** Path of the parent's socket. */
  readonly socket: string;
  readonly kind: WriterKind;
  readonly lookup: LookupOptions | null;
  readonly first: Place;
  readonly password: string;
  /** Its keys begin so. */
  readonly prefix: string;
}

export type WriterOrder = { readonly order: "stop" } | { readonly order: "check"; readonly place: Place };

/** Acknowledged writes at one address without a failure in between. */
export interface Stint {
  readonly place: Place;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly acknowledged: number;
}

export interface CheckResult {
  readonly acknowledged: number;
  readonly lost: number;
  readonly firstLostAt: number | null;
  readonly lastLostAt: number | null;
}

export type WriterMessage =
  | { readonly event: "ready" }
  /** The first acknowledged write of a stint. */
  | { readonly event: "moved"; readonly place: Place; readonly at: number }
  | { readonly event: "answer"; readonly place: Place; readonly epoch: number; readonly at: number }
  | { readonly event: "stint"; readonly stint: Stint }
  | { readonly event: "stopped"; readonly at: number }
  | { readonly event: "checked"; readonly result: CheckResult | { readonly error: string } };
