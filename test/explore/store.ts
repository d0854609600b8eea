// States as a handful of numbers: the parts (three voters, three nodes, the table) and what was spent of the bounds.
// The six ways to rename the voters lead to the same state, so the least of the six names it. Nodes are not renamed:
// core breaks ties between them by name and by zone.

import type { Item } from "../../lib/core/ballot-write.ts";
import { voterId } from "../../lib/core/types.ts";
import { Canon, joined, type Marks, marksOf, NO_MARKS, type Part, Pool, sorted } from "./collapse.ts";
import type { NodeRecord, Table, Voter, World } from "./world.ts";
import { NOW } from "./world.ts";

/** Parts by number: voters, nodes, table. */
export type Parts = readonly [number, number, number, number, number, number, number];

const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;
export type Order = (typeof ORDERS)[number];
const LETTERS = ["a", "b", "c"] as const;

const renamed = (text: string, order: Order): string =>
  text.replace(/az-([abc])/g, (_, letter: string) => `az-${LETTERS[order[letter.charCodeAt(0) - 97] ?? 0]}`);

export class Store {
  readonly canon = new Canon();
  readonly #voters = new Pool<Voter>();
  readonly #nodes = new Pool<NodeRecord>();
  readonly #tables = new Pool<Table>();
  readonly #renamed = new Map<number, number>();
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
    const voters = [a, b, c].map((id) => this.#voters.at(id).marks);
    const nodes = [d, e, f].map((id) => this.#nodes.at(id).marks);
    return [...voters, ...nodes, this.#tables.at(t).marks].reduce(joined, NO_MARKS);
  }

  /** One text for all states that differ only in which voter is which. `spent` are what each voter has used up. */
  key(parts: Parts, spent: readonly [number, number, number], rest: string): string {
    let least = "";
    for (const [index, order] of ORDERS.entries()) {
      const places = [0, 0, 0];
      const used = [0, 0, 0];
      for (const place of [0, 1, 2] as const) {
        places[order[place]] = this.#rename(0, parts[place], index);
        used[order[place]] = spent[place];
      }
      const nodes = [3, 4, 5].map((place) => this.#rename(1, parts[place] as number, index));
      const text = `${places.join()},${nodes.join()},${this.#rename(2, parts[6], index)},${used.join()}`;
      if (least === "" || text < least) least = text;
    }
    return `${least}:${rest}`;
  }

  #rename(kind: 0 | 1 | 2, id: number, index: number): number {
    if (index === 0) return id;
    const key = (id * 3 + kind) * 8 + index;
    let known = this.#renamed.get(key);
    if (known === undefined) {
      known = this.#renameAnew(kind, id, ORDERS[index] as Order);
      this.#renamed.set(key, known);
    }
    return known;
  }

  #renameAnew(kind: 0 | 1 | 2, id: number, order: Order): number {
    const pool = [this.#voters, this.#nodes, this.#tables][kind] as Pool<object>;
    const value = JSON.parse(renamed(JSON.stringify(pool.at(id).value), order)) as object;
    if (kind === 0) {
      const voter = value as Voter;
      return this.voter({ ...voter, id: voterId(voter.id) }, NOW).id;
    }
    if (kind === 1) return this.node(value as NodeRecord).id;
    const table = value as Table;
    return this.table({ ...table, item: sorted(table.item as never) as Item }).id;
  }
}
