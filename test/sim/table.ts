// The table of a simulated world: what is in it, and what each conditional write does to it. Linearizable, because it
// is one object and every request is one event; losses and delays are between it and its users (store.ts).

import type { Ballot } from "../../lib/core/ballot.ts";
import { decodeBallot } from "../../lib/core/ballot-format.ts";
import { type BallotWrite, type Item, interpret, isEcho, type Json } from "../../lib/core/ballot-write.ts";
import { ValkeeperError } from "../../lib/core/errors.ts";
import type {
  HistoryRecord,
  Publication,
  PublishedCopies,
  RequestRecord,
  RequestResult,
  SlotRecord,
  SpecRecord,
} from "../../lib/core/records.ts";
import type { GroupName, VoterId, WallTime } from "../../lib/core/types.ts";
import type { EventQueue } from "./event-queue.ts";
import { Versioned } from "./versioned.ts";

/** Decoding is the same for the same item, and items never change. */
const decoded = new WeakMap<Item, Ballot>();

/** Throws `RecordFormatError`. */
export function decode(item: Item): Ballot {
  let ballot = decoded.get(item);
  if (ballot === undefined) {
    ballot = decodeBallot(item);
    decoded.set(item, ballot);
  }
  return ballot;
}

/** Null: damaged, or of a newer schema. */
export function readable(item: Item): Ballot | null {
  try {
    return decode(item);
  } catch (error) {
    if (!(error instanceof ValkeeperError)) throw error;
    return null;
  }
}

/** One applied write of a ballot, for the oracle. */
export interface BallotChange {
  readonly write: BallotWrite;
  readonly before: Item | null;
  readonly after: Item;
  /** Whose request it was. */
  readonly by: string;
}

/** One that was not applied, or had been before. */
export interface BallotRefusal {
  readonly kind: "refused" | "echo";
  readonly write: BallotWrite;
  readonly before: Item | null;
  readonly by: string;
}

export type WriteResult =
  | { readonly kind: "applied"; readonly item: Item }
  | { readonly kind: "echo"; readonly item: Item }
  | { readonly kind: "refused"; readonly item: Item | null }
  /** The service calls the request itself wrong. */
  | { readonly kind: "invalid"; readonly detail: string };

/** All that a backup of the table holds. */
export interface TableState {
  readonly specs: ReadonlyMap<GroupName, SpecRecord>;
  readonly requests: ReadonlyMap<GroupName, RequestRecord>;
  readonly publications: ReadonlyMap<GroupName, Publication>;
  readonly copies: ReadonlyMap<GroupName, PublishedCopies>;
  readonly slots: ReadonlyMap<string, SlotRecord>;
  readonly ballots: ReadonlyMap<GroupName, Item>;
}

export class Table {
  readonly queue: EventQueue;
  id = "table-1";
  /** Deleted, and not restored yet. */
  isAway = false;
  onBallotChange: (change: BallotChange) => void = () => {};
  onBallotRefusal: (refusal: BallotRefusal) => void = () => {};
  onPublication: (publication: Publication, by: string) => void = () => {};
  readonly specs = new Map<GroupName, SpecRecord>();
  readonly requests: Versioned<RequestRecord>;
  readonly publications = new Map<GroupName, Publication>();
  readonly copies = new Map<GroupName, PublishedCopies>();
  readonly slots = new Map<string, SlotRecord>();
  readonly #ballots: Versioned<Item>;
  readonly #history = new Map<GroupName, Map<string, HistoryRecord>>();

  constructor(queue: EventQueue) {
    this.queue = queue;
    this.requests = new Versioned(queue);
    this.#ballots = new Versioned(queue);
  }

  ballot(group: GroupName): Item | null {
    return this.#ballots.get(group) ?? null;
  }

  /** As a replica of the table showed it that is `behindMs` behind. */
  ballotBehind(group: GroupName, behindMs: number): Item | null {
    return this.#ballots.behind(group, behindMs);
  }

  writeBallot(write: BallotWrite, by: string): WriteResult {
    const before = this.ballot(write.group);
    let result: { readonly applied: boolean; readonly item: Item | null };
    try {
      result = interpret(before, write);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return { kind: "invalid", detail: `ValidationException: ${error.message}` };
    }
    if (result.applied && result.item !== null) {
      this.putBallot(write.group, result.item);
      this.onBallotChange({ write, before, after: result.item, by });
      return { kind: "applied", item: result.item };
    }
    const isOwn = before !== null && isEcho(before, write);
    this.onBallotRefusal({ kind: isOwn ? "echo" : "refused", write, before, by });
    return isOwn ? { kind: "echo", item: before } : { kind: "refused", item: before };
  }

  /** Without a condition: restored, edited by hand, or taken away. */
  putBallot(group: GroupName, item: Item | null): void {
    if (item === null) this.#ballots.delete(group);
    else this.#ballots.set(group, item);
  }

  state(): TableState {
    const { specs, requests, publications, copies, slots } = this;
    return {
      specs: new Map(specs),
      requests: new Map(requests),
      publications: new Map(publications),
      copies: new Map(copies),
      slots: new Map(slots),
      ballots: new Map(this.#ballots),
    };
  }

  /** Another table by the same name, as this one was. History is only added to, and read by nobody who decides. */
  restore(state: TableState, id: string): void {
    this.id = id;
    refill(this.specs, state.specs);
    this.requests.restore(state.requests);
    this.#ballots.restore(state.ballots);
    refill(this.publications, state.publications);
    refill(this.copies, state.copies);
    refill(this.slots, state.slots);
  }

  look(group: GroupName, until: WallTime): void {
    const item = this.ballot(group);
    if (item !== null && Number(item["lookUntil"] ?? 0) < until) {
      this.putBallot(group, { ...item, lookUntil: until as number as Json });
    }
  }

  appendHistory(records: readonly HistoryRecord[]): void {
    for (const record of records) {
      const records = this.#history.get(record.group) ?? new Map<string, HistoryRecord>();
      records.set(record.id, record);
      this.#history.set(record.group, records);
    }
  }

  history(group: GroupName): readonly HistoryRecord[] {
    const records = [...(this.#history.get(group)?.values() ?? [])];
    return records.sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  /** The next generation of a slot; taken by `owner` already, it is that one again. */
  takeSlot(taking: { voter: VoterId; shard: number; owner: string; at: WallTime }): SlotRecord {
    const key = slotKey(taking.voter, taking.shard);
    const current = this.slots.get(key);
    if (current?.owner === taking.owner) return current;
    const taken: SlotRecord = {
      schema: 1,
      voter: taking.voter,
      shard: taking.shard,
      groupsPerVoter: current?.groupsPerVoter ?? null,
      generation: this.#nextGeneration(taking.voter),
      owner: taking.owner,
      heartbeatAt: taking.at,
      regular: false,
      restsMs: null,
      groups: current?.groups ?? {},
    };
    this.slots.set(key, taken);
    return taken;
  }

  /** Of every shard of the voter: none has ever been given twice. */
  #nextGeneration(voter: VoterId): number {
    const given = [...this.slots.values()].flatMap((slot) => (slot.voter === voter ? [slot.generation] : []));
    return Math.max(0, ...given) + 1;
  }

  writeSlot(slot: SlotRecord): boolean {
    const key = slotKey(slot.voter, slot.shard);
    if ((this.slots.get(key)?.generation ?? 0) > slot.generation) return false;
    this.slots.set(key, slot);
    return true;
  }

  writePublication(publication: Publication, by: string): boolean {
    const standing = this.publications.get(publication.group);
    if (standing !== undefined && !precedes(standing, publication)) return false;
    this.publications.set(publication.group, publication);
    this.onPublication(publication, by);
    return true;
  }

  writeCopies(group: GroupName, copies: Partial<PublishedCopies>): void {
    const standing = this.copies.get(group) ?? { ssm: null, dns: null };
    this.copies.set(group, {
      ssm: laterCopy(standing.ssm, copies.ssm),
      dns: laterCopy(standing.dns, copies.dns),
      ...failuresAfter(standing, copies),
    });
  }

  writeSpec(spec: SpecRecord, expectedVersion: number): boolean {
    if ((this.specs.get(spec.group)?.version ?? 0) !== expectedVersion) return false;
    this.specs.set(spec.group, spec);
    return true;
  }

  writeRequest(group: GroupName, request: RequestRecord, at: WallTime): boolean {
    const standing = this.requests.get(group);
    if (standing?.id === request.id) return true;
    if (standing !== undefined && standing.result === null && standing.expiresAt > at) return false;
    this.requests.set(group, request);
    return true;
  }

  resolveRequest(group: GroupName, id: string, result: RequestResult): boolean {
    const standing = this.requests.get(group);
    if (standing?.id !== id || standing.result !== null) return false;
    this.requests.set(group, { ...standing, result });
    return true;
  }

  removeGroup(group: GroupName): void {
    this.specs.delete(group);
    this.#ballots.delete(group);
    this.requests.delete(group);
    this.publications.delete(group);
  }
}

function refill<K, V>(map: Map<K, V>, from: ReadonlyMap<K, V>): void {
  map.clear();
  for (const [key, value] of from) map.set(key, value);
}

export const slotKey = (voter: VoterId, shard: number): string => `${voter}#${shard}`;

type Copy = PublishedCopies["ssm" | "dns"];

/** A copy that is confirmed, or is no more, takes its failure away. */
function failuresAfter(standing: PublishedCopies, change: Partial<PublishedCopies>): Partial<PublishedCopies> {
  const ssmFailure = change.ssmFailure ?? (change.ssm === undefined ? standing.ssmFailure : undefined);
  const dnsFailure = change.dnsFailure ?? (change.dns === undefined ? standing.dnsFailure : undefined);
  return {
    ...(ssmFailure === undefined ? {} : { ssmFailure }),
    ...(dnsFailure === undefined ? {} : { dnsFailure }),
  };
}

/** Undefined leaves what stands, null takes it away, an older one is ignored. */
function laterCopy(standing: Copy, copy: Copy | undefined): Copy {
  if (copy === undefined) return standing;
  return copy !== null && standing !== null && precedes(copy, standing) ? standing : copy;
}

type Order = Pick<Publication, "epoch" | "revision">;

/** (epoch, revision) decides, the epoch first. */
export const precedes = (left: Order, right: Order): boolean =>
  left.epoch < right.epoch || (left.epoch === right.epoch && left.revision < right.revision);
