// What do records of the table's stream say? To the notifier: which steps of history are new, and which conditions of a group
// have begun or ended. To the publisher: which
// groups ask to be published. To the stopper: which group wishes to have a host stopped. That is only looked at as hints: the ballot is read
// afterwards, consistently. Votes and leases change a ballot several times a second while something is wrong, so a change
// that leaves everything published as it was is passed over.

import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { RecordFormatError } from "../../core/errors.ts";
import { decodeCopies, decodeHistory } from "../../core/record-format.ts";
import type { HistoryRecord, NotedCondition } from "../../core/records.ts";
import { type GroupName, groupName, type WallTime } from "../../core/types.ts";
import type { ConditionChange } from "../../ports/notifier.ts";
import type { Attributes } from "./attribute-value.ts";
import { EVENT_PREFIX, SPEC_PARTITION } from "./keys.ts";
import { plain } from "./table.ts";

/** The part of Lambda's event that is read; `aws-lambda`'s own type has attribute values as the SDK does. */
export interface StreamRecord {
  readonly eventName?: string;
  readonly dynamodb?: StreamChange;
}

interface StreamChange {
  readonly Keys?: Attributes;
  readonly NewImage?: Attributes;
  readonly OldImage?: Attributes;
  readonly SequenceNumber?: string;
  /** In seconds. */
  readonly ApproximateCreationDateTime?: number;
}

/** Each group with the sequence number of its first record in the batch, from which the stream is to be read again. */
export function groupsToPublish(records: readonly StreamRecord[]): ReadonlyMap<GroupName, string> {
  const groups = new Map<GroupName, string>();
  for (const record of records) {
    const group = groupOf(record);
    if (group !== null && !groups.has(group)) groups.set(group, record.dynamodb?.SequenceNumber ?? "");
  }
  return groups;
}

/** Each group whose ballot has a new wish for a stop, with the sequence number of its record. */
export function groupsToStop(records: readonly StreamRecord[]): ReadonlyMap<GroupName, string> {
  const groups = new Map<GroupName, string>();
  for (const { dynamodb } of records) {
    const { pk, sk } = textsOf(dynamodb?.Keys);
    if (!pk.startsWith("group#") || sk !== "ballot") continue;
    const [before, now] = [wishIn(dynamodb?.OldImage), wishIn(dynamodb?.NewImage)];
    if (now !== undefined && now !== before)
      groups.set(groupName(pk.slice("group#".length)), dynamodb?.SequenceNumber ?? "");
  }
  return groups;
}

/** The epoch of the wish, which tells one from the next. */
const wishIn = (image: Attributes | undefined): string | undefined =>
  image?.["operation"]?.M?.["stop"]?.M?.["epoch"]?.N;

export interface NewStep {
  /** Null: it is damaged, or was written by a newer version. */
  readonly step: HistoryRecord | null;
  /** From which the stream is to be read again. */
  readonly sequenceNumber: string;
  /** Why there is no step; empty when there is one. */
  readonly trouble: string;
}

/** A try that was repeated writes the same record again, which is no news. */
export function newSteps(records: readonly StreamRecord[]): readonly NewStep[] {
  return records.filter(isNewStep).map(({ dynamodb }) => {
    const sequenceNumber = dynamodb?.SequenceNumber ?? "";
    try {
      return { step: decodeHistory(plain(dynamodb?.NewImage ?? {})), sequenceNumber, trouble: "" };
    } catch (error) {
      if (!(error instanceof RecordFormatError)) throw error;
      return { step: null, sequenceNumber, trouble: error.message };
    }
  });
}

function isNewStep({ eventName, dynamodb }: StreamRecord): boolean {
  const { pk, sk } = textsOf(dynamodb?.Keys);
  return eventName === "INSERT" && pk.startsWith("group#") && sk.startsWith(EVENT_PREFIX);
}

export interface ConditionChanges {
  readonly changes: readonly ConditionChange[];
  readonly sequenceNumber: string;
  /** Why there is none; empty when it could be read. */
  readonly trouble: string;
}

/** By what the note says before and after: other parts of the same item change too, and are no news. */
export function conditionChanges(records: readonly StreamRecord[]): readonly ConditionChanges[] {
  return records.filter(isNote).map(({ dynamodb = {} }) => {
    const sequenceNumber = dynamodb.SequenceNumber ?? "";
    try {
      return { changes: changesIn(dynamodb), sequenceNumber, trouble: "" };
    } catch (error) {
      if (!(error instanceof RecordFormatError)) throw error;
      return { changes: [], sequenceNumber, trouble: error.message };
    }
  });
}

function isNote({ dynamodb }: StreamRecord): boolean {
  const { pk, sk } = textsOf(dynamodb?.Keys);
  return pk.startsWith("published#") && sk === "copies";
}

function changesIn({ Keys, OldImage, NewImage, ApproximateCreationDateTime = 0 }: StreamChange): ConditionChange[] {
  const group = groupName(textsOf(Keys).pk.slice("published#".length));
  const [before, after] = [toldIn(OldImage), toldIn(NewImage)];
  const began = [...after].filter(([name]) => !before.has(name));
  const ended = [...before].filter(([name]) => !after.has(name));
  return [
    ...began.map(([name, condition]) => ({ group, name, kind: "began" as const, condition, at: condition.since })),
    ...ended.map(([name, condition]) => {
      // Of a group that was removed nobody has seen that it ended before.
      const at = condition.goneAt ?? ((ApproximateCreationDateTime * 1_000) as WallTime);
      return { group, name, kind: "ended" as const, condition, at };
    }),
  ];
}

function toldIn(image: Attributes | undefined): ReadonlyMap<string, NotedCondition> {
  const { conditions } = image === undefined ? {} : decodeCopies(plain(image));
  return new Map(Object.entries(conditions?.standing ?? {}).filter(([, { isTold }]) => isTold));
}

function groupOf(record: StreamRecord): GroupName | null {
  const { pk, sk } = textsOf(record.dynamodb?.Keys);
  // What was declared decides which targets there are, and under which addresses clients find the nodes.
  if (pk === SPEC_PARTITION) return record.eventName === "REMOVE" ? null : groupName(sk);
  const [kind, name] = [pk.slice(0, pk.indexOf("#")), pk.slice(pk.indexOf("#") + 1)];
  if (kind === "published" && sk === "primary") return groupName(name);
  return kind === "group" && sk === "ballot" && changesPublication(record) ? groupName(name) : null;
}

const PUBLISHED_PARTS = ["primary", "members", "revision", "control"];

function changesPublication({ dynamodb }: StreamRecord): boolean {
  const { NewImage: after, OldImage: before } = dynamodb ?? {};
  if (after === undefined || before === undefined) return true;
  return PUBLISHED_PARTS.some((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

function textsOf(keys: Attributes | undefined): { readonly pk: string; readonly sk: string } {
  const text = (value: AttributeValue | undefined): string => value?.S ?? "";
  return { pk: text(keys?.["pk"]), sk: text(keys?.["sk"]) };
}
