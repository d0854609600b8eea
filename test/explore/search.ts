// Breadth-first over every interleaving, so that the first schedule found to break a promise is a shortest one. States
// are stored as numbers (store.ts) with the move that led there; a schedule is read back from the last state to the first.

import { firstWorld } from "./beginning.ts";
import type { Bounds } from "./bounds.ts";
import { unused } from "./collapse.ts";
import { type Move, movesOf, type Price, tidy } from "./moves.ts";
import { brokenByResting, isHealthy } from "./promises.ts";
import { Scene } from "./scene.ts";
import { type Parts, Store } from "./store.ts";
import type { Engine, World } from "./world.ts";

/** The world after one move. */
interface Next {
  readonly name: string;
  readonly price: Price;
  readonly voter: number | null;
  readonly parts: Parts;
  readonly broken: readonly string[];
}

type Spent = readonly [number, number, number];

interface State {
  readonly parts: Parts;
  /** Calls by time of each voter: ticks and, times 16, long ones. */
  readonly spent: Spent;
  readonly rest: number;
  readonly from: number;
  readonly name: string;
  readonly depth: number;
}

export interface Finding {
  readonly broken: readonly string[];
  readonly schedule: readonly string[];
}

export interface Found {
  readonly states: number;
  readonly moves: number;
  readonly depth: number;
  readonly seconds: number;
  readonly isComplete: boolean;
  readonly findings: readonly Finding[];
  /** States that were followed to their rest: how many found back to health, and why the others wait. */
  readonly rested: number;
  readonly healed: number;
  readonly waiting: ReadonlyMap<string, number>;
  readonly parts: string;
}

/** Everything that is counted in all: one number, a digit of 8 for each. */
const COUNTED = ["loss", "delay", "kill", "restart", "hang", "cut", "crash", "start", "write"] as const;
const ROUNDS = 400;
const ENDED = "(from here on nothing goes wrong any more)";

export class Exploration {
  readonly #store = new Store();
  readonly #engine: Engine;
  readonly #bounds: Bounds;
  readonly #memory = new Map<string, Next>();
  readonly #states: State[] = [];
  readonly #known = new Set<string>();
  readonly #findings: Finding[] = [];
  readonly #seen = new Set<string>();
  readonly #good = new Set<string>();
  readonly #waiting = new Map<string, number>();
  /** The state that is followed to its rest, and the moves since. */
  #from = 0;
  #fair: string[] = [];
  #rested = 0;
  #healed = 0;
  #moves = 0;
  #isComplete = true;

  constructor(engine: Engine, bounds: Bounds) {
    this.#engine = engine;
    this.#bounds = bounds;
  }

  /** Explores all of it, or until the first broken promise unless `keepsGoing`. */
  run(options: { readonly keepsGoing?: boolean; readonly tell?: (text: string) => void } = {}): Found {
    const began = performance.now();
    const first = this.#begin();
    this.#add({ parts: first, spent: [0, 0, 0], rest: 0, from: -1, name: "", depth: 0 });
    for (let index = 0; index < this.#states.length; index += 1) {
      if (this.#states.length > this.#bounds.states) this.#isComplete = false;
      if (!this.#isComplete || (this.#findings.length > 0 && options.keepsGoing !== true)) break;
      this.#expand(index);
      if (index % 20_000 === 19_999) options.tell?.(this.#progress(index, began));
    }
    return {
      states: this.#states.length,
      moves: this.#moves,
      depth: this.#states.at(-1)?.depth ?? 0,
      seconds: (performance.now() - began) / 1_000,
      isComplete: this.#isComplete,
      findings: this.#findings,
      rested: this.#rested,
      healed: this.#healed,
      waiting: this.#waiting,
      parts: this.#store.sizes,
    };
  }

  #progress(index: number, began: number): string {
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    const { depth } = this.#states[index] as State;
    return `${index + 1} of ${this.#states.length} states, depth ${depth}, ${seconds} s, ${this.#store.sizes}, memory ${this.#memory.size}`;
  }

  /** Everybody has looked at everything, with nothing going wrong. */
  #begin(): Parts {
    let parts = this.#store.parts(firstWorld());
    for (let round = 0; round < 6; round += 1) parts = this.#fairRound(parts);
    for (const name of this.#bounds.opening) {
      const world = this.#store.world(parts);
      const move = movesOf(world).find((each) => each.name.startsWith(name));
      const next = move === undefined ? null : this.#carriedOut(parts, world, move);
      if (next === null) throw new RangeError(`the opening does not come to "${name}": ${this.#names(parts)}`);
      parts = next.parts;
    }
    return parts;
  }

  #names(parts: Parts): string {
    return movesOf(this.#store.world(parts))
      .map((move) => move.name)
      .join("; ");
  }

  #expand(index: number): void {
    const state = this.#states[index] as State;
    let isLast = true;
    for (const next of this.#next(state.parts)) {
      const spent = this.#pay(state, next);
      if (spent === null) continue;
      this.#moves += 1;
      if (next.broken.length > 0) this.#note(next.broken, [...this.#schedule(index), next.name]);
      if (this.#epochOf(next.parts) > this.#bounds.epochs) continue;
      isLast = false;
      this.#add({ parts: next.parts, ...spent, from: index, name: next.name, depth: state.depth + 1 });
    }
    const every = this.#bounds.restEvery;
    if (every > 0 && (isLast || index % every === 0)) this.#rest(index);
  }

  #epochOf(parts: Parts): number {
    return Number(this.#store.world(parts).table.item["epoch"]);
  }

  #pay(state: State, { price, voter }: Next): { spent: Spent; rest: number } | null {
    if (price === "free") return { spent: state.spent, rest: state.rest };
    const spent: [number, number, number] = [...state.spent];
    if (price === "tick" || price === "long") {
      const place = voter as 0 | 1 | 2;
      const used = price === "tick" ? spent[place] % 16 : Math.floor(spent[place] / 16);
      if (used >= this.#bounds[price]) return null;
      spent[place] += price === "tick" ? 1 : 16;
      return { spent, rest: state.rest };
    }
    const digit = 8 ** COUNTED.indexOf(price);
    if (Math.floor(state.rest / digit) % 8 >= this.#bounds[price]) return null;
    return { spent, rest: state.rest + digit };
  }

  /** False when it was known already. */
  #add(state: State): boolean {
    const key = this.#store.key(state.parts, state.spent, `${state.rest}`);
    if (this.#known.has(key)) return false;
    this.#known.add(key);
    this.#states.push(state);
    return true;
  }

  #schedule(index: number): string[] {
    const names: string[] = [];
    if (this.#states.length === 0) return names;
    for (let at = index; at > 0; at = (this.#states[at] as State).from) names.push((this.#states[at] as State).name);
    return [...this.#bounds.opening.map((name) => `${name} ... (opening)`), ...names.reverse()];
  }

  /** The shortest schedule for each kind of violation. */
  #note(broken: readonly string[], schedule: readonly string[]): void {
    const kind = (broken[0] ?? "").slice(0, 24);
    if (this.#seen.has(kind)) return;
    this.#seen.add(kind);
    this.#findings.push({ broken, schedule });
  }

  /** Every move of the parts, and what it makes of them. */
  #next(parts: Parts): readonly Next[] {
    const world = this.#store.world(parts);
    return movesOf(world).flatMap((move) => this.#carriedOut(parts, world, move) ?? []);
  }

  /** Null: nothing changed. */
  #carriedOut(parts: Parts, world: World, move: Move): Next | null {
    const marks = this.#store.marks(parts);
    const entropy = move.voter === null ? 0 : unused(marks[move.voter as 0 | 1 | 2]);
    const freshRun = unused(marks[3] | 1);
    const freshHistory = unused(marks[4] | 1);
    const by = move.voter === null ? "-" : parts[move.voter as 0 | 1 | 2];
    const key = `${move.name},${move.place ?? ""},${by},${parts[3]},${parts[4]},${parts[5]},${parts[6]},${entropy},${freshRun},${freshHistory}`;
    let known = this.#memory.get(key);
    if (known === undefined) {
      const scene = new Scene(world, {
        canon: this.#store.canon,
        engine: this.#engine,
        entropy,
        freshRun,
        freshHistory,
      });
      const broken = carryOut(scene, move);
      const place = move.voter ?? -1;
      const after = this.#store.parts(scene, { place, now: scene.now });
      known = { name: move.name, price: move.price, voter: move.voter, parts: after, broken };
      this.#memory.set(key, known);
    }
    const { voter } = move;
    const after = known.parts.map((id, place) =>
      place < 3 && place !== voter ? parts[place] : id,
    ) as unknown as Parts;
    if (known.broken.length === 0 && after.every((id, place) => id === parts[place])) return null;
    return { ...known, parts: after };
  }

  /** All that is under way arrives, and every voter is called when it asked to be: one round in which nothing goes wrong. */
  #fairRound(from: Parts): Parts {
    let parts = from;
    for (const place of [0, 1, 2] as const) {
      for (const wanted of ["free", "glance", "tick", "free"] as const) parts = this.#fairMoves(parts, place, wanted);
    }
    return parts;
  }

  #fairMoves(from: Parts, place: 0 | 1 | 2, wanted: "free" | "tick" | "glance"): Parts {
    let parts = from;
    for (let n = 0; n < 40; n += 1) {
      const world = this.#store.world(parts);
      const move = movesOf(world).find((each) => isFair(each, place, wanted));
      const next = move === undefined ? null : this.#carriedOut(parts, world, move);
      if (next === null) return parts;
      this.#fair.push(next.name);
      if (next.broken.length > 0) this.#note(next.broken, [...this.#schedule(this.#from), ENDED, ...this.#fair]);
      parts = next.parts;
      if (wanted !== "free") return parts;
    }
    return parts;
  }

  /** Faults end, and everything goes on fairly: is one healthy, published primary reached, or does somebody say why not? */
  #rest(index: number): void {
    this.#from = index;
    this.#rested += 1;
    this.#fair = [];
    let parts = this.#mended((this.#states[index] as State).parts, false);
    const path: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const key = this.#store.key(parts, [0, 0, 0], "");
      if (isHealthy(this.#store.world(parts)) || this.#good.has(key)) {
        for (const each of path) this.#good.add(each);
        this.#healed += 1;
        return;
      }
      path.push(key);
      // Who died and left too few behind comes back in the end.
      if (round === ROUNDS / 2) parts = this.#mended(parts, true);
      parts = this.#fairRound(parts);
    }
    const world = this.#store.world(parts);
    const broken = brokenByResting(world);
    if (broken.length > 0) this.#note(broken, [...this.#schedule(index), ENDED]);
    const reasons = world.voters.map((each) => each.state?.rejection?.rejection.reason ?? "-").sort();
    this.#waiting.set(reasons.join(), (this.#waiting.get(reasons.join()) ?? 0) + 1);
  }

  #mended(from: Parts, comesBack: boolean): Parts {
    const world = this.#store.world(from);
    const alive = world.voters.filter((each) => each.state !== null).length;
    let parts = from;
    for (let n = 0; n < 40; n += 1) {
      const now = this.#store.world(parts);
      const move = movesOf(now).find((each) =>
        isMending(each.name, { comesBack, startsVoters: comesBack || alive < 2 }),
      );
      const next = move === undefined ? null : this.#carriedOut(parts, now, move);
      if (next === null) return parts;
      parts = next.parts;
    }
    return parts;
  }
}

function carryOut(scene: Scene, move: Move): readonly string[] {
  try {
    move.carryOut(scene);
    if (move.voter !== null) tidy(scene, move.voter);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    scene.broken.push(`core: ${error.message}`);
  }
  return scene.broken;
}

const isFair = (move: Move, place: number, wanted: "free" | "tick" | "glance"): boolean => {
  if (move.voter !== place) return false;
  if (wanted === "tick") return move.price === "tick";
  if (wanted === "glance") return move.name.endsWith("glances at the ballot");
  return move.price === "free" && !/ (glances|reaches n\d again)/.test(move.name);
};

const isMending = (name: string, { comesBack, startsVoters }: { comesBack: boolean; startsVoters: boolean }): boolean =>
  / (goes on|catches up)$| reaches n\d again$/.test(name) ||
  (comesBack && name.endsWith("comes back behind its fence")) ||
  (startsVoters && name.endsWith(" starts"));
