// A VPC for an app that has none: three zones, with subnets that have the way out that `egress` says, and nothing that costs
// anything but for NAT gateways, where they are asked for.

import { Fn, Stack, Token, Validations } from "aws-cdk-lib";
import { IpProtocol, type IVpc, type SubnetConfiguration, SubnetType, Vpc } from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";
import { Egress } from "./egress.ts";
import { LEAST_ZONES } from "./voter-zones.ts";

export function createVpc(scope: Construct, id: string, egress: Egress): IVpc {
  const hasNat = egress === Egress.NAT;
  const isDualStack = egress === Egress.DUAL_STACK;
  const valkey = { name: "Valkey", subnetType: hasNat || isDualStack ? WITH_EGRESS : SubnetType.PRIVATE_ISOLATED };
  const subnets: SubnetConfiguration[] = hasNat
    ? [valkey, { name: "Nat", subnetType: SubnetType.PUBLIC, cidrMask: 28 }]
    : [valkey];
  const vpc = new Vpc(scope, id, {
    natGateways: hasNat ? LEAST_ZONES : 0,
    subnetConfiguration: subnets,
    ipProtocol: isDualStack ? IpProtocol.DUAL_STACK : IpProtocol.IPV4_ONLY,
    ...zonesOf(scope),
  });
  Validations.of(vpc).acknowledge({
    id: "AwsSolutions-VPC7",
    reason: "Flow logs are paid for by volume and kept where the installer says: `failover.vpc.addFlowLog` makes them.",
  });
  // The CDK's own types are not written for `exactOptionalPropertyTypes`.
  return vpc as IVpc;
}

const WITH_EGRESS = SubnetType.PRIVATE_WITH_EGRESS;

/** Where the stack's account or region is not known the CDK counts on two zones: nearly every region has more, and a deployment finds out. */
function zonesOf(scope: Construct): { readonly availabilityZones: string[] } | { readonly maxAzs: number } {
  const { account, region } = Stack.of(scope);
  if (!Token.isUnresolved(account) && !Token.isUnresolved(region)) return { maxAzs: LEAST_ZONES };
  return { availabilityZones: Array.from({ length: LEAST_ZONES }, (_, index) => Fn.select(index, Fn.getAzs())) };
}
