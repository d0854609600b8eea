// What is known of a group at one moment, read from the table alone. Everything that commands print is computed from
// this by pure functions.

import type { Ballot } from "../core/ballot.ts";
import { closestName } from "../core/closest-name.ts";
import type { GroupConfig } from "../core/config.ts";
import { RecordFormatError } from "../core/errors.ts";
import { servedShards } from "../core/placement.ts";
import type {
  Publication,
  PublishedCopies,
  RequestRecord,
  SlotRecord,
  SpecRecord,
  VoterGroupView,
} from "../core/records.ts";
import { effectiveConfig } from "../core/spec.ts";
import { type GroupName, groupName, type VoterId, type WallTime } from "../core/types.ts";
import type { OperatorStore } from "../ports/group-store.ts";
import { usage } from "./failure.ts";

export interface VoterSnapshot {
  readonly voter: VoterId;
  readonly heartbeatAgeMs: number;
  /** Heard within three heartbeats; in economy mode within three of its rounds. */
  readonly isAlive: boolean;
  /** In economy mode: all was well, and it looks again so long after the heartbeat. Null: it watches. */
  readonly restsMs: number | null;
  /** What it sees of the group; null when it has not written it. */
  readonly view: VoterGroupView | null;
  /** Null without a view. */
  readonly viewAgeMs: number | null;
}

export interface GroupSnapshot {
  readonly at: WallTime;
  readonly spec: SpecRecord;
  readonly config: GroupConfig;
  readonly ballot: Ballot | null;
  /** Why the ballot cannot be read. */
  readonly unreadable: string | null;
  /** The ballot was written for another table: a restored copy. */
  readonly isForeign: boolean;
  readonly request: RequestRecord | null;
  readonly publication: Publication | null;
  readonly copies: PublishedCopies;
  /** Of its shard. */
  readonly voters: readonly VoterSnapshot[];
  /** The shards that have voters. */
  readonly servedShards: readonly number[];
}

/** Specs of `name`, or of every group. Throws, naming the known groups, when there is none of that name. */
export async function specsOf(store: OperatorStore, name: string | undefined): Promise<readonly SpecRecord[]> {
  const { specs } = await store.listSpecs();
  const sorted = specs.toSorted((a, b) => (a.group < b.group ? -1 : 1));
  return name === undefined ? sorted : [named(sorted, name)];
}

/** Consistently, for whoever changes it; a damaged or newer record is said to be one. */
export const specOf = async (store: OperatorStore, name: string): Promise<SpecRecord> =>
  (await store.readSpec(groupName(name))) ?? named((await store.listSpecs()).specs, name);

function named(specs: readonly SpecRecord[], name: string): SpecRecord {
  const found = specs.find((spec) => spec.group === name);
  if (found !== undefined) return found;
  const known = specs.map((spec) => spec.group).toSorted();
  if (known.length === 0) {
    throw usage(
      `there is no group ${JSON.stringify(name)}: none is registered in this table yet, see \`valkeeper groups add --help\``,
    );
  }
  const near = closestName(name, known);
  throw usage(
    `there is no group ${JSON.stringify(name)}: ${near === null ? `there are ${known.join(", ")}` : `did you mean ${near}? There are ${known.join(", ")}`}`,
  );
}

/** Reads everything of `specs` at once. */
export async function readSnapshots(
  store: OperatorStore,
  specs: readonly SpecRecord[],
  at: WallTime,
): Promise<readonly GroupSnapshot[]> {
  const [slots, table, glances, groups] = await Promise.all([
    store.listSlots(),
    store.tableId(),
    store.glance(specs.map((spec) => spec.group)),
    Promise.all(specs.map(async (spec) => ({ spec, read: await readGroup(store, spec.group) }))),
  ]);
  const { served } = servedShards(slots, at);
  return groups.map(({ spec, read }) => {
    const ofShard = slots.filter((slot) => slot.shard === spec.shard);
    const config = effectiveConfig(spec);
    return {
      at,
      spec,
      config,
      ...read,
      isForeign: read.ballot !== null && read.ballot.table !== table,
      request: glances.get(spec.group)?.request ?? null,
      voters: votersOf(ofShard, { group: spec.group, heartbeatMs: config.heartbeatMs, at }),
      servedShards: served,
    };
  });
}

async function readGroup(store: OperatorStore, group: GroupName) {
  const [ballot, publication, copies] = await Promise.all([
    readable(store, group),
    store.readPublication(group),
    store.readCopies(group),
  ]);
  return { ...ballot, publication, copies };
}

/** A damaged or newer record of one group must not hide the others. */
async function readable(
  store: OperatorStore,
  group: GroupName,
): Promise<{ readonly ballot: Ballot | null; readonly unreadable: string | null }> {
  try {
    return { ballot: await store.readBallot(group), unreadable: null };
  } catch (error) {
    if (!(error instanceof RecordFormatError)) throw error;
    return { ballot: null, unreadable: error.message };
  }
}

/** Ages are never negative: a voter's wall clock may be ahead of ours. */
export function votersOf(
  slots: readonly SlotRecord[],
  of: { readonly group: GroupName; readonly heartbeatMs: number; readonly at: WallTime },
): readonly VoterSnapshot[] {
  return slots
    .map((slot) => {
      const view = slot.groups[of.group] ?? null;
      const heartbeatAgeMs = Math.max(0, of.at - slot.heartbeatAt);
      return {
        voter: slot.voter,
        heartbeatAgeMs,
        isAlive: heartbeatAgeMs <= 3 * (slot.restsMs ?? of.heartbeatMs),
        restsMs: slot.restsMs,
        view,
        viewAgeMs: view === null ? null : Math.max(0, of.at - view.at),
      };
    })
    .toSorted((a, b) => (a.voter < b.voter ? -1 : 1));
}
