// One TCP connection to a simulated node. Requests and replies travel in order in both directions and wait out cuts. A
// side that closed is deaf at once; the other side learns of it when the FIN arrives, after what was sent before it (N2).

import { Channel, type Network, type Place } from "./network.ts";
import type { SimNode } from "./valkey.ts";
import type { ValkeyProcess } from "./valkey-process.ts";
import type { ConnectionUser, Reply, Request } from "./valkey-words.ts";

export interface ConnectionEnd {
  /** The connection is established. */
  onOpen(): void;
  /** Refused at connect, reset, or closed by the server. */
  onClosed(refused: boolean): void;
  onReply(reply: Reply): void;
}

export class Connection {
  readonly peer: Place;
  readonly node: SimNode;
  readonly #end: ConnectionEnd;
  readonly #toServer: Channel;
  readonly #toClient: Channel;
  #process: ValkeyProcess | null = null;
  #open = false;
  #clientClosed = false;
  #serverClosed = false;
  /** Server's side: who it is, null before AUTH. */
  user: ConnectionUser | null = null;

  constructor(network: Network, peer: Place, node: SimNode, end: ConnectionEnd) {
    this.peer = peer;
    this.node = node;
    this.#end = end;
    this.#toServer = new Channel(network.path(peer, node.place));
    this.#toClient = new Channel(network.path(node.place, peer));
    this.#toServer.send(() => this.#arriveSyn());
  }

  /** Established, and neither end has closed it as far as the client knows. */
  get open(): boolean {
    return this.#open && !this.#clientClosed;
  }

  get closedByServer(): boolean {
    return this.#serverClosed;
  }

  send(request: Request): void {
    if (this.#clientClosed) return;
    this.#toServer.send(() => {
      if (this.#serverClosed || this.#process === null) this.#reset(false);
      else this.#process.receive(this, request);
    });
  }

  /** The client closes: what was sent before is executed all the same, nothing is heard any more. */
  close(): void {
    if (this.#clientClosed) return;
    this.#clientClosed = true;
    this.#toServer.send(() => this.#process?.hangUp(this));
  }

  reply(reply: Reply): void {
    if (this.#serverClosed) return;
    this.#toClient.send(() => {
      if (!this.#clientClosed) this.#end.onReply(reply);
    });
  }

  /** The server closes: requests that it has not read are gone with it. */
  closeByServer(): void {
    if (this.#serverClosed) return;
    this.#reset(false);
  }

  /** The machine is gone: nobody says anything any more. */
  abandonByServer(): void {
    this.#serverClosed = true;
    this.#process = null;
  }

  #arriveSyn(): void {
    const outcome = this.node.accept(this);
    if (outcome === "silent") return;
    if (outcome === "refused") {
      this.#reset(true);
      return;
    }
    this.#process = outcome;
    this.#toClient.send(() => {
      if (this.#clientClosed) return;
      this.#open = true;
      this.#end.onOpen();
    });
  }

  #reset(refused: boolean): void {
    // A machine without power resets nothing.
    if (!this.node.powered) return;
    this.#serverClosed = true;
    this.#process = null;
    this.#toClient.send(() => {
      if (this.#clientClosed) return;
      this.#clientClosed = true;
      this.#open = false;
      this.#end.onClosed(refused);
    });
  }
}
