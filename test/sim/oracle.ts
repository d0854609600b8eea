// Watches a world and says which promise was broken, when and how. It shares no code with the engine beyond types: what
// the nodes carried out, what the table holds and what applications were told are its only witnesses.

import type { BallotWrite } from "../../lib/core/ballot-write.ts";
import type { Publication, SlotRecord } from "../../lib/core/records.ts";
import { BEGINNING } from "./clock.ts";
import { GROUP } from "./group.ts";
import type { VoterFunction } from "./lambda.ts";
import type { Place } from "./network.ts";
import { configOf, epochSpelledBy } from "./oracle-config.ts";
import { ControlOracle, type Sent, type Shown } from "./oracle-control.ts";
import { FenceOracle } from "./oracle-fence.ts";
import { MembersOracle } from "./oracle-members.ts";
import { type Answer, type Heard, NodesOracle } from "./oracle-nodes.ts";
import { OrdersOracle } from "./oracle-orders.ts";
import { type NodeLife, ProgressOracle, type ProgressView } from "./oracle-progress.ts";
import { awakeOf, pathsBetween, reaches, roundTripMs } from "./oracle-reach.ts";
import { factsOf, isInDoubt, ReasonTruths } from "./oracle-reasons.ts";
import { RecordOracle } from "./oracle-record.ts";
import { Findings, type NodeTruth, type OracleView, type Order, type Violation } from "./oracle-view.ts";
import { WritesOracle } from "./oracle-writes.ts";
import { unsettled } from "./settled.ts";
import { STORE_PLACE, TRY_TIMEOUT_MS } from "./store.ts";
import type { BallotChange } from "./table.ts";
import { PASSWORD, type SimNode } from "./valkey.ts";
import type { NodeFact } from "./valkey-words.ts";
import type { Observer, World } from "./world.ts";

const CHECK_EVERY_MS = 500;

export class Oracle implements Observer {
  readonly record: RecordOracle;
  readonly control: ControlOracle;
  readonly orders: OrdersOracle;
  readonly members: MembersOracle;
  readonly nodes: NodesOracle;
  readonly fence: FenceOracle;
  readonly writes: WritesOracle;
  readonly progress: ProgressOracle | null;
  readonly #findings: Findings;

  /** Without `progress` only what may never be is watched, and not what must come. */
  constructor(view: OracleView, progress: ProgressView | null = null) {
    this.#findings = new Findings(() => view.now());
    this.orders = new OrdersOracle(view, this.#findings);
    this.record = new RecordOracle(view, this.orders, this.#findings);
    this.control = new ControlOracle(view, this.#findings);
    this.members = new MembersOracle(view, this.#findings);
    this.nodes = new NodesOracle(view, this.members, this.#findings);
    this.fence = new FenceOracle(view, this.#findings);
    this.writes = new WritesOracle(view, this.#findings);
    this.progress = progress === null ? null : new ProgressOracle(progress, this.#findings);
  }

  /** An oracle that watches `world` from now on. */
  static of(world: World): Oracle {
    const oracle = new Oracle(viewOf(world), progressOf(world));
    world.observers.push(oracle);
    const check = () => {
      oracle.orders.check();
      oracle.fence.check();
      oracle.writes.check();
      oracle.progress?.check();
      world.queue.after(CHECK_EVERY_MS, check);
    };
    world.queue.after(CHECK_EVERY_MS, check);
    return oracle;
  }

  /** All has healed, and the world is watched no longer. */
  atEnd(): void {
    this.writes.atEnd();
  }

  get violations(): readonly Violation[] {
    return this.#findings.all;
  }

  onNode(fact: NodeFact): void {
    this.members.onNode(fact);
    this.nodes.onNode(fact);
    this.fence.onNode(fact);
    this.writes.onNode(fact);
    this.progress?.onNode(fact);
  }

  onBallot(change: BallotChange): void {
    this.record.onBallot(change);
    this.control.onBallot(change);
    this.orders.onBallot(change);
    this.members.onBallot(change);
    this.nodes.onBallot(change);
    this.writes.onBallot(change);
    this.progress?.onBallot(change);
  }

  onCopy(copy: string, epoch: number, by: string): void {
    this.record.onCopy(copy, epoch, by);
    this.progress?.onCopy(copy, by);
  }

  onPublication(publication: Publication): void {
    this.record.onPublication(publication);
  }

  onReplaced(how: "restored" | "deleted"): void {
    this.record.onReplaced(how);
    this.record.onSetBack();
    this.control.onReplaced();
    this.orders.onReplaced();
    this.members.onReplaced();
    this.nodes.onReplaced(how);
    this.fence.onReplaced();
    this.writes.onReplaced();
    this.progress?.onReplaced();
  }

  /** No promise is weaker for it; which mode is in force is learned anew. */
  onSetBack(): void {
    this.control.onReplaced();
    this.record.onSetBack();
  }

  onMembersChanged(forMs: number): void {
    this.writes.onMembersChanged(forMs);
    this.nodes.onMembersChanged(forMs);
  }

  onShown(shown: Shown): void {
    this.control.onShown(shown);
  }

  onSent(sent: Sent): void {
    this.control.onSent(sent);
  }

  onHeard(heard: Heard): void {
    this.nodes.onHeard(heard);
  }

  onWrite(by: string, { name, attempt }: BallotWrite, invocation: string): void {
    if (name === "record-intent") this.nodes.onMeant(by, attempt.id);
    if (name === "cast-vote") this.control.onVote(by, invocation);
  }

  onAnswer(answer: Answer): void {
    this.nodes.onAnswer(answer);
  }
}

function viewOf(world: World): OracleView {
  return {
    now: () => world.queue.now,
    tableId: () => world.table.id,
    wallOf: (by) => BEGINNING + world.queue.now + (voterAt(world, by)?.options.clock.mostAheadMs ?? 0),
    ballot: () => world.ballot(),
    config: () => configOf(world),
    nodes: () => [...world.fleet.nodes.values()].map((node) => truthOf(world, node)),
    order: () => orderIn(world),
    acceptsDataLoss: (id) => {
      const request = world.table.requests.get(GROUP);
      if (request === undefined || request.id !== id) return false;
      return request.kind === "recover" || (request.kind === "failover" && request.acceptDataLoss);
    },
    log: world.log,
  };
}

function orderIn({ table }: World): Order | null {
  const { id, kind, result = null } = table.requests.get(GROUP) ?? {};
  return id === undefined || kind === undefined ? null : { id, kind, result: result?.kind ?? null };
}

const voterAt = ({ voters }: World, by: string): VoterFunction | undefined =>
  [...voters.values()].find(({ options }) => options.place.name === by);

function truthOf(world: World, node: SimNode): NodeTruth {
  const { process } = node;
  return {
    id: node.id,
    position: process?.position ?? null,
    runId: process?.runId ?? null,
    acceptsWrites: process?.acceptsWrites ?? false,
    isPrimary: process !== null && process.follows === null,
    priority: node.options.priority,
    linkedTo: process?.replication.linkedTo?.runId ?? null,
    reachedBy: () => {
      const isDeclared = world.declared()?.nodes.some(({ id }) => id === node.id) === true;
      if (process === null || process.stalled || node.forbidsReplicaof || !isDeclared) return [];
      if (node.password !== PASSWORD) return [];
      return [...world.voters.values()].filter((voter) => reaches(world, voter, node)).flatMap(awakeOf);
    },
  };
}

function progressOf(world: World): ProgressView {
  const nodes = () => [...world.fleet.nodes.values()];
  /** A node that was taken out of the declaration is nobody to a voter. */
  const declared = () => nodes().filter(({ id }) => world.declared()?.nodes.some((node) => node.id === id));
  const truths = new ReasonTruths(world);
  /** Since when each slot has been as it is: a heartbeat's own time is by a wall clock that may have jumped. */
  const seenAt = new WeakMap<SlotRecord, number>();
  return {
    now: () => world.queue.now,
    ballot: () => {
      const ballot = world.ballot();
      return ballot?.table === world.table.id ? ballot : null;
    },
    config: () => configOf(world),
    nodes: () => nodes().map(lifeOf),
    voters: () =>
      [...world.voters.values()].map((voter) => ({
        id: voter.options.voter,
        able: declared().some(({ process }) => process?.stalled === false && reaches(world, voter, process.node)),
      })),
    quietMs: () => world.faults.quietMs,
    disturbances: () => world.faults.disturbances,
    votersLost: () => world.faults.votersLost,
    settled: () => unsettled(world).length === 0,
    standingOrder: () => {
      const order = orderIn(world);
      return order?.result === null ? order.id : null;
    },
    publishedEpoch: () => world.table.publications.get(GROUP)?.epoch ?? 0,
    parameterEpoch: () => (world.egress ? (world.copies.read("ssm", GROUP)?.epoch ?? 0) : null),
    isMisnamed: () => {
      const primary = world.primaryNode();
      return primary !== null && world.copies.read("ssm", GROUP)?.primary.host !== primary.address.host;
    },
    mayRepairCopies: () => mayRepairCopies(world),
    isInDoubt: () => isInDoubt(factsOf(world)),
    trueReasons: (voter) => truths.of(voter),
    reasons: () =>
      [...world.table.slots.values()].map((slot) => {
        const since = seenAt.get(slot) ?? world.queue.now;
        seenAt.set(slot, since);
        const { reason = null, detail = "", ends = "", check = null } = slot.groups[GROUP]?.rejection ?? {};
        return { voter: slot.voter, reason, detail, ends, check, ageMs: world.queue.now - since };
      }),
  };
}

function lifeOf({ id, process, forbidsReplicaof, options }: SimNode): NodeLife {
  const answers = process !== null && !process.stalled && !process.loading;
  return {
    id,
    runId: process?.runId ?? null,
    serves: answers && process.follows === null,
    mayWin: options.priority > 0,
    silenced: answers && !forbidsReplicaof && epochSpelledBy(process.follows) !== null,
  };
}

/** Reasons by which somebody is at work who may have changed a copy on purpose. */
const KEEPS_COPIES: readonly string[] = ["unexplained-primary", "unknown-history"];

const PUBLISHER_PLACE: Place = { name: "publisher", zone: null };

function mayRepairCopies(world: World): boolean {
  const { control } = world.ballot() ?? {};
  const { failRate, lostAnswerRate, slowMs } = world.publicationWeather;
  const isCalm = failRate === 0 && lostAnswerRate === 0 && slowMs === 0 && world.storeWeather.lostRequestRate < 0.5;
  const paths = [STORE_PLACE, world.copies.places.ssm].flatMap((place) => pathsBetween(world, PUBLISHER_PLACE, place));
  const isReached = !world.table.isAway && paths.every(({ cut }) => !cut) && roundTripMs(paths) <= TRY_TIMEOUT_MS;
  const slots = [...world.table.slots.values()];
  const isKept = slots.some((slot) => KEEPS_COPIES.includes(slot.groups[GROUP]?.rejection?.reason ?? ""));
  return control?.mode === "act" && isCalm && isReached && !isKept;
}
