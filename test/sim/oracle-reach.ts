// Who could say what to whom, in time: what a promise may ask of a voter is what its world lets it do (protocol.md, section 2).

import type { VoterFunction } from "./lambda.ts";
import type { Path, Place } from "./network.ts";
import { configOf } from "./oracle-config.ts";
import { STORE_PLACE, TRY_TIMEOUT_MS } from "./store.ts";
import type { SimNode } from "./valkey.ts";
import type { World } from "./world.ts";

/** Beyond the usual time of two packets: their jitter, and what serves them. */
const MARGIN_MS = 10;

export const pathsBetween = ({ network }: World, one: Place, other: Place): readonly Path[] => [
  network.path(one, other),
  network.path(other, one),
];

export const roundTripMs = (paths: readonly Path[]): number =>
  paths.reduce((sum, { usualMs }) => sum + usualMs, MARGIN_MS);

/** A probe on a new connection takes two round trips. */
const isQuickEnough = (world: World, paths: readonly Path[]): boolean =>
  2 * roundTripMs(paths) <= configOf(world).probeTimeoutMs;

export const awakeOf = ({ invocations }: VoterFunction): readonly string[] =>
  [...invocations].filter(({ sandbox }) => sandbox.alive && !sandbox.frozen).map(({ name }) => name);

/** It runs, and it and the table can say everything to each other in time. */
export function reachesTable(world: World, voter: VoterFunction): boolean {
  if (awakeOf(voter).length === 0 || world.storeWeather.lostRequestRate >= 0.5) return false;
  const paths = pathsBetween(world, voter.options.place, STORE_PLACE);
  return paths.every(({ cut }) => !cut) && roundTripMs(paths) <= TRY_TIMEOUT_MS;
}

/** So can it and the node, and it reaches the table. */
export function reaches(world: World, voter: VoterFunction, node: SimNode): boolean {
  const paths = pathsBetween(world, voter.options.place, node.place);
  return reachesTable(world, voter) && paths.every(({ cut }) => !cut) && isQuickEnough(world, paths);
}
