// What was declared of each group, all in one partition so that one query lists them.

import { type Item, itemOf } from "../../core/ballot-write.ts";
import { ValkeeperError } from "../../core/errors.ts";
import { decodeSpec } from "../../core/record-format.ts";
import type { SpecRecord } from "../../core/records.ts";
import { type GroupName, groupName } from "../../core/types.ts";
import type { SpecList } from "../../ports/group-store.ts";
import { ballotKey, publicationKey, requestKey, SPEC_PARTITION, specKey } from "./keys.ts";
import { keyOf, plain, storeError, type Table } from "./table.ts";

/** Told of a record that had to be left out. */
export type OnUnreadable = (record: {
  readonly kind: "spec" | "slot" | "request";
  readonly name: string;
  readonly detail: string;
}) => void;

export async function listSpecs(table: Table, onUnreadable: OnUnreadable): Promise<SpecList> {
  const found = await table.query("listSpecs", { partition: SPEC_PARTITION });
  const specs: SpecRecord[] = [];
  const damaged: GroupName[] = [];
  for (const attributes of found) {
    try {
      specs.push(decodeSpec(plain(attributes)));
    } catch (error) {
      // One group's damaged spec must not keep a voter from serving all the others.
      if (!(error instanceof ValkeeperError)) throw error;
      const name = keyOf(attributes).sk;
      onUnreadable({ kind: "spec", name, detail: error.message });
      damaged.push(groupName(name));
    }
  }
  return { specs, damaged };
}

export async function readSpec(table: Table, group: GroupName): Promise<SpecRecord | null> {
  const item = await table.get("readSpec", specKey(group), true);
  return item === null ? null : decodeSpec(item);
}

export async function writeSpec(table: Table, spec: SpecRecord, expectedVersion: number): Promise<boolean> {
  const written = await table.put(specKey(spec.group), itemOf(spec), {
    // A deployment and an operator, or two operators, edit at the same time: the second one reads again.
    ...(expectedVersion === 0
      ? { condition: "attribute_not_exists(pk)" }
      : {
          condition: "#version = :expected",
          names: { "#version": "version" },
          values: { ":expected": expectedVersion },
        }),
  });
  switch (written.kind) {
    case "applied":
      return true;
    case "refused":
      // Our own earlier try, whose answer was lost, had written exactly this.
      return written.earlierAmbiguous && written.attributes !== null && isSame(plain(written.attributes), spec);
    case "failed":
      throw storeError("writeSpec", written.failure.detail, written.failure.error);
  }
}

/**
 * The spec first: without it no voter takes the group up again. The history stays, it is nobody's to delete, and so does
 * what SSM and DNS say, so that a group of that name which is registered later is adopted above their epochs; and what they
 * were last confirmed to say, which is all that voters without a path to them know of it (S2).
 */
export async function removeGroup(table: Table, group: GroupName): Promise<void> {
  await table.remove("removeGroup", specKey(group));
  await table.remove("removeGroup", ballotKey(group));
  const others = [requestKey(group), publicationKey(group)];
  await Promise.all(others.map((key) => table.remove("removeGroup", key)));
}

const isSame = (item: Item, spec: SpecRecord): boolean => canonical(item) === canonical(spec);

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([left], [right]) => (left < right ? -1 : 1)))
      : each,
  );
