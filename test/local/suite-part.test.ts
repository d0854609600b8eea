import { getPriority } from "node:os";
import { describe, expect, it } from "vitest";
import { exitCodeOf, runPart } from "../support/suite-part.ts";
import { wholeSummary } from "../support/summary-reporter.ts";

const good = { code: 0, summary: { passed: 3, failed: 0, skipped: [] } };

describe("a part of the suite", () => {
  it("hands over what it came to, and what it prints", async () => {
    let output = "";
    const onOutput = (text: string): void => {
      output += text;
    };
    const files = ["test/core/acl.test.ts"];
    const part = await runPart({ projects: ["unit", "model"], files, niceness: getPriority(), onOutput });
    expect(part).toEqual({ code: 0, summary: { passed: expect.any(Number), failed: 0, skipped: [] } });
    expect(part.summary.passed).toBeGreaterThan(0);
    expect(output).toContain("test/core/acl.test.ts");
    expect(output).not.toContain("0 failed");
  });

  it("has failed when it ended without a summary", async () => {
    const part = await runPart({ projects: ["no-such-project"], onOutput: () => undefined });
    expect(part).toEqual({ code: 1, summary: { passed: 0, failed: 1, skipped: [] } });
  });

  it("makes the whole fail by its exit code and by its tests", () => {
    expect(exitCodeOf([good, good])).toBe(0);
    expect(exitCodeOf([good, { ...good, code: 130 }])).toBe(130);
    expect(exitCodeOf([{ ...good, summary: { ...good.summary, failed: 1 } }, good])).toBe(1);
  });
});

describe("the whole suite", () => {
  it("sums up its parts", () => {
    const skipped = [{ name: "a.test.ts > one", reason: "no Java" }];
    const parts = [good.summary, { passed: 10, failed: 2, skipped }];
    const checks = (process.env["VALKEEPER_CHECKS"] ?? "0,0").split(",").map(Number);
    const lines = wholeSummary(parts, Date.now()).split("\n");
    expect(lines[0]).toBe("skipped: a.test.ts > one: no Java");
    expect(lines.at(-1)).toBe(`${13 + (checks[0] ?? 0)} passed, ${2 + (checks[1] ?? 0)} failed`);
  });
});
