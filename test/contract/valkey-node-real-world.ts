// The contract's world on real servers, reached with the rights that the documents tell operators to give.

import type { Redis } from "ioredis";
import { SystemClock } from "../../lib/adapters/clock/system-clock.ts";
import { makeValkeyNodes } from "../../lib/adapters/valkey/valkey-node.ts";
import type { ProcessGroup } from "../../lib/local/process-group.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import type { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { startReplicatedNodes } from "../../lib/local/valkey-set.ts";
import type { ValkeyNode, ValkeyNodes } from "../../lib/ports/valkey-node.ts";
import { eventually, sleep } from "../support/local-group.ts";
import type { NodeClient, NodeUnderTest, NodeWorld, WorldOptions } from "./valkey-node-world.ts";

/** Another valkey-server than the one that set-up found, to try the contract on another version. */
const server = process.env["VALKEEPER_TEST_SERVER"];
const noTls = { enabled: false, ca: null, serverName: null };

export async function makeRealNodeWorld(group: ProcessGroup, options: WorldOptions): Promise<NodeWorld> {
  const { all } = await startReplicatedNodes({
    group,
    ...(server === undefined ? {} : { server }),
    access: localAccess,
    persistence: options.persistence ?? "none",
    boot: "fenced",
    ...heartbeat(options.heartbeatSeconds),
    nodes: Array.from({ length: options.nodes ?? 3 }, () => ({})),
  });
  await inStep(all);
  const clock = new SystemClock();
  const opened: ValkeyNode[] = [];
  return {
    nodes: all.map(underTest),
    clock,
    openVoter: () => remembering(openVoter(clock), opened),
    settled: async (value) => value,
    pass: sleep,
    close: async () => {
      for (const node of opened) node.close();
      await Promise.all(all.map((node) => node.kill()));
    },
  };
}

/** Nobody may miss a heartbeat that is not due: the timeout has to be longer. */
const heartbeat = (seconds: number | undefined) =>
  seconds === undefined
    ? {}
    : { settings: { "repl-ping-replica-period": String(seconds), "repl-timeout": String(2 * seconds) } };

const openVoter = (clock: SystemClock): ValkeyNodes =>
  makeValkeyNodes({
    clock,
    credentials: () => ({ ...localAccess.coordinator, previousUser: null }),
    tls: noTls,
    clientName: "valkeeper-test",
  });

const remembering = (nodes: ValkeyNodes, opened: ValkeyNode[]): ValkeyNodes => ({
  open: (address) => {
    const node = nodes.open(address);
    opened.push(node);
    return node;
  },
});

/** A link is up before the stream has begun (verification B0): a write that arrives everywhere proves that it has. */
async function inStep(nodes: readonly ValkeyProcess[]): Promise<void> {
  const [primary, ...replicas] = nodes;
  if (primary === undefined) return;
  const client = primary.open();
  try {
    await client.set("first", "1");
    await eventually(
      "the replicas are in step",
      async () => (await client.wait(replicas.length, 50)) === replicas.length,
    );
  } finally {
    client.disconnect();
  }
}

function underTest(node: ValkeyProcess): NodeUnderTest {
  return {
    address: { host: node.host, port: node.port },
    kill: () => node.kill(),
    shutDown: () => node.shutDown(),
    restart: (data, boot = "fenced") => node.restart({ data, boot }),
    hang: () => node.hang(),
    wake: () => node.wake(),
    openClient: async () => {
      const client = node.open(localAccess.application);
      await client.ping();
      return new RealClient(client);
    },
    beginFailover: async (target) => {
      await node.ask("FAILOVER", "TO", target.host, target.port);
    },
    cutFollowers: async () => {
      await node.ask("CLIENT", "KILL", "TYPE", "replica");
    },
    isSaved: async () => {
      const persistence = await node.info("persistence");
      const going = ["rdb_bgsave_in_progress", "aof_rewrite_in_progress", "aof_rewrite_scheduled"];
      return going.every((field) => persistence.get(field) === "0");
    },
    unpause: async () => {
      await node.ask("CLIENT", "UNPAUSE");
    },
    holds: async (writes) => {
      const found = new Set((await node.ask("KEYS", "write-*")) as readonly string[]);
      return writes.filter((write) => found.has(`write-${write}`));
    },
    loseConfigFile: () => node.hideConfig(),
  };
}

class RealClient implements NodeClient {
  readonly #client: Redis;
  #writes = 0;

  constructor(client: Redis) {
    this.#client = client;
  }

  async write(): Promise<boolean> {
    this.#writes += 1;
    try {
      return (await this.#client.set(`key-${this.#writes}`, "1")) === "OK";
    } catch {
      // Refused or cut off: either way nobody was told that it is written.
      return false;
    }
  }

  set(write: number): Promise<string> {
    return firstWord(this.#client.set(`write-${write}`, "1"));
  }

  wait(replicas: number, timeoutMs: number): Promise<string> {
    return firstWord(this.#client.wait(replicas, timeoutMs));
  }

  async isCut(): Promise<boolean> {
    return this.#client.status === "end" || this.#client.status === "close";
  }

  close(): void {
    this.#client.disconnect();
  }
}

async function firstWord(reply: Promise<unknown>): Promise<string> {
  try {
    return String(await reply);
  } catch (error) {
    // What the library says of a lost connection is no reply of the server.
    const isReply = error instanceof Error && error.name === "ReplyError";
    return isReply ? (error.message.split(" ", 1)[0] ?? "") : "cut";
  }
}
