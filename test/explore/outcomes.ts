// What does each move make of a state? A move looks at one voter, the nodes and the table only. So the moves of a voter
// are listed once for these parts, each is carried out at most once for them, and never when no bound pays for it.

import type { Group } from "./beginning.ts";
import { unused } from "./collapse.ts";
import { type Move, movesOfOthers, movesOfVoter, type Price, tidy } from "./moves.ts";
import { Scene } from "./scene.ts";
import type { Parts, Store } from "./store.ts";
import type { Engine } from "./world.ts";

/** Whose moves: a voter's place, or nobody's of them. */
export type Place = 0 | 1 | 2 | 3;
export const PLACES = [0, 1, 2, 3] as const;

/** The world after one move. */
export interface Next {
  readonly parts: Parts;
  readonly broken: readonly string[];
}

export interface Option {
  readonly name: string;
  readonly price: Price;
  readonly place: Place;
  /** Null: carried out already. */
  move: Move | null;
  made: Made | null;
}

/** Parts of the other voters are -1: they are left as they are. Null: nothing changes. */
type Made = { readonly after: Parts | null; readonly broken: readonly string[] };

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

export class Outcomes {
  readonly #store: Store;
  readonly #engine: Engine;
  readonly #group: Group;
  readonly #around = [new Pairs(), new Pairs(), new Pairs(), new Pairs()] as const;
  readonly #options = new Map<number, readonly Option[]>();

  constructor(store: Store, engine: Engine, group: Group) {
    this.#store = store;
    this.#engine = engine;
    this.#group = group;
  }

  get size(): number {
    return this.#options.size;
  }

  /** Every move there is, whatever it costs. */
  of(parts: Parts, place: Place): readonly Option[] {
    const fresh = this.#fresh(parts, place);
    const [first, nodes, table, names] = this.#around;
    const around = table.of(nodes.of(first.of(parts[3], parts[4]), parts[5]), parts[6]);
    const named = names.of(around, (fresh.entropy * 32 + fresh.freshRun) * 32 + fresh.freshHistory);
    const key = named * 2 ** 26 + (place === 3 ? 0 : parts[place] + 1);
    let known = this.#options.get(key);
    if (known === undefined) {
      const world = this.#store.world(parts);
      const moves = place === 3 ? movesOfOthers(world) : movesOfVoter(world, place);
      known = moves.map((move): Option => ({ name: move.name, price: move.price, place, move, made: null }));
      this.#options.set(key, known);
    }
    return known;
  }

  /** Null: nothing changes. */
  after(parts: Parts, option: Option): Next | null {
    option.made ??= this.#carryOut(parts, option);
    const { after, broken } = option.made;
    if (after === null) return null;
    const [a, b, c, ...rest] = after;
    return { parts: [a < 0 ? parts[0] : a, b < 0 ? parts[1] : b, c < 0 ? parts[2] : c, ...rest], broken };
  }

  #carryOut(parts: Parts, option: Option): Made {
    const { place } = option;
    const move = option.move as Move;
    option.move = null;
    const scene = new Scene(this.#store.world(parts), {
      canon: this.#store.canon,
      engine: this.#engine,
      group: this.#group,
      ...this.#fresh(parts, place),
    });
    const broken = carryOut(scene, move);
    const after = this.#store.parts(scene, { place: place === 3 ? -1 : place, now: scene.now });
    const isSame = broken.length === 0 && after.every((id, at) => id === -1 || id === parts[at]);
    return { after: isSame ? null : after, broken };
  }

  /** Names that nothing mentions. */
  #fresh(parts: Parts, place: Place): { entropy: number; freshRun: number; freshHistory: number } {
    const marks = this.#store.marks(parts);
    return {
      entropy: place === 3 ? 0 : unused(marks[place]),
      freshRun: unused(marks[3] | 1),
      freshHistory: unused(marks[4] | 1),
    };
  }
}

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
