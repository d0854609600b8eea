// Simulated Valkey nodes: a machine with a configuration file and a disk, on which one process runs at a time. The
// behaviour is what was measured on real servers; where a comment names a letter and a number, that experiment is meant.

import type { Address, NodeId } from "../../lib/core/types.ts";
import type { Connection } from "./connection.ts";
import type { Dice } from "./dice.ts";
import type { EventQueue } from "./event-queue.ts";
import type { Network, Path, Place } from "./network.ts";
import { newStream } from "./replication.ts";
import type { Saved } from "./stream.ts";
import { ValkeyProcess } from "./valkey-process.ts";
import { failure, type NodeFact, type NodeOptions, OK, type Reply, type RestartData } from "./valkey-words.ts";

/** `shutdown-timeout`: how long SIGTERM waits for replicas. */
export const SHUTDOWN_TIMEOUT_MS = 10_000;
const SHUTDOWN_POLL_MS = 5;

export class SimNode {
  readonly fleet: Fleet;
  readonly options: NodeOptions;
  readonly place: Place;
  readonly dice: Dice;
  readonly #paths = new Map<SimNode, Path>();
  process: ValkeyProcess | null = null;
  /** Off: no process, and nobody answers for it. */
  powered = true;
  /** CONFIG REWRITE can write the file. */
  rewritable: boolean;
  /** What AUTH must say. */
  password = PASSWORD;
  /** Its rules for the voters' user do not let REPLICAOF through. */
  forbidsReplicaof = false;
  /** The snapshot on disk: by SAVE, at the end of a process that was told to end, or left by a full synchronization. */
  snapshot: Saved | null = null;
  /** `replicaof` of the configuration file. */
  #fileReplicaof: Address | null;
  /** The data when the last process ended. */
  #last: Saved | null = null;

  constructor(fleet: Fleet, options: NodeOptions, dice: Dice) {
    this.fleet = fleet;
    this.options = options;
    this.place = { name: `node:${options.id}`, zone: options.zone };
    this.dice = dice;
    this.#fileReplicaof = options.replicaof;
    this.rewritable = options.rewritable;
  }

  get id(): NodeId {
    return this.options.id;
  }

  get address(): Address {
    return this.options.address;
  }

  pathTo(other: SimNode): Path {
    let path = this.#paths.get(other);
    if (path === undefined) {
      path = this.fleet.network.path(this.place, other.place);
      this.#paths.set(other, path);
    }
    return path;
  }

  /** The first start, with the keys it was set up with. */
  install(): void {
    const { initialKeys } = this.options;
    if (initialKeys > 0) {
      const stream = newStream(this, null);
      stream.append(initialKeys * 50, this.fleet.queue.now, initialKeys);
      this.#last = { stream, offset: stream.end, namesHistory: true };
    }
    this.start(initialKeys > 0 ? "rdb" : "empty");
  }

  start(data: RestartData, boot = this.options.bootFence ? "fenced" : "plain"): void {
    if (this.process !== null) return;
    this.powered = true;
    if (data === "empty") this.snapshot = null;
    const position = data === "empty" ? null : data === "old-rdb" ? this.snapshot : this.#last;
    const follows = boot === "fenced" ? BOOT_FENCE : this.#fileReplicaof;
    this.process = new ValkeyProcess(this, data, position, follows);
    this.fleet.tell({ kind: "started", node: this.id, data, role: follows === null ? "primary" : "replica" });
  }

  /** SIGKILL: sockets are closed by the kernel, connects are refused. */
  kill(): void {
    this.#end("killed");
  }

  /** The host stops or burns: nobody is told, connects time out. */
  powerOff(): void {
    this.powered = false;
    this.#end("powered-off");
  }

  /** SIGTERM: writes are paused and the replicas are waited for. */
  terminate(): void {
    const process = this.process;
    if (process === null) return;
    const deadline = this.fleet.queue.now + SHUTDOWN_TIMEOUT_MS;
    process.writes.stop();
    // Not what the replicas have counts but what they have acknowledged, and they are asked for it (M3).
    if (process.follows === null && !process.replication.followersAcknowledged()) {
      process.replication.askForAcknowledgements();
    }
    const poll = () => {
      if (this.process !== process) return;
      const late = this.fleet.queue.now >= deadline;
      if (late || process.follows !== null || process.replication.followersCaughtUp()) this.#end("terminated");
      else this.fleet.queue.after(SHUTDOWN_POLL_MS, poll);
    };
    poll();
  }

  #end(how: "killed" | "terminated" | "powered-off"): void {
    const process = this.process;
    if (process === null) return;
    this.#last = process.saved;
    if (how === "terminated" && this.options.savesSnapshots) this.snapshot = this.#last;
    this.process = null;
    process.die(how !== "powered-off");
    this.fleet.tell({ kind: "ended", node: this.id, how });
  }

  /** SAVE. */
  save(): void {
    if (this.process !== null) this.snapshot = this.process.saved;
  }

  /** CONFIG REWRITE. */
  rewrite(follows: Address | null): Reply {
    if (!this.rewritable) return failure("ERR Rewriting config file: Permission denied");
    this.#fileReplicaof = follows;
    return OK;
  }

  /** A SYN arrived. A hung process's kernel accepts. */
  accept(connection: Connection): ValkeyProcess | "refused" | "silent" {
    if (!this.powered) return "silent";
    if (this.process === null) return "refused";
    this.process.accept(connection);
    return this.process;
  }
}

/** What voters believe the password to be. */
export const PASSWORD = "secret";
const BOOT_FENCE: Address = { host: "127.0.0.1", port: 1 };

/** All nodes of a world. */
export class Fleet {
  readonly queue: EventQueue;
  readonly network: Network;
  readonly nodes = new Map<NodeId, SimNode>();
  /** Told of everything that happens on a node. */
  onFact: (fact: NodeFact) => void = () => {};
  /** Told of every accepted write; the process's offset is the write's end. */
  onWrite: (write: number, process: ValkeyProcess) => void = () => {};
  readonly #dice: Dice;
  readonly #byAddress = new Map<string, SimNode>();

  constructor(queue: EventQueue, network: Network, dice: Dice) {
    this.queue = queue;
    this.network = network;
    this.#dice = dice;
    network.onChange(
      () => this.#eachProcess((process) => process.replication.advance()),
      () => this.#eachProcess((process) => process.replication.networkChanged()),
    );
  }

  add(options: NodeOptions): SimNode {
    const node = new SimNode(this, options, this.#dice.split(`node ${options.id}`));
    this.nodes.set(options.id, node);
    this.#byAddress.set(`${options.address.host}:${options.address.port}`, node);
    return node;
  }

  /** The same node once more, at another address: a second name of it, or a translation. */
  alias(address: Address, id: NodeId): void {
    this.#byAddress.set(`${address.host}:${address.port}`, this.node(id));
  }

  node(id: NodeId): SimNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`simulation: no node ${id}`);
    return node;
  }

  /** Null for a token, and for any address where nobody listens. */
  nodeAt(address: Address | null): SimNode | null {
    if (address === null) return null;
    return this.#byAddress.get(`${address.host}:${address.port}`) ?? null;
  }

  tell(fact: NodeFact): void {
    this.onFact(fact);
  }

  wrote(write: number, process: ValkeyProcess): void {
    this.onWrite(write, process);
  }

  #eachProcess(act: (process: ValkeyProcess) => void): void {
    for (const node of this.nodes.values()) if (node.process !== null) act(node.process);
  }
}
