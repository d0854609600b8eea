// Text and picture of made-up timelines: what is drawn, what is left out on purpose, and that the picture is a picture.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Ballot } from "../../lib/core/ballot.ts";
import { encodeBallot } from "../../lib/core/ballot-format.ts";
import { EVENTS, type EventName } from "../../lib/core/events.ts";
import type { Publication } from "../../lib/core/records.ts";
import { tokenAddress } from "../../lib/core/token.ts";
import {
  type Address,
  attemptId,
  epoch,
  groupName,
  type NodeId,
  nodeId,
  replicationId,
  runId,
} from "../../lib/core/types.ts";
import { az, ballotOf, n1, n2 } from "../contract/group-store-builders.ts";
import { drawPicture } from "./picture.ts";
import { gapPx, placed } from "./picture-axis.ts";
import { MEANINGS, OF_EVENT, OF_FACT, OF_WRITE } from "./picture-marks.ts";
import type { Happening, TimelineEntry } from "./timeline.ts";
import { textOf, withEnds } from "./timeline-text.ts";
import type { NodeFact } from "./valkey-words.ts";
import { elementsOf } from "./xml.ts";

const N1_ADDRESS: Address = { host: "10.0.1.10", port: 6379 };
const nodeAt = (address: Address) => (address.host === N1_ADDRESS.host ? n1 : null);

const draw = (entries: readonly TimelineEntry[]): string =>
  drawPicture({ title: "made up", nodes: ["n1", "n2"], voters: ["az-a"], entries: [...entries], nodeAt });

const text = (entries: readonly TimelineEntry[]): readonly string[] =>
  textOf({ entries: [...entries], nodeAt }).slice(1);

const at = (ms: number, happening: Happening): TimelineEntry => ({ at: ms, ...happening });
const fact = (ms: number, of: NodeFact): TimelineEntry => at(ms, { kind: "node", fact: of });

const told = (ms: number, event: EventName, detail: Readonly<Record<string, string>> = {}): TimelineEntry =>
  at(ms, {
    kind: "told",
    entry: { event, epoch: epoch(2), node: n1, detail, group: groupName("g"), voter: az("a"), generation: 1, tick: 0 },
  });

function written(ms: number, name: string, before: Ballot | null, after: Ballot): TimelineEntry {
  const write = {
    name,
    group: after.group,
    attempt: { path: ["attempt"] as const, id: attemptId("x") },
    condition: { kind: "all", of: [] } as const,
    changes: [],
  };
  const change = {
    write,
    before: before === null ? null : encodeBallot(before),
    after: encodeBallot(after),
    by: "voter:az-a",
  };
  return at(ms, { kind: "ballot", change });
}

const hang = { kind: "hang-node", node: "primary", forMs: 400 } as const;
const group = groupName("g");
const attempt = attemptId("x");
const primary = (node: NodeId, at: number) => ({
  node,
  epoch: epoch(at),
  runId: runId(`a${at}`.padEnd(40, "e")),
  replicationId: replicationId(`d${at}`.padEnd(40, "e")),
});
const quiet = ballotOf(group, { epoch: epoch(1), primary: primary(n1, 1), lease: null, operation: null });
const granted: Ballot = {
  ...quiet,
  epoch: epoch(2),
  lease: { holder: az("a"), generation: 1, version: 1, durationMs: 5_000, attempt },
  operation: {
    kind: "failover",
    step: "begun",
    began: epoch(2),
    target: null,
    by: "automatic",
    reason: "silent",
    request: null,
    insists: false,
  },
};
const committed = { ...quiet, epoch: epoch(2), primary: primary(n2, 2) };

/** A failover in the fewest entries. */
const FAILOVER: readonly TimelineEntry[] = [
  fact(0, { kind: "started", node: n1, data: "empty", role: "primary" }),
  fact(0, { kind: "started", node: n2, data: "empty", role: "replica" }),
  fact(0, { kind: "link-up", node: n2, from: n1, how: "full" }),
  at(10, { kind: "invocation", voter: "az-a", name: "az-a/1", how: "begins" }),
  written(20, "adopt", null, quiet),
  at(5_000, { kind: "fault", fault: hang, hits: ["n1"] }),
  told(5_200, "primary.subjectively-down"),
  written(5_210, "grant", quiet, granted),
  fact(5_215, {
    kind: "followed",
    node: n2,
    address: tokenAddress(epoch(2)),
    wasPrimary: false,
    by: "voter:az-a",
    epoch: epoch(2),
  }),
  fact(5_230, { kind: "promoted", node: n2, by: "voter:az-a", epoch: epoch(2) }),
  written(5_235, "commit", granted, committed),
  at(5_240, {
    kind: "published",
    publication: { epoch: epoch(2), revision: 0, primary: { node: n2 } } as Publication,
    by: "voter:az-a",
  }),
  { ...at(5_300, { kind: "invocation", voter: "az-a", name: "az-a/1", how: "ends" }), why: "killed" },
  fact(5_500, { kind: "ended", node: n1, how: "killed" }),
  at(6_000, { kind: "violation", id: "S5", detail: "n1 & n2 < both" }),
];

describe("the picture", () => {
  it("of a small failover is this one", async () => {
    await expect(draw(FAILOVER)).toMatchFileSnapshot("./picture.golden.svg");
  });

  it("is well-formed, whatever somebody wrote into a detail", () => {
    const nasty = told(7_000, "promotion.failed", { reason: 'a <b> & "c" \u0001 \ud800 ]]>' });
    const elements = elementsOf(draw([...FAILOVER, nasty]));
    expect(elements.filter(({ name }) => name === "svg")).toHaveLength(1);
    expect(elements.map(({ text: content }) => content).join()).toContain('reason=a <b> & "c" \ufffd \ufffd ]]>');
  });

  it("shows roles, epochs and faults as bars", () => {
    const classes = elementsOf(draw(FAILOVER)).map(({ attributes }) => attributes["class"]);
    for (const drawn of [
      "e1 primary",
      "e1 replica",
      "e2 frozen",
      "e2 primary",
      "down",
      "e2 held",
      "e1 idle",
      "hit",
      "fault",
    ])
      expect(classes, drawn).toContain(drawn);
    expect(classes.filter((each) => each === "violation")).toHaveLength(1);
    expect(classes.filter((each) => each === "killed")).toHaveLength(1);
  });

  it("gives what was before the first fault no room and no marks", () => {
    const titles = titlesOf(FAILOVER);
    expect(titles.some((title) => title.includes("primary.subjectively-down"))).toBe(true);
    expect(titles.some((title) => title.includes("adopt"))).toBe(false);
  });

  const titlesOf = (entries: readonly TimelineEntry[]): readonly string[] =>
    elementsOf(draw(entries)).flatMap(({ name, text: content }) => (name === "title" ? [content] : []));

  it.each(Object.keys(EVENTS) as EventName[])("draws %s, or leaves it out on purpose", (event) => {
    expect(titlesOf([told(1, event)]).some((title) => title.includes(event))).toBe(OF_EVENT[event] !== null);
  });

  const facts = {
    data: "rdb",
    role: "primary",
    how: "full",
    by: "x",
    epoch: epoch(2),
    address: N1_ADDRESS,
    from: n1,
  };
  const more = { label: "settle", effective: true, count: 2, untilMs: 3, wasPrimary: true };
  it.each(Object.keys(OF_FACT) as NodeFact["kind"][])("draws that a node %s, or leaves it out on purpose", (kind) => {
    const drawn = titlesOf([fact(1, { kind, node: nodeId("n2"), ...facts, ...more } as NodeFact)]);
    expect(drawn.some((title) => /^0\.0010 n2 /.test(title))).toBe(OF_FACT[kind] !== null);
  });

  it.each(writeNames())("draws a %s of the ballot, or leaves it out on purpose", (name) => {
    const drawn = titlesOf([written(1, name, quiet, granted)]).some((title) => title.includes(`table ${name}`));
    // A renewal never comes into a timeline.
    if (name === "renew") return;
    expect(OF_WRITE).toHaveProperty([name]);
    expect(drawn).toBe(OF_WRITE[name] !== null);
  });

  it("says in its legend what each letter means", () => {
    const content = elementsOf(draw(FAILOVER)).map(({ text: each }) => each);
    for (const mark of ["D", "G", "F", "P", "C", "w", "d"] as const) expect(content).toContain(MEANINGS[mark]);
    expect(content).not.toContain(MEANINGS.M);
  });
});

/** Of every function of core that makes a write. */
function writeNames(): readonly string[] {
  const files = ["writes.ts", "holder-writes.ts"].map((file) => new URL(`../../lib/core/${file}`, import.meta.url));
  const source = files.map((file) => readFileSync(file, "utf8")).join("\n");
  return [...source.matchAll(/(?:\bwrite\(|underLease\(|name:)\s*"([a-z-]+)"/g)].map(([, name]) => name as string);
}

describe("the axis of time", () => {
  it("draws long gaps together, and never a later moment before an earlier one", () => {
    expect(gapPx(0)).toBe(0);
    expect(gapPx(100)).toBeGreaterThan(gapPx(10));
    expect(gapPx(60_000)).toBeLessThan(gapPx(100) * 3);
  });

  it("keeps the marks of one lane apart, and lets other lanes stand beside them", () => {
    const xs = placed(
      [1, 1, 1, 2].map((ms, index) => ({ at: ms, lane: index === 1 ? "b" : "a" })),
      0,
    );
    expect(xs[1]).toBe(xs[0]);
    expect(xs[2]! - xs[0]!).toBeGreaterThanOrEqual(15);
    expect(xs[3]! - xs[2]!).toBeGreaterThanOrEqual(15);
  });
});

describe("the text", () => {
  it("is in columns: time, ms since the line before, epoch, who, what", () => {
    expect(text(FAILOVER).slice(5)).toEqual([
      "   5.0000   4980.0     1  FAULT      hang-node primary for 400 ms -> n1",
      "   5.2000    200.0     1  az-a/1     primary.subjectively-down n1 epoch 2",
      "   5.2100     10.0     2  table      grant by az-a: epoch 2, lease of az-a/1, failover begun (silent)",
      "   5.2150      5.0     2  n2         frozen, token 2 by voter:az-a epoch 2",
      "   5.2300     15.0     2  n2         promoted by=voter:az-a epoch=2",
      "   5.2350      5.0     2  table      commit by az-a: primary n2 of epoch 2 id d2eeeeee, no lease, no operation",
      "   5.2400      5.0     2  published  epoch 2.0 n2 by voter:az-a",
      "   5.3000     60.0     2  az-a/1     ends: killed",
      "   5.4000    100.0     2  FAULT      hang-node primary for 400 ms is over",
      "   5.5000    100.0     2  n1         ended how=killed",
      "   6.0000    500.0     2  VIOLATION  S5: n1 & n2 < both",
    ]);
  });

  it("goes on, as the picture does, where somebody has damaged the record", () => {
    const [standing] = FAILOVER.filter((entry) => entry.kind === "ballot");
    if (standing?.kind !== "ballot") throw new Error("the example writes no ballot");
    const { change } = standing;
    const damaged = { ...change, before: change.after, after: { ...change.after, schema: 2 } };
    const repaired = { ...change, before: damaged.after };
    const entries = [damaged, repaired].map((each) => at(7_000, { kind: "ballot", change: each } as Happening));
    expect(text(entries)).toEqual([
      "   7.0000              0  table      adopt by az-a: damaged, or of a newer version",
      "   7.0000      0.0     1  table      adopt by az-a: new",
    ]);
    expect(elementsOf(draw([...FAILOVER, ...entries])).length).toBeGreaterThan(0);
  });

  it("says what killed connections with what killed them", () => {
    const executed = {
      kind: "executed",
      node: n1,
      by: "voter:az-a",
      epoch: epoch(2),
      label: "freeze",
      effective: true,
    } as const;
    const lines = text([fact(1, { kind: "killed-connections", node: n1, count: 2 }), fact(1, executed)]);
    expect(lines).toEqual([
      "   0.0010              0  n1         executed freeze of epoch 2 by voter:az-a, closing 2 connections",
    ]);
  });

  it("ends a fault at its own time, or with the healing, whichever comes first", () => {
    const fault = (ms: number) => at(ms, { kind: "fault", fault: hang, hits: [] });
    const kinds = withEnds([fault(0), fault(300), at(500, { kind: "healed" }), fact(900, { kind: "woke", node: n1 })]);
    expect(kinds.map(({ kind }) => kind)).toEqual(["fault", "fault", "fault-ended", "healed", "node"]);
  });
});
