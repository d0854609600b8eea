// What the project's own app is told: the context `valkeeper` of cdk.json, or the file that `-c valkeeper:settings=FILE`
// names. A misspelt setting would be a default in production, so unknown ones are issues too.

import { readFileSync } from "node:fs";
import { ConfigurationError } from "../core/errors.ts";
import { DynamoDbEndpoint } from "./dynamo-db-endpoint.ts";
import { Egress } from "./egress.ts";
import type { ValkeyGroupProps } from "./group-props.ts";

export interface VpcSettings {
  readonly vpcId: string;
  /** One subnet in each zone, in the same order. */
  readonly zones: readonly string[];
  readonly subnetIds: readonly string[];
  /** Of those subnets; needed where `dynamoDbEndpoint` is `create`. */
  readonly routeTableIds?: readonly string[];
}

export interface CredentialsSettings {
  readonly user?: string;
  readonly secretName?: string;
  readonly secretArn?: string;
  readonly parameterName?: string;
}

export interface PublicationSettings {
  readonly parameters?: boolean;
  readonly parameterPrefix?: string;
  readonly hostedZone?: { readonly id: string; readonly name: string };
  readonly recordNames?: string[];
  readonly recordTtlSeconds?: number;
}

export interface NotificationSettings {
  readonly topicArn?: string;
  /** @default "default" */
  readonly eventBusName?: string;
  /** @default true */
  readonly toEventBus?: boolean;
}

export interface PlatformSettings {
  /** @default false */
  readonly ec2?: boolean;
  /** Needs `ec2`. @default false */
  readonly rebalanceRecommendations?: boolean;
  /** Names of termination hooks. @default [] */
  readonly autoScalingHooks?: readonly string[];
  /** Names. @default [] */
  readonly ecsClusters?: readonly string[];
}

export interface TableSettings {
  readonly arn: string;
  readonly streamArn: string;
}

export interface AlarmSettings {
  readonly topicArn?: string;
  /** Groups that get alarms of their own, which needs `groupMetrics`. Left out: none. */
  readonly groupNames?: readonly string[];
}

export interface FailoverSettings {
  /** @default "Valkeeper" */
  readonly stackName?: string;
  readonly vpc: VpcSettings;
  /** `none`, `dualStack`, `nat`, `endpoints` or `existingEndpoints`. @default "none" */
  readonly egress?: string;
  /** `create` or `existing`. @default "existing" */
  readonly dynamoDbEndpoint?: string;
  /** False: HTTPS and the ports of rules alone are let out of the voters. @default true */
  readonly allowAllOutbound?: boolean;
  readonly credentials?: CredentialsSettings;
  /** Of the key that encrypts the voters' environment. */
  readonly environmentKeyArn?: string;
  readonly publication?: PublicationSettings;
  /** Without tokens: the same settings as the construct's. */
  readonly groups?: readonly ValkeyGroupProps[];
  /** `{}` for alarms that tell nobody. Left out: no alarms. */
  readonly alarms?: AlarmSettings;
  /** Left out: the account's default bus, no topic. */
  readonly notifications?: NotificationSettings;
  /** Left out: nothing is stopped. `{}`: EC2 instances alone. */
  readonly hostStopping?: { readonly ecsClusters?: readonly string[] };
  /** Left out: nobody is told of hosts that go. */
  readonly nodesRunOn?: PlatformSettings;
  /** @default false */
  readonly economy?: boolean;
  /** Groups that one voter function is given. @default 50 */
  readonly groupsPerVoter?: number;
  /** Voter functions in each zone. Left out: as many as `groups` needs. */
  readonly shards?: number;
  /** Left out: 256 for each 50 of `groupsPerVoter` that are begun. */
  readonly voterMemoryMegabytes?: number;
  /** Kept for each voter, 2 or more. Left out: not limited. */
  readonly reservedConcurrency?: number;
  /** A table that is there already, such as the one that a deleted stack has left. Left out: a new one. */
  readonly table?: TableSettings;
  /** What the new table is called. Left out: CloudFormation makes a name up. */
  readonly tableName?: string;
  /** Units a second. Left out: what a new table has. */
  readonly tableWarmThroughput?: { readonly readUnitsPerSecond?: number; readonly writeUnitsPerSecond?: number };
  /** @default false */
  readonly dashboard?: boolean;
  /** @default false */
  readonly groupMetrics?: boolean;
  /** False: the table goes with the stack. @default true */
  readonly retainTable?: boolean;
}

type Kind = "text" | "flag" | "number" | "texts" | "groups" | { readonly [name: string]: Kind };

const SHAPE: { readonly [name: string]: Kind } = {
  stackName: "text",
  vpc: { vpcId: "text", zones: "texts", subnetIds: "texts", routeTableIds: "texts" },
  egress: "text",
  dynamoDbEndpoint: "text",
  allowAllOutbound: "flag",
  credentials: { user: "text", secretName: "text", secretArn: "text", parameterName: "text" },
  environmentKeyArn: "text",
  publication: {
    parameters: "flag",
    parameterPrefix: "text",
    hostedZone: { id: "text", name: "text" },
    recordNames: "texts",
    recordTtlSeconds: "number",
  },
  groups: "groups",
  alarms: { topicArn: "text", groupNames: "texts" },
  notifications: { topicArn: "text", eventBusName: "text", toEventBus: "flag" },
  hostStopping: { ecsClusters: "texts" },
  nodesRunOn: { ec2: "flag", rebalanceRecommendations: "flag", autoScalingHooks: "texts", ecsClusters: "texts" },
  economy: "flag",
  groupsPerVoter: "number",
  shards: "number",
  voterMemoryMegabytes: "number",
  reservedConcurrency: "number",
  table: { arn: "text", streamArn: "text" },
  tableName: "text",
  tableWarmThroughput: { readUnitsPerSecond: "number", writeUnitsPerSecond: "number" },
  dashboard: "flag",
  groupMetrics: "flag",
  retainTable: "flag",
};

/** Throws `ConfigurationError` with every issue. What is inside the groups is checked by the construct. */
export function readSettings(input: unknown): FailoverSettings {
  const issues: string[] = [];
  checkShape("settings", input, SHAPE, issues);
  if (issues.length === 0) checkMeaning(input as FailoverSettings, issues);
  if (issues.length > 0) throw new ConfigurationError("the app's settings", issues);
  return input as FailoverSettings;
}

/** `file` is the context `valkeeper:settings`, `context` the context `valkeeper`. */
export function settingsFrom(file: unknown, context: unknown): FailoverSettings {
  if (typeof file !== "string") return readSettings(context);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigurationError("the app's settings", [`${file} cannot be read: ${String(error)}`]);
  }
  try {
    return readSettings(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ConfigurationError("the app's settings", [`${file} is not JSON: ${error.message}`]);
  }
}

function checkShape(at: string, value: unknown, kind: Kind, issues: string[]): void {
  if (typeof kind === "string") {
    if (!fits(value, kind)) issues.push(`${at} should be ${WORDS[kind]} and is ${JSON.stringify(value)}`);
    return;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    issues.push(`${at} should be a map of ${Object.keys(kind).join(", ")}`);
    return;
  }
  for (const [name, each] of Object.entries(value)) {
    const inner = Object.hasOwn(kind, name) ? kind[name] : undefined;
    if (inner === undefined) issues.push(`${at} has no setting "${name}": there are ${Object.keys(kind).join(", ")}`);
    else checkShape(`${at}.${name}`, each, inner, issues);
  }
}

type Simple = Extract<Kind, string>;

const WORDS: Readonly<Record<Simple, string>> = {
  text: "a text",
  flag: "true or false",
  number: "a number",
  texts: "a list of texts",
  groups: "a list of groups",
};

function fits(value: unknown, kind: Simple): boolean {
  switch (kind) {
    case "text":
      return typeof value === "string" && value !== "";
    case "flag":
      return typeof value === "boolean";
    case "number":
      return typeof value === "number";
    case "texts":
      return Array.isArray(value) && value.every((each) => typeof each === "string" && each !== "");
    case "groups":
      return Array.isArray(value) && value.every(isGroup);
  }
}

/** As much as the construct takes for granted. */
const isGroup = (value: unknown): boolean =>
  typeof value === "object" && value !== null && typeof (value as { name?: unknown }).name === "string";

function checkMeaning(settings: FailoverSettings, issues: string[]): void {
  const { vpc, egress, dynamoDbEndpoint, credentials, nodesRunOn } = settings;
  if (nodesRunOn?.rebalanceRecommendations === true && nodesRunOn.ec2 !== true) {
    issues.push("settings.nodesRunOn.rebalanceRecommendations is of EC2 instances: it needs ec2");
  }
  if (settings.table !== undefined && (settings.table.arn === undefined || settings.table.streamArn === undefined)) {
    issues.push("settings.table needs arn and streamArn");
  }
  if (settings.table !== undefined && settings.retainTable !== undefined) {
    issues.push("settings.retainTable is for a new table, and settings.table is given, which is always kept");
  }
  const { vpcId, zones, subnetIds, routeTableIds }: Partial<VpcSettings> = vpc ?? {};
  if (vpcId === undefined || zones === undefined || subnetIds === undefined) {
    issues.push("settings.vpc needs vpcId, zones and subnetIds");
  } else {
    if (zones.length !== subnetIds.length) {
      issues.push(
        `settings.vpc has ${zones.length} zones and ${subnetIds.length} subnetIds: give one subnet for each zone, in the same order`,
      );
    }
    if (routeTableIds !== undefined && routeTableIds.length !== subnetIds.length) {
      issues.push(`settings.vpc has ${subnetIds.length} subnetIds and ${routeTableIds.length} routeTableIds`);
    }
  }
  if (egress !== undefined && Egress.named(egress) === undefined) {
    issues.push(
      `settings.egress should be none, dualStack, nat, endpoints or existingEndpoints and is ${JSON.stringify(egress)}`,
    );
  }
  if (dynamoDbEndpoint !== undefined && DynamoDbEndpoint.named(dynamoDbEndpoint) === undefined) {
    issues.push(`settings.dynamoDbEndpoint should be create or existing and is ${JSON.stringify(dynamoDbEndpoint)}`);
  }
  const kinds = [credentials?.secretName, credentials?.secretArn, credentials?.parameterName];
  if (credentials !== undefined && kinds.filter((each) => each !== undefined).length !== 1) {
    issues.push("settings.credentials need exactly one of secretName, secretArn and parameterName");
  }
}
