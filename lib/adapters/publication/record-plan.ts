// What has to change at a DNS name so that it says a publication? Pure. The TXT twin at `_valkeeper.<name>` tells whose
// the address record is and which publication it says: the two are always changed in one batch that deletes exactly what
// was read, so that the batch is a compare-and-set (never UPSERT, which would let a stalled publisher go back; S2).

import type { Change, ResourceRecordSet } from "@aws-sdk/client-route-53";
import { canonicalHost, isIpv4 } from "../../core/address-format.ts";
import type { PublicationConfig } from "../../core/config.ts";
import { comparePublications, type PublicationOrder } from "../../core/publication.ts";
import type { Publication } from "../../core/records.ts";
import { epoch } from "../../core/types.ts";
import { addressText, orderText } from "./publication-text.ts";

export type DnsConfig = NonNullable<PublicationConfig["dns"]>;

/** Everything at the name that could answer for an address, and the twin. */
export interface RecordsSeen {
  readonly addresses: readonly ResourceRecordSet[];
  readonly twin: ResourceRecordSet | null;
}

export type RecordPlan =
  | { readonly kind: "stands" }
  | { readonly kind: "superseded"; readonly detail: string }
  /** Not ours to change. */
  | { readonly kind: "failed"; readonly detail: string }
  | { readonly kind: "change"; readonly changes: readonly Change[] };

export const ADDRESS_TYPES = ["A", "AAAA", "CNAME"] as const;
type AddressType = (typeof ADDRESS_TYPES)[number];

export const twinName = (name: string): string => `_valkeeper.${name}`;

/** Names come back in lower case, with a dot at the end. */
export const bareName = (name: string): string => name.toLowerCase().replace(/\.$/, "");

export function planRecords(seen: RecordsSeen, publication: Publication, dns: DnsConfig): RecordPlan {
  const address = addressRecord(publication, dns);
  const twin = twinRecord(publication, dns);
  const isStanding = seen.addresses.length === 1 && saysSame(seen.addresses[0], address);
  if (seen.twin === null)
    return planWithoutTwin({ seen, address, twin, isOursByValue: valuesOf(seen.addresses) === valuesOf([address]) });
  const standing = readTwin(seen.twin);
  if (standing.kind === "newer-version") {
    return { kind: "failed", detail: `${twinName(dns.name)} is of a newer version: update Valkeeper` };
  }
  if (standing.kind === "order") {
    const order = comparePublications(standing.order, publication);
    if (order > 0) return { kind: "superseded", detail: `${twinName(dns.name)} says ${orderText(standing.order)}` };
    if (order === 0 && standing.primary !== addressText(publication.primary.address)) {
      // S1: one epoch has one primary. Another deployment publishes to this name; taking turns would help nobody.
      const detail = `${twinName(dns.name)} says ${standing.primary} for ${orderText(publication)}: another group publishes there`;
      return { kind: "failed", detail };
    }
  }
  if (isStanding && saysSame(seen.twin, twin)) return { kind: "stands" };
  // Whatever stands beside our twin is ours to put right, also what a person has written over it.
  return {
    kind: "change",
    changes: [...[...seen.addresses, seen.twin].map(deletion), creation(address), creation(twin)],
  };
}

/**
 * The first time, or a record that somebody else made. Taking a name over that may serve something else is no decision for
 * a program: only one that already says what we would say is adopted.
 */
function planWithoutTwin(options: {
  readonly seen: RecordsSeen;
  readonly address: ResourceRecordSet;
  readonly twin: ResourceRecordSet;
  readonly isOursByValue: boolean;
}): RecordPlan {
  const { seen, address, twin, isOursByValue } = options;
  if (seen.addresses.length > 0 && !isOursByValue) {
    const found = seen.addresses.map((each) => `${each.Type} ${describeValue(each)}`).join(", ");
    const wanted = `${address.Type} ${describeValue(address)}`;
    const detail = `${address.Name} was not made by Valkeeper (no TXT record at ${twin.Name}): it is ${found}; remove it, or make it ${wanted}`;
    return { kind: "failed", detail };
  }
  // Created, not upserted: of two publishers that find nothing the second must read what the first has said.
  return { kind: "change", changes: [...seen.addresses.map(deletion), creation(address), creation(twin)] };
}

function addressRecord(publication: Publication, dns: DnsConfig): ResourceRecordSet {
  const { host } = publication.primary.address;
  const type = addressType(host);
  const value = type === "CNAME" ? `${bareName(host)}.` : (canonicalHost(host) ?? host);
  return { Name: dns.name, Type: type, TTL: dns.ttlSeconds, ResourceRecords: [{ Value: value }] };
}

function addressType(host: string): AddressType {
  if (host.includes(":")) return "AAAA";
  return isIpv4(host) ? "A" : "CNAME";
}

function twinRecord({ epoch, revision, primary }: Publication, dns: DnsConfig): ResourceRecordSet {
  const text = `v=1 epoch=${epoch} revision=${revision} primary=${addressText(primary.address)}`;
  return { Name: twinName(dns.name), Type: "TXT", TTL: dns.ttlSeconds, ResourceRecords: [{ Value: `"${text}"` }] };
}

type Twin =
  | { readonly kind: "order"; readonly order: PublicationOrder; readonly primary: string }
  | { readonly kind: "newer-version" }
  /** Edited by hand until it says no epoch: it is replaced. */
  | { readonly kind: "unreadable" };

export function readTwin(record: ResourceRecordSet): Twin {
  const [value, ...others] = (record.ResourceRecords ?? []).map((each) => each.Value ?? "");
  if (value === undefined || others.length > 0) return { kind: "unreadable" };
  const version = /^"v=(\d+) /.exec(value)?.[1];
  if (version !== undefined && version !== "1") return { kind: "newer-version" };
  const match = /^"v=1 epoch=(\d{1,8}) revision=(\d{1,9}) primary=(\S+)"$/.exec(value);
  if (match === null) return { kind: "unreadable" };
  const order = { epoch: epoch(Number(match[1])), revision: Number(match[2]) };
  return { kind: "order", order, primary: match[3] ?? "" };
}

const deletion = (record: ResourceRecordSet): Change => ({ Action: "DELETE", ResourceRecordSet: record });
const creation = (record: ResourceRecordSet): Change => ({ Action: "CREATE", ResourceRecordSet: record });

function saysSame(seen: ResourceRecordSet | undefined, wanted: ResourceRecordSet): boolean {
  if (seen === undefined) return false;
  const { TTL: seenTtl } = seen;
  return seenTtl === wanted.TTL && valuesOf([seen]) === valuesOf([wanted]);
}

/** Types and values alone, and whether anything but a plain record is among them. */
function valuesOf(records: readonly ResourceRecordSet[]): string {
  return JSON.stringify(records.map((record) => [record.Type, describeValue(record), record.SetIdentifier ?? null]));
}

function describeValue(record: ResourceRecordSet): string {
  if (record.AliasTarget !== undefined) return `an alias of ${record.AliasTarget.DNSName}`;
  const values = (record.ResourceRecords ?? []).map((each) => each.Value ?? "");
  if (record.Type === "AAAA") return values.map((value) => canonicalHost(value) ?? value).join(" ");
  return record.Type === "CNAME" ? values.map((value) => `${bareName(value)}.`).join(" ") : values.join(" ");
}
