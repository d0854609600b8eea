// One case told to people: what was drawn, what is planned, what happened, and what was found. The same case tells the same
// story, byte for byte.

import { drawPicture } from "./picture.ts";
import { describePlan } from "./plan.ts";
import { type Case, caseOf, runCase, type SeedResult } from "./swarm.ts";
import type { Timeline } from "./timeline.ts";
import { textOf } from "./timeline-text.ts";
import { NODE_DEFAULTS } from "./valkey-words.ts";
import type { StartVoter } from "./world.ts";

export interface Story {
  readonly result: SeedResult;
  /** What happened, and what was found. */
  readonly text: string;
  /** SVG. */
  readonly picture: string;
}

export function tellCase(told: Case, startVoter: StartVoter): Story {
  const { world, result } = runCase(told, startVoter, true);
  const timeline = world.timeline as Timeline;
  const found = result.violations.map(({ id, at, detail }) => ({ at, kind: "violation", id, detail }) as const);
  const entries = [...timeline.entries, ...found];
  const lines = textOf({ entries, nodeAt: timeline.nodeAt });
  const picture = drawPicture({
    title: `seed ${told.seed}`,
    nodes: world.nodeIds,
    voters: [...world.voters.keys()],
    entries,
    nodeAt: timeline.nodeAt,
  });
  return { result, text: lines.join("\n"), picture };
}

/** Known before anything runs. */
export function describeCase({ seed, world, plan, healAtMs }: Case): string {
  const { nodes, nodeOptions, nodeOptionsOf, config, clients, timeline: _, ...others } = world;
  const unusual = Object.entries(nodeOptions ?? {}).filter(
    ([name, value]) => (NODE_DEFAULTS as Readonly<Record<string, unknown>>)[name] !== value,
  );
  const rows: readonly (readonly [string, string])[] = [
    ["nodes", (nodes ?? ["n1", "n2", "n3"]).join(" ")],
    ["each node", settings(unusual)],
    ...Object.entries(nodeOptionsOf ?? {}).map(([node, of]) => [node, settings(Object.entries(of))] as const),
    ["config", settings(Object.entries(config ?? {}))],
    ["clients", (clients ?? []).map(({ name, zone, waitFor }) => `${name} in ${zone} waits for ${waitFor}`).join(", ")],
    ["world", settings(Object.entries(others))],
    ["heals at", `${(healAtMs / 1_000).toFixed(3)} s`],
  ];
  const planned = plan.length === 0 ? "  nothing goes wrong" : describePlan(plan);
  const drawn = rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}`).join("\n");
  return `seed ${seed}\n${drawn}\nplan\n${planned}`;
}

const settings = (entries: readonly (readonly [string, unknown])[]): string =>
  entries.map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`).join(" ");

/** Text and picture of a seed, for comparing two runs of it. */
export function tellSeed(seed: string, startVoter: StartVoter): string {
  const told = caseOf(seed);
  const { text, picture } = tellCase(told, startVoter);
  return `${describeCase(told)}\n${text}\n${picture}`;
}
