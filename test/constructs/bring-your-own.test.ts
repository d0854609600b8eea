import { App, Stack } from "aws-cdk-lib";
import { Annotations, Match, Template } from "aws-cdk-lib/assertions";
import { AttributeType, type ITable, StreamViewType, Table, TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { Port, SecurityGroup } from "aws-cdk-lib/aws-ec2";
import { type IRole, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { describe, expect, it } from "vitest";
import { FailoverTable } from "../../lib/constructs/failover-table.ts";
import { PublicationPublisher } from "../../lib/constructs/publication-publisher.ts";
import { ValkeyFailover } from "../../lib/constructs/valkey-failover.ts";
import { actionsOf, group, importVpc, issuesOf, newStack, statementsOf, synthesize } from "./failover-stack.ts";

const KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000";
const TABLE_ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/shared";
const imported = { tableArn: TABLE_ARN, tableStreamArn: `${TABLE_ARN}/stream/2026-01-01T00:00:00.000` };
const both = StreamViewType.NEW_AND_OLD_IMAGES;
const text = (name: string) => ({ name, type: AttributeType.STRING });

describe("a table of one's own", () => {
  it("takes the place of the construct's, for every function", () => {
    const { template } = synthesize((stack) => ({ table: FailoverTable.fromAttributes(stack, "Shared", imported) }));
    template.resourceCountIs("AWS::DynamoDB::GlobalTable", 0);
    template.allResourcesProperties("AWS::Lambda::EventSourceMapping", { EventSourceArn: imported.tableStreamArn });
    for (const role of ["Voter1Role", "PublisherRole", "RegistrarRole"]) {
      const ofTable = statementsOf(template, role).filter((each) =>
        JSON.stringify(each.Action).includes("dynamodb:GetItem"),
      );
      expect(ofTable.map((each) => each.Resource)).toEqual(ofTable.map(() => TABLE_ARN));
      expect(ofTable.length).toBeGreaterThan(0);
    }
  });

  it.each([
    [
      "Table",
      (stack: Stack) => new Table(stack, "Own", { partitionKey: text("pk"), sortKey: text("sk"), stream: both }),
    ],
    [
      "TableV2",
      (stack: Stack) =>
        new TableV2(stack, "Own", { partitionKey: text("pk"), sortKey: text("sk"), dynamoStream: both }),
    ],
  ])("may be a %s of the app", (_, make) => {
    const { failover } = synthesize((stack) => ({ table: FailoverTable.fromTable(stack, "T", make(stack) as ITable) }));
    expect(failover.table.table.tableStreamArn).toBeDefined();
  });

  it.each([
    ["another key", { partitionKey: text("id"), sortKey: text("sk"), stream: both }, "(id HASH S, sk RANGE S)"],
    ["no sort key", { partitionKey: text("pk"), stream: both }, "(pk HASH S)"],
    ["a number for a key", { partitionKey: { name: "pk", type: AttributeType.NUMBER }, stream: both }, "(pk HASH N)"],
    ["no stream", { partitionKey: text("pk"), sortKey: text("sk") }, "no stream"],
    [
      "a stream of keys",
      { partitionKey: text("pk"), sortKey: text("sk"), stream: StreamViewType.KEYS_ONLY },
      "a stream with KEYS_ONLY",
    ],
  ])("is refused with %s", (_, props, said) => {
    const stack = newStack();
    expect(() => FailoverTable.fromTable(stack, "T", new Table(stack, "Own", props) as ITable)).toThrow(said);
  });

  it("is refused with its issues among the others", () => {
    const issues = issuesOf((stack) => ({
      table: FailoverTable.fromAttributes(stack, "Shared", { tableName: "shared" }),
      tableName: "shared",
      tableEncryptionKey: Key.fromKeyArn(stack, "Key", KEY_ARN),
      tableWarmThroughput: { writeUnitsPerSecond: 8_000 },
      reservedConcurrency: 1,
    }));
    expect(issues).toEqual([
      expect.stringContaining("reservedConcurrency is 1"),
      "tableName is for a new table, and `table` is given",
      "tableEncryptionKey is for a new table, and `table` is given",
      "tableWarmThroughput is for a new table, and `table` is given",
      "the given table has no stream that is known here: import it with its `tableStreamArn`",
    ]);
    expect(() => FailoverTable.fromAttributes(newStack(), "Shared", {})).toThrow("one of `tableName` and `tableArn`");
  });
});

describe("a key of one's own for the table", () => {
  const usesOf = (template: Template, role: string) =>
    statementsOf(template, role).filter((each) => JSON.stringify(each.Condition ?? {}).includes("kms:ViaService"));

  it("encrypts it, and whoever reads or writes it may use the key through DynamoDB", () => {
    const { template } = synthesize(
      (stack) => ({ tableEncryptionKey: Key.fromKeyArn(stack, "Key", KEY_ARN) }),
      (failover, stack) => {
        failover.grantResolve(
          new Role(stack, "Reader", { assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com") }),
        );
      },
    );
    template.hasResourceProperties("AWS::DynamoDB::GlobalTable", {
      SSESpecification: { SSEEnabled: true, SSEType: "KMS" },
      Replicas: [Match.objectLike({ SSESpecification: { KMSMasterKeyId: KEY_ARN } })],
    });
    for (const role of ["Voter1Role", "Voter3Role", "PublisherRole", "RegistrarRole"]) {
      const [use, ...more] = usesOf(template, role);
      expect(more).toEqual([]);
      expect(use).toMatchObject({
        Resource: KEY_ARN,
        Condition: { StringEquals: { "kms:ViaService": expect.anything() } },
      });
      expect(use?.Action).toContain("kms:GenerateDataKey");
    }
    expect(actionsOf(usesOf(template, "Reader"))).toEqual(["kms:Decrypt", "kms:DescribeKey"]);
    // The notifier reads the stream alone.
    expect(actionsOf(statementsOf(template, "NotifierRole"))).toContain("kms:Decrypt");
  });

  it("needs a stack whose region is known, and says so", () => {
    const stack = new Stack(new App());
    const make = () =>
      new ValkeyFailover(stack, "Failover", {
        vpc: importVpc(stack),
        tableEncryptionKey: Key.fromKeyArn(stack, "Key", KEY_ARN),
      });
    expect(make).toThrow("give the stack an `env` with `region`");
  });
});

const newRole = (stack: Stack, id: string): IRole =>
  new Role(stack, id, { assumedBy: new ServicePrincipal("lambda.amazonaws.com") }) as IRole;

describe("roles and log groups of one's own", () => {
  it("are each function's, with its rights added and none of ours beside", () => {
    const { template } = synthesize((stack) => ({
      functions: {
        voters: ["A", "B", "C"].map((name) => ({
          role: newRole(stack, `Given${name}`),
          logGroup: LogGroup.fromLogGroupName(stack, `Logs${name}`, `/team/voter-${name}`),
        })),
        publisher: { role: Role.fromRoleName(stack, "GivenPublisher", "publisher") as IRole },
        notifier: { role: newRole(stack, "GivenNotifier") },
        registrar: { role: newRole(stack, "GivenRegistrar") },
      },
    }));
    const functions = template.findResources("AWS::Lambda::Function", {
      Properties: { Description: Match.stringLikeRegexp("^Valkeeper") },
    });
    const rolesOf = Object.values(functions).map(({ Properties }) => JSON.stringify(Properties.Role));
    expect(rolesOf).toHaveLength(6);
    expect(rolesOf.filter((role) => !/Given|role\/publisher/.test(role))).toEqual([]);
    const logs = Object.values(functions).map(({ Properties }) => Properties.LoggingConfig.LogGroup);
    expect(logs.filter((each) => typeof each === "string")).toEqual(
      ["A", "B", "C"].map((name) => `/team/voter-${name}`),
    );
    const own = statementsOf(template, "GivenA");
    expect(actionsOf(own)).toEqual(
      expect.arrayContaining(["dynamodb:UpdateItem", "logs:PutLogEvents", "ec2:CreateNetworkInterface"]),
    );
    expect(JSON.stringify(own)).toContain("/team/voter-A");
    expect(JSON.stringify(own)).toContain("voter#eu-west-1a#0");
    expect(JSON.stringify(statementsOf(template, "GivenB"))).not.toContain("voter#eu-west-1a#0");
    expect(actionsOf(statementsOf(template, "GivenPublisher"))).toContain("ssm:PutParameter");
  });

  it("that take no policies are told of, and the others are not", () => {
    const stack = newStack();
    const immutable = (id: string) =>
      Role.fromRoleArn(stack, id, `arn:aws:iam::123456789012:role/${id}`, { mutable: false }) as IRole;
    new ValkeyFailover(stack, "Failover", {
      vpc: importVpc(stack),
      functions: { publisher: { role: immutable("fixed") }, notifier: { role: newRole(stack, "Own") } },
    });
    const warnings = Annotations.fromStack(stack).findWarning("*", Match.stringLikeRegexp("takes no policies"));
    expect(warnings.map((each) => each.id)).toEqual(["/Test/Failover/Publication/Publisher"]);
    expect(String(warnings[0]?.entry.data)).toContain("the role Test/fixed takes no policies");
  });

  it("are refused where there is no function for them", () => {
    const issues = issuesOf((stack) => ({
      groups: [],
      notifications: { toEventBus: false },
      functions: {
        voters: [{ role: newRole(stack, "One") }],
        notifier: { role: newRole(stack, "Two") },
        registrar: { role: newRole(stack, "Three") },
      },
    }));
    expect(issues).toEqual([
      "functions.voters has 1 entries for 3 voters",
      "functions.notifier is given, and notifications tell nobody",
      "functions.registrar is given, and the app declares no groups to register",
    ]);
  });
});

describe("roles of one's own for the schedules", () => {
  const schedulerRole = (stack: Stack, id: string): IRole =>
    new Role(stack, id, { assumedBy: new ServicePrincipal("scheduler.amazonaws.com") }) as IRole;
  const invoked = (template: Template, role: string): readonly string[] =>
    statementsOf(template, role).flatMap(({ Action, Resource }) =>
      Action === "lambda:InvokeFunction" ? [Resource].flat().map((each) => JSON.stringify(each)) : [],
    );

  it("are assumed by them, with the right to call their one function and none of ours beside", () => {
    const { template } = synthesize((stack) => ({
      functions: {
        voters: ["A", "B", "C"].map((name) => ({ scheduleRole: schedulerRole(stack, `Given${name}`) })),
        publisher: { scheduleRole: schedulerRole(stack, "GivenPublisher") },
      },
    }));
    const assumed = Object.values(template.findResources("AWS::Scheduler::Schedule")).map(({ Properties }) =>
      String(Properties.Target.RoleArn["Fn::GetAtt"][0]).replace(/[0-9A-F]{8}$/, ""),
    );
    expect(assumed.toSorted()).toEqual(["GivenA", "GivenB", "GivenC", "GivenPublisher"]);
    expect(invoked(template, "GivenB")).toEqual([expect.stringContaining("Voter2Function")]);
    expect(invoked(template, "GivenPublisher")).toEqual([expect.stringContaining("PublisherFunction")]);
    expect(actionsOf(statementsOf(template, "GivenB"))).toEqual(expect.arrayContaining(["sqs:SendMessage"]));
    const ours = template.findResources("AWS::IAM::Role", {
      Properties: {
        AssumeRolePolicyDocument: {
          Statement: [
            Match.objectLike({ Condition: Match.anyValue(), Principal: { Service: "scheduler.amazonaws.com" } }),
          ],
        },
      },
    });
    expect(Object.keys(ours)).toEqual([]);
  });

  it("that take no policies are told of", () => {
    const stack = newStack();
    const scheduleRole = Role.fromRoleArn(stack, "fixed", "arn:aws:iam::123456789012:role/fixed", { mutable: false });
    new ValkeyFailover(stack, "Failover", {
      vpc: importVpc(stack),
      functions: { publisher: { scheduleRole: scheduleRole as IRole } },
    });
    const warnings = Annotations.fromStack(stack).findWarning("*", Match.stringLikeRegexp("takes no policies"));
    expect(warnings.map((each) => each.id)).toEqual(["/Test/Failover/Publication/Publisher/Schedule"]);
    expect(String(warnings[0]?.entry.data)).toContain("the rights of the publisher's schedule");
  });

  it("are refused where a function has the role as well: neither could be made first", () => {
    const said = ": the role Test/Both is a function's and a schedule's: give schedules one of their own";
    const both = (stack: Stack) => new Role(stack, "Both", { assumedBy: new ServicePrincipal("lambda") }) as IRole;
    const issues = issuesOf((stack) => {
      const role = both(stack);
      return { functions: { publisher: { scheduleRole: role }, notifier: { role } } };
    });
    expect(issues).toEqual([`functions${said}`]);
    const stack = newStack();
    const role = both(stack);
    const table = FailoverTable.fromAttributes(stack, "Shared", imported);
    const parts = { role, scheduleRole: role };
    expect(() => new PublicationPublisher(stack, "P", { table, publication: {}, parts })).toThrow(`parts${said}`);
  });
});

describe("a deployment of another app", () => {
  const grants = (use: (stack: Stack, role: Role) => void): readonly unknown[] => {
    const stack = newStack();
    use(stack, new Role(stack, "Reader", { assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com") }));
    return [...statementsOf(Template.fromStack(stack), "Reader")];
  };

  it("grants and measures as the construct itself does", () => {
    const own = grants((stack, role) => {
      const table = FailoverTable.fromAttributes(stack, "Shared", imported);
      const failover = new ValkeyFailover(stack, "Failover", { vpc: importVpc(stack), groups: [group], table });
      failover.grantOperate(role);
      failover.grantResolve(role);
    });
    const others = grants((stack, role) => {
      const failover = ValkeyFailover.fromAttributes(stack, "Failover", { tableArn: TABLE_ARN });
      failover.grantOperate(role);
      failover.grantResolve(role);
      expect(failover.metricFailovers().dimensions).toEqual({ Table: "shared" });
      expect(failover.metrics.metricThrottles().dimensions).toEqual({ Table: "shared" });
    });
    expect(others).toEqual(own);
    expect(JSON.stringify(own)).toContain("parameter/valkeeper/*");
  });

  it("lets its voters reach the nodes where their security groups are said, and makes no rule that is none otherwise", () => {
    const stack = newStack();
    const nodes = new SecurityGroup(stack, "Nodes", { vpc: importVpc(stack) });
    const voterSecurityGroups = [SecurityGroup.fromSecurityGroupId(stack, "Voters", "sg-0123456789abcdef1")];
    const told = ValkeyFailover.fromAttributes(stack, "Told", { tableName: "shared", voterSecurityGroups });
    nodes.connections.allowFrom(told, Port.tcp(6379));
    Template.fromStack(stack).hasResourceProperties("AWS::EC2::SecurityGroupIngress", {
      SourceSecurityGroupId: "sg-0123456789abcdef1",
      ...{ FromPort: 6379, ToPort: 6379 },
    });
    const untold = ValkeyFailover.fromAttributes(stack, "Untold", { tableName: "shared" });
    expect(() => nodes.connections.allowFrom(untold, Port.tcp(6379))).toThrow("give `voterSecurityGroups`");
  });

  it("grants the parameters where they are, and none where there are none", () => {
    const resolve = (publication: object) =>
      JSON.stringify(
        grants((stack, role) => {
          ValkeyFailover.fromAttributes(stack, "F", { tableName: "shared", publication }).grantResolve(
            role,
            "mymaster",
          );
        }),
      );
    expect(resolve({ parameterPrefix: "/team/valkey" })).toContain("parameter/team/valkey/mymaster/*");
    expect(resolve({ parameters: false })).not.toContain("ssm:");
    expect(resolve({ parameters: false })).toContain("published#mymaster");
  });
});
