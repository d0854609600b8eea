// One group in one invocation: feeds facts to core's step one at a time, carries its commands out through the ports, and
// keeps its one timer. Nothing is decided here. Ports answer with thenables and are only ever called with `.then`, never
// awaited, so that the simulator can settle them from its own queue of events.

import type { Command, Fact, Identity } from "../core/commands.ts";
import type { GroupConfig } from "../core/config.ts";
import type { CoreEvent } from "../core/events.ts";
import { EVENTS } from "../core/events.ts";
import type { HistoryRecord, PublicationTarget, VoterGroupView } from "../core/records.ts";
import type { Context, GroupState } from "../core/state.ts";
import { newGroupState } from "../core/state.ts";
import { step } from "../core/step.ts";
import type { Address, Instant, NodeCommand, NodeId, NodeOutcome } from "../core/types.ts";
import { hasCaughtUp, hasLooked, isRegular, mayRest, viewOf } from "../core/view.ts";
import type { Clock } from "../ports/clock.ts";
import type { GroupStore } from "../ports/group-store.ts";
import type { Journal } from "../ports/journal.ts";
import type { Publisher } from "../ports/publisher.ts";
import type { ValkeyNode, ValkeyNodes } from "../ports/valkey-node.ts";
import { errorText, isRecordFormatError } from "./error-text.ts";

export interface GroupPorts {
  readonly store: GroupStore;
  readonly nodes: ValkeyNodes;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly journal: Journal;
  /** Which loop of this invocation: a group that is removed and added again has another, and repeats no attempt id. */
  readonly loop: number;
  /** Queues records for the table's history. */
  readonly history: (record: HistoryRecord) => void;
  /** Somebody began to look at the group. */
  readonly onLookedAt: () => void;
  /** A step ended with a bug: the loop has closed itself, and what it knew is not trusted any more. */
  readonly onFailed: (error: unknown) => void;
}

export class GroupLoop {
  readonly #ports: GroupPorts;
  readonly #opened = new Map<NodeId, ValkeyNode>();
  readonly #inbox: Fact[] = [];
  #context: Context;
  #state: GroupState;
  #isStepping = false;
  #isClosed = false;
  #isLookedAt = false;
  #ticks = 0;
  #records = 0;
  #wakeAt: Instant | null = null;
  /** What the timer that runs is set to; null: none runs. */
  #armedFor: Instant | null = null;
  #cancelWake: () => void = () => {};

  constructor(config: GroupConfig, self: Identity, ports: GroupPorts) {
    this.#ports = ports;
    this.#context = { config, self };
    this.#state = newGroupState(config, ports.clock.now());
  }

  get config(): GroupConfig {
    return this.#context.config;
  }

  /** Starts looking; nothing happens before. */
  start(): void {
    this.deliver({ kind: "time-passed" });
  }

  /** A changed configuration takes effect with the next step. */
  reconfigure(config: GroupConfig): void {
    this.#context = { ...this.#context, config };
    this.deliver({ kind: "time-passed" });
  }

  /** Takes one fact in; facts that arrive while a step runs wait for it. */
  deliver(fact: Fact): void {
    if (this.#isClosed) return;
    this.#inbox.push(fact);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) this.#step(next);
    } catch (error) {
      // The other groups of this voter are not to pay for it.
      this.close();
      return this.#ports.onFailed(error);
    } finally {
      this.#isStepping = false;
    }
    this.#arm();
    const wasLookedAt = this.#isLookedAt;
    this.#isLookedAt = this.isLookedAt();
    if (this.#isLookedAt && !wasLookedAt) this.#ports.onLookedAt();
  }

  /** See core's `isRegular`: whether a successor may take over. */
  isRegular(): boolean {
    return this.#isClosed || isRegular(this.#state, this.#context, this.#ports.clock.now());
  }

  /** See core's `hasCaughtUp`: whether a predecessor may leave. */
  hasCaughtUp(): boolean {
    return this.#isClosed || hasCaughtUp(this.#state, this.#context, this.#ports.clock.now());
  }

  /** See core's `mayRest`; whoever looks wants to be shown more. */
  mayRest(): boolean {
    return !this.isLookedAt() && mayRest(this.#state, this.#context, this.#ports.clock.now());
  }

  view(): VoterGroupView {
    return viewOf(this.#state, this.#context, this.#ports.clock.now(), this.#ports.clock.wallTime());
  }

  /** It has looked at the record and at every node once: before, there is nothing to show. */
  hasLooked(): boolean {
    return hasLooked(this.#state);
  }

  /** It knows this request as it was read, and needs no other reading of it. */
  hasRead(request: string): boolean {
    return this.#state.request?.id === request && !this.#state.isRequestOld;
  }

  /** The last request that the record, as it was looked at, knows to be begun. */
  lastRequest(): string | null {
    return this.#state.look?.ballot.lastRequest ?? null;
  }

  /** Somebody wants to see what this voter sees. */
  isLookedAt(): boolean {
    return (this.#state.look?.ballot.lookUntil ?? 0) > this.#ports.clock.wallTime();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelWake();
    for (const node of this.#opened.values()) node.close();
    this.#opened.clear();
  }

  #step(fact: Fact): void {
    const { clock } = this.#ports;
    this.#ticks += 1;
    // The generation is taken by one invocation only, and it numbers its loops: this never repeats, whatever runs.
    const entropy = `${this.#context.self.generation}.${this.#ports.loop}.${this.#ticks}`;
    const result = step(this.#state, { ...fact, at: clock.now(), wall: clock.wallTime(), entropy }, this.#context);
    this.#state = result.state;
    this.#wakeAt = result.wakeAt;
    for (const event of result.events) this.#tell(event);
    for (const command of result.commands) this.#carryOut(command);
  }

  /** Most facts do not change when the next step is due: the timer that runs is kept. */
  #arm(): void {
    const at = this.#wakeAt;
    if (this.#isClosed || at === this.#armedFor) return;
    this.#cancelWake();
    this.#armedFor = null;
    if (at === null || !Number.isFinite(at)) return;
    this.#armedFor = at;
    this.#cancelWake = this.#ports.clock.wakeAt(at, () => {
      this.#armedFor = null;
      this.deliver({ kind: "time-passed" });
    });
  }

  #tell(event: CoreEvent): void {
    const { self, config } = this.#context;
    const { voter, generation } = self;
    this.#ports.journal.write({ ...event, group: config.name, voter, generation, tick: this.#ticks });
    if (!EVENTS[event.event].history) return;
    const at = this.#ports.clock.wallTime();
    this.#records += 1;
    const order = `${pad(event.epoch, 8)}#${pad(Math.floor(at), 14)}#${voter}#${pad(generation % 10_000, 4)}${pad(this.#records % 10_000, 4)}`;
    const detail = event.node === null ? event.detail : { node: event.node, ...event.detail };
    this.#ports.history({
      schema: 1,
      id: `event#${order}`,
      group: config.name,
      epoch: event.epoch,
      at,
      voter,
      generation,
      event: event.event,
      detail,
    });
  }

  #carryOut(command: Command): void {
    switch (command.kind) {
      case "probe":
        return this.#probe(command.node, command.address, command.deadline, command.fresh);
      case "read-ballot":
        return this.#readBallot();
      case "write-ballot": {
        const sentAt = this.#ports.clock.now();
        const { write } = command;
        this.#ports.store
          .writeBallot(write)
          .then((outcome) => this.deliver({ kind: "write-ended", sentAt, write, outcome }), this.#never("writeBallot"));
        return;
      }
      case "command-node":
        return this.#commandNode(command.node, command.address, command.command, command.deadline);
      case "publish":
        return this.#publish(command);
      case "read-standing":
        return this.#readStanding();
      case "resolve-request":
        return this.#resolveRequest(command);
    }
  }

  #probe(id: NodeId, address: Address, deadline: Instant, fresh: boolean): void {
    const sentAt = this.#ports.clock.now();
    this.#node(id, address)
      .probe({ deadline, fresh })
      .then(
        (observation) => this.deliver({ kind: "probe-ended", node: id, sentAt, observation }),
        this.#never("probe"),
      );
  }

  #commandNode(id: NodeId, address: Address, command: NodeCommand, deadline: Instant): void {
    const ended = (outcome: NodeOutcome) =>
      this.deliver({ kind: "command-ended", node: id, command, outcome, late: false });
    this.#node(id, address).execute(command, deadline).then(ended, this.#never("execute"));
  }

  #node(id: NodeId, address: Address): ValkeyNode {
    const known = this.#opened.get(id);
    if (known !== undefined && known.address.host === address.host && known.address.port === address.port) return known;
    known?.close();
    const opened = this.#ports.nodes.open(address);
    opened.onLateOutcome((command, outcome) =>
      this.deliver({ kind: "command-ended", node: id, command, outcome, late: true }),
    );
    opened.onCut(() => this.deliver({ kind: "connection-cut", node: id }));
    this.#opened.set(id, opened);
    return opened;
  }

  #readBallot(): void {
    const sentAt = this.#ports.clock.now();
    this.#ports.store.readBallot(this.config.name).then(
      (ballot) => this.deliver({ kind: "ballot-read", sentAt, ballot }),
      (error: unknown) =>
        this.deliver({ kind: "store-failed", detail: errorText(error), unreadable: isRecordFormatError(error) }),
    );
  }

  #publish({ target, publication }: Extract<Command, { kind: "publish" }>): void {
    this.#ports.publisher.publish(target, publication, this.config).then(
      (outcome) => {
        const detail = "detail" in outcome ? outcome.detail : "";
        this.deliver({ kind: "publish-ended", target, publication, result: outcome.kind, detail });
      },
      this.#never(`publish ${target satisfies PublicationTarget}`),
    );
  }

  #readStanding(): void {
    this.#ports.publisher.standing(this.config).then(
      (standing) => this.deliver({ kind: "standing-read", ...standing }),
      () => this.deliver({ kind: "standing-read", epoch: null, table: null }),
    );
  }

  #resolveRequest({ id, result }: Extract<Command, { kind: "resolve-request" }>): void {
    this.#ports.store.resolveRequest(this.config.name, id, result).then(
      (applied) => this.deliver({ kind: "request-resolved", id, result, applied }),
      () => this.deliver({ kind: "request-resolved", id, result, applied: null }),
    );
  }

  /** These ports promise never to reject: one that does is a bug, which ends the loop as one of a step does. */
  #never(call: string): (error: unknown) => void {
    return (error) => {
      if (this.#isClosed) return;
      this.close();
      this.#ports.onFailed(new Error(`${call} rejected: ${errorText(error)}`, { cause: error }));
    };
  }
}

const pad = (value: number, digits: number): string => String(value).padStart(digits, "0");
