// What is compared: what each node says of itself, in words that two trios have in common. Ids are named in the order in
// which they are first seen, addresses by the node that has them, offsets only by their order, and that only where the
// two histories share it: bytes of one history say nothing about another one's.

import { BOOT_FENCE, tokenOf } from "../../lib/core/token.ts";
import type { Address, NodeReading, Observation } from "../../lib/core/types.ts";

/** Lines of one trio after one command: equal ones mean that the two do the same. */
export type View = readonly string[];

/** The words for one trio's ids and addresses. */
export class Names {
  readonly #addresses: readonly Address[];
  readonly #ids = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  constructor(addresses: readonly Address[]) {
    this.#addresses = addresses;
  }

  history(id: string | null): string {
    return id === null ? "none" : this.#name("history", id);
  }

  process(id: string): string {
    return this.#name("process", id);
  }

  address(address: Address | null): string {
    if (address === null) return "nobody";
    const index = this.#addresses.findIndex((each) => isSame(each, address));
    if (index >= 0) return `n${index + 1}`;
    return isSame(address, BOOT_FENCE) ? "the boot fence" : `token ${tokenOf(address)}`;
  }

  #name(kind: string, id: string): string {
    const known = this.#ids.get(id);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    this.#ids.set(id, `${kind} ${count}`);
    return `${kind} ${count}`;
  }
}

export const isSame = (left: Address, right: Address): boolean => left.host === right.host && left.port === right.port;

export function wordsOfReading(reading: NodeReading, names: Names): string {
  const { secondReplicationId, secondReplicationOffset, offset } = reading;
  const fork = secondReplicationOffset === null ? null : order(secondReplicationOffset - 1, offset);
  const listed = reading.replicas.map(({ address, state }) => `${names.address(address)} ${state}`).sort();
  return [
    `${reading.role} of ${names.address(reading.follows)}`,
    names.process(reading.runId),
    names.history(reading.replicationId),
    fork === null ? "no second history" : `second ${names.history(secondReplicationId)} up to ${fork}`,
    reading.linkUp ? "linked" : "not linked",
    `${reading.keyCount} keys`,
    `followed by ${listed.join(", ") || "nobody"}`,
    ...(reading.syncInProgress ? ["synchronizing"] : []),
    ...(reading.loading ? ["loading"] : []),
    ...(reading.failoverState === "no-failover" ? [] : [reading.failoverState]),
    ...(reading.lastBgsaveOk && reading.lastAofWriteOk ? [] : ["cannot save"]),
  ].join(", ");
}

const order = (left: number, right: number): string =>
  left === right ? "its offset" : left < right ? "before its offset" : "beyond its offset";

export interface Seen {
  readonly observation: Observation;
  readonly writes: readonly number[];
}

export function viewOf(seen: readonly Seen[], names: Names): View {
  const readings = seen.map(({ observation }) => (observation.kind === "answered" ? observation.reading : null));
  return [
    ...seen.map(({ observation, writes }, index) => {
      const reading = readings[index] ?? null;
      const words = reading === null ? observation.kind : wordsOfReading(reading, names);
      return `n${index + 1}: ${words}; writes ${writes.join(" ") || "none"}`;
    }),
    ...pairs(readings),
  ];
}

function pairs(readings: readonly (NodeReading | null)[]): readonly string[] {
  return readings.flatMap((left, index) =>
    readings.slice(index + 1).flatMap((right, distance) => {
      if (left === null || right === null) return [];
      const words = relation(left, right);
      return words === null ? [] : [`n${index + 1} ${words} n${index + distance + 2}`];
    }),
  );
}

/** How two nodes' data relate, as an engine would conclude it from what they say; null for strangers. */
function relation(left: NodeReading, right: NodeReading): string | null {
  if (left.replicationId === right.replicationId) return compare(left.offset, right.offset);
  if (left.secondReplicationId === right.replicationId) return `forked where it is ${forkAt(left, right)}`;
  if (right.secondReplicationId === left.replicationId) return `is ${forkAt(right, left)} the fork of`;
  return null;
}

const compare = (left: number, right: number): string =>
  left === right ? "is as far as" : left < right ? "is behind" : "is ahead of";

/** Where `other` stands to the end of the history that `forked` left. */
function forkAt(forked: NodeReading, other: NodeReading): string {
  const end = (forked.secondReplicationOffset ?? 0) - 1;
  return other.offset === end ? "at" : other.offset < end ? "before" : "behind";
}

/**
 * Nothing more is going to happen by itself: who is linked has all that the node it follows has, and who is not follows
 * nobody, or a node that serves nobody because it is a replica without a link itself.
 */
export function isAtRest(seen: readonly Seen[], addresses: readonly Address[]): boolean {
  const readings = seen.map(({ observation }) => (observation.kind === "answered" ? observation.reading : null));
  const isBusy = seen.some(({ observation: { kind } }) => kind !== "answered" && kind !== "refused");
  const at = (address: Address) => readings[addresses.findIndex((each) => isSame(each, address))] ?? null;
  return (
    !isBusy && readings.every((reading, index) => reading === null || rests(reading, addresses[index] as Address, at))
  );
}

function rests(reading: NodeReading, own: Address, at: (address: Address) => NodeReading | null): boolean {
  if (reading.loading || reading.syncInProgress) return false;
  const isListed = reading.replicas.every(({ address, state }) => state === "online" && at(address)?.linkUp === true);
  if (!isListed) return false;
  if (reading.follows === null) return true;
  const source = at(reading.follows);
  if (source === null) return !reading.linkUp;
  // One that has no link itself takes no new followers, and keeps those that it has.
  if (!reading.linkUp) return source.role === "replica" && !source.linkUp;
  const isInStep = reading.replicationId === source.replicationId && reading.offset === source.offset;
  return isInStep && source.replicas.some(({ address }) => isSame(address, own));
}
