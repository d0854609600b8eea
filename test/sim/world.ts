// A whole world under one seed: nodes, network, table, publications, voters' functions, applications, and a plan of what
// goes wrong. The voters are the shipped loop over the ports made here. Nothing in it reads a real clock or real dice, so
// that the same seed and plan write the same timeline, byte for byte.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { BallotWrite, Item } from "../../lib/core/ballot-write.ts";
import type { DeclaredConfig, GroupConfig } from "../../lib/core/config.ts";
import { majority } from "../../lib/core/config-defaults.ts";
import type { Publication, SpecRecord } from "../../lib/core/records.ts";
import { effectiveConfig } from "../../lib/core/spec.ts";
import {
  type Address,
  after,
  type NodeCommand,
  type NodeId,
  nodeId,
  type VoterId,
  voterId,
} from "../../lib/core/types.ts";
import type { JournalEntry } from "../../lib/ports/journal.ts";
import { LEAVE_MARGIN_MS, VOTER_TIMEOUT_MS } from "../../lib/runtime/timing.ts";
import type { VoterOptions, VoterSummary } from "../../lib/runtime/voter-loop.ts";
import { type ClientOptions, SimClient, WriteLog } from "./client.ts";
import { MachineClock, VoterClock } from "./clock.ts";
import { Dice } from "./dice.ts";
import { EventQueue } from "./event-queue.ts";
import { FaultInjector } from "./faults.ts";
import { GROUP, zonesOf } from "./group.ts";
import { type Invocation, type ScheduleWeather, VoterFunction } from "./lambda.ts";
import { Network, type Place } from "./network.ts";
import { Operator } from "./operator.ts";
import type { Sent, Shown } from "./oracle-control.ts";
import type { Answer, Heard } from "./oracle-nodes.ts";
import type { FaultPlan } from "./plan.ts";
import { Copies, type Copy, type PublicationWeather, SimPublisher } from "./publication.ts";
import { PublisherFunction } from "./publisher-function.ts";
import { Sandbox } from "./sandbox.ts";
import { StopperFunction } from "./stopper-function.ts";
import { CALM, SimStore, type StoreUser, type StoreWeather } from "./store.ts";
import { type BallotChange, type BallotRefusal, readable, Table } from "./table.ts";
import { Timeline } from "./timeline.ts";
import { Fleet, PASSWORD, type SimNode } from "./valkey.ts";
import { NODE_DEFAULTS, type NodeFact, type NodeOptions } from "./valkey-words.ts";
import { simulatedNodes } from "./voter-nodes.ts";

/** Runs one invocation's handler; the simulator knows nothing else of the engine. */
export type StartVoter = (options: VoterOptions, done: (summary: VoterSummary) => void) => void;

export interface WorldOptions {
  readonly seed: string;
  readonly startVoter: StartVoter;
  readonly plan: FaultPlan;
  /** Ids; one in each zone of the same name, starting with the first. @default three */
  readonly nodes?: readonly string[];
  /** How many zones have a voter; quorum is their majority. @default three */
  readonly voters?: number;
  /** Over the defaults of a simulated node, for all or for one. */
  readonly nodeOptions?: Partial<NodeOptions>;
  readonly nodeOptionsOf?: Readonly<Record<string, Partial<NodeOptions>>>;
  /** Other hosts at which a node is found too. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** `running`: n1 is primary and the others follow it before anybody watches; `new`: nobody has a role yet. @default running */
  readonly setup?: "running" | "new";
  readonly config?: Partial<DeclaredConfig>;
  readonly clients?: readonly ClientOptions[];
  /** Voters have a path to SSM and Route 53. @default true */
  readonly publishesDirectly?: boolean;
  readonly schedule?: Partial<ScheduleWeather>;
  readonly storeWeather?: Partial<StoreWeather>;
  /** Voters look once a minute while all is well. @default false */
  readonly economy?: boolean;
  /** Rates of the voters' monotonic clocks. @default 1 each */
  readonly clockRates?: readonly number[];
  /** Keeps the timeline. @default true */
  readonly timeline?: boolean;
}

/** What watches a world: the oracle. Each is called when it happens. */
export interface Observer {
  onNode?(fact: NodeFact): void;
  onBallot?(change: BallotChange): void;
  onJournal?(entry: JournalEntry): void;
  /** A write of the ballot that changed nothing. */
  onRefusal?(refusal: BallotRefusal): void;
  onPublication?(publication: Publication, by: string): void;
  /** A copy in SSM or Route 53 was written. */
  onCopy?(copy: Copy, epoch: number, by: string): void;
  onAnswer?(answer: Answer): void;
  onHeard?(heard: Heard): void;
  /** A voter has sent a write of the ballot. */
  onWrite?(by: string, write: BallotWrite, invocation: string): void;
  /** An invocation was answered with the record as it was a moment ago. */
  onShown?(shown: Shown): void;
  /** A glance shows an order as one that waits, which has its answer. */
  onStaleOrder?(): void;
  /** An invocation has sent a command to a node. */
  onSent?(sent: Sent): void;
  /** The ballot was replaced by an earlier one of another table, or taken away by hand. */
  onReplaced?(how: "restored" | "deleted"): void;
  /** The ballot is by hand what it was a while ago, under the same epoch. */
  onSetBack?(): void;
  onRolledBack?(): void;
  /** A node was taken out of the declaration for so long. */
  onMembersChanged?(forMs: number): void;
}

const FIRST_INVOCATION_MS = 2_000;
/** Of whoever is no voter. */
const ON_TIME = { offsetMs: 0, machine: new MachineClock(1) };

export class World {
  readonly options: WorldOptions;
  readonly dice: Dice;
  readonly queue: EventQueue;
  readonly network: Network;
  readonly fleet: Fleet;
  readonly table: Table;
  readonly copies = new Copies();
  readonly storeWeather: StoreWeather;
  readonly publicationWeather: PublicationWeather = { failRate: 0, lostAnswerRate: 0, slowMs: 0 };
  readonly schedule: ScheduleWeather;
  readonly voters = new Map<VoterId, VoterFunction>();
  readonly log = new WriteLog();
  readonly clients: readonly SimClient[];
  readonly timeline: Timeline | null;
  readonly operator: SimStore;
  readonly observers: Observer[] = [];
  readonly events: JournalEntry[] = [];
  /** When each of `events` was told. */
  readonly eventTimes: number[] = [];
  readonly faults: FaultInjector;
  readonly person: Operator;
  readonly stopper: StopperFunction;
  /** What is deployed has a path to SSM and Route 53. */
  egress: boolean;
  readonly #configs = new WeakMap<SpecRecord, GroupConfig>();

  constructor(options: WorldOptions) {
    this.options = options;
    this.egress = options.publishesDirectly !== false;
    this.dice = new Dice(options.seed);
    this.queue = new EventQueue(this.dice.split("queue"));
    this.network = new Network(this.queue, this.dice.split("network"));
    this.fleet = new Fleet(this.queue, this.network, this.dice.split("fleet"));
    this.table = new Table(this.queue);
    this.storeWeather = { ...CALM, ...options.storeWeather };
    this.schedule = { skipRate: 0, duplicateRate: 0, lateMs: 2_000, ...options.schedule };
    const nodeAt = (address: Address) => this.fleet.nodeAt(address)?.id ?? null;
    this.timeline = options.timeline === false ? null : new Timeline(() => this.queue.now, nodeAt);
    this.operator = this.#storeOf(this.#always("operator"));
    this.clients = (options.clients ?? []).map((client) => this.#client(client));
    this.faults = new FaultInjector(this);
    this.person = new Operator(this);
    this.stopper = new StopperFunction(this.queue, this.table, this.fleet, this.dice.split("stopper function"));
    this.#listen();
    this.#build();
  }

  get nodeIds(): readonly string[] {
    return this.options.nodes ?? ["n1", "n2", "n3"];
  }

  node(id: string): SimNode {
    return this.fleet.node(nodeId(id));
  }

  /** As the table holds it now; null: none, or none that can be read. */
  ballot(): Ballot | null {
    const item = this.table.ballot(GROUP);
    return item === null ? null : readable(item);
  }

  declared(): DeclaredConfig | undefined {
    return this.table.specs.get(GROUP)?.declared;
  }

  get zones(): readonly string[] {
    return zonesOf(this.options.voters);
  }

  /** The ballot is not what came of the writes before: of the table that was restored, or none. */
  recordsWereReplaced(how: "restored" | "deleted"): void {
    for (const observer of this.observers) observer.onReplaced?.(how);
    this.person.takeOver();
  }

  recordWasSetBack(): void {
    for (const observer of this.observers) observer.onSetBack?.();
  }

  wasRolledBack(): void {
    for (const observer of this.observers) observer.onRolledBack?.();
  }

  /** A person takes copies of writes away with them. */
  membersWereChanged(forMs: number): void {
    for (const observer of this.observers) observer.onMembersChanged?.(forMs);
  }

  config(): GroupConfig {
    const spec = this.table.specs.get(GROUP);
    if (spec === undefined) throw new Error("simulation: the group was removed");
    let config = this.#configs.get(spec);
    if (config === undefined) {
      config = effectiveConfig(spec);
      this.#configs.set(spec, config);
    }
    return config;
  }

  /** Starts everything; time has not passed yet. */
  start(): void {
    for (const voter of this.voters.values()) voter.start(FIRST_INVOCATION_MS);
    for (const client of this.clients) client.start();
    this.faults.follow(this.options.plan);
  }

  run(ms: number): void {
    this.queue.runUntil(this.queue.now + ms);
  }

  // Building.

  #listen(): void {
    this.fleet.onFact = (fact) => {
      this.timeline?.add({ kind: "node", fact });
      for (const observer of this.observers) observer.onNode?.(fact);
    };
    this.fleet.onWrite = (write, process) => this.log.executed(write, process, this.queue.now);
    this.table.onBallotChange = (change) => {
      this.timeline?.ballot(change);
      for (const observer of this.observers) observer.onBallot?.(change);
    };
    this.table.onBallotRefusal = (refusal) => {
      for (const observer of this.observers) observer.onRefusal?.(refusal);
    };
    this.copies.onChange = (copy, _group, standing, by) => {
      const node = standing === null ? null : (this.fleet.nodeAt(standing.primary)?.id ?? null);
      this.timeline?.add({ kind: "copy", copy, epoch: standing?.epoch ?? null, node, by });
      for (const observer of this.observers) observer.onCopy?.(copy, standing?.epoch ?? 0, by);
    };
  }

  #build(): void {
    for (const [index, id] of this.nodeIds.entries()) this.#addNode(id, index);
    for (const [host, id] of Object.entries(this.options.aliases ?? {})) {
      this.fleet.alias({ host, port: this.node(id).address.port }, nodeId(id));
    }
    for (const node of this.fleet.nodes.values()) node.install();
    if (this.options.setup !== "new") this.#giveRoles();
    const declared: DeclaredConfig = {
      name: GROUP,
      nodes: [...this.fleet.nodes.values()].map(({ id, address, options }) => ({
        id,
        host: address.host,
        port: address.port,
        zone: options.zone,
        priority: null,
        announce: null,
      })),
      quorum: majority(this.zones.length),
      maxLinkDownMs: null,
      publication: { parameterPrefix: "/sim", dns: { hostedZoneId: "Z1", name: "main.sim", ttlSeconds: 5 } },
      ...this.options.config,
    };
    this.table.writeSpec({ schema: 1, group: GROUP, version: 1, owner: "cdk", declared, overrides: {}, shard: 0 }, 0);
    for (const [index, zone] of this.zones.entries()) this.#addVoter(zone, this.options.clockRates?.[index] ?? 1);
    this.#addPublisher();
  }

  #addNode(id: string, index: number): void {
    this.fleet.add({
      ...NODE_DEFAULTS,
      ...this.options.nodeOptions,
      ...this.options.nodeOptionsOf?.[id],
      id: nodeId(id),
      address: { host: `10.0.${index + 1}.10`, port: 6379 },
      zone: this.zones[index % this.zones.length] as string,
    });
  }

  /** By somebody's hand, before Valkeeper came. */
  #giveRoles(): void {
    const [first, ...others] = [...this.fleet.nodes.values()];
    if (first === undefined) return;
    this.queue.runUntil(this.queue.now + 100);
    first.process?.replicaof(null, "setup", null);
    for (const other of others) {
      other.process?.replicaof(first.address, "setup", null);
      other.rewrite(first.address);
    }
    this.queue.runUntil(this.queue.now + 3_000);
  }

  #addVoter(zone: string, rate: number): void {
    const id = voterId(zone);
    const place: Place = { name: `voter:${zone}`, zone };
    const voter = new VoterFunction({
      voter: zone,
      place,
      queue: this.queue,
      dice: this.dice.split(place.name),
      schedule: this.schedule,
      clock: new MachineClock(rate),
      run: (invocation, done) => this.#runVoter(id, place, invocation, done),
      tell: (name, how, why) => this.timeline?.add({ kind: "invocation", voter: zone, name, how }, why),
    });
    this.voters.set(id, voter);
  }

  #runVoter(voter: VoterId, place: Place, invocation: Invocation, done: (how: string) => void): void {
    const { sandbox, skew, name } = invocation;
    const dice = this.dice.split(name);
    const clock = new VoterClock(this.queue, sandbox, skew, dice.split("clock"));
    const onShown = (item: Item | null) => {
      for (const observer of this.observers) observer.onShown?.({ invocation: name, item });
    };
    const onWrite = (write: BallotWrite) => {
      for (const observer of this.observers) observer.onWrite?.(place.name, write, name);
    };
    const onStaleOrder = () => {
      for (const observer of this.observers) observer.onStaleOrder?.();
    };
    const user = { place, sandbox, direct: this.egress, onShown, onWrite, onStaleOrder };
    const store = this.#storeOf(user);
    const onAnswer = (answer: Answer) => {
      for (const observer of this.observers) observer.onAnswer?.(answer);
    };
    const onHeard = (heard: Heard) => {
      for (const observer of this.observers) observer.onHeard?.(heard);
    };
    const onSent = (node: NodeId, command: NodeCommand) => {
      for (const observer of this.observers) observer.onSent?.({ invocation: name, by: place.name, node, command });
    };
    this.options.startVoter(
      {
        voter,
        voters: this.zones.map(voterId),
        shard: 0,
        owner: name,
        store,
        openNodes: () =>
          simulatedNodes({
            fleet: this.fleet,
            place,
            sandbox,
            clock,
            password: () => PASSWORD,
            onAnswer,
            onHeard,
            onSent,
          }),
        publisher: this.#publisherOf(user, store),
        clock,
        journal: { write: (entry) => this.#journal(entry, invocation) },
        deadline: after(clock.now(), VOTER_TIMEOUT_MS - LEAVE_MARGIN_MS),
        economy: this.options.economy ?? false,
      },
      ({ reason, detail }) => done(`${reason}: ${detail}`),
    );
  }

  #journal(entry: JournalEntry, invocation: Invocation): void {
    this.timeline?.add({ kind: "told", entry });
    if (entry.event === "group.failed") throw new Error(`${entry.voter}: ${entry.detail["reason"]}`);
    this.events.push(entry);
    this.eventTimes.push(this.queue.now);
    for (const observer of this.observers) observer.onJournal?.(entry);
    this.faults.heard(entry, invocation);
  }

  #storeOf(user: StoreUser): SimStore {
    const dice = this.dice.split(`store of ${user.sandbox.name}`);
    return new SimStore(this.table, this.storeWeather, this.network, user, dice);
  }

  #publisherOf(user: { place: Place; sandbox: Sandbox; direct: boolean }, store: SimStore): SimPublisher {
    const { queue, network, copies, publicationWeather: weather } = this;
    const dice = this.dice.split(`publisher of ${user.sandbox.name}`);
    return new SimPublisher({ queue, network, copies, weather, store, user, dice });
  }

  #addPublisher(): void {
    const user = { ...this.#always("publisher"), direct: true };
    const store = this.#storeOf(user);
    const dice = this.dice.split("publisher function");
    const clock = new VoterClock(this.queue, user.sandbox, ON_TIME, dice.split("clock"));
    // What it does is told by what it writes.
    const ports = { store, publisher: this.#publisherOf(user, store), clock, journal: { write: () => {} } };
    const completer = new PublisherFunction(this.queue, ports, dice);
    this.table.onPublication = (publication, by) => {
      this.timeline?.add({ kind: "published", publication, by });
      for (const observer of this.observers) observer.onPublication?.(publication, by);
    };
    this.observers.push({
      onBallot: (change) => {
        completer.changed(change);
        this.stopper.changed(change);
      },
    });
    completer.start();
  }

  /** A process of the region that nothing happens to. */
  #always(name: string): { place: Place; sandbox: Sandbox } {
    return { place: { name, zone: null }, sandbox: new Sandbox(name, this.queue, this.dice.split(name)) };
  }

  #client(options: ClientOptions): SimClient {
    return new SimClient(options, {
      queue: this.queue,
      network: this.network,
      fleet: this.fleet,
      log: this.log,
      resolve: () => this.copies.read("ssm", GROUP)?.primary ?? this.fleet.nodes.values().next().value?.address ?? null,
      dice: this.dice.split(`client ${options.name}`),
    });
  }

  /** The committed primary's data; null while it has no process. */
  primaryNode(): SimNode | null {
    const primary = this.ballot()?.primary?.node;
    return primary === undefined ? null : this.fleet.node(primary);
  }
}
