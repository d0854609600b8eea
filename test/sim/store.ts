// The table's port for one user of it. Between a request and its answer lies what lies between a voter and DynamoDB: a
// path that may be cut, slow answers, throttling, requests and answers that are lost, requests that are carried out long
// after their sender gave up. It retries as the real adapter does: bounded, and honest about what may have happened.

import type { Ballot } from "../../lib/core/ballot.ts";
import type { BallotWrite, Item, WriteOutcome } from "../../lib/core/ballot-write.ts";
import { PortError, ValkeeperError } from "../../lib/core/errors.ts";
import { decodeSpec } from "../../lib/core/record-format.ts";
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
import type { GroupGlance, OperatorStore, SpecList } from "../../lib/ports/group-store.ts";
import type { Dice } from "./dice.ts";
import type { Eventual } from "./eventual.ts";
import type { Network, Path, Place } from "./network.ts";
import type { Sandbox } from "./sandbox.ts";
import { decode, slotKey, type Table, type WriteResult } from "./table.ts";

/** How unreliable the service is; shared by all users and changed by faults. Rates are per try. */
export interface StoreWeather {
  slowRate: number;
  slowMs: number;
  throttleRate: number;
  lostRequestRate: number;
  lostAnswerRate: number;
  /** Lost on its way, and carried out up to `lateMs` after. */
  lateRate: number;
  lateMs: number;
  /** Share of eventually consistent reads that come from a replica up to `staleMs` behind. */
  staleRate: number;
  staleMs: number;
}

export const CALM: StoreWeather = {
  slowRate: 0,
  slowMs: 0,
  throttleRate: 0,
  lostRequestRate: 0,
  lostAnswerRate: 0,
  lateRate: 0,
  lateMs: 0,
  staleRate: 0.2,
  staleMs: 200,
};

export const STORE_PLACE: Place = { name: "store", zone: null };

const SERVICE_MS = [2, 5] as const;
/** The real adapter's limits. */
export const TRY_TIMEOUT_MS = 500;
const TOTAL_MS = 1_200;
const TRIES = 4;
const RETRY_PAUSE_MS = [5, 40] as const;

type Called<T> =
  | { readonly kind: "answered"; readonly value: T; readonly earlierAmbiguous: boolean }
  | { readonly kind: "failed"; readonly detail: string; readonly mayHaveHappened: boolean };

/** One call in progress. */
interface Call<T> {
  readonly act: () => T;
  /** Told once how it ended. */
  readonly end: (called: Called<T>) => void;
  readonly deadline: number;
  ended: boolean;
  tries: number;
  ambiguous: boolean;
}

export interface StoreUser {
  readonly place: Place;
  readonly sandbox: Sandbox;
  /** Told of every ballot that reaches it by a consistent read or as the answer of a write: the oracle must know what it knows. */
  readonly onShown?: (item: Item | null) => void;
  /** Told of every write of the ballot, when it is sent. */
  readonly onWrite?: (write: BallotWrite) => void;
  /** Told of every glance at an order as one that waits which has its answer. */
  readonly onStaleOrder?: () => void;
}

export class SimStore implements OperatorStore {
  readonly #table: Table;
  readonly #weather: StoreWeather;
  readonly #user: StoreUser;
  readonly #dice: Dice;
  readonly #there: Path;
  readonly #back: Path;

  constructor(table: Table, weather: StoreWeather, network: Network, user: StoreUser, dice: Dice) {
    this.#table = table;
    this.#weather = weather;
    this.#user = user;
    this.#dice = dice;
    this.#there = network.path(user.place, STORE_PLACE);
    this.#back = network.path(STORE_PLACE, user.place);
  }

  tableId(): PromiseLike<string> {
    return this.#ask("tableId", () => this.#table.id);
  }

  listSpecs(): PromiseLike<SpecList> {
    return this.#ask("listSpecs", () => {
      const specs: SpecRecord[] = [];
      const damaged: GroupName[] = [];
      for (const [group, item] of this.#table.specs) {
        try {
          specs.push(decodeSpec(item as unknown as Item));
        } catch (error) {
          if (!(error instanceof ValkeeperError)) throw error;
          damaged.push(group);
        }
      }
      return { specs, damaged };
    });
  }

  glance(groups: readonly GroupName[]): PromiseLike<ReadonlyMap<GroupName, GroupGlance>> {
    return this.#ask("glance", () => {
      return new Map(groups.map((group) => [group, this.#glanceAt(group)]));
    });
  }

  /** Each item is another replica's, so that the order may be older than the ballot and the other way round. */
  #glanceAt(group: GroupName): GroupGlance {
    const item = this.#table.ballotBehind(group, this.#behindMs());
    const request = this.#table.requests.behind(group, this.#behindMs());
    const standing = this.#table.requests.get(group);
    if (request?.result === null && standing?.id === request.id && standing.result !== null)
      this.#user.onStaleOrder?.();
    try {
      return { ballot: item === null ? null : decode(item), request, unreadable: null };
    } catch (error) {
      if (!(error instanceof ValkeeperError)) throw error;
      return { ballot: null, request, unreadable: error.message };
    }
  }

  #behindMs(): number {
    const { staleRate, staleMs } = this.#weather;
    return this.#dice.chance(staleRate) ? this.#dice.between(0, staleMs) : 0;
  }

  readBallot(group: GroupName): PromiseLike<Ballot | null> {
    const result = this.#table.queue.eventual<Ballot | null>();
    this.#call(
      () => this.#table.ballot(group),
      (called) => {
        if (called.kind === "answered") this.#user.onShown?.(called.value);
        settleItem(result, called, "readBallot", decode);
      },
    );
    return result;
  }

  writeBallot(write: BallotWrite): PromiseLike<WriteOutcome> {
    const result = this.#table.queue.eventual<WriteOutcome>();
    this.#user.onWrite?.(write);
    this.#call(
      () => this.#table.writeBallot(write, this.#user.place.name),
      (called) => {
        const outcome = outcomeOf(write, called);
        if (called.kind === "answered" && outcome.kind !== "unknown" && called.value.kind !== "invalid")
          this.#user.onShown?.(called.value.item);
        result.settle(outcome);
      },
    );
    return result;
  }

  resolveRequest(group: GroupName, id: string, result: RequestResult): PromiseLike<boolean> {
    return this.#ask("resolveRequest", () => this.#table.resolveRequest(group, id, result));
  }

  appendHistory(records: readonly HistoryRecord[]): PromiseLike<void> {
    return this.#ask("appendHistory", () => this.#table.appendHistory(records));
  }

  takeSlot(voter: VoterId, shard: number, owner: string, at: WallTime): PromiseLike<SlotRecord> {
    return this.#ask("takeSlot", () => this.#table.takeSlot({ voter, shard, owner, at }));
  }

  readSlot(voter: VoterId, shard: number): PromiseLike<SlotRecord | null> {
    return this.#ask("readSlot", () => this.#table.slots.get(slotKey(voter, shard)) ?? null);
  }

  writeSlot(slot: SlotRecord): PromiseLike<boolean> {
    return this.#ask("writeSlot", () => this.#table.writeSlot(slot));
  }

  readPublication(group: GroupName): PromiseLike<Publication | null> {
    return this.#ask("readPublication", () => this.#table.publications.get(group) ?? null);
  }

  writePublication(publication: Publication): PromiseLike<boolean> {
    return this.#ask("writePublication", () => this.#table.writePublication(publication, this.#user.place.name));
  }

  readCopies(group: GroupName): PromiseLike<PublishedCopies> {
    return this.#ask("readCopies", () => this.#table.copies.get(group) ?? { ssm: null, dns: null });
  }

  writeCopies(group: GroupName, copies: Partial<PublishedCopies>): PromiseLike<void> {
    return this.#ask("writeCopies", () => this.#table.writeCopies(group, copies));
  }

  readSpec(group: GroupName): PromiseLike<SpecRecord | null> {
    const read = () => (this.#table.specs.get(group) ?? null) as unknown as Item | null;
    return this.#askItem("readSpec", read, decodeSpec);
  }

  writeSpec(spec: SpecRecord, expectedVersion: number): PromiseLike<boolean> {
    return this.#ask("writeSpec", () => this.#table.writeSpec(spec, expectedVersion));
  }

  removeGroup(group: GroupName): PromiseLike<void> {
    return this.#ask("removeGroup", () => this.#table.removeGroup(group));
  }

  writeRequest(group: GroupName, request: RequestRecord, at: WallTime): PromiseLike<boolean> {
    return this.#ask("writeRequest", () => this.#table.writeRequest(group, request, at));
  }

  readRequest(group: GroupName): PromiseLike<RequestRecord | null> {
    return this.#ask("readRequest", () => this.#table.requests.get(group) ?? null);
  }

  readHistory(
    group: GroupName,
    options: { readonly limit: number; readonly after?: string; readonly newestFirst: boolean },
  ): PromiseLike<readonly HistoryRecord[]> {
    return this.#ask("readHistory", () => {
      const { limit, after, newestFirst } = options;
      const ordered = newestFirst ? [...this.#table.history(group)].reverse() : this.#table.history(group);
      const rest = ordered.filter(({ id }) => after === undefined || (newestFirst ? id < after : id > after));
      return rest.slice(0, limit);
    });
  }

  look(group: GroupName, until: WallTime): PromiseLike<void> {
    return this.#ask("look", () => this.#table.look(group, until));
  }

  listSlots(): PromiseLike<readonly SlotRecord[]> {
    return this.#ask("listSlots", () => [...this.#table.slots.values()]);
  }

  /** Of everything but the ballot's writes: what fails rejects. */
  #ask<T>(name: string, act: () => T): PromiseLike<T> {
    const result = this.#table.queue.eventual<T>();
    this.#call(act, (called) => {
      if (called.kind === "answered") result.settle(called.value);
      else result.fail(portError(name, called.detail));
    });
    return result;
  }

  /** One item, whose reader decodes what is answered. */
  #askItem<T>(name: string, read: () => Item | null, decoded: (item: Item) => T): PromiseLike<T | null> {
    const result = this.#table.queue.eventual<T | null>();
    this.#call(read, (called) => settleItem(result, called, name, decoded));
    return result;
  }

  #call<T>(act: () => T, end: (called: Called<T>) => void): void {
    const deadline = this.#table.queue.now + TOTAL_MS;
    this.#try({ act, end, deadline, ended: false, tries: 0, ambiguous: false });
  }

  #try<T>(call: Call<T>): void {
    const { sandbox } = this.#user;
    const { queue } = this.#table;
    call.tries += 1;
    const tryNumber = call.tries;
    const isCurrent = () => !call.ended && call.tries === tryNumber;
    const timer = queue.after(Math.max(20, Math.min(TRY_TIMEOUT_MS, call.deadline - queue.now)), () =>
      sandbox.ring(() => {
        if (isCurrent()) this.#retry(call, true, "no answer in time");
      }),
    );
    const answer = (act: () => void) => {
      if (this.#dice.chance(this.#weather.lostAnswerRate)) return;
      queue.after(this.#back.latencyMs(), () => {
        if (this.#back.cut) return;
        sandbox.deliver(() => {
          if (!isCurrent()) return;
          timer.cancelled = true;
          act();
        });
      });
    };
    this.#send(call, answer);
  }

  #send<T>(call: Call<T>, answer: (act: () => void) => void): void {
    const { queue } = this.#table;
    const weather = this.#weather;
    const dice = this.#dice;
    const lost = dice.chance(weather.lostRequestRate);
    const late = dice.chance(weather.lateRate);
    const slowMs = dice.chance(weather.slowRate) ? dice.between(0, weather.slowMs) : 0;
    const delayMs = late ? dice.between(TRY_TIMEOUT_MS, weather.lateMs) : dice.between(...SERVICE_MS) + slowMs;
    const { id } = this.#table;
    queue.after(this.#there.latencyMs() + delayMs, () => {
      // What was sent to a table that is gone is carried out on no other.
      if (lost || this.#there.cut || this.#table.id !== id || this.#table.isAway) return;
      if (dice.chance(weather.throttleRate)) {
        answer(() => this.#retry(call, false, "ThrottlingException"));
        return;
      }
      const value = call.act();
      answer(() => finish(call, { kind: "answered", value, earlierAmbiguous: call.ambiguous }));
    });
  }

  #retry<T>(call: Call<T>, ambiguous: boolean, detail: string): void {
    const { queue } = this.#table;
    const pauseMs = this.#dice.between(...RETRY_PAUSE_MS) * call.tries;
    call.ambiguous ||= ambiguous;
    if (call.tries >= TRIES || queue.now + pauseMs + 20 > call.deadline) {
      finish(call, { kind: "failed", detail, mayHaveHappened: call.ambiguous });
      return;
    }
    queue.after(pauseMs, () => this.#user.sandbox.ring(() => this.#try(call)));
  }
}

function finish<T>(call: Call<T>, called: Called<T>): void {
  call.ended = true;
  call.end(called);
}

const portError = (name: string, detail: string): PortError => new PortError("group-store", name, detail);

function settleItem<T>(
  result: Eventual<T | null>,
  called: Called<Item | null>,
  name: string,
  decoded: (item: Item) => T,
): void {
  if (called.kind === "failed") {
    result.fail(portError(name, called.detail));
    return;
  }
  let record: T | null;
  try {
    record = called.value === null ? null : decoded(called.value);
  } catch (error) {
    if (!(error instanceof ValkeeperError)) throw error;
    result.fail(error);
    return;
  }
  result.settle(record);
}

/** What the adapter makes of an answer: a refusal after an unanswered try is no definite no. */
function outcomeOf(write: BallotWrite, called: Called<WriteResult>): WriteOutcome {
  if (called.kind === "failed") {
    const happened = called.mayHaveHappened ? "may have been carried out" : "not carried out";
    return { kind: "unknown", detail: `${write.name}: ${happened}: ${called.detail}` };
  }
  const result = called.value;
  try {
    switch (result.kind) {
      case "applied":
      case "echo":
        return { kind: "applied", ballot: decode(result.item) };
      case "invalid":
        return { kind: "unknown", detail: `${write.name}: ${result.detail}` };
      case "refused":
        if (called.earlierAmbiguous) {
          return { kind: "unknown", detail: `${write.name}: refused, but an earlier try of it was never answered` };
        }
        return { kind: "refused", ballot: result.item === null ? null : decode(result.item) };
    }
  } catch (error) {
    if (!(error instanceof ValkeeperError)) throw error;
    return { kind: "unknown", detail: `${write.name}: ${error.message}` };
  }
}
