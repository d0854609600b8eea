// One connection to a node: bytes out, replies in, in order; and when it ends, how. It knows nothing of commands. How an
// attempt failed is evidence (design 4.3), so every end is one of a few kinds and none is thrown. There are no time-outs
// here: whoever asks has the one deadline, and a connection that hangs is left or closed by its owner.

import { connect, type Socket } from "node:net";
import { connect as connectTls, type SecureContext } from "node:tls";
import type { Address, ConnectionRef, Instant } from "../../core/types.ts";
import { encodeCommand, type Reply, RespParser, RespProtocolError } from "./resp.ts";

export type Words = readonly string[];

export interface Loss {
  readonly kind: /** The address was reached and nobody listens there. */
    | "refused"
    /** No way to the address: says nothing about the process behind it. */
    | "unreachable"
    /** It stood and was closed or reset by the other end. */
    | "cut"
    | "tls"
    | "not-valkey"
    /** By this side. */
    | "closed";
  readonly detail: string;
}

/** How a request ended. `replies` of a lost one are those that came before. */
export type Exchange =
  | { readonly kind: "replied"; readonly replies: readonly Reply[] }
  | { readonly kind: "lost"; readonly loss: Loss; readonly replies: readonly Reply[] };

export interface SecureOptions {
  readonly context: SecureContext;
  /** Null: the host. */
  readonly serverName: string | null;
}

export interface ConnectionOptions {
  readonly id: number;
  readonly address: Address;
  /** As whom it logs in. */
  readonly user: string;
  readonly secure: SecureOptions | null;
  readonly onLost: (loss: Loss) => void;
}

interface Pending {
  readonly expected: number;
  readonly replies: Reply[];
  readonly onEnd: (exchange: Exchange) => void;
}

export class Connection {
  readonly id: number;
  readonly user: string;
  /** When AUTH was answered; null until then (R9). */
  authenticatedAt: Instant | null = null;
  readonly #socket: Socket;
  readonly #parser = new RespParser((reply) => this.#take(reply));
  readonly #pending: Pending[] = [];
  readonly #onLost: (loss: Loss) => void;
  #error: Error | null = null;
  #loss: Loss | null = null;

  /** Begins to connect. What is asked meanwhile is sent in one write once connected. */
  constructor(options: ConnectionOptions) {
    this.id = options.id;
    this.user = options.user;
    this.#onLost = options.onLost;
    this.#socket = openSocket(options);
    // Held back until connected, so that all of it goes out in one write; with TLS until the certificate was verified, so that
    // the password of a first write stays here whatever a TLS library does with early writes.
    this.#socket.cork();
    this.#socket.once(options.secure === null ? "connect" : "secureConnect", () => this.#socket.uncork());
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", (error) => {
      this.#error ??= error;
    });
    this.#socket.on("close", () => this.#lose(lossOf(this.#error)));
  }

  get isOpen(): boolean {
    return this.#loss === null;
  }

  /** Null before AUTH was answered: nothing may be sent on it that changes a node. */
  get ref(): ConnectionRef | null {
    return this.authenticatedAt === null ? null : { id: this.id, authenticatedAt: this.authenticatedAt };
  }

  /**
   * Sends the commands in one write; `onEnd` is called once, from the event that brought the last reply, so that the instant
   * of an answer is taken when it was read. `onSent`: the bytes are with the kernel.
   */
  request(commands: readonly Words[], onEnd: (exchange: Exchange) => void, onSent?: () => void): void {
    if (this.#loss !== null) {
      onEnd({ kind: "lost", loss: this.#loss, replies: [] });
      return;
    }
    this.#pending.push({ expected: commands.length, replies: [], onEnd });
    this.#socket.write(commands.map(encodeCommand).join(""), (error) => {
      if (error === null || error === undefined) onSent?.();
    });
  }

  close(detail: string): void {
    this.#lose({ kind: "closed", detail });
  }

  #receive(chunk: Buffer): void {
    try {
      this.#parser.push(chunk);
    } catch (error) {
      if (!(error instanceof RespProtocolError)) throw error;
      this.#lose({ kind: "not-valkey", detail: error.message });
    }
  }

  #take(reply: Reply): void {
    // One chunk may hold more replies than the one that made the owner close.
    if (this.#loss !== null) return;
    const first = this.#pending[0];
    if (first === undefined) {
      this.#lose({ kind: "not-valkey", detail: "it answers what was not asked" });
      return;
    }
    first.replies.push(reply);
    if (first.replies.length < first.expected) return;
    this.#pending.shift();
    first.onEnd({ kind: "replied", replies: first.replies });
  }

  #lose(loss: Loss): void {
    if (this.#loss !== null) return;
    this.#loss = loss;
    this.#socket.destroy();
    this.#onLost(loss);
    for (const { onEnd, replies } of this.#pending.splice(0)) onEnd({ kind: "lost", loss, replies });
  }
}

function openSocket({ address, secure }: ConnectionOptions): Socket {
  // No keep-alive probes: every connection is asked several times a second, and one that hangs is to stay as it is.
  const options = { host: address.host, port: address.port, noDelay: true, keepAlive: false };
  if (secure === null) return connect(options);
  const named = secure.serverName === null ? {} : { servername: secure.serverName };
  return connectTls({ ...options, ...named, secureContext: secure.context, rejectUnauthorized: true });
}

const CUT = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED"]);

function lossOf(error: Error | null): Loss {
  if (error === null) return { kind: "cut", detail: "closed by the other end" };
  // Several addresses of one name were tried: only "nobody listens" from all of them is evidence.
  if (error instanceof AggregateError) {
    const losses = error.errors.map((each: Error) => lossOf(each));
    return (
      losses.find((loss) => loss.kind !== "refused") ?? losses[0] ?? { kind: "unreachable", detail: error.message }
    );
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : error.message;
  if (code === "ECONNREFUSED") return { kind: "refused", detail: code };
  if (CUT.has(code)) return { kind: "cut", detail: code };
  // Only the system's own errors have a number. EHOSTUNREACH and its like come from routers, or from this side's own
  // tables, just as well as from a dead host, so they are worth no more than silence; so is a name that does not resolve.
  if (("errno" in error && error.errno !== undefined) || "hostname" in error) {
    return { kind: "unreachable", detail: code };
  }
  return { kind: "tls", detail: code };
}
