// A VPC that is looked up: in the app's first run the CDK has nothing but a stand-in with two zones, and the lookup is made only
// when that run has ended without an error.

import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { SubnetType, Vpc } from "aws-cdk-lib/aws-ec2";
import { HostedZone } from "aws-cdk-lib/aws-route53";
import { StringParameter } from "aws-cdk-lib/aws-ssm";
import { describe, expect, it } from "vitest";
import { DynamoDbEndpoint } from "../../lib/constructs/dynamo-db-endpoint.ts";
import { Egress } from "../../lib/constructs/egress.ts";
import type { ValkeyFailoverProps } from "../../lib/constructs/failover-props.ts";
import { ValkeyFailover } from "../../lib/constructs/valkey-failover.ts";
import { group, zones } from "./failover-stack.ts";

type Properties = (stack: Stack) => ValkeyFailoverProps;

const env = { account: "123456789012", region: "eu-west-1" };
const VPC_ID = "vpc-0123456789abcdef0";
const KEY = `vpc-provider:account=${env.account}:filter.vpc-id=${VPC_ID}:region=${env.region}:returnAsymmetricSubnets=true`;

/** What the CDK keeps in cdk.context.json of a VPC with a private subnet in each zone. */
const foundIn = (names: readonly string[]) => ({
  vpcId: VPC_ID,
  vpcCidrBlock: "10.0.0.0/16",
  ownerAccountId: env.account,
  availabilityZones: [],
  subnetGroups: [
    {
      name: "Private",
      type: "Private",
      subnets: names.map((zone, index) => ({
        subnetId: `subnet-0123456789abcdef${index}`,
        cidr: `10.0.${index}.0/24`,
        availabilityZone: zone,
        routeTableId: `rtb-0123456789abcdef${index}`,
      })),
    },
  ],
});

function appWith(make: Properties, context: Readonly<Record<string, unknown>> = {}) {
  const app = new App({ context: { "aws:cdk:bundling-stacks": [], ...context } });
  const stack = new Stack(app, "Test", { env });
  const vpc = Vpc.fromLookup(stack, "Vpc", { vpcId: VPC_ID });
  new ValkeyFailover(stack, "Failover", { vpc, groups: [group], ...make(stack) });
  return { app, stack };
}

const asked = (make: Properties): readonly string[] =>
  (appWith(make).app.synth().manifest.missing ?? []).map(({ provider }) => provider);

const issuesOf = (names: readonly string[]): readonly string[] => {
  try {
    appWith(() => ({}), { [KEY]: foundIn(names) });
  } catch (error) {
    return (error as { readonly issues?: readonly string[] }).issues ?? [String(error)];
  }
  return [];
};

describe("a VPC that is looked up", () => {
  it.each<[string, Properties]>([
    ["all defaults", () => ({})],
    ["zones by name", () => ({ zones: [...zones, "eu-west-1d"], functions: { voters: [{}, {}, {}, {}] } })],
    ["subnets of a group", () => ({ subnets: { subnetGroupName: "Valkey" } })],
    ["subnets in zones", () => ({ subnets: { availabilityZones: zones } })],
    [
      "public subnets, and the table's endpoint",
      () => ({
        subnets: { subnetType: SubnetType.PUBLIC },
        dynamoDbEndpoint: DynamoDbEndpoint.CREATE,
      }),
    ],
    ["NAT", () => ({ egress: Egress.NAT })],
    ["dual stack", () => ({ egress: Egress.DUAL_STACK })],
    ["interface endpoints", () => ({ egress: Egress.ENDPOINTS })],
    ["shards, alarms and a dashboard", () => ({ shards: 2, alarms: {}, dashboard: true })],
  ])("is asked for by the first run, with %s", (_, make) => {
    expect(asked(make)).toEqual(["vpc-provider"]);
  });

  it("is asked for together with the zone, and with the hosts of nodes, that are looked up as well", () => {
    const make: Properties = (stack) => ({
      publication: { hostedZone: HostedZone.fromLookup(stack, "Zone", { domainName: "valkey.internal" }) },
      groups: [
        {
          ...group,
          nodes: group.nodes.map((node) => ({
            ...node,
            host: StringParameter.valueFromLookup(stack, `/nodes/${node.id}`),
          })),
        },
      ],
    });
    expect(asked(make).toSorted()).toEqual(["hosted-zone", "ssm", "ssm", "ssm", "vpc-provider"]);
  });

  it("has a voter in each of its three zones in the run after", () => {
    const { app, stack } = appWith(() => ({}), { [KEY]: foundIn(zones) });
    expect(app.synth().manifest.missing).toBeUndefined();
    const functions = Template.fromStack(stack).findResources("AWS::Lambda::Function");
    const voters = Object.values(functions).filter(({ Properties }) => Properties.VpcConfig !== undefined);
    expect(
      voters.map(({ Properties }) => [
        Properties.Environment.Variables["VALKEEPER_VOTER"],
        Properties.VpcConfig.SubnetIds,
      ]),
    ).toEqual(zones.map((zone, index) => [zone, [`subnet-0123456789abcdef${index}`]]));
  });

  it("is refused in the run after when it has two zones", () => {
    expect(issuesOf(["eu-west-1a", "eu-west-1b"])).toEqual([
      "voters need 3 availability zones, so that one can be lost, and there are 2 (eu-west-1a, eu-west-1b): " +
        "give a VPC with subnets in three zones, or select others with `subnets`",
    ]);
  });
});
