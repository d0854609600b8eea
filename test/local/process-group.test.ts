import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ProcessGroup } from "../../lib/local/process-group.ts";
import { projectRoot } from "../../lib/local/tools.ts";
import { eventually, isAlive, sleep } from "../support/local-group.ts";

interface Example {
  readonly pid: number;
  readonly inner: number;
  readonly folder: string;
}

/** Another process that has started a program with a child of its own, and made a folder, through a group. */
async function startExample(mode: "waits" | "throws", through: readonly string[] = []) {
  const script = join("test", "support", "process-group-example.ts");
  const child = spawn(process.execPath, [...through, script, mode], {
    cwd: projectRoot,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once("exit", (code, signal) => resolve(code ?? signal)),
  );
  const example = await new Promise<Example>((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) {
        resolve(JSON.parse(text) as Example);
      }
    });
    child.once("exit", () => reject(new Error(`the example ended: ${text}`)));
  });
  return { child, ended, example };
}

async function expectGone(example: Example): Promise<void> {
  await eventually("the program and its child end", () => !isAlive(example.pid) && !isAlive(example.inner));
  await eventually("the folder goes", () => !existsSync(example.folder));
}

describe("ProcessGroup", () => {
  it("ends programs and removes folders when it is closed, twice if asked", async () => {
    const group = new ProcessGroup();
    const folder = group.makeFolder("test");
    const program = await group.spawn({ name: "sleeper", command: "sleep", args: ["60"], cwd: folder });
    expect(isAlive(program.pid)).toBe(true);
    await Promise.all([group.close(), group.close()]);
    expect(await program.ended).toEqual({ code: null, signal: "SIGTERM" });
    expect(existsSync(folder)).toBe(false);
    await expect(group.spawn({ name: "late", command: "sleep", args: ["60"] })).rejects.toThrow("being taken down");
  });

  it("insists when a program does not listen", async () => {
    const group = new ProcessGroup();
    const args = ["-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"];
    let ready = false;
    const program = await group.spawn({
      name: "stubborn",
      command: "sh",
      args,
      ownGroup: true,
      onLine: () => {
        ready = true;
      },
    });
    await eventually("it is ready", () => ready);
    const end = await program.stop({ graceMs: 100 });
    expect(end.signal).toBe("SIGKILL");
    await group.close();
  });

  it("keeps what a program printed and says which one is missing", async () => {
    const group = new ProcessGroup();
    const lines: string[] = [];
    const args = ["-c", "echo one; echo two >&2; printf three"];
    const program = await group.spawn({ name: "talker", command: "sh", args, onLine: (line) => lines.push(line) });
    await program.ended;
    await eventually("all lines are read", () => lines.length === 3);
    expect(lines.sort()).toEqual(["one", "three", "two"]);
    expect(program.output).toContain("two\n");
    const missing = group.spawn({ name: "absent", command: "no-such-program-here", args: [] });
    await expect(missing).rejects.toMatchObject({ code: "LocalError", problem: "program-missing" });
    await group.close();
  });

  it("takes down the rest after one part could not be", async () => {
    const group = new ProcessGroup();
    const order: string[] = [];
    group.onClose(() => {
      order.push("first made");
    });
    group.onClose(() => {
      order.push("last made");
      throw new Error("no");
    });
    const program = await group.spawn({ name: "sleeper", command: "sleep", args: ["60"] });
    await expect(group.close()).rejects.toThrow("could not be taken down");
    expect(order).toEqual(["last made", "first made"]);
    expect(program.isRunning).toBe(false);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("cleans up on %s and ends with %d", async (signal, code) => {
    const { child, ended, example } = await startExample("waits");
    child.kill(signal);
    // npm forwards what the terminal has sent already: the echo must not cut the cleaning short.
    await sleep(5);
    child.kill(signal);
    expect(await ended).toBe(code);
    await expectGone(example);
  });

  it("cleans up after an uncaught error", async () => {
    const { ended, example } = await startExample("throws");
    expect(await ended).toBe(70);
    await expectGone(example);
  });

  it("leaves nothing behind when the process is killed with SIGKILL", async () => {
    const { child, ended, example } = await startExample("waits");
    child.kill("SIGKILL");
    expect(await ended).toBe("SIGKILL");
    await expectGone(example);
  });
});

describe("set-up, as a launcher", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("passes %s on and takes over the exit code", async (signal, code) => {
    const { child, ended, example } = await startExample("waits", [join("bin", "setup.mjs"), "run"]);
    child.kill(signal);
    expect(await ended).toBe(code);
    await expectGone(example);
  });
});
