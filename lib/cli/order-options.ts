// Options that every order to the voters has.

import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "./units.ts";

export interface OrderOptions {
  readonly reason: string;
  readonly timeout?: number;
  readonly by?: string;
}

const SHORTEST_MS = 1_000;
const LONGEST_MS = 600_000;

export const addOrderOptions = (command: Command): Command =>
  command
    .option("--reason <text>", "why; kept in the history", "no reason given")
    .option("--by <who>", "who asks; you by default")
    .addOption(
      new Option(
        "--timeout <duration>",
        "how long a voter may take to begin it (default: 30s; 3m while all voters rest, in economy mode)",
      ).argParser(readTimeout),
    );

/** The part of an order that these options make. */
export const orderedBy = (options: OrderOptions) => ({
  reason: options.reason,
  timeoutMs: options.timeout ?? null,
  by: options.by ?? null,
});

function readTimeout(text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms < SHORTEST_MS || ms > LONGEST_MS) {
    throw new InvalidArgumentError("should be a duration from 1s to 10m, as in 30s.");
  }
  return ms;
}
