// One of the two trios: carries a command out through the port, lets the trio come to rest, and says what became of it.

import {
  type Address,
  after,
  type ConnectionRef,
  epoch,
  type NodeCommand,
  type NodeOutcome,
  type NodeReading,
  replicationId,
} from "../../lib/core/types.ts";
import type { ValkeyNode, ValkeyNodes } from "../../lib/ports/valkey-node.ts";
import { freezeOver, repointOver, settleOver, tokenOfEpoch } from "../contract/valkey-node-scene.ts";
import type { NodeClient, NodeUnderTest, NodeWorld } from "../contract/valkey-node-world.ts";
import type { Command, Expected, VoterName } from "./command.ts";
import { isAtRest, Names, type Seen, type View, viewOf, wordsOfReading } from "./view.ts";

/** Far more than a command takes. */
const PATIENCE_MS = 4_000;
/** A replica that was refused tries again a second later, and what it follows may have to try first. */
const REST_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 20;
/** Replicas acknowledge without being asked once a second. */
const WAIT_MS = 1_500;
const PAUSE_MS = 400;
const HELD_AFTER_MS = 100;

type VotersCommand = Extract<Command, { readonly look: string }>;
interface Look {
  readonly reading: NodeReading;
  readonly connection: ConnectionRef;
}

export class Side {
  readonly #world: NodeWorld;
  readonly #addresses: readonly Address[];
  readonly #names: Names;
  readonly #voters: Readonly<Record<VoterName | "observer", ValkeyNodes>>;
  readonly #opened = new Map<string, ValkeyNode>();
  readonly #looks = new Map<string, Look>();
  readonly #writes: number[] = [];
  readonly #ended = new Set<number>();

  constructor(world: NodeWorld) {
    this.#world = world;
    this.#addresses = world.nodes.map(({ address }) => address);
    this.#names = new Names(this.#addresses);
    this.#voters = { a: world.openVoter(), b: world.openVoter(), observer: world.openVoter() };
  }

  /** What the command answered, and what there is when the trio has come to rest. */
  async perform(command: Command): Promise<View> {
    const answer = await this.#carryOut(command);
    return [`answer: ${answer}`, ...(await this.rest())];
  }

  async rest(): Promise<View> {
    const { clock } = this.#world;
    const until = after(clock.now(), REST_WITHIN_MS);
    let before: Seen[] | null = null;
    for (;;) {
      const seen = await this.#look();
      const rests = isAtRest(seen, this.#addresses);
      const late = clock.now() >= until;
      // Twice: the first may have been seen in the middle of something that takes no notice of what is looked at.
      if ((rests && before !== null) || late) {
        return [...(rests ? [] : ["without rest"]), ...viewOf(await this.#withWrites(seen), this.#names)];
      }
      before = rests ? seen : null;
      await this.#world.pass(LOOK_EVERY_MS);
    }
  }

  close(): Promise<void> {
    return this.#world.close();
  }

  async #look(): Promise<Seen[]> {
    const seen: Seen[] = [];
    for (const index of this.#addresses.keys()) {
      const deadline = after(this.#world.clock.now(), PATIENCE_MS);
      const probe = this.#port("observer", index).probe({ deadline, fresh: false });
      seen.push({ observation: await this.#world.settled(probe), writes: [] });
    }
    return seen;
  }

  async #withWrites(seen: readonly Seen[]): Promise<Seen[]> {
    const all: Seen[] = [];
    for (const [index, each] of seen.entries()) {
      const isThere = each.observation.kind === "answered";
      const writes = isThere ? await this.#world.settled(this.#node(index).holds(this.#writes)) : [];
      all.push({ ...each, writes });
    }
    return all;
  }

  async #carryOut(command: Command): Promise<string> {
    if ("look" in command) return this.#order(command);
    switch (command.kind) {
      case "write":
        return this.#withClient(command.node, (client) => this.#set(client));
      case "write-and-wait":
        return this.#withClient(command.node, async (client) => {
          const written = await this.#set(client);
          const count = await this.#world.settled(client.wait(command.replicas, WAIT_MS));
          return `${written}, waited for ${enough(count, command.replicas)}`;
        });
      case "write-paused":
        return this.#withClient(command.node, (client) => this.#setPaused(client, command));
      case "cut-followers":
        return this.#ifRunning(command.node, (node) => node.cutFollowers());
      case "end":
        return this.#end(command.node, command.how);
      case "start":
        return this.#start(command);
    }
  }

  // The voters' commands.

  async #order(command: VotersCommand): Promise<string> {
    const key = `${command.voter} ${command.node}`;
    const port = this.#port(command.voter, command.node);
    const known = command.look === "blind" ? this.#looks.get(key) : undefined;
    const look = known ?? (await this.#lookFor(port, key));
    if (typeof look === "string") return look;
    const order = this.#nodeCommand(command, look);
    const outcome = await this.#world.settled(port.execute(order, after(this.#world.clock.now(), PATIENCE_MS)));
    if (outcome.kind === "applied") this.#looks.set(key, { reading: outcome.after, connection: outcome.connection });
    return this.#wordsOfOutcome(outcome);
  }

  async #lookFor(port: ValkeyNode, key: string): Promise<Look | string> {
    const deadline = after(this.#world.clock.now(), PATIENCE_MS);
    const observation = await this.#world.settled(port.probe({ deadline, fresh: false }));
    if (observation.kind !== "answered") return observation.kind;
    this.#looks.set(key, observation);
    return observation;
  }

  #nodeCommand(command: VotersCommand, { reading, connection }: Look): NodeCommand {
    switch (command.kind) {
      case "freeze":
        return freezeOver(connection, command.epoch);
      case "settle":
        return settleOver(connection, 9);
      case "repoint":
        return repointOver(connection, this.#node(command.to).address, command.clients === "dropped");
      case "promote":
        return {
          kind: "promote",
          epoch: epoch(9),
          connection: connection.id,
          expect: expectation(reading, command.expected),
        };
    }
  }

  #wordsOfOutcome(outcome: NodeOutcome): string {
    switch (outcome.kind) {
      case "done":
        return "done";
      case "unknown":
        return `unknown: ${outcome.detail}`;
      case "refused": {
        const then = outcome.reading === null ? "" : `; then ${wordsOfReading(outcome.reading, this.#names)}`;
        return `refused: ${reasonOf(outcome.detail)}${then}`;
      }
      case "applied": {
        const { before, after: later, rewriteError } = outcome;
        const moved = before.offset === later.offset ? "at its offset" : "at another offset";
        const [from, to] = [before, later].map((reading) => wordsOfReading(reading, this.#names));
        return `applied ${moved}, ${rewriteError === null ? "" : "not "}rewritten: ${from} -> ${to}`;
      }
    }
  }

  // Applications, and what happens to processes.

  #set(client: NodeClient): Promise<string> {
    return this.#world.settled(client.set(this.#nextWrite()));
  }

  /** Numbers that no world gives to writes of its own. */
  #nextWrite(): number {
    const write = this.#writes.length + 1_000;
    this.#writes.push(write);
    return write;
  }

  async #setPaused(client: NodeClient, command: Extract<Command, { kind: "write-paused" }>): Promise<string> {
    if (command.meanwhile === "kill") await this.#untilStill(command.node);
    const port = this.#port("a", command.node);
    const look = await this.#lookFor(port, `a ${command.node}`);
    if (typeof look === "string") return look;
    const pause = { kind: "pause", connection: look.connection.id, durationMs: PAUSE_MS } as const;
    const paused = await this.#world.settled(port.execute(pause, after(this.#world.clock.now(), PATIENCE_MS)));
    const answers: string[] = [];
    client.set(this.#nextWrite()).then((word) => answers.push(word));
    await this.#world.pass(HELD_AFTER_MS);
    const then = answers.length === 0 ? "held" : "at once";
    const meanwhile = await this.#meanwhile(command, look);
    const until = after(this.#world.clock.now(), PATIENCE_MS);
    while (answers.length === 0 && this.#world.clock.now() < until) await this.#world.pass(LOOK_EVERY_MS);
    return `${this.#wordsOfOutcome(paused)}, ${then}, ${meanwhile}, ${answers[0] ?? "no answer"}`;
  }

  async #meanwhile({ node, meanwhile }: Extract<Command, { kind: "write-paused" }>, look: Look): Promise<string> {
    switch (meanwhile) {
      case "nothing":
        return "nothing";
      case "freeze": {
        const order = freezeOver(look.connection, 8);
        const outcome = this.#port("a", node).execute(order, after(this.#world.clock.now(), PATIENCE_MS));
        return this.#wordsOfOutcome(await this.#world.settled(outcome));
      }
      case "unpause":
        await this.#world.settled(this.#node(node).unpause());
        return "unpaused";
      case "kill":
        await this.#world.settled(this.#node(node).kill());
        this.#ended.add(node);
        return "killed";
    }
  }

  async #withClient(index: number, use: (client: NodeClient) => Promise<string>): Promise<string> {
    if (this.#ended.has(index)) return "refused";
    const client = await this.#world.settled(this.#node(index).openClient());
    try {
      return await use(client);
    } finally {
      client.close();
    }
  }

  async #ifRunning(index: number, act: (node: NodeUnderTest) => PromiseLike<void>): Promise<string> {
    if (this.#ended.has(index)) return "not running";
    await this.#world.settled(act(this.#node(index)));
    return "done";
  }

  async #end(index: number, how: "killed" | "shut-down"): Promise<string> {
    if (!this.#ended.has(index)) await this.#untilStill(index);
    const answer = await this.#ifRunning(index, (node) => (how === "killed" ? node.kill() : node.shutDown()));
    this.#ended.add(index);
    return answer;
  }

  /**
   * Two things go on in a real server for a while after a command, and a process that ends in the middle of them ends
   * otherwise than a moment later: replicas' acknowledgements, and the rewriting of an append-only file after a full synchronization.
   */
  async #untilStill(index: number): Promise<void> {
    const until = after(this.#world.clock.now(), REST_WITHIN_MS);
    while (this.#world.clock.now() < until) {
      const { observation } = (await this.#look())[index] as Seen;
      const reading = observation.kind === "answered" ? observation.reading : null;
      const isAcknowledged = reading?.replicas.every(({ offset }) => offset === reading.offset) ?? true;
      if (isAcknowledged && (await this.#world.settled(this.#node(index).isSaved()))) return;
      await this.#world.pass(LOOK_EVERY_MS);
    }
  }

  async #start({ node, data, boot }: Extract<Command, { kind: "start" }>): Promise<string> {
    if (!this.#ended.delete(node)) return "running already";
    await this.#world.settled(this.#node(node).restart(data, boot));
    return "done";
  }

  #node(index: number): NodeUnderTest {
    const node = this.#world.nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    return node;
  }

  #port(voter: VoterName | "observer", index: number): ValkeyNode {
    const key = `${voter} ${index}`;
    const port = this.#opened.get(key) ?? this.#voters[voter].open(this.#node(index).address);
    this.#opened.set(key, port);
    return port;
  }
}

function expectation(reading: NodeReading, expected: Expected): Extract<NodeCommand, { kind: "promote" }>["expect"] {
  const { follows } = reading;
  const token = follows?.port === 1 ? follows.host : null;
  return {
    runId: reading.runId,
    replicationId: expected === "other-history" ? replicationId("0".repeat(40)) : reading.replicationId,
    offset: reading.offset + (expected === "other-offset" ? 1 : 0),
    tokenHost: expected === "other-token" ? tokenOfEpoch(99).host : token,
  };
}

const CHECKS = ["another process", "it is a primary already", "another history", "offset", "it follows"];

/** Whose words these are differs; which check of the promotion failed, or which error the server gave, does not. */
function reasonOf(detail: string): string {
  const check = CHECKS.find((words) => detail.startsWith(`not sent: ${words}`));
  return check ?? /^[^:\d]*(?:: [^:\d]*)?/.exec(detail)?.[0].trim() ?? "";
}

/** Of more replicas than were asked for, chance decides how many are counted. */
const enough = (count: string, replicas: number): string => (Number(count) >= replicas ? "enough" : count);
