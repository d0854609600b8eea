// Acknowledged writes, for tests that ask whether one was lost.

import type { ValkeyProcess } from "../../lib/local/valkey-process.ts";

/** Writes one key after another to whoever the record names, until stopped; remembers what was acknowledged. */
export class Writer {
  readonly acknowledged: string[] = [];
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(node: () => ValkeyProcess) {
    this.#done = this.#run(node);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  /** Those of the acknowledged ones that this node does not hold. */
  async missingFrom(node: ValkeyProcess): Promise<readonly string[]> {
    const held = new Set(String(await node.ask("KEYS", "key-*")).split(/[\s,]+/));
    return this.acknowledged.filter((key) => !held.has(key));
  }

  async #run(node: () => ValkeyProcess): Promise<void> {
    for (let n = 0; !this.#isStopped; n += 1) {
      const key = `key-${n}`;
      try {
        const reply = await node().ask("SET", key, "1");
        if (reply === "OK") this.acknowledged.push(key);
      } catch {
        // Not acknowledged: the write may or may not be there, and nothing is promised of it.
      }
    }
  }
}
