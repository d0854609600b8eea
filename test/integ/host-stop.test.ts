// A whole deployment on the local cloud, whose nodes are tagged EC2 instances there: a primary hangs, and nobody is
// promoted before its instance is recorded as stopped. The emulator keeps instances as records: a stop ends no process, and
// is described as done at once.

import { DescribeInstancesCommand } from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AwsClients } from "../../lib/adapters/aws/clients.ts";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { groupName } from "../../lib/core/types.ts";
import { clientsOf, deployStack, invokeNow } from "../../lib/local/deploy.ts";
import { type LocalCloud, startLocalCloud } from "../../lib/local/local-cloud.ts";
import { ProcessGroup } from "../../lib/local/process-group.ts";
import { ValkeyProcess } from "../../lib/local/valkey-process.ts";
import type { OperatorStore } from "../../lib/ports/group-store.ts";
import { PATIENT } from "../contract/group-store-endpoints.ts";
import { nodeTags, runInstance } from "../support/cloud-hosts.ts";
import { isHealthy } from "../support/live-group.ts";
import { eventually } from "../support/local-group.ts";

const group = new ProcessGroup();
const name = groupName("orders");
const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
// Each instance has an address of its own, and all of 127/8 is this machine on Linux only.
const isLinux = process.platform === "linux";
let cloud: LocalCloud;
let clients: AwsClients;
let nodes: readonly ValkeyProcess[];
let store: OperatorStore;

const startNode = (_: string, index: number): Promise<ValkeyProcess> => {
  const host = `127.3.0.${11 + index}`;
  const settings = { "replica-announce-ip": host, "bind-source-addr": host };
  return ValkeyProcess.start({ group, host, id: `n${index + 1}`, boot: "fenced", settings });
};

async function stateOf(id: string | undefined): Promise<string | undefined> {
  const found = await clients.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id ?? ""] }));
  return found.Reservations?.[0]?.Instances?.[0]?.State?.Name;
}

describe.skipIf(!isLinux)("a group whose stopInstance is required", () => {
  const instances = new Map<string, string>();

  beforeAll(async () => {
    [cloud, nodes] = await Promise.all([startLocalCloud({ group }), Promise.all(zones.map(startNode))]);
    clients = clientsOf(cloud);
    for (const { id, host } of nodes) instances.set(id, await runInstance(clients, host, nodeTags(name, id)));
    const settings = {
      vpc: {
        vpcId: "vpc-0123456789abcdef0",
        zones,
        subnetIds: zones.map((_, index) => `subnet-0123456789abcdef${index}`),
      },
      hostStopping: {},
      groups: [
        {
          name,
          nodes: nodes.map(({ id, host, port }, index) => ({ id, host, port, zone: zones[index] })),
          armAfterMs: 1_000,
          downAfterMs: 2_000,
          stopInstance: "required",
        },
      ],
    };
    const deployed = await deployStack({ group, cloud, settings });
    store = createDynamodbStore({ client: clients.dynamodb, table: deployed.table, limits: PATIENT });
    // Their schedules would call them a minute after they were made.
    for (const voter of deployed.voters) await invokeNow(cloud, voter);
  }, 120_000);
  afterAll(async () => {
    clients?.destroy();
    await group.close();
  });

  it("S5: replaces a primary that hangs when its instance has stopped, and no sooner", async () => {
    const ballot = () => store.readBallot(name);
    const isReady = async (): Promise<boolean> => {
      const now = await ballot();
      return now !== null && isHealthy(now, nodes.length);
    };
    await eventually("the group is armed", isReady, 90_000);
    const before = (await ballot())?.primary?.node ?? "";
    nodes.find(({ id }) => id === before)?.hang();
    const isReplaced = async (): Promise<boolean> => (await ballot())?.primary?.node !== before;
    await eventually("another primary is committed", isReplaced, 60_000);
    expect(await stateOf(instances.get(before))).toBe("stopped");
    const others = nodes.filter(({ id }) => id !== before);
    for (const { id } of others) expect(await stateOf(instances.get(id))).toBe("running");
    const order = ["stop.asked", "node.stopped", "intent.recorded", "primary.committed"] as const;
    const told = async () => {
      const all = await store.readHistory(name, { limit: 300, newestFirst: false });
      return all.slice(all.findLastIndex(({ event }) => event === "stop.asked"));
    };
    // History follows the record.
    const isTold = async (): Promise<boolean> => (await told()).some(({ event }) => event === "primary.committed");
    await eventually("the commit is told", isTold, 20_000);
    const history = await told();
    const failover = history.map(({ event }) => event);
    expect(order.map((event) => failover.indexOf(event))).toEqual(
      order.map((event) => failover.indexOf(event)).toSorted((left, right) => left - right),
    );
    expect(failover).toEqual(expect.arrayContaining([...order]));
    const stopped = history.find(({ event }) => event === "node.stopped");
    expect(stopped?.detail).toEqual({ node: before, host: instances.get(before) });
  }, 180_000);
});
