// One move, carried out: a voter takes a fact in, and what follows at once follows. Probes and looks at the ballot are
// answered within the same move, one after the other; writes of the ballot, publications and commands of nodes are under
// way afterwards, and what becomes of each is a move of its own (moves.ts).

import type { Ballot, ControlMode } from "../../lib/core/ballot.ts";
import { type BallotWrite, interpret } from "../../lib/core/ballot-write.ts";
import type { Command, Fact } from "../../lib/core/commands.ts";
import { publicationOf } from "../../lib/core/publication.ts";
import type { Publication } from "../../lib/core/records.ts";
import type { GroupState } from "../../lib/core/state.ts";
import {
  attemptId,
  type ConnectionRef,
  type Epoch,
  instant,
  type NodeId,
  type Observation,
  wallTime,
} from "../../lib/core/types.ts";
import { setControl } from "../../lib/core/writes.ts";
import { addressOf, GROUP, settings, WALL_START } from "../core/builders.ts";
import type { Group } from "./beginning.ts";
import type { Canon } from "./collapse.ts";
import { acknowledgedBy, isConnected, linked, readingOf } from "./node.ts";
import { brokenByIntending, brokenByPublishing, brokenByPutting, brokenBySending, brokenByWrite } from "./promises.ts";
import {
  type Engine,
  NOW,
  type NodeRecord,
  type Published,
  type Sent,
  type Table,
  type Voter,
  type World,
} from "./world.ts";

const MOMENT_MS = 0.1;
/** What falls due this soon is part of the same move: a breath between two probes of one node. */
export const BREATH_MS = 20;
/** Behind so many breaths a voter waits for something: what comes then is another move. */
const MOST_BREATHS = 4;
const MOST_STEPS = 150;
const SETTINGS = settings();

type Answer = () => Fact;

interface SceneOptions {
  readonly canon: Canon;
  readonly engine: Engine;
  readonly group: Group;
  readonly entropy: number;
  readonly freshRun: number;
  readonly freshHistory: number;
}

export class Scene {
  readonly broken: string[] = [];
  readonly voters: Voter[];
  nodes: readonly NodeRecord[];
  table: Table;
  /** Where the clock of the voter that moves stands. */
  now = NOW;
  readonly #canon: Canon;
  readonly #engine: Engine;
  readonly group: Group;
  /** The attempt's number, unused in the whole world. */
  readonly #entropy: string;
  /** The names of the next process and the next history, unused as well. */
  readonly freshRun: number;
  readonly freshHistory: number;

  constructor(world: World, options: SceneOptions) {
    this.voters = [...world.voters];
    this.nodes = world.nodes;
    this.table = world.table;
    this.#canon = options.canon;
    this.#engine = options.engine;
    this.group = options.group;
    this.#entropy = `${options.entropy}`;
    this.freshRun = options.freshRun;
    this.freshHistory = options.freshHistory;
  }

  node(id: NodeId): NodeRecord {
    return this.nodes.find((each) => each.id === id) as NodeRecord;
  }

  /** As a consistent read shows it. */
  ballot(): Ballot {
    return this.#canon.ballot(this.table.item);
  }

  setNode(node: NodeRecord): void {
    this.nodes = linked(this.nodes.map((each) => (each.id === node.id ? node : each)));
  }

  setVoter(index: number, changes: Partial<Voter>): void {
    this.voters[index] = { ...(this.voters[index] as Voter), ...changes };
  }

  isReached(voter: Voter, id: NodeId): boolean {
    return !voter.cut.includes(id) && !this.node(id).isHung;
  }

  /** The voter takes `fact` in, `sleptMs` after what it did last; null: it only was called. */
  advance(index: number, fact: Fact, sleptMs: number): void {
    this.now += sleptMs;
    const answers: Answer[] = [() => fact];
    let breaths = 0;
    for (let steps = 0; steps < MOST_STEPS; steps += 1) {
      const voter = this.voters[index] as Voter;
      const next = answers.shift();
      if (next === undefined && (voter.wakeAt - this.now > BREATH_MS || breaths === MOST_BREATHS)) return;
      if (next === undefined) breaths += 1;
      this.now = next === undefined ? Math.max(this.now + MOMENT_MS, voter.wakeAt) : this.now + MOMENT_MS;
      answers.push(...this.#step(index, next === undefined ? { kind: "time-passed" } : next()));
    }
    this.broken.push("L: a voter goes on without end within one moment");
  }

  #step(index: number, fact: Fact): Answer[] {
    const voter = this.voters[index] as Voter;
    const at = instant(this.now);
    const moment = { at, wall: wallTime(WALL_START), entropy: this.#entropy };
    const taken = this.#engine(voter.state as GroupState, { ...fact, ...moment }, this.group.contextOf(voter));
    this.setVoter(index, { state: taken.state, wakeAt: taken.wakeAt });
    return taken.commands.flatMap((command) => this.#carryOut(index, command) ?? []);
  }

  #carryOut(index: number, command: Command): Answer | null {
    const sentAt = instant(this.now);
    const voter = this.voters[index] as Voter;
    switch (command.kind) {
      case "probe":
        return () => ({
          kind: "probe-ended",
          node: command.node,
          sentAt,
          observation: this.#probe(index, command.node),
        });
      case "read-ballot":
        return () => ({ kind: "ballot-read", sentAt, ballot: this.#canon.ballot(this.table.item) });
      case "write-ballot":
        this.broken.push(
          ...brokenByIntending({
            write: command.write,
            frozen: frozenFor(voter),
            nodes: this.nodes,
            item: this.table.item,
          }),
        );
        this.#send(index, {
          kind: "write",
          write: tidied(command.write),
          generation: voter.generation,
          isGivenUp: false,
        });
        return null;
      case "command-node":
        this.broken.push(
          ...brokenBySending({
            voter: voter.id,
            command: command.command,
            table: this.table,
            shown: voter.state?.look?.ballot ?? null,
          }),
        );
        this.#send(index, {
          kind: "command",
          node: command.node,
          command: command.command,
          behind: lastOn(voter, command.node, command.command.connection) + 1,
          generation: voter.generation,
          isGivenUp: false,
        });
        return null;
      case "publish":
        return this.#publish(index, command);
      case "resolve-request":
        return () => this.#resolve(command);
      case "read-standing":
        // Nothing begins above what was published in these worlds.
        return null;
    }
  }

  /** A person has allowed that the rest is lost. */
  #kept(node: NodeId | null): readonly string[] {
    const { log } = this.nodes.find((each) => each.id === node) ?? { log: "" };
    return this.table.acknowledged.filter((each) => log.startsWith(each));
  }

  #resolve({ id, result }: Extract<Command, { kind: "resolve-request" }>): Fact {
    const { request } = this.table;
    const applied = request?.id === id && request.result === null;
    if (applied) this.table = { ...this.table, request: { ...request, result: { ...result, detail: "" } } };
    return { kind: "request-resolved", id, result, applied };
  }

  /** Where S9 is promised: what clients can have been told by now. */
  acknowledge(): void {
    if (!this.group.isPromised) return;
    const acknowledged = acknowledgedBy(this.nodes, this.table.acknowledged);
    if (acknowledged !== this.table.acknowledged) this.table = { ...this.table, acknowledged };
  }

  #send(index: number, sent: Sent): void {
    this.setVoter(index, { sent: [...(this.voters[index] as Voter).sent, sent] });
  }

  #probe(index: number, id: NodeId): Observation {
    const voter = this.voters[index] as Voter;
    const node = this.node(id);
    const kept = refsTo(voter.state as GroupState, id).find((each) => isConnected(node, each.id, voter.id)) ?? null;
    if (!this.isReached(voter, id)) return { kind: "silent", detail: "no answer", parkable: kept };
    if (!node.isUp) return { kind: "refused", detail: "connection refused" };
    const connection = kept ?? this.#connect(voter, node);
    return { kind: "answered", reading: readingOf(this.node(id)), settings: SETTINGS, connection };
  }

  #connect(voter: Voter, node: NodeRecord): ConnectionRef {
    const used = new Set(node.connections.filter((each) => each.voter === voter.id).map((each) => each.id));
    for (const ref of refsTo(voter.state as GroupState, node.id)) used.add(ref.id);
    for (const each of voter.sent) if (each.kind === "command") used.add(each.command.connection);
    let id = 1;
    while (used.has(id)) id += 1;
    this.setNode({ ...node, connections: [...node.connections, { id, voter: voter.id }] });
    return { id, authenticatedAt: instant(this.now) };
  }

  /** What the table does with a write that reaches it. */
  write(index: number, write: BallotWrite): boolean {
    const voter = this.voters[index] as Voter;
    const before = this.table;
    const { applied, item } = interpret(before.item, write);
    if (!applied || item === null) return false;
    const after = this.#canon.item(item);
    this.broken.push(...brokenByWrite({ name: write.name, voter: voter.id, before, after, nodes: this.nodes }));
    const { epoch, primary, operation } = this.#canon.ballot(after);
    const isGranted = epoch !== this.#canon.ballot(before.item).epoch;
    this.table = {
      ...before,
      item: after,
      primaries: primary === null ? before.primaries : { ...before.primaries, [primary.epoch]: primary.node },
      granted: isGranted ? { ...before.granted, [epoch]: voter.id } : before.granted,
      acknowledged: operation?.insists === true ? this.#kept(primary?.node ?? null) : before.acknowledged,
    };
    return true;
  }

  /** What an operator sets, by the same conditional write as the command line. */
  control(mode: ControlMode): void {
    const set = { mode, by: "alice", reason: "", until: null, attempt: attemptId(`set-${mode}`) };
    const { item } = interpret(this.table.item, setControl(this.ballot(), set));
    if (item !== null) this.table = { ...this.table, item: this.#canon.item(item) };
  }

  /** The copies are another's business: only the ordered publication is explored. */
  #publish(index: number, { target, publication }: Extract<Command, { kind: "publish" }>): Answer | null {
    if (target !== "table")
      return () => ({ kind: "publish-ended", target, publication, result: "skipped", detail: "" });
    const { generation } = this.voters[index] as Voter;
    const next = shortened(publication);
    this.broken.push(...brokenByPublishing(this.table, next));
    this.#send(index, { kind: "publication", publication: next, generation, isGivenUp: false });
    return null;
  }

  /** What the publisher makes of the ballot, where it says another thing than what is published. */
  readToPublish(): void {
    const publication = publicationOf(this.ballot(), this.group.config, wallTime(WALL_START));
    if (publication === null) return;
    const next = shortened(publication);
    const { published } = this.table;
    if (published !== null && compare(published, next) === 0 && published.node === next.node) return;
    this.broken.push(...brokenByPublishing(this.table, next));
    this.table = { ...this.table, publisher: next };
  }

  /** The conditional put of a publication. False: a newer one stands. */
  put(next: Published): boolean {
    const { published } = this.table;
    const order = published === null ? 1 : compare(next, published);
    if (order > 0) {
      this.broken.push(...brokenByPutting(this.table, next));
      this.table = { ...this.table, published: next };
    }
    return order >= 0;
  }
}

const compare = (left: Published, right: Published): number =>
  left.epoch - right.epoch || left.revision - right.revision;

const shortened = ({ epoch, revision, primary }: Publication): Published => ({ epoch, revision, node: primary.node });

/** What a voter is told of its publication: of what it said, core looks at the order and the node alone. */
export function publishEnded(
  { epoch, revision, node }: Published,
  result: Extract<Fact, { kind: "publish-ended" }>["result"],
): Fact {
  const publication: Publication = {
    schema: 1,
    group: GROUP,
    table: null,
    epoch: epoch as Epoch,
    revision,
    primary: { node, address: addressOf(node) },
    replicas: [],
    at: wallTime(WALL_START),
  };
  return { kind: "publish-ended", target: "table", publication, result, detail: "" };
}

/** Of whom the voter knows that its epoch has frozen them. */
const frozenFor = ({ state }: Voter): readonly NodeId[] =>
  Object.entries(state?.operation?.facts ?? {}).flatMap(([id, { frozen }]) => (frozen === null ? [] : [id as NodeId]));

/** How long a voter was silent is written down to the grain at which its clock is kept. */
function tidied(write: BallotWrite): BallotWrite {
  if (write.name !== "cast-vote") return write;
  const changes = write.changes.map((change) => {
    if (change.value === null || typeof change.value !== "object" || !("silentMs" in change.value)) return change;
    return {
      ...change,
      value: { ...change.value, silentMs: Math.round(Number(change.value["silentMs"]) / 100) * 100 },
    };
  });
  return { ...write, changes };
}

/** Where the last command stands that is under way on a connection; -1: none is. */
const lastOn = ({ sent }: Voter, node: NodeId, connection: number): number =>
  Math.max(-1, ...sent.map((each) => (each.kind === "command" && isOn(each, node, connection) ? each.behind : -1)));

export const isOn = (sent: Sent, node: NodeId, connection: number): boolean =>
  sent.kind === "command" && sent.node === node && sent.command.connection === connection;

/** The connections to `node` that the voter still knows of. */
export function refsTo(state: GroupState, node: NodeId): readonly ConnectionRef[] {
  const known = state.nodes[node];
  const frozen = state.operation?.facts[node]?.frozen?.connection ?? null;
  return [known?.connection, known?.parkable, frozen].flatMap((each) => each ?? []);
}

/** Connections of `voter` that it would not use again are closed: they could only be killed. */
export function withoutIdle(nodes: readonly NodeRecord[], voter: Voter): readonly NodeRecord[] {
  return nodes.map((node) => {
    const connections = node.connections.filter((each) => each.voter !== voter.id || isUsed(node.id, each.id, voter));
    return connections.length === node.connections.length ? node : { ...node, connections };
  });
}

function isUsed(node: NodeId, id: number, { sent, state }: Voter): boolean {
  const isUnderWay = sent.some((each) => isOn(each, node, id));
  return isUnderWay || (state !== null && refsTo(state, node).some((ref) => ref.id === id));
}
