// What cdk-nag's AwsSolutions pack finds in the construct: nothing that the construct itself does not acknowledge, with the reason
// beside the resource. It does so with the CDK alone: lib/ imports no cdk-nag (test/architecture.test.ts).

import { App, Stack, Validations } from "aws-cdk-lib";
import { Annotations, Match } from "aws-cdk-lib/assertions";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { AwsSolutionsChecks } from "cdk-nag";
import { describe, expect, it } from "vitest";
import { Egress } from "../../lib/constructs/egress.ts";
import type { ValkeyFailoverProps } from "../../lib/constructs/failover-props.ts";
import { ValkeyFailover } from "../../lib/constructs/valkey-failover.ts";
import { everythingOn } from "./everything-on.ts";
import { group, importVpc } from "./failover-stack.ts";

const env = { account: "123456789012", region: "eu-west-1" };

function makeStack(make: (stack: Stack) => ValkeyFailoverProps, props: { readonly env?: typeof env } = { env }) {
  const app = new App({ context: { "aws:cdk:bundling-stacks": [] } });
  const stack = new Stack(app, "Test", props);
  return { app, stack, failover: new ValkeyFailover(stack, "Failover", make(stack)) };
}

/** Each finding as `rule at path`. */
const findingsIn = (stack: Stack): readonly string[] =>
  new AwsSolutionsChecks(stack)
    .validateScope(stack)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
    );

describe("AwsSolutions of cdk-nag", () => {
  it.each([
    ["by default", () => ({})],
    ["in a given VPC", (stack: Stack) => ({ vpc: importVpc(stack), groups: [group] })],
    ["with everything on and egress endpoints", (stack: Stack) => everythingOn(stack)],
    ["with everything on and egress nat", (stack: Stack) => everythingOn(stack, Egress.NAT)],
    ["with everything on and egress dualStack", (stack: Stack) => everythingOn(stack, Egress.DUAL_STACK)],
    ["with everything on and egress none", (stack: Stack) => everythingOn(stack, Egress.NONE)],
  ])("finds nothing %s", (_, make) => {
    expect(findingsIn(makeStack(make).stack)).toEqual([]);
  });

  it("finds nothing where the region is not known, run as an app runs it", () => {
    const { app } = makeStack(() => ({ groups: [group] }), {});
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
  });

  it("still finds what an app adds to a voter's role", () => {
    const { stack, failover } = makeStack((each) => ({ vpc: importVpc(each) }));
    const added = new PolicyStatement({ actions: ["s3:*"], resources: ["arn:aws:s3:::bucket"] });
    failover.voters.voters[0]?.function.addToRolePolicy(added);
    expect(findingsIn(stack)).toEqual([expect.stringMatching(/^AwsSolutions-IAM5\[Action::s3:\*\] at .*Voter1/)]);
  });

  it("leaves a role that an app brings along to its owner", () => {
    const { stack } = makeStack((each) => {
      const role = new Role(each, "Given", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
      return { vpc: importVpc(each), functions: { voters: [{ role }, {}, {}] } };
    });
    expect(findingsIn(stack)).toEqual([expect.stringMatching(/^AwsSolutions-IAM5\[Resource::\*\] at Test\/Given/)]);
  });

  it("is not needed: without it the acknowledgements are nothing that anybody is told", () => {
    const { stack } = makeStack((each) => everythingOn(each));
    expect(Annotations.fromStack(stack).findWarning("*", Match.anyValue())).toEqual([]);
    expect(Annotations.fromStack(stack).findError("*", Match.anyValue())).toEqual([]);
  });
});
