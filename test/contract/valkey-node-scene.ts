// A world with one voter that looks at its nodes: the sentences of the contract's tests.

import { tokenAddress } from "../../lib/core/token.ts";
import {
  type Address,
  after,
  type ConnectionRef,
  epoch,
  type NodeCommand,
  type NodeOutcome,
  type NodeReading,
  type Observation,
} from "../../lib/core/types.ts";
import type { ValkeyNode, ValkeyNodes } from "../../lib/ports/valkey-node.ts";
import type { NodeUnderTest, NodeWorld, WorldOptions } from "./valkey-node-world.ts";

export type Begin = (options?: WorldOptions) => Promise<Scene>;
export type Answered = Extract<Observation, { kind: "answered" }>;
export type Applied = Extract<NodeOutcome, { kind: "applied" }>;

/** Long enough for a loaded machine; what is to end at a deadline gets its own. */
const PATIENCE_MS = 2_000;

/** One voter at one node. */
export class Seat {
  readonly node: ValkeyNode;
  readonly late: { readonly command: NodeCommand; readonly outcome: NodeOutcome }[] = [];
  readonly #world: NodeWorld;

  constructor(world: NodeWorld, node: ValkeyNode) {
    this.#world = world;
    this.node = node;
    node.onLateOutcome((command, outcome) => this.late.push({ command, outcome }));
  }

  probe(options: { readonly withinMs?: number; readonly fresh?: boolean } = {}): Promise<Observation> {
    const deadline = after(this.#world.clock.now(), options.withinMs ?? PATIENCE_MS);
    return this.#world.settled(this.node.probe({ deadline, fresh: options.fresh ?? false }));
  }

  async answer(options: { readonly fresh?: boolean } = {}): Promise<Answered> {
    const observation = await this.probe(options);
    if (observation.kind !== "answered") throw new Error(`${observation.kind}: ${observation.detail}`);
    return observation;
  }

  /** As `ask`, without waiting for the outcome. */
  begin(command: NodeCommand, withinMs = PATIENCE_MS): PromiseLike<NodeOutcome> {
    return this.node.execute(command, after(this.#world.clock.now(), withinMs));
  }

  ask(command: NodeCommand, withinMs = PATIENCE_MS): Promise<NodeOutcome> {
    return this.#world.settled(this.begin(command, withinMs));
  }

  async change(command: NodeCommand): Promise<Applied> {
    const outcome = await this.ask(command);
    if (outcome.kind !== "applied") throw new Error(`${command.kind}: ${JSON.stringify(outcome)}`);
    return outcome;
  }

  async freeze(epochNumber: number): Promise<Applied> {
    return this.change(freezeOver((await this.answer()).connection, epochNumber));
  }
}

export class Scene {
  readonly world: NodeWorld;
  readonly #voter: ValkeyNodes;
  readonly #seats = new Map<number, Seat>();

  constructor(world: NodeWorld) {
    this.world = world;
    this.#voter = world.openVoter();
  }

  node(index: number): NodeUnderTest {
    const node = this.world.nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    return node;
  }

  /** The first voter at this node. */
  at(index: number): Seat {
    const seat = this.#seats.get(index) ?? new Seat(this.world, this.#voter.open(this.node(index).address));
    this.#seats.set(index, seat);
    return seat;
  }

  /** Another voter at this node. */
  other(index: number): Seat {
    return new Seat(this.world, this.world.openVoter().open(this.node(index).address));
  }

  async reading(index: number): Promise<NodeReading> {
    return (await this.at(index).answer()).reading;
  }

  /** Looks until the reading has what is waited for. */
  async until(index: number, what: string, holds: (reading: NodeReading) => boolean): Promise<NodeReading> {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const observation = await this.at(index).probe();
      if (observation.kind === "answered" && holds(observation.reading)) return observation.reading;
      await this.world.pass(25);
    }
    throw new Error(`never: ${what}`);
  }

  async waitFor(what: string, holds: () => boolean | PromiseLike<boolean>): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      if (await holds()) return;
      await this.world.pass(20);
    }
    throw new Error(`never: ${what}`);
  }

  /** Writes of an application; all must be accepted. */
  async write(index: number, count: number): Promise<void> {
    const client = await this.world.settled(this.node(index).openClient());
    for (let written = 0; written < count; written += 1) {
      if (!(await this.world.settled(client.write()))) throw new Error("a write was not accepted");
    }
    client.close();
  }

  /** All replicas have what the primary has written. */
  async inStep(): Promise<void> {
    for (let index = 1; index < this.world.nodes.length; index += 1) {
      await this.until(index, "in step", (reading) => reading.linkUp && reading.offset > 0);
      const { offset } = await this.reading(0);
      await this.until(index, "caught up", (reading) => reading.offset >= offset);
    }
  }

  close(): Promise<void> {
    return this.world.close();
  }
}

export const tokenOfEpoch = (epochNumber: number): Address => tokenAddress(epoch(epochNumber));

export const freezeOver = (connection: ConnectionRef, epochNumber: number, parked = false): NodeCommand => ({
  kind: "freeze",
  epoch: epoch(epochNumber),
  connection: connection.id,
  parked,
});

export const settleOver = (connection: ConnectionRef, epochNumber: number): NodeCommand => ({
  kind: "settle",
  epoch: epoch(epochNumber),
  connection: connection.id,
});

/** As the engine would expect it from what the freeze's reply showed. */
export const promoteAfter = (frozen: Applied, epochNumber: number): Extract<NodeCommand, { kind: "promote" }> => ({
  kind: "promote",
  epoch: epoch(epochNumber),
  connection: frozen.connection.id,
  expect: {
    runId: frozen.after.runId,
    replicationId: frozen.after.replicationId,
    offset: frozen.after.offset,
    tokenHost: tokenOfEpoch(epochNumber).host,
  },
});

export const repointOver = (
  connection: ConnectionRef,
  to: Address,
  dropClients = false,
): Extract<NodeCommand, { kind: "repoint" }> => ({
  kind: "repoint",
  epoch: epoch(9),
  connection: connection.id,
  to,
  dropClients,
});
