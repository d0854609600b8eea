// Valkeeper over the nodes of one run: `valkeeper local` as users start it, that is three voters and the publisher as
// processes of their own, and the AWS API of the local cloud.

import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CreateTableCommand, type DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { createAwsClients } from "../../lib/adapters/aws/clients.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { COORDINATOR_USER } from "../../lib/core/acl.ts";
import { groupName, wallTime } from "../../lib/core/types.ts";
import type { ReadyEvent } from "../../lib/local/run-local.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { monotonicMs, pause } from "./monotonic.ts";
import { COORDINATOR_PASSWORD } from "./nodes.ts";
import { groupsOf, GROUP as MAIN_GROUP, type Ordered, type Side, type SideOptions, type TimedEvent } from "./side.ts";
import { summarize } from "./statistics.ts";

const GROUP = groupName(MAIN_GROUP);
const VOTERS = ["az-a", "az-b", "az-c"];
const READY_WITHIN_MS = 60_000;
/** Further groups begin beside the first, and share the processors with it. */
const READY_EACH_MS = 2_000;
const CONFIRMED_WITHIN_MS = 20_000;
const LATENCY_WRITES = 30;
/** Often enough for the figure, and rarely enough that asking does not keep the emulated table from answering. */
const ASK_EVERY_MS = 10;
/** As the command line's: the voters are told that an order comes, and have seen it by then. */
const LOOK_MS = 30_000;
const ANNOUNCED_MS = 1_500;
const program = fileURLToPath(new URL("../../bin/valkeeper.ts", import.meta.url));

interface Line {
  readonly event?: string;
  readonly time?: string;
  readonly voter?: string;
  readonly node?: string | null;
}

export async function startValkeeper(options: SideOptions): Promise<Side> {
  const { group } = options;
  const events: TimedEvent[] = [];
  const words: string[] = [];
  const ready = await startLocal(options, events, words);
  const clients = createAwsClients({
    endpoint: ready.endpoint,
    region: ready.region,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  group.onClose(() => clients.destroy());
  const store = createDynamodbStore({ client: clients.dynamodb, table: ready.table });
  return {
    kind: "valkeeper",
    lookup: { kind: "publication", group: GROUP, endpoint: ready.endpoint, table: ready.table },
    events,
    words,
    watchers: ready.voters.map((voter) => voter.pid),
    storeWriteMs: () => measureWrites(clients.dynamodb),
    switchover: () => order(store),
    retries: () => events.filter(({ event }) => event.endsWith(".abandoned") || event === "lease.taken-over").length,
  };
}

async function startLocal(options: SideOptions, events: TimedEvent[], words: string[]): Promise<ReadyEvent> {
  const { group, zones, hostAddress, endpoint } = options;
  const file = join(group.makeFolder("local"), "config.json");
  writeFileSync(file, JSON.stringify(localConfig(options)), { mode: 0o600 });
  const environment = {
    ...process.env,
    ...(endpoint === undefined
      ? {}
      : { AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" }),
  } as Record<string, string>;
  let ready: ReadyEvent | null = null;
  const local = await group.spawn({
    name: `valkeeper local${zones === undefined ? "" : ` at ${hostAddress}`}`,
    command: process.execPath,
    args: [program, "local", "--config", file],
    environment,
    onLine: (text) => {
      const at = monotonicMs();
      if (!text.startsWith("{")) {
        words.push(text);
        return;
      }
      const line = JSON.parse(text) as Line;
      if (line.event === "local.ready") ready = line as unknown as ReadyEvent;
      else if (line.event !== undefined) events.push(timed(line, at));
    },
  });
  const withinMs = READY_WITHIN_MS + READY_EACH_MS * (options.others?.length ?? 0);
  const until = performance.now() + withinMs;
  while (ready === null) {
    if (performance.now() > until || !local.isRunning) {
      throw new Error(`valkeeper local was not ready within ${withinMs} ms:\n${local.output.slice(-2_000)}`);
    }
    await pause(20);
  }
  return ready;
}

export function localConfig(options: Omit<SideOptions, "group">): object {
  const { zones, hostAddress, voterEndpoint, downAfterMs, settings } = options;
  const elsewhere = voterEndpoint === undefined ? [] : ["/usr/bin/env", `AWS_ENDPOINT_URL=${voterEndpoint}`];
  return {
    ...(hostAddress === undefined ? {} : { listen: hostAddress }),
    voters: VOTERS.map((id, index) => ({ id, exec: [...(zones?.[index]?.exec ?? []), ...elsewhere] })),
    groups: groupsOf(options).map(({ name, nodes }) => ({
      name,
      primary: nodes[0]?.id,
      quorum: 2,
      downAfterMs,
      // A person would wait ten seconds of health before the first fault; the bench has many first faults.
      armAfterMs: 1_000,
      credentials: { user: COORDINATOR_USER, password: COORDINATOR_PASSWORD },
      nodes: nodes.map((node, index) => ({ id: node.id, host: node.host, port: node.port, zone: VOTERS[index] })),
      ...settings,
    })),
  };
}

/** When it was journalled, on this machine's shared clock; `at` is when its line arrived. */
function timed(line: Line, at: number): TimedEvent {
  const { event = "", time, voter = "", node = null, ...detail } = line;
  const lateMs = time === undefined ? 0 : Math.max(0, Date.now() - Date.parse(time));
  return { at: at - lateMs, event, by: voter, node, detail };
}

/** As `valkeeper switchover` does it: announced, then ordered; confirmed when the result stands in the table. */
async function order(store: OperatorStore): Promise<Ordered> {
  await store.look(GROUP, wallTime(Date.now() + LOOK_MS));
  await pause(ANNOUNCED_MS);
  const id = randomUUID();
  const now = wallTime(Date.now());
  const orderedAt = monotonicMs();
  const isWritten = await store.writeRequest(
    GROUP,
    {
      schema: 1,
      id,
      kind: "switchover",
      target: null,
      by: "bench",
      reason: "measured",
      acceptDataLoss: false,
      askedAt: now,
      expiresAt: wallTime(now + CONFIRMED_WITHIN_MS),
      result: null,
    },
    now,
  );
  if (!isWritten) throw new Error("another request stands");
  while (monotonicMs() - orderedAt < CONFIRMED_WITHIN_MS) {
    const record = await store.readRequest(GROUP);
    if (record?.id === id && record.result !== null) {
      if (record.result.kind !== "done")
        throw new Error(`the switchover was ${record.result.kind}: ${record.result.detail}`);
      return { orderedAt, confirmedAt: monotonicMs() };
    }
    await pause(ASK_EVERY_MS);
  }
  throw new Error("the ordered switchover did not happen");
}

/** In a table of its own: what a vote or a commit waits for the local endpoint, without the protocol. */
async function measureWrites(client: DynamoDBClient): Promise<number | null> {
  const table = "bench-latency";
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    }),
  );
  const took: number[] = [];
  for (let version = 1; version <= LATENCY_WRITES; version += 1) {
    const startedAt = monotonicMs();
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: { pk: { S: "ballot" }, version: { N: String(version) } },
        ConditionExpression: "attribute_not_exists(pk) OR version < :version",
        ExpressionAttributeValues: { ":version": { N: String(version) } },
      }),
    );
    took.push(monotonicMs() - startedAt);
    await pause(10);
  }
  return summarize(took)?.median ?? null;
}
