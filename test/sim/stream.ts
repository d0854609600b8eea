// The data of simulated nodes. A history of writes is a stream named by its replication id; it grew out of a position in
// another one. Because a replica's data is always a prefix of its stream, a position is a whole data set: nothing is
// ever copied, and whether a write is on a node is a walk to the root.

import type { ReplicationId } from "../../lib/core/types.ts";

/** `end` bytes of `stream`, and everything that the stream grew out of. */
export interface Position {
  readonly stream: Stream;
  readonly offset: number;
}

/** A data set on disk. */
export interface Saved extends Position {
  /** Whether the file tells the history's id and offset, so that a process that loads it can go on from there. */
  readonly namesHistory: boolean;
}

export class Stream {
  readonly id: ReplicationId;
  /** What the data was when this history began; null: nothing. */
  readonly base: Position | null;
  /** Offset at which it began: its base's after a promotion, 0 after a restart that lost the id. */
  readonly start: number;
  end: number;
  /** Keys at `start`. */
  readonly #baseKeys: number;
  readonly #ends: number[] = [];
  readonly #times: number[] = [];
  readonly #keys: number[] = [];

  constructor(id: ReplicationId, base: Position | null, start: number, keys: number) {
    this.id = id;
    this.base = base;
    this.start = start;
    this.end = start;
    this.#baseKeys = keys;
  }

  /** Appends `bytes` at `time`; `keys` of them new ones. Returns the offset after it. */
  append(bytes: number, time: number, keys: number): number {
    this.end += bytes;
    this.#ends.push(this.end);
    this.#times.push(time);
    this.#keys.push((this.#keys.at(-1) ?? this.#baseKeys) + keys);
    return this.end;
  }

  /** The last offset that had been appended by `time`, not before `from`. */
  endAt(time: number, from: number): number {
    const times = this.#times;
    let index = times.length - 1;
    while (index >= 0 && (times[index] as number) > time) index -= 1;
    const end = index >= 0 ? (this.#ends[index] as number) : this.start;
    return end > from ? end : from;
  }

  /** When the byte before `offset` was appended; null when the stream began there. */
  timeOf(offset: number): number | null {
    const index = this.#indexAt(offset);
    return index < 0 ? null : (this.#times[index] as number);
  }

  keysAt(offset: number): number {
    const index = this.#indexAt(offset);
    return index < 0 ? this.#baseKeys : (this.#keys[index] as number);
  }

  /** Index of the last entry that ends at or before `offset`; -1 when none does. */
  #indexAt(offset: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** Whether the data at `position` includes everything that the data at `other` does. */
export function contains(position: Position, other: Position): boolean {
  if (other.offset <= other.stream.start) return other.stream.base === null || contains(position, other.stream.base);
  let at: Position | null = position;
  while (at !== null) {
    if (at.stream === other.stream) return at.offset >= other.offset;
    at = at.stream.base;
  }
  return false;
}

/** A plain line for timelines: the id's first digits and the offset. */
export const describePosition = (position: Position): string => `${position.stream.id.slice(0, 6)}@${position.offset}`;
