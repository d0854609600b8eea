// What a platform team brings along for a function, and the one thing that cannot be told from a template: whether a role takes
// the rights that are added to it.

import { Annotations, CfnResource } from "aws-cdk-lib";
import type { IRole } from "aws-cdk-lib/aws-iam";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import type { IConstruct } from "constructs";

/** What a function is given in place of what would be made for it. */
export interface FunctionParts {
  /**
   * Lambda must be allowed to assume it. What the function needs is added to it; one that takes nothing, as an imported
   * immutable role, is told of in a warning, and must have the rights of docs/security.md already.
   * @default - a new one, with what the function needs and nothing beside
   */
  readonly role?: IRole;
  /**
   * Its retention is its owner's.
   * @default - a new one, kept for `logRetention`
   */
  readonly logGroup?: ILogGroup;
}

/** What a function that is called once a minute is given. */
export interface ScheduledFunctionParts extends FunctionParts {
  /**
   * EventBridge Scheduler must be allowed to assume it, and no function may have it. What the schedule needs is added to it; of one that
   * takes nothing a warning tells, as of `role`.
   * @default - a new one, which calls this function and nothing beside
   */
  readonly scheduleRole?: IRole;
}

/** What each function is given. */
export interface FailoverFunctions {
  /**
   * One for each voter, shard by shard, each in the order of the zones. Voters that share a role can write each other's views.
   * @default - nothing is given
   */
  readonly voters?: ScheduledFunctionParts[];
  /** @default - nothing is given */
  readonly publisher?: ScheduledFunctionParts;
  /** @default - nothing is given */
  readonly notifier?: FunctionParts;
  /** @default - nothing is given */
  readonly stopper?: FunctionParts;
  /** @default - nothing is given */
  readonly evacuator?: FunctionParts;
  /** @default - nothing is given */
  readonly registrar?: FunctionParts;
}

/** A function waits for the rights of its role, and a schedule's right names the function: neither could be made first. */
export function scheduleRoleIssues(at: string, parts: readonly ScheduledFunctionParts[]): string[] {
  const ofFunctions = new Set(parts.flatMap(({ role }) => role ?? []));
  const ofBoth = new Set(parts.flatMap(({ scheduleRole: role }) => (role && ofFunctions.has(role) ? [role] : [])));
  return [...ofBoth].map(
    ({ node }) => `${at}: the role ${node.path} is a function's and a schedule's: give schedules one of their own`,
  );
}

/** To be asked when something was granted. The CDK tells nobody that a role has swallowed a grant; one that took it has a policy. */
export const takesPolicies = (role: IRole): boolean =>
  role.node.findAll().some((each) => CfnResource.isCfnResource(each) && each.cfnResourceType === "AWS::IAM::Policy");

export function warnOfImmutable(scope: IConstruct, role: IRole, name: string): void {
  Annotations.of(scope).addWarningV2(
    "valkeeper:immutableRole",
    `the role ${role.node.path} takes no policies: give it the rights of the ${name} that docs/security.md lists, or let it be changed`,
  );
}
