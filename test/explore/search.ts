// Breadth-first over every interleaving, so that the first schedule found to break a promise is a shortest one. States
// are stored as numbers (store.ts) with the move that led there; a schedule is read back from the last state to the first.

import { Group } from "./beginning.ts";
import type { Bounds } from "./bounds.ts";
import { type Finding, Findings, FURTHER, type Place as Where } from "./findings.ts";
import type { Price } from "./moves.ts";
import { composed, inverse, ORDERS, type Order, renamed, TURNS, UNCHANGED } from "./names.ts";
import { type Fair, type Moves, type Next, type Option, Outcomes, PLACES, type Place } from "./outcomes.ts";
import { brokenByResting, isHealthy } from "./promises.ts";
import { type Spent, type State, States } from "./states.ts";
import { type Parts, Store } from "./store.ts";
import type { Engine, Voter, World } from "./world.ts";

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

/** Everything that is counted in all: one number, a digit of 4 for each. */
const COUNTED = [
  "loss",
  "delay",
  "kill",
  "restart",
  "hang",
  "cut",
  "crash",
  "start",
  "write",
  "lose",
  "order",
  "publisher",
] as const satisfies readonly Price[];
const DIGIT = 4;
const ROUNDS = 400;
/** So many rounds in which every voter names a reason that time does not end: more of them change nothing. */
const PATIENCE = 40;
const FOR_A_PERSON = new Set([
  "paused",
  "cold-start-waiting",
  "possible-loss-refused",
  "unknown-history",
  "too-few-nodes",
]);
const ENDED = "(from here on nothing goes wrong any more)";
const NOTHING_SPENT: Spent = [0, 0, 0];

export class Exploration {
  readonly #store = new Store();
  readonly #outcomes: Outcomes;
  readonly #bounds: Bounds;
  readonly #group: Group;
  readonly #states = new States();
  readonly #findings = new Findings();
  readonly #good = new Set<string>();
  readonly #waiting = new Map<string, number>();
  /** The state that is followed to its rest, and the moves since. */
  #from = -1;
  #fair: string[] = [];
  #rested = 0;
  #healed = 0;
  #moves = 0;

  constructor(engine: Engine, bounds: Bounds) {
    this.#group = new Group(bounds.settings);
    this.#outcomes = new Outcomes(this.#store, engine, this.#group);
    this.#bounds = bounds;
    const most = Math.max(...COUNTED.map((name) => bounds[name]));
    if (most >= DIGIT) throw new RangeError(`nothing is counted beyond ${DIGIT - 1}`);
  }

  /** Explores all of it, or until a promise is broken by the shortest schedule that does, unless `keepsGoing`. */
  run(options: { readonly keepsGoing?: boolean; readonly tell?: (text: string) => void } = {}): Found {
    const began = performance.now();
    this.#add({ parts: this.#begin(), spent: NOTHING_SPENT, rest: 0 }, -1, "");
    let index = 0;
    while (index < this.#states.size && this.#states.size <= this.#bounds.states) {
      if (options.keepsGoing !== true && this.#isOver(index)) break;
      this.#expand(index);
      index += 1;
      if (index % 20_000 === 0) options.tell?.(this.#progress(index, began));
    }
    if (options.keepsGoing !== true) this.#shorten(index);
    return {
      states: this.#states.size,
      moves: this.#moves,
      depth: this.#path(this.#states.size - 1).length,
      seconds: (performance.now() - began) / 1_000,
      isComplete: index === this.#states.size,
      findings: this.#findings.noted.map(({ finding }) => finding),
      rested: this.#rested,
      healed: this.#healed,
      waiting: this.#waiting,
      parts: this.#store.sizes,
    };
  }

  #isOver(index: number): boolean {
    const { noted } = this.#findings;
    return noted.length > 0 && this.#findings.isOver(this.#path(index).length, this.#states.size);
  }

  /** Only some states are followed to their rest: one that was met earlier may break the same. */
  #shorten(reached: number): void {
    const depth = this.#path(Math.min(reached, this.#states.size - 1)).length;
    for (const { kind, place, index, length } of this.#findings.noted) {
      if (place === "way" && depth + 1 >= length) this.#findings.isShortest(kind);
      if (place !== "rest") continue;
      const last = Math.min(index, FURTHER);
      for (let at = 0; at < last && !this.#isShorter(kind, length); at += 1) this.#rest(at, this.#states.at(at).parts);
      if (last === index || this.#isShorter(kind, length)) this.#findings.isShortest(kind);
    }
  }

  #isShorter(kind: string, than: number): boolean {
    return this.#findings.noted.some((each) => each.kind === kind && each.length < than);
  }

  #progress(index: number, began: number): string {
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    const depth = this.#path(index - 1).length;
    return `${index} of ${this.#states.size} states, depth ${depth}, ${seconds} s, ${this.#store.sizes}, ${this.#outcomes.listed} lists of moves, ${this.#outcomes.carriedOut} carried out`;
  }

  /** Everybody has looked at everything, with nothing going wrong. */
  #begin(): Parts {
    let parts = this.#store.parts(this.#group.firstWorld());
    for (let round = 0; round < 6; round += 1) parts = this.#fairRound(parts);
    for (const name of this.#bounds.opening) {
      const next = this.#first(parts, (_, each) => each.startsWith(name)).next;
      if (next === null) {
        throw new RangeError(`the opening does not come to "${name}": ${this.#optionsOf(parts).join("; ")}`);
      }
      parts = next.parts;
    }
    return parts;
  }

  #optionsOf(parts: Parts): readonly string[] {
    return PLACES.flatMap((place) => this.#outcomes.of(parts, place).options.map(({ names }) => nameOf(names, place)));
  }

  /** The first that is wanted, and what comes of it; `next` null: it changes nothing. */
  #first(parts: Parts, isWanted: (option: Option, name: string) => boolean, places: readonly Place[] = PLACES): First {
    for (const place of places) {
      const list = this.#outcomes.of(parts, place);
      for (const [index, option] of list.options.entries()) {
        const name = nameOf(option.names, place);
        if (isWanted(option, name)) return { name, next: this.#outcomes.after(parts, place, list, index) };
      }
    }
    return NONE;
  }

  #expand(index: number): void {
    const state = this.#states.at(index);
    const marks = this.#store.marks(state.parts);
    let isLast = true;
    for (const place of PLACES) {
      const list = this.#outcomes.of(state.parts, place, marks);
      for (let n = 0; n < list.options.length; n += 1)
        if (this.#follow({ index, state, place, list, n })) isLast = false;
    }
    const every = this.#bounds.restEvery;
    if (every > 0 && (isLast || index % every === 0)) this.#rest(index, state.parts);
  }

  /** False: the move is not paid for, changes nothing, or leads out of the bounds. */
  #follow({ index, state, place, list, n }: Followed): boolean {
    const { price, names } = list.options[n] as Option;
    const paid = this.#pay(state, price, place);
    const next = paid === null ? null : this.#outcomes.after(state.parts, place, list, n);
    if (paid === null || next === null) return false;
    this.#moves += 1;
    const name = nameOf(names, place);
    if (next.broken.length > 0) this.#note(next.broken.map(backFrom(place)), index, [name], "move");
    if (this.#store.epochOf(next.parts) > this.#bounds.epochs) return false;
    this.#add({ ...paid, parts: next.parts }, index, name);
    return true;
  }

  #pay(state: State, price: Price, place: Place): Pick<State, "spent" | "rest"> | null {
    if (price === "free") return state;
    const spent: [number, number, number] = [...state.spent];
    if (price === "tick" || price === "long") {
      const of = place as 0 | 1 | 2;
      const used = price === "tick" ? spent[of] % 16 : Math.floor(spent[of] / 16);
      if (used >= this.#bounds[price]) return null;
      spent[of] += price === "tick" ? 1 : 16;
      return { spent, rest: state.rest };
    }
    const digit = DIGIT ** COUNTED.indexOf(price);
    if (Math.floor(state.rest / digit) % DIGIT >= this.#bounds[price]) return null;
    return { spent, rest: state.rest + digit };
  }

  #add({ parts, spent, rest }: State, from: number, name: string): void {
    const { order, ...least } = this.#store.canonical(parts, spent);
    this.#states.add({ ...least, rest }, { from, name, order });
  }

  /** States from the first, which has no move before it, to this one. */
  #path(index: number): number[] {
    const path: number[] = [];
    for (let at = index; at > 0; at = this.#states.origin(at).from) path.push(at);
    return path.reverse();
  }

  /** The way to a state, and what came then. */
  #note(broken: readonly string[], index: number, then: readonly string[], place: Where): void {
    const kind = (broken[0] ?? "").replaceAll(/az-[abc]/g, "az").slice(0, 24);
    const length = this.#path(index).length + then.filter((each) => each !== ENDED).length;
    if (!this.#findings.isNews(kind, length)) return;
    const { schedule, order } = this.#schedule(index);
    const back = (name: string) => renamed(name, inverse(order));
    const finding: Finding = {
      broken: broken.map(back),
      schedule: [...schedule, ...then.map(back)],
      isShortest: place === "move",
    };
    this.#findings.note({ kind, place, index, length, known: this.#states.size, finding });
  }

  /** Under the names that the voters have at the beginning, and how they are renamed by then. */
  #schedule(index: number): { readonly schedule: readonly string[]; readonly order: Order } {
    const schedule = this.#bounds.opening.map((name) => `${name} ... (opening)`);
    if (index < 0) return { schedule, order: UNCHANGED };
    let order = this.#states.origin(0).order;
    for (const at of this.#path(index)) {
      const origin = this.#states.origin(at);
      schedule.push(renamed(origin.name, inverse(order)));
      order = composed(order, origin.order);
    }
    return { schedule, order };
  }

  /** All that is under way arrives, every voter is called when it asked to be, and the publisher runs: nothing goes wrong. */
  #fairRound(from: Parts): Parts {
    let parts = from;
    for (const place of [0, 1, 2] as const) {
      for (const wanted of ["free", "glance", "tick", "free"] as const) parts = this.#fairMoves(parts, place, wanted);
    }
    return this.#fairMoves(parts, 3, "publisher");
  }

  #fairMoves(from: Parts, place: Place, wanted: Fair): Parts {
    let parts = from;
    for (let n = 0; n < 40; n += 1) {
      const first = this.#first(parts, (each) => each.fair === wanted, [place]);
      if (first.next === null) return parts;
      parts = this.#fairly(first.name, first.next, place);
      if (wanted === "tick" || wanted === "glance") return parts;
    }
    return parts;
  }

  #fairly(name: string, { parts, broken }: Next, place: Place): Parts {
    this.#fair.push(name);
    if (broken.length > 0) this.#note(broken.map(backFrom(place)), this.#from, [ENDED, ...this.#fair], "way");
    return parts;
  }

  /** Faults end, and everything goes on fairly: is one healthy, published primary reached, or does somebody say why not? */
  #rest(index: number, from: Parts): void {
    this.#from = index;
    this.#rested += 1;
    this.#fair = [];
    let parts = this.#mended(from, false);
    const path: string[] = [];
    let [waited, isMended] = [0, false];
    for (let round = 0; round < ROUNDS; round += 1) {
      const key = this.#store.canonical(parts, NOTHING_SPENT).parts.join();
      const world = this.#store.worldOfFirsts(parts);
      if (isHealthy(world) || this.#good.has(key)) {
        for (const each of path) this.#good.add(each);
        this.#healed += 1;
        return;
      }
      path.push(key);
      waited = waitsForPerson(world) ? waited + 1 : 0;
      if (waited === PATIENCE && isMended) break;
      // Who died and left too few behind comes back in the end.
      if (!isMended && (round === ROUNDS / 2 || waited === PATIENCE)) {
        parts = this.#mended(parts, true);
        [waited, isMended] = [0, true];
      }
      parts = this.#fairRound(parts);
    }
    const world = this.#store.world(parts);
    const { order } = this.#schedule(index);
    const asNamed = { ...world, voters: order.map((place) => world.voters[place] as Voter) };
    const broken = brokenByResting(asNamed, this.#group.config);
    if (broken.length > 0) this.#note(broken, index, [ENDED], "rest");
    const reasons = world.voters.map((each) => each.state?.rejection?.rejection.reason ?? "-").sort();
    this.#waiting.set(reasons.join(), (this.#waiting.get(reasons.join()) ?? 0) + 1);
  }

  #mended(from: Parts, comesBack: boolean): Parts {
    const alive = this.#store.worldOfFirsts(from).voters.filter((each) => each.state !== null).length;
    const startsVoters = comesBack || alive < 2;
    let parts = from;
    for (let n = 0; n < 40; n += 1) {
      const first = this.#first(parts, (_, name) => isMending(name, { comesBack, startsVoters }));
      if (first.next === null) return parts;
      parts = first.next.parts;
    }
    return parts;
  }
}

interface First {
  readonly name: string;
  readonly next: Next | null;
}

const NONE: First = { name: "", next: null };

/** One move of a state, by its number in the list. */
interface Followed {
  readonly index: number;
  readonly state: State;
  readonly place: Place;
  readonly list: Moves;
  readonly n: number;
}

const nameOf = (names: Option["names"], place: Place): string => names[place === 3 ? 0 : place];

/** What is said of a voter as if it were the first, under the names of the state. */
const backFrom =
  (place: Place) =>
  (text: string): string =>
    place === 3 ? text : renamed(text, inverse(ORDERS[TURNS[place] as number] as Order));

const waitsForPerson = ({ voters }: World): boolean =>
  voters.every(({ state }) => state === null || FOR_A_PERSON.has(state.rejection?.rejection.reason ?? ""));

const isMending = (name: string, { comesBack, startsVoters }: { comesBack: boolean; startsVoters: boolean }): boolean =>
  / (goes on|catches up)$| reaches n\d again$/.test(name) ||
  (comesBack && name.endsWith("comes back behind its fence")) ||
  (startsVoters && name.endsWith(" starts"));
