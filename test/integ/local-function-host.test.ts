import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually, useProcessGroup } from "../support/local-group.ts";

const group = useProcessGroup();
const folder = group.makeFolder("handler");

interface Host {
  readonly lines: Record<string, unknown>[];
  readonly call: () => void;
  readonly end: () => Promise<{ readonly code: number | null }>;
  readonly ended: Promise<{ readonly code: number | null }>;
}

function host(name: string, handler: string, timeoutMs: number, concurrency: number): Host {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, `const say = (line) => process.stdout.write(JSON.stringify(line) + "\\n");\n${handler}`);
  const child = spawn(process.execPath, ["lib/local/function-host.ts", file, String(timeoutMs), String(concurrency)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: Record<string, unknown>[] = [];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    for (const line of chunk.split("\n").filter((each) => each !== "")) lines.push(JSON.parse(line));
  });
  const ended = new Promise<{ readonly code: number | null }>((resolve) => {
    child.once("exit", (code) => resolve({ code }));
  });
  const end = () => {
    child.kill("SIGTERM");
    return ended;
  };
  return { lines, call: () => child.kill("SIGUSR2"), end, ended };
}

describe("the host of a function", () => {
  it("calls the handler at once, with the time it was due and what is left of its time", async () => {
    const it = host(
      "once",
      "export const handler = async (event, at) => say({ event, left: at.getRemainingTimeInMillis(), id: at.awsRequestId });",
      180_000,
      2,
    );
    await eventually("it was called", () => it.lines.length > 0);
    expect(it.lines[0]).toMatchObject({ event: { scheduledTime: expect.stringMatching(/^\d{4}-.*Z$/) } });
    expect(it.lines[0]?.["left"]).toBeGreaterThan(179_000);
    expect(it.lines[0]?.["id"]).toEqual(expect.any(String));
    expect(await it.end()).toEqual({ code: 0 });
  });

  it("runs a second call beside the first, and no third", async () => {
    const it = host(
      "three",
      'export const handler = async () => { say({ event: "begun" }); await new Promise(() => setTimeout(() => {}, 1e6)); };',
      60_000,
      2,
    );
    const begun = () => it.lines.filter((line) => line["event"] === "begun").length;
    await eventually("the first runs", () => begun() === 1);
    it.call();
    await eventually("the second runs beside it", () => begun() === 2);
    it.call();
    await eventually("the third is throttled", () => it.lines.some((line) => line["event"] === "function.throttled"));
    expect(begun()).toBe(2);
    await it.end();
  });

  it("ends with a call that outlives its time, as Lambda ends the environment", async () => {
    const it = host("late", "export const handler = () => new Promise(() => setTimeout(() => {}, 1e6));", 200, 1);
    expect(await it.ended).toEqual({ code: 1 });
    expect(it.lines).toMatchObject([{ event: "function.timed-out", timeoutMs: 200 }]);
  });

  it("tells of a handler that throws, and goes on", async () => {
    const it = host("throws", 'export const handler = async () => { throw new Error("no table"); };', 60_000, 2);
    await eventually("it is told", () => it.lines.length === 1);
    it.call();
    await eventually("it goes on", () => it.lines.length === 2);
    expect(it.lines[1]).toMatchObject({ event: "function.failed", detail: expect.stringContaining("no table") });
    await it.end();
  });
});
