import { describe, expect, it } from "vitest";
import { assess } from "../../lib/cli/assessment.ts";
import { EXIT } from "../../lib/cli/exit-code.ts";
import { PLAIN, paintWith } from "../../lib/cli/paint.ts";
import { type GroupSnapshot, votersOf } from "../../lib/cli/snapshot.ts";
import { statusLines } from "../../lib/cli/status.ts";
import { statusText } from "../../lib/cli/status-text.ts";
import type { Operation } from "../../lib/core/ballot.ts";
import type { SlotRecord } from "../../lib/core/records.ts";
import { effectiveConfig } from "../../lib/core/spec.ts";
import { attemptId, epoch, nodeId, voterId } from "../../lib/core/types.ts";
import { ago, ballot, copies, GROUP, NOW, publication, rejection, slot, spec, VOTERS, view, vote } from "./records.ts";

interface Given extends Partial<GroupSnapshot> {
  readonly slots?: readonly SlotRecord[];
}

const [A, B, C] = VOTERS as [(typeof VOTERS)[0], (typeof VOTERS)[0], (typeof VOTERS)[0]];

function snapshot({ slots, ...rest }: Given = {}): GroupSnapshot {
  const record = rest.spec ?? spec();
  const config = effectiveConfig(record);
  return {
    at: NOW,
    spec: record,
    config,
    ballot: ballot(),
    unreadable: null,
    isForeign: false,
    request: null,
    publication: publication(),
    copies: copies(),
    servedShards: [0],
    voters: votersOf(slots ?? VOTERS.map((voter) => slot(voter, view())), {
      group: GROUP,
      heartbeatMs: config.heartbeatMs,
      at: NOW,
    }),
    ...rest,
  };
}

const text = (given?: Given): string => statusText(snapshot(given), PLAIN).join("\n");

describe("statusText", () => {
  it("shows a healthy group; what only one zone cannot reach is in the table and degrades nothing", () => {
    const slots = [
      slot(A, view({ n1: { latencyMs: 1 }, n3: { lagBytes: 812 } })),
      slot(B, view({ n2: { latencyMs: 1.2 }, n3: { lagBytes: 812 } })),
      slot(C, view({ n3: { class: "silent", sinceMs: 14_000, lagBytes: null } }, { at: ago(1_200) })),
    ];
    expect(text({ slots })).toBe(
      [
        "mymaster  OK  epoch 7  mode act  published: table 7, ssm 7, dns 7",
        "NODE  ADDRESS            ZONE  ROLE     LINK  LAG    az-a  az-b  az-c",
        "n2*   172.31.37.55:6379  b     primary  -     -      2ms   1ms   2ms",
        "n1    172.31.32.27:6379  a     replica  up    0 B    1ms   2ms   2ms",
        "n3    172.31.39.58:6379  c     replica  up    812 B  2ms   2ms   silent 14s",
        "readers n1, n3",
        "voters 3/3 (oldest 1.2s)  quorum 2  votes 0",
        "if n2 died now: n1 would be promoted",
      ].join("\n"),
    );
    expect(assess(snapshot({ slots }))).toEqual({ words: ["OK"], exit: EXIT.ok, reasons: [] });
  });

  it("shows voters that rest as alive until three of their rounds have not come, with the age of what they saw", () => {
    const resting = (ms: number) =>
      VOTERS.map((voter) => slot(voter, view({}, { at: ago(ms) }), { heartbeatAt: ago(ms), restsMs: 60_000 }));
    expect(text({ slots: resting(42_000) })).toContain(
      "voters 3/3 (oldest 42s), economy: they look every 60s  quorum 2",
    );
    expect(assess(snapshot({ slots: resting(179_000) })).words).toEqual(["OK"]);
    expect(assess(snapshot({ slots: resting(181_000) })).words).toEqual(["NO VOTERS"]);
    const [one, two, three] = [...resting(42_000).slice(0, 2), slot(C, view(), { heartbeatAt: ago(42_000) })];
    // One that stayed and then was not heard for three heartbeats is lost, whatever the others do.
    expect(assess(snapshot({ slots: [one, two, three] as never })).reasons).toEqual([
      "voter az-c has not been heard for 42s",
    ]);
  });

  it("shows a failover: its step, the frozen node, the votes and what is not published yet", () => {
    const operation: Operation = {
      kind: "failover",
      step: "committed",
      began: epoch(8),
      target: null,
      by: "automatic",
      reason: "silent",
      request: null,
      insists: false,
    };
    const lease = { holder: A, generation: 31, version: 4, durationMs: 5_000, attempt: attemptId("l") };
    const primary = { ...ballot().primary!, node: nodeId("n1"), epoch: epoch(8) };
    const seen = view({
      n1: { role: "primary", follows: null, linkUp: null, lagBytes: null },
      n2: { class: "silent", sinceMs: 5_300, role: "primary" },
      n3: { follows: { host: "127.0.0.8", port: 1 }, linkUp: false },
    });
    expect(
      text({
        ballot: ballot({ epoch: epoch(8), primary, operation, lease }),
        slots: VOTERS.map((voter) => slot(voter, seen)),
      }),
    ).toBe(
      [
        "mymaster  FAILING OVER (committed)  epoch 8  mode act  published: table 7, ssm 7, dns 7",
        "  n2 is silent for 5.3s, as az-a, az-b, az-c see it",
        "  n3 has no link to the primary",
        "  the primary is not published yet: table has epoch 7, ssm has epoch 7, dns has epoch 7",
        "NODE  ADDRESS            ZONE  ROLE         LINK  LAG  az-a         az-b         az-c",
        "n2    172.31.37.55:6379  b     was primary  -     -    silent 5.3s  silent 5.3s  silent 5.3s",
        "n1*   172.31.32.27:6379  a     primary      -     -    2ms          2ms          2ms",
        "n3    172.31.39.58:6379  c     frozen 8     down  0 B  2ms          2ms          2ms",
        "readers n1, n3",
        "voters 3/3 (oldest 0.3s)  quorum 2  votes 0",
      ].join("\n"),
    );
  });

  it("shows a primary that nobody hears, the votes against it, and why nobody would follow", () => {
    const refused = { class: "refused", sinceMs: 7_000 } as const;
    const withheld = rejection(
      { reason: "too-few-nodes", detail: "0 of 1 nodes count as promotable", ends: "n3 answers", check: null },
      6_000,
    );
    const seen = view(
      { n1: { priority: 0 }, n2: refused, n3: refused },
      {
        vote: "down",
        rejection: withheld,
        candidate: null,
        notCandidates: { n1: "has priority 0", n3: "n3 does not answer" } as never,
      },
    );
    const given: Given = {
      ballot: ballot({ votes: { [A]: vote("down"), [B]: vote("suspect"), [C]: vote("down", { epoch: epoch(6) }) } }),
      slots: [slot(A, seen), slot(B, seen), slot(C, seen, { heartbeatAt: ago(120_000) })],
    };
    expect(text(given)).toBe(
      [
        "mymaster  NO PRIMARY  epoch 7  mode act  published: table 7, ssm 7, dns 7",
        "  too-few-nodes: 0 of 1 nodes count as promotable (az-a, az-b)",
        "  n2 is refused for 7.0s, as az-a, az-b see it",
        "  n3 is refused for 7.0s, as az-a, az-b see it",
        "  voter az-c has not been heard for 2m",
        "NODE  ADDRESS            ZONE  ROLE         LINK  LAG  az-a          az-b          az-c",
        "n2*   172.31.37.55:6379  b     was primary  -     -    refused 7.0s  refused 7.0s  ?",
        "n1    172.31.32.27:6379  a     replica      up    0 B  2ms           2ms           ?",
        "n3    172.31.39.58:6379  c     was replica  -     -    refused 7.0s  refused 7.0s  ?",
        "readers n1, n3",
        "voters 2/3 (oldest 0.3s)  quorum 2  votes 1 (az-a), 1 suspects it (az-b)",
        "if n2 died now: nobody would be promoted: n1: has priority 0; n3 does not answer",
      ].join("\n"),
    );
    expect(assess(snapshot(given)).exit).toBe(EXIT.noPrimary);
  });

  it("names the readers, who was set aside, and the primary that stands in for all of them", () => {
    const line = (given: Given) => statusText(snapshot(given), PLAIN).find((each) => each.startsWith("readers"));
    const { members, ...rest } = ballot();
    const aside = (...ids: readonly string[]) => {
      const nodes = Object.entries(members.nodes).map(([id, member]) => [
        id,
        ids.includes(id) ? { ...member, aside: true as const } : member,
      ]);
      return { ...rest, members: { version: 4, nodes: Object.fromEntries(nodes) } };
    };
    const published = publication();
    const without = (...ids: readonly string[]) => ({
      ...published,
      replicas: published.replicas.filter(({ node }) => !ids.includes(node)),
    });
    expect(line({ ballot: aside("n3"), publication: without("n3") })).toBe("readers n1 (set aside: n3)");
    expect(line({ ballot: aside("n1", "n3"), publication: without("n1", "n3") })).toBe(
      "readers n2 (the primary: no replica is in sync; set aside: n1, n3)",
    );
    expect(line({ publication: null })).toBe(undefined);
  });

  it("calls a primary that refuses the voters unreadable, not gone", () => {
    const given = (one: object): Given => ({
      slots: [
        slot(A, view({ n2: one })),
        slot(B, view({ n2: { class: "misconfigured" } })),
        slot(C, view({ n2: one })),
      ],
    });
    const locked = assess(snapshot(given({ class: "misconfigured", detail: "WRONGPASS" })));
    expect([locked.words[0], locked.exit]).toEqual(["PRIMARY UNREADABLE", EXIT.degraded]);
    expect(locked.reasons).toContainEqual(expect.stringMatching(/^n2 is misconfigured .*, as az-a, .*: WRONGPASS/));
    expect(assess(snapshot(given({ class: "serving" }))).words).not.toContain("PRIMARY UNREADABLE");
  });

  it("shows a pause with its owner, reason and end, an unarmed group, and that nothing would be done", () => {
    const control = {
      mode: "paused",
      by: "kim@ops",
      reason: "kernel update",
      until: ago(-720_000),
      attempt: attemptId("p"),
    } as const;
    const lines = text({ ballot: ballot({ control, armed: false, epoch: epoch(9) }) }).split("\n");
    expect(lines.slice(0, 2)).toEqual([
      "mymaster  PAUSED  NOT ARMED  epoch 9 (primary since 7)  mode paused  published: table 7, ssm 7, dns 7",
      "paused by kim@ops until 2026-03-01 12:12:00Z (12m left): kernel update",
    ]);
    expect(lines.at(-1)).toBe("if n2 died now: nothing would be done: paused");
  });

  it("takes an expired pause for none", () => {
    const control = {
      mode: "paused",
      by: "kim@ops",
      reason: "update",
      until: ago(1),
      attempt: attemptId("p"),
    } as const;
    expect(text({ ballot: ballot({ control }) })).toContain("mymaster  OK  epoch 7  mode act");
  });

  it("shows every override with its owner, an order that stands, and voters that disagree", () => {
    const overrides = {
      leaseMs: { value: 6_000, by: "kim@ops", at: ago(7_200_000) },
      "nodes.n9.priority": { value: 0, by: "lee@ops", at: ago(60_000) },
    };
    const request = {
      schema: 1,
      id: "r1",
      kind: "switchover",
      target: nodeId("n1"),
      by: "kim@ops",
      reason: "",
      acceptDataLoss: false,
      askedAt: ago(2_000),
      expiresAt: ago(-28_000),
      result: null,
    } as const;
    const slots = [slot(A, view()), slot(B, view()), slot(C, view({}, { candidate: nodeId("n3") }))];
    const lines = text({ spec: spec({ overrides }), request, slots }).split("\n");
    expect(lines[0]).toBe("mymaster  DEGRADED  epoch 7  mode act  published: table 7, ssm 7, dns 7");
    expect(lines[1]).toBe("  the override nodes.n9.priority leads to no setting any more: `valkeeper groups unset` it");
    expect(lines.slice(-4)).toEqual([
      "if n2 died now: n1 would be promoted (az-c says n3)",
      "request: switchover to n1 by kim@ops, 2.0s ago: not ended yet",
      "override: leaseMs 6000 (declared: 5000) by kim@ops, 2h ago",
      "override: nodes.n9.priority 0 (declared: nothing) by lee@ops, 60s ago",
    ]);
  });

  it("shows discovered nodes, IPv6 and a boot-fenced node", () => {
    const members = ballot().members;
    const discovered = { runId: null, inSyncEpoch: epoch(0), address: { host: "fd00::9", port: 6380 } };
    const seen = view({ n3: { follows: { host: "127.0.0.1", port: 1 }, linkUp: false, lagBytes: null } });
    const lines = text({
      ballot: ballot({ members: { version: 4, nodes: { ...members.nodes, [nodeId("n4")]: discovered } } }),
      slots: VOTERS.map((voter) => slot(voter, seen)),
    }).split("\n");
    expect(lines).toContain("n3    172.31.39.58:6379  c     boot-fenced  down  -    2ms   2ms   2ms");
    expect(lines).toContain("n4+   [fd00::9]:6380     -     -            -     -    -     -     -");
  });

  it("says what is missing of a group that nobody has adopted, or that no voter has seen", () => {
    const withheld = rejection(
      {
        reason: "adoption-refused",
        detail: "n1, n2 claim to be primary",
        ends: "one is made a replica",
        check: null,
      },
      9_000,
    );
    const slots = VOTERS.map((voter) => slot(voter, view({}, { rejection: withheld, candidate: null })));
    const unadopted: Given = {
      ballot: ballot({ epoch: epoch(0), primary: null }),
      publication: null,
      copies: copies(null, null),
    };
    expect(
      text({ ...unadopted, slots })
        .split("\n")
        .slice(0, 2),
    ).toEqual([
      "mymaster  NOT ADOPTED  epoch 0  mode act",
      "  adoption-refused: n1, n2 claim to be primary (az-a, az-b, az-c)",
    ]);
    expect(
      text({ ...unadopted, ballot: null, slots: [] })
        .split("\n")
        .slice(0, 3),
    ).toEqual([
      "mymaster  NOT ADOPTED",
      "  no voter has ever been heard: are the functions deployed and their schedules enabled?",
      "NODE  ADDRESS            ZONE  ROLE  LINK  LAG",
    ]);
  });

  it("says that a record cannot be read, or belongs to another table", () => {
    const unreadable = "the ballot has schema 2 and this version knows 1: update Valkeeper, nothing is done until then";
    expect(text({ ballot: null, unreadable }).split("\n").slice(0, 2)).toEqual([
      "mymaster  RECORD UNREADABLE",
      `  ${unreadable}`,
    ]);
    expect(text({ isForeign: true }).split("\n")[1]).toBe(
      "  the record was written for another table (a restored copy?): it is only observed, see `valkeeper groups recover`",
    );
  });

  it("says where the configuration does not fit the voters there are", () => {
    const five = ["a", "b", "c", "d", "e"].map((id) => slot(voterId(id), view()));
    expect(assess(snapshot({ slots: five })).reasons).toEqual([
      "configuration: quorum 2 is below 3, the majority of the 5 voters (a, b, c, d, e): two halves that cannot reach each other could both act",
    ]);
  });

  it("tells a primary that is not published from a list of replicas that is not", () => {
    expect(assess(snapshot({ copies: copies(6, null) })).reasons).toEqual([
      "the primary is not published yet: ssm has epoch 6, dns has nothing",
    ]);
    expect(assess(snapshot({ ballot: ballot({ revision: 2 }) })).reasons).toEqual([
      "the list of replicas is not published yet: table, ssm, dns",
    ]);
  });

  it("has no age below zero when a voter's clock is ahead", () => {
    const ahead = slot(A, view({}, { at: ago(-5_000) }), { heartbeatAt: ago(-5_000) });
    expect(text({ slots: [ahead] })).toContain("voters 1/1 (oldest 0.0s)");
  });

  it("means the same without colours", () => {
    const coloured = statusText(snapshot(), paintWith(true)).join("\n");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what colours are made of
    expect(coloured.replace(/\u001b\[\d+m/g, "")).toBe(text());
    expect(coloured).not.toBe(text());
  });
});

describe("statusLines", () => {
  it("puts a blank line between groups, and says how to begin when there is none", () => {
    const other = snapshot({ spec: spec({ group: GROUP }) });
    expect(statusLines([snapshot(), other], "t", PLAIN).filter((line) => line === "")).toHaveLength(1);
    expect(statusLines([], "valkeeper-prod", PLAIN)).toEqual([
      "no group is registered in table valkeeper-prod: declare one in the stack, or see `valkeeper groups add --help`",
    ]);
  });
});
