// A real night: three nodes, three voters and the publisher as processes, the table on the local cloud, and two faults. What
// is kept of it are the lines in which the functions reported their figures, and what the table's requests would consume.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { groupName } from "../../lib/core/types.ts";
import { clientsOf } from "../../lib/local/deploy.ts";
import { startLocalCloud } from "../../lib/local/local-cloud.ts";
import { PATIENT } from "../../lib/local/local-store.ts";
import type { ProcessGroup } from "../../lib/local/process-group.ts";
import type { ReadyEvent } from "../../lib/local/run-local.ts";
import { projectRoot } from "../../lib/local/tools.ts";
import { localAccess } from "../../lib/local/valkey-config.ts";
import { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { VARIABLES } from "../../lib/runtime/environment.ts";
import { type MeteringProxy, startMeteringProxy } from "../cost/metering-proxy.ts";
import type { EmfLine, Figure, Window } from "./figures.ts";
import type { Deed } from "./picture-parts.ts";

export const ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] as const;
const GROUP = groupName("mymaster");

export interface Recording {
  readonly table: string;
  readonly window: Window;
  readonly lines: readonly EmfLine[];
  /** The table's, which DynamoDB reports and no function. */
  readonly capacity: readonly Figure[];
  readonly deeds: readonly Deed[];
}

const MINUTE_MS = 60_000;
const READY_WITHIN_MS = 60_000;
const FAILOVER_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;
const CAPACITY_EVERY_MS = 5_000;
/** Minutes from when the group is ready: quiet, one fault, another one, and until every alarm has made up its mind. */
const AFTER = { primaryKilled: 2.2, zoneLost: 4.2, end: 9 } as const;

export async function record(group: ProcessGroup, say: (text: string) => void): Promise<Recording> {
  const cloud = await startLocalCloud({ group });
  const clients = clientsOf(cloud);
  group.onClose(() => clients.destroy());
  const proxy = await startMeteringProxy(group, cloud.endpoint);
  const nodes = await Promise.all(
    ZONES.map((_, index) => ValkeyProcess.start({ group, id: `n${index + 1}`, access: localAccess, boot: "fenced" })),
  );
  const lines: EmfLine[] = [];
  const ready = await startVoters({ group, nodes, endpoint: proxy.endpoint, lines });
  const store = createDynamodbStore({ client: clients.dynamodb, table: ready.table, limits: PATIENT });
  const from = Date.now();
  say(`three voters watch ${GROUP}; the run takes ${AFTER.end} minutes`);
  const meter = new CapacityMeter(proxy, ready.table);
  group.onClose(() => meter.stop());
  const night = new Night({ group, nodes, store, ready, say });
  await untilMinute(from, AFTER.primaryKilled);
  await night.killPrimary();
  await untilMinute(from, AFTER.zoneLost);
  await night.loseZone();
  await untilMinute(from, AFTER.end);
  meter.stop();
  return { table: ready.table, window: { from, to: Date.now() }, lines, capacity: meter.figures, deeds: night.deeds };
}

const untilMinute = (from: number, minute: number): Promise<void> =>
  sleep(Math.max(0, from + minute * MINUTE_MS - Date.now()));

interface NightOptions {
  readonly group: ProcessGroup;
  readonly nodes: readonly ValkeyProcess[];
  readonly store: OperatorStore;
  readonly ready: ReadyEvent;
  readonly say: (text: string) => void;
}

class Night {
  readonly deeds: Deed[] = [];
  readonly #options: NightOptions;

  constructor(options: NightOptions) {
    this.#options = options;
  }

  async killPrimary(): Promise<void> {
    const primary = await this.#primary();
    this.#did(`${primary.id}, the primary, is killed, and stays away`);
    await primary.kill();
    await this.#replaced(primary);
  }

  async loseZone(): Promise<void> {
    const { group, nodes, ready } = this.#options;
    const primary = await this.#primary();
    const index = nodes.indexOf(primary);
    this.#did(`${ZONES[index]} is lost: ${primary.id}, the new primary, is killed, and the zone's voter hangs`);
    const pid = ready.voters[index]?.pid ?? 0;
    process.kill(pid, "SIGSTOP");
    // Stopped it would not hear that it should end.
    group.onClose(() => void process.kill(pid, "SIGCONT"));
    await primary.kill();
    await this.#replaced(primary);
  }

  #did(text: string): void {
    this.deeds.push({ at: Date.now(), text });
    this.#options.say(text);
  }

  async #primary(): Promise<ValkeyProcess> {
    const { nodes, store } = this.#options;
    const id = (await store.readBallot(GROUP))?.primary?.node;
    const node = nodes.find((each) => each.id === id);
    if (node === undefined) throw new Error(`${GROUP} has no primary`);
    return node;
  }

  async #replaced(old: ValkeyProcess): Promise<void> {
    const until = performance.now() + FAILOVER_WITHIN_MS;
    while ((await this.#primary()) === old) {
      if (performance.now() > until)
        throw new Error(`${old.id} was not replaced within ${FAILOVER_WITHIN_MS / 1_000} s`);
      await sleep(LOOK_EVERY_MS);
    }
    this.#options.say(`${(await this.#primary()).id} is primary now`);
  }
}

interface VotersOptions {
  readonly group: ProcessGroup;
  readonly nodes: readonly ValkeyProcess[];
  readonly endpoint: string;
  readonly lines: EmfLine[];
}

/** `valkeeper local`, as users start it; its functions report as deployed ones do. */
async function startVoters({ group, nodes, endpoint, lines }: VotersOptions): Promise<ReadyEvent> {
  const file = join(group.makeFolder("local"), "config.json");
  const members = nodes.map(({ id, host, port }, index) => ({ id, host, port, zone: ZONES[index] }));
  const config = {
    voters: ZONES.map((id) => ({ id })),
    groups: [{ name: GROUP, primary: "n1", credentials: localAccess.coordinator, nodes: members }],
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  const aws = { AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  let ready: ReadyEvent | null = null;
  const local = await group.spawn({
    name: "valkeeper local",
    command: process.execPath,
    args: [join(projectRoot, "bin", "valkeeper.ts"), "local", "--config", file],
    environment: { ...(process.env as Record<string, string>), ...aws, [VARIABLES.metrics]: "deployment" },
    onLine: (text) => {
      if (!text.startsWith("{")) return;
      const line = JSON.parse(text) as Readonly<Record<string, unknown>>;
      if (line["event"] === "local.ready") ready = line as unknown as ReadyEvent;
      else if ("_aws" in line) lines.push(line as EmfLine);
    },
  });
  const until = performance.now() + READY_WITHIN_MS;
  while (ready === null) {
    if (performance.now() > until || !local.isRunning) {
      throw new Error(`valkeeper local was not ready within ${READY_WITHIN_MS} ms:\n${local.output.slice(-2_000)}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
  return ready;
}

/** What DynamoDB would report of the table, by the requests that went through the proxy. */
class CapacityMeter {
  readonly figures: Figure[] = [];
  readonly #proxy: MeteringProxy;
  readonly #table: string;
  readonly #timer: NodeJS.Timeout;
  #before: Readonly<Record<string, number>>;

  constructor(proxy: MeteringProxy, table: string) {
    this.#proxy = proxy;
    this.#table = table;
    this.#before = this.#consumed();
    this.#timer = setInterval(() => this.#look(), CAPACITY_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = this.#consumed();
    for (const [name, units] of Object.entries(now)) {
      const value = units - (this.#before[name] ?? 0);
      const dimensions = { TableName: this.#table };
      this.figures.push({ namespace: "AWS/DynamoDB", name, dimensions, value, at: Date.now() });
    }
    this.#before = now;
  }

  #consumed(): Readonly<Record<string, number>> {
    const all = [...this.#proxy.metered().values()];
    return {
      ConsumedReadCapacityUnits: all.reduce((sum, { readUnits }) => sum + readUnits, 0),
      ConsumedWriteCapacityUnits: all.reduce((sum, { writeUnits }) => sum + writeUnits, 0),
    };
  }
}
