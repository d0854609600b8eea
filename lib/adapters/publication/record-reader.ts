// What stands at many names of a hosted zone, with as few requests as possible: Route 53 allows five a second to a whole
// account. A list begins at a name and goes on through the zone in its order, 300 records at a time, so that one page
// usually holds the records and twins of all groups.

import {
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandOutput,
  type ResourceRecordSet,
  type Route53Client,
} from "@aws-sdk/client-route-53";
import { type Called, type CallLimits, call, type Failure } from "../aws/call.ts";
import { ADDRESS_TYPES, bareName, type RecordsSeen, twinName } from "./record-plan.ts";

/** Once: being turned away is the caller's to wait out, since then the names to read may be others. */
const LIMITS: CallLimits = { attemptTimeoutMs: 3_000, totalMs: 3_000, attempts: 1 };
const PAGE = 300;

export type ReadRecords =
  | { readonly kind: "read"; readonly seen: ReadonlyMap<string, RecordsSeen> }
  | { readonly kind: "failed"; readonly failure: Failure };

interface Page {
  readonly records: readonly ResourceRecordSet[];
  readonly isTruncated: boolean;
}

/** By the names as they were given. */
export async function readRecords(
  route53: Route53Client,
  hostedZoneId: string,
  names: readonly string[],
): Promise<ReadRecords> {
  const all = names.flatMap((name) => [name, twinName(name)]).map(bareName);
  let open: readonly string[] = [...all].sort(compareByDots);
  const found = new Map<string, readonly ResourceRecordSet[]>();
  for (let [from] = open; from !== undefined; [from] = open) {
    const answer = await list(route53, hostedZoneId, from);
    if (answer.kind === "failed") return answer;
    const { records } = answer.value;
    // A list begins with the records of the name it was asked for, whatever the order of others.
    const read = open.filter((name) => name === from || isCovered(name, from, answer.value));
    for (const name of read)
      found.set(
        name,
        records.filter((record) => bareName(record.Name ?? "") === name),
      );
    open = open.filter((name) => !read.includes(name));
  }
  return { kind: "read", seen: new Map(names.map((name) => [name, seenAt(name, found)])) };
}

function seenAt(name: string, found: ReadonlyMap<string, readonly ResourceRecordSet[]>): RecordsSeen {
  const here = found.get(bareName(name)) ?? [];
  const there = found.get(bareName(twinName(name))) ?? [];
  return {
    addresses: here.filter((record) => ADDRESS_TYPES.some((type) => type === record.Type)),
    twin: there.find((record) => record.Type === "TXT") ?? null,
  };
}

async function list(
  route53: Route53Client,
  hostedZoneId: string,
  from: string,
): Promise<
  { readonly kind: "answered"; readonly value: Page } | { readonly kind: "failed"; readonly failure: Failure }
> {
  const command = new ListResourceRecordSetsCommand({
    HostedZoneId: hostedZoneId,
    StartRecordName: from,
    MaxItems: PAGE,
  });
  const answer: Called<ListResourceRecordSetsCommandOutput> = await call(
    (abortSignal) => route53.send(command, { abortSignal }),
    LIMITS,
  );
  if (answer.kind === "failed") return answer;
  const { ResourceRecordSets: records = [], IsTruncated: isTruncated = false } = answer.value;
  return { kind: "answered", value: { records, isTruncated } };
}

/**
 * Whether all records of `name` are on this page, if there are any. Labels compare from the right; Route 53 documents that
 * the dots take part in it, others compare label by label, which differs for `cache` and `cache-2`. A name counts only
 * where both say so: one that is taken for absent and is not would be called somebody else's.
 */
function isCovered(name: string, from: string, page: Page): boolean {
  if (!isBefore(from, name)) return false;
  return !page.isTruncated || isBefore(name, bareName(page.records.at(-1)?.Name ?? ""));
}

const isBefore = (left: string, right: string): boolean =>
  compareByDots(left, right) < 0 && compareByLabels(left, right) < 0;

const reversedLabels = (name: string): readonly string[] => name.split(".").reverse();

function compareByDots(left: string, right: string): number {
  return compareTexts(`${reversedLabels(left).join(".")}.`, `${reversedLabels(right).join(".")}.`);
}

function compareByLabels(left: string, right: string): number {
  const [ours, theirs] = [reversedLabels(left), reversedLabels(right)];
  for (const [index, label] of ours.entries()) {
    const other = theirs[index];
    if (other === undefined) return 1;
    const order = compareTexts(label, other);
    if (order !== 0) return order;
  }
  return ours.length - theirs.length;
}

const compareTexts = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
