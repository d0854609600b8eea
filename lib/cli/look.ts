// How is it known that what is shown is of now? A look mark in the table makes every voter write what it sees with its
// next tick. Whether a slot was written since is told by its having changed, never by comparing clocks of two machines.

import { PortError } from "../core/errors.ts";
import type { SlotRecord, SpecRecord } from "../core/records.ts";
import { type GroupName, type WallTime, wallTime } from "../core/types.ts";
import type { Call } from "./environment.ts";
import { patienceOf } from "./patience.ts";
import { type GroupSnapshot, readSnapshots } from "./snapshot.ts";

/** The mark lapses by itself. */
const LOOK_MS = 30_000;
const LOOK_AGAIN_MS = 10_000;
/** Voters read the mark within their watch interval and answer with the next tick. */
const FRESH_WAIT_MS = 2_000;
const POLL_MS = 150;
/** A voter that was not heard for this long is not waited for. */
const SILENT_MS = 15_000;

/** Snapshots as fresh as the voters make them within two seconds. Those that rest are not waited for. */
export async function freshSnapshots(call: Call, specs: readonly SpecRecord[]): Promise<readonly GroupSnapshot[]> {
  await lookAt(call, specs);
  await answered(call, specs);
  return readSnapshots(call.store, specs, call.environment.wallTime());
}

/**
 * Makes the voters watch for an order: those that are looked at glance at the group ten times as often, so that it is
 * taken up at once. Where the table does not take the mark the order is written all the same, and taken up a second later.
 * Resolves with how long the voters rest if they all do: the order waits for the next of them.
 */
export async function announceOrder(call: Call, spec: SpecRecord): Promise<number | null> {
  try {
    await lookAt(call, [spec]);
    await answered(call, [spec]);
    return restOf(slotsFor(await call.store.listSlots(), [spec]));
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return null;
  }
}

async function lookAt(call: Call, specs: readonly SpecRecord[]): Promise<void> {
  const until = wallTime(call.environment.wallTime() + LOOK_MS);
  await Promise.all(specs.map((spec) => call.store.look(spec.group, until)));
}

async function answered(call: Call, specs: readonly SpecRecord[]): Promise<void> {
  const { environment, store } = call;
  const groups = specs.map((spec) => spec.group);
  const deadline = environment.wallTime() + FRESH_WAIT_MS;
  const isHeard = (slot: SlotRecord): boolean =>
    slot.restsMs === null && environment.wallTime() - slot.heartbeatAt <= SILENT_MS;
  const slots = slotsFor(await store.listSlots(), specs);
  if (restOf(slots) !== null) return;
  const before = written(slots, groups);
  while (environment.wallTime() < deadline && !environment.interrupted.aborted) {
    await environment.pause(POLL_MS);
    const now = written(slotsFor(await store.listSlots(), specs).filter(isHeard), groups);
    if (now.length > 0 && now.every((stamp) => !before.includes(stamp))) return;
  }
}

/** Of the shards that serve them: what voters of others do is of no account, and a shard may be long gone. */
const slotsFor = (slots: readonly SlotRecord[], specs: readonly SpecRecord[]): readonly SlotRecord[] =>
  slots.filter((slot) => specs.some((spec) => spec.shard === slot.shard));

/** All voters rest, and look again after so long (economy mode); null: one watches, or there is none. */
export const restOf = (slots: readonly SlotRecord[]): number | null =>
  slots.length > 0 && slots.every((slot) => slot.restsMs !== null)
    ? Math.max(...slots.map((slot) => slot.restsMs ?? 0))
    : null;

/** One stamp per voter and group, which changes when the voter writes what it sees. */
const written = (slots: readonly SlotRecord[], groups: readonly GroupName[]): readonly string[] =>
  slots.flatMap((slot) =>
    groups.map((group) => `${slot.voter} ${group} ${slot.generation} ${slot.groups[group]?.at ?? "none"}`),
  );

/** Calls `show` with new snapshots every `everyMs` until interrupted. The mark is renewed before it lapses. */
export async function keepLooking(
  call: Call,
  specs: () => Promise<readonly SpecRecord[]>,
  show: (snapshots: readonly GroupSnapshot[]) => void,
  everyMs: number,
): Promise<void> {
  const { environment, store } = call;
  const patience = patienceOf(call);
  let lookedAt: WallTime | null = null;
  const lookOnce = async (): Promise<readonly GroupSnapshot[]> => {
    const current = await specs();
    const now = environment.wallTime();
    if (lookedAt === null || now - lookedAt >= LOOK_AGAIN_MS) {
      await lookAt(call, current);
      lookedAt = now;
    }
    return readSnapshots(store, current, environment.wallTime());
  };
  // A table that never answered is a mistake to be told of; one that did is waited for.
  show(await lookOnce());
  while (!environment.interrupted.aborted) {
    await environment.pause(everyMs);
    const snapshots = environment.interrupted.aborted ? null : await patience.ask(lookOnce);
    if (snapshots !== null) show(snapshots);
  }
}
