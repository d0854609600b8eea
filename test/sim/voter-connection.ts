// A voter's end of a connection: requests out, replies in their order, and how it ended. What arrives is heard when the
// voter's process runs; a frozen one reads it later, and takes the instant of an answer then.

import type { ConnectionRef, Instant } from "../../lib/core/types.ts";
import { Connection } from "./connection.ts";
import type { Network, Place } from "./network.ts";
import type { Sandbox } from "./sandbox.ts";
import type { SimNode } from "./valkey.ts";
import type { Reply, Request } from "./valkey-words.ts";

export type Loss = "refused" | "cut" | "closed";

export type Exchange =
  | { readonly kind: "replied"; readonly replies: readonly Reply[] }
  | { readonly kind: "lost"; readonly loss: Loss };

interface Pending {
  readonly expected: number;
  readonly replies: Reply[];
  readonly onEnd: (exchange: Exchange) => void;
}

export interface VoterConnectionOptions {
  readonly id: number;
  readonly network: Network;
  readonly place: Place;
  readonly sandbox: Sandbox;
  readonly node: SimNode;
  readonly onLost: () => void;
}

export class VoterConnection {
  readonly id: number;
  /** When AUTH was answered; null until then (R9). */
  authenticatedAt: Instant | null = null;
  /** Commands sent on it and not answered. */
  unanswered = 0;
  readonly #connection: Connection;
  readonly #onLost: () => void;
  readonly #pending: Pending[] = [];
  #waiting: Request[] | null = [];
  #loss: Loss | null = null;

  constructor({ id, network, place, sandbox, node, onLost }: VoterConnectionOptions) {
    this.id = id;
    this.#onLost = onLost;
    this.#connection = new Connection(network, place, node, {
      onOpen: () => sandbox.deliver(() => this.#opened()),
      onClosed: (refused) => sandbox.deliver(() => this.#lose(refused ? "refused" : "cut")),
      onReply: (reply) => sandbox.deliver(() => this.#take(reply)),
    });
  }

  get isOpen(): boolean {
    return this.#loss === null;
  }

  get ref(): ConnectionRef | null {
    return this.authenticatedAt === null ? null : { id: this.id, authenticatedAt: this.authenticatedAt };
  }

  /** `onEnd` is called once; what is asked before the connection stands is sent when it does. */
  request(requests: readonly Request[], onEnd: (exchange: Exchange) => void): void {
    if (this.#loss !== null) {
      onEnd({ kind: "lost", loss: this.#loss });
      return;
    }
    this.#pending.push({ expected: requests.length, replies: [], onEnd });
    for (const request of requests) {
      if (this.#waiting === null) this.#connection.send(request);
      else this.#waiting.push(request);
    }
  }

  close(): void {
    this.#connection.close();
    this.#lose("closed");
  }

  #opened(): void {
    for (const request of this.#waiting ?? []) this.#connection.send(request);
    this.#waiting = null;
  }

  #take(reply: Reply): void {
    const first = this.#pending[0];
    if (first === undefined || this.#loss !== null) return;
    first.replies.push(reply);
    if (first.replies.length < first.expected) return;
    this.#pending.shift();
    first.onEnd({ kind: "replied", replies: first.replies });
  }

  #lose(loss: Loss): void {
    if (this.#loss !== null) return;
    this.#loss = loss;
    this.#onLost();
    for (const { onEnd } of this.#pending.splice(0)) onEnd({ kind: "lost", loss });
  }
}
