// The template whose dashboard is drawn: the construct in a stack of its own, with what somebody has who asks for alarms and
// a dashboard and for nothing else.

import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { ValkeyFailover } from "../../lib/constructs/valkey-failover.ts";
import { group, importVpc } from "../constructs/failover-stack.ts";

export function synthesizeDashboard(): Template {
  // No bundling, which takes seconds.
  const stack = new Stack(new App({ context: { "aws:cdk:bundling-stacks": [] } }), "Cache");
  new ValkeyFailover(stack, "Failover", { vpc: importVpc(stack), groups: [group], alarms: {}, dashboard: true });
  return Template.fromStack(stack);
}

/** The logical id of the deployment's table, which its figures are told by. */
export function tableOf(template: Template): string {
  const [id, ...more] = Object.keys(template.findResources("AWS::DynamoDB::GlobalTable"));
  if (id === undefined || more.length > 0) throw new Error("the template should have one table");
  return id;
}
