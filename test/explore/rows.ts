// How a record is a row of whole numbers: what the numbers stand for, and how a row is read back.

import { type Marks, marksOf, NO_MARKS } from "./names.ts";
import { NOW } from "./world.ts";

/** What a number of a row is: its two lowest bits. A record or an array is followed by what it holds. */
export const [CONSTANT, INSTANT, LEAF, HOLDER] = [0, 1, 2, 3] as const;
/** Instants are told in tenths of a millisecond: the least that tells an order within a moment. */
export const TENTHS = 10;

/** How a field is brought into the one form. */
export type Field = "plain" | "instant" | "ordered" | "leaf" | "blank" | "reason" | "bag";

/** The fields of a record, by name. */
interface Shape {
  readonly id: number;
  readonly keys: readonly string[];
  readonly fields: readonly Field[];
}

/** Shapes by the names of their fields, in whatever order these come; the last one asked for is at hand. */
interface Branch {
  readonly path: readonly string[];
  readonly next: Map<string, Branch>;
  lastKey: string | null;
  last: Branch | null;
  shape: Shape | null;
}

const branch = (path: readonly string[]): Branch => ({ path, next: new Map(), lastKey: null, last: null, shape: null });

class Shapes {
  readonly #all: Shape[] = [];
  readonly #byKeys = new Map<string, Shape>();
  readonly #root = branch([]);
  readonly #fieldOf: (key: string) => Field;

  constructor(fieldOf: (key: string) => Field) {
    this.#fieldOf = fieldOf;
  }

  of(value: object): Shape {
    let at = this.#root;
    for (const key in value) at = at.lastKey === key ? (at.last as Branch) : this.#follow(at, key);
    at.shape ??= this.#shape(at);
    return at.shape;
  }

  at(id: number): Shape {
    return this.#all[id] as Shape;
  }

  #follow(at: Branch, key: string): Branch {
    let next = at.next.get(key);
    if (next === undefined) {
      next = branch([...at.path, key]);
      at.next.set(key, next);
    }
    at.lastKey = key;
    at.last = next;
    return next;
  }

  #shape({ path }: Branch): Shape {
    const keys = path.toSorted();
    let shape = this.#byKeys.get(keys.join());
    if (shape === undefined) {
      shape = { id: this.#all.length, keys, fields: keys.map(this.#fieldOf) };
      this.#byKeys.set(keys.join(), shape);
      this.#all.push(shape);
    }
    return shape;
  }
}

/** What the numbers of rows stand for. */
export class Words {
  readonly shapes: Shapes;
  readonly #numbers = new Map<unknown, number>();
  readonly #constants: unknown[] = [];
  readonly #marks: Marks[] = [];
  readonly #leafAt: (id: number) => { readonly value: object; readonly marks: Marks };

  constructor(fieldOf: (key: string) => Field, leafAt: (id: number) => { value: object; marks: Marks }) {
    this.shapes = new Shapes(fieldOf);
    this.#leafAt = leafAt;
  }

  /** As a number of a row. */
  constant(value: unknown): number {
    let number = this.#numbers.get(value);
    if (number === undefined) {
      number = this.#constants.push(value) - 1;
      this.#numbers.set(value, number);
      this.#marks.push(typeof value === "string" ? marksOf(JSON.stringify(value)) : NO_MARKS);
    }
    return (number << 2) | CONSTANT;
  }

  /** What is mentioned in a row. */
  marks({ numbers, length }: Row): Marks {
    const marks: [number, number, number, number, number] = [0, 0, 0, 0, 0];
    for (let n = 0; n < length; n += 1) {
      const token = numbers[n] as number;
      const kind = token & 3;
      if (kind !== CONSTANT && kind !== LEAF) continue;
      const of = kind === CONSTANT ? (this.#marks[token >> 2] as Marks) : this.#leafAt(token >> 2).marks;
      if (of === NO_MARKS) continue;
      for (const place of [0, 1, 2, 3, 4] as const) marks[place] |= of[place];
    }
    return marks;
  }

  /** The record that is written from `at` on, with its clock at `NOW`. */
  read(source: Int32Array, at: number): object {
    return this.#next({ source, at }) as object;
  }

  #next(from: { readonly source: Int32Array; at: number }): unknown {
    const token = from.source[from.at] as number;
    from.at += 1;
    const kind = token & 3;
    if (kind === CONSTANT) return this.#constants[token >> 2];
    if (kind === INSTANT) return (NOW * TENTHS + (token >> 2)) / TENTHS;
    if (kind === LEAF) return this.#leafAt(token >> 2).value;
    if ((token & 4) === 0) return Array.from({ length: token >> 3 }, () => this.#next(from));
    const { keys } = this.shapes.at(token >> 3);
    const shown: Record<string, unknown> = {};
    for (const key of keys) shown[key] = this.#next(from);
    return shown;
  }
}

/** What is written, until the next record is. */
export class Row {
  numbers = new Int32Array(1 << 10);
  length = 0;

  push(number: number): void {
    if (this.length === this.numbers.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.numbers);
      this.numbers = larger;
    }
    this.numbers[this.length] = number;
    this.length += 1;
  }

  array(length: number): void {
    this.push((length << 3) | HOLDER);
  }

  record(shape: number): void {
    this.push((shape << 3) | 4 | HOLDER);
  }

  /** Writes what a bag holds, by the order of what is written of each: a bag has no order. */
  bag(values: readonly unknown[], write: (value: unknown) => void): void {
    this.array(values.length);
    const from = this.length;
    const ends: number[] = [];
    for (const each of values) {
      write(each);
      ends.push(this.length);
    }
    if (values.length < 2) return;
    const rows = ends.map((end, n) => this.numbers.slice(n === 0 ? from : ends[n - 1], end)).sort(byNumbers);
    let at = from;
    for (const row of rows) {
      this.numbers.set(row, at);
      at += row.length;
    }
  }
}

function byNumbers(a: Int32Array, b: Int32Array): number {
  for (let n = 0; n < a.length && n < b.length; n += 1) if (a[n] !== b[n]) return (a[n] as number) - (b[n] as number);
  return a.length - b.length;
}
