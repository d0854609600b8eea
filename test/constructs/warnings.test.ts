// What is deployed without an error and does nothing: said in a warning, which an app can acknowledge.

import type { Stack } from "aws-cdk-lib";
import { Annotations as Notes } from "aws-cdk-lib";
import { Annotations, Match } from "aws-cdk-lib/assertions";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import {
  GatewayVpcEndpointAwsService,
  IpProtocol,
  type IVpc,
  SubnetType,
  Vpc,
  type VpcProps,
} from "aws-cdk-lib/aws-ec2";
import { Topic } from "aws-cdk-lib/aws-sns";
import { describe, expect, it } from "vitest";
import { DynamoDbEndpoint } from "../../lib/constructs/dynamo-db-endpoint.ts";
import { Egress } from "../../lib/constructs/egress.ts";
import type { ValkeyFailoverProps } from "../../lib/constructs/failover-props.ts";
import { ValkeyFailover } from "../../lib/constructs/valkey-failover.ts";
import { importVpc, newStack } from "./failover-stack.ts";

interface Setting {
  readonly vpc?: VpcProps | "imported" | "ours";
  readonly props?: ValkeyFailoverProps;
  readonly use?: (failover: ValkeyFailover, vpc: Vpc, stack: Stack) => void;
}

/** Ids of the warnings, and whether each says what to set. */
function warningsOf({ vpc = "imported", props = {}, use = () => undefined }: Setting): readonly string[] {
  const stack = newStack();
  const made = typeof vpc === "string" ? undefined : new Vpc(stack, "Own", vpc);
  const used = vpc === "imported" ? { vpc: importVpc(stack) } : made === undefined ? {} : { vpc: made as IVpc };
  const failover = new ValkeyFailover(stack, "Failover", { ...used, ...props });
  use(failover, made as Vpc, stack);
  return Annotations.fromStack(stack)
    .findWarning("*", Match.stringLikeRegexp("valkeeper:"))
    .map(({ entry }) => String(entry.data).match(/\[ack: valkeeper:(\w+)\]/)?.[1] ?? "");
}

const subnets = (subnetType: SubnetType) => [
  { name: "Nodes", subnetType },
  { name: "Front", subnetType: SubnetType.PUBLIC },
];
const isolated: VpcProps = {
  availabilityZones: ["a", "b", "c"].map((each) => `eu-west-1${each}`),
  natGateways: 0,
  subnetConfiguration: subnets(SubnetType.PRIVATE_ISOLATED),
};
const withNat: VpcProps = { ...isolated, natGateways: 1, subnetConfiguration: subnets(SubnetType.PRIVATE_WITH_EGRESS) };
const dual: VpcProps = { ...withNat, natGateways: 0, ipProtocol: IpProtocol.DUAL_STACK };

describe("the voters' ways out of a VPC of the app", () => {
  it.each<[string, readonly string[], Setting]>([
    ["isolated subnets", ["noWayToTable"], { vpc: isolated }],
    ["isolated subnets and the endpoint", [], { vpc: isolated, props: { dynamoDbEndpoint: DynamoDbEndpoint.CREATE } }],
    [
      "isolated subnets and an endpoint that the app makes afterwards",
      [],
      {
        vpc: isolated,
        use: (_, vpc) => vpc.addGatewayEndpoint("D", { service: GatewayVpcEndpointAwsService.DYNAMODB }),
      },
    ],
    [
      "an endpoint of other subnets",
      ["noWayToTable"],
      {
        vpc: isolated,
        use: (_, vpc) =>
          vpc.addGatewayEndpoint("D", {
            service: GatewayVpcEndpointAwsService.DYNAMODB,
            subnets: [{ subnetType: SubnetType.PUBLIC }],
          }),
      },
    ],
    ["public subnets", ["noWayToTable"], { vpc: withNat, props: { subnets: { subnetType: SubnetType.PUBLIC } } }],
    ["NAT gateways", [], { vpc: withNat, props: { egress: Egress.NAT } }],
    ["NAT on isolated subnets", ["noWayToTable", "noNat"], { vpc: isolated, props: { egress: Egress.NAT } }],
    ["dual stack without IPv6", ["noIpv6"], { vpc: withNat, props: { egress: Egress.DUAL_STACK } }],
    ["dual stack", [], { vpc: dual, props: { egress: Egress.DUAL_STACK } }],
    ["an imported VPC, of which nobody knows", [], { vpc: "imported", props: { egress: Egress.NAT } }],
    ...[Egress.NONE, Egress.NAT, Egress.DUAL_STACK, Egress.ENDPOINTS].map((egress): [string, string[], Setting] => [
      `our own VPC with egress ${egress.name}`,
      [],
      { vpc: "ours", props: { egress } },
    ]),
  ])("are warned of where there are none: %s", (_, expected, setting) => {
    expect(warningsOf(setting)).toEqual(expected);
  });
});

describe("alarms that tell nobody", () => {
  const alarms = {};

  it("are warned of, unless an action is given or the warning is acknowledged", () => {
    expect(warningsOf({ props: { alarms } })).toEqual(["nobodyIsTold"]);
    expect(
      warningsOf({
        props: { alarms },
        use: (failover, _, stack) => {
          for (const { alarm } of failover.alarms?.alarms ?? [])
            alarm.addAlarmAction(new SnsAction(new Topic(stack, alarm.node.id)));
        },
      }),
    ).toEqual([]);
    expect(
      warningsOf({
        props: { alarms },
        use: (failover) => Notes.of(failover).acknowledgeWarning("valkeeper:nobodyIsTold"),
      }),
    ).toEqual([]);
  });
});
