// Stacks for template assertions: an imported VPC with three zones, and no bundling, which takes seconds.

import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { type IVpc, Vpc } from "aws-cdk-lib/aws-ec2";
import type { ValkeyFailoverProps } from "../../lib/constructs/failover-props.ts";
import type { ValkeyGroupProps } from "../../lib/constructs/group-props.ts";
import { ValkeyFailover } from "../../lib/constructs/valkey-failover.ts";

export const zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

export const group: ValkeyGroupProps = {
  name: "mymaster",
  primary: "n1",
  nodes: zones.map((zone, index) => ({ id: `n${index + 1}`, host: `10.0.${index + 1}.10`, zone })),
};

export const newStack = (id = "Test"): Stack =>
  new Stack(new App({ context: { "aws:cdk:bundling-stacks": [] } }), id, {
    env: { account: "123456789012", region: "eu-west-1" },
  });

export const importVpc = (stack: Stack, vpcZones: readonly string[] = zones): IVpc =>
  Vpc.fromVpcAttributes(stack, "Vpc", {
    vpcId: "vpc-0123456789abcdef0",
    availabilityZones: [...vpcZones],
    privateSubnetIds: vpcZones.map((_, index) => `subnet-0123456789abcdef${index}`),
    privateSubnetRouteTableIds: vpcZones.map((_, index) => `rtb-0123456789abcdef${index}`),
  });

export interface Synthesized {
  readonly template: Template;
  readonly failover: ValkeyFailover;
}

/** `make` gets the stack, for properties that are resources themselves; `use` what is made. */
export function synthesize(
  make: (stack: Stack) => Partial<ValkeyFailoverProps> = () => ({}),
  use: (failover: ValkeyFailover, stack: Stack) => void = () => undefined,
): Synthesized {
  const stack = newStack();
  const made = make(stack);
  const failover = new ValkeyFailover(stack, "Failover", {
    groups: [group],
    ...made,
    vpc: made.vpc ?? importVpc(stack),
  });
  use(failover, stack);
  return { template: Template.fromStack(stack), failover };
}

/** What the construct throws for wrong properties: every issue. */
export function issuesOf(make: (stack: Stack) => Partial<ValkeyFailoverProps>): readonly string[] {
  try {
    synthesize(make);
  } catch (error) {
    return (error as { readonly issues?: readonly string[] }).issues ?? [String(error)];
  }
  return [];
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Every statement of every policy whose logical id contains `part`. */
export function statementsOf(template: Template, part: string): readonly Statement[] {
  return Object.entries(template.findResources("AWS::IAM::Policy"))
    .filter(([id]) => id.includes(part))
    .flatMap(([, policy]) => policy["Properties"].PolicyDocument.Statement as Statement[]);
}

export const actionsOf = (statements: readonly Statement[]): readonly string[] =>
  [...new Set(statements.flatMap((statement) => statement.Action))].sort();
