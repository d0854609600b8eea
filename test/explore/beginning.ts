// Where every exploration begins: n1 is primary, adopted under epoch 1 and armed, n2 and n3 are in sync, and every voter
// has looked at all of it. The bounds of time are chosen so that a voter has few instants at which anything falls due.

import { encodeBallot } from "../../lib/core/ballot-format.ts";
import type { DeclaredConfig, GroupConfig } from "../../lib/core/config.ts";
import type { Context } from "../../lib/core/state.ts";
import { newGroupState } from "../../lib/core/state.ts";
import { epoch, instant } from "../../lib/core/types.ts";
import { ballot, context, member, NODES, recorded, VOTERS } from "../core/builders.ts";
import { newNodeRecord } from "./node.ts";
import { NOW, type Voter, type World } from "./world.ts";

/** How long a voter sleeps in the long jump: every bound of a step, and a lease, are over then. Not yet a stall. */
export const LONG_MS = 950;

const SETTINGS: Partial<DeclaredConfig> = {
  probeIntervalMs: 100,
  probeTimeoutMs: 100,
  downAfterMs: 150,
  refusedAfterMs: 0,
  writeHoldAfterMs: 0,
  unreachableAfterMs: 100_000,
  voteWindowMs: 3_000,
  freezeWaitMs: 150,
  leaseMs: 900,
  stepTimeoutMs: 3_000,
  watchIntervalMs: 100,
  armAfterMs: 100,
  failoverBudget: 100,
  parallelSyncs: 2,
};

/** What a plan may set otherwise. */
export type Settings = Readonly<Pick<DeclaredConfig, "onPossibleLoss" | "waitK" | "leaseMs">>;

/** The group as it was declared: the same context for the same invocation, so that core's own caches serve. */
export class Group {
  readonly #settings: Partial<DeclaredConfig>;
  readonly #contexts = new Map<string, Context>();

  constructor(settings: Settings) {
    this.#settings = { ...SETTINGS, ...settings };
  }

  contextOf({ id, generation }: Pick<Voter, "id" | "generation">): Context {
    const key = `${id}.${generation}`;
    let known = this.#contexts.get(key);
    if (known === undefined) {
      known = context(this.#settings, { voter: id, generation, voters: VOTERS });
      this.#contexts.set(key, known);
    }
    return known;
  }

  /** As every voter and the publisher have it. */
  get config(): GroupConfig {
    return this.contextOf({ id: VOTERS[0] as Voter["id"], generation: 1 }).config;
  }

  /** S9 is promised. */
  get isPromised(): boolean {
    return this.#settings.onPossibleLoss === "refuse";
  }

  /** A fresh invocation that knows nothing yet. */
  started(voter: Voter, generation: number): Voter {
    const { config } = this.contextOf({ id: voter.id, generation });
    return { ...voter, state: newGroupState(config, instant(NOW)), generation, wakeAt: NOW };
  }

  firstWorld(): World {
    const nodes = NODES.map((id, index) => newNodeRecord(id, index + 1));
    const members = nodes.map((node, index) => [node.id, member(index + 1)] as const);
    const item = encodeBallot(
      ballot({
        members: { version: 1, nodes: Object.fromEntries(members) },
        lineage: { histories: [recorded({ forkOffset: 0 })], intents: [] },
      }),
    );
    const voters = VOTERS.map((id): Voter => ({ id, state: null, generation: 1, wakeAt: NOW, cut: [], sent: [] }));
    return {
      nodes,
      voters: voters.map((voter) => this.started(voter, 1)),
      table: {
        item,
        published: { epoch: epoch(1), revision: 0, node: NODES[0] as never },
        publisher: null,
        request: null,
        primaries: { 1: "n1" },
        granted: {},
        acknowledged: this.isPromised ? ["w"] : [],
      },
    };
  }
}
