import { describe, expect, it } from "vitest";
import { DEFAULTS, type DeclaredConfig, type NodeConfig } from "../../lib/core/config.ts";
import { completeConfig } from "../../lib/core/config-defaults.ts";
import type { SpecRecord } from "../../lib/core/records.ts";
import { effectiveConfig, effectiveDeclaration, settingAt, staleOverrides } from "../../lib/core/spec.ts";
import { groupName, nodeId, wallTime } from "../../lib/core/types.ts";

const node = (id: string, rest: Partial<NodeConfig> = {}): NodeConfig => ({
  id: nodeId(id),
  host: `${id}.example.internal`,
  port: 6379,
  zone: "a",
  priority: null,
  announce: null,
  ...rest,
});

const spec = (declared: Partial<DeclaredConfig>, overrides: Readonly<Record<string, unknown>> = {}): SpecRecord => ({
  schema: 1,
  group: groupName("mymaster"),
  version: 3,
  owner: "cdk",
  declared: { name: groupName("mymaster"), nodes: [node("n1"), node("n2")], ...declared },
  overrides: Object.fromEntries(
    Object.entries(overrides).map(([name, value]) => [name, { value, by: "kim@ops", at: wallTime(1_000) }]),
  ),
  shard: 0,
});

describe("effectiveConfig", () => {
  it("completes a declaration of name and nodes with the defaults", () => {
    expect(effectiveConfig(spec({}))).toEqual({
      ...DEFAULTS,
      name: "mymaster",
      nodes: [node("n1"), node("n2")],
    });
  });

  it("puts overrides over what was declared", () => {
    const config = effectiveConfig(spec({ quorum: 2, leaseMs: 8_000 }, { leaseMs: 6_000, mode: "observe" }));
    expect([config.quorum, config.leaseMs, config.mode]).toEqual([2, 6_000, "observe"]);
  });

  it("derives from an overridden setting as from a declared one", () => {
    const config = effectiveConfig(spec({ downAfterMs: 5_000 }, { downAfterMs: 500 }));
    expect(config).toMatchObject({ downAfterMs: 500, probeIntervalMs: 100, probeTimeoutMs: 250, refusedAfterMs: 250 });
  });

  it("follows paths into parts and to nodes by their id", () => {
    const config = effectiveConfig(
      spec({}, { "tls.enabled": true, "nodes.n2.priority": 0, "publication.parameterPrefix": null }),
    );
    expect(config.tls).toEqual({ enabled: true, ca: null, serverName: null });
    expect(config.nodes.map((each) => each.priority)).toEqual([null, 0]);
    expect(config.publication).toEqual({ parameterPrefix: null, dns: null });
    const whole = { id: "n2", host: "h9", port: 6379, zone: "b" };
    expect(effectiveConfig(spec({}, { "nodes.n2": whole })).nodes.map(({ host }) => host)).toContain("h9");
  });

  it("keeps null, which is a value, apart from left out", () => {
    expect(
      effectiveConfig(spec({ publication: { parameterPrefix: null, dns: null } })).publication.parameterPrefix,
    ).toBe(null);
    expect(effectiveConfig(spec({ maxLinkDownMs: 9 }, { maxLinkDownMs: null })).maxLinkDownMs).toBe(null);
  });

  it("completes parts and nodes of which fields were left out by whoever stored them", () => {
    const bare = { id: "n1", host: "h", port: 1 } as unknown as NodeConfig;
    expect(effectiveConfig(spec({ nodes: [bare] })).nodes[0]).toEqual({
      id: "n1",
      host: "h",
      port: 1,
      zone: "",
      priority: null,
      announce: null,
    });
    expect(effectiveConfig(spec({}, { tls: { enabled: true } })).tls).toEqual({
      enabled: true,
      ca: null,
      serverName: null,
    });
  });

  it("leaves an override out whose node or part is gone, and names it as stale", () => {
    const record = spec(
      {},
      { "nodes.n9.priority": 0, "publication.dns.ttlSeconds": 5, "nodes.n1.announce.port": 7, quorum: 2 },
    );
    expect(effectiveDeclaration(record)).toEqual(effectiveDeclaration(spec({}, { quorum: 2 })));
    expect(staleOverrides(record)).toEqual([
      "nodes.n9.priority",
      "publication.dns.ttlSeconds",
      "nodes.n1.announce.port",
    ]);
  });

  it("survives what is no node, for the check to name", () => {
    expect(effectiveConfig(spec({}, { nodes: [null, "n1"] })).nodes).toEqual([null, "n1"]);
    expect(effectiveConfig(spec({}, { nodes: 7 })).nodes).toEqual([]);
  });

  it("is not led astray by names that every object inherits", () => {
    const record = spec({}, { "constructor.prototype.x": 1, "__proto__.x": 1 });
    expect(effectiveConfig(record)).toEqual(effectiveConfig(spec({})));
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });
});

describe("completeConfig", () => {
  const derived = (given: Partial<DeclaredConfig>) =>
    completeConfig({ name: groupName("g"), nodes: [node("n1")], ...given });

  it.each([
    [100, 20, 50, 50, 50, 15_000, 1_500],
    [500, 100, 250, 250, 250, 15_000, 1_500],
    [1_000, 200, 500, 500, 500, 15_000, 1_500],
    [5_000, 500, 500, 500, 750, 15_000, 1_500],
    [60_000, 500, 500, 500, 750, 180_000, 1_500],
  ])("downAfterMs %i alone derives the rest", (downAfterMs, interval, timeout, refused, hold, unreachable, window) => {
    expect(derived({ downAfterMs })).toMatchObject({
      probeIntervalMs: interval,
      probeTimeoutMs: timeout,
      refusedAfterMs: refused,
      writeHoldAfterMs: hold,
      unreachableAfterMs: unreachable,
      voteWindowMs: window,
    });
  });

  it("derives the vote window from the probe interval", () => {
    expect(derived({ probeIntervalMs: 2_000 }).voteWindowMs).toBe(6_000);
  });

  it("lets a person decide a cold start where possible loss is refused", () => {
    expect(derived({ onPossibleLoss: "refuse" }).coldStart).toBe("wait");
    expect(derived({ onPossibleLoss: "refuse", coldStart: "best" }).coldStart).toBe("best");
    expect(derived({}).coldStart).toBe("best");
  });
});

describe("settingAt", () => {
  it("finds a setting by the name an override has", () => {
    const config = effectiveConfig(spec({}));
    expect([
      settingAt(config, "leaseMs"),
      settingAt(config, "nodes.n2.port"),
      settingAt(config, "tls.ca"),
      settingAt(config, "nodes.n7.port"),
      settingAt(config, "toString"),
    ]).toEqual([5_000, 6379, null, undefined, undefined]);
  });
});
