// One seed of the swarm: a drawn world, a drawn plan, the oracle watching every step; then everything heals, and what is
// left must become one healthy published primary within a bound (L1), or a recorded reason says who has to act (S12).

import { SCHEDULE_PERIOD_MS } from "../../lib/runtime/timing.ts";
import { Dice } from "./dice.ts";
import { drawPlan, drawWorld, FAULTS_UNTIL_MS } from "./draw.ts";
import { Oracle } from "./oracle.ts";
import { type Asked, NOTHING_ASKED } from "./oracle-progress.ts";
import { budgetEndsAt, factsOf } from "./oracle-reasons.ts";
import type { Violation } from "./oracle-view.ts";
import type { FaultPlan } from "./plan.ts";
import { isBudgetAllThatLacks, unsettled, waitsForPerson } from "./settled.ts";
import { type Situation, Sometimes } from "./sometimes.ts";
import { type StartVoter, World, type WorldOptions } from "./world.ts";

const HEAL_AT_MS = FAULTS_UNTIL_MS + 5_000;
/** Longer than the period of the publisher function, which repairs what was overwritten by hand. */
export const HEALS_WITHIN_MS = 65_000;
/** A replica that synchronizes from a machine that lost its power learns of it by its own time-out: Valkey's 60 s. */
export const REPLICATION_TIMEOUT_MS = 60_000;
/** A reason may show only now and then, where nodes come and go by themselves, such as replicas that follow each other. */
export const SHOWN_WITHIN_MS = 15_000;
/** In economy mode the voters may have just looked, and come again a minute later, or as late as a schedule is drawn. */
export const NEXT_ROUND_MS = SCHEDULE_PERIOD_MS + 30_000;
/** Looks for the healed state this often, and wants to see it stay. */
const LOOK_EVERY_MS = 1_000;
const STAYS_LOOKS = 3;
/**
 * A world that waits for a person and in which nothing has happened for so many looks is at rest. One in four of them is
 * watched to its end all the same: each voter is called anew meanwhile, and what it finds must not move it either.
 */
const RESTS_LOOKS = 20;
const TO_THE_END = 0.25;

export interface SeedResult {
  readonly seed: string;
  readonly violations: readonly Violation[];
  /** Events that voters told of, by name. */
  readonly events: ReadonlyMap<string, number>;
  /** What was met of the situations that a swarm must sometimes meet, how often. */
  readonly situations: ReadonlyMap<Situation, number>;
  /** Ms from the healing to the healed state; null: it never came. */
  readonly healedAfterMs: number | null;
  readonly steps: number;
  /** How long the world was watched, in its own time. */
  readonly simulatedMs: number;
  readonly waitsFor: readonly string[];
  /** How often each bound of what must come was asked. */
  readonly asked: Asked;
}

export type DrawnWorld = Omit<WorldOptions, "seed" | "startVoter" | "plan">;

/** Everything that a run depends on, as data: what a seed draws, or what is left of it after shrinking. */
export interface Case {
  readonly seed: string;
  readonly world: DrawnWorld;
  readonly plan: FaultPlan;
  /** When everything heals. */
  readonly healAtMs: number;
}

export interface SeedOptions {
  readonly seed: string;
  readonly startVoter: StartVoter;
  readonly timeline?: boolean;
}

export interface SeedRun {
  readonly result: SeedResult;
  readonly world: World;
}

export function caseOf(seed: string): Case {
  const world = drawWorld(new Dice(`${seed}/world`));
  const plan = drawPlan(new Dice(`${seed}/plan`), world);
  return { seed, world, plan, healAtMs: HEAL_AT_MS };
}

export const runSeed = ({ seed, startVoter, timeline }: SeedOptions): SeedRun =>
  runCase(caseOf(seed), startVoter, timeline);

export function runCase(
  { seed, world: drawn, plan, healAtMs }: Case,
  startVoter: StartVoter,
  timeline = false,
): SeedRun {
  const world = new World({ ...drawn, seed, startVoter, plan, timeline });
  const oracle = Oracle.of(world);
  const sometimes = Sometimes.of(world);
  const violations: Violation[] = [];
  const healing = new Healing(world, oracle, healAtMs);
  let healedAfterMs: number | null = null;
  try {
    world.start();
    runWatched(world, oracle, healAtMs);
    if (oracle.violations.length === 0) {
      world.faults.heal();
      healedAfterMs = healing.watch();
      if (healedAfterMs !== null) oracle.atEnd();
    }
  } catch (error) {
    // An invariant of the engine, or an error nobody expected: either way a finding.
    const { name, message, stack } = error as Error;
    violations.push({ id: name, at: world.queue.now, detail: `${message}\n${stack}` });
  }
  violations.push(...oracle.violations);
  const waitsFor = healing.waits();
  if (violations.length === 0 && healedAfterMs === null && waitsFor.length === 0) {
    violations.push({ id: "L1", at: world.queue.now, detail: unsettled(world).join("; ") });
  }
  const { counts: situations } = sometimes;
  const asked = { ...(oracle.progress?.asked ?? NOTHING_ASKED), fence: oracle.fence.asked };
  const { count: steps, now: simulatedMs } = world.queue;
  return {
    world,
    result: {
      seed,
      violations,
      events: eventCounts(world),
      situations,
      healedAfterMs,
      steps,
      simulatedMs,
      waitsFor,
      asked,
    },
  };
}

/** Stops at the first violation: what comes after it is only its consequence. */
function runWatched(world: World, oracle: Oracle, until: number): void {
  while (oracle.violations.length === 0 && world.queue.step(until)) {
    // All the work is in the events.
  }
}

/** The time after the last fault. */
class Healing {
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #from: number;
  /** When the budget of replacements that was found spent allows the next. */
  #allowedAt = 0;
  /** By reason: when it was last shown. */
  readonly #shownAt = new Map<string, number>();

  constructor(world: World, oracle: Oracle, from: number) {
    this.#world = world;
    this.#oracle = oracle;
    this.#from = from;
  }

  /** Until all is well and stays so: ms that it took. Null: it is not, or nothing has happened for long and a person has to act. */
  watch(): number | null {
    const world = this.#world;
    const mayRest = !new Dice(`${world.options.seed}/rest`).chance(TO_THE_END);
    const rest = { shown: "", looks: 0 };
    let good = 0;
    for (let at = this.#from + LOOK_EVERY_MS; at <= this.#until(); at += LOOK_EVERY_MS) {
      runWatched(world, this.#oracle, at);
      if (this.#oracle.violations.length > 0) return null;
      world.queue.runUntil(at);
      good = unsettled(world).length === 0 ? good + 1 : 0;
      if (good >= STAYS_LOOKS) return at - this.#from - (STAYS_LOOKS - 1) * LOOK_EVERY_MS;
      // The other worlds wait for it, ten minutes long.
      if (mayRest && isBudgetAllThatLacks(world)) world.person.failOver();
      const waits = this.#left();
      for (const each of waits) this.#shownAt.set(each, at);
      const shown = shownAtRest(world);
      rest.looks = shown === rest.shown ? rest.looks + 1 : 0;
      rest.shown = shown;
      // Whoever waits for a person in charge is not at rest.
      if (mayRest && rest.looks >= RESTS_LOOKS && waits.length > 0) return null;
    }
    return null;
  }

  /** Why only a person can go on, as voters have said lately. */
  waits(): readonly string[] {
    const { now } = this.#world.queue;
    const lately = [...this.#shownAt].filter(([, at]) => now - at <= SHOWN_WITHIN_MS).map(([each]) => each);
    return [...new Set([...this.#left(), ...lately])];
  }

  #left(): readonly string[] {
    return this.#world.person.leaves(waitsForPerson(this.#world));
  }

  /**
   * What a person ended has as long from then on, but not for ever: somebody may order again and again. A spent budget is ended
   * by time alone, and what comes after it has as long as ever.
   */
  #until(): number {
    const { person, options } = this.#world;
    const withinMs = HEALS_WITHIN_MS + (options.economy === true ? NEXT_ROUND_MS : 0);
    // What is attempted again after that has had its time.
    const isFirst = this.#world.queue.now <= this.#from + withinMs;
    if (isFirst) this.#allowedAt = Math.max(this.#allowedAt, budgetEndsAt(factsOf(this.#world)) ?? 0);
    const acted = Math.max(Math.min(Math.max(this.#from, person.actedAt ?? 0), this.#from + withinMs), this.#allowedAt);
    const { stopInstance = "off" } = options.config ?? {};
    const losesPower = stopInstance !== "off" || options.plan.some(({ fault }) => fault.kind === "power-off");
    const hangs = losesPower ? REPLICATION_TIMEOUT_MS : 0;
    return acted + withinMs + hangs;
  }
}

/** What changes when anything is done: the record but for its votes, what voters told and wait for, and what is not well. */
function shownAtRest(world: World): string {
  const ballot = world.ballot();
  const record = [ballot?.attempt, ballot?.control.attempt, ballot?.epoch, ballot?.members.version];
  return JSON.stringify([record, world.events.length, waitsForPerson(world), unsettled(world)]);
}

function eventCounts(world: World): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { event } of world.events) counts.set(event, (counts.get(event) ?? 0) + 1);
  return counts;
}
