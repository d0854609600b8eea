// The operators' port on a few maps: what the commands read is put there by a test, what they write is read there. The
// ballot's conditional writes are interpreted as the real table does.

import type { Ballot } from "../../lib/core/ballot.ts";
import { decodeBallot, encodeBallot } from "../../lib/core/ballot-format.ts";
import { type BallotWrite, interpret, type WriteOutcome } from "../../lib/core/ballot-write.ts";
import type {
  HistoryRecord,
  Publication,
  PublishedCopies,
  RequestRecord,
  SlotRecord,
  SpecRecord,
} from "../../lib/core/records.ts";
import type { GroupName, WallTime } from "../../lib/core/types.ts";
import type { GroupGlance, OperatorStore } from "../../lib/ports/group-store.ts";

const unused = (name: string) => () => Promise.reject(new Error(`no command calls ${name}`));

export class MemoryStore implements OperatorStore {
  readonly specs = new Map<GroupName, SpecRecord>();
  readonly ballots = new Map<GroupName, Ballot>();
  readonly requests = new Map<GroupName, RequestRecord>();
  readonly publications = new Map<GroupName, Publication>();
  readonly copies = new Map<GroupName, PublishedCopies>();
  readonly history: HistoryRecord[] = [];
  readonly removed: GroupName[] = [];
  readonly looks: WallTime[] = [];
  slots: SlotRecord[] = [];
  table = "table-1";
  /** Thrown by every read: the table is away. */
  failure: Error | null = null;
  /** Called before a ballot is written: what another operator does in that moment. */
  beforeWrite: () => void = () => undefined;
  /** Called on every look: what voters write then. */
  onLook: () => void = () => undefined;

  #answer<T>(value: T): Promise<T> {
    return this.failure === null ? Promise.resolve(value) : Promise.reject(this.failure);
  }

  tableId = () => this.#answer(this.table);
  listSpecs = () => this.#answer({ specs: [...this.specs.values()], damaged: [] });
  readSpec = (group: GroupName) => this.#answer(this.specs.get(group) ?? null);
  listSlots = () => this.#answer(this.slots);
  readPublication = (group: GroupName) => this.#answer(this.publications.get(group) ?? null);
  readCopies = (group: GroupName) => this.#answer(this.copies.get(group) ?? { ssm: null, dns: null });
  readRequest = (group: GroupName) => this.#answer(this.requests.get(group) ?? null);
  readBallot = (group: GroupName) => this.#answer(this.ballots.get(group) ?? null);

  glance(groups: readonly GroupName[]): Promise<ReadonlyMap<GroupName, GroupGlance>> {
    const glances = groups.map((group): [GroupName, GroupGlance] => [
      group,
      { ballot: this.ballots.get(group) ?? null, request: this.requests.get(group) ?? null, unreadable: null },
    ]);
    return this.#answer(new Map(glances));
  }

  writeBallot(write: BallotWrite): Promise<WriteOutcome> {
    this.beforeWrite();
    const ballot = this.ballots.get(write.group);
    const { applied, item } = interpret(ballot === undefined ? null : encodeBallot(ballot), write);
    const after = item === null ? null : decodeBallot(item);
    if (applied && after !== null) {
      this.ballots.set(write.group, after);
      return Promise.resolve({ kind: "applied", ballot: after });
    }
    return Promise.resolve({ kind: "refused", ballot: after });
  }

  writeSpec(spec: SpecRecord, expectedVersion: number): Promise<boolean> {
    if ((this.specs.get(spec.group)?.version ?? 0) !== expectedVersion) return Promise.resolve(false);
    this.specs.set(spec.group, spec);
    return Promise.resolve(true);
  }

  removeGroup(group: GroupName): Promise<void> {
    this.removed.push(group);
    this.specs.delete(group);
    return Promise.resolve();
  }

  writeRequest(group: GroupName, request: RequestRecord, at: WallTime): Promise<boolean> {
    const standing = this.requests.get(group);
    if (standing !== undefined && standing.result === null && standing.expiresAt > at) return Promise.resolve(false);
    this.requests.set(group, request);
    return Promise.resolve(true);
  }

  readHistory(
    group: GroupName,
    options: Parameters<OperatorStore["readHistory"]>[1],
  ): Promise<readonly HistoryRecord[]> {
    const own = this.history.filter((record) => record.group === group).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const ordered = options.newestFirst ? own.toReversed() : own;
    return this.#answer(ordered.slice(0, options.limit));
  }

  look(_group: GroupName, until: WallTime): Promise<void> {
    this.looks.push(until);
    this.onLook();
    return this.#answer(undefined);
  }

  resolveRequest = unused("resolveRequest");
  appendHistory = unused("appendHistory");
  takeSlot = unused("takeSlot");
  readSlot = unused("readSlot");
  writeSlot = unused("writeSlot");
  writePublication = unused("writePublication");
  writeCopies = unused("writeCopies");
}
