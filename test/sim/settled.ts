// Is a world as it should be when nothing is wrong (L1)? One primary, everybody follows it, every publication names it,
// nobody holds the lease. What is not so is said in words.

import type { Ballot, Primary } from "../../lib/core/ballot.ts";
import type { RejectionReason } from "../../lib/core/rejection.ts";
import { GROUP } from "./group.ts";
import { missing, unexplained, whyForPerson } from "./oracle-data.ts";
import { budgetEndsAt, factsOf, isInDoubt, TRUTHS } from "./oracle-reasons.ts";
import type { SimNode } from "./valkey.ts";
import type { World } from "./world.ts";

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

/** Reasons that only a person ends. Where each is true of a healed world: oracle-reasons.ts. */
const FOR_A_PERSON: readonly RejectionReason[] = [
  "not-armed",
  "adoption-refused",
  "misconfigured",
  "possible-loss-refused",
  "cold-start-waiting",
  "unexplained-primary",
  "unknown-history",
  "foreign-table",
];

/** The primary is lost, the budget of replacements is spent, and but for that somebody would be promoted. */
export function isBudgetAllThatLacks(world: World): boolean {
  const facts = factsOf(world);
  const { ballot, data } = facts;
  if (ballot?.primary == null || data === null || ballot.operation !== null || budgetEndsAt(facts) === null)
    return false;
  return ballot.armed && missing(data).length === 0 && unexplained(data).length === 0 && whyForPerson(data) === null;
}

/** S12: why nothing is done, as the voters' slots and events say it: only what a person has to end, and what is true. */
export function waitsForPerson(world: World): readonly string[] {
  const reasons = [...world.table.slots.values()].map((slot) => slot.groups[GROUP]?.rejection?.reason);
  const facts = factsOf(world);
  const waits: string[] = FOR_A_PERSON.filter((reason) => reasons.includes(reason) && TRUTHS[reason](facts));
  // Each holder that takes it over tries again, and says so again after a while; `groups recover` passes them all.
  const began = facts.ballot?.operation?.began ?? Number.POSITIVE_INFINITY;
  const isSaid = world.events.some(({ event, epoch }) => event === "group.held" && epoch >= began);
  return isSaid && isInDoubt(facts) ? [...waits, "held"] : waits;
}
