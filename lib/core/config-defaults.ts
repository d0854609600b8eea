// What holds for a setting that nobody gave? A default that fits the settings that were given. Most defaults are plain
// figures (`DEFAULTS`); those below are derived, so that `downAfterMs: 500` alone, or five voters, or
// `onPossibleLoss: "refuse"`, is a complete and valid configuration. A derived default never overrides a given value,
// and `config-check.ts` judges given and derived values by the same relations. docs/configuration.md repeats the rules.

import type { DeclaredConfig, GroupConfig } from "./config.ts";
import { DEFAULTS } from "./config.ts";

/** Majority of `voters`: two halves of them can never both have it. */
export const majority = (voters: number): number => Math.floor(voters / 2) + 1;

/** `declared` with every setting that it leaves out. Looks at no relation: `checkConfig` does. */
export function completeConfig(declared: DeclaredConfig): GroupConfig {
  const downAfterMs = declared.downAfterMs ?? DEFAULTS.downAfterMs;
  const probeIntervalMs = declared.probeIntervalMs ?? defaultProbeIntervalMs(downAfterMs);
  return {
    ...DEFAULTS,
    // Two attempts fit into the bound, so that one lost packet is not yet a verdict.
    probeTimeoutMs: atMostHalf(DEFAULTS.probeTimeoutMs, downAfterMs),
    refusedAfterMs: atMostHalf(DEFAULTS.refusedAfterMs, downAfterMs),
    writeHoldAfterMs: defaultWriteHoldAfterMs(downAfterMs, probeIntervalMs),
    // The override of a witness needs all zones for clearly longer than one verdict takes.
    unreachableAfterMs: Math.max(DEFAULTS.unreachableAfterMs, 3 * downAfterMs),
    // A vote is re-affirmed every tick: three of them may be late before a standing vote looks stale.
    voteWindowMs: Math.max(DEFAULTS.voteWindowMs, 3 * probeIntervalMs),
    // With every node read nobody can have more data; who refuses possible loss wants a person to look all the same.
    coldStart: declared.onPossibleLoss === "refuse" ? "wait" : DEFAULTS.coldStart,
    ...declared,
    downAfterMs,
    probeIntervalMs,
  };
}

/** Five probes within the bound: a verdict never rests on one probe's bad luck. */
const defaultProbeIntervalMs = (downAfterMs: number): number =>
  Math.min(DEFAULTS.probeIntervalMs, Math.floor(downAfterMs / 5));

/**
 * The silence between two probes is none: each voter would suspect a healthy primary, and write it down, again and again.
 * Off where the bound leaves no room for more than that.
 */
function defaultWriteHoldAfterMs(downAfterMs: number, probeIntervalMs: number): number {
  const afterMs = atMostHalf(Math.max(DEFAULTS.writeHoldAfterMs, Math.ceil(1.5 * probeIntervalMs)), downAfterMs);
  return afterMs > probeIntervalMs ? afterMs : 0;
}

const atMostHalf = (ms: number, ofMs: number): number => Math.min(ms, Math.floor(ofMs / 2));
