import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeContext, SetupError } from "../../lib/local/setup/context.mjs";
import { ensureLocalCloud, findDynamodbLocal } from "../../lib/local/setup/local-cloud.mjs";
import { withLock } from "../../lib/local/setup/lock.mjs";
import { findSpin } from "../../lib/local/setup/spin.mjs";
import { ensureValkey } from "../../lib/local/setup/valkey.mjs";
import { projectRoot, readTools } from "../../lib/local/tools.ts";
import { eventually, isAlive, sleep } from "../support/local-group.ts";

let folder: string;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "valkeeper-setup-test-"));
  mkdirSync(join(folder, "programs"));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A set-up of this checkout that keeps its results elsewhere and sees only the programs made for the test. */
function contextWith(programs: Record<string, string>) {
  for (const [name, script] of Object.entries(programs)) {
    const path = join(folder, "programs", name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }
  // A Python that pyenv keeps below the real home would be found as well.
  const environment = { PATH: join(folder, "programs"), HOME: folder };
  return {
    ...makeContext({ root: projectRoot, environment, say: (line: string) => said.push(line) }),
    cache: join(folder, "cache"),
  };
}

describe("set-up", () => {
  it("says in one sentence what to do when there is no Python", async () => {
    const result = ensureLocalCloud(contextWith({}));
    await expect(result).rejects.toThrow(SetupError);
    await expect(result).rejects.toThrow(/^Python 3\.10 or newer is needed .* install it .*AWS_ENDPOINT_URL/);
  });

  it("does not take a Python that is too old", async () => {
    const context = contextWith({ python3: "echo 3 9" });
    await expect(ensureLocalCloud(context)).rejects.toThrow("Python 3.10 or newer");
  });

  it("says what to install when Python has no venv module, and leaves nothing half made", async () => {
    const script = 'case "$*" in *venv*) echo "No module named venv" >&2; exit 1;; *) echo 3 11;; esac';
    const message = /No module named venv\): install its venv module \(Debian: `apt-get install python3-venv`\)/;
    await expect(ensureLocalCloud(contextWith({ python3: script }))).rejects.toThrow(message);
    expect(existsSync(join(folder, "cache", "local-cloud"))).toBe(false);
  });

  it("notes the absence of Java, and a Java that is too old", async () => {
    expect(await findDynamodbLocal(contextWith({}))).toEqual({
      missing: expect.stringContaining("java is not on PATH"),
    });
    const old = await findDynamodbLocal(contextWith({ java: "echo 'openjdk version \"1.8.0_402\"' >&2" }));
    expect(old).toEqual({ missing: expect.stringContaining("version 8") });
  });

  it("takes a Valkey from PATH, also one without a Sentinel of its own", async () => {
    const context = contextWith({ "valkey-server": "echo Valkey server v=8.1.1 sha=0", "valkey-cli": "" });
    const server = join(folder, "programs", "valkey-server");
    expect(await ensureValkey(context)).toEqual({
      server,
      cli: join(folder, "programs", "valkey-cli"),
      sentinel: server,
      version: "8.1.1",
    });
  });

  it("says what to install when there is no Valkey and no Debian", async () => {
    const context = contextWith({ "valkey-server": "echo Redis server v=7.0.15 sha=0", "valkey-cli": "" });
    await expect(ensureValkey(context)).rejects.toThrow(
      /valkey-server 7\.2 or newer was not found on PATH: install Valkey/,
    );
    expect(said.join()).toContain("7.0.15, older than 7.2: not used");
  });

  it("notes the absence of Spin and of a compiler, and says what to install", async () => {
    expect(await findSpin(contextWith({}))).toEqual({
      missing: expect.stringMatching(/^a C compiler was not found on PATH, .* install it .*apt-get install spin gcc/),
    });
    const missing = expect.stringMatching(/^spin 6\.5 or newer was not found on PATH: install it /);
    expect(await findSpin(contextWith({ cc: "" }))).toEqual({ missing });
    const old = contextWith({ cc: "", spin: "echo 'Spin Version 6.4.9 -- 17 December 2018'" });
    expect(await findSpin(old)).toEqual({ missing });
  });

  it("takes a Spin from PATH", async () => {
    const context = contextWith({ gcc: "", spin: "echo 'Spin Version 6.5.2 -- 6 December 2019'" });
    const program = (name: string): string => join(folder, "programs", name);
    expect(await findSpin(context)).toEqual({ spin: program("spin"), compiler: program("gcc"), version: "6.5.2" });
  });

  it("is quick when everything is in place", () => {
    const began = performance.now();
    const output = execFileSync(process.execPath, [join(projectRoot, "bin", "setup.mjs")], { encoding: "utf8" });
    expect(output).toBe("setting up: ready\n");
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(readTools().valkey.version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it("tells a task it does not know from those it does", () => {
    const run = () =>
      execFileSync(process.execPath, [join(projectRoot, "bin", "setup.mjs"), "tset"], {
        stdio: "pipe",
        encoding: "utf8",
      });
    expect(run).toThrow(/unknown task "tset"; there are start, /);
  });
});

describe("an interrupted step of the set-up", () => {
  it("ends its worker and says that the next run begins anew", async () => {
    const script = `
      const { makeContext, runOrFail } = await import("./lib/local/setup/context.mjs");
      const context = makeContext();
      context.noteWorker = (pid) => console.log(pid);
      await runOrFail(context, "sleep", ["60"], { what: "sleeping" }).catch((error) => {
        console.log(error.message);
        process.exitCode = error.exitCode;
      });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { cwd: projectRoot, stdio: "pipe" });
    let printed = "";
    child.stdout.on("data", (chunk) => {
      printed += chunk;
    });
    await eventually("the step has begun", () => printed.includes("\n"));
    child.kill("SIGTERM");
    const code = await new Promise((resolve) => child.once("close", resolve));
    const [worker, message] = printed.split("\n");
    expect(code).toBe(143);
    expect(message).toBe("interrupted by SIGTERM; the next run begins the step anew.");
    expect(isAlive(Number(worker))).toBe(false);
  });
});

describe("the set-up's lock", () => {
  it("lets one in at a time", async () => {
    const context = contextWith({});
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(20);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 5 }, () => withLock({ ...context }, work)));
    expect(most).toBe(1);
    expect(readdirSync(context.cache).filter((name) => name.startsWith("setup.lock"))).toEqual([]);
  });

  it("is taken over from an owner that is gone, by one only", async () => {
    const context = contextWith({});
    const lock = join(context.cache, "setup.lock");
    mkdirSync(lock, { recursive: true });
    writeFileSync(join(lock, "owner"), JSON.stringify({ pid: 2 ** 22 + 1, started: "1", token: "gone" }));
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(20);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 5 }, () => withLock({ ...context }, work)));
    expect(most).toBe(1);
  });

  it("is not taken over while what the owner started still works", async () => {
    const context = contextWith({});
    const lock = join(context.cache, "setup.lock");
    mkdirSync(lock, { recursive: true });
    writeFileSync(join(lock, "owner"), JSON.stringify({ pid: 2 ** 22 + 1, started: "1", token: "gone" }));
    writeFileSync(join(lock, "worker-1"), JSON.stringify({ pid: process.pid }));
    let entered = false;
    const entering = withLock(context, async () => {
      entered = true;
    });
    await sleep(300);
    expect(entered).toBe(false);
    expect(said.join()).toContain("waiting for another set-up");
    rmSync(lock, { recursive: true });
    await entering;
    expect(entered).toBe(true);
  });

  it("is free again after a failure", async () => {
    const context = contextWith({});
    await expect(withLock(context, () => Promise.reject(new SetupError("no")))).rejects.toThrow("no");
    await expect(withLock(context, async () => "again")).resolves.toBe("again");
  });
});
