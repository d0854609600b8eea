// CloudFormation makes what is new before it deletes what is old: a name that an update moves from one logical id to another is
// in use when the other asks for it, and the update fails.

import { Fn, type Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { describe, expect, it } from "vitest";
import { FailoverAlarms, type FailoverAlarmsProps } from "../../lib/constructs/failover-alarms.ts";
import type { ValkeyFailoverProps } from "../../lib/constructs/failover-props.ts";
import { NodePlatform } from "../../lib/constructs/node-platform.ts";
import { group, importVpc, newStack, synthesize, zones } from "./failover-stack.ts";

/** What CloudFormation calls a resource by, when it is said. */
const NAME_OF: Readonly<Record<string, string>> = {
  "AWS::CloudWatch::Alarm": "AlarmName",
  "AWS::CloudWatch::Dashboard": "DashboardName",
  "AWS::DynamoDB::Table": "TableName",
  "AWS::DynamoDB::GlobalTable": "TableName",
  "AWS::EC2::SecurityGroup": "GroupName",
  "AWS::Events::Rule": "Name",
  "AWS::IAM::Role": "RoleName",
  "AWS::Lambda::Function": "FunctionName",
  "AWS::Logs::LogGroup": "LogGroupName",
  "AWS::SNS::Topic": "TopicName",
  "AWS::SQS::Queue": "QueueName",
  "AWS::SSM::Parameter": "Name",
  "AWS::Scheduler::Schedule": "Name",
};

/** From each given name to the logical id that has it. */
function namesIn(template: Template): ReadonlyMap<string, string> {
  const { Resources: resources } = template.toJSON() as {
    readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: object }>>;
  };
  return new Map(
    Object.entries(resources).flatMap(([id, { Type, Properties }]) => {
      const name = (Properties as Readonly<Record<string, unknown>> | undefined)?.[NAME_OF[Type] ?? ""];
      return name === undefined ? [] : [[`${Type} ${JSON.stringify(name)}`, id] as const];
    }),
  );
}

/** Names that are at another id in `after`, told with both. */
const moved = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] =>
  [...before].flatMap(([name, id]) => {
    const other = after.get(name);
    return other === undefined || other === id ? [] : [`${name}: ${id} -> ${other}`];
  });

function expectSteady(sets: Readonly<Record<string, ReadonlyMap<string, string>>>): void {
  for (const [from, before] of Object.entries(sets)) {
    for (const [to, after] of Object.entries(sets)) {
      if (from === to) continue;
      expect([...before.keys()].filter((name) => after.has(name)).length, `${from} and ${to}`).toBeGreaterThan(0);
      expect(moved(before, after), `${from} -> ${to}`).toEqual([]);
    }
  }
}

const FOUR = [...zones, "eu-west-1d"];
const named = (...groupNames: string[]): Partial<ValkeyFailoverProps> => ({
  groupMetrics: true,
  alarms: { groupNames },
});

const SETS: Readonly<Record<string, (stack: Stack) => Partial<ValkeyFailoverProps>>> = {
  "nothing more": () => ({}),
  "hosts are stopped and evacuated, with a dashboard": () => ({
    hostStopping: {},
    nodesRunOn: [NodePlatform.ec2()],
    dashboard: true,
  }),
  "no groups are declared": () => ({ groups: [] }),
  "nobody is told": () => ({ notifications: { toEventBus: false } }),
  "two shards": () => ({ shards: 2 }),
  "alarms of two groups": () => named("mymaster", "sessions"),
  "alarms of the second": () => named("sessions"),
  "other zones": (stack) => ({
    vpc: importVpc(stack, FOUR),
    zones: FOUR.slice(1),
    groups: [{ ...group, nodes: group.nodes.map((node, index) => ({ ...node, zone: FOUR[index + 1] ?? "" })) }],
  }),
};

describe("a name that is given", () => {
  it("stays at its logical id from any of these sets of options to any other", () => {
    const made = Object.entries(SETS).map(([what, make]) => {
      const { template } = synthesize((stack) => ({ alarms: {}, ...make(stack) }));
      return [what, namesIn(template)] as const;
    });
    expectSteady(Object.fromEntries(made));
  }, 120_000);

  it("stays there where the zones are known at deployment only", () => {
    const tokens = [1, 2, 3].map((digit) => Fn.importValue(`Zone${digit}`));
    const alarmsOf = (
      names: readonly string[],
      rest: Partial<FailoverAlarmsProps> = {},
    ): ReadonlyMap<string, string> => {
      const stack = newStack();
      const functionOf = (id: string) => LambdaFunction.fromFunctionName(stack, `F${id}`, id);
      const voters = tokens.map((zone, index) => ({ name: `voter-${zone}`, function: functionOf(`voter${index}`) }));
      const others = names.map((name) => ({ name, function: functionOf(name) }));
      const functions = [...others, ...voters];
      new FailoverAlarms(stack, "Alarms", { tableName: "t", zones: tokens, functions, ...rest });
      return namesIn(Template.fromStack(stack));
    };
    expectSteady({
      few: alarmsOf(["publisher"]),
      more: alarmsOf(["stopper", "publisher", "registrar"]),
      "of a group": alarmsOf(["publisher"], { groupNames: ["sessions"] }),
    });
  });
});

describe("alarms of single groups alone", () => {
  const alone = (groupNames: string[]): readonly string[] => {
    const stack = newStack();
    const made = { tableName: "t", zones, functions: [], namePrefix: "second", overAll: false, groupNames };
    new FailoverAlarms(stack, "Alarms", made);
    return Object.values(Template.fromStack(stack).findResources("AWS::CloudWatch::Alarm")).map(
      ({ Properties }) => Properties.AlarmName,
    );
  };

  it("are theirs and no others, for a second stack", () => {
    const alarms = alone(["sessions", "carts"]);
    expect(alarms).toHaveLength(16);
    for (const alarm of alarms) expect(alarm).toMatch(/^second-.*-(sessions|carts)$/);
  });

  it("are refused without groups", () => {
    expect(() => alone([])).toThrow("overAll is false and groupNames names none");
  });
});
