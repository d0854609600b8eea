// Sequences by their seeds: runs them one after the other, and stops at the first that ends differently on the two sides.

import { type Sequence, textOf } from "./command.ts";
import { type Difference, describeDifference, runSequence, type Sides, shrink } from "./compare.ts";
import { drawSequence } from "./draw.ts";

export interface SearchOptions {
  readonly seeds: readonly string[];
  readonly length: number;
  readonly sides: Sides;
  /** For the shortest sequence; the search itself takes what it takes. */
  readonly shrinkWithinMs: number;
  /** Told of a difference that did not come again: bounds of time on real servers, or a race. */
  readonly onUnrepeated?: (text: string) => void;
}

export interface Found {
  readonly sequences: number;
  readonly commands: number;
  /** Commands after which a trio was not at rest within its bound; what it was then is compared all the same. */
  readonly restless: number;
  readonly unrepeated: number;
  /** What a person needs: the shortest sequence, the command that replays it, and what differs. Null: nothing does. */
  readonly finding: string | null;
}

/**
 * A difference that is not there when its sequence is run again: a real server that was asked before it was at rest. More than one in
 * so many sequences is no accident of a busy machine, but a comparison that differs by chance and could hide another.
 */
const UNREPEATED_IN = 6;

export const mostUnrepeated = (sequences: number): number => Math.ceil(sequences / UNREPEATED_IN);

export async function search(options: SearchOptions): Promise<Found> {
  const { seeds, length, sides, onUnrepeated } = options;
  const counts = { sequences: 0, commands: 0, restless: 0, unrepeated: 0 };
  for (const seed of seeds) {
    const sequence = drawSequence(seed, length);
    const { difference, views } = await runSequence(sequence, sides);
    counts.sequences += 1;
    counts.commands += views.length - 1;
    counts.restless += views.filter((view) => view.includes("without rest")).length;
    if (difference === null) continue;
    const again = (await runSequence(sequence, sides)).difference;
    if (again !== null) return { ...counts, finding: await tell(seed, sequence, again, options) };
    counts.unrepeated += 1;
    onUnrepeated?.(`seed ${seed}, once: ${describe(sequence, difference, sides)}`);
  }
  return { ...counts, finding: null };
}

async function tell(seed: string, sequence: Sequence, difference: Difference, options: SearchOptions): Promise<string> {
  const { sides, shrinkWithinMs } = options;
  const shortest = await shrink(sequence, difference, { sides, withinMs: shrinkWithinMs });
  return `seed ${seed}: ${describe(shortest.sequence, shortest.difference, sides)}`;
}

export function describe(sequence: Sequence, difference: Difference, sides: Sides): string {
  const text = textOf(sequence);
  return `${text}\n${describeDifference(difference, sides)}\n  replay: npm run conformance -- --commands "${text}"`;
}
