import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbStore } from "../../lib/adapters/dynamodb/group-store.ts";
import { groupName } from "../../lib/core/types.ts";
import { clientsOf, type Deployed, deployStack } from "../../lib/local/deploy.ts";
import { type LocalCloud, startLocalCloud } from "../../lib/local/local-cloud.ts";
import { ProcessGroup } from "../../lib/local/process-group.ts";

const group = new ProcessGroup();
let cloud: LocalCloud;
let deployed: Deployed;

const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const settingsWith = (more: object): Record<string, unknown> => ({
  vpc: {
    vpcId: "vpc-0123456789abcdef0",
    zones,
    subnetIds: zones.map((_, index) => `subnet-0123456789abcdef${index}`),
    routeTableIds: zones.map((_, index) => `rtb-0123456789abcdef${index}`),
  },
  groups: [
    {
      name: "mymaster",
      nodes: zones.map((zone, index) => ({ id: `n${index + 1}`, host: `127.0.0.${11 + index}`, port: 6_379, zone })),
      ...more,
    },
  ],
});

beforeAll(async () => {
  cloud = await startLocalCloud({ group });
  deployed = await deployStack({ group, cloud, settings: settingsWith({ downAfterMs: 3_000 }) });
}, 120_000);
afterAll(() => group.close());

describe("the app, deployed by the CDK's own command line", () => {
  const spec = async () => {
    const clients = clientsOf(cloud);
    try {
      return await createDynamodbStore({ client: clients.dynamodb, table: deployed.table }).readSpec(
        groupName("mymaster"),
      );
    } finally {
      clients.destroy();
    }
  };

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
    const clients = clientsOf(cloud);
    const store = createDynamodbStore({ client: clients.dynamodb, table: deployed.table });
    const standing = await store.readSpec(groupName("mymaster"));
    expect(standing).not.toBeNull();
    if (standing === null) return;
    const overrides = { writeHoldAfterMs: { value: 500, by: "test", at: standing.version as never } };
    await store.writeSpec({ ...standing, version: 2, overrides }, 1);
    clients.destroy();
    await deployStack({ group, cloud, settings: settingsWith({ downAfterMs: 4_000 }) });
    expect(await spec()).toMatchObject({ version: 3, declared: { downAfterMs: 4_000 }, overrides });
  }, 120_000);

  it("refuses a wrong group with the check's own words, before anything is deployed", async () => {
    const failure = deployStack({ group, cloud, settings: settingsWith({ quorum: 1 }) });
    await expect(failure).rejects.toThrow(/quorum 1 is below 2, the majority of the 3 voters/);
  }, 120_000);
});
