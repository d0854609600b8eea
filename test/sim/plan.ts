// What goes wrong in a simulation, as data: drawn by a seed or written by hand, printed first, and shrunk by leaving
// entries out. Durations are part of a fault; when it ends, or everything is healed, what it did to the world is undone.

import type { ControlMode } from "../../lib/core/ballot.ts";
import type { DeclaredConfig } from "../../lib/core/config.ts";
import type { EventName } from "../../lib/core/events.ts";
import type { RequestKind } from "../../lib/core/records.ts";
import type { Selector } from "./network.ts";
import type { PublicationWeather } from "./publication.ts";
import type { StoreWeather } from "./store.ts";
import type { RestartData } from "./valkey-words.ts";

/** A node's id, or `primary` (the committed one), or `replica` (the first other one) when the fault begins. */
export type NodeChoice = string;
/** A voter's id, or `holder` (of the lease), or `writer` (of the event that the fault waited for), or `*`. */
export type VoterChoice = string;

export interface Restart {
  readonly afterMs: number;
  readonly data: RestartData;
}

/** What a declaration may change beside a running group. */
export type Settings = Partial<
  Pick<
    DeclaredConfig,
    | "downAfterMs"
    | "onPossibleLoss"
    | "offsetToleranceBytes"
    | "waitK"
    | "coldStart"
    | "writeHoldAfterMs"
    | "failoverBudget"
    | "leaseMs"
    | "writeDead"
  >
>;

export type Fault =
  | { readonly kind: "kill-node"; readonly node: NodeChoice; readonly restart: Restart | null }
  /** SIGTERM. */
  | { readonly kind: "terminate-node"; readonly node: NodeChoice; readonly restart: Restart | null }
  | { readonly kind: "power-off"; readonly node: NodeChoice; readonly restart: Restart | null }
  | { readonly kind: "start-node"; readonly node: NodeChoice; readonly data: RestartData }
  | { readonly kind: "hang-node"; readonly node: NodeChoice; readonly forMs: number }
  | { readonly kind: "busy-node"; readonly node: NodeChoice; readonly forMs: number }
  | { readonly kind: "write-dead"; readonly node: NodeChoice; readonly forMs: number }
  /** FAILOVER by hand that waits for ever. */
  | { readonly kind: "failing-over"; readonly node: NodeChoice; readonly forMs: number }
  | { readonly kind: "save"; readonly node: NodeChoice }
  | {
      readonly kind: "cut";
      readonly from: Selector;
      readonly to: Selector;
      readonly oneWay: boolean;
      readonly forMs: number;
    }
  /** Everything in the zone from everything in the others; the region's services stay, unless `store` is cut too. */
  | { readonly kind: "isolate-zone"; readonly zone: string; readonly store: boolean; readonly forMs: number }
  | {
      readonly kind: "slow";
      readonly from: Selector;
      readonly to: Selector;
      readonly extraMs: number;
      readonly forMs: number;
    }
  | {
      /** `drops`: what is sent again may be lost again. */
      readonly kind: "lossy" | "drops";
      readonly from: Selector;
      readonly to: Selector;
      readonly rate: number;
      readonly forMs: number;
    }
  /** Closes what the voter has open on the node. */
  | { readonly kind: "reset"; readonly voter: VoterChoice; readonly node: NodeChoice }
  | { readonly kind: "store-weather"; readonly weather: Partial<StoreWeather>; readonly forMs: number }
  | { readonly kind: "publication-weather"; readonly weather: Partial<PublicationWeather>; readonly forMs: number }
  | { readonly kind: "kill-voter"; readonly voter: VoterChoice }
  | { readonly kind: "freeze-voter"; readonly voter: VoterChoice; readonly forMs: number }
  /** No invocation begins. */
  | { readonly kind: "no-invocations"; readonly voter: VoterChoice; readonly forMs: number }
  | { readonly kind: "invoke"; readonly voter: VoterChoice }
  | { readonly kind: "wall-jump"; readonly voter: VoterChoice; readonly byMs: number }
  | {
      readonly kind: "request";
      readonly request: RequestKind;
      readonly target: NodeChoice | null;
      readonly acceptDataLoss: boolean;
      /** How long the order stands. @default a minute */
      readonly ttlMs?: number;
    }
  /**
   * `observe` is declared, and read by the voters; a pause is an operator's, who resumes after `forMs`. It ends by itself
   * before or after that. @default expiresAfterMs: when it is resumed
   */
  | { readonly kind: "control"; readonly mode: ControlMode; readonly forMs: number; readonly expiresAfterMs?: number }
  /** By hand, past Valkeeper; null: NO ONE. */
  | { readonly kind: "replicaof-by-hand"; readonly node: NodeChoice; readonly to: NodeChoice | null }
  | { readonly kind: "parameter-by-hand"; readonly to: NodeChoice }
  /** The ballot and what the table says to followers are gone, by whatever hand; the spec stands. */
  | { readonly kind: "record-lost" }
  /** A copy of the ballot is taken, and put back in place later. */
  | { readonly kind: "record-copied" | "record-put-back" }
  /**
   * Another version: other settings and another environment, in new invocations beside the old ones, rolled back after
   * `forMs`. `egress`: a path to SSM and Route 53.
   */
  | {
      readonly kind: "deploy";
      readonly settings: Settings;
      readonly egress: boolean;
      readonly forMs: number;
    }
  /** Of the group alone, read by the invocations that run. */
  | { readonly kind: "settings"; readonly settings: Settings; readonly forMs: number }
  /** A node is taken out of the group's declaration, and put back. */
  | { readonly kind: "undeclare"; readonly node: NodeChoice; readonly forMs: number }
  /**
   * The table is deleted, and restored by the same name as it was so long ago. No invocation of before is left by then, as
   * docs/operations.md has it.
   */
  | { readonly kind: "restore-table"; readonly backMs: number; readonly forMs: number }
  /**
   * By hand: it says that it was written by a newer version, or (`lacks`) has lost a field that its readers need, until
   * somebody puts that right.
   */
  | { readonly kind: "damage-ballot"; readonly lacks?: "members" | "control" | "lineage"; readonly forMs: number }
  /** By hand, beside nothing that goes on: the ballot is what it was so long ago, if no epoch has been given since. */
  | { readonly kind: "set-back-ballot"; readonly backMs: number }
  /** By hand: as the runbook says of one that is lost for good. */
  | { readonly kind: "delete-ballot" }
  | { readonly kind: "wrong-password"; readonly node: NodeChoice; readonly forMs: number }
  /** The node's rules for the voters' user do not let REPLICAOF through. */
  | { readonly kind: "forbid-replicaof"; readonly node: NodeChoice; readonly forMs: number };

/** When: at a time, or when a voter has told of an event. */
export type Occasion =
  | number
  | {
      readonly event: EventName;
      /** The how-manieth such event counts. @default 1 */
      readonly nth?: number;
      /** So much later. @default 0 */
      readonly plusMs?: number;
      /** After so many more callbacks of the process that told it. @default 0 */
      readonly plusSteps?: number;
    };

export interface PlannedFault {
  readonly at: Occasion;
  readonly fault: Fault;
}

export type FaultPlan = readonly PlannedFault[];

export function describePlan(plan: FaultPlan): string {
  return plan.map(({ at, fault }) => `  ${describeOccasion(at)}: ${describeFault(fault)}`).join("\n");
}

function describeOccasion(at: Occasion): string {
  if (typeof at === "number") return `${(at / 1_000).toFixed(3)} s`;
  const nth = at.nth === undefined ? "" : ` no. ${at.nth}`;
  const later = at.plusMs === undefined ? "" : ` + ${at.plusMs} ms`;
  return `${at.event}${nth}${later}${at.plusSteps === undefined ? "" : ` + ${at.plusSteps} steps`}`;
}

export function describeFault(fault: Fault): string {
  const { kind, ...rest } = fault;
  const facts = Object.entries(rest).map(([name, value]) => describeValue(name, value));
  return [kind, ...facts].join(" ");
}

/** A choice by itself, a duration in words, the rest by name. */
function describeValue(name: string, value: unknown): string {
  if (name === "restart") {
    const restart = value as Restart | null;
    return restart === null ? "for good" : `back after ${restart.afterMs} ms with ${restart.data}`;
  }
  if (name === "forMs") return `for ${value} ms`;
  if (name === "oneWay") return value === true ? "one way" : "both ways";
  if (name === "weather") {
    const set = Object.entries(value as object).filter(([, each]) => each !== 0);
    return set.map(([each, much]) => `${each} ${much}`).join(" ");
  }
  return ["node", "voter", "zone", "request", "mode"].includes(name) ? String(value) : `${name} ${value ?? "none"}`;
}
