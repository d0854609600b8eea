// A template in a page: how many of what, and of each function, role and trigger what matters. Two of these stand beside the
// test, so that a change of what is deployed is seen in its review.

import type { Template } from "aws-cdk-lib/assertions";
import { textOf } from "../support/iam-policy.ts";
import { actionsOf } from "./failover-stack.ts";

type Properties = Readonly<Record<string, unknown>>;

/** Every resource of a type, in the template's order. */
const all = (template: Template, type: string): readonly Properties[] =>
  Object.values(template.findResources(type)).map((each) => (each["Properties"] ?? {}) as Properties);

export function summaryOf(template: Template): string {
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ["resources", counts(template)],
    ["table", all(template, "AWS::DynamoDB::GlobalTable").map(tableLine)],
    ["functions", all(template, "AWS::Lambda::Function").flatMap(functionLines)],
    ["schedules", all(template, "AWS::Scheduler::Schedule").map(scheduleLine)],
    ["rules", all(template, "AWS::Events::Rule").map(ruleLine)],
    ["event sources", all(template, "AWS::Lambda::EventSourceMapping").map(sourceLine)],
    ["rights", rights(template)],
    ["alarms", all(template, "AWS::CloudWatch::Alarm").map(alarmLine)],
  ];
  return `${sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => [title, ...lines.map((line) => `  ${line}`)].join("\n"))
    .join("\n\n")}\n`;
}

function counts(template: Template): readonly string[] {
  const resources = Object.values(template.toJSON()["Resources"] as Record<string, { readonly Type: string }>);
  const types = [...new Set(resources.map(({ Type }) => Type))].sort();
  return types.map((type) => `${resources.filter(({ Type }) => Type === type).length} ${type}`);
}

function tableLine({ KeySchema, BillingMode, StreamSpecification, SSESpecification, Replicas }: Properties): string {
  const key = (KeySchema as { readonly AttributeName: string }[]).map((each) => each.AttributeName).join(", ");
  const [replica] = Replicas as { readonly DeletionProtectionEnabled: boolean }[];
  const { StreamViewType } = StreamSpecification as { readonly StreamViewType: string };
  const { SSEType = "the key that DynamoDB owns" } = (SSESpecification ?? {}) as { readonly SSEType?: string };
  const isKept = replica?.DeletionProtectionEnabled === true ? "protected" : "not protected";
  return `(${key}), ${String(BillingMode)}, stream ${StreamViewType}, ${SSEType}, ${isKept}`;
}

function functionLines(each: Properties): readonly string[] {
  const { Description = "one of the CDK's own", MemorySize, Timeout, VpcConfig, KmsKeyArn, Environment } = each;
  const { Variables = {} } = (Environment ?? {}) as { readonly Variables?: object };
  const where = VpcConfig === undefined ? "no VPC" : "VPC";
  const key = KmsKeyArn === undefined ? "" : ", environment under a key";
  const reserved = each["ReservedConcurrentExecutions"] as number | undefined;
  const kept = reserved === undefined ? "" : `, ${reserved} reserved`;
  return [
    `${textOf(Description)}: ${MemorySize ?? "?"} MB, ${Timeout} s, ${where}${key}${kept}`,
    ...(Object.keys(Variables).length === 0 ? [] : [`  ${Object.keys(Variables).sort().join(" ")}`]),
  ];
}

const scheduleLine = ({ ScheduleExpression, Description }: Properties): string =>
  `${String(ScheduleExpression)}: ${textOf(Description)}`;

const ruleLine = ({ Description, EventPattern }: Properties): string =>
  `${textOf(Description)}: ${(EventPattern as { readonly "detail-type": readonly string[] })["detail-type"].join(", ")}`;

function sourceLine({
  BatchSize,
  MaximumRetryAttempts,
  MaximumRecordAgeInSeconds,
  FilterCriteria,
}: Properties): string {
  const { Filters } = FilterCriteria as { readonly Filters: readonly unknown[] };
  return `batches of ${BatchSize}, ${MaximumRetryAttempts} retries within ${MaximumRecordAgeInSeconds} s, ${Filters.length} filters`;
}

/** Each role with its actions, services together. */
function rights(template: Template): readonly string[] {
  return Object.entries(template.findResources("AWS::IAM::Policy")).map(([id, policy]) => {
    const statements = policy["Properties"].PolicyDocument.Statement as Parameters<typeof actionsOf>[0];
    const actions = actionsOf(statements.filter(({ Effect }) => Effect === "Allow"));
    const services = [...new Set(actions.map((action) => action.split(":")[0]))];
    const text = services.map((service) => {
      const own = actions.filter((action) => action.startsWith(`${service}:`)).map((action) => action.split(":")[1]);
      return `${service} ${own.join(" ")}`;
    });
    return `${id.replace(/DefaultPolicy\w{8}$/, "")}: ${text.join("; ")}`;
  });
}

function alarmLine({ AlarmName, Threshold, ComparisonOperator, EvaluationPeriods, AlarmActions }: Properties): string {
  const told = AlarmActions === undefined ? "" : ", told";
  return `${textOf(AlarmName)}: ${String(ComparisonOperator)} ${Threshold}, ${EvaluationPeriods} periods${told}`;
}
