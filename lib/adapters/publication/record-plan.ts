// What has to change at a DNS name so that it says a publication? Pure. The TXT twin at `_valkeeper.<name>` tells whose
// the address records are and which publication they say: all of them are changed in one batch that deletes exactly what
// was read, so that the batch is a compare-and-set (never UPSERT, which would let a stalled publisher go back; S2).
// The primary's name has one address; the readers' name has those of all readers, as the values of one record set (of
// two where some are IPv6): record sets of their own with a SetIdentifier would add health checks, and those are ours.

import type { Change, ResourceRecordSet } from "@aws-sdk/client-route-53";
import { canonicalHost, isIpAddress, isIpv4 } from "../../core/address-format.ts";
import type { DnsConfig } from "../../core/config.ts";
import { TWIN } from "../../core/config-check.ts";
import { comparePublications, type PublicationOrder, readersOf } from "../../core/publication.ts";
import type { Publication, PublishedNode } from "../../core/records.ts";
import { epoch } from "../../core/types.ts";
import { addressText, orderText } from "./publication-text.ts";

/** One name at which a publication stands. */
export interface RecordName extends Pick<DnsConfig, "hostedZoneId" | "name" | "ttlSeconds"> {
  readonly of: "primary" | "readers";
}

/** The primary's first. */
export function recordNames(dns: DnsConfig): readonly [RecordName, ...RecordName[]] {
  const { hostedZoneId, name, ttlSeconds, readersName } = dns;
  const primary: RecordName = { hostedZoneId, name, ttlSeconds, of: "primary" };
  return readersName === undefined ? [primary] : [primary, { ...primary, name: readersName, of: "readers" }];
}

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

export const twinName = (name: string): string => `${TWIN}${name}`;

/** Names come back in lower case, with a dot at the end. */
export const bareName = (name: string): string => name.toLowerCase().replace(/\.$/, "");

export function planRecords(seen: RecordsSeen, publication: Publication, dns: RecordName): RecordPlan {
  const addresses = addressRecords(publication, dns);
  if (addresses.length === 0) {
    const hosts = readersOf(publication).map(({ address }) => address.host);
    const detail = `${dns.name} needs IP addresses and the readers are at ${hosts.join(", ")}: a name (CNAME) cannot stand there`;
    return { kind: "failed", detail };
  }
  const twin = twinRecord(publication, dns);
  const isStanding = saysSame(seen.addresses, addresses);
  if (seen.twin === null) return planWithoutTwin({ seen, addresses, twin });
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
  if (isStanding && saysSame([seen.twin], [twin])) return { kind: "stands" };
  // Whatever stands beside our twin is ours to put right, also what a person has written over it.
  return {
    kind: "change",
    changes: [...[...seen.addresses, seen.twin].map(deletion), ...[...addresses, twin].map(creation)],
  };
}

/**
 * The first time, or a record that somebody else made. Taking a name over that may serve something else is no decision for
 * a program: only one that already says what we would say is adopted.
 */
function planWithoutTwin(options: {
  readonly seen: RecordsSeen;
  readonly addresses: readonly ResourceRecordSet[];
  readonly twin: ResourceRecordSet;
}): RecordPlan {
  const { seen, addresses, twin } = options;
  const isOursByValue = valuesOf(seen.addresses) === valuesOf(addresses);
  if (seen.addresses.length > 0 && !isOursByValue) {
    const describe = (records: readonly ResourceRecordSet[]): string =>
      records.map((each) => `${each.Type} ${describeValue(each)}`).join(", ");
    const [found, wanted] = [describe(seen.addresses), describe(addresses)];
    const detail = `${addresses[0]?.Name} was not made by Valkeeper (no TXT record at ${twin.Name}): it is ${found}; remove it, or make it ${wanted}`;
    return { kind: "failed", detail };
  }
  // Created, not upserted: of two publishers that find nothing the second must read what the first has said.
  return { kind: "change", changes: [...seen.addresses.map(deletion), ...[...addresses, twin].map(creation)] };
}

/** Empty when no reader is at an IP address; several nodes on one host are one value. */
function addressRecords(publication: Publication, dns: RecordName): readonly ResourceRecordSet[] {
  const { primary } = publication;
  const hosts = dns.of === "primary" ? [primary.address.host] : readerHosts(publication);
  return ADDRESS_TYPES.flatMap((type) => {
    const values = new Set(hosts.filter((host) => addressType(host) === type).map((host) => recordValue(type, host)));
    const records = [...values].sort().map((Value) => ({ Value }));
    return records.length === 0 ? [] : [{ Name: dns.name, Type: type, TTL: dns.ttlSeconds, ResourceRecords: records }];
  });
}

/** A replica that was discovered at a name has no place among addresses; without any other the primary stands in. */
function readerHosts(publication: Publication): readonly string[] {
  const addresses = (nodes: readonly PublishedNode[]): readonly string[] =>
    nodes.map(({ address }) => address.host).filter(isIpAddress);
  const hosts = addresses(publication.replicas);
  return hosts.length > 0 ? hosts : addresses([publication.primary]);
}

const recordValue = (type: AddressType, host: string): string =>
  type === "CNAME" ? `${bareName(host)}.` : (canonicalHost(host) ?? host);

function addressType(host: string): AddressType {
  if (host.includes(":")) return "AAAA";
  return isIpv4(host) ? "A" : "CNAME";
}

function twinRecord({ epoch, revision, primary }: Publication, dns: RecordName): ResourceRecordSet {
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

const saysSame = (seen: readonly ResourceRecordSet[], wanted: readonly ResourceRecordSet[]): boolean =>
  seen.every(({ TTL: ttl }) => ttl === wanted[0]?.TTL) && valuesOf(seen) === valuesOf(wanted);

/** Types and values alone, in whatever order they come, and whether anything but a plain record is among them. */
const valuesOf = (records: readonly ResourceRecordSet[]): string =>
  records
    .map((record) => JSON.stringify([record.Type, describeValue(record), record.SetIdentifier ?? null]))
    .sort()
    .join();

function describeValue(record: ResourceRecordSet): string {
  if (record.AliasTarget !== undefined) return `an alias of ${record.AliasTarget.DNSName}`;
  const values = (record.ResourceRecords ?? []).map((each) => each.Value ?? "").sort();
  if (record.Type === "AAAA")
    return values
      .map((value) => canonicalHost(value) ?? value)
      .sort()
      .join(" ");
  return record.Type === "CNAME" ? values.map((value) => `${bareName(value)}.`).join(" ") : values.join(" ");
}
