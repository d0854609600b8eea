// The app that `cdk deploy` installs: one stack, from the settings in cdk.json or in a file of one's own.

import { App } from "aws-cdk-lib";
import { settingsFrom } from "../lib/constructs/failover-settings.ts";
import { FailoverStack } from "../lib/constructs/failover-stack.ts";

const app = new App();
const settings = settingsFrom(app.node.tryGetContext("valkeeper:settings"), app.node.tryGetContext("valkeeper"));
new FailoverStack(app, settings.stackName ?? "Valkeeper", {
  settings,
  description: "Failover for Valkey: voters in three availability zones, a publisher, a table",
});
