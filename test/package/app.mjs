import { App, aws_ec2 as ec2, Stack } from "aws-cdk-lib";
import { ValkeyFailover } from "valkeeper";

const stack = new Stack(new App(), "Cache");
const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const privateSubnetIds = ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2", "subnet-0123456789abcdef3"];
const privateSubnetRouteTableIds = ["rtb-0123456789abcdef1", "rtb-0123456789abcdef2", "rtb-0123456789abcdef3"];
const subnets = { availabilityZones: zones, privateSubnetIds, privateSubnetRouteTableIds };
const vpc = ec2.Vpc.fromVpcAttributes(stack, "Vpc", { vpcId: "vpc-0123456789abcdef0", ...subnets });
const nodes = zones.map((zone, index) => ({ id: `n${index + 1}`, host: `10.0.${index}.10`, port: 6379, zone }));
new ValkeyFailover(stack, "Failover", { vpc, groups: [{ name: "mymaster", primary: "n1", nodes }] });
