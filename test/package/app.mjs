import { App, Stack } from "aws-cdk-lib";
import { Vpc } from "aws-cdk-lib/aws-ec2";
import { ValkeyFailover } from "valkeeper";

const stack = new Stack(new App(), "Cache");
const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const privateSubnetIds = ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2", "subnet-0123456789abcdef3"];
const vpcId = "vpc-0123456789abcdef0";
const vpc = Vpc.fromVpcAttributes(stack, "Vpc", { vpcId, availabilityZones: zones, privateSubnetIds });
const nodes = zones.map((zone, index) => ({ id: `n${index + 1}`, host: `10.0.${index}.10`, port: 6379, zone }));
new ValkeyFailover(stack, "Failover", { vpc, groups: [{ name: "mymaster", primary: "n1", nodes }] });
