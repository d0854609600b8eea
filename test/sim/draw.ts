// What a seed draws before anything happens: how the group is set up, which kinds of faults exist in this world and how
// strong they are, and when each of them comes. Few kinds in each world: with everything on at once, one fault hides what
// another would have shown.

import type { DeclaredConfig } from "../../lib/core/config.ts";
import { AIMS } from "./aims.ts";
import type { ClientOptions } from "./client.ts";
import type { Dice } from "./dice.ts";
import { MOST_VOTERS, USUAL_VOTERS, zonesOf } from "./group.ts";
import type { Fault, FaultPlan, Occasion, PlannedFault, Restart, Settings } from "./plan.ts";
import type { RestartData } from "./valkey-words.ts";
import type { WorldOptions } from "./world.ts";

/** Faults begin in this span; before it the group is adopted and armed, after it everything is healed. */
export const FAULTS_FROM_MS = 22_000;
export const FAULTS_UNTIL_MS = 75_000;

type Among = readonly [nodes: readonly string[], zones: readonly string[]];
type Draw = (dice: Dice, ...among: Among) => Fault;

const node = (dice: Dice, nodes: readonly string[]): string => dice.pick(["primary", "primary", "replica", ...nodes]);
const voter = (dice: Dice, zones: readonly string[]): string => dice.pick(["holder", "*", ...zones]);
/** Mostly short: what heals by itself within a bound, or just after it, is where decisions race. */
const duration = (dice: Dice, mostMs: number): number => Math.floor(mostMs * dice.fraction() ** 2) + 20;

function restart(dice: Dice, data: readonly RestartData[]): Restart | null {
  if (dice.chance(0.1)) return null;
  return { afterMs: dice.chance(0.5) ? duration(dice, 1_000) : duration(dice, 20_000), data: dice.pick(data) };
}

const settings = (dice: Dice): Settings =>
  dice.pick<Settings>([
    { downAfterMs: 1_000 },
    { downAfterMs: 2_000 },
    { downAfterMs: 5_000 },
    { onPossibleLoss: "promote" },
    { onPossibleLoss: "refuse", waitK: 1, offsetToleranceBytes: 0 },
    { coldStart: "wait" },
    { writeHoldAfterMs: 0 },
    { leaseMs: 10_000 },
    { failoverBudget: 1 },
    { writeDead: "alarm" },
  ]);

/** Longer than any clock is wrong: who ends it is the operator alone. */
const LONG_PAUSE_MS = 1_800_000;
/** A declaration is read every five seconds. */
const READ_MS = 6_000;

function control(dice: Dice): Fault {
  const forMs = duration(dice, 40_000);
  if (dice.chance(0.5)) return { kind: "control", mode: "observe", forMs: READ_MS + forMs };
  const expiresAfterMs = dice.pick([forMs, Math.ceil(forMs / 2), LONG_PAUSE_MS]);
  return { kind: "control", mode: "paused", forMs, expiresAfterMs };
}

const KEEPS_DATA: readonly RestartData[] = ["rdb", "rdb", "rdb", "aof"];
const ANY_DATA: readonly RestartData[] = ["rdb", "old-rdb", "aof", "empty", "empty"];

/** Now and then an order that expires before it can be carried out, or in the middle. */
const expiry = (dice: Dice): { readonly ttlMs?: number } => (dice.chance(0.2) ? { ttlMs: duration(dice, 4_000) } : {});

/** Every kind of fault that a swarm may have. */
const DRAWS: Readonly<Record<string, Draw>> = {
  kill: (dice, nodes) => ({ kind: "kill-node", node: node(dice, nodes), restart: restart(dice, KEEPS_DATA) }),
  "kill and lose": (dice, nodes) => ({ kind: "kill-node", node: node(dice, nodes), restart: restart(dice, ANY_DATA) }),
  terminate: (dice, nodes) => ({ kind: "terminate-node", node: node(dice, nodes), restart: restart(dice, ["rdb"]) }),
  "power off": (dice, nodes) => ({ kind: "power-off", node: node(dice, nodes), restart: restart(dice, KEEPS_DATA) }),
  hang: (dice, nodes) => ({ kind: "hang-node", node: node(dice, nodes), forMs: duration(dice, 20_000) }),
  busy: (dice, nodes) => ({ kind: "busy-node", node: node(dice, nodes), forMs: duration(dice, 25_000) }),
  "write dead": (dice, nodes) => ({ kind: "write-dead", node: node(dice, nodes), forMs: duration(dice, 20_000) }),
  "failing over": (dice, nodes) => ({ kind: "failing-over", node: node(dice, nodes), forMs: duration(dice, 15_000) }),
  save: (dice, nodes) => ({ kind: "save", node: node(dice, nodes) }),
  "cut pair": (dice, nodes, zones) => ({
    kind: "cut",
    from: `node:${dice.pick(nodes)}`,
    to: dice.pick(["node:*", "voter:*", "client:*", ...zones.map((each) => `voter:${each}`), "node:n1", "node:n2"]),
    oneWay: dice.chance(0.3),
    forMs: duration(dice, 30_000),
  }),
  "cut zone": (dice, _, zones) => ({
    kind: "isolate-zone",
    zone: dice.pick(zones),
    store: dice.chance(0.3),
    forMs: duration(dice, 40_000),
  }),
  "cut store": (dice, _, zones) => ({
    kind: "cut",
    from: dice.pick(["voter:*", ...zones.map((each) => `voter:${each}`)]),
    to: "store",
    oneWay: dice.chance(0.3),
    forMs: duration(dice, 20_000),
  }),
  slow: (dice) => ({
    kind: "slow",
    from: dice.pick(["*", "node:*", "voter:*", "node:n1"]),
    to: dice.pick(["*", "node:*", "store", "node:n2"]),
    extraMs: duration(dice, 800),
    forMs: duration(dice, 30_000),
  }),
  lossy: (dice) => ({
    kind: "lossy",
    from: "*",
    to: "*",
    rate: dice.between(0.001, 0.1),
    forMs: duration(dice, 30_000),
  }),
  drops: (dice) => ({
    kind: "drops",
    from: dice.pick(["*", "voter:*", "node:*"]),
    to: dice.pick(["*", "node:*", "store"]),
    rate: dice.between(0.001, 0.2),
    forMs: duration(dice, 30_000),
  }),
  reset: (dice, nodes, zones) => ({ kind: "reset", voter: voter(dice, zones), node: node(dice, nodes) }),
  "store weather": (dice) => ({
    kind: "store-weather",
    weather: {
      throttleRate: dice.pick([0, 0, 0.3]),
      lostRequestRate: dice.pick([0, 0.1]),
      lostAnswerRate: dice.pick([0, 0.3]),
      lateRate: dice.pick([0, 0.1]),
      lateMs: 6_000,
      slowRate: 0.2,
      slowMs: 300,
      staleRate: 1,
      staleMs: 1_500,
    },
    forMs: duration(dice, 40_000),
  }),
  "publication weather": (dice) => ({
    kind: "publication-weather",
    weather: {
      failRate: dice.pick([0, 0.3, 1]),
      lostAnswerRate: dice.pick([0, 0.3]),
      slowMs: dice.pick([0, 500, 4_000]),
    },
    forMs: duration(dice, 30_000),
  }),
  "kill voter": (dice, _, zones) => ({ kind: "kill-voter", voter: voter(dice, zones) }),
  "freeze voter": (dice, _, zones) => ({
    kind: "freeze-voter",
    voter: voter(dice, zones),
    forMs: duration(dice, 25_000),
  }),
  "no invocations": (dice, _, zones) => ({
    kind: "no-invocations",
    voter: voter(dice, zones),
    forMs: duration(dice, 60_000),
  }),
  invoke: (dice, _, zones) => ({ kind: "invoke", voter: voter(dice, zones) }),
  "wall jump": (dice, _, zones) => ({
    kind: "wall-jump",
    voter: voter(dice, zones),
    byMs: dice.between(-90_000, 90_000),
  }),
  switchover: (dice, nodes) => ({
    kind: "request",
    request: "switchover",
    target: dice.pick([null, ...nodes]),
    acceptDataLoss: false,
    ...expiry(dice),
  }),
  failover: (dice, nodes) => ({
    kind: "request",
    request: "failover",
    target: dice.pick([null, null, ...nodes]),
    acceptDataLoss: dice.chance(0.7),
    ...expiry(dice),
  }),
  drain: (dice, nodes) => ({
    kind: "request",
    request: "drain",
    target: node(dice, nodes),
    acceptDataLoss: false,
    ...expiry(dice),
  }),
  recover: (dice, nodes) => ({
    kind: "request",
    request: "recover",
    target: node(dice, nodes),
    acceptDataLoss: dice.chance(0.8),
    ...expiry(dice),
  }),
  "set members": () => ({ kind: "request", request: "set-members", target: null, acceptDataLoss: false }),
  control,
  "wrong password": (dice, nodes) => ({
    kind: "wrong-password",
    node: node(dice, nodes),
    forMs: duration(dice, 15_000),
  }),
  "forbidden command": (dice, nodes) => ({
    kind: "forbid-replicaof",
    node: node(dice, nodes),
    forMs: duration(dice, 30_000),
  }),
  "parameter by hand": (dice, nodes) => ({ kind: "parameter-by-hand", to: node(dice, nodes) }),
  "replicaof by hand": (dice, nodes) => ({
    kind: "replicaof-by-hand",
    node: node(dice, nodes),
    to: dice.pick([null, null, "primary", "replica"]),
  }),
  deploy: (dice) => ({
    kind: "deploy",
    settings: dice.chance(0.7) ? settings(dice) : {},
    egress: dice.chance(0.5),
    forMs: duration(dice, 60_000),
  }),
  settings: (dice) => ({ kind: "settings", settings: settings(dice), forMs: duration(dice, 60_000) }),
  undeclare: (dice, nodes) => ({
    kind: "undeclare",
    node: dice.pick(["replica", ...nodes.slice(1)]),
    forMs: duration(dice, 40_000),
  }),
  restore: (dice) => ({
    kind: "restore-table",
    backMs: duration(dice, 50_000),
    forMs: Math.floor(dice.between(1_000, 8_000)),
  }),
  "damaged record": (dice) => ({
    kind: "damage-ballot",
    ...dice.pick([{}, {}, { lacks: "members" }, { lacks: "control" }, { lacks: "lineage" }] as const),
    forMs: duration(dice, 20_000),
  }),
  "record set back": (dice) => ({ kind: "set-back-ballot", backMs: duration(dice, 30_000) }),
  "deleted record": () => ({ kind: "delete-ballot" }),
};

/** Aimed at who just did something, at the moment after: what is drawn freely seldom hits it. */
const AIMED: readonly Draw[] = [
  () => ({ kind: "kill-voter", voter: "writer" }),
  (dice) => ({ kind: "freeze-voter", voter: "writer", forMs: duration(dice, 45_000) }),
  (dice, _, zones) => ({
    kind: "cut",
    from: `voter:${dice.pick(zones)}`,
    to: "store",
    oneWay: dice.chance(0.5),
    forMs: 12_000,
  }),
  (dice) => ({ kind: "cut", from: "voter:*", to: "node:*", oneWay: dice.chance(0.5), forMs: duration(dice, 8_000) }),
  (dice, nodes) => ({
    kind: "kill-node",
    node: dice.pick(["primary", "replica", ...nodes.slice(1, 2)]),
    restart: restart(dice, KEEPS_DATA),
  }),
  (dice) => ({ kind: "kill-node", node: "primary", restart: restart(dice, KEEPS_DATA) }),
  control,
];

const AIMED_AT = [
  "lease.acquired",
  "candidate.selected",
  "intent.recorded",
  "promotion.applied",
  "primary.committed",
] as const;

function aimed(dice: Dice, among: Among): PlannedFault {
  const when = { event: dice.pick(AIMED_AT), nth: 1 + dice.below(2) };
  const at = dice.chance(0.5) ? { ...when, plusSteps: 1 + dice.below(4) } : { ...when, plusMs: dice.between(0, 4) };
  return { at, fault: dice.pick(AIMED)(dice, ...among) };
}

/** Moments in an operation at which a stop hurts most. */
const DELICATE = [
  "primary.subjectively-down",
  "lease.acquired",
  "lease.taken-over",
  "node.frozen",
  "candidate.selected",
  "intent.recorded",
  "promotion.applied",
  "primary.committed",
  "switchover.paused",
  "switchover.caught-up",
  "fence.parked",
  "replica.repointed",
] as const;

/** What makes voters begin something, so that there is something to disturb. */
const BEGINNINGS = [
  "kill",
  "kill and lose",
  "terminate",
  "power off",
  "hang",
  "cut zone",
  "write dead",
  "switchover",
  "failover",
  "drain",
];

const time = (dice: Dice): number => Math.floor(dice.between(FAULTS_FROM_MS, FAULTS_UNTIL_MS));

function occasion(dice: Dice): Occasion {
  if (dice.chance(0.4)) return time(dice);
  const when = { event: dice.pick(DELICATE), nth: 1 + dice.below(3) };
  return dice.chance(0.5)
    ? { ...when, plusSteps: 1 + dice.below(4) }
    : { ...when, plusMs: duration(dice, dice.pick([5, 200, 6_000])) };
}

/** Of all seeds; each aim is then met some thirty times in two thousand. */
const AIMED_SHARE = 0.4;

/** For such a world. */
export function drawPlan(dice: Dice, { nodes = [], voters }: Pick<WorldOptions, "nodes" | "voters">): FaultPlan {
  const among: Among = [nodes, zonesOf(voters)];
  const draw = (kind: string) => (DRAWS[kind] as Draw)(dice, ...among);
  const kinds = Object.keys(DRAWS);
  const present = Array.from({ length: 1 + dice.below(5) }, () => dice.pick(kinds));
  // Rarely drawn among so many, and what a person does meets most of what else goes wrong.
  if (dice.chance(0.1)) present.push("control");
  const beginnings = Array.from({ length: 1 + dice.below(3) }, () => ({
    at: time(dice),
    fault: draw(dice.pick(BEGINNINGS)),
  }));
  const faults = 1 + dice.below(dice.pick([3, 6, 14]));
  const others = Array.from({ length: faults }, () => ({ at: occasion(dice), fault: draw(dice.pick(present)) }));
  const assaults = Array.from({ length: dice.chance(0.5) ? 1 + dice.below(2) : 0 }, () => aimed(dice, among));
  if (dice.chance(AIMED_SHARE))
    return [...dice.pick(AIMS)(dice, nodes), ...(dice.chance(0.5) ? others.slice(0, 2) : [])];
  return [...beginnings, ...others, ...assaults];
}

/** Of all seeds; the other groups have three. */
const MANY_VOTERS = 0.15;
const NAMES = ["n1", "n2", "n3", "n4", "n5"];

const CLIENTS: readonly ClientOptions[] = [
  { name: "plain", zone: "az-a", waitFor: 0, everyMs: 250, habit: "follow" },
  { name: "careful", zone: "az-b", waitFor: 1, everyMs: 250, habit: "follow" },
  { name: "careful-too", zone: "az-c", waitFor: 2, everyMs: 500, habit: "follow" },
  { name: "loyal", zone: "az-a", waitFor: 1, everyMs: 400, habit: "stay" },
];

/** Everything but the engine and the plan. */
export function drawWorld(dice: Dice): Omit<WorldOptions, "seed" | "startVoter" | "plan"> {
  const refuses = dice.chance(0.5);
  const nodes = NAMES.slice(0, dice.pick([2, 3, 3, 3, 3, 4, 5]));
  const voters = dice.chance(MANY_VOTERS) ? MOST_VOTERS : USUAL_VOTERS;
  const config: Partial<DeclaredConfig> = {
    downAfterMs: dice.pick([1_000, 2_000, 5_000]),
    armAfterMs: 3_000,
    ...(dice.chance(0.2) ? { refusedAfterMs: 0 } : {}),
    ...(dice.chance(0.2) ? { writeHoldAfterMs: 0 } : {}),
    ...(refuses ? { onPossibleLoss: "refuse", waitK: nodes.length === 5 && dice.chance(0.5) ? 2 : 1 } : {}),
    ...(refuses && dice.chance(0.3) ? { coldStart: "best" } : {}),
    ...(!refuses && dice.chance(0.2) ? { offsetToleranceBytes: dice.pick([200, 20_000]) } : {}),
    ...(dice.chance(0.1) ? { writeDead: "alarm" } : {}),
    ...(dice.chance(0.1) ? { failoverBudget: 1 } : {}),
  };
  // One that is always behind: with all of them alike, any choice among them is a good one.
  const slow = dice.chance(0.3) ? { [dice.pick(nodes.slice(1))]: { applyMs: 400 } } : {};
  const preferred = dice.chance(0.2) ? { [dice.pick(nodes)]: { priority: dice.pick([0, 10]) } } : {};
  const isNew = dice.chance(0.05);
  const drawn = {
    nodes,
    voters,
    nodeOptions: {
      bootFence: isNew || dice.chance(0.75),
      sharedUser: dice.chance(0.15),
      savesSnapshots: dice.chance(0.5),
      minReplicasToWrite: dice.pick([0, 0, 1]),
      minReplicasMaxLagSeconds: dice.pick([1, 2, 10]),
      pingReplicaPeriodSeconds: dice.pick([1, 1, 10]),
      backlogBytes: dice.pick([1_048_576, 1_048_576, 2_000]),
      backlogTtlSeconds: dice.pick([3_600, 8]),
      disklessSyncDelaySeconds: dice.pick([0, 0, 5]),
      transferMs: dice.pick([30, 300, 3_000]),
      loadMs: dice.pick([5, 5, 50, 50, 1_500, 9_000]),
      applyMs: dice.pick([0.1, 1, 40]),
      initialKeys: isNew ? 0 : dice.pick([0, 100]),
    },
    nodeOptionsOf: { ...slow, ...preferred },
    setup: isNew ? ("new" as const) : ("running" as const),
    clients: CLIENTS,
    publishesDirectly: dice.chance(0.7),
    schedule: {
      skipRate: dice.pick([0, 0, 0.2]),
      duplicateRate: dice.pick([0, 0.2]),
      lateMs: dice.pick([2_000, 30_000]),
    },
    clockRates: zonesOf(voters).map(() => 1 + dice.between(-0.0005, 0.0005)),
    economy: dice.chance(0.15),
    timeline: false,
  };
  const stopInstance = dice.pick(["off", "off", "off", "off", "off", "off", "best-effort", "required"] as const);
  return { ...drawn, config: stopInstance === "off" ? config : { ...config, stopInstance } };
}
