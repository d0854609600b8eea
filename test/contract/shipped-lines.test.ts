// The contract suite would notice if the shipped adapters lost what a rule is: each of these lines is taken out, and the fact of the
// suite that is about it fails. The suite's own run shows that it holds with all of them.

import { describe, expect, it } from "vitest";
import { ADAPTER_REMOVALS } from "../rules/adapter-removals.ts";
import { inThread } from "../rules/thread.ts";

describe("the contract without a line of the shipped adapters", () => {
  it.each(ADAPTER_REMOVALS)("$rule, $what: fails $test", { timeout: 120_000 }, async ({ rule, file, test }) => {
    const caught = await inThread({ without: rule, task: { kind: "tests", file, named: test } });
    expect(caught?.breaks ?? "nothing").toContain(test);
    // A machine that is too slow proves nothing.
    expect(caught?.detail).not.toMatch(/timed out/i);
  });
});
