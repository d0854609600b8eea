// For each reason a world of which it is true, and one beside it of which it is not. What the nodes hold is judged in
// oracle-data.test.ts, what a person has to end in settled.test.ts.

import { describe, expect, it } from "vitest";
import type { Json } from "../../lib/core/ballot-write.ts";
import type { NodeConfig } from "../../lib/core/config.ts";
import type { RejectionReason } from "../../lib/core/rejection.ts";
import { voterId } from "../../lib/core/types.ts";
import { BEGINNING } from "./clock.ts";
import { GROUP } from "./group.ts";
import { factsOf, ReasonTruths, TRUTHS } from "./oracle-reasons.ts";
import { Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

const CONFIG = {
  onPossibleLoss: "refuse",
  waitK: 1,
  coldStart: "best",
  failoverBudget: 1,
  writeDead: "alarm",
} as const;

const azA = (world: World) => world.voters.get(voterId("az-a")) ?? null;
const isTrue = (world: World, reason: RejectionReason) => TRUTHS[reason](factsOf(world, azA(world)));

const record = ({ table }: World, changes: Readonly<Record<string, Json>>) =>
  table.putBallot(GROUP, { ...table.ballot(GROUP), ...changes });

const cut =
  (...places: readonly string[]) =>
  ({ network }: World) => {
    for (const to of places) network.impose({ from: "voter:az-a", to, effect: { kind: "cut" } });
  };

const kill =
  (...nodes: readonly string[]) =>
  (world: World) => {
    for (const node of nodes) world.node(node).kill();
  };

const spent = (promoted: boolean) => (world: World) => {
  record(world, { budget: [{ epoch: 2, at: BEGINNING + 20_000, promoted }] });
  world.node("n1").kill();
};

const down = (voter: string): Readonly<Record<string, Json>> => ({
  [`vote_${voter}`]: { level: "down", node: "n1", epoch: 1, generation: 1, seq: 1, silentMs: 1, attempt: voter },
});

const stall = (world: World) => {
  for (const { sandbox } of azA(world)?.invocations ?? []) sandbox.freeze();
};

function undeclare({ table }: World, node: string): void {
  const spec = table.specs.get(GROUP);
  if (spec === undefined) throw new Error("the group is declared");
  const nodes = spec.declared.nodes.filter(({ id }) => id !== node);
  table.writeSpec({ ...spec, version: spec.version + 1, declared: { ...spec.declared, nodes } }, spec.version);
}

type Row = readonly [reason: RejectionReason, what: string, does: (world: World) => void];

const MAKES_TRUE: readonly Row[] = [
  ["not-adopted", "no primary is on record", (world) => record(world, { primary: null })],
  [
    "observing",
    "it is observed",
    (world) => record(world, { control: { mode: "observe", by: "o", reason: "r", attempt: "c" } }),
  ],
  [
    "paused",
    "it is paused",
    (world) => record(world, { control: { mode: "paused", by: "o", reason: "r", until: 9, attempt: "c" } }),
  ],
  ["suspended", "it is stalled", stall],
  ["store-unreachable", "the way to the table is cut", cut("store")],
  ["store-unreachable", "the table throttles", (world) => Object.assign(world.storeWeather, { throttleRate: 0.1 })],
  ["record-unreadable", "the record is of a newer version", (world) => record(world, { schema: 2 })],
  ["foreign-table", "the record is of another table", (world) => record(world, { table: "another" })],
  ["cut-off", "the ways to the others are cut", cut("node:n2", "node:n3")],
  ["cut-off", "the others are gone", kill("n2", "n3")],
  ["busy", "a script holds the primary", (world) => world.node("n1").process?.setFlag("busy", true)],
  [
    "loading",
    "the primary loads",
    (world) => {
      world.node("n1").kill();
      world.node("n1").start("rdb");
    },
  ],
  [
    "unexplained-primary",
    "a node that is no replica loads",
    (world) => {
      const { process } = world.node("n2");
      Object.assign(process ?? {}, { loading: true, follows: null });
    },
  ],
  ["too-few-nodes", "a member is declared no more", (world) => undeclare(world, "n3")],
  ["misconfigured", "a password is wrong", (world) => Object.assign(world.node("n2"), { password: "other" })],
  [
    "write-dead-by-policy",
    "the primary's disk is full",
    (world) => world.node("n1").process?.setFlag("writeDead", true),
  ],
  ["too-few-nodes", "a node is gone", kill("n3")],
  ["too-few-nodes", "the way to a node is cut", cut("node:n3")],
  ["possible-loss-refused", "a node is gone", kill("n3")],
  [
    "unknown-history",
    "all came back without their history",
    (world) => {
      for (const id of ["n1", "n2", "n3"]) {
        world.node(id).kill();
        world.node(id).start("aof");
      }
      world.run(100);
    },
  ],
  ["budget-spent", "the one attempt that is allowed was made", spent(true)],
  ["backing-off", "the last attempt promoted nobody", spent(false)],
  [
    "operation-going-on",
    "somebody holds the lease",
    (world) => record(world, { lease: { holder: "az-b", generation: 1, version: 1, durationMs: 5_000, attempt: "l" } }),
  ],
  [
    "stop-awaited",
    "a host is to be stopped",
    (world) =>
      record(world, {
        operation: {
          kind: "failover",
          step: "begun",
          began: 2,
          target: null,
          by: "automatic",
          reason: "",
          request: null,
          insists: false,
          stop: { node: "n1", epoch: 2, outcome: null },
        },
      }),
  ],
];

describe("a reason", () => {
  it.each(MAKES_TRUE)("S12: %s is true once %s", (reason, _, does) => {
    const { world } = new Scenario("reasons", { config: CONFIG });
    expect(isTrue(world, reason)).toBe(false);
    does(world);
    expect(isTrue(world, reason)).toBe(true);
  });

  it("S12: quorum-pending is true until a quorum of voters that go on says that this primary is gone", () => {
    const { world } = new Scenario("reasons", {});
    record(world, down("az-a"));
    expect(isTrue(world, "quorum-pending")).toBe(true);
    record(world, down("az-b"));
    expect(isTrue(world, "quorum-pending")).toBe(false);
    world.voters.get(voterId("az-b"))?.kill();
    expect(isTrue(world, "quorum-pending")).toBe(true);
    record(world, { ...down("az-c"), primary: { ...(world.table.ballot(GROUP)?.["primary"] as object), epoch: 2 } });
    expect(isTrue(world, "quorum-pending")).toBe(true);
  });

  it("S12: witness-veto is true while the primary lives and feeds somebody", () => {
    const { world } = new Scenario("reasons", {});
    expect(isTrue(world, "witness-veto")).toBe(true);
    world.node("n1").process?.hang();
    expect(isTrue(world, "witness-veto")).toBe(false);
  });

  it("S12: write-dead-by-policy is none where it is no policy", () => {
    const { world } = new Scenario("reasons", {});
    world.node("n1").process?.setFlag("writeDead", true);
    expect(isTrue(world, "write-dead-by-policy")).toBe(false);
  });

  it("S12: waiting-for-down-after is true for as long as a bound may run, and again when something changes", () => {
    const { world } = new Scenario("reasons", { config: { armAfterMs: 600_000 } });
    const truths = new ReasonTruths(world);
    const waits = () => truths.of("az-a").includes("waiting-for-down-after");
    world.node("n1").kill();
    expect(waits()).toBe(true);
    world.run(10_500);
    expect(waits()).toBe(true);
    world.run(1_000);
    expect(waits()).toBe(false);
    world.node("n1").start("empty");
    expect(waits()).toBe(true);
  });

  it("R18: a declared name that leads to another's process is read there", () => {
    const node = (id: string, host: string) =>
      ({ id, host, port: 6379, zone: "az-a", priority: null, announce: null }) as unknown as NodeConfig;
    const nodes = [node("n1", "10.0.1.10"), node("n2", "10.0.2.10"), node("n3", "10.0.9.10")];
    const { world } = new Scenario("reasons", {
      nodes: ["n1", "n2", "n4"],
      aliases: { "10.0.9.10": "n2" },
      config: { nodes },
    });
    const runs = factsOf(world).data?.held.map(({ id, reading }) => [id, reading?.runId ?? null]) ?? [];
    const held = new Map(runs as [string, string | null][]);
    expect(held.get("n3")).toBe(world.node("n2").process?.runId);
  });

  it("S12: backing-off is true long after the attempt for an invocation alone that has only begun to look", () => {
    const { world } = new Scenario("reasons", {});
    spent(false)(world);
    kill("n2", "n3")(world);
    world.run(200_000);
    const truths = new Map<boolean, number[]>([
      [true, []],
      [false, []],
    ]);
    for (let looks = 0; looks < 130; looks += 1) {
      const began = Math.max(...[...(azA(world)?.invocations ?? [])].map(({ startedAt }) => startedAt));
      truths.get(isTrue(world, "backing-off"))?.push(world.queue.now - began);
      world.run(500);
    }
    expect(Math.max(...(truths.get(true) ?? []))).toBeLessThanOrEqual(4_000);
    expect(Math.min(...(truths.get(false) ?? []))).toBeGreaterThan(4_000);
  });

  it("S12: is nobody's who is no voter", () => {
    expect(new ReasonTruths(new Scenario("reasons", {}).world).of("az-x")).toEqual([]);
  });
});
