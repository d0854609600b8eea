// The stopper's work: what a ballot wishes to have stopped is found, stopped, seen to have stopped, and that is written into
// the wish, or why it is not. An event only says which group to look at: the ballot is read consistently, and once more
// right before AWS is asked, so that an event that comes late, twice or in the wrong order stops nothing that nobody
// wishes to be stopped any more.

import { canonicalHost } from "../core/address-format.ts";
import type { Ballot, StopOutcome, StopWish } from "../core/ballot.ts";
import type { GroupConfig } from "../core/config.ts";
import { effectiveConfig } from "../core/spec.ts";
import {
  type AttemptId,
  after,
  attemptId,
  type GroupName,
  type Instant,
  type VoterId,
  voterId,
} from "../core/types.ts";
import { recordStop } from "../core/writes.ts";
import type { Clock } from "../ports/clock.ts";
import type { GroupStore } from "../ports/group-store.ts";
import type { Host, Hosts, NodePlace } from "../ports/hosts.ts";
import type { Journal } from "../ports/journal.ts";
import { errorText } from "./error-text.ts";
import { placesOf } from "./node-places.ts";

export type StopperStore = Pick<GroupStore, "tableId" | "listSpecs" | "glance" | "readBallot" | "writeBallot">;

export interface StopperPorts {
  readonly store: StopperStore;
  readonly hosts: Hosts;
  readonly clock: Clock;
  readonly journal: Journal;
  /** Of one invocation, never repeated: part of its attempt ids. */
  readonly invocation: string;
}

/** How one wish ended. `nothing`: none stands, or it has its answer. */
export type StopResult =
  | { readonly kind: "stopped" | "refused"; readonly detail: string }
  | { readonly kind: "nothing" };

/** As journal lines name it; it is no voter and votes nothing. */
export const STOPPER: VoterId = voterId("stopper");
/** Less than the holder of the lease waits for (core's host-stop.ts), so that it is told why. */
export const STOP_WITHIN_MS = 75_000;
const ASK_EVERY_MS = 1_000;
const WRITE_TRIES = 5;
/** A part of the ballot, which has to stay small. */
const DETAIL_LIMIT = 300;

/** Rejects only when nothing could be read or recorded: whoever called tries again. */
export async function stopHostOf(ports: StopperPorts, group: GroupName): Promise<StopResult> {
  const until = after(ports.clock.now(), STOP_WITHIN_MS);
  const table = await ports.store.tableId();
  const seen = await ports.store.readBallot(group);
  const wish = wishOf(seen, table);
  if (seen === null || wish === null) return { kind: "nothing" };
  const isWished = async (): Promise<boolean> =>
    wishOf(await ports.store.readBallot(group), table)?.epoch === wish.epoch;
  const ended = await stop({ ports, group, wish, ballot: seen, until, isWished });
  if (ended.kind === "nothing") return ended;
  return record(ports, seen, wish, { ...ended, detail: ended.detail.slice(0, DETAIL_LIMIT) });
}

/** The wish that waits for its end; null when there is none, or when its operation has decided otherwise meanwhile. */
function wishOf(ballot: Ballot | null, table: string): StopWish | null {
  const operation = ballot?.operation ?? null;
  if (operation === null || ballot?.table !== table) return null;
  const isOpen = operation.step === "begun" || operation.step === "intended";
  return isOpen && operation.stop?.outcome === null ? operation.stop : null;
}

interface Stopping {
  readonly ports: StopperPorts;
  readonly group: GroupName;
  readonly wish: StopWish;
  readonly ballot: Ballot;
  readonly until: Instant;
  readonly isWished: () => Promise<boolean>;
}

const refused = (detail: string): StopResult => ({ kind: "refused", detail });

async function stop(stopping: Stopping): Promise<StopResult> {
  const { ports, until } = stopping;
  let last = "AWS was not asked in time";
  // What AWS does not answer is asked again: nothing is lost by it but time.
  while (ports.clock.now() < until) {
    try {
      return await tryOnce(stopping);
    } catch (error) {
      last = errorText(error);
    }
    await pause(ports.clock);
  }
  return refused(`AWS gave no answer: ${last}`);
}

async function tryOnce(stopping: Stopping): Promise<StopResult> {
  const { ports, group, wish, ballot, isWished } = stopping;
  const { specs } = await ports.store.listSpecs();
  const configs = specs.map(effectiveConfig);
  const declared = configs.find(({ name }) => name === group)?.nodes.find(({ id }) => id === wish.node)?.host;
  const address = ballot.members.nodes[wish.node]?.address?.host ?? declared;
  if (address === undefined) return refused(`${wish.node} is no node of the group any more`);
  const search = await ports.hosts.find({ group, node: wish.node, host: address });
  if (search.kind === "none") return refused(search.reason);
  const { host } = search;
  if (host.resumable !== null) return refused(host.resumable);
  const others = (await otherPlaces(stopping, configs)).filter((each) => isOn(host, each.host));
  if (others.length > 0) {
    return refused(`${host.id} also runs ${others.map((each) => `${each.node} of ${each.group}`).join(", ")}`);
  }
  if (host.state === "running" || host.state === "starting") {
    if (!(await isWished())) return { kind: "nothing" };
    const answer = await ports.hosts.stop(host);
    if (answer.kind === "refused") return refused(answer.reason);
  }
  return untilStopped(stopping, host);
}

/** Every other node of any group. A name that voters have discovered the same process by is no other node. */
async function otherPlaces({ ports, group, wish, ballot }: Stopping, configs: readonly GroupConfig[]) {
  const seen = await ports.store.glance(configs.map(({ name }) => name).filter((name) => name !== group));
  const { nodes } = ballot.members;
  const runId = nodes[wish.node]?.runId ?? null;
  const isWishs = (place: NodePlace): boolean =>
    place.group === group && (place.node === wish.node || (runId !== null && nodes[place.node]?.runId === runId));
  return configs
    .flatMap((config) => placesOf(config, config.name === group ? ballot : (seen.get(config.name)?.ballot ?? null)))
    .filter((place) => !isWishs(place));
}

/** The host's tags name one node of one group, so that another's is known by an address or a name of the host alone. */
function isOn({ addresses, names }: Host, host: string): boolean {
  const wanted = canonicalHost(host) ?? host;
  return [...addresses, ...names].some((each) => (canonicalHost(each) ?? each) === wanted);
}

async function untilStopped({ ports, until }: Stopping, host: Host): Promise<StopResult> {
  for (;;) {
    const now = await ports.hosts.look(host.id);
    // AWS forgets what was terminated long ago; it said a moment ago that it was there.
    if (now === null || now.state === "stopped") return { kind: "stopped", detail: host.id };
    if (ports.clock.now() >= until) {
      return refused(`${host.id} was told to stop, and is ${now.state} after ${STOP_WITHIN_MS / 1_000} s`);
    }
    await pause(ports.clock);
  }
}

async function record(
  ports: StopperPorts,
  ballot: Ballot,
  wish: StopWish,
  ended: Extract<StopResult, { readonly detail: string }>,
): Promise<StopResult> {
  const outcome: StopOutcome = { ...ended, attempt: attemptOf(ports, wish) };
  for (let tried = 1; ; tried += 1) {
    const written = await ports.store.writeBallot(recordStop(ballot, outcome));
    if (written.kind !== "unknown") {
      // Refused: the operation has ended, or another invocation has said it before. Either way it is said.
      tell(ports, ballot, wish, ended);
      return written.kind === "applied" ? ended : { kind: "nothing" };
    }
    if (tried === WRITE_TRIES) throw new Error(`how the stop ended could not be recorded: ${written.detail}`);
    await pause(ports.clock);
  }
}

const attemptOf = ({ invocation }: StopperPorts, { epoch }: StopWish): AttemptId =>
  attemptId(`stopper.${invocation}.${epoch}`);

function tell(
  { journal }: StopperPorts,
  ballot: Ballot,
  wish: StopWish,
  ended: StopResult & { readonly detail: string },
) {
  const isStopped = ended.kind === "stopped";
  journal.write({
    event: isStopped ? "node.stopped" : "stop.refused",
    group: ballot.group,
    epoch: wish.epoch,
    node: wish.node,
    detail: isStopped ? { host: ended.detail } : { reason: ended.detail },
    ...{ voter: STOPPER, generation: 0, tick: 0 },
  });
}

const pause = (clock: Clock): Promise<void> =>
  new Promise((resolve) => clock.wakeAt(after(clock.now(), ASK_EVERY_MS), resolve));
