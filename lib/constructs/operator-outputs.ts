// What the commands of docs/operations.md name, as outputs of the stack: at night nobody looks for them in a console.

import { CfnOutput } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { ValkeyFailover } from "./valkey-failover.ts";

export function exportOutputs(scope: Construct, failover: ValkeyFailover): void {
  const { table, deadLetterQueue, logGroups, dashboard } = failover;
  const outputs: Readonly<Record<string, string | undefined>> = {
    TableName: table.table.tableName,
    DeadLetterQueueUrl: deadLetterQueue.queueUrl,
    // As the AWS command line takes them: between spaces.
    LogGroupNames: logGroups.map((each) => each.logGroupName).join(" "),
    DashboardName: dashboard?.dashboard.dashboardName,
  };
  for (const [name, value] of Object.entries(outputs)) if (value !== undefined) new CfnOutput(scope, name, { value });
}
