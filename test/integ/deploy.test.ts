import { CreateHostedZoneCommand, ListResourceRecordSetsCommand } from "@aws-sdk/client-route-53";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { DEFAULTS } from "../../lib/core/config.ts";
import type { HistoryRecord, SlotRecord } from "../../lib/core/records.ts";
import { attemptId, groupName, type VoterId, wallTime } from "../../lib/core/types.ts";
import { setControl } from "../../lib/core/writes.ts";
import { clientsOf, type Deployed, deployStack, destroyStack, invokeNow } from "../../lib/local/deploy.ts";
import { type LocalCloud, startLocalCloud } from "../../lib/local/local-cloud.ts";
import { ProcessGroup } from "../../lib/local/process-group.ts";
import { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { SCHEDULE_PERIOD_MS } from "../../lib/runtime/timing.ts";
import { PATIENT } from "../contract/group-store-endpoints.ts";
import { Inbox } from "../support/inbox.ts";
import { isHealthy } from "../support/live-group.ts";
import { eventually, sleep } from "../support/local-group.ts";
import { schemaIssues } from "../support/notification-schema.ts";

const group = new ProcessGroup();
const name = groupName("mymaster");
let cloud: LocalCloud;
let clients: AwsClients;
let hostedZoneId: string;
let nodes: readonly ValkeyProcess[];
let deployed: Deployed;
let store: OperatorStore;
let watch: SlotWatch;
let inbox: Inbox;
let topicArn: string;
let pagerArn: string;

/** As a person sees a voter: what its slot said last, and the longest time for which it said nothing new. */
interface Seen {
  readonly generation: number;
  readonly lookedAt: number;
  readonly gapMs: number;
}

/** Reads the voters' slots again and again, from before the first one is taken. */
class SlotWatch {
  readonly seen = new Map<VoterId, Seen>();
  /** A voter's slot that showed a group before and did not now. */
  readonly left: VoterId[] = [];
  #isOver = false;

  async run(of: OperatorStore): Promise<void> {
    while (!this.#isOver) {
      for (const slot of await this.#read(of)) this.#look(slot);
      await sleep(250);
    }
  }

  async #read(of: OperatorStore): Promise<readonly SlotRecord[]> {
    try {
      return await of.listSlots();
    } catch {
      // It is read again; what this round missed shows as a gap.
      return [];
    }
  }

  #look({ voter, generation, groups }: SlotRecord): void {
    const view = groups[name];
    const before = this.seen.get(voter);
    if (view === undefined) {
      if (before !== undefined) this.left.push(voter);
      return;
    }
    const gapMs = before === undefined ? 0 : Math.max(before.gapMs, Date.now() - before.lookedAt);
    this.seen.set(voter, { generation, lookedAt: view.at, gapMs });
  }

  end(): void {
    this.#isOver = true;
  }
}

/** All of 127/8 is this machine on Linux only; a DNS record has no port, so each node has an address of its own. */
const hostOf = (index: number): string => (process.platform === "linux" ? `127.2.0.${11 + index}` : "127.0.0.1");

const startNode = (_: string, index: number): Promise<ValkeyProcess> => {
  const host = hostOf(index);
  const settings = { "replica-announce-ip": host, "bind-source-addr": host };
  return ValkeyProcess.start({ group, host, id: `n${index + 1}`, boot: "fenced", settings });
};

const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const settingsWith = (more: object): Record<string, unknown> => ({
  vpc: {
    vpcId: "vpc-0123456789abcdef0",
    zones,
    subnetIds: zones.map((_, index) => `subnet-0123456789abcdef${index}`),
    routeTableIds: zones.map((_, index) => `rtb-0123456789abcdef${index}`),
  },
  // Without `egress`: the voters reach the table and the nodes, and nothing else.
  publication: { hostedZone: { id: hostedZoneId, name: "valkey.internal" } },
  notifications: { topicArn },
  alarms: { topicArn: pagerArn },
  groups: [
    {
      name,
      nodes: zones.map((zone, index) => ({
        id: `n${index + 1}`,
        host: nodes[index]?.host,
        port: nodes[index]?.port,
        zone,
      })),
      armAfterMs: 1_000,
      ...more,
    },
  ],
});

beforeAll(async () => {
  [cloud, nodes] = await Promise.all([startLocalCloud({ group }), Promise.all(zones.map(startNode))]);
  clients = clientsOf(cloud);
  const zone = new CreateHostedZoneCommand({ Name: "valkey.internal", CallerReference: "deploy" });
  hostedZoneId = ((await clients.route53.send(zone)).HostedZone?.Id ?? "").replace("/hostedzone/", "");
  inbox = new Inbox(cloud.endpoint);
  topicArn = await inbox.subscribe("everything");
  pagerArn = await inbox.subscribe("pager");
  const pattern = { source: ["valkeeper"], detail: { sentinel: ["+switch-master"] } };
  await inbox.follow("new-primaries", { eventBus: "default", pattern });
  deployed = await deployStack({ group, cloud, settings: settingsWith({ downAfterMs: 3_000 }) });
  store = createDynamodbStore({ client: clients.dynamodb, table: deployed.table, limits: PATIENT });
  watch = new SlotWatch();
  void watch.run(store);
}, 120_000);
afterAll(async () => {
  watch?.end();
  inbox?.close();
  clients?.destroy();
  await group.close();
});

describe("the app, deployed by the CDK's own command line", () => {
  const spec = () => store.readSpec(name);

  it("makes the table, a voter for each zone and the publisher", () => {
    expect(deployed.voters).toHaveLength(3);
    expect(new Set([...deployed.voters, deployed.publisher])).toHaveLength(4);
  });

  it("registers the declared group", async () => {
    expect(await spec()).toMatchObject({
      owner: "cdk",
      version: 1,
      declared: { downAfterMs: 3_000, quorum: 2, nodes: [{ id: "n1" }, { id: "n2" }, { id: "n3" }] },
    });
  });

  it("updates the group with the stack, and keeps what operators have overridden", async () => {
    const standing = await spec();
    expect(standing).not.toBeNull();
    if (standing === null) return;
    const overrides = { writeHoldAfterMs: { value: 900, by: "test", at: standing.version as never } };
    await store.writeSpec({ ...standing, version: 2, overrides }, 1);
    await deployStack({ group, cloud, settings: settingsWith({ downAfterMs: 4_000 }) });
    expect(await spec()).toMatchObject({ version: 3, declared: { downAfterMs: 4_000 }, overrides });
  }, 120_000);

  it("refuses a wrong group with the check's own words, before anything is deployed", async () => {
    const failure = deployStack({ group, cloud, settings: settingsWith({ quorum: 1 }) });
    await expect(failure).rejects.toThrow(/quorum 1 is below 2, the majority of the 3 voters/);
  }, 120_000);
});

const published = async () => {
  const address = (await store.readPublication(name))?.primary.address;
  return address === undefined ? null : `${address.host}:${address.port}`;
};
const parameter = async () =>
  (await clients.ssm.send(new GetParameterCommand({ Name: `/valkeeper/${name}/primary` }))).Parameter?.Value;
const record = async () => {
  const StartRecordName = `${name}.valkey.internal`;
  const command = new ListResourceRecordSetsCommand({ HostedZoneId: hostedZoneId, StartRecordName });
  const { ResourceRecordSets: records = [] } = await clients.route53.send(command);
  return records.find(({ Type }) => Type === "A")?.ResourceRecords?.[0]?.Value;
};
const historyOf = () => store.readHistory(name, { limit: 500, newestFirst: false });
const primary = async () => (await store.readBallot(name))?.primary?.node;
const isCopied = async ({ host, port }: ValkeyProcess): Promise<boolean> => {
  const copies = await Promise.all([parameter(), record()]).catch(() => []);
  return copies[0] === `${host}:${port}` && copies[1] === host;
};
const isPublished = async (id: string | undefined): Promise<boolean> => {
  const node = nodes.find((each) => each.id === id);
  return node !== undefined && (await published()) === `${node.host}:${node.port}` && (await isCopied(node));
};

describe("what was deployed, called by its schedules alone", () => {
  it("egress none: fails over without a path to SSM and Route 53, and the publisher completes the copies", async () => {
    const isReady = async (): Promise<boolean> => {
      const ballot = await store.readBallot(name);
      return ballot !== null && isHealthy(ballot, nodes.length) && isPublished(ballot.primary?.node);
    };
    // The first call comes a minute after the schedules were made.
    await eventually("the group is armed and published", isReady, 90_000);
    const old = await primary();
    await nodes.find((node) => node.id === old)?.kill();
    await eventually("another primary is committed", async () => (await primary()) !== old, 20_000);
    await eventually("all copies follow", async () => isPublished(await primary()), 20_000);
    const history = await historyOf();
    const targets = history
      .filter(({ event }) => event.startsWith("publication."))
      .map(({ detail }) => detail["target"]);
    expect(new Set(targets)).toEqual(new Set(["table"]));
  }, 150_000);

  it("a subscriber of the topic was told of each step, one of the bus of the new primary, as the schema says", async () => {
    const primaries = await inbox.received("new-primaries", 2, 20_000);
    const nodes = primaries.map(({ detail }) => (detail as { readonly detail: { readonly node: string } }).detail.node);
    // The first one of a new group, and the one of the failover.
    expect(nodes).toEqual([expect.any(String), await primary()]);
    const history = await historyOf();
    const messages = await inbox.received("everything", history.length, 20_000);
    const told = messages.map(({ Message }) => JSON.parse(String(Message)) as Readonly<Record<string, unknown>>);
    expect(told.flatMap(schemaIssues)).toEqual([]);
    const ids = history.map(({ id }) => `${deployed.table}/${name}/${id}`);
    expect(told.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
  }, 60_000);

  it("every voter is taken over by its next invocation, and none leaves the group unwatched in between", async () => {
    const generations = () => zones.map((zone) => watch.seen.get(zone as VoterId)?.generation ?? 0);
    const areAll = () => generations().every((generation) => generation >= 2);
    await eventually("every slot has a second generation", areAll, 2 * SCHEDULE_PERIOD_MS);
    await sleep(DEFAULTS.heartbeatMs);
    // Within three heartbeats a voter counts as alive.
    const silent = [...watch.seen].filter(([, { gapMs }]) => gapMs > 3 * DEFAULTS.heartbeatMs);
    expect(silent).toEqual([]);
    expect(watch.left).toEqual([]);
  }, 150_000);
});

describe("whoever the alarms page", () => {
  const setMode = async (mode: "act" | "paused"): Promise<void> => {
    const ballot = await store.readBallot(name);
    if (ballot === null) throw new Error("the group has no ballot");
    const until = mode === "paused" ? wallTime(Date.now() + 600_000) : null;
    const control = { mode, until, by: "test", reason: "a test", attempt: attemptId(`test-${mode}`) };
    expect(await store.writeBallot(setControl(ballot, control))).toMatchObject({ kind: "applied" });
  };

  it("is told which group it is, and nothing of a failover's single steps", async () => {
    await setMode("paused");
    const old = await primary();
    await nodes.find((node) => node.id === old)?.kill();
    const told = (body: Readonly<Record<string, unknown>>) => {
      const { event, group: of, detail } = JSON.parse(String(body["Message"]));
      return [event, of, detail.condition].filter((each) => each !== undefined).join(" ");
    };
    const expected = [`failover.completed ${name}`, `condition.began ${name} failover-blocked`];
    const messages = await inbox.receivedAll("pager", expected, told, 150_000);
    expect(messages.map(told).filter((each) => !/^(failover.completed|condition\.)/.test(each))).toEqual([]);
    await Promise.all(nodes.filter(({ isRunning }) => !isRunning).map((node) => node.restart()));
    await setMode("act");
    const isReady = async () => {
      const ballot = await store.readBallot(name);
      return ballot !== null && isHealthy(ballot, nodes.length);
    };
    await eventually("the group is healthy again", isReady, 60_000);
  }, 240_000);
});

describe("the way back", () => {
  const configurationOf = async (name: string): Promise<Response> =>
    fetch(`${cloud.endpoint}/2015-03-31/functions/${encodeURIComponent(name)}/configuration`);
  const variablesOf = async (name: string): Promise<unknown> =>
    ((await (await configurationOf(name)).json()) as { readonly Environment: { readonly Variables: unknown } })
      .Environment.Variables;
  /** The local cloud has ended their invocations with the update. */
  const callVoters = (voters: readonly string[]) => Promise.all(voters.map((voter) => invokeNow(cloud, voter)));

  /** What is behind topic and bus hears of these steps. */
  async function areTold(steps: readonly HistoryRecord[]): Promise<void> {
    const events = steps.map(({ event }) => event);
    expect(events).toEqual(expect.arrayContaining(["candidate.selected", "promotion.applied", "primary.committed"]));
    const idsOf = (of: readonly HistoryRecord[]): readonly string[] =>
      of.map(({ id }) => `${deployed.table}/${name}/${id}`);
    const idIn = (told: unknown): string => (told as { readonly id: string }).id;
    await inbox.receivedAll("everything", idsOf(steps), ({ Message }) => idIn(JSON.parse(String(Message))));
    const committed = steps.filter(({ event }) => event === "primary.committed");
    await inbox.receivedAll("new-primaries", idsOf(committed), ({ detail }) => idIn(detail));
  }

  it("L2: an update that fails when all voters have it is rolled back, and the voters as they were fail over", async () => {
    for (const node of nodes.filter(({ isRunning }) => !isRunning)) await node.restart();
    const standing = await store.readSpec(name);
    if (standing === null) throw new Error("the group is not registered");
    const overrides = { refusedAfterMs: { value: 3_500, by: "test", at: standing.version as never } };
    await store.writeSpec({ ...standing, version: standing.version + 1, overrides }, standing.version);
    const before = await Promise.all(deployed.voters.map(variablesOf));
    const update = { ...settingsWith({ downAfterMs: 3_000 }), groupMetrics: true };
    const lines: string[] = [];
    const failing = deployStack({ group, cloud, settings: update, onLine: (line) => lines.push(line) });
    await expect(failing).rejects.toThrow(/refusedAfterMs 3500 should be 0 \(off\) or below downAfterMs 3000/);
    expect(lines.filter((line) => /UPDATE_COMPLETE .*Lambda::Function .*Voter3/.test(line))).not.toEqual([]);
    expect(lines.join("\n")).toContain("UPDATE_ROLLBACK_COMPLET");
    expect(await Promise.all(deployed.voters.map(variablesOf))).toEqual(before);
    expect(await store.readSpec(name)).toMatchObject({ declared: { downAfterMs: 4_000 }, overrides });
    await callVoters(deployed.voters);
    const isReady = async () => {
      const ballot = await store.readBallot(name);
      return ballot !== null && isHealthy(ballot, nodes.length);
    };
    await eventually("all nodes are in sync", isReady, 60_000);
    const earlier = new Set((await historyOf()).map(({ id }) => id));
    const old = await primary();
    await nodes.find((node) => node.id === old)?.kill();
    await eventually("another primary is committed", async () => (await primary()) !== old, 30_000);
    await eventually("all copies follow", async () => isPublished(await primary()), 20_000);
    const completed = async () =>
      (await historyOf()).filter(({ id, event }) => event === "failover.completed" && !earlier.has(id));
    await eventually("the failover is completed", async () => (await completed()).length > 0, 20_000);
    await areTold((await historyOf()).filter(({ id }) => !earlier.has(id)));
  }, 240_000);

  it("the stack goes: nodes, table, history and copies stay, the group's registration does not", async () => {
    const last = await store.readBallot(name);
    const node = nodes.find((each) => each.id === last?.primary?.node);
    await destroyStack({ group, cloud, settings: settingsWith({ downAfterMs: 4_000 }) });
    const functions = await Promise.all([...deployed.voters, deployed.publisher].map(configurationOf));
    expect(functions.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(await store.readSpec(name)).toBeNull();
    expect(await node?.ask("SET", "after", "the stack")).toBe("OK");
    expect(node !== undefined && (await isCopied(node))).toBe(true);
    const history = await store.readHistory(name, { limit: 1, newestFirst: true });
    expect(history[0]?.epoch).toBeGreaterThanOrEqual(last?.epoch ?? 0);
  }, 120_000);
});
