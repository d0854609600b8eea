// Calls a function once a minute, for ever, and never twice for one minute: what comes late or failed is not tried again,
// since the next call is due by then. Scheduler delivers at least once; handlers bear that.

import { Duration, Stack } from "aws-cdk-lib";
import { type IRole, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import {
  ContextAttribute,
  Schedule,
  ScheduleExpression,
  ScheduleTargetInput,
  TimeWindow,
} from "aws-cdk-lib/aws-scheduler";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { DELIVERY_AGE_LIMIT_MS, SCHEDULE_PERIOD_MS } from "../runtime/timing.ts";
import { takesPolicies, warnOfImmutable } from "./function-parts.ts";

export interface MinuteScheduleProps {
  readonly target: IFunction;
  readonly description: string;
  /** For a warning. */
  readonly name: string;
  /**
   * Scheduler must be allowed to assume it.
   * @default - a new one
   */
  readonly role?: IRole;
  /**
   * Gets the calls that could not be delivered.
   * @default - they are dropped
   */
  readonly deadLetterQueue?: IQueue;
}

export class MinuteSchedule extends Construct {
  readonly schedule: Schedule;

  constructor(scope: Construct, id: string, props: MinuteScheduleProps) {
    super(scope, id);
    const role = props.role ?? new Role(this, "Role", { assumedBy: schedulesOf(Stack.of(this)) });
    role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [props.target.functionArn] }),
    );
    if (!takesPolicies(role)) warnOfImmutable(this, role, `${props.name}'s schedule`);
    const { deadLetterQueue } = props;
    if (deadLetterQueue !== undefined) deadLetterQueue.grantSendMessages(role);
    this.schedule = new Schedule(this, "Schedule", {
      description: props.description,
      schedule: ScheduleExpression.rate(Duration.millis(SCHEDULE_PERIOD_MS)),
      timeWindow: TimeWindow.off(),
      // The CDK's own would grant the role more than this: also every version of the function.
      target: {
        bind: () => ({
          arn: props.target.functionArn,
          role,
          retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: DELIVERY_AGE_LIMIT_MS / 1_000 },
          ...(deadLetterQueue === undefined ? {} : { deadLetterConfig: { arn: deadLetterQueue.queueArn } }),
          // Handlers drop what lay in a queue for too long.
          input: ScheduleTargetInput.fromObject({ scheduledTime: ContextAttribute.scheduledTime }),
        }),
      },
    });
    // Without it the first calls of a new stack fail: the schedule would come before the right to call.
    this.schedule.node.addDependency(role);
  }
}

/** EventBridge Scheduler for the schedules of this account's default group, and not for anybody else's that name the role. */
const schedulesOf = (stack: Stack): ServicePrincipal =>
  new ServicePrincipal("scheduler.amazonaws.com", {
    conditions: {
      StringEquals: {
        "aws:SourceAccount": stack.account,
        "aws:SourceArn": stack.formatArn({
          service: "scheduler",
          resource: "schedule-group",
          resourceName: "default",
        }),
      },
    },
  });
