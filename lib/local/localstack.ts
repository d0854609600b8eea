// LocalStack 4.14.0 without Docker: a second emulator of the AWS API, for the suites that are run against it. Its DynamoDB is Amazon's own
// DynamoDB Local, of which LocalStack would fetch a copy and a Java of its own; it is shown ours instead, bound to 127.0.0.1.

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { LocalError } from "./errors.ts";
import { findFreePort } from "./free-port.ts";
import type { ProcessGroup, Program } from "./process-group.ts";
import { type DynamodbLocalTools, isMissing, pathForPrograms, readTools } from "./tools.ts";

export interface Localstack {
  readonly endpoint: string;
  readonly region: string;
  readonly pid: number;
  output(): string;
  stop(): Promise<void>;
}

export interface LocalstackOptions {
  readonly group: ProcessGroup;
  /** Of the environment that set-up has installed it into. */
  readonly python: string;
  /** @default 60,000 */
  readonly readyWithinMs?: number;
}

const REGION = "eu-west-1";
const LOOK_EVERY_MS = 200;
/** Loading a service's code takes its time when it is asked for first, more than a client waits. */
const SERVICE_LOADED_WITHIN_MS = 60_000;

const SERVICES =
  "cloudformation,cloudwatch,dynamodb,dynamodbstreams,ec2,events,iam,kms,lambda,logs,route53,s3,scheduler,secretsmanager,sns,sqs,ssm,sts";

/** One harmless question for each service that the suites use. */
const FIRST_QUESTIONS: readonly (() => readonly [path: string, init: RequestInit])[] = [
  () => json("dynamodb", "DynamoDB_20120810.ListTables"),
  () => json("ssm", "AmazonSSM.DescribeParameters"),
  () => json("secretsmanager", "secretsmanager.ListSecrets"),
  () => json("events", "AWSEvents.ListRules"),
  () => ["/2013-04-01/hostedzone", { headers: signedFor("route53") }],
  () => query("sns", "ListTopics", "2010-03-31"),
  () => query("sqs", "ListQueues", "2012-11-05"),
];

export async function startLocalstack(options: LocalstackOptions): Promise<Localstack> {
  const dynamodb = readTools().dynamodbLocal;
  if (isMissing(dynamodb)) {
    throw new LocalError("program-missing", `LocalStack has no table without DynamoDB Local: ${dynamodb.missing}`);
  }
  const { group, python } = options;
  const port = await findFreePort();
  const folder = group.makeFolder("localstack");
  const root = join(folder, "root");
  placeDynamodb(root, dynamodb);
  const program = await group.spawn({
    name: "LocalStack",
    command: python,
    args: ["-m", "localstack.runtime.main"],
    cwd: folder,
    ownGroup: true,
    environment: environmentOf({ folder, root, port }),
    // Asked to end, it has hung; nothing of it is worth saving.
    endedBy: "SIGKILL",
  });
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await program.stop();
    group.removeFolder(folder);
  };
  try {
    await waitUntilReady(program, endpoint, options.readyWithinMs ?? 60_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, region: REGION, pid: program.pid, output: () => program.output, stop };
}

/** Where LocalStack looks before it fetches anything: a marker file of each package, below its folder for libraries. */
function placeDynamodb(root: string, { java, jar, libraries }: DynamodbLocalTools): void {
  const installed = join(root, "usr", "lib", "localstack");
  const dynamodb = join(installed, "dynamodb-local", "2");
  mkdirSync(dynamodb, { recursive: true });
  symlinkSync(jar, join(dynamodb, "DynamoDBLocal.jar"));
  symlinkSync(libraries, join(dynamodb, "DynamoDBLocal_lib"));
  const shim = join(installed, "java", "21", "bin", "java");
  mkdirSync(dirname(shim), { recursive: true });
  const launcher = fileURLToPath(new URL("dynamodb-loopback.java", import.meta.url));
  const script = [
    "#!/bin/sh",
    "# What LocalStack says before -jar is about its own loader, which is in no package; what comes after the jar is DynamoDB Local's.",
    'while [ "$1" != "-jar" ]; do shift; done',
    "shift 2",
    "# It is given a session of its own and nobody to end it: it goes with its parent, however that ends.",
    '(while kill -0 "$PPID" && kill -0 "$$"; do sleep 0.5; done; kill -9 "$$") >/dev/null 2>&1 &',
    `exec "${java}" -Xmx256m "-Djava.library.path=${libraries}" -cp "${jar}" "${launcher}" -disableTelemetry "$@"`,
    "",
  ];
  writeFileSync(shim, script.join("\n"));
  chmodSync(shim, 0o755);
}

function environmentOf(place: {
  readonly folder: string;
  readonly root: string;
  readonly port: number;
}): Record<string, string> {
  const address = `127.0.0.1:${place.port}`;
  return {
    PATH: pathForPrograms(),
    HOME: place.folder,
    TMPDIR: place.folder,
    FILESYSTEM_ROOT: place.root,
    // Some virtual machines look like a container to it, and FILESYSTEM_ROOT is ignored in one.
    OVERRIDE_IN_DOCKER: "0",
    GATEWAY_LISTEN: address,
    LOCALSTACK_HOST: address,
    // Its own server listens on every address.
    GATEWAY_SERVER: "hypercorn",
    SERVICES,
    DISABLE_EVENTS: "1",
    SKIP_SSL_CERT_DOWNLOAD: "1",
    DNS_ADDRESS: "0",
    SQS_ENDPOINT_STRATEGY: "path",
    DYNAMODB_IN_MEMORY: "1",
    // The older ones give streams that return nothing.
    PROVIDER_OVERRIDE_DYNAMODB: "v2",
    PROVIDER_OVERRIDE_DYNAMODBSTREAMS: "v2",
  };
}

async function waitUntilReady(program: Program, endpoint: string, withinMs: number): Promise<void> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    if (!program.isRunning) {
      throw new LocalError("ended-early", `LocalStack ended while it started:\n${program.output.slice(-2_000)}`);
    }
    if (await isServing(endpoint)) {
      await loadServices(program, endpoint);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new LocalError(
    "not-ready",
    `LocalStack did not answer at ${endpoint} within ${withinMs} ms:\n${program.output.slice(-2_000)}`,
  );
}

async function isServing(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(`${endpoint}/_localstack/health`, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    // Refused or not yet answering: asked again until the time is over.
    return false;
  }
}

async function loadServices(program: Program, endpoint: string): Promise<void> {
  for (const question of FIRST_QUESTIONS) {
    const [path, init] = question();
    const signal = AbortSignal.timeout(SERVICE_LOADED_WITHIN_MS);
    const response = await fetch(`${endpoint}${path}`, { ...init, signal });
    const text = await response.text();
    if (!response.ok) {
      const said = `${response.status} ${text.slice(0, 500)}\n${program.output.slice(-2_000)}`;
      throw new LocalError("command-failed", `LocalStack refused its first question (${path}): ${said}`);
    }
  }
}

/** It checks no signature, and takes the service's name from it. */
const signedFor = (service: string): Record<string, string> => ({
  authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});

function json(service: string, target: string): readonly [string, RequestInit] {
  const headers = { ...signedFor(service), "x-amz-target": target, "content-type": "application/x-amz-json-1.0" };
  return ["/", { method: "POST", headers, body: "{}" }];
}

function query(service: string, action: string, version: string): readonly [string, RequestInit] {
  const headers = { ...signedFor(service), "content-type": "application/x-www-form-urlencoded" };
  return ["/", { method: "POST", headers, body: `Action=${action}&Version=${version}` }];
}
