// Faults that belong together: what is drawn one by one seldom comes to these situations, and every one of them has to be
// met by a few thousand seeds.

import type { Dice } from "./dice.ts";
import type { Fault, FaultPlan, PlannedFault } from "./plan.ts";

type Aim = (dice: Dice, nodes: readonly string[]) => FaultPlan;

const after = (ms: number, fault: Fault): PlannedFault => ({ at: ms, fault });
const killed = (node: string, afterMs: number | null): Fault => ({
  kind: "kill-node",
  node,
  restart: afterMs === null ? null : { afterMs, data: "rdb" },
});
const cut = (from: string, to: string, forMs: number): Fault => ({ kind: "cut", from, to, oneWay: false, forMs });
const switchover: Fault = { kind: "request", request: "switchover", target: null, acceptDataLoss: false };
/** The first primary's zone, whose voter reaches the table. */
const CUT_OFF: Fault = { kind: "isolate-zone", zone: "az-a", store: false, forMs: 15_000 };
const paused = (forMs: number): Fault => ({ kind: "control", mode: "paused", forMs, expiresAfterMs: 1_800_000 });
const killWriter: Fault = { kind: "kill-voter", voter: "writer" };
const promotes: Fault = { kind: "settings", settings: { onPossibleLoss: "promote" }, forMs: 60_000 };
const quick: Fault = { kind: "settings", settings: { downAfterMs: 1_000 }, forMs: 50_000 };
const SOON_MS = 24_000;

const begin = (dice: Dice): number => Math.floor(dice.between(SOON_MS, 60_000));

/** It wakes to the freeze of an attempt that promoted nobody (L4): what asks for the silence of L4 at all. */
const wakesToFreeze: Aim = (dice, nodes) => [
  after(SOON_MS, { kind: "hang-node", node: "n1", forMs: Math.floor(dice.between(16_000, 26_000)) }),
  ...nodes.slice(1).map((node) => ({ at: { event: "lease.acquired" } as const, fault: killed(node, null) })),
];

/** Cut off with its voter until another is primary, and reached again over slow ways: what asks for the window of S5 at all. */
const reachedSlowly: Aim = (dice) => {
  const at = Math.floor(dice.between(SOON_MS, 34_000));
  const cutOff = (zone: string, node: string, from: number): FaultPlan => {
    const forMs = Math.floor(dice.between(9_000, 13_000));
    const slow: Fault = { kind: "slow", from: "voter:*", to: `node:${node}`, extraMs: 150, forMs: 8_000 };
    return [after(from, { ...CUT_OFF, zone, store: true, forMs }), after(from + forMs - 1_000, slow)];
  };
  return [...cutOff("az-a", "n1", at), ...cutOff("az-b", "n2", at + 26_000)];
};

/** What was learned since a node came back, or since a failover, is taken from the record, and the primary is lost beside it. */
const forgotten: Aim = (dice) => {
  const at = begin(dice);
  const learnedMs = dice.between(3_000, 8_000);
  const first = dice.pick<Fault>([
    { kind: "terminate-node", node: "replica", restart: { afterMs: 400, data: "rdb" } },
    killed("primary", 400),
  ]);
  return [
    after(at, first),
    after(at + learnedMs, { kind: "set-back-ballot", backMs: learnedMs + 2_000 }),
    after(at + learnedMs + dice.between(0, 3_000), killed("primary", dice.pick([null, 10_000]))),
  ];
};

export const AIMS: readonly Aim[] = [
  // Attempts that come to nothing, each for as long as one may take: the rests between them grow (L4).
  (dice) => [
    after(SOON_MS, killed("primary", null)),
    ...[1, 2].map((nth) => ({
      at: { event: "lease.acquired", nth, plusSteps: 1 } as const,
      fault: cut("voter:*", "node:*", Math.floor(dice.between(10_500, 12_500))),
    })),
  ],
  (dice) => {
    const at = begin(dice);
    const lost = dice.pick([killed("primary", 40_000), CUT_OFF]);
    return [
      after(at, { kind: "control", mode: "observe", forMs: 30_000 }),
      after(at + dice.between(5_500, 9_000), lost),
    ];
  },
  // The primary is lost, or cut off beside its voter, under a pause that nobody's clock ends.
  (dice) => {
    const at = begin(dice);
    return [
      after(at, paused(20_000)),
      after(at + dice.between(0, 3_000), dice.pick([killed("primary", 40_000), CUT_OFF])),
    ];
  },
  // What would be repaired, or fenced from where it is seen, comes under a pause.
  (dice) => {
    const at = begin(dice);
    const comes = { kind: "terminate-node", node: "replica", restart: { afterMs: 400, data: "rdb" } } as const;
    return [after(at, paused(20_000)), after(at + 500, comes)];
  },
  (dice) => [
    after(begin(dice), { ...CUT_OFF, store: true }),
    { at: { event: "failover.completed", plusMs: dice.between(0, 500) }, fault: paused(25_000) },
  ],
  // Paused in the middle of a repair, beside which the primary is lost.
  (dice) => [
    after(begin(dice), { kind: "terminate-node", node: "replica", restart: { afterMs: 400, data: "rdb" } }),
    { at: { event: "operation.begun", plusSteps: dice.below(3) + 1 }, fault: killed("primary", 20_000) },
    { at: { event: "operation.begun", plusMs: dice.between(0, 150) }, fault: paused(15_000) },
  ],
  // The target is lost to sight after the freeze, and the holder dies in the middle of the way back.
  (dice, nodes) => [
    after(begin(dice), switchover),
    ...nodes.slice(1).map((node) => ({
      at: { event: "switchover.caught-up" } as const,
      fault: cut("voter:*", `node:${node}`, 5_000),
    })),
    { at: { event: "intent.recorded", plusSteps: 1 }, fault: killWriter },
  ],
  // The target cannot catch up under the pause; the holder may die on the way back.
  (dice) => [
    after(begin(dice), switchover),
    { at: { event: "switchover.paused" }, fault: cut("node:*", "node:*", 5_000) },
    ...(dice.chance(0.6) ? [{ at: { event: "intent.recorded", plusSteps: 1 } as const, fault: killWriter }] : []),
  ],
  // The primary dies in the hands of a switchover, before or after its freeze.
  (dice) => [
    after(begin(dice), switchover),
    {
      at: { event: dice.pick(["switchover.paused", "switchover.caught-up"] as const), plusMs: dice.between(0, 3) },
      fault: killed("primary", 8_000),
    },
  ],
  // The target refuses its promotion, and whatever else would freeze it (L4).
  (dice, nodes) => {
    const at = begin(dice);
    const forMs = Math.floor(dice.between(1_000, 40_000));
    const forbids = nodes.map((node) => after(at, { kind: "forbid-replicaof", node, forMs } as const));
    const spared = dice.below(nodes.length);
    const stops = dice.chance(0.5)
      ? [
          {
            at: { event: "intent.recorded", plusSteps: dice.below(4) } as const,
            fault: killWriter,
          },
        ]
      : [];
    return [...forbids.filter((_, index) => index !== spared), after(at + 500, switchover), ...stops];
  },
  // Two who publish one after the other's, slowly.
  (dice) => {
    const at = begin(dice);
    const weather = { failRate: 0, lostAnswerRate: 0.3, slowMs: 4_000 };
    return [
      after(at, { kind: "publication-weather", weather, forMs: 20_000 }),
      after(at, { kind: "settings", settings: { downAfterMs: 1_000 }, forMs: 30_000 }),
      after(at + 100, switchover),
      ...[1, 2, 3].map((nth) => ({
        at: { event: "primary.committed", nth, plusMs: 300 } as const,
        fault: killed("primary", 2_500),
      })),
    ];
  },
  // All at once.
  (dice, nodes) => {
    const at = begin(dice);
    return nodes.map((node) => after(at, killed(node, Math.floor(dice.between(300, dice.pick([1_500, 6_000]))))));
  },
  // The primary is lost while another node is brought in line, by a holder that may die of it.
  (dice, nodes) => {
    const at = begin(dice);
    const lost = killed("primary", dice.pick([1_500, 20_000]));
    const astray = dice.pick<Fault>([
      { kind: "terminate-node", node: "replica", restart: { afterMs: 400, data: "rdb" } },
      { kind: "replicaof-by-hand", node: "replica", to: nodes.at(-1) ?? null },
    ]);
    return [
      after(at, quick),
      after(at + 500, astray),
      { at: { event: "operation.begun", plusMs: dice.between(0, 2) }, fault: lost },
      ...(dice.chance(0.8) ? [{ at: { event: "operation.begun", plusSteps: 1 } as const, fault: killWriter }] : []),
    ];
  },
  // The new primary is lost, and who made it one, before all is told.
  (dice) => [
    after(SOON_MS, quick),
    after(SOON_MS + 1_000, killed("primary", 300)),
    { at: { event: "primary.committed", plusSteps: 1 }, fault: killWriter },
    { at: { event: "primary.committed", plusMs: dice.between(0, 3) }, fault: killed("primary", 20_000) },
  ],
  // Whoever might be meant dies after its freeze, or with the intent.
  (dice, nodes) => {
    const event = dice.pick(["node.frozen", "intent.recorded"] as const);
    const nth = event === "node.frozen" ? 1 + dice.below(2) : 1;
    const others = nodes.slice(1).map((node) => ({ at: { event, nth }, fault: killed(node, dice.pick([800, 9_000])) }));
    return [after(SOON_MS, killed("primary", 15_000)), ...others];
  },
  // The holder's word comes when another holds the lease: late, or when it wakes.
  (dice) => [
    after(begin(dice), killed("primary", 20_000)),
    {
      at: { event: "intent.recorded" },
      fault: { kind: "store-weather", weather: { lateRate: 1, lateMs: 9_000 }, forMs: 500 },
    },
    {
      at: { event: "promotion.applied", plusSteps: dice.below(3) },
      fault: dice.chance(0.5) ? killWriter : { kind: "freeze-voter", voter: "writer", forMs: 8_000 },
    },
  ],
  (dice) => [
    after(begin(dice), killed("primary", 20_000)),
    {
      at: { event: dice.pick(["intent.recorded", "promotion.applied"] as const), plusSteps: dice.below(2) },
      fault: { kind: "freeze-voter", voter: "writer", forMs: Math.floor(dice.between(4_500, 12_000)) },
    },
  ],
  // Promoted, and whoever did it dies before it can say so.
  (dice) => [
    after(begin(dice), killed("primary", dice.pick([null, 20_000]))),
    dice.chance(0.5)
      ? { at: { event: "promotion.applied" }, fault: killWriter }
      : { at: { event: "intent.recorded", plusMs: dice.between(0.5, 3) }, fault: killWriter },
  ],
  // Hung until its freezes lie parked on it, the holder's and the assistants'.
  (dice) => [
    after(begin(dice), { kind: "hang-node", node: "primary", forMs: Math.floor(dice.between(5_500, 9_000)) }),
    ...(dice.chance(0.5) ? [{ at: { event: "promotion.applied" } as const, fault: killWriter }] : []),
  ],
  // Behind when the primary dies: what is lost is said.
  (dice) => {
    const at = begin(dice);
    return [
      after(at, promotes),
      after(at, cut("node:*", "node:*", 4_000)),
      after(at + 2_500, killed("primary", 30_000)),
    ];
  },
  // Voters that do not hear it, and replicas that do.
  () => [after(SOON_MS, cut("voter:*", "node:n1", 12_000))],
  // A budget for one.
  (dice) => [
    after(SOON_MS - 1_000, { kind: "settings", settings: { failoverBudget: 1 }, forMs: 60_000 }),
    after(SOON_MS, killed("primary", 500)),
    { at: { event: "failover.completed", plusMs: dice.between(500, 4_000) }, fault: killed("primary", 30_000) },
  ],
  // Alone for longer than its backlog is kept: the next follower meets another history.
  (dice, nodes) => {
    const at = begin(dice);
    return nodes.slice(1).map((node) => after(at, killed(node, Math.floor(dice.between(9_500, 14_000)))));
  },
  // Lost out of a calm, and nothing else, or the winner with it (L2).
  (dice) => [
    after(begin(dice), killed("primary", null)),
    ...(dice.chance(0.5)
      ? [{ at: { event: dice.pick(["lease.acquired", "intent.recorded"] as const) }, fault: killWriter }]
      : []),
  ],
  forgotten,
  ...Array.from({ length: 5 }, () => reachedSlowly),
  wakesToFreeze,
  wakesToFreeze,
];
