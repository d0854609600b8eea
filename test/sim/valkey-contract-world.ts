// The world of the Valkey port's contract, simulated: time passes only while somebody waits for something.

import type { Address } from "../../lib/core/types.ts";
import type { NodeClient, NodeUnderTest, NodeWorld, WorldOptions } from "../contract/valkey-node-world.ts";
import { VoterClock } from "./clock.ts";
import { Connection } from "./connection.ts";
import type { Eventual } from "./eventual.ts";
import { addressOf, Rig } from "./rig.ts";
import { Sandbox } from "./sandbox.ts";
import type { SimNode } from "./valkey.ts";
import type { Reply, RestartData } from "./valkey-words.ts";
import { simulatedNodes } from "./voter-nodes.ts";

/** Longer than anything that a test waits for. */
const PATIENCE_MS = 60_000;
const SKEW = { offsetMs: 5_000, rate: 1, wallOffsetMs: 0 };

export function simulatedNodeWorld(options: WorldOptions): NodeWorld {
  const ids = Array.from({ length: options.nodes ?? 3 }, (_, index) => `n${index + 1}`);
  const rig = new Rig("contract", ids, { savesSnapshots: options.persistence === "rdb" });
  const sandbox = new Sandbox("contract", rig.queue, rig.node("n1").dice.split("sandbox"));
  const clock = new VoterClock(rig.queue, sandbox, SKEW, rig.node("n1").dice.split("clock"));
  giveRoles(rig, ids);
  let voters = 0;
  return {
    nodes: ids.map((id) => new NodeOfContract(rig, rig.node(id), options.persistence ?? "none")),
    clock,
    openVoter: () => {
      voters += 1;
      const place = { name: `voter:${voters}`, zone: "z1" };
      return simulatedNodes({ fleet: rig.fleet, place, sandbox, clock, password: () => "secret" });
    },
    settled: async (value) => settledIn(rig, value),
    pass: async (ms) => rig.run(ms),
    close: async () => sandbox.kill(),
  };
}

function giveRoles(rig: Rig, [first, ...others]: readonly string[]): void {
  if (first === undefined) return;
  rig.run(10);
  rig.follow(first, null);
  for (const other of others) rig.follow(other, addressOf(first));
  rig.run(3_000);
  rig.write(first, 1);
  rig.run(100);
}

function settledIn<T>(rig: Rig, value: PromiseLike<T>): T {
  let result: { readonly value: T } | null = null;
  value.then(
    (settled) => {
      result = { value: settled };
    },
    (error: unknown) => {
      throw error;
    },
  );
  const deadline = rig.queue.now + PATIENCE_MS;
  while (result === null && rig.queue.step(deadline)) {
    // All the work is in the events.
  }
  if (result === null) throw new Error("simulation: it never comes");
  return (result as { readonly value: T }).value;
}

class NodeOfContract implements NodeUnderTest {
  readonly address: Address;
  readonly #rig: Rig;
  readonly #node: SimNode;
  readonly #persistence: "none" | "rdb" | "aof";
  #savedAtEnd = false;

  constructor(rig: Rig, node: SimNode, persistence: "none" | "rdb" | "aof") {
    this.address = node.address;
    this.#rig = rig;
    this.#node = node;
    this.#persistence = persistence;
  }

  kill(): PromiseLike<void> {
    this.#savedAtEnd = false;
    this.#node.kill();
    return this.#soon();
  }

  shutDown(): PromiseLike<void> {
    this.#savedAtEnd = this.#persistence === "rdb";
    this.#node.terminate();
    return this.#soon(500);
  }

  restart(data: "kept" | "emptied"): PromiseLike<void> {
    this.#node.start(data === "emptied" ? "empty" : this.#kept());
    return this.#soon(100);
  }

  /** Without any persistence there is still what the last full synchronization left on disk. */
  #kept(): RestartData {
    if (this.#persistence === "aof") return "aof";
    return this.#savedAtEnd ? "rdb" : "old-rdb";
  }

  hang(): void {
    this.#node.process?.hang();
  }

  wake(): void {
    this.#node.process?.wake();
  }

  openClient(): PromiseLike<NodeClient> {
    const opened = this.#rig.queue.eventual<NodeClient>();
    const client = new ClientOfContract(this.#rig, this.#node, () => opened.settle(client));
    return opened;
  }

  beginFailover(): PromiseLike<void> {
    this.#node.process?.setFlag("failingOver", true);
    return this.#soon();
  }

  loseConfigFile(): void {
    this.#node.rewritable = false;
  }

  #soon(ms = 5): Eventual<void> {
    const done = this.#rig.queue.eventual<void>();
    this.#rig.queue.after(ms, () => done.settle(undefined));
    return done;
  }
}

class ClientOfContract implements NodeClient {
  static #writes = 0;
  readonly #rig: Rig;
  readonly #connection: Connection;
  readonly #onOpen: () => void;
  #waiting: Eventual<boolean> | null = null;
  #cut = false;
  #loggedIn = false;

  constructor(rig: Rig, node: SimNode, onOpen: () => void) {
    this.#rig = rig;
    this.#onOpen = onOpen;
    this.#connection = new Connection(rig.network, { name: "client:contract", zone: "z1" }, node, {
      onOpen: () => this.#connection.send({ kind: "auth", user: "application", password: "secret" }),
      onClosed: () => this.#closed(),
      onReply: (reply) => this.#take(reply),
    });
  }

  write(): PromiseLike<boolean> {
    const result = this.#rig.queue.eventual<boolean>();
    ClientOfContract.#writes += 1;
    if (this.#cut) this.#rig.queue.after(0, () => result.settle(false));
    else this.#connection.send({ kind: "write", write: ClientOfContract.#writes });
    this.#waiting = result;
    return result;
  }

  isCut(): PromiseLike<boolean> {
    const result = this.#rig.queue.eventual<boolean>();
    this.#rig.queue.after(0, () => result.settle(this.#cut));
    return result;
  }

  close(): void {
    this.#connection.close();
  }

  #closed(): void {
    this.#cut = true;
    this.#waiting?.settle(false);
  }

  #take(reply: Reply): void {
    if (this.#loggedIn) this.#waiting?.settle(reply.kind === "ok");
    else this.#onOpen();
    this.#loggedIn = true;
  }
}
