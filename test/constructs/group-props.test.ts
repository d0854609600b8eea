// What an app may say of a group is what core accepts, and the defaults beside it are core's.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ValkeyGroupProps } from "../../lib/constructs/group-props.ts";
import { DEFAULTS, type DeclaredConfig } from "../../lib/core/config.ts";
import { NUMBERS, SETTINGS, WORDS } from "../../lib/core/config-bounds.ts";
import { completeConfig } from "../../lib/core/config-defaults.ts";
import { group, issuesOf, synthesize } from "./failover-stack.ts";

/** The compiler refuses a property that is not here, and one that is here alone. */
const PROPERTIES: Readonly<Record<keyof ValkeyGroupProps, true>> = {
  name: true,
  nodes: true,
  primary: true,
  credentials: true,
  tls: true,
  recordName: true,
  readersRecordName: true,
  quorum: true,
  downAfterMs: true,
  refusedAfterMs: true,
  writeHoldAfterMs: true,
  unreachableAfterMs: true,
  loadingLimitMs: true,
  busyLimitMs: true,
  probeIntervalMs: true,
  probeTimeoutMs: true,
  watchIntervalMs: true,
  heartbeatMs: true,
  voteWindowMs: true,
  freezeWaitMs: true,
  leaseMs: true,
  stepTimeoutMs: true,
  parallelSyncs: true,
  maxLinkDownMs: true,
  offsetToleranceBytes: true,
  onPossibleLoss: true,
  waitK: true,
  coldStart: true,
  writeDead: true,
  stopInstance: true,
  minReplicasToWrite: true,
  failoverBudget: true,
  armAfterMs: true,
  mode: true,
};

/** The construct's, once for all groups; a group has its names in it. */
const PUBLICATION = ["publication"];
const RECORD_NAMES = ["recordName", "readersRecordName"];

type Simple = keyof typeof NUMBERS | keyof typeof WORDS;
const SIMPLE = [...Object.keys(NUMBERS), ...Object.keys(WORDS)] as Simple[];

/** Of each property, by its name. */
const DEFAULT_TEXTS = new Map(
  [
    ...(readFileSync("lib/constructs/group-props.ts", "utf8")
      .split("export interface ValkeyGroupProps")[1]
      ?.matchAll(/@default (?<said>.+?)(?: \*\/)?\n(?: +\*\/\n)? +readonly (?<name>\w+)\?/g) ?? []),
  ].map(({ groups }) => [groups?.["name"], groups?.["said"]]),
);

/** Settings whose default another setting decides. The majority of the voters is nobody's setting. */
function derived(): ReadonlySet<string> {
  const bare = { name: "g", nodes: [] } as unknown as DeclaredConfig;
  const given: readonly Partial<DeclaredConfig>[] = [
    { downAfterMs: 500 },
    { downAfterMs: 60_000 },
    { probeIntervalMs: 5_000 },
    { onPossibleLoss: "refuse" },
  ];
  return new Set(
    given.flatMap((each) => {
      const complete = completeConfig({ ...bare, ...each });
      return SIMPLE.filter((name) => !(name in each) && complete[name] !== DEFAULTS[name]);
    }),
  );
}

describe("a group's properties", () => {
  it("are the settings that core accepts, each of them", () => {
    const names = Object.keys(PROPERTIES).filter((name) => !RECORD_NAMES.includes(name));
    expect(names.toSorted()).toEqual(SETTINGS.filter((name) => !PUBLICATION.includes(name)).toSorted());
  });

  it("say the default that core has, and of one that is derived what from", () => {
    const isDerived = derived();
    expect([...isDerived].toSorted()).toEqual([
      "coldStart",
      "probeIntervalMs",
      "probeTimeoutMs",
      "refusedAfterMs",
      "unreachableAfterMs",
      "voteWindowMs",
      "writeHoldAfterMs",
    ]);
    const inWords = new Set(["quorum", "maxLinkDownMs", "failoverBudget"]);
    for (const name of SIMPLE) {
      const said = DEFAULT_TEXTS.get(name);
      const value = JSON.stringify(DEFAULTS[name]);
      if (isDerived.has(name)) expect(said, name).toMatch(new RegExp(`^- ${value}[,;] .*\`\\w+\``));
      else if (inWords.has(name)) expect(said, name).toMatch(/^- /);
      else expect(said, name).toBe(value);
    }
  });

  it("may ask for the stop of a host, where the deployment has a stopper", () => {
    const groups: ValkeyGroupProps[] = [{ ...group, stopInstance: "best-effort" }];
    const { template } = synthesize(() => ({ groups, hostStopping: {} }));
    const [resource] = Object.values(template.findResources("Custom::ValkeyGroup"));
    expect(JSON.parse(resource?.["Properties"].Declaration)).toMatchObject({ stopInstance: "best-effort" });
    expect(issuesOf(() => ({ groups }))).toEqual([
      'group mymaster: stopInstance "best-effort" needs something that stops hosts, and this deployment has none: ' +
        'give it hostStopping, or use "off"',
    ]);
  });
});
