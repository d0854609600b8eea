// The oracle and the engine read the same declaration each in its own way: where they differ, one of them is wrong about
// docs/configuration.md.

import { describe, expect, it } from "vitest";
import { budgetOf, type DeclaredConfig } from "../../lib/core/config.ts";
import type { SpecRecord } from "../../lib/core/records.ts";
import { effectiveConfig } from "../../lib/core/spec.ts";
import { BOOT_FENCE, tokenAddress, tokenOf } from "../../lib/core/token.ts";
import { type Address, epoch, groupName, nodeId } from "../../lib/core/types.ts";
import { epochSpelledBy, settingsOf } from "./oracle-config.ts";
import { caseOf } from "./swarm.ts";

const node = (id: string) => ({ id: nodeId(id), host: id, port: 6_379, zone: "az-a", priority: null, announce: null });
const spec = (config: Partial<DeclaredConfig>, overrides: SpecRecord["overrides"] = {}): SpecRecord => ({
  schema: 1,
  group: groupName("main"),
  version: 1,
  owner: "cdk",
  declared: { name: groupName("main"), nodes: ["n1", "n2", "n3"].map(node), ...config },
  overrides,
  shard: 0,
});

const DECLARED: readonly Partial<DeclaredConfig>[] = [
  {},
  { downAfterMs: 501 },
  { downAfterMs: 20_000 },
  { probeIntervalMs: 900 },
  { downAfterMs: 30_000, probeIntervalMs: 2_000, probeTimeoutMs: 70, voteWindowMs: 9_000 },
  { onPossibleLoss: "refuse", waitK: 1 },
  { onPossibleLoss: "refuse", waitK: 2, coldStart: "best" },
  { failoverBudget: 7, stopInstance: "required", quorum: 3, leaseMs: 4_000, stepTimeoutMs: 2_000 },
  { offsetToleranceBytes: 512, coldStart: "wait" },
];

describe("what the oracle takes for declared", () => {
  const drawn = Array.from({ length: 200 }, (_, seed) => caseOf(String(seed)).world.config ?? {});

  it("is what is in force, whatever is declared and derived", () => {
    for (const config of [...DECLARED, ...drawn]) {
      const inForce = effectiveConfig(spec(config));
      expect({ ...inForce, failoverBudget: budgetOf(inForce) }).toMatchObject(settingsOf(spec(config)));
    }
  });

  it("is what was set at run time, over what was declared", () => {
    const downAfterMs = { value: 900, by: "me", at: 0, reason: "" } as never;
    expect(settingsOf(spec({ downAfterMs: 7_000 }, { downAfterMs }))).toMatchObject({
      downAfterMs: 900,
      probeTimeoutMs: 450,
    });
  });
});

describe("what the oracle takes for a token", () => {
  it.each([1, 2, 255, 256, 65_535, 65_536, 0xff_ff_ff])("is the address of epoch %i", (value) => {
    expect(epochSpelledBy(tokenAddress(epoch(value)))).toBe(value);
  });

  it.each<Address | null>([
    null,
    BOOT_FENCE,
    { host: "127.0.0.2", port: 6_379 },
    { host: "10.0.0.2", port: 1 },
    { host: "127.0.0.256", port: 1 },
    { host: "127.0.2", port: 1 },
    { host: "127.0.0.0.2", port: 1 },
    { host: "127.0..2", port: 1 },
    { host: "n1.internal", port: 1 },
  ])("is no other address: %j", (address) => {
    expect(epochSpelledBy(address)).toBe(tokenOf(address));
  });
});
