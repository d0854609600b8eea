// What each relation looks at, and the figures at which relations, bounds and patterns begin to hold.

import { describe, expect, it } from "vitest";
import { isIpAddress } from "../../lib/core/address-format.ts";
import type { GroupConfig } from "../../lib/core/config.ts";
import { checkConfig } from "../../lib/core/config-check.ts";
import { RELATIONS } from "../../lib/core/config-relations.ts";
import { nodeId } from "../../lib/core/types.ts";
import { config, NODES, node, VOTERS } from "./builders.ts";
import { issuesOf, threeVoters } from "./config-issues.ts";

const nodes = [1, 2, 3].map((n) => ({ id: `n${n}`, host: `10.0.0.${n}` }));
const withSettings = (settings: object) => issuesOf({ name: "g", nodes, ...settings });

describe("a relation", () => {
  const dns = { hostedZoneId: "Z1", name: "a.example", readersName: "b.example", ttlSeconds: 5 };
  const quiet = config();
  const wrong = {
    ...config({ onPossibleLoss: "refuse", waitK: 0, offsetToleranceBytes: 5, stopInstance: "required" }),
    nodes: NODES.map((id) => ({ ...node(id), host: `${id}.example` })),
    primary: nodeId("n9"),
    tls: { enabled: false, ca: "x", serverName: null },
    publication: { parameterPrefix: "/p", dns },
    ...{ probeTimeoutMs: 20_000, refusedAfterMs: 20_000, writeHoldAfterMs: 20_000, unreachableAfterMs: 1 },
    ...{ voteWindowMs: 1, probeIntervalMs: 19_000, leaseMs: 1, stepTimeoutMs: 1 },
  } as GroupConfig;

  it.each(RELATIONS.map((relation, index) => [index, relation] as const))("%i names all that it looks at", (_, of) => {
    const seen = new Set<string>();
    for (const each of [quiet, wrong]) {
      const watched = new Proxy(each, {
        get: (target, name) => {
          seen.add(String(name));
          return target[name as keyof GroupConfig];
        },
      });
      const say = (name: keyof GroupConfig) => `${name} ${JSON.stringify(watched[name])}`;
      of.issue(watched, { voters: VOTERS, hasStopper: false, say, isUnresolved: () => false });
    }
    expect([...seen].toSorted()).toEqual([...of.of].toSorted());
  });

  it("holds at its very figure", () => {
    expect(withSettings({ probeTimeoutMs: 5_000, downAfterMs: 5_000, freezeWaitMs: 10 })).toEqual([]);
    expect(withSettings({ offsetToleranceBytes: 5 })).toEqual([]);
    const tick = checkConfig({ name: "g", nodes }, threeVoters).probeIntervalMs;
    expect(withSettings({ voteWindowMs: 2 * tick })).toEqual([]);
    expect(withSettings({ voteWindowMs: 2 * tick - 1 })).toHaveLength(1);
    expect(withSettings({ stopInstance: "best-effort" })).toEqual([]);
  });

  it("is looked at only when what it looks at can be read", () => {
    expect(issuesOf({ name: "g", primary: "n1" })).toHaveLength(1);
  });

  it("has the write hold off where nothing is left between two probes and half of the bound", () => {
    const { writeHoldAfterMs } = checkConfig(
      { name: "g", nodes, probeIntervalMs: 500, downAfterMs: 1_000 },
      threeVoters,
    );
    expect(writeHoldAfterMs).toBe(0);
  });
});

describe("what is named", () => {
  it.each([
    ["quorum", "from 1 to 15 votes"],
    ["minReplicasToWrite", "from 0 to 31 replicas"],
    ["failoverBudget", "from 0 to 100 failovers"],
  ])("%s should be %s", (name, bounds) => {
    expect(withSettings({ [name]: 999 })).toEqual([`${name} should be ${bounds} and is 999`]);
  });

  it.each([
    ["parallel-syncs", "parallelSyncs"],
    ["auth-user", "credentials"],
    ["auth-pass", "credentials"],
    ["primary-reboot-down-after-period", "loadingLimitMs"],
    ["master-reboot-down-after-period", "loadingLimitMs"],
    ["replicas", "nodes"],
    ["master", "primary"],
  ])("%s is asked back as %s", (given, meant) => {
    expect(withSettings({ [given]: 1 })).toEqual([`the group has no setting "${given}": did you mean ${meant}?`]);
  });

  it.each([" g", "g ", "-g", ""])("a group is not called %j", (name) => {
    const what = "1 to 63 letters, digits, -, _ and ., beginning with a letter or digit,";
    expect(issuesOf({ name, nodes })).toEqual([`name should be ${what} and is ${JSON.stringify(name)}`]);
  });

  it("a node without a name is known by its place, and two of them are not one", () => {
    const without = { host: "10.0.0.9" };
    const [first, ...others] = issuesOf({ name: "g", nodes: [{ ...without, port: 0 }, { host: "10.0.0.8" }] });
    expect(first).toMatch(/^nodes\[0\]\.id should be /);
    expect(others[0]).toMatch(/^nodes\[0\]\.port should be /);
    expect(others).toHaveLength(2);
    expect(issuesOf({ name: "g", nodes: [7] })).toEqual([expect.stringMatching(/^nodes\[0\] should be a map/)]);
  });

  it("a host is a text, also where texts are not known yet", () => {
    const unresolved = { ...threeVoters, isUnresolved: () => true };
    expect(issuesOf({ name: "g", nodes: [{ id: "n1", host: 7 }] }, unresolved)).toHaveLength(1);
  });

  it("an address ends with 255 at most", () => {
    expect(["10.0.0.255", "10.0.0.256"].map(isIpAddress)).toEqual([true, false]);
  });
});

describe("a pattern takes the whole text", () => {
  const certificate = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----";
  const withCa = (ca: string) => withSettings({ tls: { enabled: true, ca } }).length;
  const withSecret = (secretId: string) => withSettings({ credentials: { user: "u", secretId } }).length;
  const withParameter = (parameter: string) => withSettings({ credentials: { user: "u", parameter } }).length;

  it.each([certificate, ` \n${certificate}\n `])("%j is a certificate", (ca) => expect(withCa(ca)).toBe(0));
  it.each([`x${certificate}`, `${certificate}x`])("%j is none", (ca) => expect(withCa(ca)).toBe(1));

  it.each(["app/valkey", "arn:aws:secretsmanager:eu-central-1:1:secret:app"])("%s is a secret", (text) =>
    expect(withSecret(text)).toBe(0),
  );
  it.each([" app", "app ", ""])("%j is none", (text) => expect(withSecret(text)).toBe(1));

  it.each(["app", "/app", "/app/valkey/password", "app/b", "arn:aws:ssm:eu-central-1:1:parameter/app"])(
    "%s is a parameter",
    (text) => expect(withParameter(text)).toBe(0),
  );
  it.each([" app", "app ", "/app/", "arn:aws ssm", ""])("%j is no parameter", (text) =>
    expect(withParameter(text)).toBe(1),
  );
});
