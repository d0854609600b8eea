// Each voter's slot: which of its invocations is the current one, and what it sees.

import { itemOf } from "../../core/ballot-write.ts";
import { ValkeeperError } from "../../core/errors.ts";
import { decodeSlot } from "../../core/record-format.ts";
import type { SlotRecord } from "../../core/records.ts";
import type { VoterId, WallTime } from "../../core/types.ts";
import { generationKey, SLOT_DIRECTORY, slotEntryKey, slotKey, slotKeyOf } from "./keys.ts";
import type { OnUnreadable } from "./specs.ts";
import { guardExpressions, keyOf, plain, storeError, type Table } from "./table.ts";

/** More invocations of one voter than run at once want the slot at the same moment only if something else is wrong. */
const TAKE_TRIES = 10;

interface Taking {
  readonly voter: VoterId;
  readonly shard: number;
  readonly owner: string;
  readonly at: WallTime;
}

export async function takeSlot(table: Table, taking: Taking): Promise<SlotRecord> {
  const { voter, shard, owner } = taking;
  let current = await readSlot(table, voter, shard);
  // Before the first generation, so that no slot is ever in use that `listSlots` does not find.
  if (current === null) await enterSlot(table, voter, shard);
  for (let attempt = 1; attempt <= TAKE_TRIES; attempt += 1) {
    const generation = await nextGeneration(table, voter, current?.generation ?? 0);
    const taken = takenOver(current, { ...taking, generation });
    const written = await table.update(slotKey(voter, shard), takeExpressions(current, taken));
    if (written.kind === "applied") return taken;
    if (written.kind === "failed") throw storeError("takeSlot", written.failure.detail, written.failure.error);
    current = written.attributes === null ? null : decodeSlot(plain(written.attributes));
    // Our own earlier try, whose answer was lost: `owner` names this invocation and nobody else.
    if (current?.owner === owner) return current;
  }
  throw storeError("takeSlot", `the slot ${voter}#${shard} changed hands ${TAKE_TRIES} times while it was being taken`);
}

/**
 * A group may be moved to another shard, and an invocation of the shard before may go on for long: votes and leases tell the
 * two apart by voter and generation alone. So no number is ever given twice to a voter, whatever the shard, and a later
 * invocation has the larger one. Numbers that are left out harm nobody: what was refused or not answered is asked for anew.
 */
async function nextGeneration(table: Table, voter: VoterId, standing: number): Promise<number> {
  let generation = standing + 1;
  for (let attempt = 1; attempt <= TAKE_TRIES; attempt += 1) {
    const item = { schema: 1, generation };
    const written = await table.put(generationKey(voter), item, {
      // Another shard of this voter, or another invocation of this one, takes the same number at the same moment.
      condition: "attribute_not_exists(#generation) OR #generation < :generation",
      names: { "#generation": "generation" },
      values: { ":generation": generation },
    });
    if (written.kind === "applied") return generation;
    if (written.kind === "failed") throw storeError("takeSlot", written.failure.detail, written.failure.error);
    const last = written.attributes === null ? 0 : Number(plain(written.attributes)["generation"]);
    generation = Math.max(generation, last) + 1;
  }
  throw storeError("takeSlot", `${voter} was given other generations ${TAKE_TRIES} times while it asked for one`);
}

/** What the predecessor saw stays readable until the first heartbeat replaces it. */
function takenOver(current: SlotRecord | null, by: Taking & { readonly generation: number }): SlotRecord {
  return {
    schema: 1,
    voter: by.voter,
    shard: by.shard,
    groupsPerVoter: current?.groupsPerVoter ?? null,
    generation: by.generation,
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

export async function writeSlot(table: Table, slot: SlotRecord): Promise<boolean> {
  const written = await table.put(slotKey(slot.voter, slot.shard), itemOf(slot), {
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
