// An operator's request: at most one, carried out by a voter, ended by its result.

import { mapWithoutNulls } from "../../core/ballot-format.ts";
import { itemOf } from "../../core/ballot-write.ts";
import { decodeRequest } from "../../core/record-format.ts";
import type { RequestRecord, RequestResult } from "../../core/records.ts";
import type { GroupName, WallTime } from "../../core/types.ts";
import type { Attributes } from "./attribute-value.ts";
import { requestKey } from "./keys.ts";
import { guardExpressions, plain, storeError, type Table } from "./table.ts";

export async function readRequest(table: Table, group: GroupName): Promise<RequestRecord | null> {
  const item = await table.get("readRequest", requestKey(group), true);
  return item === null ? null : decodeRequest(item);
}

export async function writeRequest(
  table: Table,
  group: GroupName,
  request: RequestRecord,
  at: WallTime,
): Promise<boolean> {
  // Absence is the one kind of nothing, as in the ballot: the conditions below ask for it.
  const item = mapWithoutNulls(itemOf(request));
  const written = await table.put(requestKey(group), item, {
    // Two operators ask at the same time, or one asks while a voter carries another's request out: the later one is
    // refused until the first has a result or ran out. Never over the same id: a delayed copy of a request that has
    // ended meanwhile would have it carried out a second time.
    condition: "attribute_not_exists(#id) OR (#id <> :id AND (attribute_exists(#result) OR #expires <= :at))",
    names: { "#id": "id", "#result": "result", "#expires": "expiresAt" },
    values: { ":id": request.id, ":at": at },
  });
  switch (written.kind) {
    case "applied":
      return true;
    case "refused":
      // The id is random per request: one that stands there is our own earlier try's.
      return written.attributes?.["id"]?.S === request.id;
    case "failed":
      throw storeError("writeRequest", written.failure.detail, written.failure.error);
  }
}

export async function resolveRequest(
  table: Table,
  group: GroupName,
  id: string,
  result: RequestResult,
): Promise<boolean> {
  const guard = guardExpressions({
    // A slow voter ends a request that another has ended, or one that was superseded by the next: the first word stays.
    condition: "#id = :id AND attribute_not_exists(#result)",
    names: { "#id": "id", "#result": "result" },
    values: { ":id": id, ":result": { ...result } },
  });
  const written = await table.update(requestKey(group), { ...guard, UpdateExpression: "SET #result = :result" });
  switch (written.kind) {
    case "applied":
      return true;
    case "refused":
      // Our own earlier try, whose answer was lost, had written this very word.
      return (
        written.earlierAmbiguous && JSON.stringify(resultIn(written.attributes)) === JSON.stringify(fieldsOf(result))
      );
    case "failed":
      throw storeError("resolveRequest", written.failure.detail, written.failure.error);
  }
}

function resultIn(attributes: Attributes | null): readonly unknown[] | null {
  const result = attributes === null ? null : decodeRequest(plain(attributes)).result;
  return result === null ? null : fieldsOf(result);
}

/** In one order: the table keeps a map's fields in its own. */
const fieldsOf = ({ kind, detail, epoch, at }: RequestResult): readonly unknown[] => [kind, detail, epoch, at];
