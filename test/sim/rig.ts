// A few simulated nodes without voters, for tests of the world itself: says one thing to one node and waits for the reply.

import { tokenAddress } from "../../lib/core/token.ts";
import { type Address, epoch, type NodeReading, nodeId } from "../../lib/core/types.ts";
import { Connection } from "./connection.ts";
import { Dice } from "./dice.ts";
import { EventQueue } from "./event-queue.ts";
import { Network, type Place } from "./network.ts";
import { Fleet, type SimNode } from "./valkey.ts";
import {
  type ConnectionUser,
  failure,
  NODE_DEFAULTS,
  type NodeOptions,
  type Operation,
  type Reply,
  type Request,
} from "./valkey-words.ts";

const PATIENCE_MS = 1_000;

export const addressOf = (node: string): Address => ({ host: `10.0.0.${node.slice(1)}`, port: 6379 });

export class Rig {
  readonly queue: EventQueue;
  readonly network: Network;
  readonly fleet: Fleet;
  #write = 0;

  constructor(seed: string, nodes: readonly string[] = ["n1", "n2", "n3"], options: Partial<NodeOptions> = {}) {
    const dice = new Dice(seed);
    this.queue = new EventQueue(dice.split("queue"));
    this.network = new Network(this.queue, dice.split("network"));
    this.fleet = new Fleet(this.queue, this.network, dice.split("fleet"));
    for (const id of nodes) {
      this.fleet.add({ ...NODE_DEFAULTS, id: nodeId(id), address: addressOf(id), zone: `z${id.slice(1)}`, ...options });
    }
    for (const node of this.fleet.nodes.values()) node.install();
  }

  /** n1 primary, the others follow it, some writes are on all. */
  static trio(seed: string, options: Partial<NodeOptions> = {}): Rig {
    const rig = new Rig(seed, ["n1", "n2", "n3"], options);
    rig.run(10);
    rig.follow("n1", null);
    for (const replica of ["n2", "n3"]) rig.follow(replica, addressOf("n1"));
    rig.run(3_000);
    rig.write("n1", 10);
    rig.run(100);
    return rig;
  }

  node(id: string): SimNode {
    return this.fleet.node(nodeId(id));
  }

  reading(id: string): NodeReading {
    const { process } = this.node(id);
    if (process === null) throw new Error(`${id} is not running`);
    return process.reading();
  }

  keys(id: string): number {
    return this.reading(id).keyCount;
  }

  run(ms: number): void {
    this.queue.runUntil(this.queue.now + ms);
  }

  connect(id: string, peer: Partial<Place> = {}, user: ConnectionUser | null = "coordinator"): Peer {
    return new Peer(this, this.node(id), { name: "voter:az-x", zone: "zx", ...peer }, user);
  }

  follow(id: string, address: Address | null): void {
    this.connect(id).ask(transaction(2, [{ kind: "replicaof", address }]));
  }

  /** Writes over a connection of an application; how many were accepted. */
  write(id: string, count: number): number {
    const client = this.connect(id, { name: "client:c", zone: "zx" }, "application");
    let accepted = 0;
    for (let index = 0; index < count; index++) {
      this.#write += 1;
      if (client.ask({ kind: "write", write: this.#write }).kind === "ok") accepted += 1;
    }
    client.close();
    return accepted;
  }
}

export const transaction = (epochNumber: number, operations: readonly Operation[]): Request => ({
  kind: "transaction",
  operations,
  epoch: epoch(epochNumber),
  label: "test",
});

export const freeze = (epochNumber: number): Request =>
  transaction(epochNumber, [
    { kind: "info" },
    { kind: "replicaof", address: tokenAddress(epoch(epochNumber)) },
    { kind: "rewrite" },
    { kind: "kill-user" },
    { kind: "info" },
  ]);

export const promote: Request = transaction(9, [
  { kind: "replicaof", address: null },
  { kind: "kill-user" },
  { kind: "kill-normal" },
  { kind: "info" },
]);

/** One connection of a test. */
export class Peer {
  closed = false;
  readonly replies: Reply[] = [];
  readonly #rig: Rig;
  readonly #connection: Connection;

  constructor(rig: Rig, node: SimNode, place: Place, user: ConnectionUser | null) {
    this.#rig = rig;
    this.#connection = new Connection(rig.network, place, node, {
      onOpen: () => {},
      onClosed: () => {
        this.closed = true;
      },
      onReply: (reply) => this.replies.push(reply),
    });
    this.#until(() => this.#connection.open || this.closed);
    if (user !== null && this.#connection.open) this.send({ kind: "auth", user, password: "secret" });
    if (user !== null && !node.process?.hung) this.#until(() => this.replies.length > 0 || this.closed);
    this.replies.length = 0;
  }

  send(request: Request): void {
    this.#connection.send(request);
  }

  /** The reply, or an error that says how it ended. */
  ask(request: Request): Reply {
    const before = this.replies.length;
    this.send(request);
    this.#until(() => this.replies.length > before || this.closed);
    return this.replies[before] ?? failure(this.closed ? "closed" : "silent");
  }

  close(): void {
    this.#connection.close();
  }

  #until(done: () => boolean): void {
    const deadline = this.#rig.queue.now + PATIENCE_MS;
    while (!done() && this.#rig.queue.step(deadline)) {
      // All the work is in the events.
    }
  }
}

/** The readings inside a transaction's reply. */
export function readingsOf(reply: Reply): readonly NodeReading[] {
  if (reply.kind !== "results") throw new Error(`no transaction was answered: ${JSON.stringify(reply)}`);
  return reply.results.flatMap((each) => (each.kind === "reading" ? [each.reading] : []));
}
