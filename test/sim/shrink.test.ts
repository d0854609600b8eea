// The shrinker on predicates that say themselves what is needed, and once on a whole engine with a bug built in.

import { describe, expect, it } from "vitest";
import type { Fault } from "./plan.ts";
import { startVoter } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { describeCase, tellCase } from "./story.ts";
import { type Case, caseOf, runCase } from "./swarm.ts";
import type { StartVoter } from "./world.ts";

const kill: Fault = { kind: "kill-node", node: "n2", restart: { afterMs: 9_000, data: "aof" } };
const cut: Fault = { kind: "cut", from: "voter:*", to: "store", oneWay: false, forMs: 16_000 };
const storm: Fault = {
  kind: "store-weather",
  weather: { throttleRate: 0.3, slowRate: 0.2, slowMs: 300 },
  forMs: 8_000,
};
const noise: readonly Fault[] = [
  { kind: "save", node: "primary" },
  { kind: "invoke", voter: "*" },
  { kind: "wall-jump", voter: "az-a", byMs: 5 },
];

const made: Case = {
  seed: "x",
  world: { ...caseOf("1").world, nodes: ["n1", "n2", "n3", "n4", "n5"], clockRates: [1, 1, 1.0005] },
  plan: [...noise, kill, ...noise, cut, storm, ...noise].map((fault, index) => ({ at: 40_000 + index * 1_000, fault })),
  healAtMs: 80_000,
};

const has = ({ plan }: Case, kind: Fault["kind"]) => plan.some(({ fault }) => fault.kind === kind);

describe("the shrinker", () => {
  it("leaves the case alone when nothing is broken", () => {
    expect(shrink(made, () => null)).toEqual({ case: made, id: null, tries: 1 });
  });

  it("keeps the faults that are needed together, as simple and as short as they may be, and no other", () => {
    const broken = (tried: Case) => (has(tried, "kill-node") && has(tried, "cut") ? "S1" : null);
    const { case: smallest, id } = shrink(made, broken);
    expect(id).toBe("S1");
    expect(smallest.plan.map(({ fault }) => fault)).toEqual([
      { ...kill, restart: null },
      { ...cut, forMs: 31 },
    ]);
  });

  it("keeps what the bug needs of a fault", () => {
    const broken = ({ plan }: Case) =>
      plan.some(({ fault }) => fault.kind === "kill-node" && fault.restart?.data === "aof") ? "S2" : null;
    const [only, ...others] = shrink(made, broken).case.plan;
    expect(others).toEqual([]);
    expect(only?.fault).toEqual({ ...kill, restart: { afterMs: 35, data: "aof" } });
  });

  it("takes weather apart", () => {
    const broken = ({ plan }: Case) =>
      plan.some(({ fault }) => fault.kind === "store-weather" && fault.weather.slowMs === 300) ? "S2" : null;
    expect(shrink(made, broken).case.plan.map(({ fault }) => fault)).toMatchObject([
      { weather: { throttleRate: 0, slowRate: 0, slowMs: 300 } },
    ]);
  });

  it("takes nodes away from the back, but none that the plan names", () => {
    expect(shrink(made, (tried) => (has(tried, "kill-node") ? "S1" : null)).case.world.nodes).toEqual(["n1", "n2"]);
    const third = { ...made, plan: [{ at: 40_000, fault: { ...kill, node: "n3" } }] };
    expect(shrink(third, () => "S1").case.world.nodes).toEqual(["n1", "n2"]);
    expect(shrink(third, (tried) => (has(tried, "kill-node") ? "S1" : null)).case.world.nodes).toHaveLength(3);
    const four = (tried: Case) => ((tried.world.nodes?.length ?? 3) >= 4 ? "S1" : null);
    expect(shrink(made, four).case.world.nodes).toHaveLength(4);
  });

  it("brings faults and healing forward, and keeps the distance that is needed", () => {
    const apart = ({ plan }: Case) => {
      const times = plan.map(({ at }) => at as number);
      return Math.max(...times) - Math.min(...times) >= 2_000 ? "L1" : null;
    };
    const { plan, healAtMs } = shrink(made, apart).case;
    const [first, last] = [plan[0]?.at as number, plan.at(-1)?.at as number];
    expect(plan).toHaveLength(2);
    expect(first).toBe(22_000);
    expect(last - first).toBeLessThan(4_000);
    expect(healAtMs - last).toBeLessThanOrEqual(2_000);
  });

  it("does not take another broken promise for the same one", () => {
    const broken = (tried: Case) => (!has(tried, "kill-node") ? "S3" : has(tried, "cut") ? "S1" : null);
    const { case: smallest, id } = shrink(made, broken);
    expect(id).toBe("S1");
    expect(has(smallest, "kill-node") && has(smallest, "cut")).toBe(true);
  });

  it("ends, and always in the same case", () => {
    const fussy = (tried: Case) => (JSON.stringify(tried).length % 3 === JSON.stringify(made).length % 3 ? "S1" : null);
    const [one, other] = [shrink(made, fussy), shrink(made, fussy)];
    expect(one).toEqual(other);
    expect(one.tries).toBeLessThanOrEqual(600);
  });
});

/** An engine that breaks as soon as it has promoted anybody. */
const withBug: StartVoter = (options, done) =>
  startVoter(
    {
      ...options,
      journal: {
        write: (entry) => {
          options.journal.write(entry);
          if (entry.event === "promotion.applied") throw new Error("the bug");
        },
      },
    },
    done,
  );

describe("a seed that fails", () => {
  const broken = (tried: Case) => runCase(tried, withBug).result.violations[0]?.id ?? null;

  it("is shrunk to a case that is told the same way again, from its file", () => {
    const seed = ["1", "2", "3", "4", "5", "6"].find((each) => broken(caseOf(each)) !== null);
    expect(seed).toBeDefined();
    const { case: smallest, id } = shrink(caseOf(seed as string), broken);
    expect(smallest.plan).toHaveLength(1);
    expect(smallest.world.clients).toBeUndefined();
    const read = JSON.parse(JSON.stringify(smallest)) as Case;
    const [one, other] = [tellCase(smallest, withBug), tellCase(read, withBug)];
    expect(other).toEqual(one);
    expect(one.result.violations[0]?.id).toBe(id);
    expect(one.text).toMatch(/ VIOLATION .*the bug/);
    expect(one.picture).toContain('class="violation"');
    expect(describeCase(smallest)).toContain("plan\n");
  });
});
