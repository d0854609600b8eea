// The table. Reads reject with `PortError` (or `RecordFormatError`); conditional writes resolve to what is known.

import type { Ballot } from "../core/ballot.ts";
import type { BallotWrite, WriteOutcome } from "../core/ballot-write.ts";
import type {
  HistoryRecord,
  NotedConditions,
  Publication,
  PublishedCopies,
  RequestRecord,
  RequestResult,
  SlotRecord,
  SpecRecord,
} from "../core/records.ts";
import type { GroupName, VoterId, WallTime } from "../core/types.ts";

/** What one batched, eventually consistent read of many groups returns; null: no such item. */
export interface GroupGlance {
  readonly ballot: Ballot | null;
  readonly request: RequestRecord | null;
  /** Why the ballot could not be decoded; the group is held still. */
  readonly unreadable: string | null;
}

/** Everything that was declared. */
export interface SpecList {
  readonly specs: readonly SpecRecord[];
  /** Groups whose spec is there and cannot be decoded: no reason to act as if it were gone. */
  readonly damaged: readonly GroupName[];
}

/** What a voter's invocation needs of the table. */
export interface GroupStore {
  /** Identity of the table (its TableId): ballots written for another are only observed. */
  tableId(): PromiseLike<string>;
  /** One group's damaged spec hides no other's. */
  listSpecs(): PromiseLike<SpecList>;
  /** Eventually consistent, batched. */
  glance(groups: readonly GroupName[]): PromiseLike<ReadonlyMap<GroupName, GroupGlance>>;
  /** Strongly consistent; null when there is none. */
  readBallot(group: GroupName): PromiseLike<Ballot | null>;
  /** One conditional update of the ballot; a refusal whose item carries our attempt id resolves as `applied`. Never rejects. */
  writeBallot(write: BallotWrite): PromiseLike<WriteOutcome>;
  /** Strongly consistent; null when there is none. */
  readRequest(group: GroupName): PromiseLike<RequestRecord | null>;
  /** Sets the result of the request with this id unless it has one or was superseded: false, the first word stays. */
  resolveRequest(group: GroupName, id: string, result: RequestResult): PromiseLike<boolean>;
  appendHistory(records: readonly HistoryRecord[]): PromiseLike<void>;
  /** Takes the next generation of the slot by conditional writes: larger than every one before of this voter, in any shard. */
  takeSlot(voter: VoterId, shard: number, owner: string, at: WallTime): PromiseLike<SlotRecord>;
  readSlot(voter: VoterId, shard: number): PromiseLike<SlotRecord | null>;
  /** False when a higher generation has taken the slot. */
  writeSlot(slot: SlotRecord): PromiseLike<boolean>;
}

/** What publishers need of the table. */
export interface PublicationStore {
  readPublication(group: GroupName): PromiseLike<Publication | null>;
  /** Written only over a smaller (epoch, revision); false: a larger or equal one stands. */
  writePublication(publication: Publication): PromiseLike<boolean>;
  readCopies(group: GroupName): PromiseLike<PublishedCopies>;
  /** A copy that is confirmed takes its failure away. */
  writeCopies(group: GroupName, copies: Partial<PublishedCopies>): PromiseLike<void>;
}

/** What is needed to note what is wrong with a group. */
export interface ConditionStore extends Pick<PublicationStore, "readCopies"> {
  /** Over those that were written at `before` (null: none ever were); false: somebody has written since. */
  writeConditions(group: GroupName, conditions: NotedConditions, before: WallTime | null): PromiseLike<boolean>;
}

/** What operators' commands need beside that. */
export interface OperatorStore extends GroupStore, PublicationStore {
  readSpec(group: GroupName): PromiseLike<SpecRecord | null>;
  /** Conditional on `expectedVersion` (0: must not exist); false when another edit won. */
  writeSpec(spec: SpecRecord, expectedVersion: number): PromiseLike<boolean>;
  removeGroup(group: GroupName): PromiseLike<void>;
  /** Refused (false) while another unexpired request has no result. */
  writeRequest(group: GroupName, request: RequestRecord, at: WallTime): PromiseLike<boolean>;
  readHistory(
    group: GroupName,
    options: { readonly limit: number; readonly after?: string; readonly newestFirst: boolean },
  ): PromiseLike<readonly HistoryRecord[]>;
  /** Voters write what they see with the next tick until then. */
  look(group: GroupName, until: WallTime): PromiseLike<void>;
  listSlots(): PromiseLike<readonly SlotRecord[]>;
}
