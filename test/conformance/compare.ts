// Runs one sequence on two trios and finds the first command after which they differ; then the shortest sequence that still
// makes them differ.

import type { NodeWorld, WorldOptions } from "../contract/valkey-node-world.ts";
import { type Command, type Sequence, wordsOf } from "./command.ts";
import { Side } from "./side.ts";
import type { View } from "./view.ts";

export type MakeWorld = (options: WorldOptions) => Promise<NodeWorld>;

export interface Sides {
  readonly left: { readonly name: string; readonly make: MakeWorld };
  readonly right: { readonly name: string; readonly make: MakeWorld };
}

export interface Difference {
  /** Null: before any command. */
  readonly command: Command | null;
  /** Of `commands`; what came after it was not carried out. */
  readonly index: number;
  readonly left: View;
  readonly right: View;
}

export interface Outcome {
  readonly difference: Difference | null;
  /** Every view of the left side, in order. */
  readonly views: readonly View[];
}

/** Heartbeats move offsets when a clock says so and not when a command does: none come. */
const HEARTBEAT_SECONDS = 3_600;

export async function runSequence(sequence: Sequence, sides: Sides): Promise<Outcome> {
  const { persistence, commands } = sequence;
  const options: WorldOptions = { persistence, heartbeatSeconds: HEARTBEAT_SECONDS };
  const left = new Side(await sides.left.make(options));
  const right = new Side(await sides.right.make(options));
  const views: View[] = [];
  try {
    for (const [index, command] of [null, ...commands].entries()) {
      const [mine, theirs] = [await viewAfter(left, command), await viewAfter(right, command)];
      views.push(mine);
      if (mine.join("\n") === theirs.join("\n")) continue;
      return { difference: { command, index: index - 1, left: mine, right: theirs }, views };
    }
    return { difference: null, views };
  } finally {
    await Promise.all([left.close(), right.close()]);
  }
}

const viewAfter = (side: Side, command: Command | null): Promise<View> =>
  command === null ? side.rest() : side.perform(command);

/** Leaves out whatever is not needed, from the end to the beginning, until nothing can be left out or time is up. */
export async function shrink(
  sequence: Sequence,
  difference: Difference,
  options: { readonly sides: Sides; readonly withinMs: number },
): Promise<{ readonly sequence: Sequence; readonly difference: Difference }> {
  const until = performance.now() + options.withinMs;
  let shortest = { sequence: upTo(sequence, difference), difference };
  for (let size = Math.ceil(shortest.sequence.commands.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = shortest.sequence.commands.length - 1 - size; at > -size; at -= size) {
      if (performance.now() > until) return shortest;
      const from = Math.max(0, at);
      const commands = shortest.sequence.commands.filter((_, index) => index < from || index >= at + size);
      const candidate = { ...sequence, commands };
      const found = (await runSequence(candidate, options.sides)).difference;
      if (found !== null) shortest = { sequence: upTo(candidate, found), difference: found };
    }
  }
  return shortest;
}

const upTo = (sequence: Sequence, { index }: Difference): Sequence => ({
  ...sequence,
  commands: sequence.commands.slice(0, index + 1),
});

/** What a person reads of a difference: the command, and the lines that only one side has. */
export function describeDifference({ command, left, right }: Difference, sides: Sides): string {
  const only = (view: View, other: View) => view.filter((line) => !other.includes(line)).map((line) => `      ${line}`);
  return [
    `  after "${command === null ? "the beginning" : wordsOf(command)}":`,
    `    ${sides.left.name}:`,
    ...only(left, right),
    `    ${sides.right.name}:`,
    ...only(right, left),
  ].join("\n");
}
