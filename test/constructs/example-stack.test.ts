// The example that docs/deploy.md deploys: what is in its template, and what is not.

import { execFileSync } from "node:child_process";
import { App, Validations } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { AwsSolutionsChecks } from "cdk-nag";
import { beforeAll, describe, expect, it } from "vitest";
import { ExampleStack, type ExampleStackProps } from "../../lib/constructs/example-stack.ts";
import { COORDINATOR_RULES } from "../../lib/core/acl.ts";
import { GROUP_TAG, NODE_TAG } from "../../lib/ports/hosts.ts";
import { userDataIn } from "../support/example-template.ts";
import { actionsOf, statementsOf } from "./failover-stack.ts";

const authority = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const newExample = (props: Partial<ExampleStackProps> = {}) => {
  const app = new App({ context: { "aws:cdk:bundling-stacks": [] } });
  return { app, stack: new ExampleStack(app, "Example", { authority, ...props }) };
};

let template: Template;
beforeAll(() => {
  template = Template.fromStack(newExample().stack);
}, 60_000);

const machines = () =>
  Object.values(template.findResources("AWS::EC2::Instance")).map((each) => each["Properties"] as Machine);
interface Machine {
  readonly [name: string]: unknown;
  readonly Tags: readonly { readonly Key: string; readonly Value: string }[];
}

describe("the example's machines", () => {
  it("are three, each in a zone of its own, with a fixed address, tagged as its node", () => {
    const tag = (machine: Machine, key: string) => machine.Tags.find(({ Key }) => Key === key)?.Value;
    expect(machines().map((each) => [each["PrivateIpAddress"], tag(each, GROUP_TAG), tag(each, NODE_TAG)])).toEqual([
      ["10.47.0.10", "example", "n1"],
      ["10.47.1.10", "example", "n2"],
      ["10.47.2.10", "example", "n3"],
    ]);
    expect(new Set(machines().map((each) => JSON.stringify(each["SubnetId"]))).size).toBe(3);
    template.allResourcesProperties("AWS::EC2::Instance", {
      InstanceType: "t4g.micro",
      MetadataOptions: { HttpTokens: "required" },
      BlockDeviceMappings: [{ Ebs: Match.objectLike({ Encrypted: true, VolumeSize: 8 }) }],
      KeyName: Match.absent(),
    });
  });

  it("are the nodes that the group declares", () => {
    const [resource] = Object.values(template.findResources("Custom::ValkeyGroup"));
    const declaration = JSON.stringify(resource?.["Properties"].Declaration).replaceAll("\\", "");
    for (const text of ['"host":"10.47.0.10"', '"host":"10.47.1.10"', '"host":"10.47.2.10"', '"primary":"n1"']) {
      expect(declaration).toContain(text);
    }
    expect(declaration).toContain('"serverName":"valkeeper-example"');
  });

  it("let the voters and each other in on the Valkey port, and nobody else", () => {
    const rules = Object.values(template.findResources("AWS::EC2::SecurityGroupIngress")).map(
      (each) => each["Properties"],
    );
    const nodes = rules.filter((each) => JSON.stringify(each.GroupId).includes("NodesSecurityGroup"));
    expect(nodes.map(({ FromPort, ToPort, CidrIp }) => [FromPort, ToPort, CidrIp])).toEqual(
      nodes.map(() => [6379, 6379, undefined]),
    );
    const sources = nodes.map((each) => JSON.stringify(each.SourceSecurityGroupId));
    expect(sources.filter((each) => each.includes("NodesSecurityGroup"))).toHaveLength(1);
    expect(sources.filter((each) => each.includes("Voters"))).toHaveLength(1);
    expect(sources).toHaveLength(2);
    for (const group of Object.values(template.findResources("AWS::EC2::SecurityGroup"))) {
      expect(group["Properties"].SecurityGroupIngress).toBeUndefined();
    }
  });

  it("may read the four secrets, and what Session Manager needs", () => {
    const statements = statementsOf(template, "NodesRole");
    expect(actionsOf(statements)).toEqual(["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]);
    expect(statements.flatMap(({ Resource }) => Resource)).toHaveLength(4);
  });
});

describe("the example's user data", () => {
  const texts = () => {
    const found = userDataIn(template);
    expect(found).toHaveLength(3);
    return found;
  };

  it("is a script that bash reads", () => {
    for (const text of texts()) expect(() => execFileSync("bash", ["-n"], { input: text })).not.toThrow();
    expect(() => execFileSync("bash", ["-n"], { input: `${texts()[0]}\nif`, stdio: "pipe" })).toThrow();
  });

  it("boot-fences on the command line, and names the rights of the coordinator's user", () => {
    for (const text of texts()) {
      expect(text).toContain("valkey-server /etc/valkey/valkey.conf --replicaof 127.0.0.1 1\n");
      expect(text).toContain(`user valkeeper on >$coordinator ${COORDINATOR_RULES.join(" ")}\n`);
    }
  });

  it("holds no password: CloudFormation resolves none into it", () => {
    expect(JSON.stringify(machines())).not.toContain("{{resolve:");
    for (const text of texts()) expect(text).not.toMatch(/PRIVATE KEY/);
  });
});

describe("the example's hosts", () => {
  const functionsIn = (from: Template) =>
    Object.values(from.findResources("AWS::Lambda::Function")).map((each) => String(each["Properties"].Description));

  it("can be stopped by a function that may stop what carries the group's tag, and by nobody else", () => {
    expect(actionsOf(statementsOf(template, "StopperRole"))).toContain("ec2:StopInstances");
    const [stopping, ...more] = Object.values(template.findResources("AWS::IAM::Policy"))
      .flatMap((each) => each["Properties"].PolicyDocument.Statement)
      .filter((each) => JSON.stringify(each.Action).includes("ec2:StopInstances"));
    expect(more).toEqual([]);
    expect(stopping.Condition).toEqual({ StringLike: { [`aws:ResourceTag/${GROUP_TAG}`]: "?*" } });
  });

  it("are stopped only when the group asks for it, which it does not", () => {
    const [resource] = Object.values(template.findResources("Custom::ValkeyGroup"));
    expect(JSON.stringify(resource?.["Properties"].Declaration)).not.toContain("stopInstance");
  });

  it("hand their primary over when EC2 or Health gives notice, and not by a hint that often comes to nothing", () => {
    const patterns = Object.values(template.findResources("AWS::Events::Rule")).map(
      (each) => each["Properties"].EventPattern,
    );
    expect(patterns.flatMap((each) => each["detail-type"]).sort()).toEqual([
      "AWS Health Event",
      "EC2 Spot Instance Interruption Warning",
    ]);
  });

  it("are left alone where the flags say so", () => {
    const bare = Template.fromStack(newExample({ hostStopping: false, evacuation: false }).stack);
    const names = /stopper|evacuator/;
    expect(functionsIn(template).filter((each) => names.test(each))).toHaveLength(2);
    expect(functionsIn(bare).filter((each) => names.test(each))).toEqual([]);
    bare.resourceCountIs("AWS::Events::Rule", 0);
  });
});

describe("the example as a whole", () => {
  it("goes with the stack: it keeps nothing", () => {
    const kept = Object.values(template.toJSON()["Resources"] as Record<string, { DeletionPolicy?: string }>).filter(
      ({ DeletionPolicy = "Delete" }) => DeletionPolicy !== "Delete",
    );
    expect(kept).toEqual([]);
  });

  it("takes one NAT gateway, alarms and a dashboard", () => {
    template.resourceCountIs("AWS::EC2::NatGateway", 1);
    template.resourceCountIs("AWS::CloudWatch::Dashboard", 1);
    expect(Object.keys(template.findResources("AWS::CloudWatch::Alarm")).length).toBeGreaterThan(10);
  });

  it("takes another network and a given image", () => {
    const other = Template.fromStack(newExample({ network: "10.9", imageId: "ami-0123456789abcdef0" }).stack);
    other.hasResourceProperties("AWS::EC2::VPC", { CidrBlock: "10.9.0.0/16" });
    other.allResourcesProperties("AWS::EC2::Instance", { ImageId: "ami-0123456789abcdef0" });
    other.hasResourceProperties("AWS::EC2::Instance", { PrivateIpAddress: "10.9.2.10" });
  });

  it("cdk-nag's AwsSolutions finds nothing that is not acknowledged with a reason", () => {
    const { app, stack } = newExample();
    const findings = new AwsSolutionsChecks(stack)
      .validateScope(stack)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
      );
    expect(findings).toEqual([]);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
  });
});
