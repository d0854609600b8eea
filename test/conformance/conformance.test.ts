// The simulator's trio does what a real one does: sequences that once found a difference, drawn ones that are the same on
// every run, and fresh ones.

import { describe, expect, it } from "vitest";
import { useProcessGroup } from "../support/local-group.ts";
import { parseSequence } from "./command.ts";
import { runSequence } from "./compare.ts";
import { describe as describeFinding, mostUnrepeated, search } from "./search.ts";
import { realAndSimulated } from "./sides.ts";

const FIXED_SEEDS = 12;
const FRESH_SEEDS = 6;
const LENGTH = 10;
const SHRINK_WITHIN_MS = 90_000;
const TIMEOUT_MS = 300_000;

/** What the simulator did otherwise before, by the sequence that showed it (README.md: M1-M5). */
const FOUND: Readonly<Record<string, string>> = {
  "M1: the first follower of an empty primary gives it a new history": "none; write n1",
  "M1: a promoted node that came back with its snapshot is followed in full and under a new id":
    "rdb; write n1; end n2 shut-down; end n3 shut-down; start n2 kept fenced; start n3 kept fenced; " +
    "a seen promote n2 as-seen; write n2; a seen repoint n3 n2 kept",
  "M2: a replica that has followed nobody is promoted at the offset that is read of it":
    "aof; write n1; end n3 shut-down; start n3 kept fenced; b seen promote n3 as-seen",
  "M4: an emptied disk has no snapshot of an older synchronization":
    "none; end n2 killed; start n2 emptied fenced; end n2 killed; start n2 kept fenced",
  "M5: what was saved at a clean end is what a kill leaves":
    "rdb; write n1; end n1 shut-down; start n1 kept plain; write n1; end n1 killed; start n1 kept plain",
};

describe("real servers and the simulator's", () => {
  const group = useProcessGroup();
  const sides = realAndSimulated(group);

  it.each(Object.entries(FOUND))(
    "%s",
    async (_, text) => {
      const sequence = parseSequence(text);
      const { difference } = await runSequence(sequence, sides);
      expect(difference === null ? null : describeFinding(sequence, difference, sides)).toBeNull();
    },
    TIMEOUT_MS,
  );

  it(
    "do the same in sequences that are drawn",
    async () => {
      const fixed = Array.from({ length: FIXED_SEEDS }, (_, index) => `fixed-${index + 1}`);
      const fresh = Array.from({ length: FRESH_SEEDS }, (_, index) => `fresh-${Date.now()}-${index + 1}`);
      const found = await search({
        seeds: [...fixed, ...fresh],
        length: LENGTH,
        sides,
        shrinkWithinMs: SHRINK_WITHIN_MS,
        onUnrepeated: (text) => process.stdout.write(`${text}\n`),
      });
      process.stdout.write(`conformance: ${found.sequences} sequences, ${found.commands} commands\n`);
      expect(found.finding).toBeNull();
      expect(found.restless).toBe(0);
      expect(found.unrepeated).toBeLessThanOrEqual(mostUnrepeated(found.sequences));
    },
    TIMEOUT_MS,
  );
});
