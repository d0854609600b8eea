// What a named scenario needs: a world that has been healthy long enough to be armed, then its faults, and sentences about
// how it ended. A failure prints the seed, the plan and the timeline.

import type { EventName } from "../../lib/core/events.ts";
import type { NodeId } from "../../lib/core/types.ts";
import { VoterLoop } from "../../lib/runtime/voter-loop.ts";
import type { ClientOptions } from "./client.ts";
import { Oracle } from "./oracle.ts";
import { describePlan, type FaultPlan, type Occasion, type PlannedFault } from "./plan.ts";
import { unsettled } from "./settled.ts";
import { textOf } from "./timeline-text.ts";
import { type StartVoter, World, type WorldOptions } from "./world.ts";

export const startVoter: StartVoter = (options, done) => new VoterLoop(options, done).start();

/** Faults of a scenario count their time from here: adopted, armed, all voters there. */
export const READY_MS = 25_000;

export const clientsOf = (everyMs: number): readonly ClientOptions[] => [
  { name: "plain", zone: "az-a", waitFor: 0, everyMs, habit: "follow" },
  { name: "careful", zone: "az-b", waitFor: 1, everyMs, habit: "follow" },
  { name: "loyal", zone: "az-a", waitFor: 0, everyMs, habit: "stay" },
];

export type ScenarioOptions = Omit<Partial<WorldOptions>, "plan"> & { readonly plan?: FaultPlan };

const shifted = (at: Occasion): Occasion => (typeof at === "number" ? at + READY_MS : at);

export class Scenario {
  readonly world: World;
  readonly oracle: Oracle;

  constructor(seed: string, { plan = [], ...options }: ScenarioOptions) {
    const planned: readonly PlannedFault[] = plan.map(({ at, fault }) => ({ at: shifted(at), fault }));
    this.world = new World({ startVoter, clients: clientsOf(100), ...options, seed, plan: planned });
    this.oracle = Oracle.of(this.world);
    this.world.start();
    this.world.queue.runUntil(READY_MS);
  }

  run(ms: number): void {
    this.world.run(ms);
  }

  events(name: EventName): number {
    return this.world.events.filter(({ event }) => event === name).length;
  }

  /** When the event was first told, in ms after READY_MS; null: never. */
  firstAt(name: EventName): number | null {
    const index = this.world.events.findIndex(({ event }) => event === name);
    return index < 0 ? null : (this.world.eventTimes[index] as number) - READY_MS;
  }

  get primary(): NodeId | null {
    return this.world.ballot()?.primary?.node ?? null;
  }

  unsettled(): readonly string[] {
    return unsettled(this.world);
  }

  /** Acknowledged writes of this level or above that the committed primary does not have. */
  lost(level: number): number {
    const position = this.world.primaryNode()?.process?.position;
    if (position === undefined) throw new Error("the committed primary has no process");
    return this.world.log.missing(position, level).length;
  }

  /** For a failing test's message. */
  story(): string {
    const violations = this.oracle.violations.map(({ id, at, detail }) => `${id} at ${at}: ${detail}`);
    const lines = this.world.timeline === null ? [] : textOf(this.world.timeline);
    const plan = describePlan(this.world.options.plan);
    return [`seed ${this.world.options.seed}`, plan, ...violations, ...lines].join("\n");
  }
}
