// The smallest case that still breaks the same promise: fewer faults, fewer nodes, shorter, simpler. Every try is a whole run,
// so the tries are in one fixed order and counted, and the same case always shrinks to the same one.

import { FAULTS_FROM_MS } from "./draw.ts";
import type { Fault, FaultPlan, PlannedFault } from "./plan.ts";
import type { Case } from "./swarm.ts";

/** The id of the promise that a case breaks first; null: none. */
export type Broken = (tried: Case) => string | null;

export interface Shrunk {
  readonly case: Case;
  /** Null: nothing was broken to begin with. */
  readonly id: string | null;
  readonly tries: number;
}

/** A run takes about a tenth of a second, and less the smaller the case is. */
const MOST_TRIES = 600;
/** Nothing that lasts is made shorter than this. */
const LEAST_MS = 20;
/** What is over before the healing is left this long to show itself. */
const SETTLES_MS = 1_000;

export function shrink(drawn: Case, broken: Broken): Shrunk {
  const id = broken(drawn);
  if (id === null) return { case: drawn, id, tries: 1 };
  let smallest = drawn;
  let tries = 1;
  let found = true;
  const accept = (tried: Case): boolean => {
    if (tries >= MOST_TRIES) return false;
    tries += 1;
    if (broken(tried) !== id) return false;
    smallest = tried;
    found = true;
    return true;
  };
  // What one step makes possible, another may have refused before: until nothing more can be left out.
  while (found && tries < MOST_TRIES) {
    found = false;
    leaveOutFaults(() => smallest, accept);
    for (const tried of fewerNodes(smallest)) if (accept(tried)) break;
    while (sooner(smallest).some(accept)) {
      // As long as it gets shorter.
    }
    simplifyFaults(() => smallest, accept);
    for (const tried of calmer(smallest)) if (accept(tried)) break;
  }
  return { case: smallest, id, tries };
}

/** Half of them, a quarter, ... then one after the other; from the back, where a plan's weather is. */
function leaveOutFaults(now: () => Case, accept: (tried: Case) => boolean): void {
  for (let size = Math.ceil(now().plan.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let end = now().plan.length; end > 0; end -= size) {
      const { plan } = now();
      const from = Math.max(0, end - size);
      const without = plan.filter((_, index) => index < from || index >= end);
      if (without.length < plan.length) accept({ ...now(), plan: without });
    }
  }
}

const DEFAULT_NODES = ["n1", "n2", "n3"];

/** The fewest first; never without one that the plan names. */
function fewerNodes(of: Case): readonly Case[] {
  const nodes = of.world.nodes ?? DEFAULT_NODES;
  const named = nodes.filter((node) => JSON.stringify(of.plan).includes(`"${node}"`));
  return Array.from({ length: nodes.length }, (_, count) => nodes.slice(0, count))
    .filter((some) => some.length >= 2 && named.every((node) => some.includes(node)))
    .map((some) => ({ ...of, world: { ...of.world, nodes: some } }));
}

/** The faults begin earlier, and all of them sooner after the first; the healing comes earlier too. */
function sooner(of: Case): readonly Case[] {
  const times = of.plan.flatMap(({ at }) => (typeof at === "number" ? [at] : []));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const tried: Case[] = [];
  if (times.length > 0 && first > FAULTS_FROM_MS) tried.push(retimed(of, (at) => at - (first - FAULTS_FROM_MS)));
  if (last - first > SETTLES_MS) tried.push(retimed(of, (at) => first + Math.floor((at - first) / 2)));
  const least = (times.length > 0 ? last : FAULTS_FROM_MS) + SETTLES_MS;
  if (of.healAtMs - least > SETTLES_MS) {
    tried.push({ ...of, healAtMs: least }, { ...of, healAtMs: Math.floor((of.healAtMs + least) / 2) });
  }
  return tried;
}

function retimed(of: Case, time: (at: number) => number): Case {
  const plan = of.plan.map(({ at, fault }) => ({ at: typeof at === "number" ? time(at) : at, fault }));
  const last = Math.max(...plan.map(({ at }) => (typeof at === "number" ? at : 0)));
  const before = Math.max(...of.plan.map(({ at }) => (typeof at === "number" ? at : 0)));
  return { ...of, plan, healAtMs: of.healAtMs - (before - last) };
}

function simplifyFaults(now: () => Case, accept: (tried: Case) => boolean): void {
  for (let index = 0; index < now().plan.length; index++) {
    const tries = (): readonly FaultPlan[] =>
      simpler(now().plan[index] as PlannedFault).map((each) => now().plan.with(index, each));
    while (tries().some((plan) => accept({ ...now(), plan }))) {
      // As long as it gets simpler.
    }
  }
}

function simpler({ at, fault }: PlannedFault): readonly PlannedFault[] {
  const occasions = typeof at !== "number" && at.plusMs !== undefined && at.plusMs > 0 ? [{ ...at, plusMs: 0 }] : [];
  return [
    ...occasions.map((sooner) => ({ at: sooner, fault })),
    ...simplerFaults(fault).map((each) => ({ at, fault: each })),
  ];
}

/** No restart, a shorter one, one that keeps its data; less time; less weather. */
function simplerFaults(fault: Fault): readonly Fault[] {
  const tried: Fault[] = [];
  if ("restart" in fault && fault.restart !== null) {
    const { afterMs, data } = fault.restart;
    tried.push({ ...fault, restart: null });
    if (data !== "rdb") tried.push({ ...fault, restart: { afterMs, data: "rdb" } });
    for (const shorter of shorterThan(afterMs)) tried.push({ ...fault, restart: { afterMs: shorter, data } });
  }
  if ("forMs" in fault) for (const forMs of shorterThan(fault.forMs)) tried.push({ ...fault, forMs });
  if ("extraMs" in fault) for (const extraMs of shorterThan(fault.extraMs)) tried.push({ ...fault, extraMs });
  if ("weather" in fault) {
    const { weather } = fault;
    for (const [name, value] of Object.entries(weather)) {
      if (value !== 0) tried.push({ ...fault, weather: { ...weather, [name]: 0 } } as Fault);
    }
  }
  return tried;
}

const shorterThan = (ms: number): readonly number[] =>
  [Math.floor(ms / 4), Math.floor(ms / 2)].filter((shorter) => shorter >= LEAST_MS);

/** Three voters, clocks that agree, a schedule that is kept, nodes that are alike, nobody who writes. */
function calmer(of: Case): readonly Case[] {
  const { voters, clockRates, schedule, nodeOptionsOf, clients, ...world } = of.world;
  const kept = { voters, clockRates, schedule, nodeOptionsOf, clients };
  return (Object.keys(kept) as (keyof typeof kept)[])
    .filter((name) => kept[name] !== undefined)
    .map((name) => ({ ...of, world: { ...world, ...kept, [name]: undefined } }))
    .map((tried) => JSON.parse(JSON.stringify(tried)) as Case);
}
