// A small synchronous world around core's step: nodes as records, one ballot item behind `interpret`, voters that are
// driven one action at a time, so that a test can stop, cut or stall anybody between any two of them. It checks on the
// way what must hold at every moment: S1, S2, S4, R12, R21, R24. The full simulator is test/sim.

import type { Ballot, Primary } from "../../lib/core/ballot.ts";
import { decodeBallot, encodeBallot } from "../../lib/core/ballot-format.ts";
import { type BallotWrite, type Item, interpret } from "../../lib/core/ballot-write.ts";
import type { Command, Fact } from "../../lib/core/commands.ts";
import type { DeclaredConfig } from "../../lib/core/config.ts";
import type { CoreEvent } from "../../lib/core/events.ts";
import { standingIntent } from "../../lib/core/lineage.ts";
import { comparePublications } from "../../lib/core/publication.ts";
import type { Publication, RequestRecord, RequestResult } from "../../lib/core/records.ts";
import type { Context, GroupState } from "../../lib/core/state.ts";
import { newGroupState } from "../../lib/core/state.ts";
import { step } from "../../lib/core/step.ts";
import type { Epoch, Instant, NodeCommand, NodeId, VoterId } from "../../lib/core/types.ts";
import { attemptId, instant, wallTime } from "../../lib/core/types.ts";
import { recordStop } from "../../lib/core/writes.ts";
import { ballot, context, member, NODES, primary, recorded, settings, VOTERS, WALL_START } from "./builders.ts";
import { Ids, ScriptedNode } from "./scripted-node.ts";

export type Action =
  | { readonly kind: "carry-out"; readonly voter: VoterId; readonly command: Command }
  | { readonly kind: "deliver"; readonly voter: VoterId; readonly fact: Fact };

type Scheduled = Action & { readonly at: number; readonly order: number; readonly generation: number };

interface ScriptedVoter {
  readonly context: Context;
  state: GroupState;
  wakeAt: number;
}

export interface Told extends CoreEvent {
  readonly at: number;
  readonly voter: VoterId;
}

/** A node command that was sent and has not arrived. */
export interface InFlight {
  readonly node: NodeId;
  readonly command: NodeCommand;
}

/** Quick bounds, so that a whole operation with a lapse takes two or three virtual seconds. */
export const QUICK: Partial<DeclaredConfig> = {
  downAfterMs: 500,
  refusedAfterMs: 250,
  leaseMs: 1_700,
  stepTimeoutMs: 3_000,
  armAfterMs: 200,
  watchIntervalMs: 200,
};

export class World {
  now = 0;
  item: Item | null = null;
  published: Publication | null = null;
  request: RequestRecord | null = null;
  readonly answers: RequestResult[] = [];
  readonly nodes = new Map<NodeId, ScriptedNode>();
  readonly voters = new Map<VoterId, ScriptedVoter>();
  readonly events: Told[] = [];
  /** Every node command and write that took effect, in order. */
  readonly done: string[] = [];
  readonly violations: string[] = [];
  /** Writes that a client knows to be on a second node. */
  readonly acknowledged: string[] = [];
  /** `<voter>><node>`: nothing passes between them. */
  readonly partitions = new Set<string>();
  isStoreUp = true;
  /** Looks at every step of every voter. */
  onStep: (before: GroupState, after: GroupState, commands: readonly Command[]) => void = () => {};
  readonly #settings: Partial<DeclaredConfig>;
  readonly #hooks = new Map<string, () => void>();
  #alarms: { readonly at: number; readonly ring: () => void }[] = [];
  readonly #primaries = new Map<Epoch, NodeId>();
  #decoded: { readonly item: Item | null; readonly ballot: Ballot } | null = null;
  #queue: Scheduled[] = [];
  #parked: (InFlight & { readonly voter: VoterId })[] = [];
  #order = 0;
  #generation = 0;
  #writes = 0;

  constructor(settings: Partial<DeclaredConfig> = QUICK) {
    this.#settings = settings;
    const ids = new Ids();
    for (const [index, id] of NODES.entries()) this.nodes.set(id, new ScriptedNode(id, index + 1, ids));
  }

  /** n1 is primary, n2 and n3 follow it; a few writes are everywhere. */
  replicated(): this {
    this.node(NODES[0]).promote();
    for (const id of NODES.slice(1)) this.node(id).follow(this.node(NODES[0]).address);
    this.#replicate();
    for (let n = 0; n < 5; n += 1) this.write();
    return this;
  }

  /** Replicated, adopted at epoch 1, armed and in sync, and every voter has looked at all of it once. */
  watched(): this {
    this.replicated();
    const members = [...this.nodes.values()].map((node) => [node.id, member(0, { runId: node.runId })] as const);
    const { runId, replicationId } = this.node(NODES[0]);
    this.item = encodeBallot(
      ballot({
        primary: primary({ runId, replicationId }),
        members: { version: 1, nodes: Object.fromEntries(members) },
        lineage: { histories: [recorded({ replicationId })], intents: [] },
      }),
    );
    for (const voter of VOTERS) this.start(voter);
    this.wait(50);
    return this;
  }

  node(id: NodeId | undefined): ScriptedNode {
    return this.nodes.get(id as NodeId) as ScriptedNode;
  }

  get ballot(): Ballot {
    if (this.#decoded?.item !== this.item) this.#decoded = { item: this.item, ballot: decodeBallot(this.item ?? {}) };
    return this.#decoded.ballot;
  }

  /** A fresh invocation of `voter`. */
  start(voter: VoterId): void {
    this.kill(voter);
    this.#generation += 1;
    const of = context(this.#settings, { voter, generation: this.#generation, voters: VOTERS });
    this.voters.set(voter, { context: of, state: newGroupState(of.config, instant(this.now)), wakeAt: this.now });
    this.#glanceLater(voter, this.#generation);
  }

  /** Ends it; what it had not sent is returned and never will be. */
  kill(voter: VoterId): readonly InFlight[] {
    const unsent = this.#queue.filter((each) => each.voter === voter);
    this.#queue = this.#queue.filter((each) => each.voter !== voter);
    this.voters.delete(voter);
    return unsent.flatMap((each) =>
      each.kind === "carry-out" && each.command.kind === "command-node"
        ? [{ node: each.command.node, command: each.command.command }]
        : [],
    );
  }

  /** Frozen for `ms`: what it had sent leaves, and what it was told arrives, only then. */
  stall(voter: VoterId, ms: number): void {
    const known = this.voters.get(voter);
    const until = this.now + ms;
    this.#queue = this.#queue.map((each) => (each.voter === voter && each.at < until ? { ...each, at: until } : each));
    this.#queue.sort((a, b) => a.at - b.at || a.order - b.order);
    if (known !== undefined) known.wakeAt = Math.max(known.wakeAt, until);
  }

  /** Calls `happen` once the world's clock has come to `at`. */
  at(at: number, ring: () => void): void {
    this.#alarms.push({ at, ring });
  }

  /** Calls `happen` once, right after something of that name took effect (see `done`). */
  on(name: string, happen: () => void): void {
    this.#hooks.set(name, happen);
  }

  /** What happens next; null: somebody's time passes. */
  next(): Action | null {
    const first = this.#queue[0];
    return first !== undefined && first.at <= this.#wakeAt() ? first : null;
  }

  /** The next fact of this kind that is on its way to `voter`. */
  coming(voter: VoterId, kind: Fact["kind"]): Fact | null {
    const found = this.#queue.find(
      (each) => each.voter === voter && each.kind === "deliver" && each.fact.kind === kind,
    );
    return found?.kind === "deliver" ? found.fact : null;
  }

  /** One action. */
  advance(): void {
    const wakeAt = this.#wakeAt();
    const first = this.#queue[0];
    if (first !== undefined && first.at <= wakeAt) {
      this.#queue.shift();
      this.now = Math.max(this.now, first.at);
      if (first.kind === "deliver") this.#deliver(first.voter, first.fact);
      else this.#carryOut(first.voter, first.command);
    } else {
      this.now = Math.max(this.now, wakeAt);
      const due = [...this.voters.keys()].find((each) => this.voters.get(each)?.wakeAt === wakeAt);
      if (due !== undefined) this.#deliver(due, { kind: "time-passed" });
    }
    const due = this.#alarms.filter((alarm) => alarm.at <= this.now);
    this.#alarms = this.#alarms.filter((alarm) => alarm.at > this.now);
    for (const alarm of due) alarm.ring();
    this.#replicate();
  }

  /** Runs until `isDone`, at most for `limitMs`; whether it came to that. */
  run(isDone: (world: World) => boolean, limitMs = 20_000): boolean {
    const end = this.now + limitMs;
    while (!isDone(this) && this.now < end && this.voters.size > 0) this.advance();
    return isDone(this);
  }

  /** Lets time pass. */
  wait(ms: number): void {
    const end = this.now + ms;
    this.run(() => this.now >= end, ms);
  }

  /** A client writes to everybody who takes writes, and waits for a second copy. */
  write(): void {
    this.#writes += 1;
    for (const node of this.nodes.values()) {
      if (!node.isUp || node.isHung || node.role !== "primary" || node.pausedUntil > this.now) continue;
      const entry = `${node.id}:${this.#writes}`;
      node.log = [...node.log, entry];
      this.#replicate();
      const copies = [...this.nodes.values()].filter((each) => each.log.includes(entry));
      if (copies.length > 1) this.acknowledged.push(entry);
    }
  }

  /** A hung node goes on: what waits in its sockets is read first. */
  wake(id: NodeId): void {
    this.node(id).isHung = false;
    const waiting = this.#parked.filter((each) => each.node === id);
    this.#parked = this.#parked.filter((each) => each.node !== id);
    for (const { voter, node, command } of waiting) {
      if (!this.node(node).connections.has(command.connection)) continue;
      const outcome = this.#execute(node, command);
      this.#answer(voter, { kind: "command-ended", node, command, outcome, late: true });
    }
    this.#replicate();
  }

  /** The stopper's word on the wish that stands: the host is off, or stays as it is. */
  endStop(kind: "stopped" | "refused"): boolean {
    const wish = this.ballot.operation?.stop;
    if (wish === undefined || wish.outcome !== null) return false;
    if (kind === "stopped") this.node(wish.node).kill();
    return this.landStop(this.ballot, kind);
  }

  /** The same of a stopper that read `seen` and was held up since. */
  landStop(seen: Ballot, kind: "stopped" | "refused"): boolean {
    const detail = kind === "stopped" ? "i-1" : "stop protection";
    return this.#write(recordStop(seen, { kind, detail, attempt: attemptId(`stopper-${seen.epoch}`) }));
  }

  /** A command that was on its way arrives now. */
  land({ node, command }: InFlight): boolean {
    if (!this.node(node).connections.has(command.connection)) return false;
    this.#execute(node, command);
    this.#replicate();
    return true;
  }

  lost(): readonly string[] {
    const { primary } = this.ballot;
    const log = primary === null ? [] : this.node(primary.node).log;
    return this.acknowledged.filter((entry) => !log.includes(entry));
  }

  /** One committed primary that serves, everybody who is up follows it, and no lease stands. */
  isSettled(): boolean {
    if (this.item === null) return false;
    const { primary, lease, operation } = this.ballot;
    if (primary === null || lease !== null || operation !== null) return false;
    const serving = this.node(primary.node);
    if (!serving.isUp || serving.isHung || serving.role !== "primary") return false;
    return [...this.nodes.values()].every((each) => !each.isUp || each === serving || follows(each, serving));
  }

  #wakeAt(): number {
    return Math.min(...[...this.voters.values()].map((voter) => voter.wakeAt));
  }

  #schedule(action: Action, at: number): void {
    this.#order += 1;
    this.#queue.push({ ...action, at, order: this.#order, generation: this.#generation });
    this.#queue.sort((a, b) => a.at - b.at || a.order - b.order);
  }

  #glanceLater(voter: VoterId, generation: number): void {
    const known = this.voters.get(voter);
    if (known === undefined || known.context.self.generation !== generation) return;
    const ballot = this.item === null || !this.isStoreUp ? null : this.ballot;
    const readBehind = { lastRequest: known.state.look?.ballot.lastRequest ?? null };
    const fact: Fact = { kind: "glanced", ballot, request: this.request, readBehind };
    this.#schedule({ kind: "deliver", voter, fact }, this.now + known.context.config.watchIntervalMs);
  }

  #deliver(voter: VoterId, fact: Fact): void {
    const known = this.voters.get(voter);
    if (known === undefined) return;
    const moment = { at: instant(this.now), wall: wallTime(WALL_START + this.now), entropy: `${this.#order}` };
    const result = step(known.state, { ...fact, ...moment }, known.context);
    this.onStep(known.state, result.state, result.commands);
    known.state = result.state;
    known.wakeAt = result.wakeAt;
    for (const event of result.events) this.events.push({ ...event, at: this.now, voter });
    for (const command of result.commands) this.#schedule({ kind: "carry-out", voter, command }, this.now);
    if (fact.kind === "glanced") this.#glanceLater(voter, known.context.self.generation);
  }

  #answer(voter: VoterId, fact: Fact, afterMs = 1): void {
    this.#schedule({ kind: "deliver", voter, fact }, this.now + afterMs);
  }

  #carryOut(voter: VoterId, command: Command): void {
    const sentAt = instant(this.now);
    switch (command.kind) {
      case "probe":
        return this.#probe(voter, command.node, command.deadline);
      case "read-ballot":
        if (!this.isStoreUp) return this.#answer(voter, { kind: "store-failed", detail: "away", unreadable: false });
        return this.#answer(voter, { kind: "ballot-read", sentAt, ballot: this.item === null ? null : this.ballot });
      case "write-ballot": {
        const { write } = command;
        if (!this.isStoreUp) {
          const outcome = { kind: "unknown", detail: "away" } as const;
          return this.#answer(voter, { kind: "write-ended", sentAt, write, outcome });
        }
        const isApplied = this.#write(write);
        const ballot = this.item === null ? null : this.ballot;
        const outcome =
          isApplied && ballot !== null
            ? ({ kind: "applied", ballot } as const)
            : ({ kind: "refused", ballot } as const);
        return this.#answer(voter, { kind: "write-ended", sentAt, write, outcome });
      }
      case "command-node":
        return this.#commandNode(voter, command.node, command.command, command.deadline);
      case "publish":
        return this.#publish(voter, command);
      case "read-standing":
        return this.#answer(voter, {
          kind: "standing-read",
          epoch: this.published?.epoch ?? (0 as Epoch),
          table: this.published?.table ?? null,
        });
      case "resolve-request": {
        const { id, result } = command;
        const applied = this.request?.id === id && this.request.result === null;
        if (applied && this.request !== null) this.request = { ...this.request, result };
        if (applied) this.answers.push(result);
        return this.#answer(voter, { kind: "request-resolved", id, result, applied });
      }
    }
  }

  #isReached(voter: VoterId, node: NodeId): boolean {
    return !this.node(node).isHung && !this.partitions.has(`${voter}>${node}`);
  }

  #probe(voter: VoterId, id: NodeId, deadline: Instant): void {
    const node = this.node(id);
    const ended = (observation: Extract<Fact, { kind: "probe-ended" }>["observation"], afterMs = 1) =>
      this.#answer(voter, { kind: "probe-ended", node: id, sentAt: instant(this.now), observation }, afterMs);
    // A dead process refuses at once; a hung or cut-off one says nothing.
    if (!this.#isReached(voter, id)) {
      return ended({ kind: "silent", detail: "no answer", parkable: node.connectionOf(voter) }, deadline - this.now);
    }
    if (!node.isUp) return ended({ kind: "refused", detail: "connection refused" });
    // Answered when the answer is there, which is when this voter may first know it.
    const connection = node.connect(voter, instant(this.now + 1));
    ended({ kind: "answered", reading: node.read(), settings: settings(), connection });
  }

  #commandNode(voter: VoterId, node: NodeId, command: NodeCommand, deadline: Instant): void {
    const answer = (outcome: Extract<Fact, { kind: "command-ended" }>["outcome"], afterMs = 1) =>
      this.#answer(voter, { kind: "command-ended", node, command, outcome, late: false }, afterMs);
    if (!this.#isReached(voter, node))
      return answer({ kind: "unknown", detail: "no answer in time" }, deadline - this.now);
    answer(this.#execute(node, command));
  }

  #execute(id: NodeId, command: NodeCommand) {
    const node = this.node(id);
    const wasTouchedBy = node.touchedBy;
    const outcome = node.execute(command, this.now);
    if (outcome.kind !== "applied" || !("epoch" in command)) {
      if (outcome.kind === "done") this.#note(`${command.kind} ${id}`);
      return outcome;
    }
    this.#note(`${command.kind} ${id}@${command.epoch}`);
    if (command.epoch < wasTouchedBy)
      this.violations.push(`S4: ${command.kind} ${id}@${command.epoch} after ${wasTouchedBy}`);
    node.touchedBy = command.epoch;
    if (command.kind === "promote") this.#checkIntent(id, command);
    if (command.kind === "repoint") this.#checkRepoint(id, command);
    return outcome;
  }

  #note(name: string): void {
    this.done.push(name);
    const happen = this.#hooks.get(name);
    this.#hooks.delete(name);
    happen?.();
  }

  #checkIntent(id: NodeId, command: Extract<NodeCommand, { kind: "promote" }>): void {
    const { expect, epoch } = command;
    const isRecorded = this.ballot.lineage.intents.some(
      (each) =>
        each.node === id &&
        each.epoch === epoch &&
        each.runId === expect.runId &&
        each.replicationId === expect.replicationId &&
        each.offset === expect.offset,
    );
    if (!isRecorded) this.violations.push(`R12: ${id} was promoted by ${epoch} without its intent`);
  }

  #checkRepoint(id: NodeId, command: Extract<NodeCommand, { kind: "repoint" }>): void {
    const { primary, operation } = this.ballot;
    const to = primary === null ? undefined : this.node(primary.node).address;
    if (command.to.host !== to?.host) this.violations.push(`R21: ${id} was pointed at ${command.to.host}`);
    const intent = standingIntent(this.ballot);
    if (operation !== null && operation.step !== "committed" && intent !== null && intent.node === primary?.node)
      this.violations.push(`R21: ${id} was re-pointed before the restoration was recorded`);
  }

  #write(write: BallotWrite): boolean {
    const before = this.item === null ? null : this.ballot;
    const { applied, item } = interpret(this.item, write);
    if (!applied || item === null) return applied;
    this.item = encodeBallot(decodeBallot(item));
    if (write.name !== "cast-vote" && write.name !== "renew") this.#note(`${write.name}@${this.ballot.epoch}`);
    this.#checkRecord(write.name, before);
    return true;
  }

  #checkRecord(name: string, before: Ballot | null): void {
    const { epoch, primary, operation } = this.ballot;
    if (before !== null && epoch < before.epoch) this.violations.push(`S2: epoch ${before.epoch} became ${epoch}`);
    if (before?.primary && primary && primary.epoch < before.primary.epoch)
      this.violations.push(`S2: primary ${primary.epoch}`);
    if (primary === null) return;
    const known = this.#primaries.get(primary.epoch);
    if (known !== undefined && known !== primary.node)
      this.violations.push(`S1: ${known} and ${primary.node} at ${primary.epoch}`);
    this.#primaries.set(primary.epoch, primary.node);
    const node = this.node(primary.node);
    const isDecision = name === "commit" || name === "record-restored";
    if (isDecision && operation?.kind !== "repair" && node.touchedBy !== epoch)
      this.violations.push(`R24: ${name} of ${primary.node}@${epoch}, last touched by ${node.touchedBy}`);
    if (name === "record-restored" && before !== null && standingIntent(before)?.node !== primary.node)
      this.violations.push(`R21: ${primary.node} was restored without an intent`);
    if (name === "commit" && before !== null) this.#checkOldPrimary(before, primary);
    if (name === "commit")
      for (const entry of this.lost()) this.violations.push(`S6: ${entry} is lost by ${primary.node}@${epoch}`);
  }

  #checkOldPrimary(before: Ballot, { node: chosen, epoch }: Primary): void {
    const old = before.primary;
    if (this.#settings.stopInstance !== "required" || old === null || old.node === chosen) return;
    if (before.operation?.kind === "recover") return;
    const node = this.node(old.node);
    if (node.isUp && node.role === "primary" && node.runId === old.runId)
      this.violations.push(`S5: ${chosen}@${epoch} was committed while ${old.node} could accept writes`);
  }

  #publish(voter: VoterId, { target, publication }: Extract<Command, { kind: "publish" }>): void {
    const order = this.published === null ? 1 : comparePublications(publication, this.published);
    if (target === "table" && order > 0) this.published = publication;
    const result = order < 0 ? "superseded" : "applied";
    this.#answer(voter, { kind: "publish-ended", target, publication, result, detail: "" });
  }

  #replicate(): void {
    for (const node of this.nodes.values()) {
      const from = [...this.nodes.values()].find((each) => follows(node, each));
      const isServed = from?.isUp === true && !from.isHung && from.role === "primary";
      if (node.isUp && !node.isHung && isServed && !node.isLagging) node.synchronize(from);
      else if (!isServed) node.isLinked = false;
    }
  }
}

const follows = (node: ScriptedNode, primary: ScriptedNode): boolean =>
  node.role === "replica" && node.follows?.host === primary.address.host && node.follows.port === primary.address.port;
