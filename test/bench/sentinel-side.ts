// Three real Valkey Sentinels over the nodes of one run, as an operator would set them up: quorum 2, failover-timeout
// 10000, parallel-syncs 1, everything else by default.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { findFreePort } from "../../lib/local/free-port.ts";
import type { Program } from "../../lib/local/process-group.ts";
import { readTools } from "../../lib/local/tools.ts";
import type { LookupOptions, Place } from "./lookup.ts";
import { monotonicMs, pause } from "./monotonic.ts";
import { GROUP, groupsOf, type Ordered, PASSWORD, type Side, type SideOptions, type TimedEvent } from "./side.ts";

const READY_WITHIN_MS = 40_000;
const CONFIRMED_WITHIN_MS = 20_000;

interface Sentinel extends Place {
  readonly client: Redis;
  readonly program: Program;
}

export async function startSentinels(options: SideOptions): Promise<Side> {
  const events: TimedEvent[] = [];
  const sentinels = await Promise.all([0, 1, 2].map((index) => startSentinel(options, index, events)));
  const clients = sentinels.map(({ client }) => client);
  options.group.onClose(() => {
    for (const client of clients) client.disconnect();
  });
  for (const { name, nodes } of groupsOf(options)) await untilTheyKnowEachOther(sentinels, name, nodes.length - 1);
  const lookup: LookupOptions = {
    kind: "sentinel",
    group: GROUP,
    sentinels: sentinels.map(({ host, port }) => ({ host, port })),
  };
  return {
    kind: "sentinel",
    lookup,
    events,
    words: [],
    watchers: sentinels.map(({ program }) => program.pid),
    storeWriteMs: async () => null,
    switchover: () => order(sentinels),
    retries: () => events.filter(({ event }) => event.startsWith("-failover-abort")).length,
  };
}

async function startSentinel(options: SideOptions, index: number, events: TimedEvent[]): Promise<Sentinel> {
  const { group, zones } = options;
  const host = zones?.[index]?.host ?? "127.0.0.1";
  const port = zones === undefined ? await findFreePort(host) : 26_379;
  const folder = group.makeFolder(`sentinel-${index + 1}`);
  const data = join(folder, "data");
  mkdirSync(data);
  const file = join(folder, "sentinel.conf");
  const lines = [
    `port ${port}`,
    `bind ${host}`,
    "protected-mode no",
    `dir "${data}"`,
    ...groupsOf(options).flatMap(({ name, nodes: [primary] }) => [
      `sentinel monitor ${name} ${primary?.host} ${primary?.port} 2`,
      `sentinel auth-pass ${name} ${PASSWORD}`,
      `sentinel down-after-milliseconds ${name} ${options.downAfterMs}`,
      `sentinel failover-timeout ${name} 10000`,
      `sentinel parallel-syncs ${name} 1`,
    ]),
  ];
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  const [command = "", ...args] = [...(zones?.[index]?.exec ?? []), readTools().valkey.sentinel, file];
  const program = await group.spawn({
    name: `sentinel ${index + 1}`,
    command,
    args,
    endedBy: "SIGKILL",
    onLine: (line) => {
      const word = / [#*] ([+-][a-z-]+)/.exec(line)?.[1];
      if (word !== undefined) events.push({ at: monotonicMs(), event: word, by: `s${index + 1}`, node: null });
    },
  });
  const client = new Redis({ host, port, protocol: 2, enableReadyCheck: false, retryStrategy: () => 50 });
  client.on("error", () => undefined);
  return { host, port, client, program };
}

async function untilTheyKnowEachOther(sentinels: readonly Sentinel[], name: string, replicas: number): Promise<void> {
  const until = performance.now() + READY_WITHIN_MS;
  const isSettled = async ({ client }: Sentinel): Promise<boolean> => {
    const reply = (await client.call("SENTINEL", "PRIMARY", name)) as string[];
    const fields = new Map(reply.flatMap((name, index) => (index % 2 === 0 ? [[name, reply[index + 1] ?? ""]] : [])));
    return (
      fields.get("flags") === "master" &&
      Number(fields.get("num-slaves")) === replicas &&
      Number(fields.get("num-other-sentinels")) === sentinels.length - 1
    );
  };
  while (performance.now() < until) {
    const settled = await Promise.all(sentinels.map((sentinel) => isSettled(sentinel).catch(() => false)));
    if (settled.every((each) => each)) return;
    await pause(50);
  }
  throw new Error(`the sentinels did not find each other and their replicas within ${READY_WITHIN_MS} ms`);
}

/** `SENTINEL FAILOVER`, confirmed when the sentinel that was asked answers with the new primary. */
async function order(sentinels: readonly Sentinel[]): Promise<Ordered> {
  const client = sentinels[0]?.client;
  if (client === undefined) throw new Error("there is no sentinel");
  const ask = async (): Promise<string> => String(await client.call("SENTINEL", "GET-PRIMARY-ADDR-BY-NAME", GROUP));
  const before = await ask();
  const orderedAt = monotonicMs();
  await client.call("SENTINEL", "FAILOVER", GROUP);
  while ((await ask()) === before) {
    if (monotonicMs() - orderedAt > CONFIRMED_WITHIN_MS) throw new Error("the ordered failover did not happen");
    await pause(2);
  }
  return { orderedAt, confirmedAt: monotonicMs() };
}
