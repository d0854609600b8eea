// How is a state kept small, and how are two recognised as one? Each part (a voter, a node, the table) is a row of whole
// numbers (rows.ts), stored once and named by a number itself, so that a state is a handful of numbers and a move that
// touches one voter costs one new part.
//
// Parts are brought into one form first. A voter's instants are moved to `NOW`, keeping their order and, to 50 ms, their
// distances; what lies closer together than 30 ms happened "at the same moment, in this order". Ids of attempts, runs,
// histories and connections are the smallest that nothing mentions any more (names.ts), so that names do not tell how long
// a schedule was. Fields that only people read (latency, details of a rejection) are blanked.

import type { Ballot } from "../../lib/core/ballot.ts";
import { decodeBallot } from "../../lib/core/ballot-format.ts";
import type { Item, Json } from "../../lib/core/ballot-write.ts";
import { Leaves } from "./leaves.ts";
import type { Rename } from "./names.ts";
import { type Field, INSTANT, LEAF, Row, TENTHS, Words } from "./rows.ts";
import { NOW } from "./world.ts";

const SAME_MOMENT_MS = 30;
export const GRAIN_MS = 50;
const FAR_MS = 70_000;
/** Stands for infinity. */
const NEVER_MS = 1e15;

const FIELDS = new Map<string, Field>([
  ...["ballot", "request", "reading", "settings", "write", "before", "after", "settled", "promoted", "item"].map(
    (name) => [name, "leaf"] as const,
  ),
  // Instants that core compares with each other, and not only with now and a bound: their order is kept.
  ...["authenticatedAt", "sentAt", "readSentAt", "readAt", "quietSince", "firstRefusedAt"].map(
    (name) => [name, "ordered"] as const,
  ),
  ...["latencyMs", "irregularSince"].map((name) => [name, "blank"] as const),
  ["rejection", "reason"],
  // In no order. What is in a bag holds no instants but those of leaves.
  ...["sent", "connections"].map((name) => [name, "bag"] as const),
]);

const fieldOf = (key: string): Field =>
  FIELDS.get(key) ?? (/^(at|since|probing)$|(At|Since|Until)$/.test(key) ? "instant" : "plain");

/** An instant whose place is known when all of them were seen, and where it stands in the row. */
interface Blank {
  readonly value: number;
  readonly at: number;
}

/** Brings parts into the one form, as rows of numbers. */
export class Canon {
  readonly #leaves = new Leaves();
  readonly words = new Words(fieldOf, (id) => this.#leaves.at(id));
  readonly #row = new Row();
  readonly #ballots = new WeakMap<object, Ballot>();
  readonly #items = new WeakMap<object, Item>();
  readonly #reasons = new Map<string, object>();
  #now = NOW;
  #blanks: Blank[] = [];

  /** One object for each item, so that a ballot is decoded once. Wall times of attempts lie in the past. */
  item(item: Item): Item {
    let one = this.#items.get(item);
    if (one === undefined) {
      const attempts = (item["budget"] ?? []) as readonly Readonly<Record<string, Json>>[];
      one = this.#leaves.of({ ...item, budget: attempts.map((each) => ({ ...each, at: 0 })) }).value as Item;
      this.#items.set(item, one);
      this.#items.set(one, one);
    }
    return one;
  }

  ballot(item: Item): Ballot {
    let known = this.#ballots.get(item);
    if (known === undefined) {
      known = this.#leaves.of(decodeBallot(item)).value as Ballot;
      this.#ballots.set(item, known);
    }
    return known;
  }

  /** A part whose clock stands at `now`; the row is the same one each time. */
  write(part: object, now: number): Row {
    this.#now = now;
    this.#row.length = 0;
    this.#blanks = [];
    this.#map(part);
    if (this.#blanks.length > 0) this.#fill();
    return this.#row;
  }

  /** The same part, in the one form already, where the voters have other names. */
  renamed<T>(part: T, rename: Rename): T {
    return this.#renamed(part, rename) as T;
  }

  #renamed(value: unknown, rename: Rename): unknown {
    if (typeof value === "string") return rename(value);
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map((each) => this.#renamed(each, rename));
    const shown: Record<string, unknown> = {};
    for (const name in value) {
      const each = (value as Record<string, unknown>)[name];
      const isLeaf = each !== null && typeof each === "object" && FIELDS.get(name) === "leaf";
      shown[rename(name)] = isLeaf ? this.#leaves.renamed(each, rename) : this.#renamed(each, rename);
    }
    return shown;
  }

  readonly #value = (value: unknown): void => {
    if (value === null || typeof value !== "object") this.#constant(value);
    else if (!Array.isArray(value)) this.#map(value);
    else {
      this.#row.array(value.length);
      for (const each of value) this.#value(each);
    }
  };

  #constant(value: unknown): void {
    this.#row.push(this.words.constant(value));
  }

  #map(from: object): void {
    const { id, keys, fields } = this.words.shapes.of(from);
    this.#row.record(id);
    for (let n = 0; n < keys.length; n += 1)
      this.#field(fields[n] as Field, (from as Record<string, unknown>)[keys[n] as string]);
  }

  #field(field: Field, value: unknown): void {
    if (field === "blank") this.#constant(null);
    else if (field === "plain" || value === null || typeof value === "string") this.#value(value);
    else if (field === "reason") this.#leaf(this.#reason(value));
    else if (field === "bag") this.#row.bag(value as readonly unknown[], this.#value);
    else if (field === "leaf" && typeof value === "object") this.#leaf(value);
    else if (field === "leaf" || typeof value !== "number") this.#value(value);
    else if (value >= NEVER_MS) this.#constant(NEVER_MS);
    else if (field === "instant") this.#row.push(((-this.#age(value) * TENTHS) << 2) | INSTANT);
    else {
      this.#blanks.push({ value, at: this.#row.length });
      this.#row.push(0);
    }
  }

  #leaf(value: object): void {
    this.#row.push((this.#leaves.of(value).id << 2) | LEAF);
  }

  /** The reason stays, for S12; since when and its figures are for people. Inside it is a rejection of the same name. */
  #reason(value: unknown): object {
    const { reason } = (value as { readonly rejection: { readonly reason: string } }).rejection;
    let known = this.#reasons.get(reason);
    if (known === undefined) {
      known = { rejection: { reason, detail: "", ends: "", check: null }, since: NOW };
      this.#reasons.set(reason, known);
    }
    return known;
  }

  /** Gives the ordered instants their places: in their order, and as far apart as before to the grain. */
  #fill(): void {
    const blanks = this.#blanks.sort((a, b) => a.value - b.value);
    let zero = 0;
    while (zero < blanks.length && (blanks[zero] as Blank).value < this.#now) zero += 1;
    this.#place(blanks, zero - 1, -1);
    this.#place(blanks, zero, 1);
  }

  #place(blanks: readonly Blank[], from: number, direction: 1 | -1): void {
    let [place, earlier] = [0, this.#now];
    for (let index = from; index >= 0 && index < blanks.length; index += direction) {
      const { value, at } = blanks[index] as Blank;
      const gap = Math.abs(value - earlier);
      const isNear = gap < SAME_MOMENT_MS || Math.abs(place) > FAR_MS * TENTHS;
      if (gap > 0) place += direction * (isNear ? 1 : Math.round(gap / GRAIN_MS) * GRAIN_MS * TENTHS);
      earlier = value;
      this.#row.numbers[at] = (place << 2) | INSTANT;
    }
  }

  #age(value: number): number {
    return Math.min(Math.round((this.#now - value) / GRAIN_MS) * GRAIN_MS, FAR_MS);
  }
}
