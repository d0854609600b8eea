// Is the reason that a voter gives for doing nothing true of the world (S12)? What docs/protocol.md says of each of them, asked
// of the record, the nodes and the network, and of nothing that the engine concluded from them.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { RejectionReason } from "../../lib/core/rejection.ts";
import type { Address, NodeId, NodeReading } from "../../lib/core/types.ts";
import { BEGINNING } from "./clock.ts";
import { GROUP } from "./group.ts";
import type { VoterFunction } from "./lambda.ts";
import { configOf } from "./oracle-config.ts";
import { type GroupData, isLost, lacksNodes, mayBegin, missing, unexplained, whyForPerson } from "./oracle-data.ts";
import { pathsBetween, reaches, reachesTable } from "./oracle-reach.ts";
import { REST_LIMIT_MS, restMs } from "./rest.ts";
import { CALM, STORE_PLACE } from "./store.ts";
import { PASSWORD, type SimNode } from "./valkey.ts";
import type { World } from "./world.ts";

export interface Facts {
  readonly world: World;
  /** Null: none, or none that can be read. */
  readonly ballot: Ballot | null;
  readonly data: GroupData | null;
  /** Who gives the reason; null: whoever it is. */
  readonly voter: VoterFunction | null;
}

/** How long an automatic attempt counts (protocol.md, section 7). */
const BUDGET_MS = 600_000;
/** An attempt is held for half a minute, may be taken over by one that is held too, and its rest is begun anew. */
const HELD_AND_RESTED_MS = 4 * REST_LIMIT_MS;
/** An invocation reads the record first of all, and what it says is looked at twice a second. */
const LOOK_MS = 2_000;
/** Declarations are read every five seconds: so long one goes on by the bound of before. */
const READ_MS = 6_000;
/** The longest `downAfterMs` that is declared here. */
const LONGEST_DOWN_MS = 5_000;

export function factsOf(world: World, voter: VoterFunction | null = null): Facts {
  const ballot = world.ballot();
  return { world, ballot, data: ballot === null ? null : dataOf(world, ballot), voter };
}

/** What each declared node and each member of the record says of itself. */
export function dataOf(world: World, ballot: Ballot): GroupData {
  const { fleet } = world;
  // A declared name leads to whoever is at its address, which may be another's process (R18).
  const declared = new Map<string, Address>(world.declared()?.nodes.map(({ id, host, port }) => [id, { host, port }]));
  const ids = new Set([...declared.keys(), ...Object.keys(ballot.members.nodes)]);
  const held = [...ids].map((name) => {
    const id = name as NodeId;
    const node =
      fleet.nodeAt(declared.get(id) ?? ballot.members.nodes[id]?.address ?? null) ?? fleet.nodes.get(id) ?? null;
    const mayWin = declared.has(id) && (node?.options.priority ?? 0) > 0;
    // Nobody asks one that was taken out of the declaration, whatever it would say.
    const isAsked = declared.has(id) || ballot.members.nodes[id]?.address != null;
    return { id, reading: node === null || !isAsked ? null : readingOf(node), mayWin };
  });
  return { ballot, config: configOf(world), held };
}

function readingOf({ process, password }: SimNode): NodeReading | null {
  const isRead = process !== null && !process.stalled && !process.loading && password === PASSWORD;
  return isRead ? process.reading() : null;
}

/** When, by a right clock, so few automatic attempts count that another is allowed. */
export function budgetEndsAt({ world, ballot, data }: Facts): number | null {
  if (ballot === null || data === null || !isLost(data)) return null;
  const ends = ballot.budget.map(({ at }) => at - BEGINNING + BUDGET_MS).toSorted((one, other) => other - one);
  const last = ends[configOf(world).failoverBudget - 1];
  return last !== undefined && last > world.queue.now ? last : null;
}

/** The node of an intent that stands cannot be read, or has another history by now: it may have been promoted (R21). */
export function isInDoubt({ world: { fleet }, ballot }: Facts): boolean {
  const operation = ballot?.operation ?? null;
  if (ballot === null || operation === null || operation.step === "committed") return false;
  const intents = ballot.lineage.intents.filter(({ epoch }) => epoch >= operation.began);
  // One that names the old primary was written when all before it had been read.
  const open = intents.slice(intents.findLastIndex(({ node }) => node === ballot.primary?.node) + 1);
  return open.some(({ node, replicationId }) => {
    const { process } = fleet.node(node);
    return process === null || process.stalled || process.loading || process.position.stream.id !== replicationId;
  });
}

const primaryOf = ({ world, ballot }: Facts): SimNode | null =>
  ballot?.primary == null ? null : (world.fleet.nodes.get(ballot.primary.node) ?? null);

/** Until it has loaded, a server that is no replica says that it is primary, of a history that it has made up. */
const isAnyLoadingAsPrimary = ({ world }: Facts): boolean =>
  [...world.fleet.nodes.values()].some(({ process }) => process?.loading === true && process.follows === null);

/** The voter, or any, does not hear some member that the record names. */
const isAnyMissing = ({ world, ballot, data, voter }: Facts): boolean =>
  data !== null &&
  (missing(data).length > 0 ||
    (voter !== null && Object.keys(ballot?.members.nodes ?? {}).some((id) => !isHeard(world, voter, id as NodeId))));

function isHeard(world: World, voter: VoterFunction, id: NodeId): boolean {
  const node = world.fleet.nodes.get(id);
  return node !== undefined && reaches(world, voter, node) && !isLossy(world, voter, node.place);
}

const isLossy = (world: World, { options }: VoterFunction, to: SimNode["place"]): boolean =>
  pathsBetween(world, options.place, to).some(({ isUnreliable }) => isUnreliable);

/**
 * The last automatic attempts promoted nobody, and the rest that is owed after them may go on: by some clock, or by that of
 * an invocation which found them only when it began to look (R20).
 */
function mayRest({ world, ballot, voter }: Facts): boolean {
  const last = ballot?.budget.at(-1);
  if (last === undefined || last.promoted) return false;
  const youngest = Math.max(...[...(voter?.invocations ?? [])].map(({ startedAt }) => startedAt));
  const attempts = ballot?.budget ?? [];
  const inARow = attempts.length - 1 - attempts.findLastIndex(({ promoted }) => promoted);
  if (world.queue.now - youngest <= restMs(inARow) + LOOK_MS) return true;
  const ahead = Math.max(0, ...[...world.voters.values()].map(({ options }) => options.clock.mostAheadMs));
  return world.queue.now <= last.at - BEGINNING + 2 * ahead + configOf(world).stepTimeoutMs + HELD_AND_RESTED_MS;
}

/** Votes that say so of the present primary, of voters that still can. */
function downVotes({ world, ballot }: Facts): number {
  const { primary = null, votes = {} } = ballot ?? {};
  return [...world.voters.values()].filter((voter) => {
    const vote = votes[voter.options.voter as keyof typeof votes];
    const isOnIt = vote?.level === "down" && vote.node === primary?.node && vote.epoch === primary?.epoch;
    return isOnIt && reachesTable(world, voter);
  }).length;
}

/** A replica that this primary, were it there, could still feed. */
const hasFollower = (facts: Facts): boolean => {
  const primary = primaryOf(facts);
  return (
    primary?.process?.stalled === false &&
    [...facts.world.fleet.nodes.values()].some(({ process }) => process?.replication.linkUp === true)
  );
};

/** No other node is heard, by whoever gives the reason. */
const isAlone = ({ world, ballot, voter }: Facts): boolean =>
  voter !== null &&
  [...world.fleet.nodes.values()].every(
    ({ id, process }) =>
      id === ballot?.primary?.node || process === null || process.stalled || !isHeard(world, voter, id),
  );

const isStoreTroubled = ({ world, voter }: Facts): boolean => {
  const { storeWeather, table } = world;
  const rates = ["throttleRate", "lostRequestRate", "lostAnswerRate", "lateRate", "slowRate"] as const;
  const isCalm = rates.every((rate) => storeWeather[rate] === CALM[rate]);
  if (voter === null || table.isAway || !isCalm || !reachesTable(world, voter)) return true;
  return isLossy(world, voter, STORE_PLACE);
};

/** What has to be true of the world for each reason. */
export const TRUTHS: Readonly<Record<RejectionReason, (facts: Facts) => boolean>> = {
  "not-adopted": ({ ballot }) => ballot?.primary == null,
  "adoption-refused": ({ ballot, data }) => ballot?.primary === null && data !== null && !mayBegin(data),
  // Whatever is only astray is repaired in a group that was never healthy, too.
  "not-armed": ({ ballot, data }) => ballot?.armed === false && data !== null && isLost(data),
  observing: ({ ballot }) => ballot?.control.mode === "observe" || ballot?.control.returnsTo === "observe",
  paused: ({ ballot }) => ballot?.control.mode === "paused",
  suspended: ({ voter }) => voter !== null && [...voter.invocations].some(({ sandbox }) => sandbox.frozen),
  "store-unreachable": isStoreTroubled,
  "record-unreadable": ({ world, ballot }) => ballot === null && world.table.ballot(GROUP) !== null,
  "foreign-table": ({ world, ballot }) => ballot !== null && ballot.table !== world.table.id,
  // A bound runs from when things became as they are: `ReasonTruths` knows since when.
  "waiting-for-down-after": () => false,
  "witness-veto": hasFollower,
  "cut-off": isAlone,
  busy: (facts) => primaryOf(facts)?.process?.busy === true,
  loading: (facts) => primaryOf(facts)?.process?.loading === true,
  misconfigured: ({ world, ballot }) =>
    [...world.fleet.nodes.values()].some(
      ({ password, forbidsReplicaof }) => password !== PASSWORD || forbidsReplicaof,
    ) || world.declared()?.nodes.every(({ id }) => id !== ballot?.primary?.node) === true,
  "write-dead-by-policy": (facts) =>
    primaryOf(facts)?.process?.writeDead === true && configOf(facts.world).writeDead === "alarm",
  // A vote that is not renewed counts for a moment only, and each write is a renewal.
  "quorum-pending": (facts) => isStoreTroubled(facts) || downVotes(facts) < configOf(facts.world).quorum,
  "too-few-nodes": isAnyMissing,
  // A node that is missing ends it by coming back.
  "possible-loss-refused": (facts) =>
    facts.data !== null && (facts.voter === null ? lacksNodes(facts.data) : isAnyMissing(facts)),
  "cold-start-waiting": ({ data }) => data !== null && whyForPerson(data) === "cold-start-waiting",
  "unexplained-primary": (facts) =>
    (facts.data !== null && unexplained(facts.data).length > 0) || isAnyLoadingAsPrimary(facts),
  "unknown-history": (facts) =>
    (facts.data !== null && whyForPerson(facts.data) === "unknown-history") || isInDoubt(facts),
  "budget-spent": (facts) => budgetEndsAt(facts) !== null,
  "backing-off": mayRest,
  "operation-going-on": ({ world, ballot }) =>
    ballot?.lease != null || world.table.requests.get(GROUP)?.result === null,
  "stop-awaited": ({ ballot }) => ballot?.operation?.stop !== undefined,
};

const REASONS = Object.keys(TRUTHS) as readonly RejectionReason[];

/** Asked now and then while a group has no primary that serves. */
export class ReasonTruths {
  readonly #world: World;
  /** How the primary is and is reached from each voter, and since when. */
  readonly #seen = new Map<string, { readonly as: string; readonly since: number }>();

  constructor(world: World) {
    this.#world = world;
  }

  /** What `voter` may say now. */
  of(voter: string): readonly string[] {
    const by = [...this.#world.voters.values()].find(({ options }) => options.voter === voter);
    if (by === undefined) return [];
    const facts = factsOf(this.#world, by);
    const isRunning = this.#isBoundRunning(facts, by);
    return REASONS.filter((reason) => TRUTHS[reason](facts) || (reason === "waiting-for-down-after" && isRunning));
  }

  /** For so short a time has this voter been able to see what it sees. */
  #isBoundRunning(facts: Facts, voter: VoterFunction): boolean {
    const { world } = facts;
    const node = primaryOf(facts);
    const process = node?.process ?? null;
    const how = [process?.runId, process?.follows?.host, process?.loading, process?.hung, process?.busy, node?.powered];
    const reached = node !== null && reaches(world, voter, node);
    const awake = [...voter.invocations].map(({ name, sandbox }) => `${name} ${sandbox.frozen}`);
    const as = JSON.stringify([facts.ballot?.primary, how, reached, awake]);
    const seen = this.#seen.get(voter.options.voter);
    const since = seen?.as === as ? seen.since : world.queue.now;
    this.#seen.set(voter.options.voter, { as, since });
    const isLossyThere = node !== null && isLossy(world, voter, node.place);
    return isLossyThere || world.queue.now - since <= LONGEST_DOWN_MS + READ_MS;
  }
}
