import { App, Stack, type StackProps } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { DynamoDbEndpoint } from "../../lib/constructs/dynamo-db-endpoint.ts";
import { Egress } from "../../lib/constructs/egress.ts";
import type { ValkeyFailoverProps } from "../../lib/constructs/failover-props.ts";
import { ValkeyFailover } from "../../lib/constructs/valkey-failover.ts";

/** Region and zones are not known before the deployment. */
function withoutVpc(props: ValkeyFailoverProps = {}, stackProps: StackProps = {}): Template {
  const stack = new Stack(new App({ context: { "aws:cdk:bundling-stacks": [] } }), "Test", stackProps);
  new ValkeyFailover(stack, "Failover", props);
  return Template.fromStack(stack);
}

const gateway = { VpcEndpointType: "Gateway" };

describe("without a VPC", () => {
  it("a new one has a subnet in each of three zones, the table's endpoint, and nothing that costs", () => {
    const template = withoutVpc({ alarms: {} });
    const subnets = Object.values(template.findResources("AWS::EC2::Subnet"));
    expect(subnets.map((each) => each["Properties"].AvailabilityZone)).toEqual(
      [0, 1, 2].map((index) => ({ "Fn::Select": [index, { "Fn::GetAZs": "" }] })),
    );
    template.resourcePropertiesCountIs("AWS::EC2::VPCEndpoint", gateway, 1);
    for (const paid of ["AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::InternetGateway"]) {
      template.resourceCountIs(paid, 0);
    }
    template.resourcePropertiesCountIs("AWS::Lambda::Function", { VpcConfig: Match.anyValue() }, 3);
  });

  it("also where only the region is known", () => {
    const template = withoutVpc({}, { env: { region: "eu-west-1" } });
    template.resourceCountIs("AWS::EC2::Subnet", 3);
  });

  it("egress dualStack has a free way out by IPv6, in every subnet", () => {
    const template = withoutVpc({ egress: Egress.DUAL_STACK });
    template.resourceCountIs("AWS::EC2::EgressOnlyInternetGateway", 1);
    template.resourceCountIs("AWS::EC2::NatGateway", 0);
    template.resourcePropertiesCountIs("AWS::EC2::Subnet", { Ipv6CidrBlock: Match.anyValue() }, 3);
    const routes = { EgressOnlyInternetGatewayId: Match.anyValue(), DestinationIpv6CidrBlock: "::/0" };
    template.resourcePropertiesCountIs("AWS::EC2::Route", routes, 3);
  });

  it("egress nat has a gateway in each zone, so that none is lost with another zone", () => {
    const template = withoutVpc({ egress: Egress.NAT });
    template.resourceCountIs("AWS::EC2::NatGateway", 3);
    template.resourcePropertiesCountIs("AWS::EC2::Route", { NatGatewayId: Match.anyValue() }, 3);
    // The voters are in the private subnets.
    const voters = Object.values(
      template.findResources("AWS::Lambda::Function", { Properties: { VpcConfig: Match.anyValue() } }),
    );
    expect(voters).toHaveLength(3);
    for (const voter of voters) {
      expect(JSON.stringify(voter["Properties"].VpcConfig.SubnetIds)).toContain("ValkeySubnet");
    }
  });

  it("egress endpoints has interface endpoints", () => {
    const template = withoutVpc({ egress: Egress.ENDPOINTS });
    template.resourcePropertiesCountIs("AWS::EC2::VPCEndpoint", { VpcEndpointType: "Interface" }, 2);
  });

  it("the table's endpoint is left out where another is there", () => {
    const template = withoutVpc({ dynamoDbEndpoint: DynamoDbEndpoint.EXISTING });
    template.resourceCountIs("AWS::EC2::VPCEndpoint", 0);
  });
});
