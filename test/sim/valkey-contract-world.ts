// The world of the Valkey port's contract, simulated: time passes only while somebody waits for something.

import type { Address } from "../../lib/core/types.ts";
import type { NodeClient, NodeUnderTest, NodeWorld, WorldOptions } from "../contract/valkey-node-world.ts";
import { MachineClock, VoterClock } from "./clock.ts";
import { Connection } from "./connection.ts";
import type { Eventual } from "./eventual.ts";
import { addressOf, Rig } from "./rig.ts";
import { Sandbox } from "./sandbox.ts";
import { contains, type Position } from "./stream.ts";
import type { SimNode } from "./valkey.ts";
import type { Reply, Request, RestartData } from "./valkey-words.ts";
import { simulatedNodes } from "./voter-nodes.ts";

/** Longer than anything that a test waits for. */
const PATIENCE_MS = 60_000;
const SKEW = { offsetMs: 5_000, machine: new MachineClock(1) };

export function simulatedNodeWorld(options: WorldOptions): NodeWorld {
  const ids = Array.from({ length: options.nodes ?? 3 }, (_, index) => `n${index + 1}`);
  const rig = new Rig(options.seed ?? "contract", ids, {
    savesSnapshots: options.persistence === "rdb",
    appendOnly: options.persistence === "aof",
    ...heartbeat(options.heartbeatSeconds),
  });
  const sandbox = new Sandbox("contract", rig.queue, rig.node("n1").dice.split("sandbox"));
  const clock = new VoterClock(rig.queue, sandbox, SKEW, rig.node("n1").dice.split("clock"));
  giveRoles(rig, ids);
  const written = new Map<number, Position>();
  rig.fleet.onWrite = (write, { stream, offset }) => written.set(write, { stream, offset });
  let voters = 0;
  return {
    nodes: ids.map(
      (id) => new NodeOfContract(rig, rig.node(id), { persistence: options.persistence ?? "none", written }),
    ),
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

const heartbeat = (seconds: number | undefined) =>
  seconds === undefined ? {} : { pingReplicaPeriodSeconds: seconds, replTimeoutSeconds: 2 * seconds };

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
  readonly #written: ReadonlyMap<number, Position>;

  constructor(
    rig: Rig,
    node: SimNode,
    more: { readonly persistence: "none" | "rdb" | "aof"; readonly written: ReadonlyMap<number, Position> },
  ) {
    this.address = node.address;
    this.#rig = rig;
    this.#node = node;
    this.#persistence = more.persistence;
    this.#written = more.written;
  }

  kill(): PromiseLike<void> {
    this.#node.kill();
    return this.#soon();
  }

  shutDown(): PromiseLike<void> {
    this.#node.terminate();
    return this.#soon(500);
  }

  restart(data: "kept" | "emptied", boot: "fenced" | "plain" = "fenced"): PromiseLike<void> {
    this.#node.start(data === "emptied" ? "empty" : this.#kept(), boot);
    return this.#soon(100);
  }

  /** Without any persistence there is still what the last full synchronization left on disk. */
  #kept(): RestartData {
    return this.#persistence === "aof" ? "aof" : "old-rdb";
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

  cutFollowers(): PromiseLike<void> {
    this.#node.process?.replication.disconnectFollowers();
    return this.#soon();
  }

  isSaved(): PromiseLike<boolean> {
    const result = this.#rig.queue.eventual<boolean>();
    this.#rig.queue.after(0, () => result.settle(true));
    return result;
  }

  unpause(): PromiseLike<void> {
    this.#node.process?.writes.unpause();
    return this.#soon();
  }

  holds(writes: readonly number[]): PromiseLike<readonly number[]> {
    const result = this.#rig.queue.eventual<readonly number[]>();
    const position = this.#node.process?.position;
    const held = writes.filter((write) => {
      const at = this.#written.get(write);
      return position !== undefined && at !== undefined && contains(position, at);
    });
    this.#rig.queue.after(0, () => result.settle(held));
    return result;
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
  #waiting: Eventual<string> | null = null;
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
    ClientOfContract.#writes += 1;
    return this.set(ClientOfContract.#writes).then((word) => word === "OK");
  }

  set(write: number): PromiseLike<string> {
    return this.#ask({ kind: "write", write });
  }

  wait(replicas: number, timeoutMs: number): PromiseLike<string> {
    return this.#ask({ kind: "wait", replicas, timeoutMs });
  }

  isCut(): PromiseLike<boolean> {
    const result = this.#rig.queue.eventual<boolean>();
    this.#rig.queue.after(0, () => result.settle(this.#cut));
    return result;
  }

  close(): void {
    this.#connection.close();
  }

  #ask(request: Request): Eventual<string> {
    const result = this.#rig.queue.eventual<string>();
    if (this.#cut) this.#rig.queue.after(0, () => result.settle("cut"));
    else this.#connection.send(request);
    this.#waiting = result;
    return result;
  }

  #closed(): void {
    this.#cut = true;
    this.#waiting?.settle("cut");
    // Refused at connect: there is nothing to wait for.
    this.#onOpen();
  }

  #take(reply: Reply): void {
    if (this.#loggedIn) this.#waiting?.settle(firstWord(reply));
    else this.#onOpen();
    this.#loggedIn = true;
  }
}

function firstWord(reply: Reply): string {
  if (reply.kind === "error") return reply.message.split(" ", 1)[0] ?? "";
  return reply.kind === "count" ? String(reply.count) : "OK";
}
