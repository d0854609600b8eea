// Where each record lives in the one table (`pk`, `sk`), as lib/core/records.ts documents it.

import type { GroupName, VoterId } from "../../core/types.ts";

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

const groupPartition = (group: GroupName): string => `group#${group}`;
const publishedPartition = (group: GroupName): string => `published#${group}`;

/** One partition lists every group's spec. */
export const SPEC_PARTITION = "groups";
export const EVENT_PREFIX = "event#";
/** One partition lists every slot there ever was: slots are spread over partitions and a scan would read the history. */
export const SLOT_DIRECTORY = "voters";

export const specKey = (group: GroupName): Key => ({ pk: SPEC_PARTITION, sk: group });
export const ballotKey = (group: GroupName): Key => ({ pk: groupPartition(group), sk: "ballot" });
export const requestKey = (group: GroupName): Key => ({ pk: groupPartition(group), sk: "request" });
export const eventKey = (group: GroupName, id: string): Key => ({ pk: groupPartition(group), sk: id });
export const publicationKey = (group: GroupName): Key => ({ pk: publishedPartition(group), sk: "primary" });
export const copiesKey = (group: GroupName): Key => ({ pk: publishedPartition(group), sk: "copies" });

const slotName = (voter: VoterId, shard: number): string => `${voter}#${shard}`;
export const slotKey = (voter: VoterId, shard: number): Key => ({ pk: `voter#${slotName(voter, shard)}`, sk: "slot" });
export const slotEntryKey = (voter: VoterId, shard: number): Key => ({
  pk: SLOT_DIRECTORY,
  sk: slotName(voter, shard),
});
/** What numbers the invocations of all shards of a voter; below the voter's own prefix, where it may write. */
export const generationKey = (voter: VoterId): Key => ({ pk: `voter#${voter}#generation`, sk: "last" });
/** The slot that a directory entry names. */
export const slotKeyOf = (entry: string): Key => ({ pk: `voter#${entry}`, sk: "slot" });
