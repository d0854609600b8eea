import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReadyEvent } from "../../lib/local/run-local.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import type { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { startReplicatedNodes } from "../../lib/local/valkey-set.ts";
import { clientsFor } from "../contract/group-store-endpoints.ts";
import { eventually, isAlive, useProcessGroup } from "../support/local-group.ts";

interface Line {
  readonly event: string;
  readonly node?: string | null;
  readonly voter?: string;
  readonly pid?: number;
}

/** `valkeeper local`, as an outside harness runs it. */
class Local {
  readonly lines: Line[] = [];
  output = "";
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(configFile: string) {
    const { AWS_ENDPOINT_URL: _, ...env } = process.env;
    this.#child = spawn(process.execPath, ["bin/valkeeper.ts", "local", "--config", configFile], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.ended = new Promise((resolve) => this.#child.once("exit", (code) => resolve(code)));
    let rest = "";
    this.#child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.output += chunk;
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) this.lines.push(JSON.parse(line) as Line);
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.output += chunk;
    });
  }

  async ready(): Promise<ReadyEvent> {
    await eventually(`it is ready:\n${this.output}`, () => this.lines.length > 0, 30_000);
    return this.lines[0] as unknown as ReadyEvent;
  }

  async event(name: string, withinMs = 15_000): Promise<Line> {
    await eventually(`${name} is told`, () => this.lines.some((line) => line.event === name), withinMs);
    return this.lines.find((line) => line.event === name) as Line;
  }

  end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    return this.ended;
  }
}

const group = useProcessGroup();
let nodes: readonly ValkeyProcess[];
let local: Local;
let ready: ReadyEvent;

beforeAll(async () => {
  // Plain ones that nobody prepared for Valkeeper, with a primary already.
  nodes = (await startReplicatedNodes({ group, access: localAccess, unprepared: true, nodes: [{}, {}, {}] })).all;
  const configFile = join(group.makeFolder("config"), "local.json");
  const config = {
    voters: [{ id: "az-a" }, { id: "az-b", exec: ["/usr/bin/env"] }, { id: "az-c" }],
    groups: [
      {
        name: "mymaster",
        downAfterMs: 1_000,
        armAfterMs: 500,
        credentials: localAccess.coordinator,
        nodes: nodes.map((node, index) => ({
          id: node.id,
          host: node.host,
          port: node.port,
          zone: `az-${"abc"[index]}`,
        })),
      },
    ],
  };
  writeFileSync(configFile, JSON.stringify(config));
  local = new Local(configFile);
  ready = await local.ready();
}, 90_000);

afterAll(async () => {
  await local.end("SIGTERM");
});

const parameter = async (): Promise<string | undefined> => {
  const clients = clientsFor(ready.endpoint);
  try {
    const name = ready.groups["mymaster" as keyof typeof ready.groups]?.parameter ?? "";
    return (await clients.ssm.send(new GetParameterCommand({ Name: name }))).Parameter?.Value;
  } finally {
    clients.destroy();
  }
};

describe("valkeeper local", () => {
  it("first says that all of it is armed, with every address and process id", async () => {
    expect(local.lines[0]).toMatchObject({
      event: "local.ready",
      region: "eu-west-1",
      groups: { mymaster: { parameter: "/valkeeper/mymaster/primary" } },
      voters: [{ id: "az-a" }, { id: "az-b" }, { id: "az-c" }],
    });
    const pids = [...ready.voters.map((voter) => voter.pid), ready.publisher.pid];
    expect(pids.every(isAlive)).toBe(true);
    expect(new Set(pids).size).toBe(4);
    expect(await parameter()).toBe(`127.0.0.1:${nodes[0]?.port}`);
  });

  it("adopts nodes as they are", async () => {
    expect(await local.event("group.adopted")).toMatchObject({ node: "n1" });
    expect(local.lines.some((line) => line.event === "node.frozen")).toBe(false);
  });

  it("serves the other commands", async () => {
    const child = spawn(process.execPath, ["bin/valkeeper.ts", "status", "mymaster", "--json"], {
      env: { ...process.env, AWS_ENDPOINT_URL: ready.endpoint, ...reachable, VALKEEPER_TABLE: ready.table },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect(JSON.parse(text)).toMatchObject({ table: ready.table });
    expect(code).toBe(0);
  }, 30_000);

  it("L2: follows a fault with the engine's events, and with the parameter", async () => {
    await nodes[0]?.kill();
    const committed = await local.event("primary.committed");
    const next = nodes.find((node) => node.id === committed.node);
    await eventually(
      "the parameter names the new primary",
      async () => (await parameter()) === `127.0.0.1:${next?.port}`,
      10_000,
    );
  }, 40_000);

  it("tells of a voter's process that ended", async () => {
    const [voter] = ready.voters;
    process.kill(voter?.pid ?? 0, "SIGKILL");
    expect(await local.event("local.voter-ended")).toMatchObject({ name: "az-a", pid: voter?.pid, signal: "SIGKILL" });
  });

  it("keeps the password out of records and output", async () => {
    const clients = clientsFor(ready.endpoint);
    const { Items: items } = await clients.dynamodb.send(new ScanCommand({ TableName: ready.table }));
    clients.destroy();
    expect(items?.length).toBeGreaterThan(3);
    expect(JSON.stringify(items)).not.toContain(localAccess.coordinator.password);
    expect(local.output).not.toContain(localAccess.coordinator.password);
  });

  it("ends all of it on SIGTERM, the nodes aside", async () => {
    expect(await local.end("SIGTERM")).toBe(0);
    const pids = [...ready.voters.slice(1).map((voter) => voter.pid), ready.publisher.pid];
    expect(pids.filter(isAlive)).toEqual([]);
    await expect(fetch(ready.endpoint)).rejects.toThrow();
    expect(nodes.slice(1).every((node) => node.isRunning)).toBe(true);
  }, 20_000);
});

const reachable = { AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
