// What is in force for a group, and how an epoch is spelled on a node, in the oracle's own words: docs/configuration.md and
// docs/protocol.md written down a second time, so that the engine's mistakes about either are not the oracle's too.

import type { GroupConfig } from "../../lib/core/config.ts";
import type { SpecRecord } from "../../lib/core/records.ts";
import type { Address, Epoch } from "../../lib/core/types.ts";
import { GROUP } from "./group.ts";
import type { World } from "./world.ts";

/** A changed declaration is in force everywhere. */
export const SPECS_READ_MS = 10_000;

type Setting =
  | (
      | "quorum"
      | "downAfterMs"
      | "probeTimeoutMs"
      | "voteWindowMs"
      | "leaseMs"
      | "stepTimeoutMs"
      | "failoverBudget"
      | "writeDead"
    )
  | ("onPossibleLoss" | "waitK" | "offsetToleranceBytes" | "coldStart" | "stopInstance");

/** The settings that a promise depends on. */
export type OracleConfig = Pick<GroupConfig, Setting>;

/** What is in force: as the table declares it, and not as the engine understands that. */
export function configOf(world: World): OracleConfig {
  const spec = world.table.specs.get(GROUP);
  if (spec === undefined) throw new Error("simulation: the group was removed");
  return settingsOf(spec);
}

/** Declared, under it the defaults, over it what was set at run time. */
export function settingsOf({ declared, overrides }: SpecRecord): OracleConfig {
  const set = Object.entries(overrides).map(([name, { value }]) => [name, value] as const);
  const given: Partial<OracleConfig> = { ...declared, ...Object.fromEntries(set) };
  const { downAfterMs = 5_000, onPossibleLoss = "promote" } = given;
  const { probeIntervalMs = Math.min(500, Math.floor(downAfterMs / 5)) } = given as Partial<GroupConfig>;
  return {
    quorum: given.quorum ?? 2,
    downAfterMs,
    probeTimeoutMs: given.probeTimeoutMs ?? Math.min(500, Math.floor(downAfterMs / 2)),
    voteWindowMs: given.voteWindowMs ?? Math.max(1_500, 3 * probeIntervalMs),
    leaseMs: given.leaseMs ?? 5_000,
    stepTimeoutMs: given.stepTimeoutMs ?? 10_000,
    // 0 is one failover for each node.
    failoverBudget: given.failoverBudget || declared.nodes.length,
    onPossibleLoss,
    waitK: given.waitK ?? 0,
    offsetToleranceBytes: given.offsetToleranceBytes ?? 0,
    coldStart: given.coldStart ?? (onPossibleLoss === "refuse" ? "wait" : "best"),
    stopInstance: given.stopInstance ?? "off",
    writeDead: given.writeDead ?? "failover",
  };
}

/** The epoch that a node which follows `address` was frozen under; null: it follows a node, or nobody. */
export function epochSpelledBy(address: Address | null): Epoch | null {
  if (address === null || address.port !== 1) return null;
  const parts = address.host.split(".");
  const bytes = parts.map(Number);
  const [loopback, high, middle, low] = bytes as [number, number, number, number];
  const isAddress = parts.every((part, index) => /^\d+$/.test(part) && (bytes[index] as number) <= 255);
  if (parts.length !== 4 || !isAddress || loopback !== 127) return null;
  return (high * 65_536 + middle * 256 + low) as Epoch;
}
