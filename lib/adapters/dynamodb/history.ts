// What happened, in the order of its sort keys; only ever added to.

import { itemOf } from "../../core/ballot-write.ts";
import { decodeHistory } from "../../core/record-format.ts";
import type { HistoryRecord } from "../../core/records.ts";
import type { GroupName } from "../../core/types.ts";
import type { OperatorStore } from "../../ports/group-store.ts";
import { ballotKey, EVENT_PREFIX, eventKey } from "./keys.ts";
import { plain, type Table } from "./table.ts";

/** Without a condition: ids are unique, so a repeated try writes the same record over itself. */
export async function appendHistory(table: Table, records: readonly HistoryRecord[]): Promise<void> {
  const items = records.map((record) => ({
    key: eventKey(record.group, record.id),
    item: itemOf(record),
  }));
  await table.putMany("appendHistory", items);
}

export async function readHistory(
  table: Table,
  group: GroupName,
  options: Parameters<OperatorStore["readHistory"]>[1],
): Promise<readonly HistoryRecord[]> {
  const { limit, after, newestFirst } = options;
  const found = await table.query("readHistory", {
    partition: ballotKey(group).pk,
    prefix: EVENT_PREFIX,
    limit,
    newestFirst,
    ...(after === undefined ? {} : { after }),
  });
  return found.map((attributes) => decodeHistory(plain(attributes)));
}
