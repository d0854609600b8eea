// Which numbered names does a record mention, and what does it say when the voters have other names? A name that nothing
// mentions is given again, so that names do not tell how long a schedule was.

/** Which numbered names a part mentions, as bits: attempts of each voter, run ids, replication ids. */
export type Marks = readonly [number, number, number, number, number];
export const NO_MARKS: Marks = [0, 0, 0, 0, 0];

/** The smallest number whose bit is not set. */
export function unused(mask: number): number {
  for (let n = 0; n < 30; n += 1) if ((mask & (1 << n)) === 0) return n;
  throw new RangeError("more names at once than the exploration has");
}

const NAMES = /az-([abc])\.(\d+)\.|"([ad])([0-9a-f]{4})e{35}"/g;

export function marksOf(text: string): Marks {
  const marks: [number, number, number, number, number] = [0, 0, 0, 0, 0];
  for (const [, voter, attempt, kind, n] of text.matchAll(NAMES)) {
    if (voter !== undefined)
      marks[voter.charCodeAt(0) - 97] = (marks[voter.charCodeAt(0) - 97] ?? 0) | (1 << Number(attempt));
    else if (kind === "a") marks[3] |= 1 << Number.parseInt(n ?? "0", 16);
    else marks[4] |= 1 << Number.parseInt(n ?? "0", 16);
  }
  return marks;
}

/** Which voter takes the place of which: `order[0]` is the new place of the first. */
export type Order = readonly [number, number, number];

export const UNCHANGED: Order = [0, 1, 2];
export const ORDERS: readonly Order[] = [UNCHANGED, [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
const LETTERS = ["a", "b", "c"] as const;

/** One order behind the other. */
export const composed = (first: Order, then: Order): Order => first.map((place) => then[place]) as unknown as Order;

export const inverse = (order: Order): Order => [0, 1, 2].map((place) => order.indexOf(place)) as unknown as Order;

/** Every voter's name replaced by that of the one whose place it takes. */
export const renamed = (text: string, order: Order): string =>
  text.replace(/az-([abc])/g, (_, letter: string) => `az-${LETTERS[order[letter.charCodeAt(0) - 97] ?? 0]}`);

/** What a voter is called behind a renaming: the same function for the same renaming. */
export type Rename = (text: string) => string;

export const RENAMES: readonly Rename[] = ORDERS.map(
  (order) => (text: string) => (text.includes("az-") ? renamed(text, order) : text),
);

const placeOf = (order: Order): number => ORDERS.findIndex((each) => `${each}` === `${order}`);

/** Which of the orders undoes each. */
export const INVERSES: readonly number[] = ORDERS.map((order) => placeOf(inverse(order)));

/** The orders, by number, that turn the voters until the one of a place stands first, and back. */
export const TURNS = [0, 1, 2].map((place) => placeOf(inverse([place, (place + 1) % 3, (place + 2) % 3] as never)));
export const BACK = TURNS.map((turn) => INVERSES[turn] as number);
/** The orders that only turn the voters; the others also change the two behind the first for each other. */
export const IS_TURN: readonly boolean[] = ORDERS.map((_, index) => TURNS.includes(index));
