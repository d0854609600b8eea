// The ordered publication, which followers read, and the record of what its copies were last confirmed to say.

import { type Item, itemOf } from "../../core/ballot-write.ts";
import { saysTheSame } from "../../core/publication.ts";
import { decodeCopies, decodePublication } from "../../core/record-format.ts";
import type { CopyFailure, NotedConditions, Publication, PublishedCopies } from "../../core/records.ts";
import type { GroupName, WallTime } from "../../core/types.ts";
import { marshal } from "./attribute-value.ts";
import type { Expressions } from "./expression.ts";
import { copiesKey, publicationKey } from "./keys.ts";
import { guardExpressions, plain, storeError, type Table } from "./table.ts";

export async function readPublication(table: Table, group: GroupName): Promise<Publication | null> {
  const item = await table.get("readPublication", publicationKey(group), true);
  return item === null ? null : decodePublication(item);
}

export async function writePublication(table: Table, publication: Publication): Promise<boolean> {
  const written = await table.put(publicationKey(publication.group), itemOf(publication), {
    // A publisher that stalled between reading the ballot and writing here comes after a newer one: what followers read
    // never goes back (S2).
    condition: "attribute_not_exists(#epoch) OR #epoch < :epoch OR (#epoch = :epoch AND #revision < :revision)",
    names: { "#epoch": "epoch", "#revision": "revision" },
    values: { ":epoch": publication.epoch, ":revision": publication.revision },
  });
  switch (written.kind) {
    case "applied":
      return true;
    case "refused":
      return written.earlierAmbiguous && written.attributes !== null && isOurs(plain(written.attributes), publication);
    case "failed":
      throw storeError("writePublication", written.failure.detail, written.failure.error);
  }
}

/** Our own earlier try, whose answer was lost, had written it. */
function isOurs(item: Item, publication: Publication): boolean {
  const standing = decodePublication(item);
  return standing.at === publication.at && saysTheSame(standing, publication);
}

export async function readCopies(table: Table, group: GroupName): Promise<PublishedCopies> {
  const item = await table.get("readCopies", copiesKey(group), true);
  return item === null ? { ssm: null, dns: null } : decodeCopies(item);
}

export async function writeCopies(table: Table, group: GroupName, copies: Partial<PublishedCopies>): Promise<void> {
  for (const target of ["ssm", "dns"] as const) {
    const [copy, failure] = [copies[target], copies[`${target}Failure`]];
    if (copy !== undefined) await update(table, group, copyExpressions(target, copy));
    if (failure !== undefined) await update(table, group, failureExpressions(target, failure));
  }
}

interface ConditionsWrite {
  readonly conditions: NotedConditions;
  readonly before: WallTime | null;
}

export async function writeConditions(table: Table, group: GroupName, write: ConditionsWrite): Promise<boolean> {
  const { conditions, before } = write;
  const guard = guardExpressions({
    // Two runs of the publisher at once, one with an older look: what it does not know of would be told as over.
    condition: before === null ? "attribute_not_exists(#conditions)" : "#conditions.#at = :before",
    names: { "#conditions": "conditions", ...(before === null ? {} : { "#at": "at" }) },
    values: { ":conditions": itemOf(conditions), ...(before === null ? {} : { ":before": before }) },
  });
  const written = await table.update(copiesKey(group), { ...guard, UpdateExpression: "SET #conditions = :conditions" });
  if (written.kind === "failed") throw storeError("writeConditions", written.failure.detail, written.failure.error);
  return written.kind === "applied";
}

async function update(table: Table, group: GroupName, expressions: Expressions): Promise<void> {
  const written = await table.update(copiesKey(group), expressions);
  if (written.kind === "failed") throw storeError("writeCopies", written.failure.detail, written.failure.error);
}

type CopyTarget = "ssm" | "dns";

function copyExpressions(target: CopyTarget, copy: PublishedCopies[CopyTarget]): Expressions {
  const names = { "#copy": target, "#failure": `${target}Failure` };
  // Publishing there was switched off: nothing is confirmed any more.
  if (copy === null) return { UpdateExpression: "REMOVE #copy, #failure", ExpressionAttributeNames: names };
  const guard = guardExpressions({
    // Two publishers confirm at the same time: the record of the newer publication must not be replaced by the older's.
    condition:
      "attribute_not_exists(#copy) OR #copy.#epoch < :epoch OR (#copy.#epoch = :epoch AND #copy.#revision <= :revision)",
    names: { ...names, "#epoch": "epoch", "#revision": "revision" },
    values: { ":copy": { ...copy }, ":epoch": copy.epoch, ":revision": copy.revision },
  });
  return { ...guard, UpdateExpression: "SET #copy = :copy REMOVE #failure" };
}

/** Without a condition: that of a slow publisher is shown only while the copy is not what it should be. */
const failureExpressions = (target: CopyTarget, failure: CopyFailure): Expressions => ({
  UpdateExpression: "SET #failure = :failure",
  ExpressionAttributeNames: { "#failure": `${target}Failure` },
  ExpressionAttributeValues: { ":failure": marshal({ ...failure }) },
});
