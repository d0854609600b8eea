// Every state that was met, as rows of numbers: which parts it has, what was spent of the bounds, and the move that led
// there. Rows are compared number by number, so that no state is lost to a collision.

import type { Order } from "./names.ts";
import type { Parts } from "./store.ts";

/** What each voter has used of its calls by time: ticks and, times 16, long ones. */
export type Spent = readonly [number, number, number];

export interface State {
  readonly parts: Parts;
  readonly spent: Spent;
  /** What was used of everything that is counted in all. */
  readonly rest: number;
}

/** How a state was first met: from which other one, by which move, and how the voters were renamed behind it. */
export interface Origin {
  readonly from: number;
  readonly name: string;
  readonly order: Order;
}

/** Seven parts, three spent, the rest; then from, name and order. */
const [KEY, ROW] = [11, 14];
const CHUNK = 1 << 14;

export class States {
  readonly #chunks: Int32Array[] = [];
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #orders: Order[] = [];
  #table = new Int32Array(1 << 16).fill(-1);
  #row = new Int32Array(ROW);
  size = 0;

  /** False when it was known already. */
  add(state: State, origin: Origin): boolean {
    const row = this.#row;
    row.set(state.parts, 0);
    row.set(state.spent, 7);
    row[10] = state.rest;
    const slot = this.#slotOf(row, 0);
    if (this.#table[slot] !== -1) return false;
    row[11] = origin.from;
    row[12] = this.#numberOf(origin.name);
    row[13] = this.#placeOf(origin.order);
    if (this.size % CHUNK === 0) this.#chunks.push(new Int32Array(CHUNK * ROW));
    this.#chunks.at(-1)?.set(row, (this.size % CHUNK) * ROW);
    this.#table[slot] = this.size;
    this.size += 1;
    if (this.size * 2 > this.#table.length) this.#grow();
    return true;
  }

  at(index: number): State {
    const [chunk, base] = this.#placed(index);
    const parts = Array.from(chunk.subarray(base, base + 7)) as unknown as Parts;
    const spent = Array.from(chunk.subarray(base + 7, base + 10)) as unknown as Spent;
    return { parts, spent, rest: chunk[base + 10] as number };
  }

  origin(index: number): Origin {
    const [chunk, base] = this.#placed(index);
    const [from, name, order] = chunk.subarray(base + KEY, base + ROW) as unknown as [number, number, number];
    return { from, name: this.#names[name] as string, order: this.#orders[order] as Order };
  }

  #placed(index: number): [Int32Array, number] {
    return [this.#chunks[Math.floor(index / CHUNK)] as Int32Array, (index % CHUNK) * ROW];
  }

  /** Where `row` stands in the table, or the free slot where it belongs. */
  #slotOf(row: Int32Array, base: number): number {
    let hash = 0;
    for (let n = 0; n < KEY; n += 1) {
      hash = Math.imul(hash ^ (row[base + n] as number), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    const mask = this.#table.length - 1;
    let slot = hash & mask;
    for (let at = this.#table[slot] as number; at !== -1; at = this.#table[slot] as number) {
      if (this.#isAt(at, row, base)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #isAt(index: number, row: Int32Array, base: number): boolean {
    const [chunk, other] = this.#placed(index);
    for (let n = 0; n < KEY; n += 1) if (chunk[other + n] !== row[base + n]) return false;
    return true;
  }

  #grow(): void {
    this.#table = new Int32Array(this.#table.length * 2).fill(-1);
    for (let index = 0; index < this.size; index += 1) {
      const [chunk, base] = this.#placed(index);
      this.#table[this.#slotOf(chunk, base)] = index;
    }
  }

  #numberOf(name: string): number {
    let known = this.#numbers.get(name);
    if (known === undefined) {
      known = this.#names.push(name) - 1;
      this.#numbers.set(name, known);
    }
    return known;
  }

  #placeOf(order: Order): number {
    const known = this.#orders.indexOf(order);
    return known === -1 ? this.#orders.push(order) - 1 : known;
  }
}
