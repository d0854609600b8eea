// What stopper and evacuator may do with hosts, as far as both may: hosts are told by the tags that their owner gave them.

import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { BundledFunction } from "./bundled-function.ts";
import { ecsArn } from "./node-platform.ts";

/** The tags by which hosts are found. lib/ports/hosts.ts, which constructs must not import, spells them too; tests compare. */
export const GROUP_TAG = "valkeeper:group";
export const NODE_TAG = "valkeeper:node";

/** Which groups there will be is not known at deployment. */
export const isTagged = { StringLike: { [`aws:ResourceTag/${GROUP_TAG}`]: "?*" } };

/** Lets `owner` see the tasks of these clusters. Returns what names all of them. */
export function grantTasks(owner: BundledFunction, stack: Stack, clusters: readonly string[]): string[] {
  const { role } = owner;
  const inClusters = { ArnEquals: { "ecs:cluster": clusters.map((cluster) => ecsArn(stack, "cluster", cluster)) } };
  const tasks = clusters.map((cluster) => ecsArn(stack, "task", `${cluster}/*`));
  role.addToPrincipalPolicy(
    new PolicyStatement({ actions: ["ecs:ListTasks"], resources: ["*"], conditions: inClusters }),
  );
  role.addToPrincipalPolicy(new PolicyStatement({ actions: ["ecs:DescribeTasks"], resources: tasks }));
  for (const each of tasks) {
    owner.acknowledgeWildcard(each, "Tasks of a cluster that is named: which there will be nobody knows now.");
  }
  return tasks;
}
