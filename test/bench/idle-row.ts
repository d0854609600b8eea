// What it costs while nothing happens: processor time and memory of the three that watch, and requests to the table.

import { readFileSync } from "node:fs";
import { startDynamodbLocal, whyNoDynamodbLocal } from "../../lib/local/dynamodb-local.ts";
import { startLocalCloud } from "../../lib/local/local-cloud.ts";
import type { ProcessGroup } from "../../lib/local/process-group.ts";
import { startCountingProxy } from "./counting-proxy.ts";
import { monotonicMs, pause } from "./monotonic.ts";
import { type Row, SENTINEL, VALKEEPER } from "./row.ts";
import { Scene, withGroup } from "./scene.ts";
import { summarize } from "./statistics.ts";

const WATCHED_MS = 60_000;
const QUICK_WATCHED_MS = 20_000;
/** Of Linux, whatever the kernel's own. */
const TICKS_PER_SECOND = 100;

/** What a voter function is given by default. */
const MANY_GROUPS = 50;

const idleRowOf = (id: string, groups: number, title: string): Row => ({
  id,
  title: `${title}, probes every 500 ms, per watching process (sentinel or voter)`,
  variants: [SENTINEL, VALKEEPER],
  mostRuns: 3,
  lines: [
    { figure: "cpu", label: "processor time, of one core", unit: "%", variants: [VALKEEPER.id] },
    { figure: "memory", label: "memory (RSS)", unit: "MB", variants: [VALKEEPER.id] },
    {
      figure: "reads",
      label: "DynamoDB reads per voter",
      unit: "/min",
      variants: [VALKEEPER.id],
      hasSentinel: false,
    },
    {
      figure: "writes",
      label: "DynamoDB writes per voter",
      unit: "/min",
      variants: [VALKEEPER.id],
      hasSentinel: false,
    },
  ],
  measure: ({ group: parent, isQuick }, variant) =>
    withGroup(parent, async (group) => {
      const places = variant.side === "valkeeper" ? await openPlaces(group, groups) : null;
      const scene = await Scene.open({ group, variant, groups, downAfterMs: 5_000, ...places?.endpoints });
      await scene.settle();
      const proxy = places?.voters;
      const [from, before] = [readUsage(scene.side.watchers), proxy?.counts()];
      const startedAt = monotonicMs();
      await pause(isQuick ? QUICK_WATCHED_MS : WATCHED_MS);
      const [to, after] = [readUsage(scene.side.watchers), proxy?.counts()];
      const seconds = (monotonicMs() - startedAt) / 1_000;
      const cpu = to.map(({ cpuSeconds }, index) => (100 * (cpuSeconds - (from[index]?.cpuSeconds ?? 0))) / seconds);
      return {
        figures: {
          cpu: summarize(cpu)?.median ?? null,
          memory: summarize(to.map(({ memoryMb }) => memoryMb))?.median ?? null,
          ...requests(before, after, seconds / 60),
        },
        ...(before === undefined || after === undefined ? {} : { notes: [describe(before, after)] }),
      };
    }),
});

/** The publisher's requests go past the voters' proxy: what is counted is the voters' alone. */
async function openPlaces(group: ProcessGroup, groups: number) {
  const { endpoint: cloud } = await startLocalCloud({ group });
  if (groups === 1) {
    const voters = await startCountingProxy(group, { cloud });
    return { voters, endpoints: { endpoint: cloud, voterEndpoint: voters.endpoint } };
  }
  const targets = { cloud, dynamodb: (await startDynamodbLocal({ group })).endpoint };
  const [others, voters] = [await startCountingProxy(group, targets), await startCountingProxy(group, targets)];
  return { voters, endpoints: { endpoint: others.endpoint, voterEndpoint: voters.endpoint } };
}

export const idleRow = idleRowOf("idle", 1, "one quiet group");
/** The local cloud's one thread does not answer the tables' requests of so many groups within their time. */
export const manyGroupsRow: Row = {
  ...idleRowOf("idle-50", MANY_GROUPS, "fifty quiet groups, their table in DynamoDB Local"),
  whyNot: () => Promise.resolve(whyNoDynamodbLocal()),
};

type Counts = ReadonlyMap<string, number>;

const READS = ["GetItem", "BatchGetItem", "Query", "Scan"];
const WRITES = ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"];

const difference = (before: Counts, after: Counts, operation: string): number => {
  const name = `DynamoDB_20120810.${operation}`;
  return (after.get(name) ?? 0) - (before.get(name) ?? 0);
};

function requests(before: Counts | undefined, after: Counts | undefined, minutes: number) {
  if (before === undefined || after === undefined) return {};
  const perVoter = (operations: readonly string[]): number =>
    operations.reduce((sum, operation) => sum + difference(before, after, operation), 0) / 3 / minutes;
  return { reads: perVoter(READS), writes: perVoter(WRITES) };
}

const describe = (before: Counts, after: Counts): string =>
  [...READS, ...WRITES]
    .map((operation) => ({ operation, count: difference(before, after, operation) }))
    .filter(({ count }) => count > 0)
    .map(({ operation, count }) => `${operation} ${count}`)
    .join(", ")
    .concat(" by all three voters, without the publisher");

interface Usage {
  readonly cpuSeconds: number;
  readonly memoryMb: number;
}

function readUsage(pids: readonly number[]): Usage[] {
  return pids.map((pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name stands in parentheses and may hold anything; the fields are counted behind it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      memoryMb: Number(resident?.[1] ?? 0) / 1_024,
    };
  });
}
