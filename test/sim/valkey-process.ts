// One run of a simulated valkey-server: what it holds and what it answers. Single-threaded as the real one: a request is
// executed whole, in order of arrival, and nothing while it hangs; then whatever lies in its sockets.

import type { Address, Epoch, NodeId, NodeReading, ReplicationId, RunId } from "../../lib/core/types.ts";
import { ClientWrites } from "./client-writes.ts";
import type { Connection } from "./connection.ts";
import type { Dice } from "./dice.ts";
import type { EventQueue, Timer } from "./event-queue.ts";
import { newStream, Replication } from "./replication.ts";
import { type Position, type Saved, Stream } from "./stream.ts";
import type { SimNode } from "./valkey.ts";
import { readingAgain, settingsOf } from "./valkey-info.ts";
import {
  failure,
  isServedWhileLoading,
  type NodeFact,
  OK,
  type Operation,
  type Reply,
  type Request,
  type RestartData,
} from "./valkey-words.ts";

const CRON_MS = 1_000;
/** The cron runs again this long after a process was woken (F2: 0.3-0.4 s of writes before its counters are refreshed). */
const CRON_AFTER_WAKING_MS = [20, 400] as const;

/** What one socket holds: a process that wakes reads all of it before it turns to the next socket (N1). */
interface Unread {
  readonly connection: Connection | null;
  readonly acts: (() => void)[];
}

/** Who sent a transaction and under which epoch, for what the oracle is told. */
interface Cause {
  readonly connection: Connection;
  readonly epoch: Epoch | null;
}

export class ValkeyProcess {
  readonly node: SimNode;
  readonly id: NodeId;
  readonly queue: EventQueue;
  readonly dice: Dice;
  readonly runId: RunId;
  readonly startedAt: number;
  readonly replication: Replication;
  readonly writes = new ClientWrites(this);
  alive = true;
  stream: Stream;
  offset: number;
  secondId: { readonly id: ReplicationId; readonly offset: number } | null = null;
  follows: Address | null;
  loading = false;
  hung = false;
  busy = false;
  /** Snapshots fail: MISCONF for writes (disk full). */
  writeDead = false;
  /** FAILOVER by hand that waits for its target: writes are held, REPLICAOF is refused (N12, D3). */
  failingOver = false;
  /** Woken, and still reading what lies in its sockets before the stream. */
  #streamWaits = false;
  #idWhileStarting: ReplicationId | null = null;
  /** As a replica: it knows from where in which history it would go on. */
  #hasPosition: boolean;
  readonly #connections = new Set<Connection>();
  #inbox: Unread[] = [];
  #cron: Timer;
  #cronCount = 0;
  #reading: NodeReading | null = null;

  constructor(node: SimNode, data: RestartData, position: Saved | null, follows: Address | null) {
    this.node = node;
    this.id = node.id;
    this.queue = node.fleet.queue;
    this.dice = node.dice;
    this.runId = this.dice.hex(40) as RunId;
    this.startedAt = this.queue.now;
    this.follows = follows;
    const keepsId = (data === "rdb" || data === "old-rdb") && position !== null && position.namesHistory;
    if (keepsId && follows !== null) {
      this.stream = position.stream;
      this.offset = position.offset;
    } else if (keepsId) {
      // A primary that loads a snapshot takes a new id and keeps the old one as its second.
      this.stream = this.#branch(position);
      this.offset = position.offset;
      this.secondId = { id: position.stream.id, offset: position.offset + 1 };
    } else {
      this.stream = newStream(this, position);
      this.offset = 0;
    }
    this.#hasPosition = keepsId && follows !== null;
    this.replication = new Replication(this, keepsId && follows === null ? this.offset + 1 : null);
    this.#cron = this.queue.after(this.dice.between(1, CRON_MS), () => this.#runCron());
    this.#begin(position !== null);
  }

  #begin(hasData: boolean): void {
    if (hasData) {
      this.loading = true;
      this.#idWhileStarting = this.dice.hex(40) as ReplicationId;
      this.queue.after(this.node.options.loadMs, () => {
        this.loading = false;
        this.#idWhileStarting = null;
        this.drainInbox();
        if (this.alive && this.follows !== null) this.replication.dial();
      });
    } else if (this.follows !== null) {
      this.queue.after(1, () => {
        if (this.alive && this.follows !== null) this.replication.dial();
      });
    }
  }

  get role(): "primary" | "replica" {
    return this.follows === null ? "primary" : "replica";
  }

  get position(): Position {
    this.replication.advance();
    return { stream: this.stream, offset: this.offset };
  }

  /** A snapshot of this moment. It names a history that somebody could go on from, and no other. */
  get saved(): Saved {
    const namesHistory = this.follows === null ? this.replication.hasBacklog : this.#hasPosition;
    return { ...this.position, namesHistory };
  }

  /** Executes nothing and takes nothing in. */
  get stalled(): boolean {
    return this.hung || this.busy || this.#streamWaits || !this.alive;
  }

  currentOffset(): number {
    if (this.follows !== null) this.replication.advance();
    return this.offset;
  }

  /** A write would be accepted right now: the world's own truth, for the oracle. */
  get acceptsWrites(): boolean {
    return this.alive && !this.stalled && this.writes.accepted;
  }

  tell(fact: NodeFact): void {
    this.node.fleet.tell(fact);
  }

  // What lies in its sockets.

  /** Runs now, or when the process is awake again, in order of arrival; never after its death. */
  whenAwake(act: () => void): void {
    if (!this.alive) return;
    if (this.hung || this.loading) this.#inbox.push({ connection: null, acts: [act] });
    else act();
  }

  accept(connection: Connection): void {
    this.#connections.add(connection);
  }

  receive(connection: Connection, request: Request): void {
    if (this.hung) this.#leaveUnread(connection, () => this.#handle(connection, request));
    else this.#handle(connection, request);
  }

  hangUp(connection: Connection): void {
    if (this.hung) this.#leaveUnread(connection, () => this.#forget(connection));
    else this.#forget(connection);
  }

  #leaveUnread(connection: Connection, act: () => void): void {
    const unread = this.#inbox.find((each) => each.connection === connection);
    if (unread === undefined) this.#inbox.push({ connection, acts: [act] });
    else unread.acts.push(act);
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
    connection.abandonByServer();
    this.writes.forget(connection);
  }

  #close(connection: Connection): void {
    this.#connections.delete(connection);
    this.writes.forget(connection);
    connection.closeByServer();
  }

  hang(): void {
    if (this.hung) return;
    this.replication.advance();
    this.hung = true;
    this.tell({ kind: "hung", node: this.id });
  }

  /** Sockets are read in the order in which they became readable, the stream of its primary before, between or after. */
  wake(): void {
    if (!this.hung) return;
    this.hung = false;
    this.tell({ kind: "woke", node: this.id });
    this.#cron.cancelled = true;
    this.#cron = this.queue.after(this.dice.between(...CRON_AFTER_WAKING_MS), () => this.#runCron());
    this.replication.receivePartOfFlight(this.dice.fraction());
    this.#streamWaits = true;
    this.drainInbox();
    this.#streamWaits = false;
    this.replication.advance();
  }

  /** While it loads, clients are answered, and other servers wait. */
  drainInbox(): void {
    while (!this.hung && this.alive) {
      const next = this.loading ? this.#inbox.findIndex(({ connection }) => connection !== null) : 0;
      const [unread] = next < 0 ? [] : this.#inbox.splice(next, 1);
      if (unread === undefined) return;
      for (const act of unread.acts) act();
    }
  }

  /** `told`: its machine lives on, closes its sockets and answers connects with a reset. */
  die(told: boolean): void {
    if (this.follows !== null) this.replication.advance();
    this.alive = false;
    this.#cron.cancelled = true;
    this.replication.die(told);
    for (const connection of this.#connections) {
      if (told) connection.closeByServer();
      else connection.abandonByServer();
    }
    this.#connections.clear();
    this.#inbox = [];
    this.writes.forgetAll();
  }

  /** A network fault closes what this place has open here. */
  resetConnectionsOf(place: string): void {
    for (const connection of [...this.#connections]) if (connection.peer.name === place) this.#close(connection);
  }

  #runCron(): void {
    this.#cron = this.queue.after(CRON_MS, () => this.#runCron());
    if (this.hung || this.loading || !this.alive) return;
    this.#cronCount += 1;
    this.replication.cron(this.#cronCount);
  }

  /** A script that does not end, a full disk, a FAILOVER by hand: begun or over. */
  setFlag(flag: "busy" | "writeDead" | "failingOver", on: boolean): void {
    this.replication.advance();
    this[flag] = on;
    if (!on) this.writes.release();
  }

  // Commands.

  #handle(connection: Connection, request: Request): void {
    if (connection.closedByServer || !this.alive) return;
    const reply = this.#answer(connection, request);
    if (reply !== null) connection.reply(reply);
  }

  /** Null: blocked, or answered already. */
  #answer(connection: Connection, request: Request): Reply | null {
    if (request.kind === "auth") {
      if (this.busy) return failure("BUSY Valkey is busy running a script");
      if (this.node.options.requiresAuth && request.password !== this.node.password) {
        return failure("WRONGPASS invalid username-password pair or user is disabled.");
      }
      connection.user = this.node.options.sharedUser ? "application" : request.user;
      return OK;
    }
    if (connection.user === null && this.node.options.requiresAuth) return failure("NOAUTH Authentication required.");
    if (this.busy) return failure("BUSY Valkey is busy running a script");
    if (request.kind === "info") return { kind: "reading", reading: this.reading() };
    if (this.loading && !isServedWhileLoading(request)) {
      return failure("LOADING Valkey is loading the dataset in memory");
    }
    return this.#execute(connection, request);
  }

  #execute(connection: Connection, request: Exclude<Request, { kind: "auth" | "info" }>): Reply | null {
    switch (request.kind) {
      case "ping":
        return OK;
      case "settings":
        return { kind: "settings", settings: settingsOf(this.node.options) };
      case "transaction":
        return this.#transaction(connection, request);
      case "pause":
        return this.writes.pause(connection, request.durationMs);
      case "failover-abort":
        if (!this.failingOver) return failure("ERR No failover in progress.");
        this.failingOver = false;
        this.writes.release();
        return OK;
      case "write":
        return this.writes.write(connection, request);
      case "wait":
        return this.writes.wait(connection, request);
    }
  }

  #transaction(connection: Connection, request: Extract<Request, { kind: "transaction" }>): Reply {
    // Refused when it is queued: nothing of the transaction is carried out.
    if (this.node.forbidsReplicaof && request.operations.some(({ kind }) => kind === "replicaof")) {
      return failure("EXECABORT Transaction discarded because of previous errors.");
    }
    const cause: Cause = { connection, epoch: request.epoch };
    const before = `${this.follows?.host}:${this.follows?.port}`;
    const results = request.operations.map((operation) => this.#operate(operation, cause));
    const refused = results.some(
      (each, index) => each.kind === "error" && request.operations[index]?.kind === "replicaof",
    );
    const changed = before !== `${this.follows?.host}:${this.follows?.port}`;
    this.tell({
      kind: "executed",
      node: this.id,
      by: connection.peer.name,
      epoch: request.epoch,
      label: request.label,
      effective: changed && !refused,
    });
    return { kind: "results", results };
  }

  #operate(operation: Operation, cause: Cause): Reply {
    switch (operation.kind) {
      case "info":
        return { kind: "reading", reading: this.reading() };
      case "replicaof":
        return this.replicaof(operation.address, cause.connection.peer.name, cause.epoch);
      case "rewrite":
        return this.node.rewrite(this.follows);
      case "kill-user":
        return this.#kill(cause.connection, (each) => each.user === cause.connection.user);
      case "kill-normal":
        return this.#kill(cause.connection, () => true);
    }
  }

  /** REPLICAOF; `by` and `epoch` are who caused it, for the oracle. */
  replicaof(address: Address | null, by: string, epoch: Epoch | null): Reply {
    if (this.failingOver) return failure("ERR REPLICAOF not allowed while failing over.");
    if (address === null) {
      if (this.follows !== null) this.#promote(by, epoch);
      return OK;
    }
    if (this.follows !== null && this.follows.host === address.host && this.follows.port === address.port) return OK;
    const wasPrimary = this.follows === null;
    this.replication.advance();
    if (!wasPrimary) this.replication.drop();
    else this.#hasPosition = true;
    this.follows = address;
    this.writes.unblock();
    this.replication.dial();
    this.tell({ kind: "followed", node: this.id, address, wasPrimary, by, epoch });
    return OK;
  }

  #promote(by: string, epoch: Epoch | null): void {
    this.replication.advance();
    this.replication.drop();
    this.follows = null;
    this.secondId = { id: this.stream.id, offset: this.offset + 1 };
    this.replication.disconnectFollowers();
    this.stream = this.#branch({ stream: this.stream, offset: this.offset });
    this.tell({ kind: "promoted", node: this.id, by, epoch });
  }

  /** A new history that grows out of `base` at the same offset. */
  #branch(base: Position): Stream {
    return new Stream(this.dice.hex(40) as ReplicationId, base, base.offset, base.stream.keysAt(base.offset));
  }

  /** After `repl-backlog-ttl` without replicas (N9). */
  changeReplicationId(): void {
    this.stream = this.#branch({ stream: this.stream, offset: this.offset });
    this.secondId = null;
    this.tell({ kind: "id-changed", node: this.id });
  }

  /** Before the full synchronization of the first follower: the old id and the second one are given up (M1). */
  beginFollowedHistory(): void {
    if (this.replication.hasBacklog) return;
    this.changeReplicationId();
    this.replication.beginBacklog();
  }

  /** It has the position of what it follows. */
  linked(): void {
    this.#hasPosition = true;
    this.replication.beginBacklog();
  }

  #kill(except: Connection, matches: (connection: Connection) => boolean): Reply {
    const doomed = [...this.#connections].filter((each) => each !== except && matches(each));
    for (const connection of doomed) this.#close(connection);
    if (doomed.length > 0) this.tell({ kind: "killed-connections", node: this.id, count: doomed.length });
    return { kind: "count", count: doomed.length };
  }

  /** Bytes that are no client's write: heartbeats, GETACK. */
  appendOwn(bytes: number): void {
    this.offset = this.stream.append(bytes, this.queue.now, 0);
  }

  // What it says of itself.

  /** A starting process learns its history from the file at the end of loading; until then it has a random id. */
  get idWhileStarting(): ReplicationId | null {
    return this.#idWhileStarting;
  }

  reading(): NodeReading {
    this.replication.advance();
    this.#reading = readingAgain(this, this.#reading);
    return this.#reading;
  }
}
