// One JSON line per event on standard output: CloudWatch Logs keeps it in Lambda, `valkeeper local` passes it on.

import type { Clock } from "../../ports/clock.ts";
import type { Journal, JournalEntry } from "../../ports/journal.ts";

export class ConsoleJournal implements Journal {
  readonly #clock: Clock;
  readonly #print: (line: string) => void;

  constructor(clock: Clock, print: (line: string) => void = (line) => process.stdout.write(`${line}\n`)) {
    this.#clock = clock;
    this.#print = print;
  }

  write(entry: JournalEntry): void {
    // The named fields come last: a detail of the same name must not hide whose line it is.
    const { detail, event, ...rest } = entry;
    const time = new Date(this.#clock.wallTime()).toISOString();
    this.#print(JSON.stringify({ event, time, ...without(detail, rest), ...rest }));
  }
}

/** The details, those renamed that would collide with a line's own fields. */
function without(detail: JournalEntry["detail"], fields: object): Record<string, unknown> {
  const taken = new Set(["event", "time", ...Object.keys(fields)]);
  return Object.fromEntries(
    Object.entries(detail).map(([key, value]) => [taken.has(key) ? `detail_${key}` : key, value]),
  );
}
