// What clients have written to one simulated process: refused, held back while it is paused, appended to its history, and
// waited for with WAIT until replicas have it.

import type { Connection } from "./connection.ts";
import type { Timer } from "./event-queue.ts";
import { Stream } from "./stream.ts";
import type { ValkeyProcess } from "./valkey-process.ts";
import { failure, OK, type Reply, type Request } from "./valkey-words.ts";

const WRITE_BYTES = [60, 120] as const;

type Write = Extract<Request, { kind: "write" }>;
type Wait = Extract<Request, { kind: "wait" }>;

interface Waiter {
  readonly connection: Connection;
  readonly offset: number;
  readonly replicas: number;
  readonly timer: Timer;
}

interface HeldWrite {
  readonly connection: Connection;
  readonly request: Write;
}

export class ClientWrites {
  readonly #self: ValkeyProcess;
  #pausedUntil = 0;
  #lastCommandOffset = 0;
  #waiters: Waiter[] = [];
  #held: HeldWrite[] = [];

  constructor(self: ValkeyProcess) {
    this.#self = self;
  }

  /** One that arrived now would be executed now, as far as it is up to these. */
  get accepted(): boolean {
    return !this.#holdsBack && this.#refusal() === null;
  }

  get #paused(): boolean {
    return this.#self.queue.now < this.#pausedUntil;
  }

  get #holdsBack(): boolean {
    return this.#paused || this.#self.failingOver;
  }

  forget(connection: Connection): void {
    this.#waiters = this.#waiters.filter((each) => each.connection !== connection);
    this.#held = this.#held.filter((each) => each.connection !== connection);
  }

  forgetAll(): void {
    this.#waiters = [];
    this.#held = [];
  }

  /** SIGTERM arrived: no write is accepted any more. */
  stop(): void {
    this.#pausedUntil = Number.POSITIVE_INFINITY;
  }

  /** CLIENT PAUSE ... WRITE. */
  pause(connection: Connection, durationMs: number): Reply {
    const { id, queue } = this.#self;
    this.#pausedUntil = Math.max(this.#pausedUntil, queue.now + durationMs);
    queue.at(this.#pausedUntil, () => this.release());
    this.#self.tell({ kind: "paused", node: id, by: connection.peer.name, untilMs: this.#pausedUntil });
    return OK;
  }

  /** CLIENT UNPAUSE. */
  unpause(): void {
    this.#pausedUntil = 0;
    this.release();
  }

  /** Carries out what was held back, unless something else still holds it. */
  release(): void {
    if (this.#holdsBack || !this.#self.alive) return;
    this.#self.whenAwake(() => {
      for (const { connection, request } of this.#held.splice(0)) this.#self.receive(connection, request);
    });
  }

  write(connection: Connection, request: Write): Reply | null {
    const refusal = this.#refusal();
    if (refusal !== null) return failure(refusal);
    if (this.#holdsBack) {
      this.#held.push({ connection, request });
      return null;
    }
    const self = this.#self;
    const bytes = Math.floor(self.dice.between(...WRITE_BYTES));
    self.offset = self.stream.append(bytes, self.queue.now, 1);
    this.#lastCommandOffset = self.offset;
    self.node.fleet.wrote(request.write, self);
    if (!self.replication.hasBacklog) this.#forgetBytes(self.offset - bytes);
    return OK;
  }

  wait(connection: Connection, request: Wait): Reply | null {
    const self = this.#self;
    if (self.follows !== null) return failure("ERR WAIT cannot be used with replica instances.");
    const offset = this.#lastCommandOffset;
    const have = this.#acknowledgedUpTo(offset);
    if (have >= request.replicas) return { kind: "count", count: have };
    self.replication.askForAcknowledgements();
    const timer = self.queue.after(request.timeoutMs, () => {
      self.whenAwake(() => this.#expire(connection, offset));
    });
    this.#waiters.push({ connection, offset, replicas: request.replicas, timer });
    return null;
  }

  /** Followers have acknowledged more than before. */
  acknowledged(): void {
    if (this.#waiters.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => {
      const have = this.#acknowledgedUpTo(waiter.offset);
      if (have < waiter.replicas) return true;
      waiter.timer.cancelled = true;
      waiter.connection.reply({ kind: "count", count: have });
      return false;
    });
  }

  /** Whoever waits for replicas must not take a demotion for an acknowledgement (I5). */
  unblock(): void {
    for (const waiter of this.#waiters.splice(0)) {
      waiter.timer.cancelled = true;
      waiter.connection.reply(failure("UNBLOCKED force unblock from blocking operation, instance state changed"));
    }
  }

  #refusal(): string | null {
    const self = this.#self;
    const { minReplicasToWrite, savesSnapshots, stopWritesOnBgsaveError } = self.node.options;
    if (self.loading) return "LOADING Valkey is loading the dataset in memory";
    if (self.writeDead && savesSnapshots && stopWritesOnBgsaveError)
      return "MISCONF Valkey is configured to save RDB snapshots";
    if (self.follows !== null) return "READONLY You can't write against a read only replica.";
    if (self.replication.goodFollowers < minReplicasToWrite) return "NOREPLICAS Not enough good replicas to write.";
    return null;
  }

  /** Without a backlog nothing is appended to: the data has changed, the offset has not, or by one with an append-only file. */
  #forgetBytes(before: number): void {
    const { stream, offset, node } = this.#self;
    const start = before + (node.options.appendOnly ? 1 : 0);
    this.#self.stream = new Stream(stream.id, { stream, offset }, start, stream.keysAt(offset));
    this.#self.offset = start;
    this.#lastCommandOffset = start;
  }

  #expire(connection: Connection, offset: number): void {
    const waiter = this.#waiters.find((each) => each.connection === connection && each.offset === offset);
    if (waiter === undefined) return;
    this.#waiters = this.#waiters.filter((each) => each !== waiter);
    connection.reply({ kind: "count", count: this.#acknowledgedUpTo(offset) });
  }

  #acknowledgedUpTo(offset: number): number {
    let count = 0;
    for (const follower of this.#self.replication.followers) {
      if (follower.state === "online" && follower.acknowledged >= offset) count += 1;
    }
    return count;
  }
}
