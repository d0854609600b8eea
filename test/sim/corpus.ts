// Every case that ever failed, one line of `corpus.jsonl` each: what it found, then the case itself, since a seed draws
// otherwise when the kinds of faults change. They are run on every run of the tests.

import { readFileSync } from "node:fs";
import type { Case } from "./swarm.ts";

export interface KnownCase extends Case {
  /** What was wrong, and with what: the engine, the protocol, or (in brackets) the oracle or the simulation. */
  readonly found: string;
}

export function readCorpus(): readonly KnownCase[] {
  const text = readFileSync(new URL("./corpus.jsonl", import.meta.url), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as KnownCase);
}
