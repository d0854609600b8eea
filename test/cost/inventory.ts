// What does the construct deploy that costs money? Counted in the template that it synthesizes, so that the document
// cannot price what is not there, nor leave out what was added.

import type { Template } from "aws-cdk-lib/assertions";
import { Key } from "aws-cdk-lib/aws-kms";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Egress } from "../../lib/constructs/egress.ts";
import { NodePlatform } from "../../lib/constructs/node-platform.ts";
import { synthesize } from "../constructs/failover-stack.ts";

export interface Inventory {
  readonly voters: readonly DeployedFunction[];
  readonly publisher: DeployedFunction;
  readonly schedules: number;
  readonly interfaceEndpoints: number;
  readonly alarms: number;
  /** An alarm is paid for by the metrics that it reads. */
  readonly alarmMetrics: number;
  /** Metrics of the functions' own that are reported all the time, with or without alarms: those whose absence rings. */
  readonly steadyMetrics: number;
  readonly dashboards: number;
  /** Of the functions that stop hosts and answer notices; a deployment has them only when it asks for them. */
  readonly hostFunctions: readonly HostFunction[];
  /** Voters find the secret in their environment, which a key of the installer's encrypts. */
  readonly isSecretPlaced: boolean;
}

export interface DeployedFunction {
  readonly memoryMegabytes: number;
}

/** Called when something happens, for as long as it takes. */
export interface HostFunction extends DeployedFunction {
  readonly timeoutSeconds: number;
}

export const EGRESSES = [Egress.NONE, Egress.DUAL_STACK, Egress.NAT, Egress.ENDPOINTS] as const;

const KEY_ARN = `arn:aws:kms:eu-west-1:123456789012:key/${"0".repeat(8)}`;

export interface InventoryOptions {
  /** With alarms and dashboard, which a deployment has only when it asks for them. @default false */
  readonly isWatched?: boolean;
  /** With `hostStopping` and `nodesRunOn`. @default false */
  readonly isOnHosts?: boolean;
}

/** One group, its password in Secrets Manager, everything else by default. */
export function inventoryOf(egress: Egress, options: InventoryOptions = {}): Inventory {
  const template = templateOf(egress, options);
  const count = (type: string): number => Object.keys(template.findResources(type)).length;
  const functions = Object.values(template.findResources("AWS::Lambda::Function")).map((each) => ({
    description: String(each["Properties"].Description),
    memoryMegabytes: Number(each["Properties"].MemorySize),
    timeoutSeconds: Number(each["Properties"].Timeout),
  }));
  const named = (prefix: string) => functions.filter(({ description }) => description.startsWith(prefix));
  const [publisher] = named("Valkeeper publisher");
  if (publisher === undefined) throw new Error("the template has no publisher");
  const alarms = alarmsIn(template);
  return {
    voters: named("Valkeeper voter"),
    publisher,
    schedules: count("AWS::Scheduler::Schedule"),
    interfaceEndpoints: Object.values(template.findResources("AWS::EC2::VPCEndpoint")).filter(
      (each) => each["Properties"].VpcEndpointType === "Interface",
    ).length,
    alarms: alarms.length,
    alarmMetrics: alarms.reduce((sum, each) => sum + metricsRead(each), 0),
    steadyMetrics: steadyMetrics(alarmsIn(templateOf(Egress.NONE, { isWatched: true }))),
    dashboards: count("AWS::CloudWatch::Dashboard"),
    hostFunctions: [...named("Valkeeper stopper"), ...named("Valkeeper evacuator")],
    isSecretPlaced: JSON.stringify(template.toJSON()).includes("{{resolve:secretsmanager:"),
  };
}

const templates = new Map<string, Template>();

/** Synthesized once: it takes a second or so. */
function templateOf(egress: Egress, options: InventoryOptions): Template {
  const { isWatched = false, isOnHosts = false } = options;
  const name = `${egress.name} ${isWatched} ${isOnHosts}`;
  const template = templates.get(name) ?? synthesized(egress, options);
  templates.set(name, template);
  return template;
}

const synthesized = (egress: Egress, { isWatched = false, isOnHosts = false }: InventoryOptions): Template =>
  synthesize((stack) => ({
    egress,
    ...(isWatched ? { alarms: {}, dashboard: true } : {}),
    ...(isOnHosts ? { hostStopping: {}, nodesRunOn: [NodePlatform.ec2(), NodePlatform.autoScaling()] } : {}),
    credentials: { secret: Secret.fromSecretNameV2(stack, "Secret", "valkey/coordinator") },
    ...(egress.reachesSecrets ? {} : { environmentKey: Key.fromKeyArn(stack, "Key", KEY_ARN) }),
  })).template;

interface AlarmProperties {
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly unknown[];
  readonly TreatMissingData?: string;
  /** Of an alarm on an expression: what it reads, and the expression itself. */
  readonly Metrics?: readonly { readonly MetricStat?: unknown }[];
}

const alarmsIn = (template: Template): readonly AlarmProperties[] =>
  Object.values(template.findResources("AWS::CloudWatch::Alarm")).map((each) => each["Properties"] as AlarmProperties);

const metricsRead = ({ Metrics }: AlarmProperties): number =>
  Metrics === undefined ? 1 : Metrics.filter(({ MetricStat }) => MetricStat !== undefined).length;

function steadyMetrics(alarms: readonly AlarmProperties[]): number {
  const steady = alarms.filter(
    ({ Namespace = "", TreatMissingData }) =>
      Namespace !== "" && !Namespace.startsWith("AWS/") && TreatMissingData === "breaching",
  );
  return new Set(steady.map(({ MetricName, Dimensions }) => JSON.stringify([MetricName, Dimensions]))).size;
}
