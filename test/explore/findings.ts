// What broke, each kind with the shortest schedule that was found for it. States come breadth-first, so that a move which
// breaks a promise is the end of a shortest schedule. On the way to rest it is not: there the search goes on as long as
// something shorter is to be expected.

/** Where it broke: in a move that was explored, in one on the way to rest, or at rest. */
export type Place = "move" | "way" | "rest";

export interface Finding {
  readonly broken: readonly string[];
  readonly schedule: readonly string[];
  /** Behind the opening nothing shorter breaks it, within the bounds. */
  readonly isShortest: boolean;
}

export interface Noted {
  readonly kind: string;
  readonly place: Place;
  /** The state from which it came, and how many moves there are behind the opening. */
  readonly index: number;
  readonly length: number;
  /** States that were known by then. */
  readonly known: number;
  readonly finding: Finding;
}

/** So many states, or ways to rest, are looked at for a shorter schedule. */
export const FURTHER = 4_000;

export class Findings {
  readonly #byKind = new Map<string, Noted>();

  /** The first of its kind, or a shorter one. */
  isNews(kind: string, length: number): boolean {
    return length < (this.#byKind.get(kind)?.length ?? Number.POSITIVE_INFINITY);
  }

  note(noted: Noted): void {
    this.#byKind.set(noted.kind, noted);
  }

  isShortest(kind: string): void {
    const noted = this.#byKind.get(kind);
    if (noted !== undefined) this.note({ ...noted, finding: { ...noted.finding, isShortest: true } });
  }

  get noted(): readonly Noted[] {
    return [...this.#byKind.values()].sort((a, b) => a.length - b.length);
  }

  /** Nothing shorter is to be found where the states that come next are `depth` moves behind the opening. */
  isOver(depth: number, known: number): boolean {
    return this.noted.some(
      ({ place, length, known: before }) => place !== "way" || depth + 1 >= length || known > before + FURTHER,
    );
  }
}
