// How is a conditional write of the ballot said? As data: a condition over attributes and a list of changes, so that
// one compiler (the DynamoDB adapter's) and one interpreter (below, used by the simulator and as the contract suite's
// oracle) serve every write, and the writes themselves stay in core beside the races they close.
//
// Attributes are the item's: the fields of `Ballot`, with each vote as an attribute of its own, `vote_<voter>`, so that
// two voters never overwrite each other's. Absent and null are the same: a null is stored as absence.

import type { Ballot } from "./ballot.ts";
import type { AttemptId, GroupName, VoterId } from "./types.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
/** The item as stored: attribute name to value. */
export type Item = Readonly<Record<string, Json>>;
/** A record as an item: all that it holds is JSON, but an interface has no index signature that would tell the compiler so. */
export const itemOf = (record: object): Item => record as unknown as Item;
/** An attribute and, inside a map, the keys down to the value: `["vote_az-a", "seq"]`. */
export type Path = readonly [string, ...string[]];

export type Condition =
  | { readonly kind: "equals"; readonly path: Path; readonly value: string | number | boolean }
  | { readonly kind: "absent"; readonly path: Path }
  | { readonly kind: "less"; readonly path: Path; readonly than: number }
  | { readonly kind: "all"; readonly of: readonly Condition[] }
  | { readonly kind: "any"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition };

/** Sets whole attributes, or one value inside an existing map; null removes. */
export interface Change {
  readonly path: Path;
  readonly value: Json;
}

export interface BallotWrite {
  /** For journal and contract tests: which of `writes.ts` this is. */
  readonly name: string;
  readonly group: GroupName;
  /** Where the attempt id lands in the item: a refusal whose old item has ours there is our own success. */
  readonly attempt: { readonly path: Path; readonly id: AttemptId };
  readonly condition: Condition;
  readonly changes: readonly Change[];
}

/** `refused.ballot` is null when there is no item. `unknown`: resolve it by a consistent read before anything else. */
export type WriteOutcome =
  | { readonly kind: "applied"; readonly ballot: Ballot }
  | { readonly kind: "refused"; readonly ballot: Ballot | null }
  | { readonly kind: "unknown"; readonly detail: string };

export const voteAttribute = (voter: VoterId): string => `vote_${voter}`;

export const isJsonMap = (value: Json | undefined): value is Item =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Scalars and maps compare by value at `path`; undefined when any part is missing. */
export function valueAt(item: Item, path: Path): Json | undefined {
  let value: Json | undefined = item[path[0]];
  for (const key of path.slice(1)) {
    if (!isJsonMap(value)) return undefined;
    value = value[key];
  }
  return value ?? undefined;
}

/** Whether `condition` holds of `item`, with DynamoDB's meaning: a comparison with a missing value is false. */
export function holds(item: Item, condition: Condition): boolean {
  switch (condition.kind) {
    case "equals":
      return valueAt(item, condition.path) === condition.value;
    case "absent":
      return valueAt(item, condition.path) === undefined;
    case "less": {
      const value = valueAt(item, condition.path);
      return typeof value === "number" && value < condition.than;
    }
    case "all":
      return condition.of.every((each) => holds(item, each));
    case "any":
      return condition.of.some((each) => holds(item, each));
    case "not":
      return !holds(item, condition.of);
  }
}

/** The item after the write's changes. A change below a missing map is refused by the store; it throws here. */
export function changed(item: Item, changes: readonly Change[]): Item {
  let result: Record<string, Json> = { ...item };
  for (const change of changes) result = setAt(result, change.path, change.value);
  return result;
}

function setAt(map: Item, [key, ...rest]: Path, value: Json): Record<string, Json> {
  const { [key]: old, ...others } = map;
  const [next, ...further] = rest;
  if (next === undefined) return value === null ? others : { ...others, [key]: value };
  if (!isJsonMap(old)) throw new TypeError(`ballot write below a missing map: ${[key, ...rest].join(".")}`);
  return { ...others, [key]: setAt(old, [next, ...further], value) };
}

/** The interpreter: what a linearizable store does with the write. `item` null: no item yet. */
export function interpret(
  item: Item | null,
  write: BallotWrite,
): { readonly applied: boolean; readonly item: Item | null } {
  if (!holds(item ?? {}, write.condition)) return { applied: false, item };
  return { applied: true, item: changed(item ?? {}, write.changes) };
}

/** Our own write came back as a refusal, because an earlier try of the same attempt had been applied. */
export const isEcho = (item: Item, write: BallotWrite): boolean =>
  valueAt(item, write.attempt.path) === write.attempt.id;
