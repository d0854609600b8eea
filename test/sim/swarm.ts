// One seed of the swarm: a drawn world, a drawn plan, the oracle watching every step; then everything heals, and what is
// left must become one healthy published primary within a bound (L1), or a recorded reason says who has to act (S12).

import { Dice } from "./dice.ts";
import { drawPlan, drawWorld, FAULTS_UNTIL_MS } from "./draw.ts";
import { Oracle } from "./oracle.ts";
import type { Violation } from "./oracle-view.ts";
import type { FaultPlan } from "./plan.ts";
import { unsettled, waitsForPerson } from "./settled.ts";
import { type Situation, Sometimes } from "./sometimes.ts";
import { type StartVoter, World, type WorldOptions } from "./world.ts";

const HEAL_AT_MS = FAULTS_UNTIL_MS + 5_000;
/** Longer than the period of the publisher function, which repairs what was overwritten by hand. */
const HEALS_WITHIN_MS = 65_000;
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

export const caseOf = (seed: string): Case => ({
  seed,
  world: drawWorld(new Dice(`${seed}/world`)),
  plan: drawPlan(new Dice(`${seed}/plan`)),
  healAtMs: HEAL_AT_MS,
});

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
  let healedAfterMs: number | null = null;
  try {
    world.start();
    runWatched(world, oracle, healAtMs);
    if (oracle.violations.length === 0) {
      world.faults.heal();
      healedAfterMs = untilHealed(world, oracle, healAtMs);
    }
  } catch (error) {
    // An invariant of the engine, or an error nobody expected: either way a finding.
    const { name, message, stack } = error as Error;
    violations.push({ id: name, at: world.queue.now, detail: `${message}\n${stack}` });
  }
  violations.push(...oracle.violations);
  const waitsFor = world.person.leaves(waitsForPerson(world));
  if (violations.length === 0 && healedAfterMs === null && waitsFor.length === 0) {
    violations.push({ id: "L1", at: world.queue.now, detail: unsettled(world).join("; ") });
  }
  const { counts: situations } = sometimes;
  const { count: steps, now: simulatedMs } = world.queue;
  return {
    world,
    result: { seed, violations, events: eventCounts(world), situations, healedAfterMs, steps, simulatedMs, waitsFor },
  };
}

/** Stops at the first violation: what comes after it is only its consequence. */
function runWatched(world: World, oracle: Oracle, until: number): void {
  while (oracle.violations.length === 0 && world.queue.step(until)) {
    // All the work is in the events.
  }
}

function untilHealed(world: World, oracle: Oracle, healAtMs: number): number | null {
  const mayRest = !new Dice(`${world.options.seed}/rest`).chance(TO_THE_END);
  const rest = { shown: "", looks: 0 };
  let good = 0;
  for (let at = healAtMs + LOOK_EVERY_MS; at <= healsUntil(world, healAtMs); at += LOOK_EVERY_MS) {
    runWatched(world, oracle, at);
    if (oracle.violations.length > 0) return null;
    world.queue.runUntil(at);
    good = unsettled(world).length === 0 ? good + 1 : 0;
    if (good >= STAYS_LOOKS) return at - healAtMs - (STAYS_LOOKS - 1) * LOOK_EVERY_MS;
    const shown = shownAtRest(world);
    rest.looks = shown === rest.shown ? rest.looks + 1 : 0;
    rest.shown = shown;
    // Whoever waits for a person in charge is not at rest.
    const waits = world.person.leaves(waitsForPerson(world));
    if (mayRest && rest.looks >= RESTS_LOOKS && waits.length > 0) return null;
  }
  return null;
}

/** What a person ended has as long from then on, but not for ever: somebody may order again and again. */
const healsUntil = (world: World, healAtMs: number): number =>
  HEALS_WITHIN_MS + Math.min(Math.max(healAtMs, world.person.actedAt ?? 0), healAtMs + HEALS_WITHIN_MS);

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
