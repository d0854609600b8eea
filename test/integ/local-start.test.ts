import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { eventually, isAlive } from "../support/local-group.ts";

const temporary = mkdtempSync(join(tmpdir(), "valkeeper-start-test-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

function start(): {
  readonly output: () => string;
  readonly end: (signal: NodeJS.Signals) => void;
  ended: Promise<number | null>;
} {
  const { AWS_ENDPOINT_URL: _, ...env } = process.env;
  let output = "";
  const child = spawn(process.execPath, ["bin/start.ts"], {
    env: { ...env, TMPDIR: temporary },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  return { output: () => output, end: (signal) => child.kill(signal), ended };
}

const pidsIn = (output: string): number[] => [...output.matchAll(/pid (\d+)/g)].map((match) => Number(match[1]));

describe("npm start", () => {
  it("L1, L2: shows a failover, the return and a lossless switchover, and leaves nothing behind", async () => {
    const run = start();
    const code = await run.ended;
    expect(code, run.output()).toBe(0);
    for (const fact of [
      /kill to first acknowledged write\s+│\s+\d+ ms/,
      /acknowledged writes lost by the switchover\s+│\s+0 /,
      /mymaster {2}OK {2}epoch \d+ {2}mode act {2}published: table \d+, ssm \d+, dns \d+/,
      /every step held/,
    ]) {
      expect(run.output()).toMatch(fact);
    }
    expect(pidsIn(run.output())).toHaveLength(3);
    expect(pidsIn(run.output()).filter(isAlive)).toEqual([]);
    expect(readdirSync(temporary).filter((name) => name.startsWith("valkeeper-"))).toEqual([]);
  }, 150_000);

  it("ends everything when it is interrupted in the middle", async () => {
    const run = start();
    await eventually("the nodes run", () => pidsIn(run.output()).length === 3, 30_000);
    run.end("SIGINT");
    expect(await run.ended).toBe(130);
    expect(pidsIn(run.output()).filter(isAlive)).toEqual([]);
    expect(readdirSync(temporary).filter((name) => name.startsWith("valkeeper-"))).toEqual([]);
  }, 60_000);
});
