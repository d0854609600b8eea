import { describe, expect, it } from "vitest";
import { DEFAULTS } from "../../lib/core/config.ts";
import { MOST_VOTERS } from "../../lib/core/config-bounds.ts";
import { checkConfig, checkDeclaration } from "../../lib/core/config-check.ts";
import { voterId } from "../../lib/core/types.ts";
import { issuesOf, threeVoters } from "./config-issues.ts";

const nodes = [
  { id: "n1", host: "10.0.1.7", port: 6379, zone: "a" },
  { id: "n2", host: "10.0.2.7", port: 6379, zone: "b" },
  { id: "n3", host: "10.0.3.7", port: 6379, zone: "c" },
];
const group = { name: "mymaster", nodes };

describe("checkConfig", () => {
  it("completes name and nodes to a whole configuration", () => {
    expect(checkConfig(group, threeVoters)).toEqual({
      ...DEFAULTS,
      name: "mymaster",
      nodes: nodes.map((node) => ({ ...node, priority: null, announce: null })),
    });
  });

  it("names every issue at once, and the group", () => {
    const input = { ...group, quorum: 1, leaseMs: "5s", downAfter: 100, primary: "n9" };
    expect(() => checkConfig(input, threeVoters)).toThrow(
      [
        'group "mymaster": 4 issues',
        '  - the group has no setting "downAfter": did you mean downAfterMs?',
        '  - leaseMs should be a whole number from 1000 to 60000 milliseconds and is "5s"',
        "  - quorum 1 is below 2, the majority of the 3 voters (az-a, az-b, az-c): two halves that cannot reach each other could both act",
        '  - primary "n9" is none of the nodes (n1, n2, n3)',
      ].join("\n"),
    );
  });

  it.each([null, undefined, 7, "mymaster", [group], () => group])("refuses %s, which is no map", (input) => {
    expect(issuesOf(input)[0]).toMatch(/^the group should be a map of settings and is /);
  });

  it("shows values of every kind, and long ones cut short", () => {
    const shown = (value: unknown) => issuesOf({ ...group, tls: value })[0]?.replace(/^.* and is /, "");
    expect(shown("x".repeat(60))).toBe(`"${"x".repeat(60)}"`);
    expect(shown("x".repeat(61))).toBe(`"${"x".repeat(57)}..."`);
    expect([shown(null), shown([1]), shown(7n), shown(true)]).toEqual(["null", "a list", "7", "true"]);
    expect(shown(10n ** 50n)).toBe(`1${"0".repeat(39)}`);
    expect([shown(() => 1), shown(Symbol("x"))]).toEqual(["a function", "a symbol"]);
    expect(issuesOf({ ...group, downAfterMs: {} })[0]).toMatch(/ and is a map$/);
    expect(issuesOf({ ...group, primary: 7 })).toEqual([
      "primary should be 1 to 32 letters, digits, - and _, beginning with a letter or digit, and is 7",
    ]);
  });

  it("names the group as far as it has a name", () => {
    expect(() => checkConfig({ name: 7, nodes }, threeVoters)).toThrow(/^group without a name: 1 issue\n/);
    expect(() => checkConfig({ nodes }, threeVoters)).toThrow(/^group without a name: 1 issue\n/);
    expect(() => checkConfig(7, threeVoters)).toThrow(/^group: 1 issue\n/);
  });

  it("knows no word of another setting", () => {
    expect(issuesOf({ ...group, writeDead: "paused" })).toEqual([
      'writeDead should be "failover" or "alarm" and is "paused"',
    ]);
  });

  it("takes undefined for left out", () => {
    expect(issuesOf({ ...group, quorum: undefined, unheardOf: undefined })).toEqual([]);
  });
});

describe("unknown settings", () => {
  it.each([
    ["downAfterMS", "downAfterMs"],
    ["down_after_ms", "downAfterMs"],
    ["downAfterMillis", "downAfterMs"],
    ["down-after-milliseconds", "downAfterMs"],
    ["failover-timeout", "stepTimeoutMs"],
    ["parallelSync", "parallelSyncs"],
    ["onPosibleLoss", "onPossibleLoss"],
    ["credential", "credentials"],
    ["TLS", "tls"],
  ])("%s is answered with %s", (given, meant) => {
    expect(issuesOf({ ...group, [given]: 1 })).toEqual([
      `the group has no setting ${JSON.stringify(given)}: did you mean ${meant}?`,
    ]);
  });

  it("lists what there is when nothing is near", () => {
    expect(issuesOf({ ...group, tls: { enabled: true, verificationMode: "strict" } })).toEqual([
      'tls has no setting "verificationMode": there are enabled, ca, serverName',
    ]);
  });

  it("finds them in nodes too", () => {
    expect(issuesOf({ ...group, nodes: [{ ...nodes[0], prority: 1 }] })).toEqual([
      'nodes[0] has no setting "prority": did you mean priority?',
    ]);
  });

  it("is not led astray by names that every object inherits", () => {
    expect(
      issuesOf(JSON.parse('{"__proto__": {"quorum": 9}, "name": "g", "nodes": [{"id": "n1", "host": "h"}]}')),
    ).toEqual([expect.stringMatching(/^the group has no setting "__proto__"/)]);
    expect(issuesOf({ name: "constructor", nodes: [{ id: "toString", host: "h" }] })).toEqual([
      'name "constructor" is a word of the language and cannot be used: choose another',
      'nodes[0].id "toString" is a word of the language and cannot be used: choose another',
    ]);
  });
});

describe("bounds", () => {
  it.each([
    ["downAfterMs", 99, "from 100 to 60000 milliseconds"],
    ["downAfterMs", 60_001, "from 100 to 60000 milliseconds"],
    ["downAfterMs", 100.5, "a whole number from 100 to 60000 milliseconds"],
    ["downAfterMs", Number.NaN, "a whole number from 100 to 60000 milliseconds"],
    ["offsetToleranceBytes", -1, "from 0 to 1099511627776 bytes"],
    ["maxLinkDownMs", -1, "from 0 to 86400000 milliseconds, or null,"],
    ["waitK", true, "a whole number from 0 to 31 replicas"],
    ["parallelSyncs", null, "a whole number from 1 to 32 replicas"],
  ])("%s %s is out of them", (name, value, range) => {
    expect(issuesOf({ ...group, [name]: value })).toEqual([`${name} should be ${range} and is ${value}`]);
  });

  it.each([
    [
      { onPossibleLoss: "refused" },
      'onPossibleLoss should be "promote" or "refuse" and is "refused": did you mean "refuse"?',
    ],
    [{ coldStart: 1 }, 'coldStart should be "best" or "wait" and is 1'],
    [
      { mode: "paused" },
      'mode "paused" cannot be declared, because a pause has an owner, a reason and an end: use `valkeeper pause`, or mode "observe"',
    ],
  ])("%o is none of the words", (setting, issue) => {
    expect(issuesOf({ ...group, ...setting })).toEqual([issue]);
  });
});

describe("relations", () => {
  it.each([
    [{ quorum: 4 }, "quorum 4 is above 3, the number of voters (az-a, az-b, az-c): no failover could ever begin"],
    [
      { probeIntervalMs: 800, downAfterMs: 800 },
      "probeIntervalMs 800 should be below downAfterMs 800: the node must be asked again before it may be called down",
    ],
    [
      { probeTimeoutMs: 5_001 },
      "probeTimeoutMs 5001 should be at most downAfterMs 5000 (default): an answer that comes later is too late to count",
    ],
    [
      { refusedAfterMs: 5_000 },
      "refusedAfterMs 5000 should be 0 (off) or below downAfterMs 5000 (default): the fast path would be the slow one",
    ],
    [
      { writeHoldAfterMs: 2_000, downAfterMs: 2_000 },
      "writeHoldAfterMs 2000 should be 0 (off) or below downAfterMs 2000: writes would be held only after they were lost",
    ],
    [
      { writeHoldAfterMs: 600, probeIntervalMs: 600 },
      "writeHoldAfterMs 600 should be 0 (off) or above probeIntervalMs 600: a healthy primary would be suspected between two probes",
    ],
    [
      { unreachableAfterMs: 5_000 },
      "unreachableAfterMs 5000 should be above downAfterMs 5000 (default): a witness that still hears the primary could never object",
    ],
    [
      { voteWindowMs: 999 },
      "voteWindowMs 999 should be at least 1000, twice the tick (probeIntervalMs 500 (default), at least 100): votes would look stale between two affirmations",
    ],
    [
      { leaseMs: 1_649 },
      "leaseMs 1649 should be at least 1650: the holder stops 500 before the end, may stall for 1000 and waits for freezeWaitMs 150 (default) in one go",
    ],
    [
      { stepTimeoutMs: 1_000, freezeWaitMs: 500 },
      "stepTimeoutMs 1000 should be above 1000, freezeWaitMs 500 and probeTimeoutMs 500 (default) together: a step needs one of each",
    ],
    [
      { onPossibleLoss: "refuse" },
      "onPossibleLoss refuse needs waitK of at least 1 and has waitK 0 (default): give the k of the WAIT k that the clients use, it decides how many nodes must be read",
    ],
    [
      { onPossibleLoss: "refuse", waitK: 1, offsetToleranceBytes: 10 },
      "onPossibleLoss refuse needs offsetToleranceBytes 0 and has offsetToleranceBytes 10: within a tolerance, acknowledged bytes could be passed over",
    ],
    [
      { waitK: 3 },
      "waitK 3 is above 2, the number of replicas of 3 nodes: WAIT with more replicas than there are never succeeds",
    ],
    [
      { minReplicasToWrite: 3 },
      "minReplicasToWrite 3 is above 2, the number of replicas of 3 nodes: the primary would refuse every write",
    ],
    [
      { tls: { serverName: "valkey.internal" } },
      "tls.serverName is given and tls.enabled is false: enable TLS or leave it out",
    ],
  ])("%o does not hold", (settings, issue) => {
    expect(issuesOf({ ...group, ...settings })).toEqual([issue]);
  });

  it.each([
    { refusedAfterMs: 0, writeHoldAfterMs: 0 },
    { probeIntervalMs: 1_000 },
    { probeIntervalMs: 1_000, writeHoldAfterMs: 0 },
    { quorum: 3 },
    { leaseMs: 1_650 },
    { onPossibleLoss: "refuse", waitK: 2 },
    { maxLinkDownMs: null },
    { primary: null },
    { downAfterMs: 100 },
    { downAfterMs: 60_000 },
    { probeIntervalMs: 4_999 },
  ])("%o holds", (settings) => {
    expect(issuesOf({ ...group, ...settings })).toEqual([]);
  });

  it("are not looked at where one side is invalid by itself: one mistake, one issue", () => {
    expect(issuesOf({ ...group, downAfterMs: 0, probeIntervalMs: 9_000, unreachableAfterMs: 300 })).toEqual([
      "downAfterMs should be from 100 to 60000 milliseconds and is 0",
    ]);
  });

  it("count one voter and one node in the singular", () => {
    const only = { voters: [voterId("only")] };
    expect(issuesOf({ ...group, quorum: 2 }, only)).toEqual([
      "quorum 2 is above 1, the number of voters (only): no failover could ever begin",
    ]);
    expect(issuesOf({ name: "g", nodes: nodes.slice(0, 1), waitK: 1 })).toEqual([
      "waitK 1 is above 0, the number of replicas of 1 node: WAIT with more replicas than there are never succeeds",
    ]);
  });

  it("judge quorum against the voters there are, and default to their majority", () => {
    const five = ["a", "b", "c", "d", "e"].map(voterId);
    expect(checkConfig(group, { voters: five }).quorum).toBe(3);
    expect(checkConfig(group, { voters: [voterId("only")] }).quorum).toBe(1);
    expect(issuesOf({ ...group, quorum: 2 }, { voters: five })).toEqual([
      "quorum 2 is below 3, the majority of the 5 voters (a, b, c, d, e): two halves that cannot reach each other could both act",
    ]);
  });

  it("need something that stops hosts where a failover is to wait for that", () => {
    const asked = (stopInstance: string, hasStopper?: boolean) =>
      issuesOf({ ...group, stopInstance }, hasStopper === undefined ? threeVoters : { ...threeVoters, hasStopper });
    expect(asked("required", false)).toEqual([
      'stopInstance "required" needs something that stops hosts, and this deployment has none: give it hostStopping, or use "off"',
    ]);
    expect([asked("required", true), asked("required"), asked("off", false)]).toEqual([[], [], []]);
  });
});

describe("voters", () => {
  it("may be 15, and not one more", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => voterId(`v${index}`));
    expect(issuesOf(group, { voters: many(MOST_VOTERS) })).toEqual([]);
    expect(issuesOf(group, { voters: many(MOST_VOTERS + 1) })).toEqual([
      `there are ${MOST_VOTERS + 1} voters and may be ${MOST_VOTERS} at most`,
    ]);
  });

  it.each([
    [[], "there are no voters: name at least one"],
    [["az-a", "az-a", "az-b"], 'voter "az-a" is named twice: one zone is one vote'],
    [
      ["az a", "b", "c"],
      'voters[0] should be 1 to 32 letters, digits and -, beginning with a letter or digit, and is "az a"',
    ],
  ])("%o are refused", (ids, issue) => {
    expect(issuesOf({ ...group, quorum: undefined }, { voters: ids.map(voterId) })).toContain(issue);
  });
});

describe("defaults", () => {
  it("are whole milliseconds, of an odd interval between probes as well", () => {
    const config = checkConfig({ ...group, probeIntervalMs: 975 }, threeVoters);
    expect(config.writeHoldAfterMs).toBe(1_463);
    expect(checkConfig(config, threeVoters)).toEqual(config);
  });
});

describe("checkDeclaration", () => {
  it("keeps what was given apart from what follows from it, quorum aside", () => {
    expect(checkDeclaration({ name: "g", nodes: [{ id: "n1", host: "h" }], downAfterMs: 800 }, threeVoters)).toEqual({
      name: "g",
      nodes: [{ id: "n1", host: "h", port: 6379, zone: "", priority: null, announce: null }],
      quorum: 2,
      downAfterMs: 800,
    });
  });
});
