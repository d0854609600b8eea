// What the Valkey port's contract needs of a world: a few nodes that can be hurt, voters that reach them, and time. A world
// may be real or simulated, so nothing in the contract waits by itself: it asks the world to.

import type { Address } from "../../lib/core/types.ts";
import type { Clock } from "../../lib/ports/clock.ts";
import type { ValkeyNodes } from "../../lib/ports/valkey-node.ts";

export interface WorldOptions {
  /** Three nodes unless said: the first is the primary, the others follow it and are in sync. */
  readonly nodes?: number;
  /** `rdb`: saved at a clean end, and when asked to. */
  readonly persistence?: "none" | "rdb" | "aof";
  /** Seconds between a primary's heartbeats, which move its offset: 1 unless said. */
  readonly heartbeatSeconds?: number;
  /** What a simulated world draws from. */
  readonly seed?: string;
}

/** An application that keeps one connection to a node. */
export interface NodeClient {
  /** False: refused, or the connection was lost before the answer. */
  write(): PromiseLike<boolean>;
  /** One that can be told from all others: `OK`, the first word of the refusal, or `cut`. */
  set(write: number): PromiseLike<string>;
  /** WAIT: how many replicas have what this connection wrote, the first word of the refusal, or `cut`. */
  wait(replicas: number, timeoutMs: number): PromiseLike<string>;
  /** The node has closed its connection. */
  isCut(): PromiseLike<boolean>;
  close(): void;
}

export interface NodeUnderTest {
  readonly address: Address;
  /** Ends at once; nothing is saved. */
  kill(): PromiseLike<void>;
  /** Ends as on SIGTERM. */
  shutDown(): PromiseLike<void>;
  /** Starts the ended node at the same address, boot-fenced unless said, and waits until it answers. */
  restart(data: "kept" | "emptied", boot?: "fenced" | "plain"): PromiseLike<void>;
  /** It stops executing; connections stay, and new ones are made by its kernel. */
  hang(): void;
  wake(): void;
  openClient(): PromiseLike<NodeClient>;
  /** Starts a coordinated failover that waits for its target: it goes on until aborted. */
  beginFailover(target: Address): PromiseLike<void>;
  /** CLIENT KILL TYPE replica: the links of all that follow it are closed. */
  cutFollowers(): PromiseLike<void>;
  /** It writes neither a snapshot nor an append-only file anew: what it has on disk is all that it will have for now. */
  isSaved(): PromiseLike<boolean>;
  /** CLIENT UNPAUSE by somebody. */
  unpause(): PromiseLike<void>;
  /** Which of these writes (of `NodeClient.set`) are in its data. */
  holds(writes: readonly number[]): PromiseLike<readonly number[]>;
  /** From now on CONFIG REWRITE fails. */
  loseConfigFile(): void;
}

export interface NodeWorld {
  readonly nodes: readonly NodeUnderTest[];
  readonly clock: Clock;
  /** A voter of its own: its connections are nobody else's. Closed with the world. */
  openVoter(): ValkeyNodes;
  /** Lets the world go on until the value is there. */
  settled<T>(value: PromiseLike<T>): Promise<T>;
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

export type MakeNodeWorld = (options: WorldOptions) => Promise<NodeWorld>;
