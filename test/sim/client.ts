// Applications: each writes one value after the other, no two of them ever the same, waits for k replicas if it was told
// to, and remembers what it was told. One that follows looks the primary up after every error; one that stays keeps to the
// node it has, as a client with a configured address does.

import type { Address, NodeId } from "../../lib/core/types.ts";
import { Connection } from "./connection.ts";
import type { Dice } from "./dice.ts";
import type { EventQueue, Timer } from "./event-queue.ts";
import type { Network, Place } from "./network.ts";
import { contains, type Position } from "./stream.ts";
import type { Fleet, SimNode } from "./valkey.ts";
import type { ValkeyProcess } from "./valkey-process.ts";
import type { Reply } from "./valkey-words.ts";

/** What became of one write. */
export interface WriteRecord {
  readonly id: number;
  readonly client: string;
  readonly sentAt: number;
  /** Where it was carried out; null: nowhere, as far as anybody knows. */
  position: Position | null;
  node: NodeId | null;
  executedAt: number | null;
  acknowledgedAt: number | null;
  /** -1: no answer, or an error; 0: acknowledged; k: that many replicas had it when WAIT answered, be it fewer than asked for. */
  level: number;
}

/** Every write of a world, by id. */
export class WriteLog {
  readonly records: WriteRecord[] = [];

  open(client: string, sentAt: number): WriteRecord {
    const record: WriteRecord = {
      id: this.records.length,
      client,
      sentAt,
      position: null,
      node: null,
      executedAt: null,
      acknowledgedAt: null,
      level: -1,
    };
    this.records.push(record);
    return record;
  }

  executed(id: number, process: ValkeyProcess, at: number): void {
    const record = this.records[id];
    if (record === undefined) return;
    record.position = { stream: process.stream, offset: process.offset };
    record.node = process.id;
    record.executedAt = at;
  }

  /** Acknowledged at `level` or above, and not in the data at `position`. */
  missing(position: Position, level: number): readonly WriteRecord[] {
    return this.records.filter(
      (record) => record.level >= level && record.position !== null && !contains(position, record.position),
    );
  }
}

export interface ClientOptions {
  readonly name: string;
  readonly zone: string;
  readonly waitFor: number;
  readonly everyMs: number;
  /** `follow`: asks where the primary is after an error; `stay`: keeps to the node that it found first. */
  readonly habit: "follow" | "stay";
}

const ANSWER_TIMEOUT_MS = 1_000;
const WAIT_TIMEOUT_MS = 500;
const RETRY_MS = [20, 120] as const;

export interface ClientWorld {
  readonly queue: EventQueue;
  readonly network: Network;
  readonly fleet: Fleet;
  readonly log: WriteLog;
  /** What the publication that this client reads says. */
  readonly resolve: () => Address | null;
  readonly dice: Dice;
}

export class SimClient {
  readonly options: ClientOptions;
  readonly #world: ClientWorld;
  readonly #place: Place;
  #connection: Connection | null = null;
  #node: SimNode | null = null;
  #record: WriteRecord | null = null;
  #waiting = false;
  #authenticated = false;
  #timeout: Timer | null = null;
  #next: Timer | null = null;
  #stopped = false;

  constructor(options: ClientOptions, world: ClientWorld) {
    this.options = options;
    this.#world = world;
    this.#place = { name: `client:${options.name}`, zone: options.zone };
  }

  start(): void {
    this.#later(this.#world.dice.between(0, this.options.everyMs));
  }

  stop(): void {
    this.#stopped = true;
    this.#connection?.close();
  }

  #begin(): void {
    if (this.#connection !== null) {
      this.#write();
      return;
    }
    const stays = this.options.habit === "stay" && this.#node !== null;
    const node = stays ? this.#node : this.#world.fleet.nodeAt(this.#world.resolve());
    if (node === null) {
      this.#again();
      return;
    }
    this.#node = node;
    this.#authenticated = false;
    this.#connection = new Connection(this.#world.network, this.#place, node, {
      onOpen: () => this.#connection?.send({ kind: "auth", user: "application", password: node.password }),
      onClosed: () => this.#fail(),
      onReply: (reply) => this.#take(reply),
    });
    this.#expectAnswer();
  }

  #write(): void {
    const record = this.#world.log.open(this.options.name, this.#world.queue.now);
    this.#record = record;
    this.#waiting = false;
    this.#connection?.send({ kind: "write", write: record.id });
    this.#expectAnswer();
  }

  #take(reply: Reply): void {
    if (reply.kind === "error") {
      this.#fail();
    } else if (!this.#authenticated) {
      this.#authenticated = true;
      this.#answered();
      this.#write();
    } else if (this.#waiting) {
      this.#acknowledge(reply.kind === "count" ? reply.count : 0);
    } else if (this.options.waitFor > 0) {
      this.#waiting = true;
      this.#connection?.send({ kind: "wait", replicas: this.options.waitFor, timeoutMs: WAIT_TIMEOUT_MS });
      this.#expectAnswer();
    } else {
      this.#acknowledge(0);
    }
  }

  #acknowledge(level: number): void {
    this.#answered();
    const record = this.#record;
    if (record !== null) {
      record.level = level;
      record.acknowledgedAt = this.#world.queue.now;
    }
    this.#record = null;
    this.#later(this.options.everyMs * this.#world.dice.between(0.8, 1.2));
  }

  #fail(): void {
    this.#answered();
    // SET was answered and WAIT was not: the write is acknowledged, by the node alone.
    if (this.#waiting && this.#record !== null) {
      this.#record.level = 0;
      this.#record.acknowledgedAt = this.#world.queue.now;
    }
    this.#record = null;
    this.#waiting = false;
    this.#connection?.close();
    this.#connection = null;
    this.#again();
  }

  #again(): void {
    this.#later(this.#world.dice.between(...RETRY_MS));
  }

  #expectAnswer(): void {
    this.#answered();
    this.#timeout = this.#world.queue.after(ANSWER_TIMEOUT_MS, () => this.#fail());
  }

  #answered(): void {
    if (this.#timeout !== null) this.#timeout.cancelled = true;
    this.#timeout = null;
  }

  /** One at a time: a connection that is closed while the next write is awaited begins no second row of writes. */
  #later(ms: number): void {
    if (this.#next !== null) this.#next.cancelled = true;
    this.#next = this.#world.queue.after(ms, () => {
      this.#next = null;
      if (!this.#stopped) this.#begin();
    });
  }
}
