// Both ends of the replication links of one simulated process: what it receives from the node it follows, and what the
// processes that follow it have. Offsets are computed when somebody looks, from when the primary appended and how long
// the link takes, so that a write costs no event per replica; whatever changes a link first takes in what had arrived.

import type { Dice } from "./dice.ts";
import { Channel } from "./network.ts";
import { contains, type Position, Stream } from "./stream.ts";
import type { ValkeyProcess } from "./valkey-process.ts";

/** Bytes of a heartbeat in the stream. */
const PING_BYTES = 14;
const GETACK_BYTES = 37;
/** TCP connect, PING, AUTH, REPLCONF and PSYNC of a replica. */
const HANDSHAKE_MS = [4, 20] as const;

type LinkState = "idle" | "connecting" | "waiting" | "transfer" | "loading" | "up";

/** A process that follows this one, as this one knows it. */
interface Follower {
  readonly process: ValkeyProcess;
  readonly attempt: number;
  state: "wait_bgsave" | "send_bulk" | "online";
  acknowledged: number;
  acknowledgedAt: number;
}

export class Replication {
  readonly #self: ValkeyProcess;
  readonly followers: Follower[] = [];
  /** Followers that `min-replicas-to-write` counts; refreshed by the cron and when one leaves. */
  goodFollowers = 0;
  /**
   * First byte offset that the backlog still has; null: there is none, because nobody ever followed this process and it was
   * linked to nobody. Its offset stands still then, and its history is begun anew with the first who follows it (M1).
   */
  #backlogStart: number | null;
  #followerless: number;
  #state: LinkState = "idle";
  #source: ValkeyProcess | null = null;
  /** Every dial is an attempt; what belongs to an earlier one is ignored. */
  #attempt = 0;
  #attemptAt = 0;
  #lagMs = 0;
  /** Two that follow each other ask in a circle. */
  #advancing = false;
  /** The stream begins with the first acknowledgement after a full synchronization (B0). */
  #flowsFrom = 0;
  #blocked = false;
  #loadedAt = 0;
  /** No more than this came before the other end closed. */
  #limit = Number.POSITIVE_INFINITY;
  #lastIoAt = 0;
  #downSince: number | null = null;

  constructor(self: ValkeyProcess, backlogStart: number | null) {
    this.#self = self;
    this.#backlogStart = backlogStart;
    this.#followerless = self.queue.now;
  }

  get hasBacklog(): boolean {
    return this.#backlogStart !== null;
  }

  beginBacklog(): void {
    this.#backlogStart ??= this.#self.offset + 1;
  }

  get linkUp(): boolean {
    return this.#state === "up";
  }

  /** The process that it receives from, also one that has ended, as long as this one has not noticed; null: none. */
  get linkedTo(): ValkeyProcess | null {
    return this.linkUp ? this.#source : null;
  }

  get syncInProgress(): boolean {
    return this.#state === "transfer" || this.#state === "loading";
  }

  get lastIoSeconds(): number {
    return Math.floor((this.#self.queue.now - this.#lastIoAt) / 1_000);
  }

  /** Null while it never was up. */
  get linkDownSeconds(): number | null {
    if (this.linkUp) return null;
    return Math.floor((this.#self.queue.now - (this.#downSince ?? this.#self.startedAt)) / 1_000);
  }

  // The end of a replica.

  /** Takes in what has arrived by now. */
  advance(): void {
    const source = this.#source;
    const self = this.#self;
    const now = self.queue.now;
    if (this.#state !== "up" || source === null || this.#blocked || self.stalled || now < this.#flowsFrom) return;
    if (this.#advancing) return;
    this.#advancing = true;
    const written = self.stream.endAt(now - this.#lagMs, self.offset);
    const sent = source.stream === self.stream && source.alive ? Math.min(source.currentOffset(), written) : written;
    this.#advancing = false;
    const arrived = Math.min(sent, this.#limit);
    if (arrived <= self.offset) return;
    self.offset = arrived;
    this.#lastIoAt = Math.max(this.#lastIoAt, (self.stream.timeOf(arrived) ?? 0) + this.#lagMs);
  }

  /** How far along the link takes `fraction` of what is still under way. */
  receivePartOfFlight(fraction: number): void {
    const before = this.#self.offset;
    this.advance();
    this.#self.offset = before + Math.floor((this.#self.offset - before) * fraction);
  }

  dial(): void {
    const self = this.#self;
    const target = self.node.fleet.nodeAt(self.follows);
    this.#attempt += 1;
    this.#state = "idle";
    this.#source = null;
    if (target === null || target === self.node) return;
    const attempt = this.#attempt;
    this.#state = "connecting";
    this.#attemptAt = self.queue.now;
    const out = new Channel(self.node.pathTo(target));
    const back = new Channel(target.pathTo(self.node));
    const knock = () => {
      if (!target.powered) return;
      const process = target.process;
      if (process === null) back.send(() => this.#refused(attempt));
      // The connection stands only when the answer has come back and the third packet has gone out.
      else
        back.send(() =>
          out.send(() => process.whenAwake(() => process.replication.#acceptFollower(self, attempt, back))),
        );
    };
    self.queue.after(self.dice.between(...HANDSHAKE_MS), () => out.send(knock));
  }

  /** This end closes its link: followed by another target, or by a timeout. */
  drop(): void {
    this.advance();
    const source = this.#source;
    const attempt = this.#attempt;
    const self = this.#self;
    this.#attempt += 1;
    const wasUp = this.#state === "up";
    this.#forgetLink();
    if (source === null) return;
    if (wasUp) self.tell({ kind: "link-down", node: self.id, from: source.id });
    new Channel(self.node.pathTo(source.node)).send(() => {
      source.whenAwake(() => source.replication.#removeFollower(self, attempt));
    });
  }

  #forgetLink(): void {
    if (this.#state === "up") this.#downSince = this.#self.queue.now;
    this.#state = "idle";
    this.#source = null;
    this.#limit = Number.POSITIVE_INFINITY;
  }

  #refused(attempt: number): void {
    if (attempt !== this.#attempt || this.#state !== "connecting") return;
    this.#state = "idle";
    this.#source = null;
  }

  #closedByPrimary(attempt: number): void {
    if (attempt !== this.#attempt || !this.#self.alive) return;
    if (this.#state === "loading") {
      // Loading is synchronous: the closed socket is seen when it is done.
      this.#self.queue.after(this.#loadedAt - this.#self.queue.now, () => this.#closedByPrimary(attempt));
      return;
    }
    this.drop();
    if (this.#self.follows !== null) this.dial();
  }

  #continued(source: ValkeyProcess, attempt: number): void {
    const self = this.#self;
    if (attempt !== this.#attempt) return;
    if (source.stream !== self.stream) {
      self.secondId = { id: self.stream.id, offset: self.offset + 1 };
      self.stream = source.stream;
      this.disconnectFollowers();
    }
    this.#linked(source, 0);
    self.tell({ kind: "link-up", node: self.id, from: source.id, how: "partial" });
  }

  #linked(source: ValkeyProcess, delayMs: number): void {
    const self = this.#self;
    const path = source.node.pathTo(self.node);
    self.linked();
    this.#state = "up";
    this.#source = source;
    this.#lagMs = path.latencyMs() + self.node.options.applyMs;
    this.#flowsFrom = self.queue.now + delayMs;
    this.#lastIoAt = self.queue.now;
    this.#blocked = this.#cut(source);
  }

  #transferBegan(attempt: number): void {
    if (attempt !== this.#attempt) return;
    this.#state = "transfer";
    this.#lastIoAt = this.#self.queue.now;
  }

  /** The snapshot is here: the old data goes, the new is loaded, nothing else is served meanwhile. */
  #transferred(source: ValkeyProcess, attempt: number, snapshot: Position): void {
    const self = this.#self;
    if (attempt !== this.#attempt || this.#state !== "transfer") return;
    this.#state = "loading";
    this.#loadedAt = self.queue.now + self.node.options.loadMs;
    self.loading = true;
    // The received file stays in the directory as a snapshot (C7).
    self.node.snapshot = { ...snapshot, namesHistory: true };
    this.disconnectFollowers();
    self.tell({ kind: "flushed", node: self.id, from: source.id });
    self.queue.after(self.node.options.loadMs, () => {
      if (!self.alive) return;
      self.loading = false;
      self.stream = snapshot.stream;
      self.offset = snapshot.offset;
      self.secondId = null;
      this.#backlogStart = snapshot.offset + 1;
      this.#linked(source, self.dice.between(0, 1_000));
      self.tell({ kind: "link-up", node: self.id, from: source.id, how: "full" });
      self.drainInbox();
    });
  }

  // The end of a primary.

  #acceptFollower(follower: ValkeyProcess, attempt: number, back: Channel): void {
    const self = this.#self;
    const theirs = follower.replication;
    if (!self.alive || theirs.#attempt !== attempt) return;
    this.advance();
    const authorised = !self.node.options.requiresAuth || follower.node.options.primaryAuthSet;
    // A replica without a link answers NOMASTERLINK.
    const serves = self.follows === null || this.linkUp;
    if (!authorised || !serves || self.loading || self.busy) {
      back.send(() => theirs.#refused(attempt));
      return;
    }
    const record: Follower = {
      process: follower,
      attempt,
      state: "wait_bgsave",
      // What it has of another history says nothing: it counts from its first acknowledgement on.
      acknowledged: 0,
      acknowledgedAt: self.queue.now,
    };
    this.#removeProcess(follower);
    this.followers.push(record);
    theirs.#source = self;
    if (this.#canContinue(follower)) {
      record.state = "online";
      this.refreshGoodFollowers();
      back.send(() => follower.whenAwake(() => theirs.#continued(self, attempt)));
    } else {
      self.beginFollowedHistory();
      const delay = self.node.options.disklessSyncDelaySeconds * 1_000 + self.dice.between(1, 15);
      self.queue.after(delay, () => self.whenAwake(() => this.#sendSnapshot(record, back)));
    }
  }

  /** Valkey's rule: the same history, or the second one up to where it ended here, and the backlog still has the rest. */
  #canContinue(follower: ValkeyProcess): boolean {
    const self = this.#self;
    const { stream, offset } = follower;
    const second = self.secondId;
    if (this.#backlogStart === null) return false;
    const known =
      stream.id === self.stream.id || (second !== null && stream.id === second.id && offset + 1 <= second.offset);
    const oldest = Math.max(this.#backlogStart, self.offset - self.node.options.backlogBytes + 1);
    const continues = known && offset + 1 >= oldest && offset <= self.offset;
    if (continues && !contains({ stream: self.stream, offset: self.offset }, { stream, offset })) {
      throw new Error(`simulation: a partial synchronization of data that ${self.id} does not have`);
    }
    return continues;
  }

  #sendSnapshot(record: Follower, back: Channel): void {
    const self = this.#self;
    const follower = record.process;
    if (!self.alive || !this.followers.includes(record)) return;
    this.advance();
    const snapshot: Position = { stream: self.stream, offset: self.offset };
    record.state = "send_bulk";
    back.send(() => follower.whenAwake(() => follower.replication.#transferBegan(record.attempt)));
    self.queue.after(self.node.options.transferMs, () => {
      self.whenAwake(() => {
        if (!self.alive || !this.followers.includes(record)) return;
        back.send(() => {
          follower.whenAwake(() => follower.replication.#transferred(self, record.attempt, snapshot));
        });
      });
    });
  }

  #removeFollower(process: ValkeyProcess, attempt: number): void {
    const index = this.followers.findIndex((each) => each.process === process && each.attempt === attempt);
    if (index >= 0) this.#remove(index);
  }

  #removeProcess(process: ValkeyProcess): void {
    const index = this.followers.findIndex((each) => each.process === process);
    if (index >= 0) this.#remove(index);
  }

  #remove(index: number): void {
    this.followers.splice(index, 1);
    if (this.followers.length === 0) this.#followerless = this.#self.queue.now;
    this.refreshGoodFollowers();
  }

  /** The server closes the links of all that follow it; what it had sent still arrives before the FIN. */
  disconnectFollowers(): void {
    const sent = this.#self.offset;
    for (const { process, attempt } of this.followers.splice(0)) {
      process.replication.#close(this.#self, attempt, sent);
    }
    this.#followerless = this.#self.queue.now;
    this.goodFollowers = 0;
  }

  /** The process died: some of what was under way got out; without power nobody is told. */
  die(told: boolean): void {
    const { dice, queue, node, stream } = this.#self;
    for (const { process, attempt } of this.followers.splice(0)) {
      process.replication.advance();
      const left = stream.endAt(queue.now - dice.between(0, 2), process.offset);
      if (told) process.replication.#close(this.#self, attempt, left);
      else process.replication.#limitTo(attempt, left);
    }
    if (!told || this.#source === null) return;
    const source = this.#source;
    const attempt = this.#attempt;
    new Channel(node.pathTo(source.node)).send(() => {
      source.whenAwake(() => source.replication.#removeFollower(this.#self, attempt));
    });
  }

  #close(source: ValkeyProcess, attempt: number, sent: number): void {
    this.#limitTo(attempt, sent);
    const self = this.#self;
    new Channel(source.node.pathTo(self.node)).send(() => self.whenAwake(() => this.#closedByPrimary(attempt)));
  }

  #limitTo(attempt: number, sent: number): void {
    if (attempt === this.#attempt) this.#limit = Math.min(this.#limit, sent);
  }

  followersAcknowledged(): boolean {
    return this.followers.every(({ acknowledged }) => acknowledged >= this.#self.offset);
  }

  followersCaughtUp(): boolean {
    return this.followers.every(({ process }) => {
      process.replication.advance();
      return process.stream === this.#self.stream && process.offset >= this.#self.offset;
    });
  }

  refreshGoodFollowers(): void {
    const { queue, node } = this.#self;
    const maxLagMs = node.options.minReplicasMaxLagSeconds * 1_000;
    this.goodFollowers = this.followers.filter(
      (each) => each.state === "online" && queue.now - each.acknowledgedAt <= maxLagMs + 999,
    ).length;
  }

  /** WAIT's GETACK: every follower that can answers as soon as it has read it. */
  askForAcknowledgements(): void {
    const self = this.#self;
    if (this.followers.length === 0) return;
    self.appendOwn(GETACK_BYTES);
    for (const record of this.followers) {
      const { process, attempt } = record;
      const there = new Channel(self.node.pathTo(process.node));
      there.send(() => {
        self.queue.after(process.replication.#lagMs, () =>
          process.whenAwake(() => process.replication.#acknowledge(self, attempt)),
        );
      });
    }
  }

  #acknowledge(source: ValkeyProcess, attempt: number): void {
    const self = this.#self;
    if (attempt !== this.#attempt || this.#state !== "up" || this.#source !== source) return;
    this.advance();
    const offset = self.offset;
    const sentAt = self.queue.now;
    new Channel(self.node.pathTo(source.node)).send(() => {
      source.whenAwake(() => source.replication.#acknowledged(self, attempt, offset, sentAt));
    });
  }

  #acknowledged(process: ValkeyProcess, attempt: number, offset: number, at: number): void {
    const record = this.followers.find((each) => each.process === process && each.attempt === attempt);
    if (record === undefined) return;
    record.state = "online";
    record.acknowledged = Math.max(record.acknowledged, offset);
    record.acknowledgedAt = Math.max(record.acknowledgedAt, at);
    this.#self.writes.acknowledged();
  }

  // Both.

  /** Once a second. */
  cron(seconds: number): void {
    const self = this.#self;
    this.advance();
    if (self.follows === null) this.#cronOfPrimary(seconds);
    else this.#cronOfReplica();
  }

  #cronOfPrimary(seconds: number): void {
    const { queue, node } = this.#self;
    const { pingReplicaPeriodSeconds, replTimeoutSeconds, backlogTtlSeconds } = node.options;
    if (this.followers.length > 0 && seconds % pingReplicaPeriodSeconds === 0) this.#self.appendOwn(PING_BYTES);
    for (const record of [...this.followers]) {
      if (queue.now - record.acknowledgedAt <= replTimeoutSeconds * 1_000) continue;
      this.#removeFollower(record.process, record.attempt);
      record.process.replication.#close(this.#self, record.attempt, this.#self.offset);
    }
    this.refreshGoodFollowers();
    const alone = this.followers.length === 0 && queue.now - this.#followerless > backlogTtlSeconds * 1_000;
    if (!alone || !this.hasBacklog) return;
    this.#self.changeReplicationId();
    this.#backlogStart = null;
  }

  #cronOfReplica(): void {
    const self = this.#self;
    const now = self.queue.now;
    const timeoutMs = self.node.options.replTimeoutSeconds * 1_000;
    if (this.#state === "idle") {
      this.dial();
    } else if (this.#state === "connecting") {
      if (now - this.#attemptAt > timeoutMs) this.dial();
    } else if (this.#state !== "loading" && now - this.#lastIoAt > timeoutMs) {
      this.drop();
      this.dial();
    } else if (this.#state === "up" && this.#source !== null && !this.#cut(this.#source)) {
      this.#sendAcknowledgement(this.#source);
    }
  }

  #sendAcknowledgement(source: ValkeyProcess): void {
    const self = this.#self;
    if (source.alive) {
      const { offset } = self;
      const attempt = this.#attempt;
      const now = self.queue.now;
      source.whenAwake(() => source.replication.#acknowledged(self, attempt, offset, now));
    } else if (source.node.powered) {
      // The machine is back without that process: it resets the connection.
      this.#closedByPrimary(this.#attempt);
    }
  }

  #cut(source: ValkeyProcess): boolean {
    return this.#self.node.pathTo(source.node).cut || source.node.pathTo(this.#self.node).cut;
  }

  /** After the network changed: TCP needs both directions. */
  networkChanged(): void {
    const source = this.#source;
    if (source === null || this.#state !== "up") return;
    const cut = this.#cut(source);
    if (cut) {
      this.#blocked = true;
    } else if (this.#blocked) {
      const attempt = this.#attempt;
      this.#self.queue.after(source.node.pathTo(this.#self.node).retransmissionMs(), () => {
        if (attempt === this.#attempt && this.#source !== null && !this.#cut(this.#source)) this.#unblock();
      });
    }
  }

  #unblock(): void {
    this.#blocked = false;
    const before = this.#self.offset;
    this.advance();
    if (this.#self.offset > before) this.#lastIoAt = this.#self.queue.now;
  }
}

/** A stream for a process that knows no history. */
export const newStream = (owner: { readonly dice: Dice }, base: Position | null): Stream =>
  new Stream(owner.dice.hex(40) as Stream["id"], base, 0, base === null ? 0 : base.stream.keysAt(base.offset));
