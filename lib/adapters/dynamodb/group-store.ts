// The ports of lib/ports/group-store.ts on one DynamoDB table.

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { ConditionStore, OperatorStore } from "../../ports/group-store.ts";
import type { CallLimits } from "../aws/call.ts";
import { glance, look, readBallot, writeBallot } from "./ballots.ts";
import { appendHistory, readHistory } from "./history.ts";
import { readCopies, readPublication, writeConditions, writeCopies, writePublication } from "./publications.ts";
import { readRequest, resolveRequest, writeRequest } from "./requests.ts";
import { listSlots, readSlot, takeSlot, writeSlot } from "./slots.ts";
import { listSpecs, type OnUnreadable, readSpec, removeGroup, writeSpec } from "./specs.ts";
import { createTable } from "./table.ts";

export interface DynamodbStoreOptions {
  /** Of `createAwsClients`: sends once, every time-out set. */
  readonly client: DynamoDBClient;
  readonly table: string;
  /** @default STORE_LIMITS */
  readonly limits?: CallLimits;
  /** Told of a record that was left out of what many records are read for, so that it is alarmed. @default ignored */
  readonly onUnreadable?: OnUnreadable;
}

/**
 * A healthy answer takes milliseconds. A lost packet costs one try and not the vote's window; all tries together end
 * well within a lease.
 */
export const STORE_LIMITS: CallLimits = { attemptTimeoutMs: 500, totalMs: 1_200, attempts: 4 };

export function createDynamodbStore(options: DynamodbStoreOptions): OperatorStore & ConditionStore {
  const table = createTable(options.client, options.table, options.limits ?? STORE_LIMITS);
  const onUnreadable = options.onUnreadable ?? (() => undefined);
  return {
    tableId: () => table.tableId(),
    listSpecs: () => listSpecs(table, onUnreadable),
    glance: (groups) => glance(table, groups, onUnreadable),
    readBallot: (group) => readBallot(table, group),
    writeBallot: (write) => writeBallot(table, write),
    resolveRequest: (group, id, result) => resolveRequest(table, group, id, result),
    appendHistory: (records) => appendHistory(table, records),
    takeSlot: (voter, shard, owner, at) => takeSlot(table, { voter, shard, owner, at }),
    readSlot: (voter, shard) => readSlot(table, voter, shard),
    writeSlot: (slot) => writeSlot(table, slot),
    readPublication: (group) => readPublication(table, group),
    writePublication: (publication) => writePublication(table, publication),
    readCopies: (group) => readCopies(table, group),
    writeCopies: (group, copies) => writeCopies(table, group, copies),
    writeConditions: (group, conditions, before) => writeConditions(table, group, { conditions, before }),
    readSpec: (group) => readSpec(table, group),
    writeSpec: (spec, expectedVersion) => writeSpec(table, spec, expectedVersion),
    removeGroup: (group) => removeGroup(table, group),
    writeRequest: (group, request, at) => writeRequest(table, group, request, at),
    readRequest: (group) => readRequest(table, group),
    readHistory: (group, query) => readHistory(table, group, query),
    look: (group, until) => look(table, group, until),
    listSlots: () => listSlots(table, onUnreadable),
  };
}
