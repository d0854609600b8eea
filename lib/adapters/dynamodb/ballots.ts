// The ballot in the table: what every safety decision rests on. One item, one conditional update at a time.

import type { Ballot } from "../../core/ballot.ts";
import { decodeBallot } from "../../core/ballot-format.ts";
import { type BallotWrite, isEcho, type WriteOutcome } from "../../core/ballot-write.ts";
import { messageOf, ValkeeperError } from "../../core/errors.ts";
import { decodeRequest } from "../../core/record-format.ts";
import type { RequestRecord } from "../../core/records.ts";
import type { GroupName, WallTime } from "../../core/types.ts";
import type { GroupGlance } from "../../ports/group-store.ts";
import type { Attributes } from "./attribute-value.ts";
import { compileWrite } from "./expression.ts";
import { ballotKey, requestKey } from "./keys.ts";
import type { OnUnreadable } from "./specs.ts";
import { guardExpressions, plain, storeError, type Table, type Written } from "./table.ts";

export async function glance(
  table: Table,
  groups: readonly GroupName[],
  onUnreadable: OnUnreadable,
): Promise<ReadonlyMap<GroupName, GroupGlance>> {
  const found = await table.getMany(
    "glance",
    groups.flatMap((group) => [ballotKey(group), requestKey(group)]),
  );
  const items = new Map(found.map(({ key, attributes }) => [`${key.pk} ${key.sk}`, attributes]));
  return new Map(
    groups.map((group) => {
      const [ballot, request] = [ballotKey(group), requestKey(group)].map((key) => items.get(`${key.pk} ${key.sk}`));
      return [group, { ...glanceAtBallot(ballot), request: glanceAtRequest(group, request, onUnreadable) }];
    }),
  );
}

/** One damaged ballot holds one group still; the others of the batch go on. */
function glanceAtBallot(item: Attributes | undefined): Pick<GroupGlance, "ballot" | "unreadable"> {
  try {
    return { ballot: item === undefined ? null : decodeBallot(plain(item)), unreadable: null };
  } catch (error) {
    if (!(error instanceof ValkeeperError)) throw error;
    return { ballot: null, unreadable: error.message };
  }
}

/** A request that cannot be read is not carried out, and that is all: the group's failover does not depend on it. */
function glanceAtRequest(
  group: GroupName,
  item: Attributes | undefined,
  onUnreadable: OnUnreadable,
): RequestRecord | null {
  try {
    return item === undefined ? null : decodeRequest(plain(item));
  } catch (error) {
    if (!(error instanceof ValkeeperError)) throw error;
    onUnreadable({ kind: "request", name: group, detail: error.message });
    return null;
  }
}

export async function readBallot(table: Table, group: GroupName): Promise<Ballot | null> {
  const item = await table.get("readBallot", ballotKey(group), true);
  return item === null ? null : decodeBallot(item);
}

/** Never rejects: also a write that cannot be said to DynamoDB, or an answer that cannot be decoded, is an outcome. */
export async function writeBallot(table: Table, write: BallotWrite): Promise<WriteOutcome> {
  try {
    return ballotOutcome(await table.update(ballotKey(write.group), compileWrite(write)), write);
  } catch (error) {
    // What was written is not known to be what we think it is: a consistent read says so in its own words.
    return { kind: "unknown", detail: `${write.name}: ${messageOf(error)}` };
  }
}

function ballotOutcome(written: Written, write: BallotWrite): WriteOutcome {
  switch (written.kind) {
    case "applied":
      return { kind: "applied", ballot: decodeBallot(plain(written.attributes)) };
    case "refused":
      return refusal(written, write);
    case "failed":
      return { kind: "unknown", detail: failureDetail(written, write) };
  }
}

function refusal(written: Written & { readonly kind: "refused" }, write: BallotWrite): WriteOutcome {
  const item = written.attributes === null ? null : plain(written.attributes);
  // The condition failed because an earlier try of this very attempt had made it false.
  if (item !== null && isEcho(item, write)) return { kind: "applied", ballot: decodeBallot(item) };
  // An earlier try got no answer: it may have been applied and then overwritten by somebody else, or may still be on its
  // way. So this refusal is no definite no.
  if (written.earlierAmbiguous) {
    return { kind: "unknown", detail: `${write.name}: refused, but an earlier try of it was never answered` };
  }
  return { kind: "refused", ballot: item === null ? null : decodeBallot(item) };
}

function failureDetail(written: Written & { readonly kind: "failed" }, write: BallotWrite): string {
  const { failure, earlierAmbiguous } = written;
  const isDefinite = failure.kind !== "ambiguous" && !earlierAmbiguous;
  return `${write.name}: ${isDefinite ? "not carried out" : "may have been carried out"}: ${failure.detail}`;
}

export async function look(table: Table, group: GroupName, until: WallTime): Promise<void> {
  const guard = guardExpressions({
    // Somebody else looks for longer; and a mark must never make a ballot of a group that has none.
    condition: "attribute_exists(#schema) AND #until < :until",
    names: { "#schema": "schema", "#until": "lookUntil" },
    values: { ":until": until },
  });
  const written = await table.update(ballotKey(group), { ...guard, UpdateExpression: "SET #until = :until" });
  if (written.kind === "failed") throw storeError("look", written.failure.detail, written.failure.error);
}
