// The Valkey port of a simulated voter: the real adapter's rules about connections (one kept, one that hangs left open for
// a parked freeze, a new one taking its place when it answers) over simulated sockets.

import { TOKEN_PORT, tokenAddress } from "../../lib/core/token.ts";
import {
  type Address,
  after,
  elapsedMs,
  type Instant,
  type NodeCommand,
  type NodeId,
  type NodeOutcome,
  type NodeReading,
  type NodeSettings,
  type Observation,
  type PromotionExpectation,
  type RunId,
} from "../../lib/core/types.ts";
import type { Clock } from "../../lib/ports/clock.ts";
import type { ProbeRequest, ValkeyNode, ValkeyNodes } from "../../lib/ports/valkey-node.ts";
import type { EventQueue } from "./event-queue.ts";
import type { Eventual } from "./eventual.ts";
import type { Place } from "./network.ts";
import type { Answer, Heard } from "./oracle-nodes.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Fleet, SimNode } from "./valkey.ts";
import type { Operation, Reply, Request } from "./valkey-words.ts";
import { type Exchange, type Loss, VoterConnection } from "./voter-connection.ts";

const SETTINGS_INTERVAL_MS = 30_000;
const MAX_DIALS = 3;

export interface VoterNodesOptions {
  readonly fleet: Fleet;
  readonly place: Place;
  readonly sandbox: Sandbox;
  readonly clock: Clock;
  /** What this voter believes the password to be; asked at every new connection. */
  readonly password: () => string;
  /** Told of every answer to a command when it reaches the voter: the oracle must know what a decision could rest on. */
  readonly onAnswer?: (answer: Answer) => void;
  /** Told of everything else that it learns of a node. */
  readonly onHeard?: (heard: Heard) => void;
  /** Told of every command that the voter sends, when it does. */
  readonly onSent?: (node: NodeId, command: NodeCommand) => void;
}

type Change = Extract<NodeCommand, { kind: "freeze" | "promote" | "settle" | "repoint" }>;
type Unanswered = Exclude<Observation, { kind: "answered" }>;

export function simulatedNodes(options: VoterNodesOptions): ValkeyNodes {
  let lastId = 0;
  const nextId = () => {
    lastId += 1;
    return lastId;
  };
  return { open: (address) => new SimulatedNode(options, address, nextId) };
}

class SimulatedNode implements ValkeyNode {
  readonly address: Address;
  readonly #options: VoterNodesOptions;
  readonly #queue: EventQueue;
  readonly #node: SimNode | null;
  readonly #nextId: () => number;
  readonly #connections = new Set<VoterConnection>();
  readonly #cutListeners: (() => void)[] = [];
  readonly #lateListeners: ((command: NodeCommand, outcome: NodeOutcome) => void)[] = [];
  #kept: VoterConnection | null = null;
  #hung: VoterConnection | null = null;
  #closed = false;
  #settings: NodeSettings | null = null;
  #settingsOf: RunId | null = null;
  #settingsAskedAt: Instant | null = null;

  constructor(options: VoterNodesOptions, address: Address, nextId: () => number) {
    this.address = address;
    this.#options = options;
    this.#queue = options.fleet.queue;
    this.#node = options.fleet.nodeAt(address);
    this.#nextId = nextId;
    options.sandbox.onDeath(() => this.close());
  }

  probe({ deadline, fresh }: ProbeRequest): PromiseLike<Observation> {
    const result = this.#queue.eventual<Observation>();
    const kept = this.#kept;
    if (fresh || kept === null || !kept.isOpen) {
      this.#dial(deadline, 1, result);
      return result;
    }
    this.#ask(kept, deadline, (exchange) => {
      if (exchange === "late") result.settle(this.#leaveHanging(kept));
      else if (exchange.kind === "replied") result.settle(this.#conclude(kept, readProbe(exchange.replies[0])));
      else this.#dial(deadline, 1, result);
    });
    return result;
  }

  execute(command: NodeCommand, deadline: Instant): PromiseLike<NodeOutcome> {
    const result = this.#queue.eventual<NodeOutcome>();
    const connection = [...this.#connections].find((each) => each.id === command.connection);
    if (connection === undefined || connection.ref === null || !connection.isOpen) {
      this.#soon(result, notSent("connection lost"));
      return result;
    }
    if (this.#options.clock.now() >= deadline) {
      this.#soon(result, notSent("the deadline has passed"));
      return result;
    }
    if (this.#node !== null) this.#options.onSent?.(this.#node.id, command);
    if (command.kind === "promote") {
      this.#promote(connection, command, deadline, result);
    } else if (command.kind === "pause" || command.kind === "abort-failover") {
      const request: Request =
        command.kind === "pause" ? { kind: "pause", durationMs: command.durationMs } : { kind: "failover-abort" };
      this.#carryOut(connection, command, { deadline, request, result, read: readSimple });
    } else {
      this.#change(connection, command, { deadline, result, checked: null });
    }
    return result;
  }

  onCut(listener: () => void): void {
    this.#cutListeners.push(listener);
  }

  onLateOutcome(listener: (command: NodeCommand, outcome: NodeOutcome) => void): void {
    this.#lateListeners.push(listener);
  }

  close(): void {
    this.#closed = true;
    for (const connection of [...this.#connections]) connection.close();
  }

  // Probing.

  #ask(connection: VoterConnection, deadline: Instant, onEnd: (exchange: Exchange | "late") => void): void {
    this.#within(deadline, onEnd, (end) => connection.request([{ kind: "info" }], end));
  }

  #within(
    deadline: Instant,
    onEnd: (exchange: Exchange | "late") => void,
    start: (end: (exchange: Exchange) => void) => void,
  ): void {
    let ended = false;
    const cancel = this.#options.clock.wakeAt(deadline, () => {
      if (ended) return;
      ended = true;
      onEnd("late");
    });
    start((exchange) => {
      if (ended) return;
      ended = true;
      cancel();
      onEnd(exchange);
    });
  }

  #dial(deadline: Instant, dials: number, result: Eventual<Observation>): void {
    if (this.#closed || this.#node === null) {
      // Nobody has that address: packets to it go nowhere.
      this.#options.clock.wakeAt(this.#closed ? after(this.#options.clock.now(), 0) : deadline, () =>
        result.settle(this.#silent(this.#closed ? "closed" : "no answer to connect")),
      );
      return;
    }
    const connection = this.#connect(this.#node);
    const failure = this.#logIn(connection);
    this.#ask(connection, deadline, (exchange) => {
      if (exchange === "late") {
        result.settle(this.#giveUp(connection));
      } else if (exchange.kind === "replied") {
        result.settle(this.#conclude(connection, failure() ?? readProbe(exchange.replies[0])));
      } else if (exchange.loss === "cut" && dials < MAX_DIALS && !this.#closed) {
        this.#dial(deadline, dials + 1, result);
      } else {
        result.settle(this.#lost(exchange.loss));
      }
    });
  }

  #connect(node: SimNode): VoterConnection {
    const { fleet, place, sandbox } = this.#options;
    const connection: VoterConnection = new VoterConnection({
      id: this.#nextId(),
      network: fleet.network,
      place,
      sandbox,
      node,
      onLost: () => this.#forget(connection),
    });
    this.#connections.add(connection);
    return connection;
  }

  /** Sends AUTH; what is returned tells, once INFO was answered, why it was refused. */
  #logIn(connection: VoterConnection): () => Unanswered | null {
    let reply: Reply | undefined;
    const password = this.#options.password();
    connection.request([{ kind: "auth", user: "coordinator", password }], (exchange) => {
      if (exchange.kind === "lost") return;
      reply = exchange.replies[0];
      // Taken here, where the answer is read: a ballot read before this instant proves nothing for this connection (R9).
      if (reply?.kind === "ok") connection.authenticatedAt = this.#options.clock.now();
    });
    return () => (reply?.kind === "error" ? failureOf(reply.message) : null);
  }

  #conclude(connection: VoterConnection, said: NodeReading | Unanswered): Observation {
    this.#heard(isReading(said) ? said : null);
    const { ref } = connection;
    if (ref === null || (!isReading(said) && said.kind === "misconfigured")) {
      connection.close();
      return isReading(said) ? this.#silent("no login") : said;
    }
    this.#keep(connection);
    if (!isReading(said)) return said;
    this.#refreshSettings(connection, said);
    return { kind: "answered", reading: said, settings: this.#settings, connection: ref };
  }

  #leaveHanging(connection: VoterConnection): Observation {
    if (this.#kept === connection) this.#kept = null;
    const before = this.#hung;
    this.#hung = connection;
    if (before !== null && before !== connection) retire(before);
    return this.#silent("no answer to INFO");
  }

  #giveUp(connection: VoterConnection): Observation {
    if (connection.ref !== null && this.#hung === null && this.#kept === null) return this.#leaveHanging(connection);
    connection.close();
    return this.#silent("no answer to connect, AUTH and INFO");
  }

  #silent(detail: string): Unanswered {
    this.#heard(null);
    return { kind: "silent", detail, parkable: (this.#hung ?? this.#kept)?.ref ?? null };
  }

  #lost(loss: Loss): Unanswered {
    this.#heard(null);
    if (loss === "closed") return this.#silent("closed");
    return { kind: "refused", detail: loss === "cut" ? "ECONNRESET before an answer" : "ECONNREFUSED" };
  }

  #refreshSettings(connection: VoterConnection, { runId }: NodeReading): void {
    if (this.#settingsOf !== runId) {
      this.#settings = null;
      this.#settingsOf = runId;
      this.#settingsAskedAt = null;
    }
    const now = this.#options.clock.now();
    const askedAt = this.#settingsAskedAt;
    if (askedAt !== null && elapsedMs(askedAt, now) < SETTINGS_INTERVAL_MS) return;
    this.#settingsAskedAt = now;
    connection.request([{ kind: "settings" }], (exchange) => {
      const reply = exchange.kind === "replied" ? exchange.replies[0] : undefined;
      if (reply === undefined) this.#settingsAskedAt = null;
      else if (this.#settingsOf === runId) this.#settings = reply.kind === "settings" ? reply.settings : null;
    });
  }

  // Commands.

  #promote(
    connection: VoterConnection,
    command: Extract<Change, { kind: "promote" }>,
    deadline: Instant,
    result: Eventual<NodeOutcome>,
  ): void {
    this.#ask(connection, deadline, (exchange) => {
      if (exchange === "late") {
        this.#leaveHanging(connection);
        result.settle(notSent("no answer to the check before it"));
        return;
      }
      if (exchange.kind === "lost") {
        result.settle(notSent("connection lost"));
        return;
      }
      const reading = readProbe(exchange.replies[0]);
      if (!isReading(reading)) {
        result.settle(notSent(`the check before it: ${reading.detail}`));
        return;
      }
      const mismatch = whyNotAsExpected(reading, command.expect);
      if (mismatch !== null) result.settle({ kind: "refused", detail: `not sent: ${mismatch}`, reading });
      else this.#change(connection, command, { deadline, result, checked: reading });
    });
  }

  #change(
    connection: VoterConnection,
    command: Change,
    sending: {
      readonly deadline: Instant;
      readonly result: Eventual<NodeOutcome>;
      readonly checked: NodeReading | null;
    },
  ): void {
    const operations = operationsOf(command);
    const { ref } = connection;
    if (ref === null) return;
    this.#carryOut(connection, command, {
      deadline: sending.deadline,
      result: sending.result,
      request: { kind: "transaction", operations, epoch: command.epoch, label: command.kind },
      read: (reply) => {
        this.#kept = connection;
        if (this.#hung === connection) this.#hung = null;
        return readTransaction(reply, operations, { checked: sending.checked, connection: ref });
      },
    });
  }

  #carryOut(
    connection: VoterConnection,
    command: NodeCommand,
    sending: {
      readonly deadline: Instant;
      readonly request: Request;
      readonly result: Eventual<NodeOutcome>;
      readonly read: (reply: Reply) => NodeOutcome;
    },
  ): void {
    const { result } = sending;
    connection.unanswered += 1;
    let cancel = () => {};
    connection.request([sending.request], (exchange) => {
      connection.unanswered -= 1;
      cancel();
      const reply = exchange.kind === "replied" ? exchange.replies[0] : undefined;
      if (reply === undefined) {
        result.settle({ kind: "unknown", detail: "connection lost" });
        return;
      }
      const outcome = sending.read(reply);
      this.#report(command, outcome, result.settled && !(command.kind === "freeze" && command.parked));
      if (!result.settled) result.settle(outcome);
      else for (const listener of this.#lateListeners) listener(command, outcome);
    });
    if (command.kind === "freeze" && command.parked) {
      this.#soon(result, { kind: "unknown", detail: "parked" });
      return;
    }
    cancel = this.#options.clock.wakeAt(sending.deadline, () => {
      if (result.settled) return;
      result.settle({ kind: "unknown", detail: "no answer in time" });
      this.#leaveHanging(connection);
    });
  }

  #report(command: NodeCommand, outcome: NodeOutcome, isLate: boolean): void {
    const { onAnswer, place } = this.#options;
    if (this.#node !== null) onAnswer?.({ by: place.name, node: this.#node.id, command, outcome, isLate });
  }

  #heard(reading: NodeReading | null): void {
    const { onHeard, place } = this.#options;
    if (this.#node !== null) onHeard?.({ by: place.name, node: this.#node.id, reading });
  }

  #soon(result: Eventual<NodeOutcome>, outcome: NodeOutcome): void {
    this.#queue.after(0, () => this.#options.sandbox.deliver(() => result.settle(outcome)));
  }

  // Connections.

  #keep(connection: VoterConnection): void {
    this.#kept = connection;
    this.#hung = null;
    for (const other of [...this.#connections]) if (other !== connection) retire(other);
  }

  #forget(connection: VoterConnection): void {
    this.#connections.delete(connection);
    this.#heard(null);
    if (this.#hung === connection) this.#hung = null;
    if (this.#kept !== connection) return;
    this.#kept = null;
    if (!this.#closed) for (const listener of this.#cutListeners) listener();
  }
}

/** One with an unanswered command stays: closing it would recall nothing and lose the answer (N2). */
function retire(connection: VoterConnection): void {
  if (connection.unanswered === 0) connection.close();
}

function operationsOf(command: Change): readonly Operation[] {
  switch (command.kind) {
    case "freeze":
      return [
        { kind: "info" },
        { kind: "replicaof", address: tokenAddress(command.epoch) },
        { kind: "rewrite" },
        { kind: "kill-user" },
        { kind: "info" },
      ];
    case "promote":
      return [{ kind: "replicaof", address: null }, { kind: "kill-user" }, { kind: "kill-normal" }, { kind: "info" }];
    case "settle":
      return [{ kind: "info" }, { kind: "kill-user" }, { kind: "info" }];
    case "repoint":
      return [
        { kind: "info" },
        { kind: "replicaof", address: command.to },
        { kind: "rewrite" },
        { kind: "kill-user" },
        ...(command.dropClients ? [{ kind: "kill-normal" } as const] : []),
        { kind: "info" },
      ];
  }
}

function readTransaction(
  reply: Reply,
  operations: readonly Operation[],
  context: { readonly checked: NodeReading | null; readonly connection: { id: number; authenticatedAt: Instant } },
): NodeOutcome {
  if (reply.kind === "error") return { kind: "refused", detail: reply.message, reading: null };
  if (reply.kind !== "results") throw new Error("simulation: EXEC answered something else");
  const of = (kind: Operation["kind"]) => reply.results.filter((_, index) => operations[index]?.kind === kind);
  const readings = of("info").flatMap((each) => (each.kind === "reading" ? [each.reading] : []));
  const last = readings.at(-1);
  const refusal = of("replicaof").find((each) => each.kind === "error");
  if (refusal?.kind === "error") return { kind: "refused", detail: refusal.message, reading: last ?? null };
  const first = context.checked ?? readings[0];
  if (first === undefined || last === undefined) throw new Error("simulation: a transaction without INFO");
  const rewrite = of("rewrite")[0];
  const rewriteError = rewrite?.kind === "error" ? rewrite.message : null;
  return { kind: "applied", before: first, after: last, rewriteError, connection: context.connection };
}

function readSimple(reply: Reply): NodeOutcome {
  if (reply.kind !== "error" || reply.message.startsWith("ERR No failover")) return { kind: "done" };
  return { kind: "refused", detail: reply.message, reading: null };
}

function readProbe(reply: Reply | undefined): NodeReading | Unanswered {
  if (reply?.kind === "reading") return reply.reading;
  return failureOf(reply?.kind === "error" ? reply.message : "an unexpected answer");
}

const isReading = (said: NodeReading | Unanswered): said is NodeReading => "runId" in said;

function failureOf(message: string): Unanswered {
  const [word = ""] = message.split(" ", 1);
  if (word === "LOADING") return { kind: "loading", detail: message };
  if (word === "BUSY") return { kind: "busy", detail: message };
  if (word === "NOAUTH") return { kind: "misconfigured", reason: "no-auth", detail: message };
  if (word === "WRONGPASS") return { kind: "misconfigured", reason: "wrong-password", detail: message };
  return { kind: "misconfigured", reason: "unreadable-info", detail: message };
}

function whyNotAsExpected(reading: NodeReading, expect: PromotionExpectation): string | null {
  if (reading.runId !== expect.runId) return "another process";
  if (reading.role !== "replica") return "it is a primary already";
  if (reading.replicationId !== expect.replicationId) return "another history";
  if (reading.offset !== expect.offset) return `offset ${reading.offset} instead of ${expect.offset}`;
  const { follows } = reading;
  const followsToken = follows?.host === expect.tokenHost && follows.port === TOKEN_PORT;
  return expect.tokenHost === null || followsToken ? null : "it follows another token";
}

const notSent = (detail: string): NodeOutcome => ({ kind: "refused", detail: `not sent: ${detail}`, reading: null });
