// A stack goes and comes back over the table that it has left: docs/upgrades.md tells operators the steps that are tried here.

import { DescribeTableCommand, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { checkDeclaration } from "../../lib/core/config-check.ts";
import type { HistoryRecord } from "../../lib/core/records.ts";
import { type GroupName, groupName, voterId } from "../../lib/core/types.ts";
import { clientsOf, type Deployed, deployStack, destroyStack, invokeNow } from "../../lib/local/deploy.ts";
import { type LocalCloud, startLocalCloud } from "../../lib/local/local-cloud.ts";
import { ProcessGroup } from "../../lib/local/process-group.ts";
import { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { PATIENT } from "../contract/group-store-endpoints.ts";
import { isHealthy } from "../support/live-group.ts";
import { eventually, sleep } from "../support/local-group.ts";

const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const [declared, added] = [groupName("declared"), groupName("added")];
const processes = new ProcessGroup();
const nodes = new Map<GroupName, readonly ValkeyProcess[]>();
const epochs = new Map<GroupName, EpochWatch>();
let cloud: LocalCloud;
let clients: AwsClients;
let deployed: Deployed;
let store: OperatorStore;

/** What a deployment of the app is told beside the table. */
const settings = (): Record<string, unknown> => ({
  vpc: {
    vpcId: "vpc-0123456789abcdef0",
    zones,
    subnetIds: zones.map((_, index) => `subnet-0123456789abcdef${index}`),
  },
  groups: [declarationOf(declared)],
});

const declarationOf = (name: GroupName) => ({
  name,
  nodes: (nodes.get(name) ?? []).map(({ id, host, port }, index) => ({ id, host, port, zone: zones[index] })),
  armAfterMs: 1_000,
  downAfterMs: 3_000,
});

const startNodes = (name: GroupName): Promise<readonly ValkeyProcess[]> =>
  Promise.all(
    zones.map((_, index) => ValkeyProcess.start({ group: processes, id: `n${index + 1}`, boot: "fenced" })),
  ).then((started) => {
    nodes.set(name, started);
    return started;
  });

/** As `valkeeper groups add` writes it. */
async function addGroup(): Promise<void> {
  const voters = zones.map(voterId);
  const config = checkDeclaration(declarationOf(added), { voters });
  const record = {
    schema: 1,
    group: added,
    version: 1,
    owner: "cli",
    declared: config,
    overrides: {},
    shard: 0,
  } as const;
  expect(await store.writeSpec(record, 0)).toBe(true);
}

beforeAll(async () => {
  [cloud] = await Promise.all([startLocalCloud({ group: processes }), startNodes(declared), startNodes(added)]);
  clients = clientsOf(cloud);
  deployed = await deployStack({ group: processes, cloud, settings: settings() });
  store = createDynamodbStore({ client: clients.dynamodb, table: deployed.table, limits: PATIENT });
  await addGroup();
  await callVoters();
  for (const name of [declared, added]) await healthy(name);
  // So that the epoch is none that a new table would begin with.
  await failOver(declared);
  await failOver(added);
}, 180_000);
afterAll(async () => {
  // Of a test that failed they still look.
  await Promise.all([...epochs.values()].map((watch) => watch.end()));
  clients?.destroy();
  await processes.close();
});

/** Not to wait a minute for the schedules. */
const callVoters = () => Promise.all(deployed.voters.map((voter) => invokeNow(cloud, voter)));
const historyOf = (name: GroupName) => store.readHistory(name, { limit: 500, newestFirst: false });

async function healthy(name: GroupName): Promise<void> {
  const isReady = async (): Promise<boolean> => {
    const ballot = await store.readBallot(name);
    return ballot !== null && isHealthy(ballot, zones.length) && (await copied(name)) === ballot.primary?.epoch;
  };
  await eventually(`${name} is healthy, and its copies follow`, isReady, 60_000);
}

async function failOver(name: GroupName): Promise<void> {
  const old = (await store.readBallot(name))?.primary?.node;
  const node = nodes.get(name)?.find(({ id }) => id === old);
  await node?.kill();
  const isMoved = async () => (await store.readBallot(name))?.primary?.node !== old;
  await eventually(`${name} has another primary`, isMoved, 30_000);
  await node?.restart();
  await healthy(name);
}

/** The epoch that clients are told of; null while there is no parameter. */
async function copied(name: GroupName): Promise<number | null> {
  const command = new GetParameterCommand({ Name: `/valkeeper/${name}/topology` });
  const text = await clients.ssm.send(command).then(
    ({ Parameter }) => Parameter?.Value ?? "",
    () => "",
  );
  return text === "" ? null : (JSON.parse(text) as { readonly epoch: number }).epoch;
}

/** Epochs as clients find them, in the table and in the parameter, one after the other until it is ended. */
class EpochWatch {
  readonly table: number[] = [];
  readonly copy: number[] = [];
  readonly ended: Promise<void>;
  #isOver = false;

  constructor(name: GroupName) {
    this.ended = this.#run(name);
  }

  /** What stands when it is ended is looked at, too. */
  async #run(name: GroupName): Promise<void> {
    for (let isLast = false; !isLast; ) {
      isLast = this.#isOver;
      const [item, copy] = await Promise.all([store.readPublication(name), copied(name)]);
      if (item !== null) this.table.push(item.epoch);
      if (copy !== null) this.copy.push(copy);
      if (!isLast) await sleep(100);
    }
  }

  /** What was seen of each; they are not one order, for a copy follows the table. */
  async end(): Promise<readonly (readonly number[])[]> {
    this.#isOver = true;
    await this.ended;
    return [this.table, this.copy];
  }
}

interface Left {
  readonly epoch: number;
  readonly primary: string | undefined;
  readonly history: readonly HistoryRecord[];
}

async function lookAt(name: GroupName): Promise<Left> {
  const ballot = await store.readBallot(name);
  return { epoch: ballot?.primary?.epoch ?? 0, primary: ballot?.primary?.node, history: await historyOf(name) };
}

describe("a stack that comes back over the table it has left", () => {
  it("S1: goes on above every epoch it had published, with the groups that it did not declare as they were", async () => {
    const before = new Map([
      [declared, await lookAt(declared)],
      [added, await lookAt(added)],
    ] as const);
    const spec = await store.readSpec(added);
    await destroyStack({ group: processes, cloud, settings: settings() });
    expect(await store.readSpec(added)).toEqual(spec);
    expect(await store.readSpec(declared)).toBeNull();
    for (const name of [declared, added]) epochs.set(name, new EpochWatch(name));

    const described = await clients.dynamodb.send(new DescribeTableCommand({ TableName: deployed.table }));
    const { TableArn: arn, LatestStreamArn: streamArn } = described.Table ?? {};
    const back = await deployStack({ group: processes, cloud, settings: { ...settings(), table: { arn, streamArn } } });
    expect(back.table).toBe(deployed.table);
    expect((await clients.dynamodb.send(new ListTablesCommand({}))).TableNames).toEqual([deployed.table]);
    deployed = back;
    await callVoters();
    for (const name of [declared, added]) await healthy(name);

    const after = new Map([
      [declared, await lookAt(declared)],
      [added, await lookAt(added)],
    ] as const);
    // Its ballot was kept, and nothing was to be decided.
    expect(after.get(added)).toMatchObject({ epoch: before.get(added)?.epoch, primary: before.get(added)?.primary });
    // Its ballot went with its registration: it is adopted as it stands, under an epoch of its own.
    expect(after.get(declared)?.primary).toBe(before.get(declared)?.primary);
    expect(after.get(declared)?.epoch).toBeGreaterThan(before.get(declared)?.epoch ?? 0);
    for (const name of [declared, added]) {
      expect(after.get(name)?.history).toEqual(expect.arrayContaining([...(before.get(name)?.history ?? [])]));
      await failOver(name);
      expect((await lookAt(name)).epoch).toBeGreaterThan(after.get(name)?.epoch ?? 0);
      const seen = (await epochs.get(name)?.end()) ?? [];
      expect(seen.map((each) => each.at(-1))).toEqual([expect.any(Number), (await lookAt(name)).epoch]);
      expect(seen[1]?.[0]).toBe(before.get(name)?.epoch);
      for (const each of seen) expect(each).toEqual(each.toSorted((one, other) => one - other));
    }
  }, 240_000);
});
