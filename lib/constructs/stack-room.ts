// Does all of it fit into one stack? CloudFormation takes 500 resources, and the CDK's own error tells their types and nothing
// that could be done. It takes a template of 1 MB, of which the CDK only warns. Counted when the app is complete: what else it
// puts into the stack counts as well.

import { CfnResource, Stack } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

const MOST_RESOURCES = 500;
/** The CDK's; 0 is its word for no limit. */
const LIMIT_CONTEXT = "@aws-cdk/core:stackResourceLimit";
const WATCHED = new WeakSet<IConstruct>();

/** As the CDK counts it. */
const MOST_BYTES = 1_000_000;
/** With less than either no template comes near: it is rendered once more only to be measured. */
const MEASURED_FROM = { resources: 250, declaredLength: 100_000 };

/** Once for a construct and all that is in it: the outermost tells. `declaredLength`: of its groups' declarations, about. */
export function watchRoom(construct: IConstruct, declaredLength = 0): void {
  if (construct.node.scopes.some((each) => WATCHED.has(each))) return;
  WATCHED.add(construct);
  construct.node.addValidation({
    validate: () => {
      const issues = roomIssues(construct);
      return issues.length > 0 ? issues : sizeIssues(construct, declaredLength);
    },
  });
}

function sizeIssues(construct: IConstruct, declaredLength: number): string[] {
  const stack = Stack.of(construct);
  const all = resourcesOf(stack, stack);
  if (all.length < MEASURED_FROM.resources && declaredLength < MEASURED_FROM.declaredLength) return [];
  const [bytes, least] = bytesOf(stack);
  if (bytes <= MOST_BYTES) return [];
  const groups = countOf(all, "Custom::ValkeyGroup");
  const indentation = least <= MOST_BYTES ? "Set the stack's suppressTemplateIndentation, declare" : "Declare";
  return [
    `the template of the stack ${stack.stackName} has ${bytes} bytes, and CloudFormation takes ${MOST_BYTES}: ${groups} declared ` +
      `groups are about ${declaredLength} of them, each with a tls.ca of its own where it has one. ${indentation} fewer groups and register ` +
      "the others at run time (`valkeeper groups add`, with `shards` for them), give one certificate in place of a whole bundle, or make " +
      'several deployments: docs/deploy.md, "Many groups"',
  ];
}

/** What the CDK has for itself; without it, it warns and CloudFormation refuses. */
interface Rendering {
  readonly _toCloudFormation?: () => object;
  readonly _suppressTemplateIndentation?: boolean;
}

/** As the CDK will write it, and without the indentation. */
function bytesOf(stack: Stack): readonly [bytes: number, least: number] {
  const rendering = stack as unknown as Rendering;
  const template: unknown = stack.resolve(rendering._toCloudFormation?.() ?? {});
  const measure = (indent?: number): number => Buffer.byteLength(JSON.stringify(template, undefined, indent));
  const least = measure();
  return [rendering._suppressTemplateIndentation === true ? least : measure(1), least];
}

function roomIssues(construct: IConstruct): string[] {
  const stack = Stack.of(construct);
  const all = resourcesOf(stack, stack);
  const most = Number(stack.node.tryGetContext(LIMIT_CONTEXT) ?? MOST_RESOURCES);
  if (most === 0 || all.length <= most) return [];
  const own = resourcesOf(construct, stack);
  const alarms = countOf(own, "AWS::CloudWatch::Alarm");
  const groups = countOf(own, "Custom::ValkeyGroup");
  return [
    `the stack ${stack.stackName} has ${all.length} resources, and CloudFormation takes ${most}: ` +
      `${groups} declared groups, ${alarms} alarms, ${own.length - groups - alarms} others of this construct and ` +
      `${all.length - own.length} beside it. Declare fewer groups and register the others at run time ` +
      "(`valkeeper groups add`, with `shards` for them), name fewer in alarms.groupNames or create FailoverAlarms for them in " +
      'another stack (overAll: false), or make several deployments: docs/deploy.md, "Many groups"',
  ];
}

/** Without those of nested stacks. */
const resourcesOf = (scope: IConstruct, stack: Stack): readonly CfnResource[] =>
  scope.node
    .findAll()
    .filter((each): each is CfnResource => CfnResource.isCfnResource(each) && Stack.of(each) === stack);

const countOf = (resources: readonly CfnResource[], type: string): number =>
  resources.filter(({ cfnResourceType }) => cfnResourceType === type).length;
