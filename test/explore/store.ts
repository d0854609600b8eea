// States as a handful of numbers: the parts (three voters, three nodes, the table) and what was spent of the bounds.
// The six ways to rename the voters lead to the same state, so the least of the six names it. Nodes are not renamed:
// core breaks ties between them by name and by zone.

import type { Item } from "../../lib/core/ballot-write.ts";
import { Canon, type Marks, marksOf, type Part, Pool, type Rename, sorted } from "./collapse.ts";
import type { NodeRecord, Table, Voter, World } from "./world.ts";
import { NOW } from "./world.ts";

/** Parts by number: voters, nodes, table. */
export type Parts = readonly [number, number, number, number, number, number, number];

/** Which voter takes the place of which: `order[0]` is the new place of the first. */
export type Order = readonly [number, number, number];

export const UNCHANGED: Order = [0, 1, 2];
const ORDERS: readonly Order[] = [UNCHANGED, [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
const LETTERS = ["a", "b", "c"] as const;

/** One order behind the other. */
export const composed = (first: Order, then: Order): Order => first.map((place) => then[place]) as unknown as Order;

export const inverse = (order: Order): Order => [0, 1, 2].map((place) => order.indexOf(place)) as unknown as Order;

/** Every voter's name replaced by that of the one whose place it takes. */
export const renamed = (text: string, order: Order): string =>
  text.replace(/az-([abc])/g, (_, letter: string) => `az-${LETTERS[order[letter.charCodeAt(0) - 97] ?? 0]}`);

const RENAMES = ORDERS.map((order) => (text: string) => (text.includes("az-") ? renamed(text, order) : text));

/** `BEHIND[a][b]`: which of the orders is the a-th with the b-th behind it. */
const BEHIND = ORDERS.map((first) =>
  ORDERS.map((then) => ORDERS.findIndex((each) => `${each}` === `${composed(first, then)}`)),
);

/** A state under the names of the voters that stand for all renamings of it. */
export interface Renamed {
  readonly parts: Parts;
  readonly spent: readonly [number, number, number];
  readonly order: Order;
}

export class Store {
  readonly canon = new Canon();
  readonly #voters = new Pool<Voter>();
  readonly #nodes = new Pool<NodeRecord>();
  readonly #tables = new Pool<Table>();
  readonly #orbits: readonly [Int32Array[], Int32Array[], Int32Array[]] = [[], [], []];
  /** Of records that were met before: most of a world is the same object before and after a move. */
  readonly #parts = new WeakMap<object, Part<object>>();

  get sizes(): string {
    return `${this.#voters.size} voters, ${this.#nodes.size} nodes, ${this.#tables.size} tables`;
  }

  voter(voter: Voter, now: number): Part<Voter> {
    const { voter: moved, text, marks } = this.canon.voter(voter, now);
    return this.#voters.add(moved, text, marks);
  }

  node(node: NodeRecord): Part<NodeRecord> {
    const known = this.#parts.get(node);
    if (known !== undefined) return known as Part<NodeRecord>;
    const part = this.#newNode(node);
    this.#parts.set(node, part);
    this.#parts.set(part.value, part);
    return part;
  }

  #newNode(node: NodeRecord): Part<NodeRecord> {
    const connections = node.connections.toSorted((a, b) =>
      a.voter < b.voter ? -1 : a.voter > b.voter ? 1 : a.id - b.id,
    );
    const plain = { ...node, connections };
    const text = JSON.stringify(sorted(plain as never));
    return this.#nodes.add(plain, text, marksOf(text));
  }

  table(table: Table): Part<Table> {
    const known = this.#parts.get(table);
    if (known !== undefined) return known as Part<Table>;
    const part = this.#newTable(table);
    this.#parts.set(table, part);
    this.#parts.set(part.value, part);
    return part;
  }

  #newTable(table: Table): Part<Table> {
    const plain = { ...table, item: this.canon.item(table.item) };
    const text = JSON.stringify(sorted(plain as never));
    return this.#tables.add(plain, text, marksOf(text));
  }

  /** `moved`: only that voter has changed, and where its clock stands; the others are -1 then. */
  parts(world: World, moved: { readonly place: number; readonly now: number } | null = null): Parts {
    const voters = world.voters.map((each, place) =>
      moved === null || moved.place === place ? this.voter(each, moved?.now ?? NOW).id : -1,
    );
    return [
      ...voters,
      ...world.nodes.map((each) => this.node(each).id),
      this.table(world.table).id,
    ] as unknown as Parts;
  }

  world([a, b, c, d, e, f, t]: Parts): World {
    return {
      voters: [a, b, c].map((id) => this.#voters.at(id).value),
      nodes: [d, e, f].map((id) => this.#nodes.at(id).value),
      table: this.#tables.at(t).value,
    };
  }

  marks([a, b, c, d, e, f, t]: Parts): Marks {
    const marks: [number, number, number, number, number] = [0, 0, 0, 0, 0];
    for (const id of [a, b, c]) join(marks, this.#voters.at(id).marks);
    for (const id of [d, e, f]) join(marks, this.#nodes.at(id).marks);
    join(marks, this.#tables.at(t).marks);
    return marks;
  }

  epochOf([, , , , , , t]: Parts): number {
    return Number(this.#tables.at(t).value.item["epoch"]);
  }

  /**
   * The least of the six ways to name the voters, which stands for all of them. `spent` are what each voter has used up.
   */
  canonical(parts: Parts, spent: readonly [number, number, number]): Renamed {
    let least: Parts | null = null;
    let used = spent;
    let order = UNCHANGED;
    for (const [index, each] of ORDERS.entries()) {
      const named = this.#rename(parts, index, each);
      const paid = index === 0 ? spent : rearranged(spent, each);
      if (least !== null && !isLess(named, paid, least, used)) continue;
      [least, used, order] = [named, paid, each];
    }
    return { parts: least as Parts, spent: used, order };
  }

  #rename(parts: Parts, index: number, order: Order): Parts {
    if (index === 0) return parts;
    const places: [number, number, number] = [0, 0, 0];
    for (const place of [0, 1, 2] as const)
      places[order[place] as 0 | 1 | 2] = this.#orbit(0, parts[place])[index] as number;
    return [
      ...places,
      this.#orbit(1, parts[3])[index] as number,
      this.#orbit(1, parts[4])[index] as number,
      this.#orbit(1, parts[5])[index] as number,
      this.#orbit(2, parts[6])[index] as number,
    ];
  }

  /** What the part becomes by each of the orders. */
  #orbit(kind: 0 | 1 | 2, id: number): Int32Array {
    return this.#orbits[kind][id] ?? this.#newOrbit(kind, id);
  }

  #newOrbit(kind: 0 | 1 | 2, id: number): Int32Array {
    const ids = ORDERS.map((_, index) => (index === 0 ? id : this.#renameAnew(kind, id, index)));
    for (const [first, each] of ids.entries())
      this.#orbits[kind][each] = Int32Array.from(ORDERS, (_, then) => ids[BEHIND[first]?.[then] ?? 0] as number);
    return this.#orbits[kind][id] as Int32Array;
  }

  #renameAnew(kind: 0 | 1 | 2, id: number, index: number): number {
    const rename = RENAMES[index] as Rename;
    if (kind === 0) return this.voter(this.canon.renamed(this.#voters.at(id).value, rename), NOW).id;
    const pool = [this.#nodes, this.#tables][kind - 1] as Pool<object>;
    const value = JSON.parse(rename(JSON.stringify(pool.at(id).value))) as object;
    if (kind === 1) return this.node(value as NodeRecord).id;
    const table = value as Table;
    return this.table({ ...table, item: sorted(table.item as never) as Item }).id;
  }
}

function join(into: [number, number, number, number, number], marks: Marks): void {
  for (const n of [0, 1, 2, 3, 4] as const) into[n] |= marks[n];
}

function rearranged(spent: readonly [number, number, number], order: Order): [number, number, number] {
  const used: [number, number, number] = [0, 0, 0];
  for (const place of [0, 1, 2] as const) used[order[place] as 0 | 1 | 2] = spent[place];
  return used;
}

function isLess(a: Parts, usedA: readonly number[], b: Parts, usedB: readonly number[]): boolean {
  for (let n = 0; n < 7; n += 1) if (a[n] !== b[n]) return (a[n] as number) < (b[n] as number);
  for (let n = 0; n < 3; n += 1) if (usedA[n] !== usedB[n]) return (usedA[n] as number) < (usedB[n] as number);
  return false;
}
