import type { Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import type { ValkeyFailoverProps } from "../../lib/constructs/failover-props.ts";
import { ValkeyFailover } from "../../lib/constructs/valkey-failover.ts";
import { everythingOn } from "./everything-on.ts";
import { newStack } from "./failover-stack.ts";
import { summaryOf } from "./template-summary.ts";

function deployed(make: (stack: Stack) => ValkeyFailoverProps): string {
  const stack = newStack();
  new ValkeyFailover(stack, "Failover", make(stack));
  return summaryOf(Template.fromStack(stack));
}

// After a change that is meant: `vitest run --config test/vitest.config.ts test/constructs/template-summary.test.ts -u`.
describe("what is deployed", () => {
  it("by default is what the summary beside this file says", async () => {
    await expect(deployed(() => ({}))).toMatchFileSnapshot("summaries/default.txt");
  });

  it("with every option on is what the summary beside this file says", async () => {
    await expect(deployed((stack) => everythingOn(stack))).toMatchFileSnapshot("summaries/everything-on.txt");
  });
});
