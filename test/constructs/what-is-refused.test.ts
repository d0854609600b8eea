// Properties of a whole deployment that do not fit, beside those that the tests of each part know.

import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { describe, expect, it } from "vitest";
import { Egress } from "../../lib/constructs/egress.ts";
import type { ValkeyFailoverProps } from "../../lib/constructs/failover-props.ts";
import { group, issuesOf } from "./failover-stack.ts";

const ARN = "arn:aws:ecs:eu-west-1:123456789012:cluster/prod";
const NEITHER = "credentials need exactly one of `secret` and `parameterName`";
const PREFIX =
  'publication.parameterPrefix should not begin with /aws or /ssm, which Systems Manager keeps for itself, and is "/aws/x"';

describe("what is said for all groups", () => {
  it("is judged although none is declared", () => {
    const props = { egress: Egress.NAT, groups: [], publication: { parameterPrefix: "/aws/x", recordTtlSeconds: 5 } };
    expect(issuesOf(() => ({ ...props, credentials: {} }))).toEqual([NEITHER, PREFIX]);
    expect(
      issuesOf((stack) => {
        const secret = Secret.fromSecretNameV2(stack, "Secret", "valkey") as never;
        return { ...props, credentials: { secret, parameterName: "/valkey" } };
      }),
    ).toEqual([NEITHER, PREFIX]);
    expect(issuesOf(() => ({ egress: Egress.NAT, groups: [], credentials: { parameterName: "a b" } }))).toEqual([
      expect.stringContaining("credentials.parameter should be the name or ARN of an SSM SecureString parameter"),
    ]);
    expect(issuesOf(() => ({ groups: [] }))).toEqual([]);
  });

  it("is said once, however many groups there are", () => {
    const groups = [group, { ...group, name: "other" }];
    expect(issuesOf(() => ({ egress: Egress.NAT, groups, credentials: {} }))).toEqual([NEITHER]);
    const own = [{ ...group, credentials: {} }];
    expect(issuesOf(() => ({ egress: Egress.NAT, groups: own }))).toEqual([`group mymaster: ${NEITHER}`]);
  });
});

describe("a deployment", () => {
  it.each<[string, Partial<ValkeyFailoverProps>, string]>([
    [
      "a cluster's ARN",
      { hostStopping: { ecsClusters: ["prod", ARN] } },
      `hostStopping.ecsClusters: "${ARN}" should be an ECS cluster's name, not its ARN, known at synthesis`,
    ],
    ...[127, 10_241, 256.5].map((megabytes): [string, Partial<ValkeyFailoverProps>, string] => [
      `${megabytes} MB`,
      { voterMemoryMegabytes: megabytes },
      `voterMemoryMegabytes is ${megabytes} and should be a whole number from 128 to 10240`,
    ]),
  ])("is refused with %s", (_, props, said) => {
    expect(issuesOf(() => props)).toEqual([said]);
  });

  it("is refused with subnets of a group that the VPC has not, among the others", () => {
    const subnets = { subnetGroupName: "Valkey" };
    expect(issuesOf(() => ({ subnets, reservedConcurrency: 1, functions: { voters: [{}, {}, {}] } }))).toEqual([
      expect.stringMatching(/^subnets: There are no subnet groups with name 'Valkey' in this VPC/),
      expect.stringContaining("reservedConcurrency is 1"),
    ]);
  });
});
