// An application that never stops writing: one SET of a key of its own about every two milliseconds, to whom the published
// item names. It remembers every write that was acknowledged, so that afterwards none can be missing unnoticed. It is told
// nothing of what happens to the nodes.

import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Address, GroupName } from "../../core/types.ts";
import type { PublicationStore } from "../../ports/group-store.ts";
import type { Account } from "../valkey-config.ts";

export interface WritingClientOptions {
  readonly store: Pick<PublicationStore, "readPublication">;
  readonly group: GroupName;
  readonly account: Account;
}

export interface Acknowledged {
  readonly key: string;
  /** Milliseconds since 1970, with fractions. */
  readonly at: number;
  /** `host:port` of who acknowledged it. */
  readonly by: string;
}

export interface Gap {
  readonly ms: number;
  readonly from: number;
}

const PAUSE_MS = 2;
/** Looks at the published item again this often while nobody takes its writes. */
const LOOK_AGAIN_MS = 5;
const TIMEOUT_MS = 1_000;
const KEYS_AT_ONCE = 1_000;

export const now = (): number => performance.timeOrigin + performance.now();

export class WritingClient {
  readonly acknowledged: Acknowledged[] = [];
  /** Writes without an answer or with an error: nothing is promised of them. */
  unacknowledged = 0;
  readonly #options: WritingClientOptions;
  readonly #done: Promise<void>;
  #isStopped = false;
  #client: { readonly redis: Redis; readonly by: string } | null = null;
  #count = 0;

  constructor(options: WritingClientOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
    this.#drop();
  }

  /** The first write after `at` that somebody other than `by` acknowledged. */
  firstAfter(at: number, notBy?: string): Acknowledged | undefined {
    return this.acknowledged.find((each) => each.at > at && each.by !== notBy);
  }

  /** The longest time without an acknowledged write since `at`. */
  longestGapSince(at: number): Gap {
    let longest: Gap = { ms: 0, from: at };
    let last: number | undefined;
    for (const each of this.acknowledged) {
      if (last !== undefined && each.at > at && each.at - last > longest.ms)
        longest = { ms: each.at - last, from: last };
      last = each.at;
    }
    return longest;
  }

  /** Which of the acknowledged writes up to `until` the node does not have. */
  async missingAt(address: Address, until = Number.POSITIVE_INFINITY): Promise<readonly string[]> {
    const keys = this.acknowledged.filter((each) => each.at <= until).map((each) => each.key);
    const redis = this.#open(address);
    try {
      const missing: string[] = [];
      for (let start = 0; start < keys.length; start += KEYS_AT_ONCE) {
        const part = keys.slice(start, start + KEYS_AT_ONCE);
        const values = await redis.mget(part);
        missing.push(...part.filter((_, index) => values[index] === null));
      }
      return missing;
    } finally {
      redis.disconnect();
    }
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const client = this.#client ?? (await this.#connect());
      if (client === null) {
        await sleep(LOOK_AGAIN_MS);
        continue;
      }
      this.#count += 1;
      const key = `write:${this.#count}`;
      try {
        await client.redis.set(key, String(this.#count));
        this.acknowledged.push({ key, at: now(), by: client.by });
        await sleep(PAUSE_MS);
      } catch {
        // READONLY, a closed connection, a time-out: look up again who the primary is.
        this.unacknowledged += 1;
        this.#drop();
      }
    }
  }

  async #connect(): Promise<{ readonly redis: Redis; readonly by: string } | null> {
    try {
      const publication = await this.#options.store.readPublication(this.#options.group);
      if (publication === null) return null;
      const { address } = publication.primary;
      const redis = this.#open(address);
      this.#client = { redis, by: `${address.host}:${address.port}` };
      await redis.connect();
      // A primary that is not one any more says so before it is written to.
      const [role] = await redis.role();
      if (role === "master") return this.#client;
    } catch {
      // Nobody there, or the table does not answer: tried again in a moment.
    }
    this.#drop();
    return null;
  }

  #open({ host, port }: Address): Redis {
    const { user, password } = this.#options.account;
    const options = {
      host,
      port,
      username: user,
      password,
      protocol: 2 as const,
      lazyConnect: true,
      connectTimeout: TIMEOUT_MS,
      commandTimeout: TIMEOUT_MS,
      disconnectTimeout: 50,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      enableReadyCheck: false,
    };
    const redis = new Redis(options);
    // The command that failed rejects as well.
    redis.on("error", () => undefined);
    return redis;
  }

  #drop(): void {
    this.#client?.redis.disconnect();
    this.#client = null;
  }
}
