// States as a handful of numbers: the parts (three voters, three nodes, the table) and what was spent of the bounds.
// A voter is stored as if it were the first, with the others behind it in their turn. The six ways to rename the voters
// lead to the same state, so the least of the six names it. Nodes are not renamed: core breaks ties between them by name
// and by zone.

import { Canon } from "./collapse.ts";
import {
  BACK,
  INVERSES,
  IS_TURN,
  type Marks,
  ORDERS,
  type Order,
  RENAMES,
  type Rename,
  TURNS,
  UNCHANGED,
} from "./names.ts";
import { Pool } from "./pool.ts";
import type { NodeRecord, Table, Voter, World } from "./world.ts";
import { NOW } from "./world.ts";

/** Parts by number: voters, nodes, table. */
export type Parts = readonly [number, number, number, number, number, number, number];

/** One voter as the first, and everything around it under the names that it has then. */
export type Frame = readonly [number, number, number, number, number];

/** A state under the names of the voters that stand for all renamings of it. */
export interface Renamed {
  readonly parts: Parts;
  readonly spent: readonly [number, number, number];
  readonly order: Order;
}

/** The two that stand behind the first change places. */
const SWAP = 1;

export class Store {
  readonly canon = new Canon();
  readonly #voters = new Pool<Voter>(this.canon.words);
  readonly #nodes = new Pool<NodeRecord>(this.canon.words);
  readonly #tables = new Pool<Table>(this.canon.words);
  readonly #swapped: number[] = [];
  readonly #nodesAs: readonly number[][] = ORDERS.map(() => []);
  readonly #tablesAs: readonly number[][] = ORDERS.map(() => []);
  readonly #epochs: number[] = [];
  /** Of nodes and tables that were met before: most of a world is the same object before and after a move. */
  readonly #known = new WeakMap<object, number>();

  get sizes(): string {
    return `${this.#voters.size} voters, ${this.#nodes.size} nodes, ${this.#tables.size} tables`;
  }

  /** Of the first voter, whose clock stands at `now`. */
  voter(voter: Voter, now: number): number {
    return this.#voters.add(this.canon.write(voter, now));
  }

  node(node: NodeRecord): number {
    let id = this.#known.get(node);
    if (id === undefined) {
      id = this.#nodes.add(this.canon.write(node, NOW));
      this.#known.set(node, id);
      this.#known.set(this.#nodes.at(id), id);
    }
    return id;
  }

  table(table: Table): number {
    let id = this.#known.get(table);
    if (id === undefined) {
      id = this.#tables.add(this.canon.write({ ...table, item: this.canon.item(table.item) }, NOW));
      this.#known.set(table, id);
      this.#known.set(this.#tables.at(id), id);
    }
    return id;
  }

  parts({ voters, nodes, table }: World): Parts {
    const turned = voters.map((each, place) =>
      this.voter(this.canon.renamed(each, renameOf(TURNS[place] as number)), NOW),
    );
    return [...turned, ...nodes.map((each) => this.node(each)), this.table(table)] as unknown as Parts;
  }

  /** Everything under the names that it has. */
  world(parts: Parts): World {
    const voters = [parts[0], parts[1], parts[2]].map((id, place) =>
      this.canon.renamed(this.#voters.at(id), renameOf(BACK[place] as number)),
    );
    return { ...this.worldOfFirsts(parts), voters };
  }

  /** The same where each voter is called as if it were the first: for what does not ask who is who. */
  worldOfFirsts([a, b, c, d, e, f, t]: Parts): World {
    return { ...this.around([-1, d, e, f, t]), voters: [a, b, c].map((id) => this.#voters.at(id)) };
  }

  /** What all voters share, and nobody of them. */
  around([, d, e, f, t]: Frame): World {
    return { voters: [], nodes: [this.#nodes.at(d), this.#nodes.at(e), this.#nodes.at(f)], table: this.#tables.at(t) };
  }

  /** The voter of a frame, alone in its world. */
  framedWorld(frame: Frame): World {
    return { ...this.around(frame), voters: [this.#voters.at(frame[0])] };
  }

  /** `place` stands first. */
  frame(parts: Parts, place: 0 | 1 | 2): Frame {
    const turn = TURNS[place] as number;
    return turn === 0
      ? [parts[place], parts[3], parts[4], parts[5], parts[6]]
      : [parts[place], ...this.#turned(turn, parts[3], parts[4], parts[5], parts[6])];
  }

  /** The same frame where its voter has its place back. */
  unframed([voter, d, e, f, t]: Frame, parts: Parts, place: 0 | 1 | 2): Parts {
    const [n1, n2, n3, table] = this.#turned(BACK[place] as number, d, e, f, t);
    return [
      place === 0 ? voter : parts[0],
      place === 1 ? voter : parts[1],
      place === 2 ? voter : parts[2],
      n1,
      n2,
      n3,
      table,
    ];
  }

  #turned(index: number, d: number, e: number, f: number, t: number): [number, number, number, number] {
    if (index === 0) return [d, e, f, t];
    return [this.#nodeAs(index, d), this.#nodeAs(index, e), this.#nodeAs(index, f), this.#tableAs(index, t)];
  }

  marks([a, b, c, d, e, f, t]: Parts): Marks {
    const marks: [number, number, number, number, number] = [0, 0, 0, 0, 0];
    join(marks, this.#voters.marks(a), 0);
    join(marks, this.#voters.marks(b), 1);
    join(marks, this.#voters.marks(c), 2);
    join(marks, this.#nodes.marks(d), 0);
    join(marks, this.#nodes.marks(e), 0);
    join(marks, this.#nodes.marks(f), 0);
    join(marks, this.#tables.marks(t), 0);
    return marks;
  }

  epochOf([, , , , , , t]: Parts): number {
    this.#epochs[t] ??= Number(this.#tables.at(t).item["epoch"]);
    return this.#epochs[t];
  }

  /**
   * The least of the six ways to name the voters, which stands for all of them. `spent` are what each voter has used up.
   */
  canonical(parts: Parts, spent: readonly [number, number, number]): Renamed {
    let [least, used, order] = [parts, spent, UNCHANGED];
    for (let index = 1; index < ORDERS.length; index += 1) {
      const each = ORDERS[index] as Order;
      const voters = this.#rearranged(parts, index, each);
      if (compare(voters, least) > 0) continue;
      const named: Parts = [...voters, ...this.#turned(index, parts[3], parts[4], parts[5], parts[6])];
      const paid = rearranged(spent, each);
      if ((compare(named, least) || compare(paid, used)) >= 0) continue;
      [least, used, order] = [named, paid, each];
    }
    return { parts: least, spent: used, order };
  }

  #rearranged(parts: Parts, index: number, order: Order): [number, number, number] {
    const places: [number, number, number] = [0, 0, 0];
    for (const place of [0, 1, 2] as const)
      places[order[place] as 0 | 1 | 2] = IS_TURN[index] === true ? parts[place] : this.#swap(parts[place]);
    return places;
  }

  #swap(id: number): number {
    let other = this.#swapped[id];
    if (other === undefined) {
      other = this.voter(this.canon.renamed(this.#voters.at(id), renameOf(SWAP)), NOW);
      this.#swapped[id] = other;
      this.#swapped[other] = id;
    }
    return other;
  }

  /** What a node becomes by one of the orders. */
  #nodeAs(index: number, id: number): number {
    const known = this.#nodesAs[index]?.[id];
    if (known !== undefined) return known;
    return this.#learn(this.#nodesAs, index, id, this.node(this.canon.renamed(this.#nodes.at(id), renameOf(index))));
  }

  #tableAs(index: number, id: number): number {
    const known = this.#tablesAs[index]?.[id];
    if (known !== undefined) return known;
    return this.#learn(this.#tablesAs, index, id, this.table(this.canon.renamed(this.#tables.at(id), renameOf(index))));
  }

  #learn(known: readonly number[][], index: number, id: number, other: number): number {
    (known[index] as number[])[id] = other;
    (known[INVERSES[index] as number] as number[])[other] = id;
    return other;
  }
}

const renameOf = (index: number): Rename => RENAMES[index] as Rename;

/** `by`: how far the names of the voters are turned from those that they have in the state. */
function join(into: [number, number, number, number, number], marks: Marks, by: 0 | 1 | 2): void {
  for (const n of [0, 1, 2] as const) into[((n + by) % 3) as 0 | 1 | 2] |= marks[n];
  into[3] |= marks[3];
  into[4] |= marks[4];
}

function rearranged(spent: readonly [number, number, number], order: Order): [number, number, number] {
  const used: [number, number, number] = [0, 0, 0];
  for (const place of [0, 1, 2] as const) used[order[place] as 0 | 1 | 2] = spent[place];
  return used;
}

/** Negative: the first is the lesser one. */
function compare(a: readonly number[], b: readonly number[]): number {
  for (let n = 0; n < a.length; n += 1) if (a[n] !== b[n]) return (a[n] as number) - (b[n] as number);
  return 0;
}
