// Each voter's slot: which of its invocations is the current one, and what it sees.

import { itemOf } from "../../core/ballot-write.ts";
import { ValkeeperError } from "../../core/errors.ts";
import { decodeSlot } from "../../core/record-format.ts";
import type { SlotRecord } from "../../core/records.ts";
import type { VoterId, WallTime } from "../../core/types.ts";
import { SLOT_DIRECTORY, slotEntryKey, slotKey, slotKeyOf } from "./keys.ts";
import type { OnUnreadable } from "./specs.ts";
import { guardExpressions, keyOf, plain, storeError, type Table } from "./table.ts";

/** More invocations of one voter than run at once want the slot at the same moment only if something else is wrong. */
const TAKE_TRIES = 10;

export async function takeSlot(
  table: Table,
  taking: { readonly voter: VoterId; readonly shard: number; readonly owner: string; readonly at: WallTime },
): Promise<SlotRecord> {
  const { voter, shard, owner, at } = taking;
  let current = await readSlot(table, voter, shard);
  // Before the first generation, so that no slot is ever in use that `listSlots` does not find.
  if (current === null) await enterSlot(table, voter, shard);
  for (let attempt = 1; attempt <= TAKE_TRIES; attempt += 1) {
    const taken = takenOver(current, { voter, owner, at });
    const written = await table.update(slotKey(voter, shard), takeExpressions(current, taken));
    if (written.kind === "applied") return taken;
    if (written.kind === "failed") throw storeError("takeSlot", written.failure.detail, written.failure.error);
    current = written.attributes === null ? null : decodeSlot(plain(written.attributes));
    // Our own earlier try, whose answer was lost: `owner` names this invocation and nobody else.
    if (current?.owner === owner) return current;
  }
  throw storeError("takeSlot", `the slot ${voter}#${shard} changed hands ${TAKE_TRIES} times while it was being taken`);
}

/** The next generation; what the predecessor saw stays readable until the first heartbeat replaces it. */
function takenOver(
  current: SlotRecord | null,
  by: { readonly voter: VoterId; readonly owner: string; readonly at: WallTime },
): SlotRecord {
  return {
    schema: 1,
    voter: by.voter,
    generation: (current?.generation ?? 0) + 1,
    owner: by.owner,
    heartbeatAt: by.at,
    regular: false,
    restsMs: null,
    groups: current?.groups ?? {},
  };
}

function takeExpressions(current: SlotRecord | null, taken: SlotRecord) {
  const { groups, ...rest } = taken;
  const fields = Object.entries(current === null ? taken : rest);
  const names = fields.map(([name]) => [`#${name}`, name] as const);
  const values = fields.map(([name, value]) => [`:${name}`, value] as const);
  const guard = guardExpressions({
    // Two invocations of one voter start at the same time: each generation is taken once, so that one of them is newer.
    condition: current === null ? "attribute_not_exists(#generation)" : "#generation = :expected",
    names: { "#generation": "generation", ...Object.fromEntries(names) },
    values: { ...Object.fromEntries(values), ...(current === null ? {} : { ":expected": current.generation }) },
  });
  return { ...guard, UpdateExpression: `SET ${fields.map(([name]) => `#${name} = :${name}`).join(", ")}` };
}

async function enterSlot(table: Table, voter: VoterId, shard: number): Promise<void> {
  const written = await table.put(slotEntryKey(voter, shard), { schema: 1 }, null);
  if (written.kind === "failed") throw storeError("takeSlot", written.failure.detail, written.failure.error);
}

export async function readSlot(table: Table, voter: VoterId, shard: number): Promise<SlotRecord | null> {
  const item = await table.get("readSlot", slotKey(voter, shard), true);
  return item === null ? null : decodeSlot(item);
}

export async function writeSlot(table: Table, shard: number, slot: SlotRecord): Promise<boolean> {
  const written = await table.put(slotKey(slot.voter, shard), itemOf(slot), {
    // A predecessor that has not noticed yet writes beside its successor, whose generation must stand.
    condition: "attribute_not_exists(pk) OR #generation <= :generation",
    names: { "#generation": "generation" },
    values: { ":generation": slot.generation },
  });
  if (written.kind === "failed") throw storeError("writeSlot", written.failure.detail, written.failure.error);
  return written.kind === "applied";
}

/** Eventually consistent: it is for people. */
export async function listSlots(table: Table, onUnreadable: OnUnreadable): Promise<readonly SlotRecord[]> {
  const entries = await table.query("listSlots", { partition: SLOT_DIRECTORY });
  const found = await table.getMany(
    "listSlots",
    entries.map((attributes) => slotKeyOf(keyOf(attributes).sk)),
  );
  const slots = found.flatMap(({ key, attributes }) => {
    try {
      return [{ key, slot: decodeSlot(plain(attributes)) }];
    } catch (error) {
      // What the other voters see is still worth showing.
      if (!(error instanceof ValkeeperError)) throw error;
      onUnreadable({ kind: "slot", name: key.pk, detail: error.message });
      return [];
    }
  });
  return slots.sort((left, right) => (left.key.pk < right.key.pk ? -1 : 1)).map(({ slot }) => slot);
}
