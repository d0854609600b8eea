// Records that are the same in thousands of states (ballots, readings, writes, items): stored once, and a number in the
// rows of the parts that hold them. Nothing in them is counted from a voter's clock.

import type { Marks, Rename } from "./names.ts";
import { Pool } from "./pool.ts";
import { Row, Words } from "./rows.ts";

interface Leaf {
  readonly id: number;
  readonly value: object;
  readonly marks: Marks;
  readonly renamed: Map<Rename, object>;
}

export class Leaves {
  readonly #known = new WeakMap<object, Leaf>();
  readonly #all: Leaf[] = [];
  readonly #words = new Words(
    (key) => (key === "of" ? "bag" : "plain"),
    (id) => this.at(id),
  );
  readonly #pool = new Pool<object>(this.#words);
  readonly #row = new Row();

  of(value: object): Leaf {
    let leaf = this.#known.get(value);
    if (leaf === undefined) {
      this.#row.length = 0;
      this.#map(value);
      const id = this.#pool.add(this.#row);
      leaf = this.#all[id] ?? this.#newLeaf(id);
      this.#known.set(value, leaf);
    }
    return leaf;
  }

  at(id: number): Leaf {
    return this.#all[id] as Leaf;
  }

  renamed(value: object, rename: Rename): object {
    const { value: one, renamed } = this.of(value);
    let known = renamed.get(rename);
    if (known === undefined) {
      known = this.of(deeplyRenamed(one, rename) as object).value;
      renamed.set(rename, known);
    }
    return known;
  }

  #newLeaf(id: number): Leaf {
    const leaf = { id, value: this.#pool.at(id), marks: this.#pool.marks(id), renamed: new Map() };
    this.#all[id] = leaf;
    this.#known.set(leaf.value, leaf);
    return leaf;
  }

  readonly #write = (value: unknown): void => {
    if (value === null || typeof value !== "object") this.#row.push(this.#words.constant(value));
    else if (!Array.isArray(value)) this.#map(value);
    else {
      this.#row.array(value.length);
      for (const each of value) this.#write(each);
    }
  };

  #map(from: object): void {
    const { id, keys, fields } = this.#words.shapes.of(from);
    this.#row.record(id);
    for (let n = 0; n < keys.length; n += 1) {
      const value = (from as Record<string, unknown>)[keys[n] as string];
      // Parts of a condition, which core orders by the names of voters.
      if (fields[n] === "bag" && Array.isArray(value)) this.#row.bag(value, this.#write);
      else this.#write(value);
    }
  }
}

export function deeplyRenamed(value: unknown, rename: Rename): unknown {
  if (typeof value === "string") return rename(value);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((each) => deeplyRenamed(each, rename));
  const shown: Record<string, unknown> = {};
  for (const name in value)
    shown[rename(name)] = deeplyRenamed((value as Readonly<Record<string, unknown>>)[name], rename);
  return shown;
}
