// Does all of it fit into one stack? CloudFormation takes 500 resources, and the CDK's own error tells their types and nothing
// that could be done. Counted when the app is complete: what else it puts into the stack counts as well.

import { CfnResource, Stack } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

const MOST_RESOURCES = 500;
/** The CDK's; 0 is its word for no limit. */
const LIMIT_CONTEXT = "@aws-cdk/core:stackResourceLimit";
const WATCHED = new WeakSet<IConstruct>();

/** Once for a construct and all that is in it: the outermost tells. */
export function watchRoom(construct: IConstruct): void {
  if (construct.node.scopes.some((each) => WATCHED.has(each))) return;
  WATCHED.add(construct);
  construct.node.addValidation({ validate: () => roomIssues(construct) });
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
