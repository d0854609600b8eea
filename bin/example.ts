// The example that docs/deploy.md ("See it work") deploys: three machines with Valkey, and Valkeeper for them.

import { readFileSync } from "node:fs";
import { App } from "aws-cdk-lib";
import { ExampleStack } from "../lib/constructs/example-stack.ts";

const app = new App();
const authority: unknown = app.node.tryGetContext("authority");
if (typeof authority !== "string") {
  throw new Error("say where the authority's certificate is: -c authority=ca.pem (docs/deploy.md, See it work)");
}
const text = (name: string): object => {
  const value: unknown = app.node.tryGetContext(name);
  return typeof value === "string" ? { [name]: value } : {};
};
/** `-c name=false` comes as a text. */
const isWanted = (name: string): boolean => String(app.node.tryGetContext(name) ?? true) !== "false";
new ExampleStack(app, "ValkeeperExample", {
  description: "Valkeeper's example: three Valkey nodes in three zones, and their failover",
  authority: readFileSync(authority, "utf8"),
  ...text("network"),
  ...text("imageId"),
  hostStopping: isWanted("hostStopping"),
  evacuation: isWanted("evacuation"),
});
