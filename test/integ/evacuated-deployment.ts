// A whole deployment in economy mode for evacuations: three nodes, each on an EC2 instance; voters, publisher and evacuator as
// the CDK deploys them, called in the emulator by nobody but its schedules, its stream, its bus and the test.
//
// Between the evacuator and Auto Scaling stands a proxy, which the SDK's own variable leads to: it keeps what is asked to be
// completed, of which the emulator keeps nothing.

import { ListRulesCommand, ListTargetsByRuleCommand, TestEventPatternCommand } from "@aws-sdk/client-eventbridge";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { type GroupName, groupName } from "../../lib/core/types.ts";
import { clientsOf, type Deployed, deployStack, invokeNow } from "../../lib/local/deploy.ts";
import { type LocalCloud, startLocalCloud } from "../../lib/local/local-cloud.ts";
import type { ProcessGroup } from "../../lib/local/process-group.ts";
import { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { PATIENT } from "../contract/group-store-endpoints.ts";
import { CLUSTER, makeTerminationHook, nodeTags, runInstance } from "../support/cloud-hosts.ts";
import { FaultProxy } from "../support/fault-proxy.ts";
import { isHealthy } from "../support/live-group.ts";
import { eventually } from "../support/local-group.ts";

/** All of 127/8 is this machine on Linux only; elsewhere the tags alone tell the hosts apart. */
const addressOf = (index: number): string => (process.platform === "linux" ? `127.3.0.${31 + index}` : "127.0.0.1");
/** With a heartbeat that leaves the evacuator all of its time. */
export const SCALING = { group: "nodes", hook: "valkeeper", heartbeatSeconds: 120 };
const ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

export interface Published {
  readonly node: string;
  readonly epoch: number;
}

export class EvacuatedDeployment {
  readonly name: GroupName = groupName("mymaster");
  readonly #instances = new Map<string, string>();
  /** What Auto Scaling was asked to complete. */
  readonly completed: Readonly<Record<string, string>>[] = [];
  cloud!: LocalCloud;
  clients!: AwsClients;
  store!: OperatorStore;
  deployed!: Deployed;
  nodes: readonly ValkeyProcess[] = [];
  #proxy!: FaultProxy;

  async start(group: ProcessGroup): Promise<void> {
    const startNode = (_: string, index: number) => {
      const host = addressOf(index);
      const settings = { "replica-announce-ip": host, "bind-source-addr": host };
      return ValkeyProcess.start({ group, host, id: `n${index + 1}`, boot: "fenced", settings });
    };
    [this.cloud, this.nodes] = await Promise.all([startLocalCloud({ group }), Promise.all(ZONES.map(startNode))]);
    this.clients = clientsOf(this.cloud);
    for (const { id, host } of this.nodes) {
      this.#instances.set(id, await runInstance(this.clients, host, nodeTags(this.name, id)));
    }
    await makeTerminationHook(this.clients, SCALING);
    this.deployed = await deployStack({ group, cloud: this.cloud, settings: this.#settings() });
    const { table } = this.deployed;
    this.store = createDynamodbStore({ client: this.clients.dynamodb, table, limits: PATIENT });
    await this.#standBetween();
  }

  #settings(): Readonly<Record<string, unknown>> {
    const subnetIds = ZONES.map((_, index) => `subnet-0123456789abcdef${index}`);
    const nodes = this.nodes.map(({ id, host, port }, index) => ({ id, host, port, zone: ZONES[index] }));
    return {
      vpc: { vpcId: "vpc-0123456789abcdef0", zones: ZONES, subnetIds },
      economy: true,
      nodesRunOn: { ec2: true, autoScalingHooks: [SCALING.hook], ecsClusters: [CLUSTER] },
      groups: [{ name: this.name, nodes, armAfterMs: 1_000 }],
    };
  }

  async #standBetween(): Promise<void> {
    this.#proxy = await FaultProxy.before(this.cloud.endpoint);
    this.#proxy.onRequest = (operation, body) => {
      if (operation === "CompleteLifecycleAction") this.completed.push(Object.fromEntries(new URLSearchParams(body)));
    };
    await this.#leadThere(await this.#nameOf(/Evacuat/));
  }

  /** As an operator sets a function's variables. */
  async #leadThere(functionName: string): Promise<void> {
    const url = `${this.cloud.endpoint}/2015-03-31/functions/${encodeURIComponent(functionName)}/configuration`;
    type Configuration = { readonly Environment: { readonly Variables: Readonly<Record<string, string>> } };
    const { Environment } = (await (await fetch(url)).json()) as Configuration;
    const Variables = { ...Environment.Variables, AWS_ENDPOINT_URL_AUTO_SCALING: this.#proxy.endpoint };
    const body = JSON.stringify({ Environment: { Variables } });
    const updated = await fetch(url, { method: "PUT", body });
    if (!updated.ok) throw new Error(`${functionName} was not updated: ${await updated.text()}`);
  }

  async #nameOf(pattern: RegExp): Promise<string> {
    const { Rules = [] } = await this.clients.eventbridge.send(new ListRulesCommand({}));
    const targets = await Promise.all(Rules.map(({ Name = "" }) => this.#calledBy(Name)));
    return targets.flat().find((name) => pattern.test(name)) ?? "";
  }

  async #calledBy(rule: string): Promise<readonly string[]> {
    const { Targets = [] } = await this.clients.eventbridge.send(new ListTargetsByRuleCommand({ Rule: rule }));
    return Targets.map(({ Arn = "" }) => Arn.split(":").at(-1) ?? "");
  }

  /** Ids of the functions that rules of the deployment call for this event. */
  async calledFor(event: object): Promise<readonly string[]> {
    const { eventbridge } = this.clients;
    const { Rules = [] } = await eventbridge.send(new ListRulesCommand({}));
    const called: string[] = [];
    for (const { Name = "", EventPattern } of Rules) {
      const tested = new TestEventPatternCommand({ EventPattern, Event: JSON.stringify(event) });
      if ((await eventbridge.send(tested)).Result === true) called.push(...(await this.#calledBy(Name)));
    }
    return called;
  }

  /** Calls what the rules say, as EventBridge calls it. */
  async tell(event: object): Promise<void> {
    for (const each of await this.calledFor(event)) await invokeNow(this.cloud, each, event);
  }

  instanceOf(node: string): string {
    return this.#instances.get(node) ?? "";
  }

  node(id: string): ValkeyProcess {
    const node = this.nodes.find((each) => each.id === id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  /** As soon as that is another: a Spot instance has two minutes. */
  async publishedOtherThan(old: string, withinMs = 120_000): Promise<Published> {
    let now: Published | null = null;
    const isOther = async (): Promise<boolean> => {
      now = await this.published();
      return now !== null && now.node !== old;
    };
    await eventually("another primary is published", isOther, withinMs);
    return now as unknown as Published;
  }

  /** Whom the published item names, once the parameter says the same; null: they do not agree. */
  async published(): Promise<Published | null> {
    const Name = `/valkeeper/${this.name}/primary`;
    const [item, copy] = await Promise.all([
      this.store.readPublication(this.name),
      this.clients.ssm.send(new GetParameterCommand({ Name })).then(
        ({ Parameter }) => Parameter?.Value,
        () => null,
      ),
    ]);
    if (item === null) return null;
    const { node, address } = item.primary;
    return copy === `${address.host}:${address.port}` ? { node, epoch: item.epoch } : null;
  }

  /** Whom record, published item and parameter hold for the primary, as soon as all nodes are in sync with it. */
  async isWell(): Promise<string> {
    const isSo = async (): Promise<boolean> => {
      const ballot = await this.store.readBallot(this.name);
      if (ballot === null || !isHealthy(ballot, this.nodes.length)) return false;
      return (await this.published())?.node === ballot.primary?.node;
    };
    await eventually("the group is well, and published", isSo, 120_000);
    return (await this.published())?.node ?? "";
  }

  /** The same, as soon as every voter has gone. */
  async rests(): Promise<string> {
    const areResting = async (): Promise<boolean> => {
      const slots = await this.store.listSlots();
      return slots.length === ZONES.length && slots.every(({ restsMs }) => restsMs !== null);
    };
    await eventually("all voters rest", areResting, 90_000);
    return this.isWell();
  }

  async close(): Promise<void> {
    await this.#proxy?.close();
    this.clients?.destroy();
  }
}
