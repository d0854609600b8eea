// The installation that the security tests judge: every right that the constructs grant is granted in it.

import { readFileSync } from "node:fs";
import type { Stack } from "aws-cdk-lib";
import { AccountRootPrincipal, Role } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { HostedZone } from "aws-cdk-lib/aws-route53";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Topic } from "aws-cdk-lib/aws-sns";
import { Egress } from "../../lib/constructs/egress.ts";
import type { ValkeyFailoverProps } from "../../lib/constructs/failover-props.ts";
import { NodePlatform } from "../../lib/constructs/node-platform.ts";
import type { PolicyStatement } from "../support/iam-policy.ts";
import { statementsOf, synthesize } from "./failover-stack.ts";

export const SECRET_NAME = "valkey/coordinator";
export const ZONE_ID = "Z0123456789ABCDEFGHIJ";
export const TOPIC_ARN = "arn:aws:sns:eu-west-1:123456789012:steps";

export interface SecuredStack {
  readonly tableArn: string;
  /** As deployed. */
  readonly text: string;
  /** Statements by role: `voter-a`, the voter of eu-west-1a, and so on; the other functions by their names, and people. */
  readonly roles: ReadonlyMap<string, readonly PolicyStatement[]>;
}

export function synthesizeSecured(there = { zoneId: ZONE_ID, topicArn: TOPIC_ARN }): SecuredStack {
  const make = (stack: Stack): Partial<ValkeyFailoverProps> => ({
    egress: Egress.NAT,
    credentials: { secret: Secret.fromSecretNameV2(stack, "Secret", SECRET_NAME) },
    publication: {
      hostedZone: HostedZone.fromHostedZoneAttributes(stack, "Zone", {
        hostedZoneId: there.zoneId,
        zoneName: "valkey.internal",
      }),
    },
    hostStopping: { ecsClusters: ["prod"] },
    nodesRunOn: [NodePlatform.ec2(), NodePlatform.autoScaling(), NodePlatform.ecs("prod")],
    economy: true,
    notifications: { topic: Topic.fromTopicArn(stack, "Topic", there.topicArn) },
  });
  const { template } = synthesize(make, (failover, stack) => {
    const person = (id: string): Role => new Role(stack, id, { assumedBy: new AccountRootPrincipal() });
    failover.grantOperate(person("OperatorRole"));
    failover.grantAdminister(person("AdministratorRole"));
    failover.grantResolve(person("ApplicationRole"), "mymaster");
  });
  const policies = {
    "voter-a": "Voter1Role",
    "voter-b": "Voter2Role",
    "voter-c": "Voter3Role",
    publisher: "PublisherRole",
    notifier: "NotifierRole",
    registrar: "RegistrarRole",
    stopper: "StopperRole",
    evacuator: "EvacuatorRole",
    operator: "OperatorRole",
    administrator: "AdministratorRole",
    application: "ApplicationRole",
  };
  const [table] = Object.keys(template.findResources("AWS::DynamoDB::GlobalTable"));
  return {
    tableArn: `${table}.Arn`,
    text: JSON.stringify(template.toJSON()),
    roles: new Map(Object.entries(policies).map(([role, part]) => [role, statementsOf(template, part)])),
  };
}

/** The template of an installation whose voters are given the password by CloudFormation. */
export function placedSecretText(): string {
  const make = (stack: Stack): Partial<ValkeyFailoverProps> => ({
    egress: Egress.NONE,
    credentials: { secret: Secret.fromSecretNameV2(stack, "Secret", SECRET_NAME) },
    environmentKey: new Key(stack, "Key"),
  });
  return JSON.stringify(synthesize(make).template.toJSON());
}

/** The rights on the table that docs/security.md names, by role; a row of its tables is a statement. */
export function documentedStatements(tableArn: string): ReadonlyMap<string, readonly PolicyStatement[]> {
  const text = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8");
  const documented = new Map<string, PolicyStatement[]>();
  for (const [, role = "", actions = "", partitions = ""] of text.matchAll(/^\| (\w+) \| (`[A-Z].*) \| (`.*) \|$/gm)) {
    const words = (list: string): string[] => [...list.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
    const leading = words(partitions).map((each) =>
      each.replace("<its zone>", "eu-west-1a").replace("<its shard>", "0").replace("<its group>", "mymaster"),
    );
    const statement = {
      Effect: "Allow",
      Action: words(actions).map((action) => `dynamodb:${action}`),
      Resource: tableArn,
      Condition: {
        "ForAllValues:StringLike": { "dynamodb:LeadingKeys": leading },
        Null: { "dynamodb:LeadingKeys": "false" },
      },
    };
    documented.set(role, [...(documented.get(role) ?? []), statement]);
  }
  return documented;
}
