// What does each move make of a state? A move looks at one voter, the nodes and the table only, and what it makes of them
// does not depend on what the voter is called. So the moves of a voter are listed once for these parts, as if it were the
// first one; each is carried out at most once for them, and never when no bound pays for it.

import type { Group } from "./beginning.ts";
import { type Move, movesOfOthers, movesOfVoter, type Price, tidy } from "./moves.ts";
import { BACK, type Marks, ORDERS, type Order, renamed, unused } from "./names.ts";
import { Scene } from "./scene.ts";
import type { Frame, Parts, Store } from "./store.ts";
import type { Engine, World } from "./world.ts";

/** Whose moves: a voter's place, or nobody's of them. */
export type Place = 0 | 1 | 2 | 3;
export const PLACES = [0, 1, 2, 3] as const;

/** The world after one move. */
export interface Next {
  readonly parts: Parts;
  readonly broken: readonly string[];
}

export type Fair = "free" | "tick" | "glance" | "publisher";

/** What the moves of one name have in common, wherever they are made. */
export interface Option {
  readonly price: Price;
  /** When it comes in a round in which nothing goes wrong; null: not at all. */
  readonly fair: Fair | null;
  /** What it is called where each of the voters makes it. */
  readonly names: readonly [string, string, string];
}

/** `after` null: nothing changes. */
interface Made {
  readonly after: Frame | null;
  readonly broken: readonly string[];
}

/** Every move there is, whatever it costs, and what came of those that were carried out. */
export interface Moves {
  readonly options: readonly Option[];
  readonly made: (Made | undefined)[];
}

const SAME: Made = { after: null, broken: [] };
/** So many lists are kept: most are asked for again soon or never. */
const LISTS = 400_000;

/** Dense numbers for pairs of numbers. */
class Pairs {
  readonly #known = new Map<number, number>();

  of(a: number, b: number): number {
    const key = a * 2 ** 26 + b;
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#known.size;
      this.#known.set(key, known);
    }
    return known;
  }
}

interface Fresh {
  readonly entropy: number;
  readonly freshRun: number;
  readonly freshHistory: number;
}

export class Outcomes {
  readonly #store: Store;
  readonly #engine: Engine;
  readonly #group: Group;
  readonly #around = [new Pairs(), new Pairs(), new Pairs(), new Pairs()] as const;
  readonly #options = new Map<string, Option>();
  #lists = new Map<number, Moves>();
  /** The moves of the list that was asked for last, as they are carried out. */
  #listed: { readonly of: Moves | null; readonly moves: readonly Move[] } = { of: null, moves: [] };
  listed = 0;
  carriedOut = 0;

  constructor(store: Store, engine: Engine, group: Group) {
    this.#store = store;
    this.#engine = engine;
    this.#group = group;
  }

  of(parts: Parts, place: Place, marks: Marks = this.#store.marks(parts)): Moves {
    const frame = this.#frame(parts, place);
    const { entropy, freshRun, freshHistory } = freshNames(marks, place);
    const [first, nodes, table, names] = this.#around;
    const around = table.of(nodes.of(first.of(frame[1], frame[2]), frame[3]), frame[4]);
    const named = names.of(around, (entropy * 32 + freshRun) * 32 + freshHistory);
    const key = named * 2 ** 26 + frame[0] + 1;
    let known = this.#lists.get(key);
    if (known === undefined) {
      known = this.#list(frame);
      if (this.#lists.size === LISTS) this.#lists = new Map();
      this.#lists.set(key, known);
    }
    return known;
  }

  /** Null: nothing changes. */
  after(parts: Parts, place: Place, list: Moves, index: number): Next | null {
    let made = list.made[index];
    if (made === undefined) {
      made = this.#carryOut(parts, place, list, index);
      list.made[index] = made;
    }
    const { after, broken } = made;
    if (after === null) return null;
    if (place !== 3) return { parts: this.#store.unframed(after, parts, place), broken };
    return { parts: [parts[0], parts[1], parts[2], after[1], after[2], after[3], after[4]], broken };
  }

  #frame(parts: Parts, place: Place): Frame {
    return place === 3 ? [-1, parts[3], parts[4], parts[5], parts[6]] : this.#store.frame(parts, place);
  }

  #world(frame: Frame): World {
    return frame[0] === -1 ? this.#store.around(frame) : this.#store.framedWorld(frame);
  }

  #list(frame: Frame): Moves {
    this.listed += 1;
    const moves = movesIn(this.#world(frame));
    const options = moves.map(({ name, price }) => this.#option(name, price));
    const list: Moves = { options, made: Array<Made | undefined>(options.length).fill(undefined) };
    this.#listed = { of: list, moves };
    return list;
  }

  #option(name: string, price: Price): Option {
    const key = `${price} ${name}`;
    let known = this.#options.get(key);
    if (known === undefined) {
      const names = BACK.map((back) => renamed(name, ORDERS[back] as Order));
      known = { price, fair: fairOf(name, price), names: names as unknown as Option["names"] };
      this.#options.set(key, known);
    }
    return known;
  }

  #carryOut(parts: Parts, place: Place, list: Moves, index: number): Made {
    this.carriedOut += 1;
    const frame = this.#frame(parts, place);
    const world = this.#world(frame);
    if (this.#listed.of !== list) this.#listed = { of: list, moves: movesIn(world) };
    const scene = new Scene(world, {
      canon: this.#store.canon,
      engine: this.#engine,
      group: this.#group,
      ...freshNames(this.#store.marks(parts), place),
    });
    const broken = carryOut(scene, this.#listed.moves[index] as Move);
    const [voter] = scene.voters;
    const after: Frame = [
      voter === undefined ? -1 : this.#store.voter(voter, scene.now),
      ...(scene.nodes.map((each) => this.#store.node(each)) as [number, number, number]),
      this.#store.table(scene.table),
    ];
    return broken.length === 0 && after.every((id, at) => id === frame[at]) ? SAME : { after, broken };
  }
}

/** Names that nothing mentions. */
const freshNames = (marks: Marks, place: Place): Fresh => ({
  entropy: place === 3 ? 0 : unused(marks[place]),
  freshRun: unused(marks[3] | 1),
  freshHistory: unused(marks[4] | 1),
});

function fairOf(name: string, price: Price): Fair | null {
  if (price === "tick") return "tick";
  if (name.startsWith("the publisher")) return "publisher";
  if (name.endsWith("glances at the ballot")) return "glance";
  return price === "free" && !/ reaches n\d again/.test(name) ? "free" : null;
}

const movesIn = (world: World): readonly Move[] =>
  world.voters.length === 0 ? movesOfOthers(world) : movesOfVoter(world, 0);

function carryOut(scene: Scene, move: Move): readonly string[] {
  try {
    move.carryOut(scene);
    if (move.voter !== null) tidy(scene, move.voter);
    scene.acknowledge();
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    scene.broken.push(`core: ${error.message}`);
  }
  return scene.broken;
}
