// The app that docs/deploy.md gives to who has nodes already, as it stands there.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Template } from "aws-cdk-lib/assertions";
import { beforeAll, describe, expect, it } from "vitest";
import { messagesIn } from "../support/assembly.ts";
import { textOf } from "../support/iam-policy.ts";

const [, sample = ""] = /```ts\n(.*?)```/s.exec(readFileSync("docs/deploy.md", "utf8")) ?? [];
let template: Template;
let messages: readonly string[];

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), "valkeeper-deploy-docs-"));
  try {
    const source = sample.replace('"valkeeper"', '"./lib/constructs/index.ts"');
    execFileSync(process.execPath, ["--input-type=module-typescript", "--eval", source], {
      env: { PATH: process.env["PATH"], HOME: folder, CDK_OUTDIR: folder, CDK_VALIDATION: "false" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    template = Template.fromJSON(JSON.parse(readFileSync(join(folder, "Sessions.template.json"), "utf8")) as object);
    messages = messagesIn(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);

describe("the app for nodes that run already", () => {
  it("is synthesized without a warning", () => {
    expect(messages).toEqual([]);
  });

  it("declares the group, with the secret, the record and the parameters' prefix", () => {
    const [group] = Object.values(template.findResources("Custom::ValkeyGroup"));
    const declaration = JSON.parse(textOf(group?.["Properties"].Declaration)) as Readonly<Record<string, unknown>>;
    expect(declaration).toMatchObject({
      name: "sessions",
      nodes: [{ host: "10.0.1.10" }, { host: "10.0.2.10" }, { host: "10.0.3.10" }],
      credentials: { user: "valkeeper", secretId: expect.stringContaining("secret:valkey/coordinator") },
      publication: { parameterPrefix: "/valkeeper", dns: { name: "sessions.cache.internal" } },
    });
  });

  it("lets the voters in at the nodes, and tells the topic", () => {
    template.hasResourceProperties("AWS::EC2::SecurityGroupIngress", { GroupId: "sg-0123456789abcdef0", ToPort: 6379 });
    template.resourceCountIs("AWS::CloudWatch::Dashboard", 1);
    const alarms = Object.values(template.findResources("AWS::CloudWatch::Alarm"));
    expect(alarms.length).toBeGreaterThan(15);
    for (const { Properties } of alarms) expect(Properties.AlarmActions).toHaveLength(1);
  });
});
