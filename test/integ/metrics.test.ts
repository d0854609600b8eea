import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localAccess } from "../../lib/local/valkey-config.ts";
import type { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import { startReplicatedNodes } from "../../lib/local/valkey-set.ts";
import { eventually, useProcessGroup } from "../support/local-group.ts";

type Line = Readonly<Record<string, unknown>>;

const group = useProcessGroup();
const lines: Line[] = [];
let nodes: readonly ValkeyProcess[];
let local: ChildProcess;
let ended: Promise<unknown>;

/** Events come on standard output, and what is no event, as figures are none, on standard error. */
function collect(stream: NodeJS.ReadableStream | null): void {
  let rest = "";
  stream?.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.filter((part) => part.startsWith("{")).map((part) => JSON.parse(part) as Line));
  });
}

/** Not those of the minute, which come whenever it is over. */
const failovers = (): readonly Line[] => lines.filter((line) => "_aws" in line && "Failovers" in line);
const named = (event: string): readonly Line[] => lines.filter((line) => line["event"] === event);

beforeAll(async () => {
  nodes = (await startReplicatedNodes({ group, access: localAccess, unprepared: true, nodes: [{}, {}, {}] })).all;
  const configFile = join(group.makeFolder("config"), "local.json");
  const zones = ["az-a", "az-b", "az-c"];
  const config = {
    // As a deployment sets it for its functions; `valkeeper local` by itself prints no figures.
    voters: zones.map((id) => ({ id, exec: ["/usr/bin/env", "VALKEEPER_METRICS=groups"] })),
    groups: [
      {
        name: "mymaster",
        downAfterMs: 1_000,
        armAfterMs: 500,
        credentials: localAccess.coordinator,
        nodes: nodes.map(({ id, host, port }, index) => ({ id, host, port, zone: zones[index] })),
      },
    ],
  };
  writeFileSync(configFile, JSON.stringify(config));
  const { AWS_ENDPOINT_URL: _, ...env } = process.env;
  const program = ["bin/valkeeper.ts", "local", "--config", configFile];
  local = spawn(process.execPath, program, { env, stdio: ["ignore", "pipe", "pipe"] });
  ended = new Promise((resolve) => local.once("exit", resolve));
  collect(local.stdout);
  collect(local.stderr);
  await eventually("it is ready", () => named("local.ready").length > 0, 30_000);
}, 90_000);

afterAll(async () => {
  local.kill("SIGTERM");
  await ended;
});

describe("the figures of deployed voters", () => {
  it("tell a failover in the moment in which it is over, once, with its group", async () => {
    expect(failovers()).toEqual([]);
    await nodes[0]?.kill();
    await eventually("the failover is over", () => named("failover.completed").length > 0, 15_000);
    await eventually("a figure is printed", () => failovers().length > 0, 1_000);
    const [completed] = named("failover.completed");
    const table = named("local.ready")[0]?.["table"];
    expect(failovers()).toHaveLength(1);
    expect(failovers()[0]).toMatchObject({
      Failovers: 1,
      Table: table,
      Group: "mymaster",
      voter: completed?.["voter"],
      epoch: completed?.["epoch"],
      _aws: {
        CloudWatchMetrics: [
          { Namespace: "Valkeeper", Dimensions: [["Table"]], Metrics: [{ Name: "Failovers" }] },
          { Namespace: "Valkeeper", Dimensions: [["Table", "Group"]], Metrics: [{ Name: "Failovers" }] },
        ],
      },
    });
  }, 40_000);
});
