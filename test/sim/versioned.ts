// Items of a table by their group, and what an eventually consistent read may show of them: each as it was a while ago.

import type { GroupName } from "../../lib/core/types.ts";
import type { EventQueue } from "./event-queue.ts";

/** Older versions than this many are not needed: no eventually consistent read is that far behind. */
const VERSIONS_KEPT = 64;

interface Version<T> {
  readonly at: number;
  readonly item: T | null;
}

export class Versioned<T> extends Map<GroupName, T> {
  readonly #queue: EventQueue;
  readonly #versions = new Map<GroupName, Version<T>[]>();

  constructor(queue: EventQueue) {
    super();
    this.#queue = queue;
  }

  override set(group: GroupName, item: T): this {
    this.#add(group, item);
    return super.set(group, item);
  }

  override delete(group: GroupName): boolean {
    if (this.has(group)) this.#add(group, null);
    return super.delete(group);
  }

  override clear(): void {
    this.#versions.clear();
    super.clear();
  }

  /** Another table: what is in it has always been there, and no replica is behind it. */
  restore(items: ReadonlyMap<GroupName, T>): void {
    this.clear();
    for (const [group, item] of items) {
      this.#versions.set(group, [{ at: Number.NEGATIVE_INFINITY, item }]);
      super.set(group, item);
    }
  }

  /** As a replica of the table shows it that is `behindMs` behind; null: not there. */
  behind(group: GroupName, behindMs: number): T | null {
    const time = this.#queue.now - behindMs;
    return this.#versions.get(group)?.findLast(({ at }) => at <= time)?.item ?? null;
  }

  #add(group: GroupName, item: T | null): void {
    const versions = this.#versions.get(group) ?? [];
    versions.push({ at: this.#queue.now, item });
    if (versions.length > VERSIONS_KEPT) versions.shift();
    this.#versions.set(group, versions);
  }
}
