// Do the voters reach what they need? Of a VPC that is imported nobody knows here. Of one that the app makes itself it can be
// seen when the app is complete, and voters without a way to the table are deployed without a word and never do anything.
// A warning and no error: a way may be made by hand, or by another app.

import { Annotations, AspectPriority, Aspects, CfnResource, Stack } from "aws-cdk-lib";
import { CfnRoute, CfnSubnet, CfnVPCEndpoint, type ISubnet, type IVpc } from "aws-cdk-lib/aws-ec2";
import type { IConstruct } from "constructs";
import { Egress } from "./egress.ts";
import type { VoterZone } from "./voter-zones.ts";

export interface VoterPaths {
  readonly vpc: IVpc;
  readonly zones: readonly VoterZone[];
  readonly egress: Egress;
}

/** Once for a construct, when everything else has been made. */
export function watchPaths(construct: IConstruct, paths: VoterPaths): void {
  const own = paths.vpc.node.defaultChild;
  if (own === undefined || !CfnResource.isCfnResource(own)) return;
  Aspects.of(construct).add(
    {
      visit: (node) => {
        if (node === construct) for (const [id, text] of warnings(construct, paths)) warn(construct, id, text);
      },
    },
    { priority: AspectPriority.READONLY },
  );
}

const warn = (construct: IConstruct, id: string, text: string): void =>
  Annotations.of(construct).addWarningV2(`valkeeper:${id}`, text);

function* warnings(
  construct: IConstruct,
  { zones, egress }: VoterPaths,
): Iterable<readonly [id: string, text: string]> {
  const all = construct.node.root.node.findAll();
  const routes = all.filter((each): each is CfnRoute => each instanceof CfnRoute);
  const endpoints = all.filter((each): each is CfnVPCEndpoint => each instanceof CfnVPCEndpoint);
  const named = (isWithout: (subnet: ISubnet) => boolean): string =>
    zones
      .filter(({ subnet }) => isWithout(subnet))
      .map(({ subnet }) => subnet.node.path)
      .join(", ");
  const v4 = (subnet: ISubnet): boolean => routesOf(subnet, routes).some(isWayOut);
  const v6 = (subnet: ISubnet): boolean =>
    hasIpv6(subnet) && routesOf(subnet, routes).some(({ destinationIpv6CidrBlock: to }) => to === "::/0");
  const isDual = egress === Egress.DUAL_STACK;
  const cut = named((each) => !(v4(each) || (isDual && v6(each)) || endpoints.some((one) => leadsToTable(one, each))));
  if (cut !== "") {
    yield [
      "noWayToTable",
      `voters in ${cut} have no way to the table: set dynamoDbEndpoint to DynamoDbEndpoint.CREATE, or give the VPC a gateway ` +
        "endpoint for DynamoDB with the route tables of these subnets",
    ];
  }
  const closed = egress === Egress.NAT ? named((each) => !v4(each)) : "";
  if (closed !== "") {
    yield [
      "noNat",
      `egress NAT, and ${closed} have no route to a NAT gateway: select other subnets (\`subnets\`), give the VPC natGateways, ` +
        "or choose another egress",
    ];
  }
  const v4Only = isDual ? named((each) => !v6(each)) : "";
  if (v4Only !== "") {
    yield [
      "noIpv6",
      `egress DUAL_STACK, and ${v4Only} have no way out by IPv6: make the VPC with ipProtocol IpProtocol.DUAL_STACK and select its ` +
        "subnets with egress, or choose another egress",
    ];
  }
}

/** As a stack's template spells it: a table, a subnet or an endpoint may be another stack's. */
const spelled = (scope: IConstruct, value: unknown): string => JSON.stringify(Stack.of(scope).resolve(value) ?? null);

const routesOf = (subnet: ISubnet, routes: readonly CfnRoute[]): readonly CfnRoute[] => {
  const table = spelled(subnet, subnet.routeTable.routeTableId);
  return routes.filter((route) => spelled(route, route.routeTableId) === table);
};

/** By an internet gateway a function gets nowhere: it has no public address. */
const isWayOut = ({ destinationCidrBlock, gatewayId }: CfnRoute): boolean =>
  destinationCidrBlock === "0.0.0.0/0" && gatewayId === undefined;

const hasIpv6 = ({ node: { defaultChild } }: ISubnet): boolean =>
  !(defaultChild instanceof CfnSubnet) ||
  defaultChild.ipv6CidrBlock !== undefined ||
  defaultChild.ipv6IpamPoolId !== undefined;

function leadsToTable(endpoint: CfnVPCEndpoint, subnet: ISubnet): boolean {
  if (!spelled(endpoint, endpoint.serviceName).includes("dynamodb")) return false;
  if (endpoint.vpcEndpointType === "Interface") return true;
  return spelled(endpoint, endpoint.routeTableIds).includes(spelled(subnet, subnet.routeTable.routeTableId));
}
