// Faults that belong together: what is drawn one by one seldom comes to these situations, and every one of them has to be
// met by a few thousand seeds.

import type { Dice } from "./dice.ts";
import type { Fault, FaultPlan, PlannedFault } from "./plan.ts";

type Aim = (dice: Dice) => FaultPlan;

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
const SOON_MS = 24_000;

const begin = (dice: Dice): number => Math.floor(dice.between(SOON_MS, 60_000));

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
  (dice) => [
    after(begin(dice), switchover),
    { at: { event: "switchover.caught-up" }, fault: cut("voter:*", `node:${dice.pick(["n2", "n3"])}`, 5_000) },
    { at: { event: "switchover.caught-up" }, fault: cut("voter:*", "node:n2", 5_000) },
    { at: { event: "intent.recorded", plusSteps: 1 }, fault: { kind: "kill-voter", voter: "writer" } },
  ],
  // The target cannot catch up under the pause.
  (dice) => [
    after(begin(dice), switchover),
    { at: { event: "switchover.paused" }, fault: cut("node:*", "node:*", 5_000) },
  ],
  // The target refuses its promotion, and whatever else would freeze it (L4).
  (dice) => {
    const at = begin(dice);
    const forMs = Math.floor(dice.between(1_000, 40_000));
    const forbids = ["n1", "n2", "n3"].map((node) => after(at, { kind: "forbid-replicaof", node, forMs } as const));
    const spared = dice.below(3);
    const stops = dice.chance(0.5)
      ? [
          {
            at: { event: "intent.recorded", plusSteps: dice.below(4) } as const,
            fault: { kind: "kill-voter", voter: "writer" } as const,
          },
        ]
      : [];
    return [...forbids.filter((_, index) => index !== spared), after(at + 500, switchover), ...stops];
  },
  // Two who publish one after the other's, slowly.
  (dice) => {
    const at = begin(dice);
    const weather = { failRate: 0, lostAnswerRate: 0.3, slowMs: 4_000 };
    const others = [0, 1_500, 3_500].map((ms) => after(at + ms, switchover));
    return [after(at - 500, { kind: "publication-weather", weather, forMs: 20_000 }), ...others];
  },
  (dice) => {
    const at = begin(dice);
    return ["n1", "n2", "n3"].map((node) => after(at, killed(node, Math.floor(dice.between(300, 6_000)))));
  },
  // The primary is lost while another node is brought in line.
  (dice) => [
    after(begin(dice), { kind: "terminate-node", node: "replica", restart: { afterMs: 400, data: "rdb" } }),
    { at: { event: "operation.begun", plusSteps: dice.below(3) + 1 }, fault: killed("primary", 5_000) },
  ],
  // The new primary is lost, and who made it one, before all is told.
  (dice) => [
    after(begin(dice), killed("primary", 20_000)),
    { at: { event: "primary.committed", plusSteps: 1 }, fault: { kind: "kill-voter", voter: "writer" } },
    { at: { event: "primary.committed", plusMs: dice.between(0, 3) }, fault: killed("primary", 20_000) },
  ],
];
