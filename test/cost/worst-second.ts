// How much does one group ask of the table in its worst second, all voters together? Counted in simulated losses: a table
// that serves all groups has to bear so much from each whose primary was in the zone that is lost.

import type { HistoryRecord } from "../../lib/core/records.ts";
import { VoterLoop } from "../../lib/runtime/voter-loop.ts";
import type { FaultPlan, PlannedFault } from "../sim/plan.ts";
import { World } from "../sim/world.ts";

export interface Requests {
  /** Of the ballot, refused ones included: they are billed as well. */
  readonly ballotWrites: number;
  readonly historyLines: number;
  /** Of the ballot, consistent or at a glance. */
  readonly ballotReads: number;
}

const LOST_AT_MS = 30_000;
const WATCHED_MS = 95_000;
const GRAIN_MS = 100;

const at = (fault: PlannedFault["fault"]): PlannedFault => ({ at: LOST_AT_MS, fault });

/** n1, the primary, is in az-a. */
export const LOSSES: Readonly<Record<string, FaultPlan>> = {
  "the zone of the primary is cut off": [at({ kind: "isolate-zone", zone: "az-a", store: false, forMs: 60_000 })],
  "the zone of the primary is gone": [
    at({ kind: "isolate-zone", zone: "az-a", store: true, forMs: 60_000 }),
    at({ kind: "power-off", node: "n1", restart: null }),
  ],
  "the primary hangs": [at({ kind: "hang-node", node: "n1", forMs: 60_000 })],
  "all nodes are gone": ["n1", "n2", "n3"].map((node) => at({ kind: "kill-node", node, restart: null })),
};

/** The most of each within any second; they need not be the same second. */
export function worstSecond(plan: FaultPlan, seed: string): Requests {
  const counted = { ballotWrites: [] as number[], historyLines: [] as number[], ballotReads: [] as number[] };
  const world: World = new World({
    ...{ seed, plan, clients: [], timeline: false },
    startVoter: (options, done) => {
      const count = (what: keyof Requests, many: number): void => {
        const grain = Math.floor(world.queue.now / GRAIN_MS);
        counted[what][grain] = (counted[what][grain] ?? 0) + many;
      };
      const { store } = options;
      const told: typeof store = new Proxy(store, {
        get: (target, name) => {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== "function") return member;
          return (...given: unknown[]) => {
            if (name === "writeBallot") count("ballotWrites", 1);
            if (name === "readBallot" || name === "glance") count("ballotReads", 1);
            if (name === "appendHistory") count("historyLines", (given[0] as readonly HistoryRecord[]).length);
            return Reflect.apply(member, target, given);
          };
        },
      });
      new VoterLoop({ ...options, store: told }, done).start();
    },
  });
  world.start();
  world.run(WATCHED_MS);
  return {
    ballotWrites: most(counted.ballotWrites),
    historyLines: most(counted.historyLines),
    ballotReads: most(counted.ballotReads),
  };
}

function most(grains: readonly number[]): number {
  const length = 1_000 / GRAIN_MS;
  const sums = Array.from({ length: WATCHED_MS / GRAIN_MS }, (_, from) =>
    Array.from({ length }, (__, index) => grains[from + index] ?? 0).reduce((sum, each) => sum + each, 0),
  );
  return Math.max(...sums);
}
