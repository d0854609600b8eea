import { RemovalPolicy } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { Port, SecurityGroup } from "aws-cdk-lib/aws-ec2";
import { describe, expect, it } from "vitest";
import { FailoverTable } from "../../lib/constructs/failover-table.ts";
import { ValkeyFailover } from "../../lib/constructs/valkey-failover.ts";
import { textOf } from "../support/iam-policy.ts";
import { actionsOf, group, importVpc, issuesOf, newStack, statementsOf, synthesize } from "./failover-stack.ts";

describe("the table", () => {
  it("is on demand, recoverable, protected and outlives the stack", () => {
    const { template } = synthesize();
    template.hasResource("AWS::DynamoDB::GlobalTable", {
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
      Properties: {
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
        StreamSpecification: { StreamViewType: "NEW_AND_OLD_IMAGES" },
        Replicas: [
          {
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          },
        ],
      },
    });
  });

  it("has the name that it is given, with which it can be taken into a stack, and one of CloudFormation's otherwise", () => {
    synthesize(() => ({ tableName: "left-behind" })).template.hasResource("AWS::DynamoDB::GlobalTable", {
      DeletionPolicy: "Retain",
      Properties: { TableName: "left-behind" },
    });
    synthesize().template.hasResourceProperties("AWS::DynamoDB::GlobalTable", { TableName: Match.absent() });
    expect(issuesOf(() => ({ tableName: "left/behind" }))).toEqual([
      'tableName is "left/behind" and should be 3 to 255 letters, digits, _, . and -',
    ]);
    expect(() => new FailoverTable(newStack(), "Table", { tableName: "no" })).toThrow('tableName is "no"');
  });

  it("is warmed for many groups when asked to, and left as AWS makes it otherwise", () => {
    const warm = { readUnitsPerSecond: 12_000, writeUnitsPerSecond: 8_000 };
    synthesize(() => ({ tableWarmThroughput: warm })).template.hasResourceProperties("AWS::DynamoDB::GlobalTable", {
      WarmThroughput: { ReadUnitsPerSecond: 12_000, WriteUnitsPerSecond: 8_000 },
    });
    synthesize().template.hasResourceProperties("AWS::DynamoDB::GlobalTable", { WarmThroughput: Match.absent() });
  });

  it("goes with the stack when asked to, and is then not protected", () => {
    const { template } = synthesize(() => ({ tableRemovalPolicy: RemovalPolicy.DESTROY }));
    template.hasResource("AWS::DynamoDB::GlobalTable", {
      DeletionPolicy: "Delete",
      Properties: { Replicas: [Match.objectLike({ DeletionProtectionEnabled: false })] },
    });
  });
});

describe("the voters", () => {
  const { template, failover } = synthesize();
  const voters = Object.values(template.findResources("AWS::Lambda::Function")).filter((resource) =>
    String(resource["Properties"].Description).startsWith("Valkeeper voter"),
  );

  it("are one function in one subnet of each of three zones", () => {
    expect(voters.map((voter) => voter["Properties"].VpcConfig.SubnetIds)).toEqual([
      ["subnet-0123456789abcdef0"],
      ["subnet-0123456789abcdef1"],
      ["subnet-0123456789abcdef2"],
    ]);
    expect(voters.map((voter) => voter["Properties"].Environment.Variables["VALKEEPER_VOTER"])).toEqual([
      "eu-west-1a",
      "eu-west-1b",
      "eu-west-1c",
    ]);
    expect(failover.voters.voters).toHaveLength(3);
  });

  it("run Node 24 on arm64, for longer than two periods of their schedule, with one bundle for all", () => {
    expect(voters).toHaveLength(3);
    for (const voter of voters) {
      expect(voter["Properties"]).toMatchObject({
        Runtime: "nodejs24.x",
        Architectures: ["arm64"],
        Timeout: 180,
        MemorySize: 256,
        Code: voters[0]?.["Properties"].Code,
      });
      expect(voter["Properties"].ReservedConcurrentExecutions).toBeUndefined();
    }
  });

  it("know the table and all voters, and publish nothing without a path", () => {
    expect(voters[0]?.["Properties"].Environment.Variables).toMatchObject({
      VALKEEPER_ECONOMY: "false",
      VALKEEPER_TABLE: { Ref: expect.stringContaining("FailoverTable") },
      VALKEEPER_VOTERS: "eu-west-1a,eu-west-1b,eu-west-1c",
      VALKEEPER_PUBLISHES: "",
      VALKEEPER_DUAL_STACK: "false",
      VALKEEPER_SHARD: "0",
    });
  });

  it("are never retried: the next minute's call is worth more", () => {
    const configs = Object.values(template.findResources("AWS::Lambda::EventInvokeConfig"));
    expect(configs).toHaveLength(6);
    for (const config of configs) {
      expect(config["Properties"]).toMatchObject({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 });
    }
  });

  it("let nothing in", () => {
    template.resourceCountIs("AWS::EC2::SecurityGroupIngress", 0);
    template.allResourcesProperties("AWS::EC2::SecurityGroup", { SecurityGroupIngress: Match.absent() });
  });

  it("let everything out unless told otherwise, and then HTTPS and what rules allow", () => {
    template.hasResourceProperties("AWS::EC2::SecurityGroup", {
      SecurityGroupEgress: Match.arrayWith([Match.objectLike({ CidrIp: "0.0.0.0/0", IpProtocol: "-1" })]),
    });
    const stack = newStack();
    const narrow = new ValkeyFailover(stack, "Failover", { vpc: importVpc(stack), allowAllOutbound: false });
    const nodes = SecurityGroup.fromSecurityGroupId(stack, "Nodes", "sg-0123456789abcdef0");
    nodes.connections.allowFrom(narrow, Port.tcp(6379));
    const again = Template.fromStack(stack);
    const ports = (rules: readonly Record<string, unknown>[]) =>
      rules.map(({ FromPort, ToPort }) => [FromPort, ToPort]);
    const [own] = Object.values(again.findResources("AWS::EC2::SecurityGroup"));
    const added = Object.values(again.findResources("AWS::EC2::SecurityGroupEgress"));
    expect(ports(own?.["Properties"].SecurityGroupEgress)).toEqual([
      [443, 443],
      [443, 443],
    ]);
    expect(ports(added.map((each) => each["Properties"]))).toEqual([[6379, 6379]]);
  });

  it("keep logs for a stated time", () => {
    template.allResourcesProperties("AWS::Logs::LogGroup", { RetentionInDays: 90 });
  });

  it("may touch the groups' items and their own slot, and nothing outside the table", () => {
    const statements = statementsOf(template, "Voter1RoleDefaultPolicy");
    expect(actionsOf(statements)).toEqual([
      "dynamodb:BatchGetItem",
      "dynamodb:BatchWriteItem",
      "dynamodb:DescribeTable",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "dynamodb:UpdateItem",
      "ec2:AssignPrivateIpAddresses",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:UnassignPrivateIpAddresses",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
    ]);
    const write = statements.find((statement) => statement.Action.includes("dynamodb:PutItem"));
    expect(write?.Condition).toEqual({
      "ForAllValues:StringLike": {
        "dynamodb:LeadingKeys": ["published#*", "voter#eu-west-1a#0", "voter#eu-west-1a#generation", "voters"],
      },
      Null: { "dynamodb:LeadingKeys": "false" },
    });
  });

  it("have no managed policy, which would open every log group of the account", () => {
    const roles = Object.values(template.findResources("AWS::IAM::Role"));
    expect(roles.length).toBeGreaterThan(0);
    for (const role of roles) expect(role["Properties"].ManagedPolicyArns).toBeUndefined();
  });
});

describe("the schedules", () => {
  const { template } = synthesize();
  const schedules = Object.values(template.findResources("AWS::Scheduler::Schedule"));

  it("call each voter and the publisher once a minute, at once, and never again for the same minute", () => {
    expect(schedules).toHaveLength(4);
    for (const schedule of schedules) {
      expect(schedule["Properties"]).toMatchObject({
        ScheduleExpression: "rate(1 minute)",
        FlexibleTimeWindow: { Mode: "OFF" },
        State: "ENABLED",
        Target: {
          Input: '{"scheduledTime":"<aws.scheduler.scheduled-time>"}',
          RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
        },
      });
    }
  });

  it("have roles that EventBridge Scheduler takes for this account's schedules alone", () => {
    const roles = Object.values(template.findResources("AWS::IAM::Role")).filter(({ Properties }) =>
      JSON.stringify(Properties.AssumeRolePolicyDocument).includes("scheduler.amazonaws.com"),
    );
    expect(roles).toHaveLength(4);
    for (const { Properties } of roles) {
      const [statement] = Properties.AssumeRolePolicyDocument.Statement;
      const { "aws:SourceArn": group, "aws:SourceAccount": account } = statement.Condition.StringEquals;
      expect(textOf(group)).toBe("arn:aws:scheduler:eu-west-1:123456789012:schedule-group/default");
      expect(account).toBe("123456789012");
    }
    for (const { Properties } of schedules) expect(Properties.GroupName).toBeUndefined();
  });

  it("may call their one function and no version of it", () => {
    for (const name of ["Voters", "PublicationPublisher"]) {
      const statements = statementsOf(template, name).filter((each) => each.Action === "lambda:InvokeFunction");
      expect(statements.length).toBeGreaterThan(0);
      for (const statement of statements) expect(statement.Resource).toHaveProperty("Fn::GetAtt");
    }
  });
});

describe("the publisher", () => {
  const { template } = synthesize();

  it("is outside the VPC", () => {
    template.hasResourceProperties("AWS::Lambda::Function", {
      Description: Match.stringLikeRegexp("^Valkeeper publisher"),
      VpcConfig: Match.absent(),
    });
  });

  it("is woken by what decides the publication, and gives a failing record up after a minute", () => {
    template.hasResourceProperties("AWS::Lambda::EventSourceMapping", {
      StartingPosition: "LATEST",
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 3,
      MaximumRecordAgeInSeconds: 60,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      FilterCriteria: {
        Filters: [
          { Pattern: '{"dynamodb":{"Keys":{"pk":{"S":["groups"]}}}}' },
          { Pattern: '{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"group#"}]},"sk":{"S":["ballot"]}}}}' },
          { Pattern: '{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"published#"}]},"sk":{"S":["primary"]}}}}' },
        ],
      },
    });
  });

  it("writes its parameters, and no ballot", () => {
    const statements = statementsOf(template, "PublisherRoleDefaultPolicy");
    const parameters = statements.find((statement) => statement.Action.includes("ssm:PutParameter"));
    expect(JSON.stringify(parameters?.Resource)).toContain(":ssm:eu-west-1:123456789012:parameter/valkeeper/*");
    const write = statements.find((statement) => statement.Action.includes("dynamodb:PutItem"));
    expect(write?.Condition).toMatchObject({
      "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["published#*"] },
    });
    expect(actionsOf(statements).filter((action) => action.startsWith("route53:"))).toEqual([]);
  });
});

describe("the declared groups", () => {
  it("become records through the registrar, with numbers as numbers", () => {
    const { template } = synthesize(() => ({ groups: [{ ...group, downAfterMs: 3_000 }] }));
    const [resource] = Object.values(template.findResources("Custom::ValkeyGroup"));
    expect(JSON.parse(resource?.["Properties"].Declaration)).toMatchObject({
      name: "mymaster",
      primary: "n1",
      quorum: 2,
      downAfterMs: 3_000,
      nodes: [{ id: "n1", host: "10.0.1.10", port: 6379, zone: "eu-west-1a" }, { id: "n2" }, { id: "n3" }],
    });
  });

  it("are declared again when the deployment is given another table", () => {
    const given = (name: string) =>
      synthesize((stack) => ({
        table: FailoverTable.fromAttributes(stack, "Given", {
          tableArn: `arn:aws:dynamodb:eu-west-1:123456789012:table/${name}`,
          tableStreamArn: `arn:aws:dynamodb:eu-west-1:123456789012:table/${name}/stream/1`,
        }),
      })).template.findResources("Custom::ValkeyGroup");
    const [before, after] = [given("first"), given("restored")];
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const [id, { Properties }] of Object.entries(before)) {
      expect(Properties.Table).toBe("first");
      expect(after[id]?.["Properties"]).toEqual({ ...Properties, Table: "restored" });
    }
  });

  it("are the same resources as before they had a scope of their own, and may be called as the registrar is", () => {
    const ids = Object.keys(
      synthesize(() => ({ groups: [group, { ...group, name: "Registrar" }] })).template.findResources(
        "Custom::ValkeyGroup",
      ),
    );
    expect(ids).toEqual(["FailoverGroupsmymasterC0AF8080", expect.stringMatching(/^FailoverGroupsRegistrar/)]);
  });

  it("need no registrar when there are none", () => {
    const { template } = synthesize(() => ({ groups: [] }));
    template.resourceCountIs("AWS::Lambda::Function", 5);
    template.resourceCountIs("Custom::ValkeyGroup", 0);
  });
});

describe("what does not fit together", () => {
  it("fewer than three zones is one clear error", () => {
    expect(issuesOf((stack) => ({ vpc: importVpc(stack, ["eu-west-1a", "eu-west-1b"]), groups: [] }))).toEqual([
      "voters need 3 availability zones, so that one can be lost, and there are 2 (eu-west-1a, eu-west-1b): " +
        "give a VPC with subnets in three zones, or select others with `subnets`",
    ]);
  });

  it("is told all at once, over all groups and properties", () => {
    const issues = issuesOf((stack) => ({
      vpc: importVpc(stack),
      reservedConcurrency: 1,
      zones: ["eu-west-1a", "eu-west-1b", "eu-west-1z"],
      groups: [
        { ...group, quorum: 1, downAfterMs: 90_000 },
        { ...group, onPossibleLoss: "perhaps" },
      ],
    }));
    expect(issues).toEqual(
      expect.arrayContaining([
        expect.stringContaining("no subnet of the VPC is in eu-west-1z"),
        "group mymaster is declared twice",
        expect.stringContaining("quorum 1 is below 2"),
        expect.stringContaining("downAfterMs should be from 100 to 60000 milliseconds"),
        expect.stringContaining('onPossibleLoss should be "promote" or "refuse"'),
        expect.stringContaining("reservedConcurrency is 1 and should be 2 or more"),
      ]),
    );
  });
});
