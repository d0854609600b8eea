// The DNS record of a group and its TXT twin in Route 53: read, plan, change in one batch, and start again when somebody
// else was faster. Route 53 allows five requests a second to a whole account and one change at a time to a zone, so being
// turned away is ordinary: after each pause the records, and with them the epoch, are read anew.

import { setTimeout as sleep } from "node:timers/promises";
import {
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandOutput,
  type ResourceRecordSet,
  type Route53Client,
} from "@aws-sdk/client-route-53";
import { PortError, RecordFormatError } from "../../core/errors.ts";
import type { Publication } from "../../core/records.ts";
import { type Epoch, epoch } from "../../core/types.ts";
import type { PublishOutcome } from "../../ports/publisher.ts";
import { type Called, type CallLimits, call, type Failure } from "../aws/call.ts";
import {
  ADDRESS_TYPES,
  type DnsConfig,
  planRecords,
  type RecordsSeen,
  readTwin,
  sameName,
  twinName,
} from "./record-plan.ts";

const READ: CallLimits = { attemptTimeoutMs: 3_000, totalMs: 9_000, attempts: 6 };
/** Once: what to send next is decided by what is read then. */
const CHANGE: CallLimits = { attemptTimeoutMs: 3_000, totalMs: 3_000, attempts: 1 };
const TOTAL_MS = 20_000;
/** A list may lag behind the change that it lost to. */
const SAME_REFUSALS = 3;
const PAUSE_MS = 100;
const PAUSE_LIMIT_MS = 2_000;

export async function publishRecords(options: {
  readonly route53: Route53Client;
  readonly publication: Publication;
  readonly dns: DnsConfig;
}): Promise<PublishOutcome> {
  const { route53, publication, dns } = options;
  const deadline = performance.now() + TOTAL_MS;
  let changed = false;
  let refused = { seen: "", times: 0 };
  for (let round = 1; ; round += 1) {
    const seen = await readRecords(route53, dns);
    const plan = planRecords(seen, publication, dns);
    if (plan.kind === "stands") return { kind: "applied", changed };
    if (plan.kind !== "change") return plan;
    const command = new ChangeResourceRecordSetsCommand({
      HostedZoneId: dns.hostedZoneId,
      ChangeBatch: { Comment: `Valkeeper ${publication.group}`, Changes: [...plan.changes] },
    });
    const answer = await call((abortSignal) => route53.send(command, { abortSignal }), CHANGE);
    if (answer.kind === "answered") return { kind: "applied", changed: true };
    const { failure } = answer;
    if (isRefusedBatch(failure)) {
      const text = JSON.stringify(seen);
      refused = { seen: text, times: refused.seen === text ? refused.times + 1 : 1 };
    }
    // Refused again and again, and nothing has moved: no lost race, but a rule of the service or a protection of the name.
    const isLostRace = isRefusedBatch(failure) && refused.times < SAME_REFUSALS;
    if (failure.kind === "rejected" && !isLostRace) return { kind: "failed", detail: failure.detail };
    // An answer that was lost: the next look tells whether it was done.
    changed ||= failure.kind === "ambiguous";
    const pause = pauseMs(round);
    if (performance.now() + pause > deadline) return { kind: "failed", detail: failure.detail };
    await sleep(pause);
  }
}

/** Epoch of the TXT twin that stands, 0 when there is none. */
export async function standingRecordEpoch(route53: Route53Client, dns: DnsConfig): Promise<Epoch> {
  const { twin } = await readRecords(route53, dns);
  if (twin === null) return epoch(0);
  const standing = readTwin(twin);
  if (standing.kind === "newer-version") {
    throw new RecordFormatError(`${twinName(dns.name)} is of a newer version: update Valkeeper`);
  }
  return standing.kind === "order" ? standing.order.epoch : epoch(0);
}

const isRefusedBatch = ({ error }: Failure): boolean =>
  (error as { readonly name?: string } | null)?.name === "InvalidChangeBatch";

/** Slower than call.ts's: the account's five requests a second have to be there again. */
function pauseMs(round: number): number {
  const full = Math.min(PAUSE_MS * 2 ** (round - 1), PAUSE_LIMIT_MS);
  return full / 2 + (Math.random() * full) / 2;
}

async function readRecords(route53: Route53Client, dns: DnsConfig): Promise<RecordsSeen> {
  const twin = twinName(dns.name);
  const first = await list(route53, dns.hostedZoneId, { name: dns.name });
  const isAddress = (record: ResourceRecordSet): boolean =>
    sameName(record.Name, dns.name) && ADDRESS_TYPES.some((type) => type === record.Type);
  const isTwin = (record: ResourceRecordSet): boolean => sameName(record.Name, twin) && record.Type === "TXT";
  const addresses = first.records.filter(isAddress);
  const found = first.records.find(isTwin);
  // The name's other records come first, then everything below it, in the order of labels read backwards: usually the
  // twin is on the same page, which spares a second of the few requests.
  if (found !== undefined || !first.isTruncated) return { addresses, twin: found ?? null };
  const second = await list(route53, dns.hostedZoneId, { name: twin, type: "TXT" });
  return { addresses, twin: second.records.find(isTwin) ?? null };
}

async function list(
  route53: Route53Client,
  hostedZoneId: string,
  start: { readonly name: string; readonly type?: "TXT" },
): Promise<{ readonly records: readonly ResourceRecordSet[]; readonly isTruncated: boolean }> {
  const command = new ListResourceRecordSetsCommand({
    HostedZoneId: hostedZoneId,
    StartRecordName: start.name,
    ...(start.type === undefined ? {} : { StartRecordType: start.type }),
  });
  const answer: Called<ListResourceRecordSetsCommandOutput> = await call(
    (abortSignal) => route53.send(command, { abortSignal }),
    READ,
  );
  if (answer.kind === "failed") {
    const { detail, error } = answer.failure;
    throw new PortError("publisher", "route53 ListResourceRecordSets", detail, error);
  }
  return { records: answer.value.ResourceRecordSets ?? [], isTruncated: answer.value.IsTruncated === true };
}
