// The explorer's nodes against the simulator's, which are held to real servers: drawn sequences of what a coordinator, a client
// and bad luck do, carried out on both; after each command both are let come to rest and say what they are. What the
// explorer leaves out is not drawn: README.md.

import { describe, expect, it } from "vitest";
import { BOOT_FENCE } from "../../lib/core/token.ts";
import {
  type Address,
  after,
  type ConnectionRef,
  epoch,
  instant,
  type NodeCommand,
  type NodeReading,
  type VoterId,
} from "../../lib/core/types.ts";
import type { ValkeyNode } from "../../lib/ports/valkey-node.ts";
import { isAtRest, isSame, Names, type Seen, type View, viewOf } from "../conformance/view.ts";
import { freezeOver, repointOver, settleOver, tokenOfEpoch } from "../contract/valkey-node-scene.ts";
import type { NodeWorld } from "../contract/valkey-node-world.ts";
import { A, addressOf, B, NODES } from "../core/builders.ts";
import { Dice } from "../sim/dice.ts";
import { simulatedNodeWorld } from "../sim/valkey-contract-world.ts";
import {
  bereft,
  caughtUp,
  execute,
  isBehind,
  isConnected,
  killed,
  linked,
  newNodeRecord,
  readingOf,
  restarted,
} from "./node.ts";
import type { NodeRecord } from "./world.ts";

const SEQUENCES = 100;
const LENGTH = 30;
const LIMIT_MS = 120_000;
const PATIENCE_MS = 4_000;
const REST_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 20;

interface ByVoter {
  readonly voter: 0 | 1;
  readonly node: number;
  /** Over what this voter saw last, whatever happened since. */
  readonly isBlind: boolean;
}
type Step =
  | (ByVoter & { readonly kind: "freeze"; readonly epoch: number })
  | (ByVoter & { readonly kind: "promote"; readonly wrong: "nothing" | "token" | "offset" | "process" })
  | (ByVoter & { readonly kind: "settle" })
  | (ByVoter & { readonly kind: "repoint"; readonly to: number })
  | { readonly kind: "write" | "end and return" | "lose all and return"; readonly node: number };
type Ordered = Extract<Step, ByVoter>;

interface Look {
  readonly reading: NodeReading;
  readonly connection: ConnectionRef;
}

function orderOf(step: Ordered, { reading, connection }: Look, addresses: readonly Address[]): NodeCommand {
  switch (step.kind) {
    case "freeze":
      return freezeOver(connection, step.epoch);
    case "settle":
      return settleOver(connection, 9);
    case "repoint":
      return repointOver(connection, addresses[step.to] as Address);
    case "promote": {
      const { runId, replicationId, offset, follows } = reading;
      const token = follows?.port === BOOT_FENCE.port ? follows.host : null;
      return {
        kind: "promote",
        epoch: epoch(9),
        connection: connection.id,
        expect: {
          runId: step.wrong === "process" ? ("f".repeat(40) as typeof runId) : runId,
          replicationId,
          offset: offset + (step.wrong === "offset" ? 1 : 0),
          tokenHost: step.wrong === "token" ? tokenOfEpoch(99).host : token,
        },
      };
    }
  }
}

/** Who lists whom is the simulator's alone, and the link of a chain is left out of the exploration. */
function common(seen: readonly Seen[], addresses: readonly Address[], firstKeys: number): Seen[] {
  const at = (address: Address | null) => addresses.findIndex((each) => address !== null && isSame(each, address));
  const serves = (index: number) => {
    const observation = seen[index]?.observation;
    return observation?.kind === "answered" && observation.reading.role === "primary";
  };
  return seen.map(({ observation, writes }) => {
    if (observation.kind !== "answered") return { observation, writes };
    const { reading } = observation;
    const linkUp = reading.linkUp && serves(at(reading.follows));
    const keyCount = Math.max(0, reading.keyCount - firstKeys) + (reading.keyCount > 0 ? 1 : 0);
    return { observation: { ...observation, reading: { ...reading, linkUp, keyCount, replicas: [] } }, writes };
  });
}

/** The trio of the exploration. */
class Explored {
  nodes: readonly NodeRecord[] = NODES.map((id, index) => newNodeRecord(id, index + 1));
  readonly #addresses = NODES.map((id) => addressOf(id));
  readonly #names = new Names(this.#addresses);
  readonly #looks = new Map<string, Look>();
  readonly #hasBeenLinked = new Set<string>(this.nodes.map(({ runId }) => runId));
  #fresh = 10;
  #connections = 0;
  #writes = 0;

  perform(step: Step): View {
    const answer = this.#carryOut(step);
    this.#rest();
    return [answer, ...this.view()];
  }

  /** Chains, and the new id of a primary that nobody followed since it began (M1), are left out. */
  mayBe(step: Step): boolean {
    const node = this.nodes[step.node] as NodeRecord;
    const isFollowed = this.nodes.some((each) => each.follows?.host === addressOf(node.id).host && each.id !== node.id);
    if (step.kind === "freeze") return !isFollowed;
    if (step.kind === "repoint") return !isFollowed && step.to !== step.node && this.nodes[step.to]?.role === "primary";
    if (step.kind === "promote" || step.kind === "end and return") return this.#hasBeenLinked.has(node.runId);
    return step.kind !== "write" || node.role === "primary";
  }

  view(): View {
    const seen = this.nodes.map((node): Seen => {
      const reading = readingOf(node);
      const connection = { id: 0, authenticatedAt: instant(0) };
      const writes = [...node.log].flatMap((letter) => (letter === "w" ? [] : [letter.charCodeAt(0) - FIRST]));
      return { observation: { kind: "answered", reading, settings: null, connection }, writes };
    });
    return viewOf(common(seen, this.#addresses, 1), this.#names);
  }

  #carryOut(step: Step): string {
    const node = this.nodes[step.node] as NodeRecord;
    switch (step.kind) {
      case "write":
        this.#writes += 1;
        this.#set({ ...node, log: node.log + String.fromCharCode(FIRST + this.#writes) });
        return "done";
      case "end and return":
        this.#set(killed(node));
        this.#set(restarted(this.nodes[step.node] as NodeRecord, this.#next()));
        return "done";
      case "lose all and return":
        this.#set(killed(node));
        this.#set(bereft(this.nodes[step.node] as NodeRecord, "", { run: this.#next(), history: this.#next() }));
        return "done";
      default:
        return this.#order(step);
    }
  }

  #order(step: Ordered): string {
    const voter = [A, B][step.voter] as VoterId;
    const key = `${voter} ${step.node}`;
    const known = step.isBlind ? this.#looks.get(key) : undefined;
    const look = known ?? this.#look(voter, step.node);
    this.#looks.set(key, look);
    const node = this.nodes[step.node] as NodeRecord;
    const command = orderOf(step, look, this.#addresses);
    if (!isConnected(node, look.connection.id, voter)) return "not carried out";
    const { node: changed, outcome } = execute(node, command, { voter, authenticatedAt: 0, fresh: this.#next() });
    this.#set(changed);
    if (outcome.kind === "applied") this.#looks.set(key, { reading: outcome.after, connection: outcome.connection });
    return outcome.kind === "applied" ? "applied" : "not carried out";
  }

  #look(voter: VoterId, index: number): Look {
    const node = this.nodes[index] as NodeRecord;
    const kept = this.#looks.get(`${voter} ${index}`)?.connection;
    if (kept !== undefined && isConnected(node, kept.id, voter)) return { reading: readingOf(node), connection: kept };
    this.#connections += 1;
    const connection = { id: this.#connections, authenticatedAt: instant(0) };
    this.#set({ ...node, connections: [...node.connections, { id: connection.id, voter }] });
    return { reading: readingOf(this.nodes[index] as NodeRecord), connection };
  }

  #set(node: NodeRecord): void {
    this.nodes = linked(this.nodes.map((each) => (each.id === node.id ? node : each)));
    for (const { isLinked, runId } of this.nodes) if (isLinked) this.#hasBeenLinked.add(runId);
  }

  #rest(): void {
    for (;;) {
      const behind = this.nodes.find((each) => isBehind(each, this.nodes));
      if (behind === undefined) return;
      this.#set(caughtUp(behind, this.nodes));
    }
  }

  #next(): number {
    this.#fresh += 1;
    return this.#fresh;
  }
}

/** Writes are told apart by the letters from here on. */
const FIRST = 0x100;

/** The trio of the simulation, through its port. */
class Simulated {
  readonly #world: NodeWorld = simulatedNodeWorld({ persistence: "rdb", heartbeatSeconds: 3_600 });
  readonly #addresses = this.#world.nodes.map(({ address }) => address);
  readonly #names = new Names(this.#addresses);
  readonly #voters = [this.#world.openVoter(), this.#world.openVoter(), this.#world.openVoter()];
  readonly #ports = new Map<string, ValkeyNode>();
  readonly #looks = new Map<string, Look>();
  readonly #writes: number[] = [];

  async perform(step: Step): Promise<View> {
    const answer = await this.#carryOut(step);
    return [answer, ...(await this.view())];
  }

  async view(): Promise<View> {
    const until = after(this.#world.clock.now(), REST_WITHIN_MS);
    for (let rested = 0; rested < 2; ) {
      const seen = await this.#look();
      rested = isAtRest(seen, this.#addresses) ? rested + 1 : 0;
      if (this.#world.clock.now() >= until) return ["without rest"];
      await this.#world.pass(LOOK_EVERY_MS);
    }
    return viewOf(common(await this.#look(), this.#addresses, 1), this.#names);
  }

  async #look(): Promise<Seen[]> {
    const seen: Seen[] = [];
    for (const [index, node] of this.#world.nodes.entries()) {
      const deadline = after(this.#world.clock.now(), PATIENCE_MS);
      const observation = await this.#world.settled(this.#port(2, index).probe({ deadline, fresh: false }));
      const held = await this.#world.settled(node.holds(this.#writes));
      seen.push({ observation, writes: held.map((write) => write - OWN_WRITES) });
    }
    return seen;
  }

  async #carryOut(step: Step): Promise<string> {
    const node = this.#world.nodes[step.node] as NodeWorld["nodes"][number];
    switch (step.kind) {
      case "write": {
        const client = await this.#world.settled(node.openClient());
        this.#writes.push(OWN_WRITES + this.#writes.length + 1);
        const said = await this.#world.settled(client.set(this.#writes.at(-1) as number));
        client.close();
        return said === "OK" ? "done" : said;
      }
      case "end and return":
      case "lose all and return": {
        const isKept = step.kind === "end and return";
        if (isKept) await this.#untilAcknowledged(step.node);
        await this.#world.settled(isKept ? node.shutDown() : node.kill());
        await this.#world.settled(node.restart(isKept ? "kept" : "emptied"));
        return "done";
      }
      default:
        return this.#order(step);
    }
  }

  /** One that is told to end asks for what its replicas have not acknowledged, in bytes of its own stream (M3). */
  async #untilAcknowledged(index: number): Promise<void> {
    const until = after(this.#world.clock.now(), REST_WITHIN_MS);
    while (this.#world.clock.now() < until) {
      const observation = (await this.#look())[index]?.observation;
      const reading = observation?.kind === "answered" ? observation.reading : null;
      if (reading?.replicas.every(({ offset }) => offset === reading.offset) !== false) return;
      await this.#world.pass(LOOK_EVERY_MS);
    }
  }

  async #order(step: Ordered): Promise<string> {
    const key = `${step.voter} ${step.node}`;
    const port = this.#port(step.voter, step.node);
    const deadline = () => after(this.#world.clock.now(), PATIENCE_MS);
    let look = step.isBlind ? this.#looks.get(key) : undefined;
    if (look === undefined) {
      const observation = await this.#world.settled(port.probe({ deadline: deadline(), fresh: false }));
      if (observation.kind !== "answered") return observation.kind;
      look = observation;
    }
    this.#looks.set(key, look);
    const command = orderOf(step, look, this.#addresses);
    const outcome = await this.#world.settled(port.execute(command, deadline()));
    if (outcome.kind === "applied") this.#looks.set(key, { reading: outcome.after, connection: outcome.connection });
    return outcome.kind === "applied" ? "applied" : "not carried out";
  }

  #port(voter: 0 | 1 | 2, index: number): ValkeyNode {
    const key = `${voter} ${index}`;
    const port = this.#ports.get(key) ?? this.#voters[voter]?.open(this.#addresses[index] as Address);
    if (port === undefined) throw new Error("there is no such voter");
    this.#ports.set(key, port);
    return port;
  }
}

/** Numbers that the world gives to no write of its own. */
const OWN_WRITES = 1_000;

function draw(dice: Dice): Step {
  const kinds = ["freeze", "freeze", "promote", "promote", "repoint", "repoint", "settle", "write", "write"] as const;
  const returns = ["end and return", "lose all and return"] as const;
  const kind = dice.chance(0.15) ? dice.pick(returns) : dice.pick(kinds);
  const node = dice.below(NODES.length);
  const by = { voter: dice.pick([0, 1] as const), node, isBlind: dice.chance(0.5) };
  switch (kind) {
    case "freeze":
      return { kind, ...by, epoch: 5 + dice.below(3) };
    case "promote":
      return { kind, ...by, wrong: dice.chance(0.2) ? dice.pick(["token", "offset", "process"] as const) : "nothing" };
    case "repoint":
      return { kind, ...by, to: dice.below(NODES.length) };
    case "settle":
      return { kind, ...by };
    default:
      return { kind, node };
  }
}

describe("a node of the exploration", () => {
  it("does what the simulator's does, whatever comes in whatever order", { timeout: LIMIT_MS }, async () => {
    const done = new Map<string, number>();
    for (let seed = 1; seed <= SEQUENCES; seed += 1) {
      const dice = new Dice(`explored nodes ${seed}`);
      const [mine, theirs] = [new Explored(), new Simulated()];
      const steps: string[] = [];
      expect(mine.view(), `seed ${seed}`).toEqual(await theirs.view());
      for (let drawn = 0; drawn < LENGTH; drawn += 1) {
        const step = draw(dice);
        if (!mine.mayBe(step)) continue;
        steps.push(JSON.stringify(step));
        const [said, shown] = [mine.perform(step), await theirs.perform(step)];
        expect(said, `seed ${seed}:\n${steps.join("\n")}`).toEqual(shown);
        const what = "voter" in step ? `${step.kind}: ${said[0]}` : step.kind;
        done.set(what, (done.get(what) ?? 0) + 1);
      }
    }
    // What is drawn and always refused, or never comes, compares nothing.
    const kinds = ["freeze", "promote", "repoint", "settle"].flatMap((kind) =>
      ["applied", "not carried out"].map((answer) => `${kind}: ${answer}`),
    );
    for (const what of [...kinds, "write", "end and return", "lose all and return"])
      expect(done.get(what) ?? 0, `${what} of ${JSON.stringify([...done])}`).toBeGreaterThan(10);
  });
});
