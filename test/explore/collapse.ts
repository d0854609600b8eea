// How is a state kept small, and how are two recognised as one? Each part (a voter, a node, the table) is stored once and
// named by a number, so that a state is a handful of numbers and a move that touches one voter costs one new part.
//
// Parts are brought into one form first. A voter's instants are moved to `NOW`, keeping their order and, to 50 ms, their
// distances; what lies closer together than 30 ms happened "at the same moment, in this order". Ids of attempts, runs,
// histories and connections are the smallest that nothing mentions any more (`Marks`), so that names do not tell how long
// a schedule was. Fields that only people read (latency, details of a rejection) are blanked.

import type { Ballot } from "../../lib/core/ballot.ts";
import { decodeBallot } from "../../lib/core/ballot-format.ts";
import type { Item, Json } from "../../lib/core/ballot-write.ts";
import { NOW, type Voter } from "./world.ts";

/** Which numbered names a part mentions, as bits: attempts of each voter, run ids, replication ids. */
export type Marks = readonly [number, number, number, number, number];
export const NO_MARKS: Marks = [0, 0, 0, 0, 0];

export const joined = (a: Marks, b: Marks): Marks => [a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3], a[4] | b[4]];

/** The smallest number whose bit is not set. */
export function unused(mask: number): number {
  for (let n = 0; n < 30; n += 1) if ((mask & (1 << n)) === 0) return n;
  throw new RangeError("more names at once than the exploration has");
}

const NAMES = /az-([abc])\.(\d+)\.|"([ad])([0-9a-f]{4})e{35}"/g;

export function marksOf(text: string): Marks {
  const marks: [number, number, number, number, number] = [0, 0, 0, 0, 0];
  for (const [, voter, attempt, kind, n] of text.matchAll(NAMES)) {
    if (voter !== undefined)
      marks[voter.charCodeAt(0) - 97] = (marks[voter.charCodeAt(0) - 97] ?? 0) | (1 << Number(attempt));
    else if (kind === "a") marks[3] |= 1 << Number.parseInt(n ?? "0", 16);
    else marks[4] |= 1 << Number.parseInt(n ?? "0", 16);
  }
  return marks;
}

interface Leaf {
  readonly id: number;
  readonly value: object;
  readonly text: string;
  readonly marks: Marks;
  readonly renamed: Map<Rename, object>;
}

/** What a voter is called behind a renaming: the same function for the same renaming. */
export type Rename = (text: string) => string;

/** Records inside a voter's state that are the same in thousands of states: ballots, readings, writes. */
class Leaves {
  readonly #known = new WeakMap<object, Leaf>();
  readonly #byText = new Map<string, Leaf>();

  of(value: object): Leaf {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const text = JSON.stringify(sorted(value as Json));
    let leaf = this.#byText.get(text);
    if (leaf === undefined) {
      leaf = { id: this.#byText.size, value, text, marks: marksOf(text), renamed: new Map() };
      this.#byText.set(text, leaf);
    }
    this.#known.set(value, leaf);
    return leaf;
  }

  renamed(value: object, rename: Rename): object {
    const { text, renamed } = this.of(value);
    let known = renamed.get(rename);
    if (known === undefined) {
      const other = rename(text);
      known = other === text ? value : this.of(JSON.parse(other) as object).value;
      renamed.set(rename, known);
    }
    return known;
  }
}

export interface Part<T> {
  readonly id: number;
  readonly value: T;
  readonly marks: Marks;
}

/** Every part of one kind that was ever seen. */
export class Pool<T extends object> {
  readonly #byText = new Map<string, number>();
  readonly #parts: Part<T>[] = [];

  add(value: T, text: string, marks: Marks): Part<T> {
    const known = this.#byText.get(text);
    if (known !== undefined) return this.at(known);
    const part = { id: this.#parts.length, value, marks };
    this.#byText.set(text, part.id);
    this.#parts.push(part);
    return part;
  }

  at(id: number): Part<T> {
    return this.#parts[id] as Part<T>;
  }

  get size(): number {
    return this.#parts.length;
  }
}

export function sorted(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each as Json)]));
}

const SAME_MOMENT_MS = 30;
const ORDER_MS = 0.1;
export const GRAIN_MS = 50;
const FAR_MS = 70_000;
/** Stands for infinity, which JSON does not have. */
const NEVER_MS = 1e15;

/** How a field of a voter's state is brought into the one form. */
type Field = "plain" | "instant" | "ordered" | "leaf" | "blank";

const FIELDS = new Map<string, Field>([
  ...["ballot", "request", "reading", "settings", "write", "before", "after", "settled", "promoted"].map(
    (name) => [name, "leaf"] as const,
  ),
  // Instants that core compares with each other, and not only with now and a bound: their order is kept.
  ...["authenticatedAt", "sentAt", "readSentAt", "readAt", "quietSince", "firstRefusedAt"].map(
    (name) => [name, "ordered"] as const,
  ),
  ...["latencyMs", "rejection", "irregularSince"].map((name) => [name, "blank"] as const),
]);

function fieldOf(key: string): Field {
  let known = FIELDS.get(key);
  if (known === undefined) {
    known = /^(at|since|probing)$|(At|Since|Until)$/.test(key) ? "instant" : "plain";
    FIELDS.set(key, known);
  }
  return known;
}

function keysOf(value: object): readonly string[] {
  const keys = Object.keys(value);
  for (let n = 1; n < keys.length; n += 1) if ((keys[n - 1] as string) > (keys[n] as string)) return keys.sort();
  return keys;
}

/** An instant whose place is known when all of them were seen: where it stands in the text, and in which record. */
interface Blank {
  readonly value: number;
  readonly line: number;
  readonly of: Record<string, unknown>;
  readonly name: string;
}

/** Brings voters into the one form, and gives the text by which two are compared. */
export class Canon {
  readonly #leaves = new Leaves();
  readonly #ballots = new WeakMap<object, Ballot>();
  readonly #items = new Map<string, Item>();
  readonly #met = new WeakMap<object, Item>();
  #now = NOW;
  #blanks: Blank[] = [];
  #text: string[] = [];
  #marks: Marks = NO_MARKS;

  /** One object for each item, so that a ballot is decoded once. Wall times of attempts lie in the past. */
  item(item: Item): Item {
    const met = this.#met.get(item);
    if (met !== undefined) return met;
    const one = this.#one(item);
    this.#met.set(item, one);
    this.#met.set(one, one);
    return one;
  }

  #one(item: Item): Item {
    const budget = ((item["budget"] ?? []) as readonly Readonly<Record<string, Json>>[]).map((each) => ({
      ...each,
      at: 0,
    }));
    const plain = sorted({ ...item, budget }) as Item;
    const text = JSON.stringify(plain);
    const known = this.#items.get(text);
    if (known !== undefined) return known;
    this.#items.set(text, plain);
    return plain;
  }

  ballot(item: Item): Ballot {
    let known = this.#ballots.get(item);
    if (known === undefined) {
      known = this.#leaves.of(decodeBallot(item)).value as Ballot;
      this.#ballots.set(item, known);
    }
    return known;
  }

  /** The voter with its clock at `NOW`, where it stood at `now` before. */
  voter(voter: Voter, now: number): { readonly voter: Voter; readonly text: string; readonly marks: Marks } {
    this.#now = now;
    this.#text = [];
    this.#blanks = [];
    this.#marks = NO_MARKS;
    const sent = this.#sent(voter.sent);
    const state = voter.state === null ? null : (this.#map(voter.state) as unknown as Voter["state"]);
    this.#fill();
    const wakeAt = this.#aged(voter.wakeAt);
    this.#text.push(`|${voter.id}|${voter.generation}|${wakeAt.toFixed(1)}|${voter.cut.join()}`);
    return { voter: { ...voter, state, sent, wakeAt }, text: this.#text.join(""), marks: this.#marks };
  }

  /** The same voter, in the same form already, where the others have other names. */
  renamed(voter: Voter, rename: Rename): Voter {
    return this.#renamed(voter, rename) as Voter;
  }

  #renamed(value: unknown, rename: Rename): unknown {
    if (typeof value === "string") return rename(value);
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map((each) => this.#renamed(each, rename));
    const shown: Record<string, unknown> = {};
    for (const name in value) {
      const each = (value as Record<string, unknown>)[name];
      const isLeaf = each !== null && typeof each === "object" && fieldOf(name) === "leaf";
      shown[rename(name)] = isLeaf ? this.#leaves.renamed(each, rename) : this.#renamed(each, rename);
    }
    return shown;
  }

  /** In no order: what is under way holds no instants but those of leaves. */
  #sent(sent: Voter["sent"]): Voter["sent"] {
    const rendered = sent.map((each) => {
      const { length } = this.#text;
      const shown = this.#map(each) as unknown as Voter["sent"][number];
      return { shown, text: this.#text.splice(length).join("") };
    });
    rendered.sort((a, b) => (a.text < b.text ? -1 : 1));
    this.#text.push(...rendered.map((each) => each.text));
    return rendered.map((each) => each.shown);
  }

  /** Gives the ordered instants their places: in their order, and as far apart as before to the grain. */
  #fill(): void {
    const times = [...new Set([this.#now, ...this.#blanks.map((each) => each.value)])].sort((a, b) => a - b);
    const zero = times.indexOf(this.#now);
    const shifted = new Map([[this.#now, NOW]]);
    for (const direction of [-1, 1]) {
      let place = NOW;
      for (let index = zero + direction; index >= 0 && index < times.length; index += direction) {
        const at = times[index] as number;
        const gap = Math.abs(at - (times[index - direction] as number));
        const isNear = gap < SAME_MOMENT_MS || Math.abs(place - NOW) > FAR_MS;
        place += direction * (isNear ? ORDER_MS : Math.round(gap / GRAIN_MS) * GRAIN_MS);
        place = Math.round(place * 10) / 10;
        shifted.set(at, place);
      }
    }
    for (const { value, line, of, name } of this.#blanks) {
      const shown = value >= NEVER_MS ? NEVER_MS : (shifted.get(value) as number);
      of[name] = shown;
      this.#text[line] = `${shown},`;
    }
  }

  #aged(value: number): number {
    if (value >= NEVER_MS) return NEVER_MS;
    const age = Math.round((this.#now - value) / GRAIN_MS) * GRAIN_MS;
    return NOW - Math.min(age, FAR_MS);
  }

  #value(value: unknown): unknown {
    if (value === null || typeof value !== "object") {
      this.#text.push(`${value},`);
      return value;
    }
    if (!Array.isArray(value)) return this.#map(value);
    this.#text.push("[");
    const shown = value.map((each) => this.#value(each));
    this.#text.push("]");
    return shown;
  }

  #map(from: object): Record<string, unknown> {
    const shown: Record<string, unknown> = {};
    this.#text.push("{");
    for (const name of keysOf(from)) {
      this.#text.push(`${name}:`);
      shown[name] = this.#field(shown, name, (from as Record<string, unknown>)[name]);
    }
    this.#text.push("}");
    return shown;
  }

  #field(of: Record<string, unknown>, name: string, value: unknown): unknown {
    const field = fieldOf(name);
    if (field === "blank") {
      const shown = name === "rejection" && value !== null ? blankRejection(value) : null;
      this.#text.push(`${JSON.stringify(shown)},`);
      return shown;
    }
    if (value === null || field === "plain" || typeof value === "string") return this.#value(value);
    if (field === "leaf" && typeof value === "object") {
      const leaf = this.#leaves.of(value);
      this.#text.push(`#${leaf.id},`);
      this.#marks = joined(this.#marks, leaf.marks);
      return leaf.value;
    }
    if (typeof value !== "number") return this.#value(value);
    if (field === "ordered") this.#blanks.push({ value, line: this.#text.length, of, name });
    const shown = field === "ordered" ? value : this.#aged(value);
    this.#text.push(`${shown},`);
    return shown;
  }
}

/** The reason stays, for S12; since when and its figures are for people. Inside it is a rejection of the same name. */
function blankRejection(value: unknown): unknown {
  const { rejection } = value as { readonly rejection: { readonly reason: string } };
  return { rejection: { reason: rejection.reason, detail: "", ends: "", check: null }, since: NOW };
}
