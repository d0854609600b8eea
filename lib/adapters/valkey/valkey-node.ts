// A node as a voter reaches it: which connection is asked, which is given up, and which must stay. The rules, all of them
// for the sake of R9 and of the parked fence:
//  - One kept, authenticated connection is asked again and again. Found closed, it is dialled anew within the same probe.
//  - One that hangs is left open with its question unread: a freeze sent on it is the first thing the node reads when it
//    wakes, and its AUTH was read before, so that a newer epoch's kill can find it. Probes then dial new ones.
//  - A new one that answers takes its place. One with an unanswered command on it stays until the node answers or closes
//    it: closing it from here would recall nothing (verification N2) and lose the answer.
// Nothing is thrown and nothing rejects: whatever happens is an observation or an outcome.

import { createSecureContext } from "node:tls";
import type { TlsConfig } from "../../core/config.ts";
import {
  type Address,
  elapsedMs,
  type Instant,
  type NodeCommand,
  type NodeOutcome,
  type NodeReading,
  type NodeSettings,
  type Observation,
  type RunId,
} from "../../core/types.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ProbeRequest, ValkeyNode, ValkeyNodes } from "../../ports/valkey-node.ts";
import { Connection, type Exchange, type SecureOptions, type Words } from "./connection.ts";
import { INFO_SECTIONS } from "./info.ts";
import {
  type Credentials,
  failureOfLoss,
  isForeign,
  isLetIn,
  isReading,
  type LoginOptions,
  loginCommands,
  readable,
  readLogin,
  readProbe,
  type Unanswered,
  words,
} from "./login.ts";
import type { Reply } from "./resp.ts";
import { readSettings, SETTINGS_COMMANDS } from "./settings.ts";
import { asTransaction, type Change, readTransaction, stepsOf, whyNotAsExpected } from "./transactions.ts";

/** CONFIG GET is repeated this often. */
const SETTINGS_INTERVAL_MS = 30_000;
/** While a Sentinel watches, a group may wait for nothing but its removal. */
const WATCHED_INTERVAL_MS = 2_000;
/** A new connection that is cut before it answers is tried again at once, this many times in one probe. */
const MAX_DIALS = 3;

export interface ValkeyNodesOptions {
  readonly clock: Clock;
  /** Asked at every new connection, so that a rotated password needs no restart. */
  readonly credentials: () => Credentials;
  readonly tls: TlsConfig;
  /** As CLIENT LIST shows the connections: letters, digits and dashes. */
  readonly clientName: string;
}

/** Nodes of one group: they share credentials and TLS settings. */
export function makeValkeyNodes(options: ValkeyNodesOptions): ValkeyNodes {
  const { tls } = options;
  const secure: SecureOptions | null = tls.enabled
    ? { context: createSecureContext(tls.ca === null ? {} : { ca: tls.ca }), serverName: tls.serverName }
    : null;
  let lastId = 0;
  const nextId = (): number => {
    lastId += 1;
    return lastId;
  };
  return { open: (address) => new RemoteValkeyNode({ ...options, address, secure, nextId }) };
}

interface NodeOptions extends ValkeyNodesOptions {
  readonly address: Address;
  readonly secure: SecureOptions | null;
  readonly nextId: () => number;
}

type LateListener = (command: NodeCommand, outcome: NodeOutcome) => void;
type Dialled = { readonly cut: boolean; readonly observation: Observation };

class RemoteValkeyNode implements ValkeyNode {
  readonly address: Address;
  readonly #options: NodeOptions;
  /** All that are open, by id. */
  readonly #connections = new Map<number, Connection>();
  /** Commands that were sent and not answered, by connection. */
  readonly #unanswered = new Map<number, number>();
  readonly #lateListeners: LateListener[] = [];
  readonly #cutListeners: (() => void)[] = [];
  #kept: Connection | null = null;
  #hung: Connection | null = null;
  #closed = false;
  /** INFO with several sections came with version 7; older ones are asked for everything. */
  #infoWords: Words = ["INFO", ...INFO_SECTIONS];
  #settings: NodeSettings | null = null;
  #settingsOf: RunId | null = null;
  #settingsAskedAt: Instant | null = null;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.address = options.address;
  }

  async probe({ deadline, fresh }: ProbeRequest): Promise<Observation> {
    const kept = this.#kept;
    if (!fresh && kept?.isOpen) {
      const exchange = await this.#ask(kept, deadline);
      if (exchange === "late") return this.#leaveHanging(kept);
      if (exchange.kind === "replied") return this.#conclude(kept, this.#read(exchange));
      if (exchange.loss.kind === "not-valkey") return this.#failed(exchange);
    }
    for (let dials = 1; ; dials += 1) {
      const { cut, observation } = await this.#dial(deadline);
      // A freeze by another voter kills every coordinator's connection, new ones too: that says nothing of the node.
      if (!cut || dials === MAX_DIALS || this.#closed) return observation;
    }
  }

  execute(command: NodeCommand, deadline: Instant): Promise<NodeOutcome> {
    const connection = this.#connections.get(command.connection);
    if (connection?.ref == null || !connection.isOpen) return notSent("connection lost");
    if (this.#now() >= deadline) return notSent("the deadline has passed");
    switch (command.kind) {
      case "promote":
        return this.#promote(connection, command, deadline);
      case "freeze":
      case "settle":
      case "repoint":
        return this.#change(connection, command, { deadline, checked: null });
      case "pause":
        return this.#carryOut(connection, command, {
          deadline,
          commands: [["CLIENT", "PAUSE", String(command.durationMs), "WRITE"]],
          read: ([reply]) => this.#simple(reply),
        });
      case "abort-failover":
        return this.#carryOut(connection, command, {
          deadline,
          commands: [["FAILOVER", "ABORT"]],
          // Nothing to abort is what was wished for, also after an answer that was lost.
          read: ([reply]) => (/^ERR No failover/.test(words(reply)) ? { kind: "done" } : this.#simple(reply)),
        });
    }
  }

  onCut(listener: () => void): void {
    this.#cutListeners.push(listener);
  }

  onLateOutcome(listener: LateListener): void {
    this.#lateListeners.push(listener);
  }

  close(): void {
    this.#closed = true;
    for (const connection of [...this.#connections.values()]) connection.close("closed");
  }

  // Probing

  /** INFO over an open connection. Its late answer is nobody's. */
  #ask(connection: Connection, deadline: Instant): Promise<Exchange | "late"> {
    return this.#within(deadline, (onEnd) => connection.request([this.#infoWords], onEnd));
  }

  /** Connect, log in and INFO, under what is left until the deadline. */
  async #dial(deadline: Instant): Promise<Dialled> {
    if (this.#closed) return { cut: false, observation: this.#silent("closed") };
    const { credentials, clientName } = this.#options;
    const login: LoginOptions = { credentials: credentials(), clientName };
    const connection = this.#connect(login.credentials.user);
    // A refused login is told apart before its INFO is looked at, but both are asked in one write.
    const loggedIn = this.#logIn(connection, login);
    const exchange = await this.#ask(connection, deadline);
    if (exchange === "late") return { cut: false, observation: this.#giveUp(connection) };
    if (exchange.kind === "lost") {
      const observation = this.#failed(exchange, loggedIn());
      return { cut: exchange.loss.kind === "cut" && observation.kind === "refused", observation };
    }
    const [info] = exchange.replies;
    const failure = readLogin(loggedIn(), login.credentials);
    if (failure === null && isSyntaxError(info)) {
      return { cut: false, observation: await this.#askOldServer(connection, deadline) };
    }
    const said = readProbe(info, login.credentials);
    return {
      cut: false,
      observation: this.#conclude(connection, failure === null || isForeign(said) ? said : failure),
    };
  }

  async #askOldServer(connection: Connection, deadline: Instant): Promise<Observation> {
    this.#infoWords = ["INFO"];
    const exchange = await this.#ask(connection, deadline);
    if (exchange === "late") return this.#giveUp(connection);
    return exchange.kind === "lost" ? this.#failed(exchange) : this.#conclude(connection, this.#read(exchange));
  }

  #read({ replies }: { readonly replies: readonly Reply[] }): NodeReading | Unanswered {
    return readProbe(replies[0], this.#options.credentials());
  }

  #connect(user: string): Connection {
    const { address, secure, nextId } = this.#options;
    const connection: Connection = new Connection({
      id: nextId(),
      address,
      user,
      secure,
      onLost: () => this.#forget(connection),
    });
    this.#connections.set(connection.id, connection);
    return connection;
  }

  /** Sends the login; what is returned gives the replies that have come. */
  #logIn(connection: Connection, options: LoginOptions): () => readonly Reply[] {
    let replies: readonly Reply[] = [];
    connection.request(loginCommands(options), (exchange) => {
      replies = exchange.replies;
      if (exchange.kind === "lost") return;
      // Taken here, where the answer is read: a ballot read before this instant proves nothing for this connection (R9).
      if (readLogin(replies, options.credentials) === null) connection.authenticatedAt = this.#now();
    });
    return () => replies;
  }

  /** The connection answered: what does that make of it, and of the others? */
  #conclude(connection: Connection, said: NodeReading | Unanswered): Observation {
    const ref = connection.ref;
    if (ref === null || (!isReading(said) && said.kind === "misconfigured")) {
      connection.close("not accepted");
      return isReading(said) ? this.#silent("no login") : said;
    }
    this.#keep(connection);
    if (!isReading(said)) return said;
    this.#refreshSettings(connection, said);
    return { kind: "answered", reading: said, settings: this.#settings, connection: ref };
  }

  /** An authenticated connection that did not answer in time. */
  #leaveHanging(connection: Connection): Observation {
    if (this.#kept === connection) this.#kept = null;
    const before = this.#hung;
    this.#hung = connection;
    if (before !== null && before !== connection) this.#retire(before);
    return this.#silent("no answer to INFO");
  }

  /** A new connection that did not get as far as an answer to INFO. It can hold a freeze only once its AUTH was answered. */
  #giveUp(connection: Connection): Observation {
    if (connection.ref !== null && this.#hung === null && this.#kept === null) return this.#leaveHanging(connection);
    connection.close("no answer in time");
    return this.#silent("no answer to connect, AUTH and INFO");
  }

  #silent(detail: string): Observation {
    return { kind: "silent", detail, parkable: (this.#hung ?? this.#kept)?.ref ?? null };
  }

  #failed(exchange: Extract<Exchange, { kind: "lost" }>, before: readonly Reply[] = []): Observation {
    const replies = [...before, ...exchange.replies];
    const failure = failureOfLoss({ ...exchange, replies }, this.#options.credentials());
    return failure.kind === "silent" ? this.#silent(failure.detail) : failure;
  }

  /** Behind the INFO that was just answered, so that it delays no probe's answer but its own. */
  #refreshSettings(connection: Connection, { runId }: NodeReading): void {
    if (this.#settingsOf !== runId) {
      // Another process may have been started with other settings.
      this.#settings = null;
      this.#settingsOf = runId;
      this.#settingsAskedAt = null;
    }
    const askedAt = this.#settingsAskedAt;
    const intervalMs = this.#settings?.watchedBySentinel === true ? WATCHED_INTERVAL_MS : SETTINGS_INTERVAL_MS;
    if (askedAt !== null && elapsedMs(askedAt, this.#now()) < intervalMs) return;
    this.#settingsAskedAt = this.#now();
    this.#askWhetherDemanded((demandsPassword) =>
      connection.request(SETTINGS_COMMANDS, (exchange) => {
        // Lost: asked again behind the next answer.
        if (exchange.kind === "lost") this.#settingsAskedAt = null;
        else if (this.#settingsOf === runId) this.#settings = readSettings(exchange.replies, demandsPassword);
      }),
    );
  }

  /**
   * Whether a follower needs a password is in no setting (users of an ACL file are none), so a stranger tries. What it finds is
   * known before the settings are asked for; one that gets no answer found the door closed.
   */
  #askWhetherDemanded(tell: (demandsPassword: boolean) => void): void {
    if (this.#options.credentials().password === null) {
      tell(false);
      return;
    }
    const stranger = this.#connect("default");
    stranger.request([["PING"]], (exchange) => {
      stranger.close("done");
      tell(!isLetIn(exchange.replies[0]));
    });
  }

  // Commands

  /** The check and the promotion on one connection (R6). Without an answer to the check in time nothing is sent, ever. */
  async #promote(
    connection: Connection,
    command: Extract<Change, { kind: "promote" }>,
    deadline: Instant,
  ): Promise<NodeOutcome> {
    const exchange = await this.#ask(connection, deadline);
    if (exchange === "late") {
      this.#leaveHanging(connection);
      return notSent("no answer to the check before it");
    }
    if (exchange.kind === "lost") return notSent("connection lost");
    const reading = this.#read(exchange);
    if (!isReading(reading)) return notSent(`the check before it: ${reading.detail}`);
    const mismatch = whyNotAsExpected(reading, command.expect);
    if (mismatch !== null) return { kind: "refused", detail: `not sent: ${mismatch}`, reading };
    return this.#change(connection, command, { deadline, checked: reading });
  }

  async #change(
    connection: Connection,
    command: Change,
    { deadline, checked }: { readonly deadline: Instant; readonly checked: NodeReading | null },
  ): Promise<NodeOutcome> {
    const ref = connection.ref;
    if (ref === null) return notSent("connection lost");
    const { user } = connection;
    const { user: current, previousUser } = this.#options.credentials();
    const otherUsers = [...new Set([current, previousUser ?? current])].filter((other) => other !== user);
    const steps = stepsOf(command, { user, otherUsers, info: this.#infoWords });
    return this.#carryOut(connection, command, {
      deadline,
      commands: asTransaction(steps),
      read: (replies) => {
        // Its kill has closed every other connection of this user; the next command is to go over the one that is left.
        this.#kept = connection;
        if (this.#hung === connection) this.#hung = null;
        return this.#clean(readTransaction(replies, { command, steps, connection: ref, checked }));
      },
    });
  }

  #carryOut(
    connection: Connection,
    command: NodeCommand,
    sending: {
      readonly deadline: Instant;
      readonly commands: readonly Words[];
      readonly read: (replies: readonly Reply[]) => NodeOutcome;
    },
  ): Promise<NodeOutcome> {
    return new Promise((resolve) => {
      let told = false;
      let cancel = (): void => undefined;
      const tell = (outcome: NodeOutcome): void => {
        cancel();
        told = true;
        resolve(outcome);
      };
      const parked = command.kind === "freeze" && command.parked;
      this.#countUnanswered(connection, 1);
      connection.request(
        sending.commands,
        (exchange) => {
          this.#countUnanswered(connection, -1);
          if (exchange.kind === "lost") {
            if (!told) tell({ kind: "unknown", detail: `connection lost: ${exchange.loss.detail}` });
            return;
          }
          const outcome = sending.read(exchange.replies);
          if (!told) tell(outcome);
          else for (const listener of this.#lateListeners) listener(command, outcome);
        },
        parked ? () => !told && tell({ kind: "unknown", detail: "parked" }) : undefined,
      );
      if (told) return;
      cancel = this.#options.clock.wakeAt(sending.deadline, () => {
        tell({ kind: "unknown", detail: "no answer in time" });
        this.#leaveHanging(connection);
      });
    });
  }

  #simple(reply: Reply | undefined): NodeOutcome {
    if (reply?.kind === "simple") return { kind: "done" };
    return { kind: "refused", detail: this.#readable(words(reply)), reading: null };
  }

  #clean(outcome: NodeOutcome): NodeOutcome {
    if (outcome.kind === "done") return outcome;
    if (outcome.kind === "refused" || outcome.kind === "unknown") {
      return { ...outcome, detail: this.#readable(outcome.detail) };
    }
    return outcome.rewriteError === null ? outcome : { ...outcome, rewriteError: this.#readable(outcome.rewriteError) };
  }

  // Connections

  /** The connection answered: it is the one to ask next, and those that wait for nothing are closed. */
  #keep(connection: Connection): void {
    this.#kept = connection;
    this.#hung = null;
    for (const other of [...this.#connections.values()]) if (other !== connection) this.#retire(other);
  }

  #retire(connection: Connection): void {
    if ((this.#unanswered.get(connection.id) ?? 0) === 0) connection.close("replaced");
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection.id);
    this.#unanswered.delete(connection.id);
    if (this.#hung === connection) this.#hung = null;
    if (this.#kept !== connection) return;
    this.#kept = null;
    if (!this.#closed) for (const listener of this.#cutListeners) listener();
  }

  #countUnanswered(connection: Connection, change: 1 | -1): void {
    if (!connection.isOpen) return;
    this.#unanswered.set(connection.id, (this.#unanswered.get(connection.id) ?? 0) + change);
  }

  #within(deadline: Instant, start: (onEnd: (exchange: Exchange) => void) => void): Promise<Exchange | "late"> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.wakeAt(deadline, () => resolve("late"));
      start((exchange) => {
        cancel();
        resolve(exchange);
      });
    });
  }

  #readable(text: string): string {
    return readable(text, this.#options.credentials());
  }

  #now(): Instant {
    return this.#options.clock.now();
  }
}

const isSyntaxError = (reply: Reply | undefined): boolean => reply?.kind === "error" && /^ERR syntax/.test(reply.text);

const notSent = (detail: string): Promise<NodeOutcome> =>
  Promise.resolve({ kind: "refused", detail: `not sent: ${detail}`, reading: null });
