// Every part of one kind that was ever seen, by number. Rows are compared number by number, so that none is lost to a
// collision; what a row says is read when somebody asks.

import type { Marks } from "./names.ts";
import type { Row, Words } from "./rows.ts";

const CHUNK = 1 << 20;
/** So many parts are kept read at once: most are asked for again soon or never. */
const READ = 100_000;

export class Pool<T extends object> {
  readonly #words: Words;
  readonly #chunks: Int32Array[] = [];
  #used = CHUNK;
  /** Where each row begins, over all chunks, and how long it is. */
  #starts = new Float64Array(1 << 10);
  #lengths = new Int32Array(1 << 10);
  #hashes = new Int32Array(1 << 10);
  readonly #marks: Marks[] = [];
  #table = new Int32Array(1 << 12).fill(-1);
  #values = new Map<number, T>();
  size = 0;

  constructor(words: Words) {
    this.#words = words;
  }

  /** The number of what is written there. */
  add(row: Row): number {
    const hash = hashOf(row);
    const mask = this.#table.length - 1;
    let slot = hash & mask;
    for (let id = this.#table[slot] as number; id !== -1; id = this.#table[slot] as number) {
      if (this.#hashes[id] === hash && this.#isAt(id, row)) return id;
      slot = (slot + 1) & mask;
    }
    this.#table[slot] = this.size;
    return this.#keep(row, hash);
  }

  at(id: number): T {
    let known = this.#values.get(id);
    if (known === undefined) {
      const [chunk, start] = this.#placed(id);
      known = this.#words.read(chunk, start) as T;
      if (this.#values.size === READ) this.#values = new Map();
      this.#values.set(id, known);
    }
    return known;
  }

  marks(id: number): Marks {
    return this.#marks[id] as Marks;
  }

  #placed(id: number): readonly [Int32Array, number] {
    const start = this.#starts[id] as number;
    return [this.#chunks[Math.floor(start / CHUNK)] as Int32Array, start % CHUNK];
  }

  #isAt(id: number, { numbers, length }: Row): boolean {
    if (this.#lengths[id] !== length) return false;
    const [chunk, start] = this.#placed(id);
    for (let n = 0; n < length; n += 1) if (chunk[start + n] !== numbers[n]) return false;
    return true;
  }

  #keep(row: Row, hash: number): number {
    const { numbers, length } = row;
    if (this.#used + length > CHUNK) {
      this.#chunks.push(new Int32Array(CHUNK));
      this.#used = 0;
    }
    const id = this.size;
    if (id === this.#lengths.length) this.#lengthen();
    this.#chunks.at(-1)?.set(numbers.subarray(0, length), this.#used);
    this.#starts[id] = (this.#chunks.length - 1) * CHUNK + this.#used;
    this.#lengths[id] = length;
    this.#hashes[id] = hash;
    this.#used += length;
    this.#marks.push(this.#words.marks(row));
    this.size += 1;
    if (this.size * 2 > this.#table.length) this.#grow();
    return id;
  }

  #lengthen(): void {
    this.#starts = lengthened(this.#starts, new Float64Array(this.size * 2));
    this.#lengths = lengthened(this.#lengths, new Int32Array(this.size * 2));
    this.#hashes = lengthened(this.#hashes, new Int32Array(this.size * 2));
  }

  #grow(): void {
    this.#table = new Int32Array(this.#table.length * 2).fill(-1);
    const mask = this.#table.length - 1;
    for (let id = 0; id < this.size; id += 1) {
      let slot = (this.#hashes[id] as number) & mask;
      while (this.#table[slot] !== -1) slot = (slot + 1) & mask;
      this.#table[slot] = id;
    }
  }
}

function lengthened<A extends Int32Array | Float64Array>(old: A, larger: A): A {
  larger.set(old);
  return larger;
}

function hashOf({ numbers, length }: Row): number {
  let hash = length;
  for (let n = 0; n < length; n += 1) {
    hash = Math.imul(hash ^ (numbers[n] as number), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}
