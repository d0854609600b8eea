// CloudFormation takes 500 resources in a stack and a template of 1 MB: what fits, and what is said where it does not.

import { App, NestedStack, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { Topic } from "aws-cdk-lib/aws-sns";
import { describe, expect, it } from "vitest";
import { FailoverAlarms } from "../../lib/constructs/failover-alarms.ts";
import type { ValkeyFailoverProps } from "../../lib/constructs/failover-props.ts";
import { ValkeyFailover } from "../../lib/constructs/valkey-failover.ts";
import { group, importVpc, newStack, synthesize, zones } from "./failover-stack.ts";

const MOST_BYTES = 1_000_000;

const groups = (count: number) => Array.from({ length: count }, (_, index) => ({ ...group, name: `g${index}` }));
/** As long as the certificate of an RSA key of 4,096 bits is. */
const CA = `-----BEGIN CERTIFICATE-----\n${Array.from({ length: 30 }, () => "M".repeat(64)).join("\n")}\n-----END CERTIFICATE-----\n`;
const secured = (count: number) =>
  groups(count).map((each, index) => ({ ...each, tls: { enabled: true, ca: CA, serverName: `g${index}.example` } }));
const JUST_TOO_MANY = 260;
const withOwnAlarms = (count: number): Partial<ValkeyFailoverProps> => ({
  groups: groups(count),
  groupMetrics: true,
  alarms: { groupNames: groups(count).map(({ name }) => name) },
});

/** Of a stack that fits. */
function sizeOf(props: Partial<ValkeyFailoverProps>): { readonly resources: number; readonly bytes: number } {
  const template = synthesize(() => props).template.toJSON();
  // With one blank for each level, as the CDK writes it.
  return { resources: Object.keys(template["Resources"]).length, bytes: JSON.stringify(template, undefined, 1).length };
}

const refusal = (synth: () => unknown): string => {
  try {
    synth();
  } catch (error) {
    return String(error);
  }
  return "it fits";
};

describe("one stack", () => {
  it.each<[string, Partial<ValkeyFailoverProps>]>([
    ["300 declared groups, 50 for each voter", { groups: groups(300) }],
    ["250 with alarms and a dashboard", { groups: groups(250), alarms: {}, dashboard: true }],
    ["400 with 200 for each voter", { groups: groups(400), groupsPerVoter: 200 }],
    ["46 with alarms of their own", withOwnAlarms(46)],
    ["no declared group and ten shards with alarms", { groups: [], shards: 10, alarms: {}, dashboard: true }],
  ])("has room for %s", (_, props) => {
    const { resources, bytes } = sizeOf(props);
    expect(resources).toBeLessThanOrEqual(500);
    expect(bytes).toBeLessThan(MOST_BYTES);
  });

  it("that is too small says what it is full of, and what to do", () => {
    const said = refusal(() => synthesize(() => withOwnAlarms(50)));
    expect(said).toContain(
      "the stack Test has 520 resources, and CloudFormation takes 500: 50 declared groups, 422 alarms, ",
    );
    expect(said).toContain("register the others at run time (`valkeeper groups add`");
    expect(said).toContain("alarms.groupNames");
    expect(said).toContain("several deployments");
    // Once, by the outermost construct.
    expect(said.match(/CloudFormation takes/g)).toHaveLength(1);
  });

  it.each([
    ["250, 50 for each voter", { groups: secured(250) }],
    ["225 with alarms and a dashboard", { groups: secured(225), alarms: {}, dashboard: true }],
  ] satisfies readonly [string, Partial<ValkeyFailoverProps>][])(
    "has room for groups with a CA of their own: %s",
    (_, props) => {
      expect(sizeOf(props).bytes).toBeLessThan(MOST_BYTES);
    },
  );

  it("whose template is too large says what it is full of, and what to do", () => {
    const said = refusal(() => synthesize(() => ({ groups: secured(300) })));
    expect(said).toMatch(
      /the template of the stack Test has 1\d{6} bytes, and CloudFormation takes 1000000: 300 declared/,
    );
    expect(said).toContain("Declare fewer groups and register the others at run time (`valkeeper groups add`");
    expect(said).toContain("several deployments");
  });

  it("that is too large by its indentation alone says so, and fits without it", () => {
    const synth = (suppressTemplateIndentation: boolean) => () => {
      const app = new App({ context: { "aws:cdk:bundling-stacks": [] } });
      const env = { account: "123456789012", region: "eu-west-1" };
      const stack = new Stack(app, "Test", { env, suppressTemplateIndentation });
      new ValkeyFailover(stack, "Failover", { vpc: importVpc(stack), groups: secured(JUST_TOO_MANY) });
      app.synth();
    };
    expect(refusal(synth(false))).toContain("Set the stack's suppressTemplateIndentation, declare fewer groups");
    expect(refusal(synth(true))).toBe("it fits");
  });

  it("counts what the app has in it beside, and not what is in a nested stack", () => {
    const beside = (count: number, where: (stack: Stack) => Stack): string =>
      refusal(() =>
        synthesize(
          () => withOwnAlarms(46),
          (_, stack) => {
            const scope = where(stack);
            for (let index = 0; index < count; index += 1) new Topic(scope, `Topic${index}`);
          },
        ),
      );
    expect(beside(30, (stack) => stack)).toMatch(/has 514 resources.* and 30 beside it/);
    expect(beside(30, (stack) => new NestedStack(stack, "Nested"))).toBe("it fits");
  });

  it("with alarms of another deployment alone says the same", () => {
    const stack = newStack();
    const groupNames = groups(70).map(({ name }) => name);
    new FailoverAlarms(stack, "Alarms", { tableName: "t", zones, functions: [], groupNames });
    expect(refusal(() => Template.fromStack(stack))).toMatch(/\[Test\/Alarms\] the stack Test has 575 resources/);
  });

  it("may have another limit, or none, by the CDK's own setting", () => {
    const limited = (limit: number): string => {
      const app = new App({ context: { "@aws-cdk/core:stackResourceLimit": limit } });
      const stack = new Stack(app, "Test");
      new FailoverAlarms(stack, "Alarms", { tableName: "t", zones, functions: [] });
      return refusal(() => Template.fromStack(stack));
    };
    expect(limited(10)).toMatch(/has 15 resources, and CloudFormation takes 10:/);
    expect(limited(0)).toBe("it fits");
  });
});
