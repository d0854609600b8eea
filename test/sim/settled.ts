// Is a world as it should be when nothing is wrong (L1)? One primary, everybody follows it, every publication names it,
// nobody holds the lease. What is not so is said in words.

import type { Ballot, Primary } from "../../lib/core/ballot.ts";
import type { RejectionReason } from "../../lib/core/rejection.ts";
import { GROUP } from "./group.ts";
import { type OracleConfig, settingsOf } from "./oracle-config.ts";
import { PASSWORD, type SimNode } from "./valkey.ts";
import type { World } from "./world.ts";

/** What is in force: as the table declares it, and not as the engine understands that. */
export function configOf(world: World): OracleConfig {
  const spec = world.table.specs.get(GROUP);
  if (spec === undefined) throw new Error("simulation: the group was removed");
  return settingsOf(spec);
}

export function unsettled(world: World): readonly string[] {
  const ballot = world.ballot();
  const primary = ballot?.primary ?? null;
  if (ballot === null || primary === null) return ["there is no primary on record"];
  const nodes = [...world.fleet.nodes.values()];
  return [
    ...(ballot.table === world.table.id ? [] : ["the record is of another table"]),
    ...unsettledRecord(ballot),
    ...nodes.flatMap((node) => unsettledNode(world, node, primary)),
    ...unsettledPublications(world, primary),
  ];
}

function unsettledRecord({ lease, operation }: Ballot): readonly string[] {
  return [
    ...(lease === null ? [] : [`${lease.holder} holds the lease`]),
    ...(operation === null ? [] : [`${operation.kind} goes on`]),
  ];
}

function unsettledNode(world: World, { id, process }: SimNode, primary: Primary): readonly string[] {
  const reading = process?.reading();
  if (reading === undefined) return [`${id} is not running`];
  if (id !== primary.node) {
    const follows = world.fleet.nodeAt(reading.follows)?.id;
    return reading.linkUp && follows === primary.node ? [] : [`${id} does not follow ${primary.node}`];
  }
  if (reading.role !== "primary") return [`${id} is on record and no primary`];
  if (reading.runId !== primary.runId) return [`${id} is on record as another process`];
  return process?.acceptsWrites === true ? [] : [`${id} accepts no writes`];
}

function unsettledPublications(world: World, primary: Primary): readonly string[] {
  const { address } = world.fleet.node(primary.node);
  const table = world.table.publications.get(GROUP);
  const names = table?.primary.node === primary.node && table.epoch === primary.epoch;
  const copies = (["ssm", "dns"] as const).filter((copy) => {
    const standing = world.copies.read(copy, GROUP);
    return standing?.primary.host !== address.host || standing.epoch !== primary.epoch;
  });
  return [...(names ? [] : ["the table publishes another"]), ...copies.map((copy) => `${copy} publishes another`)];
}

/** Reasons that only a person ends, and what has to be true of the world for each. */
const FOR_A_PERSON = {
  "not-armed": (world, ballot) => ballot?.armed === false && unsettled(world).length > 0,
  "adoption-refused": (_, ballot) => ballot === null || ballot.primary === null,
  // Everybody's rights and passwords are as they were, once all has healed.
  misconfigured: ({ fleet }) =>
    [...fleet.nodes.values()].some(({ password, forbidsReplicaof }) => password !== PASSWORD || forbidsReplicaof),
  "possible-loss-refused": (world, ballot) => configOf(world).onPossibleLoss === "refuse" && isLost(world, ballot),
  "cold-start-waiting": (world, ballot) => configOf(world).coldStart === "wait" && isLost(world, ballot),
  "unexplained-primary": ({ fleet }, ballot) =>
    [...fleet.nodes.values()].some(({ id, process }) => process?.follows === null && ballot?.primary?.node !== id),
  "unknown-history": (world, ballot) => isLost(world, ballot),
  "foreign-table": ({ table }, ballot) => ballot !== null && ballot.table !== table.id,
  "budget-spent": (world, ballot) =>
    isLost(world, ballot) && ballot !== null && ballot.budget.length >= configOf(world).failoverBudget,
} satisfies Partial<Record<RejectionReason, (world: World, ballot: Ballot | null) => boolean>>;

/** The process on record is gone, or does not serve. */
function isLost({ fleet }: World, ballot: Ballot | null): boolean {
  const primary = ballot?.primary ?? null;
  const process = primary === null ? null : fleet.node(primary.node).process;
  return process?.runId !== primary?.runId || process?.follows !== null || process.stalled;
}

/** The node of an intent that stands cannot be read, or has another history by now: it may have been promoted (R21). */
function isInDoubt({ fleet }: World, { operation, primary, lineage }: Ballot): boolean {
  if (operation === null || operation.step === "committed") return false;
  const intents = lineage.intents.filter(({ epoch }) => epoch >= operation.began);
  // One that names the old primary was written when all before it had been read.
  const open = intents.slice(intents.findLastIndex(({ node }) => node === primary?.node) + 1);
  return open.some(({ node, replicationId }) => {
    const { process } = fleet.node(node);
    return process === null || process.stalled || process.loading || process.position.stream.id !== replicationId;
  });
}

/** S12: why nothing is done, as the voters' slots and events say it: only what a person has to end, and what is true. */
export function waitsForPerson(world: World): readonly string[] {
  const reasons = [...world.table.slots.values()].map((slot) => slot.groups[GROUP]?.rejection?.reason);
  const ballot = world.ballot();
  const waits: string[] = Object.entries(FOR_A_PERSON)
    .filter(([reason, isTrue]) => reasons.includes(reason as RejectionReason) && isTrue(world, ballot))
    .map(([reason]) => reason);
  // Each holder that takes it over tries again, and says so again after a while; `groups recover` passes them all.
  const began = ballot?.operation?.began ?? Number.POSITIVE_INFINITY;
  const isSaid = world.events.some(({ event, epoch }) => event === "group.held" && epoch >= began);
  const isHeld = isSaid && ballot !== null && isInDoubt(world, ballot);
  return isHeld ? [...waits, "held"] : waits;
}
