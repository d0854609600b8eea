// For each rule one world and one plan of faults in which the rule is needed: with the rule nothing is broken, without it
// the promise that is named. Written by hand, because a swarm meets most of them once in thousands of seeds.

import type { DeclaredConfig } from "../../lib/core/config.ts";
import type { ClientOptions } from "../sim/client.ts";
import type { Fault, Occasion, PlannedFault, Restart } from "../sim/plan.ts";
import type { Case, DrawnWorld, SeedRun } from "../sim/swarm.ts";

export interface Schedule {
  /** Of the removal that it catches. */
  readonly rule: string;
  /** What comes to pass without the rule, in a sentence. */
  readonly story: string;
  /** The promise that is broken then; of a rule's own number, where what it protects is not a promise: R17, R22. */
  readonly breaks: string;
  readonly case: Case;
  /** What else must be so in the end: says what is not. */
  readonly ends?: (run: SeedRun) => string | null;
}

const HEAL_AT_MS = 80_000;

const CLIENTS: readonly ClientOptions[] = [
  { name: "plain", zone: "az-a", waitFor: 0, everyMs: 250, habit: "follow" },
  { name: "careful", zone: "az-b", waitFor: 1, everyMs: 100, habit: "follow" },
  { name: "loyal", zone: "az-a", waitFor: 1, everyMs: 100, habit: "stay" },
];
const PROMOTES: Partial<DeclaredConfig> = { downAfterMs: 1_000, armAfterMs: 3_000 };
const REFUSES: Partial<DeclaredConfig> = { ...PROMOTES, onPossibleLoss: "refuse", waitK: 1 };

const kill = (node: string, restart: Restart | null = null): Fault => ({ kind: "kill-node", node, restart });
const powerOff = (node: string): Fault => ({ kind: "power-off", node, restart: null });
const hang = (node: string, forMs: number): Fault => ({ kind: "hang-node", node, forMs });
const cut = (from: string, to: string, forMs: number): Fault => ({ kind: "cut", from, to, oneWay: false, forMs });
const cutOneWay = (from: string, to: string, forMs: number): Fault => ({ kind: "cut", from, to, oneWay: true, forMs });
const slow = (from: string, to: string, extraMs: number, forMs: number): Fault => ({
  kind: "slow",
  from,
  to,
  extraMs,
  forMs,
});
const promotesByHand = (node: string): Fault => ({ kind: "replicaof-by-hand", node, to: null });
const killWriter: Fault = { kind: "kill-voter", voter: "writer" };
const switchover = (target: string): Fault => ({
  kind: "request",
  request: "switchover",
  target,
  acceptDataLoss: false,
});

const at = (occasion: Occasion, ...faults: readonly Fault[]): readonly PlannedFault[] =>
  faults.map((fault) => ({ at: occasion, fault }));

/** In a world of three alike nodes where loss is refused, but for what `world` says. */
const caseOf = (seed: string, world: DrawnWorld, ...plan: readonly (readonly PlannedFault[])[]): Case => ({
  seed,
  world: { clients: CLIENTS, config: REFUSES, ...world },
  plan: plan.flat(),
  healAtMs: HEAL_AT_MS,
});

const declared = (hosts: Readonly<Record<string, string>>): DeclaredConfig["nodes"] =>
  Object.entries(hosts).map(([id, host], index) => ({
    id: id as DeclaredConfig["nodes"][number]["id"],
    host,
    port: 6379,
    zone: ["az-a", "az-b", "az-c"][index] as string,
    priority: null,
    announce: null,
  }));

const staysPrimary =
  (id: string) =>
  ({ world }: SeedRun): string | null =>
    world.node(id).process?.follows === null ? null : `a person made ${id} a primary, and it is none any more`;

const handsOverTo =
  (id: string) =>
  ({ world }: SeedRun): string | null =>
    world.ballot()?.primary?.node === id ? null : `the switchover to ${id} that was ordered was not carried out`;

const waitsForNobody = ({ result }: SeedRun): string | null =>
  result.waitsFor.length === 0 ? null : `left to a person: ${result.waitsFor.join(", ")}`;

export const SCHEDULES: readonly Schedule[] = [
  {
    rule: "R1",
    story: "The primary wakes beside the candidate, and goes on acknowledging with a replica that still follows it.",
    breaks: "S9",
    case: caseOf("R1", {}, at(30_000, hang("n1", 1_500)), at({ event: "intent.recorded", plusMs: 2.9 }, killWriter)),
  },
  {
    rule: "R2",
    story: "The replica that acknowledged is not reached, and the other one is promoted.",
    breaks: "S9",
    case: caseOf(
      "R2",
      {},
      at(29_900, cut("node:n1", "node:n3", 12_000)),
      at(30_000, cut("voter:*", "node:n2", 12_000)),
      at(30_500, kill("n1")),
    ),
  },
  {
    rule: "R3",
    story: "A primary that was cut off wrote on alone; its old history is longer than the new one.",
    breaks: "S9",
    case: caseOf(
      "R3",
      { clients: [...CLIENTS, { name: "busy", zone: "az-a", waitFor: 0, everyMs: 10, habit: "stay" }] },
      at(30_000, cut("node:n1", "voter:*", 12_000), cut("node:n1", "node:*", 12_000)),
      at(30_000, cut("node:n1", "client:careful", 12_000)),
      at(41_990, kill("n2")),
    ),
  },
  {
    rule: "R4",
    story: "The replica that acknowledged comes back with an old snapshot, and is counted as one that has it all.",
    breaks: "S9",
    case: caseOf(
      "R4",
      {},
      at(27_000, { kind: "save", node: "n2" }),
      at(29_900, cut("node:n1", "node:n3", 12_000)),
      at(30_000, kill("n2", { afterMs: 100, data: "old-rdb" }), kill("n1")),
    ),
  },
  {
    rule: "R5",
    story: "A frozen replica restarts, follows the old primary again, and acknowledges to it what nobody else gets.",
    breaks: "S9",
    case: caseOf(
      "R5",
      { nodeOptions: { bootFence: false } },
      at(
        30_000,
        cut("node:n1", "node:n2", 20_000),
        cut("node:n1", "voter:*", 20_000),
        cut("node:n1", "node:n3", 2_500),
      ),
      at({ event: "candidate.selected" }, kill("n3", { afterMs: 2_500, data: "rdb" })),
      at(32_000, cut("node:n3", "voter:*", 6_000)),
      at(50_000, kill("n2")),
    ),
  },
  {
    rule: "R7",
    story: "The ballot is put back as it was: nodes that a later epoch has frozen are frozen by an earlier one.",
    breaks: "S2",
    case: caseOf(
      "R7",
      { config: PROMOTES },
      at(29_000, { kind: "record-copied" }),
      at(30_000, kill("n1")),
      at({ event: "node.frozen", nth: 2 }, killWriter),
      at({ event: "node.frozen", nth: 4 }, { kind: "record-put-back" }, { kind: "kill-voter", voter: "*" }),
    ),
  },
  {
    rule: "R8 order",
    story: "A publication that was late arrives behind the next one.",
    breaks: "S2",
    case: caseOf(
      "R8order",
      {},
      at(30_000, kill("n1")),
      at(
        { event: "promotion.applied", plusMs: 3 },
        { kind: "store-weather", weather: { lateRate: 1, lateMs: 30_000 }, forMs: 15 },
      ),
    ),
  },
  {
    rule: "R8 repair",
    story: "A parameter that somebody overwrote stays so.",
    breaks: "L1",
    case: caseOf("R8repair", {}, at(70_000, { kind: "parameter-by-hand", to: "n2" })),
  },
  {
    rule: "R9 look",
    story:
      "A voter that has lost the table freezes, by the intent that it saw last, the primary that was restored since.",
    breaks: "S2",
    case: caseOf(
      "R9looka",
      {},
      at(30_000, cut("node:n1", "node:*", 2_000), cut("node:n1", "voter:*", 2_000)),
      at(30_000, cut("node:n1", "voter:az-a", 12_000)),
      at({ event: "intent.recorded" }, killWriter),
      at(31_600, cut("voter:az-a", "store", 20_000)),
    ),
  },
  {
    rule: "R9 kill",
    story: "A freeze that was nine seconds under way takes effect behind those of the next epoch.",
    breaks: "S2",
    case: caseOf(
      "R9kill",
      {},
      at(30_000, kill("n1")),
      at({ event: "primary.objectively-down", plusMs: 1 }, slow("voter:*", "node:n3", 9_000, 20)),
      at({ event: "lease.acquired", plusSteps: 1 }, { kind: "freeze-voter", voter: "writer", forMs: 20_000 }),
    ),
  },
  {
    rule: "R10",
    story: "The first voter whose bound is over begins on the suspicions of the others.",
    breaks: "S3",
    case: caseOf("R10", {}, at(30_000, powerOff("n1"))),
  },
  {
    rule: "R11 freeze",
    story: "The holder dies behind the promotion; the pause ends, and the old primary accepts what the new one lacks.",
    breaks: "S9",
    case: caseOf("R11", {}, at(30_000, switchover("n2")), at({ event: "intent.recorded", plusMs: 2.2 }, killWriter)),
  },
  {
    rule: "R12",
    story: "The holder dies behind the promotion, and nothing says that it was no person's.",
    breaks: "L2",
    case: caseOf("R12", {}, at(30_000, kill("n1")), at({ event: "promotion.applied" }, killWriter)),
    ends: waitsForNobody,
  },
  {
    rule: "R13",
    story: "A primary that restarts empty within its bound is taken for what it was.",
    breaks: "L1",
    case: caseOf("R13", { nodeOptions: { bootFence: false } }, at(30_000, kill("n1", { afterMs: 150, data: "empty" }))),
  },
  {
    rule: "R14",
    story: "Two voters hand over while the bound runs, and their successors begin it anew.",
    breaks: "L2",
    case: caseOf(
      "R14",
      { config: { ...REFUSES, downAfterMs: 5_000 }, schedule: { lateMs: 1 } },
      at(62_000, powerOff("n1")),
    ),
  },
  {
    rule: "R15",
    story: "Votes that were late come over those that were cast since.",
    breaks: "S7",
    case: caseOf(
      "R15",
      { config: { ...REFUSES, downAfterMs: 5_000 } },
      at(30_000, hang("n1", 3_000)),
      at(
        { event: "primary.suspected" },
        { kind: "store-weather", weather: { lateRate: 0.5, lateMs: 3_000 }, forMs: 1_500 },
      ),
    ),
  },
  {
    rule: "R16",
    story: "The others silence each new primary beside the repair that follows.",
    breaks: "L4",
    case: caseOf(
      "R16",
      {},
      at(30_000, switchover("n2")),
      at({ event: "switchover.paused" }, cut("node:n1", "node:n2", 6_000)),
    ),
  },
  {
    rule: "R17",
    story: "The write hold that is over ends a switchover's pause with its own, and the target never catches up.",
    breaks: "R17",
    case: caseOf(
      "R17/4",
      { config: { ...REFUSES, downAfterMs: 5_000 } },
      at(30_000, cut("voter:az-a", "node:n2", 20_000), cut("voter:az-a", "node:n3", 20_000)),
      at(30_000, cut("node:n1", "node:*", 2_900)),
      at(30_000, cut("node:n1", "voter:az-b", 3_000), cut("node:n1", "voter:az-c", 2_900)),
      at(32_800, slow("voter:az-a", "store", 150, 3_000)),
      at(32_990, switchover("n2")),
      at({ event: "switchover.paused" }, slow("voter:*", "node:n2", 400, 600)),
      at({ event: "switchover.paused", plusMs: 4 }, cut("node:n1", "node:n2", 4_000)),
    ),
    ends: handsOverTo("n2"),
  },
  {
    rule: "R18 distinct",
    story: "A declared name leads to another node's process, which is counted twice.",
    breaks: "S9",
    case: caseOf(
      "R18distinct",
      {
        nodes: ["n1", "n2", "n4"],
        aliases: { "10.0.9.10": "n2" },
        config: { ...REFUSES, nodes: declared({ n1: "10.0.1.10", n2: "10.0.2.10", n3: "10.0.9.10" }) },
      },
      at(29_900, cut("node:n1", "node:n2", 12_000)),
      at(30_500, kill("n1")),
    ),
  },
  {
    rule: "R18 grows",
    story: "A replica that nobody declared acknowledges, and is not counted among those that may have more.",
    breaks: "S9",
    case: caseOf(
      "R18grows",
      {
        nodes: ["n1", "n2", "n3", "n4"],
        config: { ...REFUSES, nodes: declared({ n1: "10.0.1.10", n2: "10.0.2.10", n3: "10.0.3.10" }) },
      },
      at(29_900, cut("node:n1", "node:n2", 12_000), cut("node:n1", "node:n3", 12_000)),
      at(30_500, kill("n1"), cut("node:n4", "voter:*", 30_000)),
    ),
  },
  {
    rule: "R19",
    story: "A record that is lost is begun anew at an epoch that another primary had.",
    breaks: "S1",
    case: caseOf(
      "R19",
      {},
      at(30_000, kill("n1", { afterMs: 2_000, data: "rdb" })),
      at(40_000, { kind: "record-lost" }),
    ),
  },
  {
    rule: "R20",
    story: "An attempt that promoted nobody is followed by the next within a second.",
    breaks: "L4",
    case: caseOf(
      "R20",
      { config: PROMOTES },
      at({ event: "lease.acquired" }, cut("voter:*", "node:n2", 1_500), cut("voter:*", "node:n3", 1_500)),
      at(34_000, hang("n1", 2_000)),
      at(36_200, hang("n1", 6_000)),
    ),
  },
  {
    rule: "R21",
    story:
      "The old primary gets its place back; the candidate's promotion arrives late, with a replica that follows it.",
    breaks: "S9",
    case: caseOf(
      "R21",
      {},
      at(29_900, cut("node:n3", "voter:*", 10_400)),
      at(30_000, switchover("n2")),
      at(39_800, cut("client:*", "node:n2", 2_000)),
      at(40_000, hang("n2", 1_400)),
      at({ event: "lease.acquired", nth: 2 }, cut("voter:*", "node:n3", 22_000)),
      at(
        { event: "intent.recorded", nth: 2, plusMs: 1.7 },
        cutOneWay("voter:*", "node:n1", 12_000),
        cutOneWay("node:n1", "voter:*", 20_000),
      ),
      at({ event: "intent.recorded", nth: 2, plusMs: 3 }, killWriter),
      at(66_000, kill("n2")),
    ),
  },
  {
    rule: "R22",
    story: "A node that a person made a primary is made a replica again.",
    breaks: "R22",
    case: caseOf("R22", {}, at(30_000, promotesByHand("n2"))),
    ends: staysPrimary("n2"),
  },
  {
    rule: "R23 weaken",
    story: "Successors put their suspicions over what their predecessors saw to its end.",
    breaks: "S7",
    case: caseOf(
      "R23",
      { config: { ...REFUSES, downAfterMs: 5_000 } },
      at(30_000, powerOff("n1"), powerOff("n3")),
      at(38_000, { kind: "deploy", settings: { downAfterMs: 5_000 }, egress: true, forMs: 600_000 }),
    ),
  },
  {
    rule: "R23 retract",
    story: "Successors that have heard nothing yet take back what their predecessors saw.",
    breaks: "L2",
    case: caseOf(
      "R23retract",
      { config: { ...REFUSES, downAfterMs: 5_000 }, schedule: { lateMs: 1 } },
      at(62_000, powerOff("n1")),
    ),
  },
  {
    rule: "R25 match",
    story: "A node that a person made a primary is taken for one that an intent made, and made a replica again.",
    breaks: "R22",
    case: caseOf(
      "R25match",
      { config: PROMOTES },
      at(30_000, cut("node:n2", "voter:*", 15_000), promotesByHand("n2")),
      at(32_000, kill("n1", { afterMs: 1_000, data: "rdb" })),
      at(38_000, kill("n3")),
    ),
    ends: staysPrimary("n2"),
  },
  {
    rule: "R25 hold",
    story: "A cold start passes over the data of a primary that restarted and was followed.",
    breaks: "S9",
    case: caseOf(
      "R25hold",
      {
        nodeOptions: { bootFence: false, savesSnapshots: true },
        config: { ...REFUSES, coldStart: "best" },
      },
      at(27_000, { kind: "save", node: "n1" }),
      at(29_900, cut("node:n1", "node:n2", 10_000)),
      at(30_000, cut("voter:*", "store", 3_000), kill("n1", { afterMs: 100, data: "old-rdb" })),
    ),
  },
  {
    rule: "quorum",
    story: "One voter has lost the primary, which the others reach.",
    breaks: "S3",
    case: caseOf("quorum", {}, at(30_000, cut("voter:az-a", "node:n1", 12_000), cut("node:n1", "node:*", 12_000))),
  },
  {
    rule: "best",
    story: "The replica that is behind is promoted over one that is not.",
    breaks: "S6",
    case: caseOf("best", { config: PROMOTES }, at(29_500, cut("node:n1", "node:n2", 12_000)), at(30_000, kill("n1"))),
  },
  {
    rule: "take-over",
    story: "The holder dies behind the grant, and its lease stays for ever.",
    breaks: "S11",
    case: caseOf(
      "takeover",
      {},
      at(30_000, kill("n1")),
      at({ event: "lease.acquired" }, killWriter, { kind: "save", node: "n2" }),
    ),
  },
  {
    rule: "assisted fence",
    story: "A primary that one voter alone reaches goes on beside the new one, with a client that stays with it.",
    breaks: "S5",
    case: caseOf(
      "assisted",
      { config: { ...PROMOTES, writeHoldAfterMs: 0 } },
      at(
        30_000,
        cut("node:n1", "node:*", 20_000),
        cut("node:n1", "voter:az-b", 20_000),
        cut("node:n1", "voter:az-c", 20_000),
      ),
      at(30_000, cut("voter:az-a", "node:n2", 20_000), cut("voter:az-a", "node:n3", 20_000)),
    ),
  },
];

export const scheduleOf = (rule: string): Schedule | undefined => SCHEDULES.find((each) => each.rule === rule);
