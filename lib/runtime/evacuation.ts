// A host is going: where it carries a group's primary, a `drain` is ordered as a person would order it, and its end is
// waited for. The voters decide and carry out; nothing here touches a node. A replica needs nothing. Whatever comes of it,
// an Auto Scaling group that holds the instance back is told to go on, before its patience ends.
//
// An event that is delivered twice asks once: its id is the request's. An order that stands is never replaced: it may be
// the very thing that moves the primary here, so it is waited for, and so is an operation that goes on.

import type { Ballot } from "../core/ballot.ts";
import type { GroupConfig } from "../core/config.ts";
import { entriesOf } from "../core/entries.ts";
import { PortError } from "../core/errors.ts";
import type { RequestRecord } from "../core/records.ts";
import { effectiveConfig } from "../core/spec.ts";
import {
  after,
  elapsedMs,
  epoch,
  type GroupName,
  type Instant,
  type NodeId,
  voterId,
  wallTime,
} from "../core/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { Departure, Departures, LifecycleAction, Waker } from "../ports/departures.ts";
import type { OperatorStore } from "../ports/group-store.ts";
import type { Journal } from "../ports/journal.ts";
import { errorText } from "./error-text.ts";
import { placesOf } from "./node-places.ts";

export type EvacuationStore = Pick<
  OperatorStore,
  "listSpecs" | "glance" | "readBallot" | "readRequest" | "writeRequest" | "look"
>;

export interface EvacuationPorts {
  readonly store: EvacuationStore;
  readonly departures: Departures;
  /** Null: the voters watch all the time. */
  readonly waker: Waker | null;
  readonly clock: Clock;
  readonly journal: Journal;
}

/** What became of one group's primary. */
export interface Evacuated {
  readonly group: GroupName;
  /** Its nodes on what goes. */
  readonly nodes: readonly NodeId[];
  /** `late`: nobody has answered in time. */
  readonly kind: "moved" | "no-primary" | "refused" | "late";
  readonly detail: string;
}

/** Less than the two minutes that a Spot instance has. */
export const EVACUATE_WITHIN_MS = 90_000;
/** Kept of a hook's heartbeat for its completion, and for the event's way here. */
export const HEARTBEAT_SPARE_MS = 10_000;
/** Half of the shortest heartbeat that there is, for a hook of which AWS does not say it. */
export const UNKNOWN_HEARTBEAT_MS = 15_000;
const HEARTBEAT_ASKED_MS = 3_000;
const SHORTEST_MS = 1_000;
/** For a call that was under way when the time was over. */
const GRACE_MS = 2_000;
const ASK_EVERY_MS = 500;
const LOOK_MS = 30_000;
const OPERATOR = "evacuation";
/** As journal lines name it; it is no voter and votes nothing. */
const EVACUATOR = voterId("evacuator");

/** Rejects when it is not known what the host carries, or when the hook could not be completed. */
export async function evacuate(ports: EvacuationPorts, departure: Departure): Promise<readonly Evacuated[]> {
  const { clock, departures } = ports;
  const { action } = departure;
  const began = clock.now();
  try {
    const until = after(began, await patienceMs(ports, departure, began));
    return await within(clock, after(until, GRACE_MS), moveAll({ ports, departure, until }));
  } finally {
    if (action !== null) await departures.complete(action);
  }
}

async function patienceMs(ports: EvacuationPorts, { action, at }: Departure, began: Instant): Promise<number> {
  if (action === null) return EVACUATE_WITHIN_MS;
  const { clock } = ports;
  const heartbeatMs = await heartbeatOf(ports, action);
  if (heartbeatMs === null) return UNKNOWN_HEARTBEAT_MS;
  const ageMs = Math.max(0, clock.wallTime() - at) + elapsedMs(began, clock.now());
  return Math.max(SHORTEST_MS, Math.min(EVACUATE_WITHIN_MS, heartbeatMs - HEARTBEAT_SPARE_MS - ageMs));
}

async function heartbeatOf({ clock, departures }: EvacuationPorts, action: LifecycleAction): Promise<number | null> {
  try {
    return await within(clock, after(clock.now(), HEARTBEAT_ASKED_MS), departures.heartbeatMs(action));
  } catch {
    // The shortest that a hook can have is then taken for it.
    return null;
  }
}

interface Moving {
  readonly ports: EvacuationPorts;
  readonly departure: Departure;
  readonly until: Instant;
}

async function moveAll(moving: Moving): Promise<readonly Evacuated[]> {
  const concerned = await persistently(moving, () => concernedBy(moving));
  const { ports, departure } = moving;
  if (concerned.length === 0) tell(ports, departure, null);
  return Promise.all(
    concerned.map(async ({ config, nodes }) => {
      const ended = await move(moving, config, nodes);
      tell(ports, departure, ended);
      return ended;
    }),
  );
}

interface Concerned {
  readonly config: GroupConfig;
  readonly nodes: readonly NodeId[];
}

/** The groups that have nodes on what goes, those that voters have discovered among them. */
async function concernedBy({ ports: { store, departures }, departure }: Moving): Promise<readonly Concerned[]> {
  if (departure.hosts.length === 0) return [];
  const configs = (await store.listSpecs()).specs.map(effectiveConfig);
  const seen = await store.glance(configs.map(({ name }) => name));
  const places = configs.flatMap((config) => placesOf(config, seen.get(config.name)?.ballot ?? null));
  const leaving = await departures.placesOn(departure.hosts, places);
  return configs.flatMap((config) => {
    const nodes = [...new Set(leaving.filter(({ group }) => group === config.name).map(({ node }) => node))];
    return nodes.length === 0 ? [] : [{ config, nodes }];
  });
}

type Step = Pick<Evacuated, "kind" | "detail"> | { readonly kind: "wait"; readonly detail: string };

async function move(moving: Moving, config: GroupConfig, nodes: readonly NodeId[]): Promise<Evacuated> {
  const { ports, until } = moving;
  const asking = { ...moving, config, nodes, told: { isAsked: false, isWoken: false, trouble: "" } };
  for (;;) {
    const { kind, detail } = await lookOnce(asking).catch((error: unknown): Step => {
      // Nothing is lost by asking again but time.
      return { kind: "wait", detail: errorText(error) };
    });
    const about = { group: config.name, nodes, detail: `${detail}${asking.told.trouble}` };
    if (kind !== "wait") return { ...about, kind };
    if (ports.clock.now() >= until) return { ...about, kind: "late" };
    await pause(ports.clock);
  }
}

interface Asking extends Moving, Concerned {
  readonly told: { isAsked: boolean; isWoken: boolean; trouble: string };
}

async function lookOnce(asking: Asking): Promise<Step> {
  const { config, nodes, departure, told, ports } = asking;
  const { store, clock } = ports;
  const [ballot, request] = await Promise.all([store.readBallot(config.name), store.readRequest(config.name)]);
  const primary = ballot?.primary?.node ?? null;
  const isThere = primary !== null && nodes.includes(primary);
  const isGoingOn = ballot !== null && ballot.operation !== null;
  if (request?.id === departure.id) {
    told.isAsked = true;
    if (request.result !== null) return answered(request.result);
    if (!isThere && !isGoingOn) return { kind: "moved", detail: `the primary is ${primary ?? "nobody"}` };
    await wake(asking);
    return { kind: "wait", detail: "no voter has answered the order" };
  }
  if (request !== null && request.result === null && clock.wallTime() < request.expiresAt) {
    // Voters that rest would leave it, and with it what follows, for as long as they rest.
    await wake(asking);
    return { kind: "wait", detail: `another order stands: ${request.kind} by ${request.by}` };
  }
  if (isGoingOn) return { kind: "wait", detail: `a ${ballot.operation?.kind} is going on` };
  const wasAsked = told.isAsked || ballot?.lastRequest === departure.id;
  if (ballot === null || !isThere) {
    return wasAsked
      ? { kind: "moved", detail: `the primary is ${primary ?? "nobody"}` }
      : { kind: "no-primary", detail: "no primary of the group is there" };
  }
  if (wasAsked)
    return { kind: "refused", detail: `the order was followed by another, and ${primary} is primary still` };
  return ask(asking, ballot);
}

const answered = ({ kind, detail }: NonNullable<RequestRecord["result"]>): Step =>
  kind === "done" ? { kind: "moved", detail } : { kind: "refused", detail: `${kind}: ${detail}` };

async function ask(asking: Asking, ballot: Ballot): Promise<Step> {
  const { config, departure, until, ports, told } = asking;
  const { store, clock } = ports;
  const order = orderOf(asking, ballot);
  if (order === null)
    return { kind: "refused", detail: "every node that could take over is on what goes, or out of sync" };
  const now = clock.wallTime();
  // Voters that are looked at take an order up at once.
  await store.look(config.name, wallTime(now + LOOK_MS));
  const request: RequestRecord = {
    ...{ schema: 1, id: departure.id, ...order, by: `${OPERATOR}: ${departure.notice}`, acceptDataLoss: false },
    reason: `${departure.hosts.map(({ id }) => id).join(", ")} is going`,
    askedAt: now,
    // What nobody has begun by then comes too late.
    expiresAt: wallTime(now + Math.max(SHORTEST_MS, elapsedMs(clock.now(), until))),
    result: null,
  };
  if (!(await store.writeRequest(config.name, request, now))) return { kind: "wait", detail: "another order stands" };
  told.isAsked = true;
  await wake(asking);
  return { kind: "wait", detail: "no voter has answered the order" };
}

/** Null: nobody else could take over. The voters' own choice does not know that several nodes are to be left. */
function orderOf({ config, nodes }: Asking, ballot: Ballot): Pick<RequestRecord, "kind" | "target"> | null {
  const { primary } = ballot;
  if (primary === null) return null;
  if (nodes.length === 1) return { kind: "drain", target: primary.node };
  const able = entriesOf(ballot.members.nodes).flatMap(([node, { inSyncEpoch, goneAt, aside }]) => {
    const priority = config.nodes.find((each) => each.id === node)?.priority ?? 100;
    const isAble = inSyncEpoch === primary.epoch && goneAt === null && aside !== true && priority !== 0;
    return isAble && !nodes.includes(node) ? [{ node, priority }] : [];
  });
  const [best] = able.toSorted((a, b) => a.priority - b.priority || (a.node < b.node ? -1 : 1));
  return best === undefined ? null : { kind: "switchover", target: best.node };
}

async function wake({ ports: { waker }, told }: Asking): Promise<void> {
  if (waker === null || told.isWoken) return;
  told.isWoken = true;
  try {
    await waker.wake();
  } catch (error) {
    // The voters come by themselves within a minute, which may be in time.
    told.trouble = ` (the voters could not be woken: ${errorText(error)})`;
  }
}

/** What AWS or the table does not answer is asked again while there is time; what AWS refuses, as an unknown cluster, is not. */
async function persistently<T>({ ports: { clock }, until }: Moving, act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (clock.now() >= until || (error instanceof PortError && error.isFinal)) throw error;
    }
    await pause(clock);
  }
}

/** Rejects when `work` has not ended by then; it is left to itself. */
function within<T>(clock: Clock, until: Instant, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.wakeAt(until, () => reject(new Error("it was not done in time")));
    work.then(resolve, reject).finally(cancel);
  });
}

const pause = (clock: Clock): Promise<void> =>
  new Promise((resolve) => clock.wakeAt(after(clock.now(), ASK_EVERY_MS), resolve));

function tell({ journal }: EvacuationPorts, { id, notice, hosts }: Departure, ended: Evacuated | null): void {
  journal.write({
    event: "evacuation.ended",
    group: ended?.group ?? ("" as GroupName),
    epoch: epoch(0),
    node: ended?.nodes[0] ?? null,
    detail: {
      notice,
      hosts: hosts.map((host) => host.id).join(", "),
      outcome: ended?.kind ?? "no-node",
      detail: ended?.detail ?? "no node of any group is there",
      request: id,
    },
    ...{ voter: EVACUATOR, generation: 0, tick: 0 },
  });
}
