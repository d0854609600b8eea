// What the shipped code asks of AWS, as IAM sees it: each command of the SDK with its action, resource and condition keys,
// and a recorder of the commands that are sent, by the role in whose name.

import { AsyncLocalStorage } from "node:async_hooks";
import { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EC2Client } from "@aws-sdk/client-ec2";
import { ECSClient } from "@aws-sdk/client-ecs";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { Route53Client } from "@aws-sdk/client-route-53";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SNSClient } from "@aws-sdk/client-sns";
import { SSMClient } from "@aws-sdk/client-ssm";
import type { AwsRequest } from "./iam-policy.ts";
import { attributesNamed } from "./table-attributes.ts";

const ACCOUNT = "eu-west-1:123456789012";

/** A command of the SDK; which one its class says. */
export interface SdkCommand {
  readonly input: object;
}

/** Of a request as it goes over the wire, by the operation that its header names. */
export const commandOf = (operation: string, input: object): SdkCommand =>
  ({ constructor: { name: `${operation}Command` }, input }) as unknown as SdkCommand;

type Key = { readonly pk?: { readonly S?: string } };

/** The parts of all commands' inputs that decide what IAM is asked. */
interface Input {
  readonly Key?: Key;
  readonly Item?: Key;
  readonly KeyConditionExpression?: string;
  readonly ExpressionAttributeValues?: Readonly<Record<string, { readonly S?: string }>>;
  readonly RequestItems?: Readonly<Record<string, unknown>>;
  readonly Name?: string;
  readonly Names?: readonly string[];
  readonly SecretId?: string;
  readonly HostedZoneId?: string;
  readonly ChangeBatch?: { readonly Changes: readonly RecordChange[] };
  readonly InstanceId?: string;
  readonly AutoScalingGroupName?: string;
  readonly InstanceIds?: readonly string[];
  readonly Resources?: readonly string[];
  readonly cluster?: string;
  readonly task?: string;
  readonly tasks?: readonly string[];
  readonly TopicArn?: string;
  readonly Entries?: readonly { readonly Source: string; readonly EventBusName: string }[];
}

const scalingArn = ({ AutoScalingGroupName }: Input): string =>
  `arn:aws:autoscaling:${ACCOUNT}:autoScalingGroup:87654321:autoScalingGroupName/${AutoScalingGroupName}`;
/** Of a name or an ARN, in whichever account the emulator has it. */
const lastOf = (nameOrArn = ""): string => nameOrArn.split("/").at(-1) ?? "";
const clusterArn = ({ cluster }: Input): string => `arn:aws:ecs:${ACCOUNT}:cluster/${lastOf(cluster)}`;

/** What IAM knows of a host by its tags. */
const tagsOf = (id: string, tagged: ReadonlySet<string>): Readonly<Record<string, readonly string[]>> =>
  tagged.has(id) ? { "aws:ResourceTag/valkeeper:group": ["mymaster"] } : {};

/** Of hosts that are made up: one that is called so is tagged for a group. */
const CALLED_TAGGED: ReadonlySet<string> = new Set(["tagged"]);

interface RecordChange {
  readonly Action: string;
  readonly ResourceRecordSet: { readonly Name: string; readonly Type: string };
}

interface Deletion {
  readonly DeleteRequest?: { readonly Key: Key };
  readonly PutRequest?: { readonly Item: Key };
}

/**
 * `tableArn` stands for whichever table the command names; `tagged` are the ids of hosts that carry a group's tag. One command may
 * ask for several things.
 */
export function requestsOf(command: SdkCommand, tableArn: string, tagged = CALLED_TAGGED): readonly AwsRequest[] {
  const name = command.constructor.name.replace(/Command$/, "");
  const input = command.input as Input;
  switch (name) {
    case "DescribeTable":
    case "Scan":
      return [{ action: `dynamodb:${name}`, resource: tableArn }];
    case "GetItem":
    case "PutItem":
    case "UpdateItem":
    case "DeleteItem":
    case "Query":
    case "BatchGetItem":
    case "BatchWriteItem": {
      const context = {
        "dynamodb:LeadingKeys": [...new Set(partitionsOf(input))],
        "dynamodb:Attributes": attributesNamed(command),
      };
      return [{ action: `dynamodb:${name}`, resource: tableArn, context }];
    }
    case "GetParameter":
    case "PutParameter":
    case "GetParameters":
      return (input.Names ?? [input.Name ?? ""]).map((each) => ({
        action: `ssm:${name}`,
        resource: parameterArn(each),
      }));
    case "GetSecretValue":
      return [{ action: "secretsmanager:GetSecretValue", resource: secretArn(input.SecretId ?? "") }];
    case "ListResourceRecordSets":
      return [{ action: `route53:${name}`, resource: zoneArn(input) }];
    case "ChangeResourceRecordSets":
      return [{ action: `route53:${name}`, resource: zoneArn(input), context: changesOf(input) }];
    case "PublishBatch":
      return [{ action: "sns:Publish", resource: input.TopicArn ?? "" }];
    case "PutEvents":
      return (input.Entries ?? []).map(({ Source, EventBusName }) => ({
        action: "events:PutEvents",
        resource: EventBusName.startsWith("arn:")
          ? EventBusName
          : `arn:aws:events:${ACCOUNT}:event-bus/${EventBusName}`,
        context: { "events:source": [Source] },
      }));
    case "DescribeInstances":
    case "DescribeSpotInstanceRequests":
      return [{ action: `ec2:${name}`, resource: "*" }];
    case "StopInstances":
    case "StartInstances":
    case "TerminateInstances":
    case "DescribeInstanceAttribute":
    case "CreateTags":
      return (input.InstanceIds ?? input.Resources ?? [input.InstanceId ?? ""]).map((id) => ({
        action: `ec2:${name}`,
        resource: `arn:aws:ec2:${ACCOUNT}:instance/${id}`,
        context: tagsOf(id, tagged),
      }));
    case "DescribeLifecycleHooks":
      return [{ action: "autoscaling:DescribeLifecycleHooks", resource: "*" }];
    case "CompleteLifecycleAction":
      return [
        {
          ...{ action: "autoscaling:CompleteLifecycleAction", resource: scalingArn(input) },
          context: tagsOf(input.AutoScalingGroupName ?? "", tagged),
        },
      ];
    case "ListTasks":
      return [{ action: "ecs:ListTasks", resource: "*", context: { "ecs:cluster": [clusterArn(input)] } }];
    case "DescribeTasks":
    case "StopTask":
      return (input.tasks ?? [input.task ?? ""]).map((task) => ({
        action: `ecs:${name}`,
        resource: `arn:aws:ecs:${ACCOUNT}:task/${lastOf(input.cluster)}/${lastOf(task)}`,
        context: tagsOf(task, tagged),
      }));
    default:
      throw new Error(`${name}: which action of IAM it is, is not written here`);
  }
}

function partitionsOf(input: Input): readonly string[] {
  const { Key, Item, KeyConditionExpression, ExpressionAttributeValues, RequestItems } = input;
  if (KeyConditionExpression !== undefined) {
    const value = /^pk = (:\w+)/.exec(KeyConditionExpression)?.[1] ?? "";
    return [ExpressionAttributeValues?.[value]?.S ?? ""];
  }
  const single = Key ?? Item;
  if (single !== undefined) return [single.pk?.S ?? ""];
  return Object.values(RequestItems ?? {}).flatMap((asked) =>
    (Array.isArray(asked) ? (asked as readonly Deletion[]) : (asked as { readonly Keys: readonly Key[] }).Keys).map(
      (each) => keyIn(each).pk?.S ?? "",
    ),
  );
}

function keyIn(each: Deletion | Key): Key {
  if ("PutRequest" in each) return each.PutRequest?.Item ?? {};
  if ("DeleteRequest" in each) return each.DeleteRequest?.Key ?? {};
  return each as Key;
}

function changesOf({ ChangeBatch }: Input): Readonly<Record<string, readonly string[]>> {
  const changes = ChangeBatch?.Changes ?? [];
  const distinct = (of: (change: RecordChange) => string): readonly string[] => [...new Set(changes.map(of))];
  return {
    "route53:ChangeResourceRecordSetsActions": distinct(({ Action }) => Action),
    "route53:ChangeResourceRecordSetsRecordTypes": distinct(({ ResourceRecordSet }) => ResourceRecordSet.Type),
    "route53:ChangeResourceRecordSetsNormalizedRecordNames": distinct(({ ResourceRecordSet }) =>
      normalizedName(ResourceRecordSet.Name),
    ),
  };
}

/** In lower case, without the dot at the end, and with what is no letter, digit, hyphen, underscore or dot in octal. */
const normalizedName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/\.$/, "")
    .replaceAll(/[^a-z0-9_.-]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);

/** Without the version that may be asked for. */
const parameterArn = (name: string): string =>
  `arn:aws:ssm:${ACCOUNT}:parameter/${name.replace(/^\//, "").replace(/:\d+$/, "")}`;
/** Six characters are Secrets Manager's own. */
const secretArn = (id: string): string =>
  id.startsWith("arn:") ? id : `arn:aws:secretsmanager:${ACCOUNT}:secret:${id}-AbCdEf`;
const zoneArn = ({ HostedZoneId }: Input): string => `arn:aws:route53:::hostedzone/${HostedZoneId}`;

interface Sent {
  readonly role: string;
  readonly command: SdkCommand;
}

type Send = (this: unknown, command: SdkCommand, ...more: unknown[]) => unknown;
const CLIENTS = [
  AutoScalingClient,
  DynamoDBClient,
  EC2Client,
  ECSClient,
  EventBridgeClient,
  Route53Client,
  SecretsManagerClient,
  SNSClient,
  SSMClient,
];

/** Records what is sent within `as`, and lets it through; what is sent elsewhere is nobody's. */
export class RequestRecorder {
  readonly sent: Sent[] = [];
  readonly #roles = new AsyncLocalStorage<string>();
  readonly #restore: (() => void)[] = [];
  readonly #completions = new Map<string, (answer: never, asked: never) => object>();

  constructor() {
    for (const client of CLIENTS) this.#watch(client.prototype as unknown as { send: Send });
  }

  #watch(prototype: { send: Send }): void {
    const { send } = prototype;
    const { sent } = this;
    const roleNow = (): string | undefined => this.#roles.getStore();
    const completed = async (answer: unknown, command: SdkCommand): Promise<unknown> => {
      const complete = this.#completions.get(command.constructor.name);
      return complete === undefined ? answer : complete((await answer) as never, command.input as never);
    };
    prototype.send = function (command, ...more) {
      const role = roleNow();
      if (role !== undefined) sent.push({ role, command });
      return completed(send.call(this, command, ...more), command);
    };
    this.#restore.push(() => {
      prototype.send = send;
    });
  }

  as<T>(role: string, act: () => T): T {
    return this.#roles.run(role, act);
  }

  /** Puts into the answers to that operation what an emulator leaves out of them, by what was asked. */
  complete<Answer, Asked>(operation: string, put: (answer: Answer, asked: Asked) => object): void {
    this.#completions.set(`${operation}Command`, put);
  }

  commandsOf(role: string): readonly SdkCommand[] {
    return this.sent.filter((each) => each.role === role).map(({ command }) => command);
  }

  /** What this role has asked, each request once. */
  requestsOf(role: string, tableArn: string, tagged?: ReadonlySet<string>): readonly AwsRequest[] {
    const all = this.commandsOf(role).flatMap((command) => requestsOf(command, tableArn, tagged));
    return [...new Map(all.map((each) => [JSON.stringify(each), each])).values()];
  }

  restore(): void {
    for (const each of this.#restore) each();
  }
}
