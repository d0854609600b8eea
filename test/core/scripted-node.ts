// One Valkey node of the scripted world: what it holds, and what the coordinator's commands do to it, at once and
// without a network. Data is a list of writes, so that an offset is a count and "lost" is a question about lists.

import { BOOT_FENCE, tokenAddress } from "../../lib/core/token.ts";
import type {
  Address,
  ConnectionRef,
  Epoch,
  Instant,
  NodeCommand,
  NodeId,
  NodeOutcome,
  NodeReading,
  ReplicationId,
  Role,
  RunId,
  VoterId,
} from "../../lib/core/types.ts";
import { addressOf, history, reading, run } from "./builders.ts";

export type Change = Exclude<NodeCommand, { kind: "pause" | "abort-failover" }>;

/** Fresh ids, the same in every run of one test. */
export class Ids {
  #last = 15;
  next(): number {
    this.#last += 1;
    return this.#last;
  }
}

export class ScriptedNode {
  readonly id: NodeId;
  readonly address: Address;
  readonly #ids: Ids;
  runId: RunId;
  role: Role = "replica";
  follows: Address | null = BOOT_FENCE;
  replicationId: ReplicationId;
  second: { readonly id: ReplicationId; readonly offset: number } | null = null;
  log: readonly string[] = [];
  isUp = true;
  /** Alive, and answers nobody. */
  isHung = false;
  /** Its link is up, and nothing comes through. */
  isLagging = false;
  isLinked = false;
  /** Its rules for the coordinator's user refuse REPLICAOF, and with it the whole transaction. */
  forbidsReplicaof = false;
  pausedUntil = 0;
  priority = 100;
  /** Highest epoch whose command took effect here. */
  touchedBy = 0 as Epoch;
  readonly connections = new Map<number, { readonly voter: VoterId; readonly ref: ConnectionRef }>();

  constructor(id: NodeId, n: number, ids: Ids) {
    this.id = id;
    this.address = addressOf(id);
    this.runId = run(n);
    this.replicationId = history(10 + n);
    this.#ids = ids;
  }

  read(): NodeReading {
    return reading({
      runId: this.runId,
      role: this.role,
      replicationId: this.replicationId,
      secondReplicationId: this.second?.id ?? null,
      secondReplicationOffset: this.second?.offset ?? null,
      offset: this.log.length,
      follows: this.follows,
      linkUp: this.role === "replica" && this.isLinked,
      keyCount: this.log.length,
      priority: this.priority,
    });
  }

  /** The voter's connection, or a new one whose AUTH is answered at `at`. */
  connect(voter: VoterId, at: Instant): ConnectionRef {
    const known = this.connectionOf(voter);
    if (known !== null) return known;
    const ref = { id: this.#ids.next(), authenticatedAt: at };
    this.connections.set(ref.id, { voter, ref });
    return ref;
  }

  connectionOf(voter: VoterId): ConnectionRef | null {
    return [...this.connections.values()].find((each) => each.voter === voter)?.ref ?? null;
  }

  /** Carries a command out whose connection lives, as the adapter and the server do together. */
  execute(command: NodeCommand, now: number): NodeOutcome {
    const over = this.connections.get(command.connection);
    if (over === undefined || !this.isUp) return { kind: "refused", detail: "connection lost", reading: null };
    if (command.kind === "pause") {
      this.pausedUntil = Math.max(this.pausedUntil, now + command.durationMs);
      return { kind: "done" };
    }
    if (command.kind === "abort-failover") return { kind: "done" };
    if (this.forbidsReplicaof && command.kind !== "settle") return { kind: "refused", detail: "NOPERM", reading: null };
    const before = this.read();
    const mismatch = command.kind === "promote" ? whyNot(before, command) : null;
    if (mismatch !== null) return { kind: "refused", detail: mismatch, reading: before };
    this.#change(command);
    for (const id of this.connections.keys()) if (id !== command.connection) this.connections.delete(id);
    return { kind: "applied", before, after: this.read(), rewriteError: null, connection: over.ref };
  }

  #change(command: Change): void {
    switch (command.kind) {
      case "freeze":
        return this.follow(tokenAddress(command.epoch));
      case "repoint":
        return this.follow(command.to);
      case "settle":
        return;
      case "promote":
        this.promote();
    }
  }

  follow(address: Address): void {
    this.role = "replica";
    this.follows = address;
    this.isLinked = false;
  }

  promote(): void {
    if (this.role === "primary") return;
    this.second = { id: this.replicationId, offset: this.log.length + 1 };
    this.replicationId = history(this.#ids.next());
    this.role = "primary";
    this.follows = null;
    this.isLinked = false;
  }

  /** Takes over what `from` has, in part or in full, by Valkey's rule. */
  synchronize(from: ScriptedNode): void {
    const isSame = this.replicationId === from.replicationId && this.log.length <= from.log.length;
    const isFork = this.replicationId === from.second?.id && this.log.length < from.second.offset;
    if (isFork) this.second = { id: this.replicationId, offset: this.log.length + 1 };
    if (!isSame && !isFork) this.second = null;
    this.replicationId = from.replicationId;
    this.log = from.log;
    this.isLinked = true;
  }

  kill(): void {
    this.isUp = false;
    this.isLinked = false;
    this.connections.clear();
  }

  /** Starts again behind its boot fence, or as the primary that its own file makes it. */
  restart(options: { readonly keepsData: boolean; readonly fenced: boolean }): void {
    const { keepsData, fenced } = options;
    this.isUp = true;
    this.isHung = false;
    this.connections.clear();
    this.pausedUntil = 0;
    this.runId = run(this.#ids.next());
    this.role = fenced ? "replica" : "primary";
    this.follows = fenced ? BOOT_FENCE : null;
    this.isLinked = false;
    if (keepsData && fenced) return;
    this.replicationId = history(this.#ids.next());
    this.second = null;
    if (!keepsData) this.log = [];
  }
}

function whyNot(before: NodeReading, { expect }: Extract<NodeCommand, { kind: "promote" }>): string | null {
  if (before.runId !== expect.runId) return "another process";
  if (before.role !== "replica") return "it is a primary already";
  if (before.replicationId !== expect.replicationId) return "another history";
  if (before.offset !== expect.offset) return `offset ${before.offset} instead of ${expect.offset}`;
  if (expect.tokenHost !== null && before.follows?.host !== expect.tokenHost) return "another token";
  return null;
}
